"""Our whole server over the program's own router, before providers that speak for themselves."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anthropic
import openai

from app.privacy.masking import Masker
from app.routing.around import audited
from app.server.services import Services
from app.settings.routing import RoutingSettings
from tests.routing.test_over_sockets import KEY, Routed, model, place

from .scripted import ScriptedBackend, served, services_of

__all__ = ["KEY", "Proxied", "model", "place", "proxied"]


@dataclasses.dataclass
class Proxied:
    """A running server.

    Attributes:
        address: where, without a slash at its end.
        routed: its router's parts; ``routed.local`` answers for ``small``.
    """

    address: str
    services: Services
    routed: Routed

    def openai(self, **more: object) -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(**{"base_url": f"{self.address}/v1", "api_key": "ours", "max_retries": 0} | more)

    def anthropic(self, **more: object) -> anthropic.AsyncAnthropic:
        return anthropic.AsyncAnthropic(**{"base_url": self.address, "api_key": "ours", "max_retries": 0} | more)

    def idle(self) -> bool:
        """Whether nothing runs at any provider."""
        return not any(self.routed.remotes.in_flight().values())


@asynccontextmanager
async def proxied(
    toml: str,
    *,
    routing: RoutingSettings | None = None,
    vault: object = None,
    build: dict[str, object] | None = None,
    server: dict[str, object] | None = None,
    **more: object,
) -> AsyncIterator[Proxied]:
    """Runs a server for the block; ``more`` is for ``Routed``."""
    async with Routed(toml, **more) as routed:
        router = audited(
            routed.router,
            routing or RoutingSettings(),
            face="server",
            masker=Masker([KEY]),
            vault=lambda: vault,
            policy=routed.policy,
            remote=routed.remotes.catalogue,
            local=lambda name: name,
        )
        services = dataclasses.replace(services_of(ScriptedBackend([]), **(server or {})), router=router)
        async with served(services, **(build or {})) as address:
            yield Proxied(address, services, routed)


def notes(folder: Path) -> str:
    """Every file's text under ``folder``."""
    return "".join(file.read_text(errors="replace") for file in folder.rglob("*") if file.is_file())
