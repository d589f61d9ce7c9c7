"""The server as the interface knows it: off until it is asked for, and imported only then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from app.errors import PlaygroundError

if TYPE_CHECKING:
    from app.playground import Playground
    from app.server.activity import Activity
    from app.server.inside import InsideServer

KEY_NAME = "the key above"
"""Who bears the key that is shown with the lines to paste."""

ServerState = Literal["off", "starting", "on", "stopping"]


class ServerDesk:
    """Switches one server on and off.

    Args:
        changed: told whenever ``state`` changes.

    Attributes:
        state: where it stands.
        error: why it is off although it was switched on; ``None`` when nothing went wrong.
    """

    def __init__(self, playground: Playground, changed: Callable[[], None]) -> None:
        self._playground, self._changed = playground, changed
        self._server: InsideServer | None = None
        self._switching = asyncio.Lock()
        self.state: ServerState = "off"
        self.error: PlaygroundError | None = None

    @property
    def address(self) -> str:
        """Where it answers, or would: ``http://127.0.0.1:8137``."""
        if self._server is not None:
            return self._server.address
        chosen = self._playground.settings.server
        return f"http://[{chosen.host}]:{chosen.port}" if ":" in chosen.host else f"http://{chosen.host}:{chosen.port}"

    @property
    def near_only(self) -> bool:
        """Whether programs on this machine alone can reach it."""
        from app.privacy.connections import is_loopback

        return is_loopback(self._playground.settings.server.host)

    @property
    def key(self) -> str:
        """The key that opens until it is switched off; empty while it is off."""
        return self._server.key if self._server is not None else ""

    @property
    def activity(self) -> Activity | None:
        """What it does and did; ``None`` while it is off."""
        return self._server.activity if self._server is not None else None

    def lines(self, key: str) -> tuple[str, ...]:
        """What a person pastes into a shell, so that programs there ask here, with ``key``."""
        return (
            f"export OPENAI_BASE_URL={self.address}/v1",
            f"export OPENAI_API_KEY={key}",
            f"export ANTHROPIC_BASE_URL={self.address}",
            f"export ANTHROPIC_API_KEY={key}",
        )

    async def switch_on(self) -> None:
        """Begins to answer. What goes wrong is in ``error``."""
        async with self._switching:
            if self.state != "off":
                return
            self.error = None
            self._set("starting")
            try:
                # A web framework: half a second of imports, in which keys are still seen.
                inside = await asyncio.to_thread(_imported)
                self._server = await inside.start(self._playground, key_name=KEY_NAME)
            except PlaygroundError as error:
                self.error = error
                self._set("off")
            except BaseException:
                self._set("off")
                raise
            else:
                self._server.when_over(self._over)
                self._set("on")

    async def switch_off(self) -> None:
        """Takes no new request, and ends those that are under way."""
        async with self._switching:
            server = self._server
            if server is None:
                return
            self._set("stopping")
            try:
                await server.aclose()
            finally:
                self._server = None
                self._set("off")

    async def new_key(self, name: str) -> str:
        """A key that is kept; its text is given this once.

        Raises:
            InvalidRequestError: when the name is empty or taken.
            VaultLockedError: when the vault is locked.
        """
        _kept, text = await self._playground.vault.api_keys.create(name)
        return text

    async def aclose(self) -> None:
        """Switches it off at the end of the program."""
        self._changed = _nobody
        await self.switch_off()

    def _set(self, state: ServerState) -> None:
        self.state = state
        self._changed()

    def _over(self, error: BaseException | None) -> None:
        """It ended by itself."""
        if self.state == "on":
            self.error = PlaygroundError(f"The server ended: {error or 'without an error'}.", "Switch it on again.")
            self._server = None
            self._set("off")


def _imported() -> type[InsideServer]:
    from app.server.inside import InsideServer

    return InsideServer


def _nobody() -> None:
    """There is nobody to tell any more."""
