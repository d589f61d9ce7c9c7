"""Recordings: files of any common form as the samples that a transcription takes."""

from __future__ import annotations

import asyncio
import os
import stat
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app.errors import RecordingError

from .children import end
from .decoder import DAMAGED, LENGTH, NO_SOUND

_COMMAND = (sys.executable, "-m", "app.voice.decoder")
_READ_BYTES = 256 * 1024
_FORMS = "Common forms can be read: wav, flac, mp3, ogg, opus, m4a, webm and the sound of films."


class Recording:
    """A recording that is being decoded.

    Attributes:
        name: what to call it.
        seconds: its length as it tells it; 0 where it does not.
        damaged: whether it could not be read to its end; known when its samples are.
    """

    def __init__(self, name: str, seconds: float, child: asyncio.subprocess.Process) -> None:
        self.name, self.seconds, self.damaged = name, seconds, False
        self._child = child

    async def samples(self) -> AsyncGenerator[bytes, None]:
        """Float32 samples, 16 kHz, one channel, in pieces; decoded no faster than they are taken.

        Raises:
            RecordingError: when it cannot be decoded.
        """
        assert self._child.stdout is not None
        while chunk := await self._child.stdout.read(_READ_BYTES):
            yield chunk
        status = await self._child.wait()
        if status == DAMAGED:
            self.damaged = True
        elif status:
            raise _unreadable(self.name, status)


@asynccontextmanager
async def open_recording(path: Path | None) -> AsyncIterator[Recording]:
    """Opens a recording; None is standard input. Leaving the block ends the decoding.

    Raises:
        RecordingError: when there is no such file, it cannot be read, or it is no recording.
    """
    name = str(path) if path is not None else "Standard input"
    file = _opened(path)
    try:
        child = await asyncio.create_subprocess_exec(
            *_COMMAND, stdin=file, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
    finally:
        if path is not None:
            os.close(file)
    try:
        assert child.stdout is not None
        try:
            (seconds,) = LENGTH.unpack(await child.stdout.readexactly(LENGTH.size))
        except asyncio.IncompleteReadError as error:
            raise _unreadable(name, await child.wait()) from error
        yield Recording(name, max(0.0, float(seconds)), child)
    finally:
        await end(child)


def _opened(path: Path | None) -> int:
    if path is None:
        return 0
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a named pipe would wait for a writer
    except OSError as error:
        raise RecordingError(f"{path} cannot be opened: {error.strerror}.", "Check the name and its rights.") from error
    kind = os.fstat(file).st_mode
    if not stat.S_ISREG(kind):
        os.close(file)
        what = "a folder" if stat.S_ISDIR(kind) else "no ordinary file"
        raise RecordingError(f"{path} is {what}; expected a recording.", _FORMS)
    return file


def _unreadable(name: str, status: int) -> RecordingError:
    if status == NO_SOUND:
        return RecordingError(f"{name} holds no sound.", _FORMS)
    return RecordingError(f"{name} is no recording that can be decoded.", _FORMS)
