"""Recordings to be written down, in OpenAI's words: ``POST /audio/transcriptions``, a form with a file.

https://platform.openai.com/docs/api-reference/audio/createTranscription
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from app.backends.passing import decoded
from app.engine.speech import SAMPLE_RATE, SpeechSegment, TranscribeOptions
from app.errors import StreamBrokenError

MOST_SECONDS = 600
"""Of a recording in one request: 19 MB, where 25 is the most that is taken."""

_SAMPLE_BYTES = 2


class Form(Struct, frozen=True):
    """A request's body, and what says how it is written."""

    path: str
    content_type: str
    body: bytes


class Transcript(Struct, frozen=True):
    """What was said. ``segments`` are there where the times were asked for, and told."""

    text: str
    language: str = ""
    segments: tuple[SpeechSegment, ...] = ()


def form(samples: bytes, model: str, options: TranscribeOptions, *, timed: bool = False) -> Form:
    """The request for int16 samples, 16 kHz, one channel; ``timed`` asks when each sentence was said."""
    fields = {"model": model, "response_format": "verbose_json" if timed else "json"}
    if options.language and not options.translate:
        fields["language"] = options.language
    if options.prompt:
        fields["prompt"] = options.prompt
    if options.temperature is not None:
        fields["temperature"] = f"{options.temperature:g}"
    path = "/audio/translations" if options.translate else "/audio/transcriptions"
    boundary = f"form-{secrets.token_hex(16)}"
    return Form(path, f"multipart/form-data; boundary={boundary}", _written(fields, wav(samples), boundary))


def transcript(body: bytes, endpoint: str) -> Transcript:
    """What an answer says.

    Raises:
        StreamBrokenError: it is no answer of this kind.
    """
    told = decoded(body, endpoint)
    text, language, segments = told.get("text"), told.get("language"), told.get("segments")
    if not isinstance(text, str):
        raise StreamBrokenError(
            f"{endpoint} answered without the text of the recording.", "Ask a model that transcribes."
        )
    found = [_segment(each) for each in segments] if isinstance(segments, list) else []
    return Transcript(
        text.strip(),
        language if isinstance(language, str) else "",
        tuple(segment for segment in found if segment is not None),
    )


def wav(samples: bytes) -> bytes:
    """Int16 samples as a WAV file, in memory (https://www.mmsp.ece.mcgill.ca/Documents/AudioFormats/WAVE/WAVE.html)."""

    def number(value: int, length: int = 4) -> bytes:
        return value.to_bytes(length, "little")

    pcm, channels = 1, 1
    layout = b"".join(
        (
            number(pcm, 2),
            number(channels, 2),
            number(SAMPLE_RATE),
            number(SAMPLE_RATE * _SAMPLE_BYTES),
            number(_SAMPLE_BYTES, 2),
            number(8 * _SAMPLE_BYTES, 2),
        )
    )
    parts = b"WAVEfmt " + number(len(layout)) + layout + b"data" + number(len(samples)) + samples
    return b"RIFF" + number(len(parts)) + parts


def _written(fields: Mapping[str, str], file: bytes, boundary: str) -> bytes:
    """The fields, then the file (RFC 7578). A value may hold anything but the boundary, which nobody can guess."""
    pieces = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = 'Content-Disposition: form-data; name="file"; filename="speech.wav"\r\nContent-Type: audio/wav'
    return b"".join((*pieces, f"--{boundary}\r\n{head}\r\n\r\n".encode(), file, f"\r\n--{boundary}--\r\n".encode()))


def _segment(told: Any) -> SpeechSegment | None:
    """A sentence with its times; None where it is told in another way."""
    if not isinstance(told, dict):
        return None
    start, end, text = told.get("start"), told.get("end"), told.get("text")
    if not (isinstance(start, int | float) and isinstance(end, int | float) and isinstance(text, str) and text.strip()):
        return None
    probability, nobody = told.get("avg_logprob"), told.get("no_speech_prob")
    return SpeechSegment(
        float(start),
        float(max(start, end)),
        text.strip(),
        log_probability=float(probability) if isinstance(probability, int | float) else 0.0,
        no_speech=float(nobody) if isinstance(nobody, int | float) else 0.0,
    )
