"""Speech that a model elsewhere writes down: what is sent and when, and that nothing is where it must not be."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path

import numpy as np
import pytest

from app.backends.openai.transcribing import transcript, wav
from app.engine.speech import SpeechProgress, SpeechSegment, TranscribeOptions
from app.errors import (
    InvalidRequestError,
    LocalOnlyError,
    PlaygroundError,
    RedactionError,
    RemoteError,
    StreamBrokenError,
)
from app.playground import Playground
from app.tui.app import PlaygroundApp
from app.tui.chat.composer import Composer
from app.tui.voice.meter import Meter
from app.voice.dictation import Dictation, Final, Partial, Stopped
from app.voice.microphone import Microphone
from app.voice.remote_recordings import transcribed_elsewhere
from tests.engine.speech import noise, say, silence
from tests.routing.scripted import endpoint
from tests.tui.conftest import until
from tests.voice.speech_server import SpeechServer, speech_server
from tests.voice.test_dictation import Played
from tests.voice.virtual_microphone import speech_only

Open = Callable[..., Playground]


@pytest.fixture
async def there() -> AsyncIterator[SpeechServer]:
    async with speech_server() as server:
        yield server


@pytest.fixture
async def opened(home: Path) -> AsyncIterator[Open]:
    """Opens a program whose settings dictate to the model ``listener`` of an endpoint."""
    made: list[Playground] = []

    def make(url: str, *, local_only: bool = False, **fields: object) -> Playground:
        (home / "config").mkdir(exist_ok=True)
        fields = {"key": "env:SPEECH_KEY", "redact": False, "retries": 0, **fields}
        table = (
            endpoint("office", url=url, **fields)
            + '[remote.listener]\nendpoint = "office"\nmodel = "whisper-1"\nrole = "transcribe"\n'
        )
        (home / "config" / "models.toml").write_text(table)
        environ = {"PLAYGROUND_HOME": str(home), "PLAYGROUND_VOICE__MODEL": "listener", "SPEECH_KEY": "sk-abcdef123456"}
        made.append(Playground.open({**os.environ, **environ}, local_only=local_only))
        return made[-1]

    yield make
    for each in made:
        await each.aclose()


def spoken(*sentences: str) -> bytes:
    return b"".join(silence(0.3) + speech_only(say(each, "en-us")) + silence(1.0) for each in sentences)


async def test_each_utterance_is_sent_once_when_it_is_over(opened: Open, there: SpeechServer) -> None:
    there.texts = ["The tide came in.", "New paragraph", "It rained."]
    program = opened(there.url)
    await program.vault.open()
    microphone = Played(spoken("the tide came in", "new paragraph", "it rained"))
    dictation = Dictation(microphone, program.transcriber(), language="en")
    finals = 0
    async with aclosing(dictation.events()) as events, asyncio.timeout(20):
        async for event in events:
            assert not isinstance(event, Partial)
            if isinstance(event, Final):
                finals += 1
                if finals == 3:
                    dictation.stop()
            if isinstance(event, Stopped):
                assert event.error is None
    assert dictation.text == "The tide came in.\n\nIt rained."
    assert [sent.path for sent in there.sent] == ["/v1/audio/transcriptions"] * 3
    first = there.sent[0]
    assert (first.key, first.rate, first.file) == ("Bearer sk-abcdef123456", 16_000, "speech.wav")
    assert first.fields == {"model": "whisper-1", "response_format": "json"}
    assert 0.5 < first.seconds < 3
    # What left this machine is noted, without the sound.
    await program.router._notebook.flush()
    notes = await program.vault.audit.notes()
    assert [(note.kind, note.asked, note.backend, note.outcome) for note in notes] == [
        ("transcribe", "listener", "office", "finished")
    ] * 3


@pytest.mark.parametrize(
    ("local_only", "fields", "error", "words"),
    [
        (True, {}, LocalOnlyError, "Local-only mode is on"),
        (False, {"redact": True}, RedactionError, "cannot be searched for personal data"),
        (False, {"kind": "anthropic"}, InvalidRequestError, "which transcribes nothing"),
    ],
)
async def test_it_is_refused_before_anything_is_recorded(
    opened: Open, local_only: bool, fields: dict[str, object], error: type[PlaygroundError], words: str
) -> None:
    program = opened("https://speech.example/v1", local_only=local_only, **fields)
    with pytest.raises(error, match=words) as told:
        program.transcriber()
    assert told.value.remedy


async def test_a_server_of_this_machine_hears_in_local_only_mode_too(opened: Open, there: SpeechServer) -> None:
    heard = await opened(there.url, local_only=True).transcriber().hear(bytes(3200), final=True)
    assert heard.text == "the tide came in"


async def test_local_only_mode_that_is_switched_on_meanwhile_holds(opened: Open) -> None:
    program = opened("https://speech.example/v1")
    transcriber = program.transcriber()
    program.policy.local_only = True
    with pytest.raises(LocalOnlyError):
        await transcriber.hear(bytes(3200), final=True)


async def test_in_the_interface_the_microphone_stays_closed(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    class Never(Microphone):
        def __init__(self, device: str = "") -> None:
            made.append(device)
            super().__init__(device, command=("false",))

        def open(self):  # type: ignore[no-untyped-def]
            raise AssertionError("it is opened")

    monkeypatch.setattr("app.voice.microphone.Microphone", Never)
    program = opened("https://speech.example/v1", local_only=True)
    app = PlaygroundApp(program, environ={})
    told: list[PlaygroundError] = []
    async with app.run_test(size=(100, 30)) as pilot:
        await until(lambda: app.query(Composer), 15)
        app.notify_error = told.append  # type: ignore[method-assign]
        app.query_one(Composer).focus()
        await pilot.press(*"Before", "f11")
        await until(lambda: told)
        assert isinstance(told[0], LocalOnlyError)
        assert app.query_one(Composer).text == "Before"


async def test_in_the_interface_it_is_said_where_the_sound_goes(
    opened: Open, there: SpeechServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.voice.microphone.Microphone", lambda device: Played(spoken("the tide came in")))
    app = PlaygroundApp(opened(there.url), environ={})
    async with app.run_test(size=(100, 30)) as pilot:
        await until(lambda: app.query(Composer), 15)
        composer = app.query_one(Composer)
        composer.focus()
        # The server is on this machine, of which nothing need be said: it is as if it were not.
        monkeypatch.setattr(app._desk, "sends_to", lambda name: "office")
        await pilot.press("f11")
        await until(lambda: app.query(Meter) and "↗ sent to office" in app.query_one(Meter).said.state)
        await until(lambda: composer.text == "The tide came in", 10)
        await pilot.press("f11")
        await until(lambda: not app.query(Meter))
    assert len(there.sent) == 1


@pytest.mark.parametrize("status", [401, 404, 500])
async def test_what_it_refuses_is_told_without_the_key(opened: Open, there: SpeechServer, status: int) -> None:
    there.status = status
    with pytest.raises(RemoteError) as told:
        await opened(there.url).transcriber().hear(bytes(3200), final=True)
    assert "office" in told.value.message
    assert "sk-abcdef123456" not in f"{told.value.message} {told.value.remedy} {told.value.body!r}"


async def test_an_overloaded_one_is_asked_again(opened: Open, there: SpeechServer) -> None:
    there.status = 503
    asking = asyncio.create_task(opened(there.url, retries=3).transcriber().hear(bytes(3200), final=True))
    async with asyncio.timeout(15):
        while not there.sent:
            await asyncio.sleep(0.01)
        there.status = 200
        assert (await asking).text == "the tide came in"
    assert len(there.sent) >= 2


async def test_cancelling_ends_it(opened: Open) -> None:
    arrived, left = asyncio.Event(), asyncio.Event()

    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        arrived.set()
        while await reader.read(65_536):
            pass
        left.set()
        writer.close()

    server = await asyncio.start_server(never, "127.0.0.1", 0)
    async with server, asyncio.timeout(10):
        port = server.sockets[0].getsockname()[1]
        asking = asyncio.create_task(opened(f"http://127.0.0.1:{port}/v1").transcriber().hear(bytes(3200), final=True))
        await arrived.wait()
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await left.wait()


@pytest.mark.parametrize("body", [b"", b"[]", b'{"text": 3}', b"\xff", b'{"error": "no"}'])
def test_an_answer_that_is_none_is_told(body: bytes) -> None:
    with pytest.raises(StreamBrokenError):
        transcript(body, "office")


def test_times_that_make_no_sense_are_left_out() -> None:
    found = transcript(
        b'{"text": " a b ", "language": 3, "segments": [{"start": 0, "end": 1, "text": " a"}, {"text": "b"}, 4,'
        b' {"start": 2, "end": 1.5, "text": "b", "avg_logprob": -0.5}, {"start": "0", "end": 1, "text": "c"}]}',
        "office",
    )
    assert (found.text, found.language) == ("a b", "")
    assert [(each.start, each.end, each.text) for each in found.segments] == [(0.0, 1.0, "a"), (2.0, 2.0, "b")]


def test_a_wav_of_nothing_is_one() -> None:
    assert len(wav(b"")) == 44


async def test_a_long_recording_goes_in_pieces_cut_where_it_is_quiet(opened: Open, there: SpeechServer) -> None:
    # Three seconds of noise, half a second of silence, and again; pieces of at most five seconds.
    sound = (noise(3.0) + silence(0.5)) * 3
    pieces = [sound[start : start + 70_001] for start in range(0, len(sound), 70_001)]

    async def samples() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    remote = opened(there.url).remote_transcription("listener")
    assert remote is not None
    told = [
        event
        async for event in transcribed_elsewhere(
            remote, samples(), TranscribeOptions(), seconds=10.5, timed=True, piece_s=5
        )
    ]
    first, second, third = (sent.seconds for sent in there.sent)
    assert 3.0 < first < 3.5 and 6.5 < first + second < 7.0 and third < 5.0
    whole = b"".join(sent.samples for sent in there.sent)
    expected = np.clip(np.frombuffer(sound, np.float32), -1, 1) * 32767
    assert np.abs(np.frombuffer(whole, "<i2") - expected).max() <= 1.0
    segments = [event for event in told if isinstance(event, SpeechSegment)]
    assert [segment.start for segment in segments] == sorted(segment.start for segment in segments)
    assert segments[-1].end == pytest.approx(10.5)
    progress = [event for event in told if isinstance(event, SpeechProgress)]
    assert (progress[-1].done, progress[-1].total) == (pytest.approx(10.5), pytest.approx(10.5))
