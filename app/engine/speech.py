"""Speech to text: what is asked of a transcription, and what it tells as it goes."""

from __future__ import annotations

from msgspec import Struct

from app.messages import Waiting

SAMPLE_RATE = 16_000
"""Samples a second of the audio that is transcribed: one channel, float32 between -1 and 1."""


class TranscribeOptions(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How to transcribe.

    Attributes:
        language: a code such as ``en``; ``None`` lets the model find out from the beginning.
        translate: into English, instead of writing what was said.
        words: whether to time every word.
        prompt: text that the speech might follow on: names and spellings to expect.
        temperature: 0 to 1; ``None`` begins at 0 and rises where the text makes no sense.
        beams: alternatives that are followed at once; 1 is quickest.
        utterance: the audio is one utterance of 28 seconds at most, which somebody dictates: it comes as one segment,
            and its time grows with its length instead of with the model's window of 30 seconds. ``words``
            and ``temperature`` are left aside.
    """

    language: str | None = None
    translate: bool = False
    words: bool = False
    prompt: str = ""
    temperature: float | None = None
    beams: int = 5
    utterance: bool = False


class Word(Struct, frozen=True, array_like=True):
    """A word, with the blank before it; times in seconds from the beginning of the audio."""

    start: float
    end: float
    text: str
    probability: float


class SpokenLanguage(Struct, frozen=True, tag_field="kind", tag="spoken_language"):
    """The language that is written down; ``probability`` is 1 where the request named it."""

    language: str
    probability: float


class SpeechSegment(Struct, frozen=True, tag_field="kind", tag="speech_segment", omit_defaults=True):
    """A stretch of speech, usually a sentence.

    Attributes:
        start, end: seconds from the beginning of the audio.
        text: what was said, without blanks at its ends.
        words: where they were asked for.
        log_probability: mean over the tokens; below -1 it is probably wrong.
        no_speech: how probable it is that nobody spoke.
    """

    start: float
    end: float
    text: str
    words: tuple[Word, ...] = ()
    log_probability: float = 0.0
    no_speech: float = 0.0


class SpeechProgress(Struct, frozen=True, tag_field="kind", tag="speech_progress"):
    """Seconds of audio that are transcribed, of all; equal at the end."""

    done: float
    total: float


Heard = SpokenLanguage | SpeechSegment | SpeechProgress
"""What a transcription tells: the language once, then segments and progress; a last progress when all is done."""

Transcription = Waiting | Heard
"""The same as others see it: before it, how long the model takes to load."""
