"""Dictation for real: speech is played into a (virtual) microphone, the real model writes it down."""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from app.engine.catalogues.catalogue import Catalogue, shipped
from app.engine.files.store import ModelStore
from app.engine.pool import ModelPool
from app.errors import MicrophoneLostError, NoMicrophoneError
from app.privacy.connections import ConnectionPolicy
from app.settings import EngineSettings
from app.voice.dictation import Dictation, Final, Listening, Partial, Stopped
from app.voice.microphone import Microphone
from app.voice.transcriber import LocalTranscriber
from tests.engine.speech import say
from tests.starter import MODELS, SPEECH
from tests.voice.measuring import Listener, error_rate, errors, measure
from tests.voice.sentences import SENTENCES
from tests.voice.virtual_microphone import VirtualMicrophone, speech_only, virtual_microphone

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]


_OWN_MACHINE_SECONDS = 0.6
"""Four seconds are written down in 0.35 s on two cores. Where it takes longer something else is at work on the machine,
and how soon dictation answers there is told but says nothing."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool(speech_model: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ModelPool]:
    """One pool for all, so that the model is loaded once."""
    store = ModelStore(MODELS, ConnectionPolicy(local_only=True))
    pool = ModelPool(Catalogue.load([shipped()]), store, EngineSettings(), tmp_path_factory.mktemp("logs"))
    yield pool
    await pool.aclose()


@pytest.fixture
def microphone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualMicrophone]:
    folder = tmp_path / "sound"
    folder.mkdir(mode=0o700)
    with virtual_microphone(folder) as found:
        for name in ("XDG_RUNTIME_DIR", "PULSE_RUNTIME_PATH", "PULSE_STATE_PATH", "HOME"):
            monkeypatch.setenv(name, found.environ[name])
        yield found


_WITH_COMMANDS = (
    "We walked along the river. New paragraph.",
    "She opened the window and listened to the rain. New paragraph.",
    "We went home full stop. New paragraph. The next day it rained.",
    "Nobody knows what it will look like. New paragraph.",
)


async def _pace(transcriber: LocalTranscriber) -> float:
    samples = np.frombuffer(say(SENTENCES[0], "en-us"), np.float32)
    began = time.monotonic()
    await transcriber.hear((samples * 32767).astype("<i2").tobytes(), final=True)
    return time.monotonic() - began


@pytest.mark.timeout(300)
async def test_twenty_sentences(pool: ModelPool, microphone: VirtualMicrophone) -> None:
    transcriber = LocalTranscriber(pool, SPEECH, "en")
    await transcriber.prepare()
    listener = Listener(Dictation(Microphone(), transcriber))
    await listener.until(Listening)
    await asyncio.sleep(0.3)
    pace = await _pace(transcriber)
    measured = []
    for sentence in SENTENCES:
        measured.append(await measure(microphone, listener, sentence, speech_only(say(sentence, "en-us"))))
        await asyncio.sleep(0.3)
    after = await _pace(transcriber)
    listener.dictation.stop()
    assert await listener.ended() == Stopped("asked")
    partial = [each.first_partial for each in measured]
    final = [each.final for each in measured]
    rate = error_rate(measured)
    for each in measured:
        print(f"{errors(each.said, each.heard)} {each.first_partial:.2f} s {each.final:.2f} s {each.heard}")
    print(f"word error rate {rate:.1%}; first partial {statistics.median(partial):.2f} s, at most {max(partial):.2f} s")
    print(f"final {statistics.median(final):.2f} s, at most {max(final):.2f} s; pace {pace:.2f} s, then {after:.2f} s")
    assert rate <= 0.10
    if max(pace, after) <= _OWN_MACHINE_SECONDS:
        assert statistics.median(partial) <= 1.5
        assert statistics.median(final) <= 1.0
    # What was heard is what became of the text.
    assert errors(" ".join(each.heard for each in measured), listener.dictation.text) == 0


async def test_unplugged_while_somebody_speaks(pool: ModelPool, microphone: VirtualMicrophone) -> None:
    transcriber = LocalTranscriber(pool, SPEECH, "en")
    await transcriber.prepare()
    listener = Listener(Dictation(Microphone(), transcriber))
    await listener.until(Listening)
    await asyncio.sleep(0.3)
    player = asyncio.create_task(microphone.play(speech_only(say(" ".join(SENTENCES[:3]), "en-us"))))
    await listener.until(Partial)
    await asyncio.sleep(1.5)
    microphone.kill()
    stopped = await listener.ended()
    await asyncio.gather(player, return_exceptions=True)
    assert stopped.reason == "fault"
    assert isinstance(stopped.error, MicrophoneLostError)
    assert "weather" in listener.dictation.text
    assert listener.of(Final)
    with pytest.raises(NoMicrophoneError):
        async with Microphone().open():
            pass


async def test_spoken_commands_and_nothing_on_the_disk(
    pool: ModelPool, microphone: VirtualMicrophone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    for name in ("TMPDIR", "TEMP", "TMP"):
        monkeypatch.setenv(name, str(temporary))
    await pool.unload(SPEECH)  # so that its worker is one that knows this folder
    transcriber = LocalTranscriber(pool, SPEECH, "en")
    await transcriber.prepare()
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    already = _written()
    with (tmp_path / "seen").open("wb") as control:
        assert control.name in _written()
    (tmp_path / "seen").unlink()
    listener = Listener(Dictation(Microphone(), transcriber))
    await listener.until(Listening)
    await asyncio.sleep(0.3)
    for text in _WITH_COMMANDS:
        found = await measure(microphone, listener, text, speech_only(say(text, "en-us")))
        assert found.heard
        assert {path for path in _written() - already if "/log" not in path and "coverage" not in path} == set()
        await asyncio.sleep(0.3)
    listener.dictation.stop()
    assert await listener.ended() == Stopped("asked")
    # The model does not hear each of them in a synthetic voice; what it hears is done.
    assert "\n\n" in listener.dictation.text
    assert "river" in listener.dictation.text
    assert list(temporary.rglob("*")) == []
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == before


def _written() -> set[str]:
    """The ordinary files that this process and its children hold open to write."""
    return {path for pid in _family(os.getpid()) for path in _written_by(pid)}


def _family(pid: int) -> list[int]:
    """A process and those that it started, as /proc tells; sound servers of the test's left aside."""
    children = [int(child) for task in Path(f"/proc/{pid}/task").iterdir()
                for child in (task / "children").read_text().split()]  # fmt: skip
    names = {child: Path(f"/proc/{child}/comm").read_text().strip() for child in children}
    return [pid, *(grown for child, name in names.items() if name.startswith("py") for grown in _family(child))]


def _written_by(pid: int) -> list[str]:
    """The ordinary files that a process holds open to write."""
    found = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            path = entry.readlink()
            flags = int(Path(f"/proc/{pid}/fdinfo/{entry.name}").read_text().split("flags:")[1].split()[0], 8)
        except FileNotFoundError:
            continue
        if path.is_file() and flags & os.O_ACCMODE != os.O_RDONLY:
            found.append(str(path))
    return found
