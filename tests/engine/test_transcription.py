"""Speech to text: the real worker with the real model, on speech that espeak-ng says, and on what is no speech."""

from __future__ import annotations

import asyncio
import os
import random
import re
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import aclosing
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from app.engine.catalogues.catalogue import Catalogue, shipped
from app.engine.files.store import ModelStore
from app.engine.frames import LoadOptions
from app.engine.pool import ModelPool
from app.engine.process.log import WorkerLog
from app.engine.process.worker_process import WorkerProcess
from app.engine.speech import SpeechProgress, SpeechSegment, SpokenLanguage, TranscribeOptions, Transcription
from app.errors import EngineError, InvalidRequestError, ModelLoadError, WorkerDiedError
from app.messages import Waiting
from app.privacy.connections import ConnectionPolicy
from app.settings import EngineSettings
from tests.engine.speech import noise, say, silence
from tests.starter import MODELS, NAME, SPEECH

pytestmark = pytest.mark.asyncio(loop_scope="module")

STORY = (
    "The old lighthouse keeper walked slowly along the beach. He carried a lantern and a small bag of bread. "
    "Every evening he fed the birds and watched the ships come home."
)
QUICK = TranscribeOptions(language="en", beams=1, temperature=0.0)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool(speech_model: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ModelPool]:
    """One pool for all, so that the model is loaded once."""
    store = ModelStore(MODELS, ConnectionPolicy(local_only=True))
    pool = ModelPool(Catalogue.load([shipped()]), store, EngineSettings(), tmp_path_factory.mktemp("logs"))
    yield pool
    await pool.aclose()


@pytest.fixture(scope="module")
def story() -> bytes:
    return say(STORY, "en-us")


async def told(pool: ModelPool, pcm: bytes | AsyncIterator[bytes], options: TranscribeOptions) -> list[Transcription]:
    events = [event async for event in pool.transcribe(SPEECH, pcm, options)]
    return [event for event in events if not isinstance(event, Waiting)]


def segments(events: list[Transcription]) -> list[SpeechSegment]:
    return [event for event in events if isinstance(event, SpeechSegment)]


def words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


def alike(heard: str, said: str) -> float:
    return SequenceMatcher(None, words(heard), words(said)).ratio()


async def worker_of(pool: ModelPool) -> WorkerProcess:
    await pool.load(SPEECH)
    worker = pool._slots[SPEECH].worker
    assert worker is not None
    return worker


async def test_speech_becomes_text_with_times_and_language(pool: ModelPool, story: bytes) -> None:
    events = await told(pool, story, TranscribeOptions())
    language, *rest = events
    assert isinstance(language, SpokenLanguage)
    assert language.language == "en"
    assert 0.5 < language.probability <= 1
    found = segments(events)
    assert alike(" ".join(segment.text for segment in found), STORY) > 0.85
    times = [time for segment in found for time in (segment.start, segment.end)]
    assert times == sorted(times)
    total = round(len(story) / 4 / 16_000, 3)
    assert 0 <= times[0] < times[-1] <= total
    assert rest[-1] == SpeechProgress(total, total)
    done = [event.done for event in rest if isinstance(event, SpeechProgress)]
    assert done == sorted(done)


async def test_audio_may_come_in_pieces_of_any_size(pool: ModelPool, story: bytes) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        sizes = random.Random(1)
        start = 0
        while start < len(story):
            size = sizes.randrange(1, 30_001)
            yield story[start : start + size]
            start += size

    assert await told(pool, pieces(), QUICK) == await told(pool, story, QUICK)


async def test_words_have_times_where_they_are_asked_for(pool: ModelPool, story: bytes) -> None:
    found = segments(await told(pool, story, TranscribeOptions(language="en", beams=1, words=True)))
    for segment in found:
        assert words("".join(word.text for word in segment.words)) == words(segment.text)
        times = [time for word in segment.words for time in (word.start, word.end)]
        assert times == sorted(times)


async def test_other_languages_are_translated(pool: ModelPool) -> None:
    pcm = say("Guten Morgen. Heute scheint die Sonne, und wir gehen in den Garten.", "de")
    events = await told(pool, pcm, TranscribeOptions(translate=True))
    assert isinstance(events[0], SpokenLanguage)
    assert events[0].language == "de"
    heard = words(" ".join(segment.text for segment in segments(events)))
    assert {"morning", "sun", "garden"} & set(heard)


