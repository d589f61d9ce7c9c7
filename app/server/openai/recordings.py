"""Recordings that come as forms: read in memory, decoded in a process of their own."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from app.engine.speech import SAMPLE_RATE, TranscribeOptions, Transcription
from app.server.services import Services
from app.voice.decoder import TOO_LONG

from .errors import RefusedError

_MOST_FIELDS = 32
_DECODE_SECONDS = 180
_MOST_SECONDS = 2 * 3600
_CPU_SECONDS = 120
_FLOAT_BYTES = 4
_SLICE_BYTES = 10 * SAMPLE_RATE * _FLOAT_BYTES
_LIMITS = ("--bare", "--most-seconds", str(_MOST_SECONDS), "--cpu-seconds", str(_CPU_SECONDS))
_COMMAND = (sys.executable, "-m", "app.voice.decoder", *_LIMITS)


class _InMemory(MultiPartParser):
    """Never writes what somebody said to a disk, not even for a moment."""

    spool_max_size = 1 << 40


@dataclass(frozen=True)
class RecordingForm:
    """A form with a recording: its bytes, and the other fields."""

    recording: bytes
    fields: dict[str, list[str]]

    def one(self, name: str) -> str | None:
        """A field's last value; None where it is missing or empty."""
        return (self.fields.get(name) or [""])[-1] or None


async def read_form(request: Request, most_bytes: int) -> RecordingForm:
    """The form in a request's body.

    Raises:
        RefusedError: when it is no form, has no recording, or too large a one.
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise RefusedError("The body of the request must be multipart/form-data.")
    parser = _InMemory(request.headers, request.stream(), max_files=1, max_fields=_MOST_FIELDS)
    try:
        form = await parser.parse()
    except (MultiPartException, ValueError, KeyError) as error:
        raise RefusedError("We could not parse the form in the body of your request.") from error
    try:
        found = form.get("file")
        if not isinstance(found, UploadFile):
            raise RefusedError("Missing required parameter: 'file'.", "file", "missing_required_parameter")
        if (found.size or 0) > most_bytes:
            raise RefusedError(f"The file is larger than {most_bytes} bytes.", "file", "request_too_large", status=413)
        fields: dict[str, list[str]] = {}
        for name, value in form.multi_items():
            if isinstance(value, str):
                fields.setdefault(name, []).append(value)
        return RecordingForm(await found.read(), fields)
    finally:
        await form.close()


async def heard_by(
    services: Services, model: str, pcm: bytes, options: TranscribeOptions, *, timed: bool
) -> AsyncGenerator[Transcription, None]:
    """What ``model`` hears, here or elsewhere.

    Args:
        services: they have the model.
        model: of those that transcribe.
        pcm: float32 samples, 16 kHz, one channel.
        options: as they were asked.
        timed: whether it matters when each sentence was said.

    Raises:
        PlaygroundError: as the engine does, or ``RemoteTranscription.transcribe``.
    """
    remote = services.transcription(model)
    if remote is None:
        events: AsyncGenerator[Transcription, None] = services.pool.transcribe(model, pcm, options)
    else:
        from app.backends.openai.transcribing import MOST_SECONDS
        from app.voice.remote_recordings import transcribed_elsewhere

        seconds = len(pcm) / _FLOAT_BYTES / SAMPLE_RATE
        events = transcribed_elsewhere(
            remote, _in_slices(pcm), options, seconds=seconds, timed=timed, piece_s=MOST_SECONDS
        )
    async with aclosing(events):
        async for event in events:
            yield event


async def _in_slices(pcm: bytes) -> AsyncGenerator[bytes, None]:
    """Two hours at once would hold up every other answer while they are looked at."""
    for begin in range(0, len(pcm), _SLICE_BYTES):
        yield pcm[begin : begin + _SLICE_BYTES]
        await asyncio.sleep(0)


async def decoded(recording: bytes) -> bytes:
    """Float32 samples, 16 kHz, one channel. Cancelling ends the work.

    Raises:
        RefusedError: when it is no recording that can be decoded.
    """
    child = await asyncio.create_subprocess_exec(
        *_COMMAND,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(_DECODE_SECONDS):
            pcm, _nothing = await child.communicate(recording)
    except TimeoutError as error:
        raise RefusedError("The audio file takes too long to decode.", "file", "invalid_value") from error
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode == TOO_LONG:
        raise RefusedError("The audio file is longer than two hours.", "file", "invalid_value")
    if child.returncode != 0:
        raise RefusedError("The audio file could not be decoded or its format is not supported.", "file")
    return pcm
