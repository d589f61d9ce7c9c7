"""A recording that a model elsewhere writes down: cut into pieces that it takes, between words where that can be."""

from __future__ import annotations

import asyncio
import sys
from array import array
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TYPE_CHECKING

import msgspec

from app.engine.speech import SAMPLE_RATE, Heard, SpeechProgress, SpeechSegment, SpokenLanguage, TranscribeOptions

if TYPE_CHECKING:
    from app.routing.transcribing import RemoteTranscription

_FLOAT_BYTES = 4
_LOOKED_THROUGH_SECONDS = 20
_QUIET_SECONDS = 0.2


async def transcribed_elsewhere(
    remote: RemoteTranscription,
    samples: AsyncIterator[bytes],
    options: TranscribeOptions,
    *,
    seconds: float,
    timed: bool,
    piece_s: int,
) -> AsyncGenerator[Heard, None]:
    """What a transcription on this machine would tell; a piece that is told without times is one segment.

    Args:
        remote: sends the pieces, one after the other.
        samples: float32, 16 kHz, one channel.
        options: see ``RemoteTranscription.transcribe``.
        seconds: the length of the recording, where it is known.
        timed: whether to ask when each sentence was said.
        piece_s: the longest piece, in seconds.

    Raises:
        PlaygroundError: see ``RemoteTranscription.transcribe``.
    """
    most = piece_s * SAMPLE_RATE
    waiting = array("h")
    done = 0.0
    language = ""
    ended = False
    pieces = _as_int16(samples)
    while not ended:
        while len(waiting) <= most and not ended:
            piece = await anext(pieces, None)
            ended = piece is None
            waiting.extend(piece or ())
        while waiting and (ended or len(waiting) > most):
            cut = len(waiting) if len(waiting) <= most else await asyncio.to_thread(_quiet_place, waiting[:most])
            length = cut / SAMPLE_RATE
            found = await remote.transcribe(_little_endian(waiting[:cut]), options, timed=timed)
            del waiting[:cut]
            if found.language and not language:
                language = found.language
                yield SpokenLanguage(language, 1.0)
            told = found.segments or ((SpeechSegment(0.0, length, found.text),) if found.text else ())
            for segment in told:
                yield msgspec.structs.replace(segment, start=segment.start + done, end=segment.end + done)
            done += length
            yield SpeechProgress(done, max(seconds, done))


async def _as_int16(samples: AsyncIterator[bytes]) -> AsyncGenerator[array[int], None]:
    """Float32 samples as int16, piece by piece; a piece may end inside a sample."""
    left = b""
    async for chunk in samples:
        chunk = left + chunk
        whole = len(chunk) // _FLOAT_BYTES * _FLOAT_BYTES
        left = chunk[whole:]
        yield await asyncio.to_thread(_converted, chunk[:whole])


def _converted(chunk: bytes) -> array[int]:
    return array("h", [int(max(-1.0, min(1.0, sample)) * 32767) for sample in array("f", chunk)])


def _quiet_place(samples: array[int]) -> int:
    """Where, towards the end, it is quietest: a word is seldom there."""
    step = round(_QUIET_SECONDS * SAMPLE_RATE)
    begin = len(samples) - min(len(samples) // 2, _LOOKED_THROUGH_SECONDS * SAMPLE_RATE)
    starts = range(begin, len(samples) - step + 1, step)
    quietest = min(starts, key=lambda start: sum(map(abs, samples[start : start + step])), default=len(samples))
    return min(len(samples), quietest + step // 2)


def _little_endian(samples: array[int]) -> bytes:
    if sys.byteorder == "big":
        samples.byteswap()
    return samples.tobytes()
