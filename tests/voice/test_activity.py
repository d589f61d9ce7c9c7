"""Voice activity: speech among silence and noise, cut into utterances that lose no syllable."""

from __future__ import annotations

import numpy as np
import pytest

from app.voice.activity import FRAME_BYTES, loudness, to_float
from app.voice.resampling import Resampler
from app.voice.utterances import Utterance, UtteranceCutter
from tests.engine.speech import noise, say, silence
from tests.voice.virtual_microphone import speech_only

RATE = 16_000


def whole(pcm: bytes, loud: float = 0.0) -> bytes:
    """As a microphone gives it: int16, with noise of so much of full scale."""
    samples = np.frombuffer(pcm, np.float32)
    samples = samples + np.random.default_rng(3).standard_normal(len(samples)) * loud
    found: bytes = (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
    return found


def cut(samples: bytes, **options: float) -> list[tuple[float, Utterance]]:
    """The utterances, and when each was known."""
    cutter = UtteranceCutter(**options)
    found = []
    for start in range(0, len(samples) - FRAME_BYTES + 1, FRAME_BYTES):
        begun = cutter.feed(samples[start : start + FRAME_BYTES])
        if begun is not None:
            found.append((start / 2 / RATE, begun))
    cutter.end()
    return found


@pytest.mark.parametrize("loud", [0.0, 0.003, 0.01, 0.03])
@pytest.mark.parametrize("voice", ["en-us", "en-gb"])
def test_speech_is_found_in_silence_and_in_noise(voice: str, loud: float) -> None:
    speech = [speech_only(say(text, voice)) for text in ("Please send the report.", "She opened the window.")]
    samples = whole(silence(2) + speech[0] + silence(1.5) + speech[1] + silence(2), loud)
    found = cut(samples)
    assert len(found) == 2
    begins = [2.0, 3.5 + len(speech[0]) / 4 / RATE]
    for (known, utterance), begin, said in zip(found, begins, speech, strict=True):
        assert 0 <= known - begin < 0.3
        length = len(said) / 4 / RATE
        # Everything that was said is in it: it begins before the speech and ends after it.
        assert utterance.seconds >= length + 0.25
        assert utterance.pause_seconds == pytest.approx(0.6, abs=0.05)
        assert utterance.ended


def test_the_first_syllable_is_kept() -> None:
    speech = speech_only(say("Please send the report.", "en-us"))
    (_known, utterance), *rest = cut(whole(silence(1) + speech + silence(1)))
    assert not rest
    there = whole(speech)
    assert there[:4000] in bytes(utterance.samples)


@pytest.mark.parametrize(
    "sound", [silence(4), noise(4, 0.001), noise(4, 0.02), b"".join([noise(0.01), silence(1)] * 4)]
)
def test_silence_noise_and_clicks_are_no_speech(sound: bytes) -> None:
    assert cut(whole(sound)) == []


def test_loud_steady_noise_becomes_the_room_and_speech_is_still_ended() -> None:
    speech = speech_only(say("Please send the report to everyone before noon on Friday.", "en-us"))
    found = cut(whole(silence(1) + speech + silence(8), 0.05))
    assert sum(utterance.seconds for _known, utterance in found) < len(speech) / 4 / RATE + 5


def test_long_speech_is_cut_at_a_pause_and_at_the_latest_at_its_greatest_length() -> None:
    sentence = speech_only(say("Most of the work is done by a small group.", "en-us"))
    found = cut(whole(silence(1) + (sentence + silence(0.3)) * 12 + silence(1)))
    assert len(found) > 1
    assert all(14 <= utterance.seconds < 20 for _known, utterance in found[:-1])
    endless = cut(whole(silence(1) + sentence * 30))
    assert max(utterance.seconds for _known, utterance in endless) <= 24.1


def test_loudness_is_of_full_scale() -> None:
    assert loudness(bytes(640)) == 0
    square = np.full(320, -32768, "<i2").tobytes()
    assert loudness(square) == 1
    assert loudness(b"") == 0
    assert np.frombuffer(to_float(square), np.float32)[0] == -1


@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("block", [160, 441, 1000])
def test_another_rate_becomes_ours_without_clicks(rate: int, block: int) -> None:
    seconds = 1
    tone = np.sin(2 * np.pi * 440 * np.arange(rate * seconds) / rate) * 20_000
    raw = tone.astype("<i2").tobytes()
    resampler = Resampler(rate, RATE)
    made = b"".join(resampler.feed(raw[start : start + block * 2]) for start in range(0, len(raw), block * 2))
    found = np.frombuffer(made, "<i2").astype(float)
    assert abs(len(found) - RATE * seconds) <= 2
    # In the middle of the stretch that it stands for, as the old ones are in theirs.
    times = (np.arange(len(found)) + 0.5) / RATE - 0.5 / rate
    ideal = np.sin(2 * np.pi * 440 * times) * 20_000
    assert np.abs(found - ideal).max() < 400