@pytest.mark.parametrize("seconds", [0, 0.01, 3])
async def test_where_nobody_speaks_nothing_is_heard(pool: ModelPool, seconds: float) -> None:
    assert await told(pool, silence(seconds), TranscribeOptions()) == [SpeechProgress(seconds, seconds)]


async def test_a_click_and_noise_end_too(pool: ModelPool) -> None:
    for pcm in (noise(0.001), noise(2.0), noise(1.0, 50.0)):
        assert isinstance((await told(pool, pcm, QUICK))[-1], SpeechProgress)


async def test_what_cannot_be_audio_is_refused_and_the_next_is_heard(pool: ModelPool, story: bytes) -> None:
    broken = np.frombuffer(story, np.float32).copy()
    broken[1000], broken[2000] = np.nan, np.inf
    with pytest.raises(InvalidRequestError, match="2 of the audio's"):
        await told(pool, broken.tobytes(), QUICK)
    with pytest.raises(InvalidRequestError, match="whole samples"):
        await told(pool, story[:-1], QUICK)
    assert segments(await told(pool, story, QUICK))


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (TranscribeOptions(language="klingon"), "'klingon'"),
        (TranscribeOptions(temperature=3.0), "temperature is 3"),
        (TranscribeOptions(beams=0), "0 beams"),
    ],
)
async def test_an_option_that_cannot_be_is_refused(pool: ModelPool, options: TranscribeOptions, what: str) -> None:
    with pytest.raises(InvalidRequestError, match=what):
        await told(pool, silence(100), options)


async def test_a_model_of_another_role_is_refused_by_name(pool: ModelPool) -> None:
    with pytest.raises(EngineError, match="for chat, not for transcription"):
        _ = [event async for event in pool.transcribe(NAME, b"", QUICK)]


async def test_leaving_stops_the_work(pool: ModelPool, story: bytes) -> None:
    worker = await worker_of(pool)
    async with aclosing(pool.transcribe(SPEECH, story * 5, QUICK)) as events:
        async for event in events:
            if isinstance(event, SpeechSegment):
                break
    assert not worker.open_requests
    for _ in range(1000):
        if not (await worker.status()).running:
            break
        await asyncio.sleep(0.02)
    else:
        pytest.fail("it is still at work")


async def test_short_speech_does_not_wait_for_the_end_of_a_long_one(pool: ModelPool, story: bytes) -> None:
    long = asyncio.create_task(told(pool, story * 5, QUICK))
    worker = await worker_of(pool)
    async with asyncio.timeout(30):
        while not (await worker.status()).running:
            assert not long.done()
            await asyncio.sleep(0.01)
    # Between two segments, and within one: it is at work until it is done.
    for _ in range(10):
        assert (await worker.status()).running == 1
        await asyncio.sleep(0.01)
    assert segments(await told(pool, story, QUICK))
    assert not long.done()
    long.cancel()
    await asyncio.gather(long, return_exceptions=True)


async def test_a_worker_killed_at_work_is_told_of_and_replaced(pool: ModelPool, story: bytes) -> None:
    worker = await worker_of(pool)
    heard: list[Transcription] = []
    with pytest.raises(WorkerDiedError, match="SIGKILL while it answered"):
        async for event in pool.transcribe(SPEECH, story * 5, QUICK):
            heard.append(event)
            if isinstance(event, SpeechSegment):
                assert worker.pid is not None
                os.kill(worker.pid, signal.SIGKILL)
    assert segments(heard)
    assert segments(await told(pool, story, QUICK))


# Opening


@pytest.mark.parametrize("kind", ["half", "garbage", "no tokenizer", "garbage tokenizer"])
async def test_files_that_are_not_a_model_are_refused_in_words(speech_model: Path, tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "whisper"
    folder.mkdir()
    for name in ("config.json", "vocabulary.txt", "tokenizer.json"):
        shutil.copy(speech_model.with_name(name), folder / name)
    path = folder / "model.bin"
    with speech_model.open("rb") as whole:
        content = {"half": whole.read(70_000_000), "garbage": random.Random(1).randbytes(100_000)}
    path.write_bytes(content.get(kind, b""))
    if kind.endswith("tokenizer"):
        path.unlink()
        path.symlink_to(speech_model.resolve())
        (folder / "tokenizer.json").unlink()
    if kind == "garbage tokenizer":
        (folder / "tokenizer.json").write_bytes(b'{"model": 3}')
    worker = WorkerProcess("whisper", LoadOptions(path=str(path), role="transcribe"), WorkerLog(tmp_path / "log"))
    with pytest.raises(ModelLoadError, match="whisper"):
        await worker.load()
    await worker.aclose()
