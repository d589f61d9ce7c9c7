"""The microphone: which there are, and what one of them hears, as blocks of samples."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from msgspec import Struct

from app.errors import (
    MicrophoneBusyError,
    MicrophoneError,
    MicrophoneLostError,
    NoMicrophoneError,
    PlaygroundError,
    PortAudioMissingError,
)

from .capture_frames import AUDIO, DEVICES, FAULT, HEADER_BYTES, STARTED, head
from .children import end

CAPTURE_COMMAND = (sys.executable, "-m", "app.voice.capture")

_START_SECONDS = 10.0
_SILENT_SECONDS = 2.0
"""Without a block for so long the microphone is gone: a quiet room has blocks too."""


class InputDevice(Struct, frozen=True):
    """A microphone, or what the system offers as one; ``default`` is the one that it would take by itself."""

    name: str
    channels: int
    default: bool = False


class Sound:
    """A microphone that is open.

    Attributes:
        device: its name.
    """

    def __init__(self, device: str, blocks: AsyncGenerator[bytes, None]) -> None:
        self.device = device
        self._blocks = blocks

    def __aiter__(self) -> AsyncGenerator[bytes, None]:
        """Blocks of about 20 ms: int16 samples, little-endian, 16,000 a second, one channel. They do not end.

        Raises:
            MicrophoneLostError: when the microphone is unplugged, or says nothing for two seconds.
        """
        return self._blocks


class Microphone:
    """Listens to one of the machine's microphones, in a process of its own. Nothing is written to disk.

    Args:
        device: its name or a part of it; empty takes what the system prefers.
        command: the capturing program.
        silent_s: seconds without a block after which the microphone is taken for gone.
    """

    def __init__(
        self, device: str = "", *, command: Sequence[str] = CAPTURE_COMMAND, silent_s: float = _SILENT_SECONDS
    ) -> None:
        self.device = device
        self._command, self._silent = tuple(command), silent_s

    async def devices(self) -> tuple[InputDevice, ...]:
        """The microphones that there are now, in the system's order; none where there are none.

        Raises:
            PortAudioMissingError: when the library for sound is not installed.
            MicrophoneError: when the system's sound does not answer.
        """
        async with self._capturing("--list") as child:
            kind, body = await self._first(child)
            if kind != DEVICES:
                raise MicrophoneError("The list of microphones could not be read.")
            return tuple(InputDevice(**device) for device in json.loads(body))

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Sound]:
        """Listens until the block is left.

        Raises:
            PortAudioMissingError: when the library for sound is not installed.
            NoMicrophoneError: when there is none, or none of that name.
            MicrophoneBusyError: when another program has it.
            MicrophoneError: when the system refuses it.
        """
        async with self._capturing("--device", self.device) as child:
            kind, body = await self._first(child)
            if kind != STARTED:
                raise MicrophoneError("The microphone did not begin as expected.")
            name = str(json.loads(body)["name"])
            blocks = self._blocks(child, name)
            try:
                yield Sound(name, blocks)
            finally:
                await blocks.aclose()

    async def _first(self, child: asyncio.subprocess.Process) -> tuple[int, bytes]:
        try:
            async with asyncio.timeout(_START_SECONDS):
                return await self._read(child)
        except TimeoutError as error:
            raise MicrophoneBusyError(
                f"The system's sound did not answer within {_START_SECONDS:g} seconds.",
                "End other programs that record, or restart the sound server, then try again.",
            ) from error
        except (EOFError, ValueError) as error:
            await end(child)  # what it says is no message of ours, and it might go on
            raise MicrophoneError(
                f"The program that listens ended with status {child.returncode} before it heard anything.",
                "Try again, or choose another microphone in the setting voice.device.",
            ) from error

    async def _blocks(self, child: asyncio.subprocess.Process, name: str) -> AsyncGenerator[bytes, None]:
        while True:
            try:
                async with asyncio.timeout(self._silent):
                    kind, body = await self._read(child)
            except (TimeoutError, EOFError, ValueError) as error:
                raise _lost(name) from error
            if kind == AUDIO:
                yield body

    async def _read(self, child: asyncio.subprocess.Process) -> tuple[int, bytes]:
        """The next message.

        Raises:
            PlaygroundError: the fault that it tells of.
            EOFError, ValueError: when the process ended, or says something else.
        """
        assert child.stdout is not None
        kind, length = head(await child.stdout.readexactly(HEADER_BYTES))
        body = await child.stdout.readexactly(length)
        if kind == FAULT:
            raise self._fault(json.loads(body))
        return kind, body

    def _fault(self, told: dict[str, Any]) -> PlaygroundError:
        detail = str(told.get("detail", ""))[:500]
        wanted = f"the microphone {self.device!r}" if self.device else "the microphone"
        match told.get("fault"):
            case "no_portaudio":
                return PortAudioMissingError(
                    "PortAudio, the library that reaches microphones, is not installed.",
                    "Debian: apt install libportaudio2. Fedora: dnf install portaudio. macOS: brew install portaudio.",
                )
            case "no_microphone":
                return NoMicrophoneError(
                    "The system knows no microphone.",
                    "Plug one in, or switch it on in the sound settings; over SSH it must be at the far machine.",
                )
            case "unknown_device":
                return NoMicrophoneError(
                    f"There is no microphone {self.device!r}; there is {detail}.",
                    "Name one of these in the setting voice.device, or empty it to take the system's own choice.",
                )
            case "busy":
                return MicrophoneBusyError(
                    f"{wanted[0].upper()}{wanted[1:]} is in use or cannot be had just now ({detail}).",
                    "End the program that records with it, allow it in the system's settings, or choose another.",
                )
            case "lost":
                return _lost(self.device)
            case _:
                return MicrophoneError(
                    f"The system refused {wanted}: {detail}.", "Choose another in the setting voice.device."
                )

    @asynccontextmanager
    async def _capturing(self, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
        child = await asyncio.create_subprocess_exec(
            *self._command,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield child
        finally:
            await end(child)


def _lost(name: str) -> MicrophoneLostError:
    shown = f"The microphone {name!r}" if name else "The microphone"
    return MicrophoneLostError(
        f"{shown} does not answer any more: it was unplugged, or the system's sound ended.",
        "What was said before is kept. Plug it in again, or choose another, and begin anew.",
    )
