"""A microphone that is missing, busy or unplugged, dictated into as a person would: a message, and the text kept.

The program that listens is ours, on a library for sound that fails as it is told.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from textual.widgets._toast import Toast

from app.tui.chat.composer import Composer
from app.tui.voice.meter import Meter
from app.voice.dictation import Dictation
from app.voice.microphone import Microphone
from app.voice.transcriber import HeardSpeech
from tests.engine.speech import say, silence
from tests.voice.virtual_microphone import speech_only

from .conftest import until
from .scripted import EMBEDDER, STARTER, Entry, Store
from .test_blog_dictation import in_a_post

PROGRAM = Path(__file__).parent.parent / "voice" / "programs" / "captures.py"
FAULTS = {
    "none": ("No microphone", "The system knows no microphone.", "Plug one in"),
    "busy": ("The microphone is in use", "in use or cannot be had just now", "End the program that records with it"),
    "no-portaudio": ("A library for sound is missing", "PortAudio", "apt install libportaudio2"),
    "ends": ("The microphone is gone", "was unplugged", "What was said before is kept."),
}


class Hears:
    """Understands the same words, whatever is said."""

    asked_once = False

    async def prepare(self) -> None:
        return

    async def hear(self, samples: bytes, *, final: bool) -> HeardSpeech:
        return HeardSpeech("the tide came in", "en")


@pytest.mark.parametrize("where", ["post", "prompt"])
@pytest.mark.parametrize("fault", FAULTS)
async def test_what_is_wrong_is_told_and_the_text_is_kept(make_app, monkeypatch, tmp_path, fault: str, where: str):
    speech = silence(0.3) + speech_only(say("hello there", "en-us"))
    heard = (np.frombuffer(speech, np.float32) * 32767).astype("<i2").tobytes()
    (tmp_path / "speech").write_bytes(heard)
    monkeypatch.setenv("CAPTURES_SPEECH", str(tmp_path / "speech"))
    command = (sys.executable, str(PROGRAM), fault)
    entries = (STARTER, EMBEDDER, Entry("whisper-base", role="transcribe"))
    app = make_app(store=Store({"smollm2-135m", "whisper-base"}), entries=entries)
    microphone = Microphone(command=command, silent_s=1.0)
    app._voice.make_dictation = lambda before: Dictation(microphone, Hears(), before=before)
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        if where == "post":
            text = await in_a_post(app, pilot)
        else:
            await until(lambda: app._playground.vault.state == "open")
            text = app.query_one(Composer)
        await pilot.press(*"Before. ")
        await pilot.press("f11")
        await until(lambda: app.query(Toast) and not app.query(Meter), 15)
        await pilot.pause()
        (toast,) = app.query(Toast)
        title, message, remedy = FAULTS[fault]
        told = toast._notification
        assert (told.title, told.severity) == (title, "error")
        assert message in told.message and remedy in told.message
        assert text.text.rstrip() == ("Before. The tide came in" if fault == "ends" else "Before.")
        assert text.has_focus
        # One can go on at once.
        await pilot.press(*"x")
        assert text.text.endswith("x")
        if where == "post":
            desk = app.query_one("#blog").desk
            await until(lambda: not desk.keeper.unwritten)
            assert (await app._playground.vault.posts.get(desk.post.id)).body == text.text
