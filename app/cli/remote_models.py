"""The remote models in ``playground models list`` and ``playground models info``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from .tables import table

if TYPE_CHECKING:
    from app.playground import Playground
    from app.routing.listing import ModelLine

_REACHABLE = {"here": "here", "yes": "yes", "no": "no", "unknown": "not asked"}


def facts_of(line: ModelLine) -> dict[str, Any]:
    """What there is to know of it, for programs."""
    facts: dict[str, Any] = msgspec.to_builtins(line)
    return {**facts, "installed": False}


def shown(lines: list[ModelLine]) -> str:
    """A table, what is wrong with any of them, and what leaves the machine."""
    head = ("Remote model", "For", "At", "Reached", "Context", "$/M in", "$/M out", "Also called")
    rows = [
        (
            line.name,
            line.role,
            line.backend,
            _REACHABLE[line.reachable],
            f"{line.context:,}" if line.context else "?",
            f"{line.price.input:g}" if line.price else "?",
            f"{line.price.output:g}" if line.price else "?",
            ", ".join(line.aliases),
        )
        for line in lines
    ]
    said = [table(head, rows, right=frozenset({4, 5, 6}))]
    said += [f"{line.name}: {line.reason}" for line in lines if line.reason]
    leaving = dict.fromkeys(line.leaves for line in lines if line.leaves)
    said += [f"What is asked leaves this machine: {words}." for words in leaving]
    return "\n".join(said)


async def line_of(playground: Playground, name: str) -> ModelLine | None:
    """The remote model of this name or alias, as far as it is known without asking; ``None`` when there is none."""
    for line in await playground.router.listing():
        if line.remote and name in (line.name, *line.aliases):
            return line.while_local_only() if playground.policy.local_only else line
    return None


def details_of(playground: Playground, line: ModelLine) -> dict[str, Any]:
    """Everything that is known of it, for programs: ``facts_of``, and where each of its endpoints is."""
    catalogue = playground.remotes.catalogue if playground.remotes is not None else None
    places = catalogue.models[line.name].places() if catalogue is not None else ()
    endpoints = [
        {
            "name": place.endpoint,
            "kind": catalogue.endpoints[place.endpoint].kind,
            "url": catalogue.endpoints[place.endpoint].url,
            "model": place.model,
        }
        for place in places
        if catalogue is not None
    ]
    return {**facts_of(line), "endpoints": endpoints}


def described(details: dict[str, Any], line: ModelLine) -> str:
    """The same for people, a line each."""
    asked = "" if line.reachable != "unknown" else "  (playground models list --check asks)"
    facts = [
        ("name", line.name),
        ("also called", ", ".join(line.aliases)),
        ("role", line.role),
        ("description", line.description),
        *(
            ("endpoint", f"{place['name']}, {place['kind']} at {place['url']}, as {place['model']}")
            for place in details["endpoints"]
        ),
        ("context", f"{line.context:,} tokens" if line.context else "not known"),
        ("price", _price(line)),
        ("pictures", {True: "yes", False: "no", None: ""}[line.vision]),
        ("fallback", ", ".join(line.fallback)),
        ("reached", _REACHABLE[line.reachable] + asked),
        ("", line.reason),
        ("leaves", line.leaves or "nothing leaves this machine"),
    ]
    return "\n".join(f"{label:<12} {value}" for label, value in facts if value)


def _price(line: ModelLine) -> str:
    if line.price is None:
        return "not known"
    cached = f", {line.price.cached:g} for cached prompts" if line.price.cached is not None else ""
    return f"${line.price.input:g} in, ${line.price.output:g} out{cached}, per million tokens"
