"""``POST /v1/audio/transcriptions`` and ``/v1/audio/translations``."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Request
from msgspec import UNSET, Struct, UnsetType, field
from starlette.responses import PlainTextResponse, Response

from app.engine.speech import SAMPLE_RATE, SpeechSegment, SpokenLanguage, TranscribeOptions, Word
from app.server.models import resolve
from app.server.observing.exchange import exchange_of
from app.server.services import Services
from app.server.streaming import EventStream, while_connected

from . import errors
from .errors import RefusedError
from .recordings import RecordingForm, decoded, heard_by, read_form
from .replies import encode

_FORMS = ("json", "text", "srt", "verbose_json", "vtt")
_GRANULARITIES = ("word", "segment")
_KNOWN = frozenset(
    ("model", "language", "prompt", "response_format", "temperature", "timestamp_granularities[]", "stream",
     "timestamp_granularities", "chunking_strategy", "include[]", "include")
)  # fmt: skip
_PROPERTIES: dict[str, Any] = {
    "file": {"type": "string", "format": "binary"},
    "model": {"type": "string"},
    "language": {"type": "string"},
    "prompt": {"type": "string"},
    "response_format": {"type": "string", "enum": list(_FORMS)},
    "temperature": {"type": "number", "minimum": 0, "maximum": 1},
    "timestamp_granularities[]": {"type": "array", "items": {"type": "string", "enum": list(_GRANULARITIES)}},
    "stream": {"type": "boolean"},
}
_DESCRIBED = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {"type": "object", "required": ["file", "model"], "properties": _PROPERTIES}
            }
        },
    }
}


class SegmentReply(Struct):
    """A stretch of speech; ``tokens``, ``seek`` and ``compression_ratio`` are there for clients that expect them."""

    id: int
    start: float
    end: float
    text: str
    avg_logprob: float
    no_speech_prob: float
    temperature: float
    seek: int = 0
    tokens: list[int] = field(default_factory=list)
    compression_ratio: float = 1.0


class WordReply(Struct):
    """A word and when it was said."""

    word: str
    start: float
    end: float


class VerboseReply(Struct):
    """A transcription with its times."""

    task: str
    language: str
    duration: float
    text: str
    segments: list[SegmentReply] | UnsetType = UNSET
    words: list[WordReply] | UnsetType = UNSET


class TextReply(Struct):
    """A transcription."""

    text: str


class DeltaEvent(Struct):
    """More of a streamed transcription."""

    delta: str
    type: str = "transcript.text.delta"


class DoneEvent(Struct):
    """The whole of it."""

    text: str
    type: str = "transcript.text.done"


def routes(services: Services) -> APIRouter:
    """The routes, answering from ``services``."""
    router = APIRouter(tags=["OpenAI"])

    async def transcribed(request: Request, *, translate: bool) -> Response:
        form = await read_form(request, services.settings.server.max_audio_bytes)
        shape, options = _options(form, translate=translate)
        name = form.one("model")
        if name is None:
            raise RefusedError("Missing required parameter: 'model'.", "model", "missing_required_parameter")
        model = await resolve(services, name, "transcribe")
        elsewhere = services.transcription(model)
        if elsewhere is not None:
            if options.words:
                raise RefusedError(
                    "Unsupported value: 'timestamp_granularities' cannot hold 'word' with this model.",
                    "timestamp_granularities",
                    "unsupported_value",
                )
            elsewhere.require()  # before the recording is decoded
        exchange = exchange_of(request.scope)
        if exchange is not None:
            exchange.asked(model)
            exchange.answerer.answers(model, elsewhere.places if elsewhere is not None else "local")
        if (form.one("stream") or "false").lower() in ("true", "1"):
            events = _events(services, model, form, options)
            return EventStream(events, failed=errors.event, refused=errors.answer)
        return await while_connected(request, _whole(services, model, form, shape, options))

    @router.post("/v1/audio/transcriptions", response_class=Response, openapi_extra=_DESCRIBED)
    async def transcriptions(request: Request) -> Response:
        """Writes down speech."""
        return await transcribed(request, translate=False)

    @router.post("/v1/audio/translations", response_class=Response, openapi_extra=_DESCRIBED)
    async def translations(request: Request) -> Response:
        """Writes down speech, in English."""
        return await transcribed(request, translate=True)

    return router


def _options(form: RecordingForm, *, translate: bool) -> tuple[str, TranscribeOptions]:
    for name in form.fields:
        if name not in _KNOWN:
            shown = "".join(character for character in name[:64] if character.isprintable())
            raise RefusedError(f"Unknown parameter: '{shown}'.", shown, "unknown_parameter")
    shape = form.one("response_format") or "json"
    if shape not in _FORMS:
        raise RefusedError(
            f"Invalid value for 'response_format': expected one of {', '.join(_FORMS)}.",
            "response_format",
            "invalid_value",
        )
    if form.one("include[]") or form.one("include"):
        raise RefusedError("Unsupported parameter: 'include' is not supported with this model.", "include")
    grained = form.fields.get("timestamp_granularities[]") or form.fields.get("timestamp_granularities") or []
    if any(grain not in _GRANULARITIES for grain in grained):
        raise RefusedError(
            "Invalid value for 'timestamp_granularities': expected 'word' or 'segment'.",
            "timestamp_granularities",
            "invalid_value",
        )
    return shape, TranscribeOptions(
        language=form.one("language"),
        translate=translate,
        words="word" in grained,
        prompt=form.one("prompt") or "",
        temperature=_temperature(form.one("temperature")),
    )


def _temperature(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise RefusedError("Invalid value for 'temperature': expected 0 to 1.", "temperature", "invalid_value")
    # 0 is OpenAI's word for: begin there, and rise where the text makes no sense.
    return value or None


async def _whole(
    services: Services, model: str, form: RecordingForm, shape: str, options: TranscribeOptions
) -> Response:
    pcm = await decoded(form.recording)
    language = options.language or ""
    segments: list[SpeechSegment] = []
    timed = shape not in ("json", "text")
    async with aclosing(heard_by(services, model, pcm, options, timed=timed)) as heard:
        async for event in heard:
            if isinstance(event, SpeechSegment):
                segments.append(event)
            elif isinstance(event, SpokenLanguage):
                language = event.language
    text = " ".join(segment.text for segment in segments)
    match shape:
        case "text":
            return PlainTextResponse(text + "\n")
        case "srt":
            return PlainTextResponse(_subtitles(segments, ","))
        case "vtt":
            return PlainTextResponse("WEBVTT\n\n" + _subtitles(segments, "."))
        case "verbose_json":
            task = "translate" if options.translate else "transcribe"
            duration = len(pcm) / 4 / SAMPLE_RATE
            reply = VerboseReply(task, language, duration, text, _segments(segments, options))
            if options.words:
                reply.words = [_word(word) for segment in segments for word in segment.words]
            return Response(encode(reply), media_type="application/json")
        case _:
            return Response(encode(TextReply(text)), media_type="application/json")


async def _events(
    services: Services, model: str, form: RecordingForm, options: TranscribeOptions
) -> AsyncGenerator[bytes, None]:
    pcm = await decoded(form.recording)
    texts: list[str] = []
    async with aclosing(heard_by(services, model, pcm, options, timed=False)) as heard:
        async for event in heard:
            if isinstance(event, SpeechSegment):
                delta = f" {event.text}" if texts else event.text
                texts.append(event.text)
                yield b"data: " + encode(DeltaEvent(delta)) + b"\n\n"
    yield b"data: " + encode(DoneEvent(" ".join(texts))) + b"\n\n"


def _segments(segments: list[SpeechSegment], options: TranscribeOptions) -> list[SegmentReply]:
    return [
        SegmentReply(
            number,
            segment.start,
            segment.end,
            segment.text,
            segment.log_probability,
            segment.no_speech,
            options.temperature or 0.0,
        )
        for number, segment in enumerate(segments)
    ]


def _word(word: Word) -> WordReply:
    return WordReply(word.text.strip(), word.start, word.end)


def _subtitles(segments: list[SpeechSegment], point: str) -> str:
    blocks = []
    for number, segment in enumerate(segments, 1):
        head = f"{number}\n" if point == "," else ""
        text = segment.text.replace("-->", "->")
        blocks.append(f"{head}{_clock(segment.start, point)} --> {_clock(segment.end, point)}\n{text}\n\n")
    return "".join(blocks)


def _clock(seconds: float, point: str) -> str:
    milliseconds = round(seconds * 1000)
    hours, rest = divmod(milliseconds, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02}{point}{rest % 1000:03}"
