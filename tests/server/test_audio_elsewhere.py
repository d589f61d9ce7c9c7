"""Recordings that the server has written down by a model elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import openai
import pytest

from app.backends.openai.transcribing import wav
from app.playground import Playground
from app.server.services import Services
from tests.routing.scripted import endpoint
from tests.voice.speech_server import SpeechServer, speech_server

from .scripted import served

SOUND = wav(b"\x40\x00\xc0\xff" * 16_000)


@pytest.fixture
async def there() -> AsyncIterator[SpeechServer]:
    async with speech_server() as server:
        yield server


@pytest.fixture
async def program(environ: dict[str, str], home: Path, there: SpeechServer) -> AsyncIterator[Callable[..., Playground]]:
    """Opens a program with a model that listens and one that chats, both elsewhere."""
    made: list[Playground] = []

    def make(*, redact: bool = False) -> Playground:
        (home / "config").mkdir(exist_ok=True)
        table = endpoint("office", url=there.url, redact=redact, retries=0)
        models = '[remote.listener]\nendpoint = "office"\nmodel = "whisper-1"\nrole = "transcribe"\n'
        (home / "config" / "models.toml").write_text(f'{table}{models}[remote.talker]\nendpoint = "office"\n')
        made.append(Playground.open(environ))
        return made[-1]

    yield make
    for each in made:
        await each.aclose()


async def test_a_model_elsewhere_answers_in_every_shape(program, there):
    async with (
        served(Services.of(program())) as address,
        openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0, timeout=20) as client,
    ):
        names = [model.id async for model in client.models.list()]
        assert {"listener", "talker"} <= set(names)
        speech = client.audio.transcriptions
        found = await speech.create(model="listener", file=("a.wav", SOUND), language="en", prompt="Tides.")
        assert found.text == "the tide came in"
        assert there.sent[0].fields == {
            "model": "whisper-1",
            "response_format": "json",
            "language": "en",
            "prompt": "Tides.",
        }
        told = await speech.create(model="listener", file=("a.wav", SOUND), response_format="verbose_json")
        assert (told.language, len(told.segments)) == ("english", 2)
        subtitles = await speech.create(model="listener", file=("a.wav", SOUND), response_format="srt")
        assert subtitles.startswith("1\n00:00:00,000 --> 00:00:01,000\nthe tide came in\n")
        events = [one async for one in await speech.create(model="listener", file=("a.wav", SOUND), stream=True)]
        assert [one.type for one in events] == ["transcript.text.delta", "transcript.text.done"]
        english = await client.audio.translations.create(model="listener", file=("a.wav", SOUND))
        assert english.text == "the tide came in" and there.sent[-1].path == "/v1/audio/translations"
        sent = len(there.sent)
        with pytest.raises(openai.BadRequestError, match="'word'"):
            await speech.create(
                model="listener",
                file=("a.wav", SOUND),
                response_format="verbose_json",
                timestamp_granularities=["word"],
            )
        assert len(there.sent) == sent


async def test_each_is_asked_for_what_it_can(program, there):
    async with (
        served(Services.of(program())) as address,
        openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0, timeout=20) as client,
    ):
        with pytest.raises(openai.NotFoundError, match="'talker' is not for transcription"):
            await client.audio.transcriptions.create(model="talker", file=("a.wav", SOUND))
        with pytest.raises(openai.BadRequestError, match="listener writes down speech"):
            await client.chat.completions.create(model="listener", messages=[{"role": "user", "content": "hello"}])
        async with httpx.AsyncClient(base_url=address, timeout=20) as plain:
            for path in ("/v1/messages", "/api/chat", "/completion"):
                body = {"model": "listener", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}
                answer = await plain.post(path, json={**body, "prompt": "x"} if path == "/completion" else body)
                assert answer.status_code == 400, (path, answer.text)
                assert "listener" in answer.text
    assert there.sent == []


async def test_speech_is_not_sent_where_all_that_leaves_is_searched(program, there):
    async with (
        served(Services.of(program(redact=True))) as address,
        openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0, timeout=20) as client,
    ):
        with pytest.raises(openai.InternalServerError, match="cannot be searched for personal data"):
            await client.audio.transcriptions.create(model="listener", file=("a.wav", SOUND))
    assert there.sent == []
