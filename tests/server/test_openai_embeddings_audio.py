"""Embeddings and transcriptions through the unmodified client, by the real models."""

import io
import math
import wave
from array import array
from base64 import b64decode
from dataclasses import replace

import openai
import pytest

from app.engine.embeddings import Embeddings
from app.engine.speech import SpeechProgress, SpeechSegment, SpokenLanguage, Word
from app.messages import Waiting
from app.playground import Playground
from app.server.openai.errors import RefusedError
from app.server.openai.recordings import decoded
from app.server.services import Services
from tests.starter import MODELS

from .scripted import ScriptedBackend, served, services_of


class ScriptedPool:
    """Vectors and words that a test can foresee."""

    truncated = ()

    async def embed(self, model, texts):
        numbers = array("f", [value for text in texts for value in (len(text), 1.0)])
        return Embeddings(numbers.tobytes(), 2, sum(map(len, texts)), self.truncated)

    async def transcribe(self, model, pcm, options=None):
        self.pcm, self.options = pcm, options
        yield Waiting("loading", 1, 100)
        yield SpokenLanguage("en", 1.0)
        yield SpeechSegment(0.0, 1.5, "Hello there.", (Word(0.0, 0.5, " Hello", 0.9), Word(0.5, 1.5, " there.", 0.9)))
        yield SpeechSegment(61.5, 3662.25, "Bye.")
        yield SpeechProgress(2.0, 2.0)


class ScriptedCatalogue:
    """One model for vectors, one for speech."""

    class _Entry:
        def __init__(self, name, role):
            self.name, self.role = name, role

    entries = (_Entry("vectors", "embed"), _Entry("ears", "transcribe"))

    def path_of(self, entry):
        return entry.name


@pytest.fixture
def pool():
    return ScriptedPool()


@pytest.fixture
async def client(pool):
    catalogue = ScriptedCatalogue()
    services = replace(services_of(ScriptedBackend([])), pool=pool, catalogue=catalogue, store=catalogue)
    async with (
        served(services) as address,
        openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0, timeout=20) as client,
    ):
        yield client


def sound(seconds=2.0, rate=44_100, channels=2):
    """A recording with a tone."""
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        for number in range(int(seconds * rate)):
            value = int(9000 * math.sin(number * 2 * math.pi * 440 / rate))
            file.writeframesraw(value.to_bytes(2, "little", signed=True) * channels)
    return data.getvalue()


@pytest.mark.parametrize("form", ["float", "base64", None])
async def test_vectors(client, form):
    more = {} if form is None else {"encoding_format": form}
    answer = await client.embeddings.create(model="vectors", input=["a", "bcd"], **more)
    expected = [[1, 1], [3, 1]]
    if form == "base64":
        found = [list(array("f", b64decode(one.embedding))) for one in answer.data]
    else:
        found = [list(one.embedding) for one in answer.data]
    assert found == expected
    assert answer.usage.total_tokens == 4
    assert (await client.embeddings.create(model="vectors", input="a", dimensions=2)).data[0].index == 0


@pytest.mark.parametrize(
    ("more", "error", "code"),
    [
        ({"input": ""}, openai.BadRequestError, "invalid_value"),
        ({"input": []}, openai.BadRequestError, "invalid_value"),
        ({"input": [1, 2]}, openai.BadRequestError, "unsupported_value"),
        ({"dimensions": 3}, openai.BadRequestError, "invalid_value"),
        ({"model": "scripted"}, openai.NotFoundError, "model_not_found"),
    ],
)
async def test_what_cannot_be_embedded_is_refused(client, more, error, code):
    with pytest.raises(error) as caught:
        await client.embeddings.create(**{"model": "vectors", "input": "a", **more})
    assert caught.value.body["code"] == code


async def test_a_text_is_never_cut_in_silence(client, pool):
    pool.truncated = (1,)
    with pytest.raises(openai.BadRequestError) as caught:
        await client.embeddings.create(model="vectors", input=["a", "b"])
    assert caught.value.body["code"] == "context_length_exceeded"


async def test_transcriptions_in_every_form(client, pool):
    def ask(**more):
        return client.audio.transcriptions.create(model="ears", file=("x.wav", sound()), **more)

    assert (await ask()).text == "Hello there. Bye."
    assert await ask(response_format="text") == "Hello there. Bye.\n"
    assert "00:01:01,500 --> 01:01:02,250\nBye." in await ask(response_format="srt")
    assert (await ask(response_format="vtt")).startswith("WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nHello")
    verbose = await ask(
        response_format="verbose_json", timestamp_granularities=["word", "segment"], language="en", prompt="p"
    )
    assert (verbose.language, round(verbose.duration, 2), verbose.words[1].word) == ("en", 2.0, "there.")
    assert verbose.segments[1].text == "Bye."
    assert (pool.options.language, pool.options.prompt, pool.options.words) == ("en", "p", True)
    assert len(pool.pcm) == pytest.approx(2 * 16_000 * 4, rel=0.01)
    events = [event async for event in await ask(stream=True)]
    assert [event.type for event in events] == ["transcript.text.delta"] * 2 + ["transcript.text.done"]
    assert events[-1].text == "Hello there. Bye."
    await client.audio.translations.create(model="ears", file=("x.wav", sound()))
    assert pool.options.translate


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"file": ("x.wav", b"no sound")}, "file"),
        ({"file": ("x.wav", b"")}, "file"),
        ({"temperature": 2}, "temperature"),
        ({"response_format": "xml"}, "response_format"),
        ({"extra_body": {"colour": "blue"}}, "colour"),
    ],
)
async def test_what_cannot_be_transcribed_is_refused(client, more, param):
    with pytest.raises(openai.BadRequestError) as caught:
        await client.audio.transcriptions.create(**{"model": "ears", "file": ("x.wav", sound(0.1)), **more})
    assert caught.value.body["param"] == param


async def test_what_is_no_recording_is_said_so():
    with pytest.raises(RefusedError):
        await decoded(b"RIFF" + bytes(1000))


@pytest.fixture
async def real(home, environ):
    """The client on what has been fetched for the tests; ``needs`` skips where a model has not."""
    (home / "models").symlink_to(MODELS)
    playground = Playground.open(environ)
    try:
        async with (
            served(Services.of(playground)) as address,
            openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0, timeout=100) as client,
        ):
            client.playground = playground
            yield client
    finally:
        await playground.aclose()


def needs(client, name):
    playground = client.playground
    if playground.store.path_of(playground.catalogue.get(name)) is None:
        pytest.skip(f"{name} has not been fetched")


async def test_the_real_model_gives_neighbouring_vectors(real):
    needs(real, "all-minilm-l6-v2")
    texts = ["A cat sleeps.", "A kitten is napping.", "The stock market fell."]
    answer = await real.embeddings.create(model="all-minilm-l6-v2", input=texts)
    first, second, third = (one.embedding for one in answer.data)
    near = sum(a * b for a, b in zip(first, second, strict=True))
    far = sum(a * b for a, b in zip(first, third, strict=True))
    assert len(first) == 384
    assert near > far + 0.3


async def test_the_real_model_hears_nothing_where_nobody_speaks(real):
    needs(real, "whisper-base")
    silent = io.BytesIO()
    with wave.open(silent, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16_000))
    answer = await real.audio.transcriptions.create(model="whisper-base", file=("x.wav", silent.getvalue()))
    assert answer.text == ""
    with pytest.raises(openai.BadRequestError):
        await real.audio.transcriptions.create(
            model="whisper-base", file=("x.wav", sound(0.2)), language="klingon", timeout=60
        )
