"""Transcriptions as subtitles: SubRip (SRT) and WebVTT (https://www.w3.org/TR/webvtt1/)."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from app.engine.speech import SpeechSegment

_LINE = 42
"""Characters a line, as subtitles usually have."""


def srt(segments: Iterable[SpeechSegment]) -> str:
    """SubRip: numbered, with commas before the milliseconds."""
    return "".join(
        f"{number}\n{clock(segment.start, ',')} --> {clock(segment.end, ',')}\n{_lines(segment.text)}\n\n"
        for number, segment in enumerate(_said(segments), 1)
    )


def vtt(segments: Iterable[SpeechSegment]) -> str:
    """WebVTT, with what its markup would take for its own written out."""
    return "WEBVTT\n\n" + "".join(
        f"{clock(segment.start)} --> {clock(segment.end)}\n{_lines(_escaped(segment.text))}\n\n"
        for segment in _said(segments)
    )


def clock(seconds: float, point: str = ".") -> str:
    """Hours, minutes, seconds and milliseconds: ``00:01:02.345``."""
    milliseconds = round(max(0.0, seconds) * 1000)
    hours, rest = divmod(milliseconds, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02}{point}{rest % 1000:03}"


def _said(segments: Iterable[SpeechSegment]) -> Iterable[SpeechSegment]:
    return (segment for segment in segments if segment.text.strip())


def _lines(text: str) -> str:
    return "\n".join(textwrap.wrap(text.replace("-->", "->"), _LINE))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("-->", "->").replace("<", "&lt;").replace(">", "&gt;")
