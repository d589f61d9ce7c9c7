"""The server inside another face of the program: the same models, the same vault, the same event loop."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from app.errors import VaultLockedError
from app.vault.access.api_keys import new_secret

from .activity import Activity
from .app import build
from .auth.identifying import check_exposure
from .auth.keys import VARIABLE
from .gate.gate import GateParts
from .observing.parts import Observing
from .services import Services
from .serving import Serving, listen

if TYPE_CHECKING:
    from app.playground import Playground


@dataclass
class InsideServer:
    """A server that runs until ``aclose``.

    Attributes:
        key: opens chat and embeddings until the server ends; nobody keeps it.
        activity: what it does.
    """

    serving: Serving
    gate: GateParts
    observing: Observing
    activity: Activity
    key: str
    _running: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """``http://host:port``, as a program on this machine reaches it."""
        return self.serving.address

    @classmethod
    async def start(cls, playground: Playground, *, key_name: str) -> InsideServer:
        """Begins to answer.

        Args:
            playground: its vault must be open where other machines may ask: they need keys from there.
            key_name: what ``activity`` calls whoever uses ``key``.

        Raises:
            SettingsError: when the address cannot be used, or others could ask and there is no key in the vault.
            VaultLockedError: when the keys cannot be seen and others could ask.
        """
        chosen = playground.settings.server
        has_keys = await _has_keys(playground)
        check_exposure(chosen.host, no_auth=False, has_keys=has_keys)
        key = new_secret()
        # The first of the fixed keys, so that its number is known.
        environ = {**playground.environ, VARIABLE: f"{key},{playground.environ.get(VARIABLE, '')}"}
        activity = Activity({"fixed:1": key_name})
        gate = GateParts.of(playground.vault, playground.settings, environ, policy=playground.policy)
        services = Services.of(playground)
        observing = _observing(services, playground)
        try:
            # Hundreds of routes and their models: the interface is painted meanwhile.
            app = await asyncio.to_thread(build, services, gate=gate.around, observing=observing)
            access = playground.settings.access
            serving = Serving(
                activity.around(app),
                listen(chosen.host, chosen.port),
                shutdown_s=min(chosen.shutdown_s, 3.0),
                head_s=access.head_s,
                head_bytes=access.head_bytes,
            )
        except BaseException:
            await gate.aclose()
            await observing.aclose()
            raise
        return cls(serving, gate, observing, activity, key, asyncio.create_task(serving.run(), name="server"))

    def when_over(self, told: Callable[[BaseException | None], None]) -> None:
        """Calls ``told`` once it no longer answers, with the error that ended it if one did."""

        def over(task: asyncio.Task[None]) -> None:
            told(None if task.cancelled() else task.exception())

        if self._running is not None:
            self._running.add_done_callback(over)

    async def aclose(self) -> None:
        """Takes no new request, lets answers end for a moment, cuts the rest, writes what waits."""
        running, self._running = self._running, None
        if running is not None:
            self.serving.stop()
            await asyncio.gather(running, return_exceptions=True)
            await self.gate.aclose()
            await self.observing.aclose()


async def _has_keys(playground: Playground) -> bool:
    if playground.environ.get(VARIABLE, "").strip(", "):
        return True
    try:
        keys = await playground.vault.api_keys.list()
    except VaultLockedError:
        return False
    now = time.time()
    return any(key.valid_at(now) for key in keys)


def _observing(services: Services, playground: Playground) -> Observing:
    """As the settings say, but a screen is no place for a log."""
    chosen = playground.settings.observability
    if chosen.log_to == "stderr":
        settings = msgspec.structs.replace(
            services.settings, observability=msgspec.structs.replace(chosen, log_to="off")
        )
        services = dataclasses.replace(services, settings=settings)
    return Observing.start(services, playground.folders.logs, needs_vault=False, environ=playground.environ)
