"""One utterance at a time: quick, and the same words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from app.engine.catalogues.catalogue import Catalogue, shipped
from app.engine.files.store import ModelStore
from app.engine.pool import ModelPool
from app.engine.speech import SpeechProgress, SpeechSegment, SpokenLanguage, TranscribeOptions, Transcription
from app.errors import InvalidRequestError
from app.messages import Waiting
from app.privacy.connections import ConnectionPolicy
from app.settings import EngineSettings
from tests.engine.speech import noise, say, silence
from tests.starter import MODELS, SPEECH

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool(speech_model: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ModelPool]:
    """One pool for all, so that the model is loaded once."""
    store = ModelStore(MODELS, ConnectionPolicy(local_only=True))
    pool = ModelPool(Catalogue.load([shipped()]), store, EngineSettings(), tmp_path_factory.mktemp("logs"))
    yield pool
    await pool.aclose()


async def told(pool: ModelPool, pcm: bytes, **options: object) -> list[Transcription]:
    asked = TranscribeOptions(utterance=True, **options)  # type: ignore[arg-type]
    events = [event async for event in pool.transcribe(SPEECH, pcm, asked)]
    return [event for event in events if not isinstance(event, Waiting)]


@pytest.mark.parametrize("beams", [1, 5])
async def test_an_utterance_is_one_segment(pool: ModelPool, beams: int) -> None:
    pcm = say("Please send the report to everyone. She opened the window and listened to the rain.", "en-us")
    language, segment, progress = await told(pool, pcm, language="en", beams=beams)
    assert language == SpokenLanguage("en", 1.0)
    assert isinstance(segment, SpeechSegment)
    assert segment.text.lower().startswith("please send the report")
    assert segment.text.lower().endswith("to the rain.")
    seconds = round(len(pcm) / 64_000, 3)
    assert (segment.start, segment.end) == (0.0, seconds)
    assert progress == SpeechProgress(seconds, seconds)


@pytest.mark.parametrize(
    ("voice", "language", "text"),
    [("en-us", "en", "Please send the report to everyone."), ("de", "de", "Guten Morgen, heute scheint die Sonne.")],
)
async def test_the_language_is_found_out(pool: ModelPool, voice: str, language: str, text: str) -> None:
    first = (await told(pool, say(text, voice)))[0]
    assert isinstance(first, SpokenLanguage)
    assert first.language == language
    assert 0 < first.probability <= 1


@pytest.mark.parametrize("pcm", [b"", silence(2), silence(0.01)])
async def test_where_nobody_speaks_nothing_is_heard(pool: ModelPool, pcm: bytes) -> None:
    assert [type(event) for event in await told(pool, pcm)] == [SpeechProgress]


@pytest.mark.parametrize("seconds", [0.001, 0.5, 27.9])
async def test_noise_of_any_length_ends(pool: ModelPool, seconds: float) -> None:
    assert isinstance((await told(pool, noise(seconds)))[-1], SpeechProgress)


async def test_a_longer_one_is_refused_and_the_next_is_heard(pool: ModelPool) -> None:
    with pytest.raises(InvalidRequestError, match="longer than 28 seconds"):
        await told(pool, noise(28.1))
    assert len(await told(pool, say("Good morning."))) == 3


async def test_a_prompt_of_any_length_is_taken(pool: ModelPool) -> None:
    events = await told(pool, say("Good morning."), language="en", prompt="A letter to a friend. " * 500)
    assert isinstance(events[1], SpeechSegment)
