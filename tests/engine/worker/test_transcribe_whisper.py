"""Recordings that are longer than what is worked on at once."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from app.engine.speech import SpeechProgress, SpeechSegment, SpokenLanguage, TranscribeOptions
from app.engine.worker import transcribe_whisper
from app.engine.worker.transcribe_whisper import SpeechModel
from tests.engine.speech import say, silence
from tests.engine.test_transcription import STORY, alike

TALE = (
    "In the morning the market opened early. A young woman sold apples, pears and three kinds of cheese. "
    "At noon the rain began, and everybody ran into the church. Nobody bought another apple on that day."
)


def test_a_long_recording_is_heard_in_stretches_without_a_seam(
    speech_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transcribe_whisper, "_STRETCH_SECONDS", 30)
    pcm = say(STORY, "en-us") + silence(7) + say(TALE, "en-us") + silence(25)
    samples = np.frombuffer(pcm, np.float32)
    options = TranscribeOptions(language="en", temperature=0.0)
    events = list(SpeechModel(speech_model, 0).hear(samples, options))
    assert isinstance(events[0], SpokenLanguage)
    assert sum(isinstance(event, SpokenLanguage) for event in events) == 1
    segments = [event for event in events if isinstance(event, SpeechSegment)]
    assert alike(" ".join(segment.text for segment in segments), f"{STORY} {TALE}") > 0.9
    for one, two in pairwise(segments):
        assert one.start <= one.end <= two.start + 0.01
    progress = [event for event in events if isinstance(event, SpeechProgress)]
    assert all(one.done <= two.done for one, two in pairwise(progress))
    assert progress[-1].done == progress[-1].total == round(len(samples) / 16_000, 3)
