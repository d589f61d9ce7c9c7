"""openai-whisper as a worker, on Whisper base's weights converted from CTranslate2's form."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.engine.pool import ModelPool
from app.engine.speech import SpeechProgress, SpeechSegment, SpokenLanguage, TranscribeOptions
from app.engine.worker.transcribe_torch import TorchSpeechModel
from app.errors import InvalidRequestError, ModelLoadError
from app.messages import Waiting
from tests.engine.speech import say, silence
from tests.extras.names import TORCH_SPEECH
from tests.starter import SPEECH

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

STORY = (
    "The old lighthouse keeper walked slowly along the beach. He carried a lantern and a small bag of bread. "
    "Every evening he fed the birds and watched the ships come home."
)
QUICK = TranscribeOptions(language="en", beams=1, temperature=0.0)


async def told(pool: ModelPool, name: str, pcm: bytes, options: TranscribeOptions) -> list[Any]:
    return [event async for event in pool.transcribe(name, pcm, options) if not isinstance(event, Waiting)]


def words(events: list[Any]) -> list[str]:
    text = " ".join(event.text for event in events if isinstance(event, SpeechSegment))
    return re.findall(r"[a-z']+", text.lower())


async def test_the_converted_weights_compute_what_ctranslate2_computes(
    speech_model: Path, whisper_checkpoint: Path
) -> None:
    """The same spectrum through both encoders, and the same beginning through both decoders, in float32."""
    import faster_whisper
    import torch
    import whisper

    theirs = faster_whisper.WhisperModel(str(speech_model.parent), device="cpu", compute_type="float32")
    ours = whisper.load_model(str(whisper_checkpoint), device="cpu")
    audio = np.frombuffer(say(STORY, "en-us"), np.float32).copy()
    spectrum = whisper.log_mel_spectrogram(whisper.pad_or_trim(audio))
    encoded = theirs.encode(spectrum.numpy())
    with torch.inference_mode():
        known = ours.embed_audio(spectrum[None]).numpy()
        found = np.array(encoded)
        assert np.abs(found - known).max() <= 0.02 * np.abs(known).max()
        options = whisper.DecodingOptions(language="en", fp16=False, beam_size=5, without_timestamps=True)
        text = whisper.decode(ours, spectrum, options).tokens
    prompt = [50258, 50259, 50359, 50363]
    (written,) = theirs.model.generate(encoded, [prompt], beam_size=5)
    assert written.sequences_ids[0] == text


async def test_a_story_is_written_down_as_faster_whisper_does(pool: ModelPool) -> None:
    pcm = say(STORY, "en-us")
    options = TranscribeOptions(language="en", temperature=0.0)
    found, known = words(await told(pool, TORCH_SPEECH, pcm, options)), words(await told(pool, SPEECH, pcm, options))
    print("openai-whisper:", *found)
    print("faster-whisper:", *known)
    assert SequenceMatcher(None, found, known).ratio() >= 0.85
    assert SequenceMatcher(None, found, re.findall(r"[a-z]+", STORY.lower())).ratio() >= 0.85


async def test_language_progress_and_segments_are_told_in_order(pool: ModelPool) -> None:
    pcm = say(STORY, "en-us") + silence(24) + say("The ships come home in the evening.", "en-us")
    options = TranscribeOptions(beams=1, temperature=0.0)
    events = await told(pool, TORCH_SPEECH, pcm, options)
    assert isinstance(events[0], SpokenLanguage)
    assert (events[0].language, events[0].probability > 0.5) == ("en", True)
    segments = [event for event in events if isinstance(event, SpeechSegment)]
    assert all(one.end <= two.start + 0.01 for one, two in pairwise(segments))
    progress = [event for event in events if isinstance(event, SpeechProgress)]
    assert len(progress) >= 2
    assert progress[-1].done == progress[-1].total == events[-1].total
    assert "come" in words(events[-3:]), "what was said after the pause"


async def test_an_utterance_is_one_segment(pool: ModelPool) -> None:
    options = TranscribeOptions(language="en", beams=1, utterance=True)
    events = await told(pool, TORCH_SPEECH, say(STORY, "en-us"), options)
    assert sum(isinstance(event, SpeechSegment) for event in events) == 1


async def test_words_are_timed(pool: ModelPool) -> None:
    options = TranscribeOptions(language="en", beams=1, temperature=0.0, words=True)
    pcm = say(STORY, "en-us")
    events = await told(pool, TORCH_SPEECH, pcm, options)
    timed = [word for event in events if isinstance(event, SpeechSegment) for word in event.words]
    assert len(timed) > 20
    assert all(0 <= word.start <= word.end <= len(pcm) / 64_000 + 0.01 for word in timed)


async def test_silence_says_nothing(pool: ModelPool) -> None:
    assert await told(pool, TORCH_SPEECH, silence(2), QUICK) == [SpeechProgress(2.0, 2.0)]


async def test_an_unknown_language_is_refused(pool: ModelPool) -> None:
    with pytest.raises(InvalidRequestError, match="xx"):
        await told(pool, TORCH_SPEECH, silence(1), TranscribeOptions(language="xx"))


async def test_code_in_a_checkpoint_is_not_run(tmp_path: Path) -> None:
    """A pickle that would make a file when it is opened."""
    import torch

    made = tmp_path / "made"

    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (made,)

    checkpoint = tmp_path / "trap.pt"
    torch.save({"dims": {}, "model_state_dict": Trap()}, checkpoint)
    with pytest.raises(ModelLoadError, match=r"trap\.pt"):
        TorchSpeechModel(checkpoint, 1)
    assert not made.exists()
