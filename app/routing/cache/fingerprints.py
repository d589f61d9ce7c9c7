"""Which request is the very same as another: by what is asked, who is asked, and what is changed on the way."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from app.messages import ChatRequest

if TYPE_CHECKING:
    from app.routing.catalogue.remote_models import RemoteCatalogue


class Identity(Struct, frozen=True):
    """Who answers to a name: the model's own name, and all that its answers depend on besides the request."""

    name: str
    depends_on: str


Identify = Callable[[str], Identity | None]
"""From a name or an alias; ``None`` for a model whose answers should not be kept."""


def fingerprint(request: ChatRequest, identity: Identity) -> bytes | None:
    """32 bytes that are the same for the same request alone; ``None`` when it holds what cannot be written down."""
    plain = msgspec.structs.replace(request, model=identity.name, fresh=False)
    try:
        written = msgspec.json.encode((identity.depends_on, plain), order="deterministic")
    except (TypeError, ValueError):
        return None
    return hashlib.sha256(written).digest()


def identify(remote: RemoteCatalogue | None, local: Callable[[str], str | None]) -> Identify:
    """Identities of the catalogue's models.

    Args:
        remote: a change of its tables is a change of identity: other endpoints or transforms give other answers.
        local: what the answers of a model of this machine depend on; ``None`` when that is not known.
    """
    known: dict[str, Identity | None] = {}

    def found(name: str) -> Identity | None:
        if name not in known:
            own = remote.canonical(name) if remote is not None else None
            if remote is None or own is None:
                digest = local(name)
                return Identity(name, f"local:{digest}") if digest else None
            model = remote.models[own]
            places = [(remote.endpoints[place.endpoint], place.model) for place in model.places()]
            written = msgspec.json.encode(places, order="deterministic")
            known[name] = Identity(own, f"remote:{hashlib.sha256(written).hexdigest()}")
        return known[name]

    return found
