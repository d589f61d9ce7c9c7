"""What a picker shows of each model: where it is, whether it can be reached, what it costs, what leaves the machine."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from app.privacy.connections import ConnectionPolicy

from .catalogue.endpoint_tables import is_in_the_clear
from .catalogue.remote_models import Price, RemoteRole
from .targets import RemoteTarget
from .trying.replicas import Connected

Reachable = Literal["here", "yes", "no", "unknown"]


class LocalFacts(Struct, frozen=True, kw_only=True):
    """What the catalogue knows of a model of this machine."""

    installed: bool = True
    context: int = 0
    description: str = ""


class ModelLine(Struct, frozen=True, kw_only=True):
    """One model.

    Attributes:
        name: what it is asked by.
        aliases: further names for it.
        backend: ``local``, or its endpoint, or several, separated by commas.
        remote: whether an endpoint answers, and not this program.
        context: tokens; 0 is unknown.
        reachable: ``here`` is on this machine; ``unknown`` until it was asked once, or its endpoint was.
        reason: why it is not reachable, or what to know of it; a sentence, or empty.
        leaves: what leaves the machine when it is asked, and where to; empty is nothing.
        stays: whether one of its endpoints is on this machine, so that nothing need leave it; in local-only mode that
            one is asked.
        fallback: who answers when it cannot, in order.
        vision: whether it sees pictures; ``None`` is unknown.
        role: what it is for.
    """

    name: str
    backend: str
    remote: bool
    aliases: tuple[str, ...] = ()
    context: int = 0
    price: Price | None = None
    reachable: Reachable = "unknown"
    reason: str = ""
    description: str = ""
    leaves: str = ""
    stays: bool = False
    fallback: tuple[str, ...] = ()
    vision: bool | None = None
    role: RemoteRole = "chat"

    def while_local_only(self) -> ModelLine:
        """The line as it is while nothing may leave the machine."""
        return replace(self, leaves="") if self.stays else self


def local_line(name: str, backend: str, facts: LocalFacts | None) -> ModelLine:
    """A model of a backend on this machine."""
    known = facts or LocalFacts()
    return ModelLine(
        name=name,
        backend=backend,
        remote=False,
        context=known.context,
        reachable="here" if known.installed else "no",
        reason="" if known.installed else "Its file is not on this machine yet.",
        description=known.description,
    )


def remote_line(
    target: RemoteTarget, policy: ConnectionPolicy, now: float, *, fallback: tuple[str, ...], redacts: bool
) -> ModelLine:
    """A remote model as it stands now.

    Args:
        target: the model.
        policy: whether anything may leave the machine.
        now: of the clock that its circuits know.
        fallback: who answers in its place.
        redacts: whether personal data is replaced where an endpoint does not say otherwise.
    """
    model = target.model
    places = list(dict.fromkeys(replica.place for replica in target.replicas.all))
    reachable, reason = _reach(target, places, policy, now)
    return ModelLine(
        name=model.name,
        backend=", ".join(place.endpoint.name for place in places),
        remote=True,
        aliases=model.aliases,
        context=model.context,
        price=model.price,
        reachable=reachable,
        reason=reason,
        description=model.description,
        leaves="; ".join(words for place in places if (words := _leaves(place, model.role, redacts=redacts))),
        stays=any(place.local for place in places),
        fallback=fallback,
        vision=model.vision,
        role=model.role,
    )


def _reach(
    target: RemoteTarget, places: list[Connected], policy: ConnectionPolicy, now: float
) -> tuple[Reachable, str]:
    usable = [replica for replica in target.replicas.all if target.permitted(replica)]
    if not usable:
        return "no", "Local-only mode is on."
    passing = [replica for replica in usable if replica.circuit.state(now) != "open"]
    if not passing:
        first = min(usable, key=lambda one: one.circuit.remaining(now))
        return "no", f"{first.circuit.reason} It is asked again in {first.circuit.remaining(now):.0f} s."
    seen = [replica.place for replica in passing]
    trouble = next((place.trouble for place in seen if place.trouble), "")
    if any(place.seen for place in seen):
        return "yes", trouble
    return ("no" if all(place.seen is False for place in seen) else "unknown"), trouble


def _leaves(place: Connected, role: RemoteRole, *, redacts: bool) -> str:
    if place.local:
        return ""
    words = f"{'the conversation' if role == 'chat' else 'speech'}, to {place.host}"
    if role == "chat" and redacts and place.endpoint.redact:
        words += ", personal data replaced"
    if is_in_the_clear(place.endpoint):
        words += ", readable on the way"
    elif not place.endpoint.verify:
        words += ", its certificate not checked"
    return words
