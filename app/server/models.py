"""Which model names are answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from app.errors import UnknownModelError

from .services import Services

Purpose = Literal["chat", "embed", "transcribe"]

_DONE: Mapping[Purpose, str] = {"chat": "chat", "embed": "embeddings", "transcribe": "transcription"}


async def known(services: Services) -> tuple[str, ...]:
    """Every name that can be answered now: models of other backends, and those whose files are on this machine."""
    entries = {entry.name: entry for entry in services.catalogue.entries}
    chat = [
        name
        for name in await services.router.models()
        if name not in entries or services.store.path_of(entries[name]) is not None
    ]
    others = [
        entry.name for entry in entries.values() if entry.role != "chat" and services.store.path_of(entry) is not None
    ]
    return tuple(dict.fromkeys((*chat, *others, *services.transcribers)))


async def resolve(services: Services, name: str, purpose: Purpose = "chat") -> str:
    """The model that answers a request for ``name``.

    With ``server.unknown_model = "default"`` an unknown name is answered by the default model, or for other purposes
    by the first installed model that fits.

    Raises:
        UnknownModelError: when there is none, or it is for something else; OpenAI says 404 to both.
    """
    if purpose == "chat" and await services.router.knows(name):
        return name
    names = await _names(services, purpose)
    if name in names:
        return name
    available = await _installed(services, purpose)
    if services.settings.server.unknown_model == "default" and (purpose == "chat" or available):
        default = await default_of(services, purpose)
        if default in names:
            return default
    if name in await known(services):
        raise UnknownModelError(
            f"The model {name!r} is not for {_DONE[purpose]}.",
            f"Models that are: {', '.join(available)}." if available else _none(purpose),
        )
    raise UnknownModelError(
        f"The model {name!r} does not exist.",
        f"Models that do: {', '.join(available)}." if available else _none(purpose),
    )


async def shown(services: Services, name: str) -> str | None:
    """The model that is described to who looks before they ask: the one that would answer, if one can.

    So with ``server.unknown_model = "default"`` an unknown name is the default model's.
    """
    names = await known(services)
    if name in names or services.settings.server.unknown_model != "default" or await services.router.knows(name):
        return name if name in names else None
    default = services.settings.models.default
    return default if default in names else None


async def default_of(services: Services, purpose: Purpose = "chat") -> str:
    """The model that answers where none is named; for vectors the one that memory uses, if it is installed.

    Raises:
        UnknownModelError: when no model for this purpose is installed.
    """
    if purpose == "chat":
        return services.settings.models.default
    available = await _installed(services, purpose)
    if not available:
        raise UnknownModelError(_none(purpose), "playground models list shows those that can be fetched.")
    if purpose == "embed" and services.settings.memory.model in available:
        return services.settings.memory.model
    return available[0]


def _none(purpose: Purpose) -> str:
    return f"No model for {_DONE[purpose]} is installed yet."


async def _names(services: Services, purpose: Purpose) -> tuple[str, ...]:
    if purpose == "chat":
        return await services.router.models()
    names = [entry.name for entry in services.catalogue.entries if entry.role == purpose]
    return (*names, *services.transcribers) if purpose == "transcribe" else tuple(names)


async def _installed(services: Services, purpose: Purpose) -> tuple[str, ...]:
    names = frozenset(await _names(services, purpose))
    return tuple(name for name in await known(services) if name in names)
