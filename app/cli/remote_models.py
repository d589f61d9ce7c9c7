"""The remote models in ``playground models list``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from .tables import table

if TYPE_CHECKING:
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
