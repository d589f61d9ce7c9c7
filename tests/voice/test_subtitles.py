"""Subtitles: what players read."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from app.engine.speech import SpeechSegment
from app.voice.subtitles import clock, srt, vtt

SEGMENTS = [
    SpeechSegment(0.0, 2.5, "Hello <there> & all."),
    SpeechSegment(2.5, 3.0, "  "),
    SpeechSegment(3661.0004, 3662.9996, "An arrow --> and words that go on for so long that a line cannot hold them."),
]


def test_srt() -> None:
    assert srt(SEGMENTS) == (
        "1\n00:00:00,000 --> 00:00:02,500\nHello <there> & all.\n\n"
        "2\n01:01:01,000 --> 01:01:03,000\nAn arrow -> and words that go on for so\n"
        "long that a line cannot hold them.\n\n"
    )


def test_vtt() -> None:
    assert vtt(SEGMENTS).startswith(
        "WEBVTT\n\n00:00:00.000 --> 00:00:02.500\nHello &lt;there&gt; &amp; all.\n\n01:01:01.000 --> 01:01:03.000\n"
    )


@given(st.text(), st.floats(0, 1e5), st.floats(0, 100))
def test_no_text_breaks_out_of_its_cue(text: str, start: float, length: float) -> None:
    segments = [SpeechSegment(start, start + length, text)]
    for made in (srt(segments), vtt(segments)):
        assert made.count("-->") == (1 if text.strip() else 0)
        assert "\n\n\n" not in made


@given(st.floats(0, 3e5))
def test_times_are_whole_milliseconds(seconds: float) -> None:
    found = re.fullmatch(r"(\d+):([0-5]\d):([0-5]\d)\.(\d{3})", clock(seconds))
    assert found
    hours, minutes, rest, milliseconds = map(int, found.groups())
    assert abs(hours * 3600 + minutes * 60 + rest + milliseconds / 1000 - seconds) <= 0.00051
