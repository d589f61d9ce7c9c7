"""Speech through HTTP: the unmodified ``openai`` client, a real recording, the real Whisper."""

import re
import shutil
import subprocess

import openai
import pytest

from app.playground import Playground
from app.server.services import Services
from tests.conftest import install
from tests.starter import SPEECH

from .scripted import served

SAID = "The quick brown fox jumps over the lazy dog."


@pytest.fixture
def recording() -> bytes:
    """A WAV file as a person's program makes it: 22 kHz, 16 bits."""
    program = shutil.which("espeak-ng")
    if program is None:
        pytest.skip("espeak-ng is not installed, so there is no speech to transcribe (Debian: apt install espeak-ng)")
    command = [program, "-v", "en-gb", "-s", "140", "--stdout", SAID]
    return subprocess.run(command, capture_output=True, check=True).stdout


async def test_a_recording_is_written_down_in_every_form(home, speech_model, environ, recording):
    install(home, speech_model)
    playground = Playground.open(environ)
    try:
        async with (
            served(Services.of(playground)) as address,
            openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0, timeout=120) as client,
        ):

            async def written(**how):
                file = ("speech.wav", recording, "audio/wav")
                return await client.audio.transcriptions.create(model=SPEECH, file=file, language="en", **how)

            plain = (await written()).text
            assert "brown fox" in plain
            assert "lazy dog" in plain
            assert (await written(response_format="text")).strip() == plain.strip()
            moment = r"00:00:\d\d{}\d{{3}} --> 00:00:\d\d{}\d{{3}}\n"
            subtitles = await written(response_format="srt")
            assert re.match("1\n" + moment.format(",", ",") + ".*brown fox", subtitles)
            captions = await written(response_format="vtt")
            assert re.match("WEBVTT\n\n" + moment.format(r"\.", r"\.") + ".*brown fox", captions)
            verbose = await written(response_format="verbose_json", timestamp_granularities=["word", "segment"])
            assert verbose.text == plain
            assert 2 < float(verbose.duration) < 8
            assert 0 <= verbose.segments[0].start < verbose.segments[-1].end <= float(verbose.duration) + 0.5
            fox = next(word for word in verbose.words if "fox" in word.word)
            dog = next(word for word in verbose.words if "dog" in word.word)
            assert 0 < fox.start < fox.end <= dog.start < dog.end
            pieces = [event async for event in await written(stream=True)]
            assert pieces[-1].type == "transcript.text.done"
            assert pieces[-1].text == plain
            assert len(playground.pool.loaded()) == 1
            # What is no recording is the client's error, and the worker goes on.
            with pytest.raises(openai.BadRequestError):
                await client.audio.transcriptions.create(model=SPEECH, file=("speech.wav", b"RIFFnothing", "audio/wav"))
            assert (await written()).text == plain
    finally:
        await playground.aclose()
