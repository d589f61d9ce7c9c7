"""A whole post at a real terminal: dictated, typed, helped with, gone back with, published; and what a crash leaves."""

from __future__ import annotations

import asyncio
import re
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.vault import Vault
from app.writing.front_matter import read
from tests.backends.provider import Answer, Provider, Received, provider
from tests.e2e.screen import Screen, running
from tests.engine.speech import say
from tests.routing.scripted import endpoint
from tests.voice.virtual_microphone import virtual_microphone

F2, F3, F4, F6, F11 = "\x1bOQ", "\x1bOR", "\x1bOS", "\x1b[17~", "\x1b[23~"
ESCAPE, ENTER, DOWN, TAB = "\x1b", "\r", "\x1b[B", "\t"
CONTROL_END, CONTROL_HOME = "\x1b[1;5F", "\x1b[1;5H"
CONTROL_Q, CONTROL_R, CONTROL_T = "\x11", "\x12", "\x14"
ALT_E = "\x1be"
SECRET = "Xylophone-Marzipan-77"


def helper(request: Received) -> Answer:
    """A model that does as it is told: five titles, or every paragraph with a word more."""
    asked = str(request.body["messages"][-1]["content"])
    found = re.search(r"<text>\n(.*)\n</text>", asked.replace("\\n", "\n"), re.DOTALL)
    text = found[1] if found else ""
    if "titles" in asked.partition("<text>")[0]:
        return Answer(text=("1. An empty harbour\n", "2. Nobody came\n", "3. The boats\n"))
    return Answer(text=tuple(f"{paragraph} Truly.\n\n" for paragraph in text.split("\n\n")))


def body_of(home: Path, title: str) -> str:
    """The text of a post in the vault of a program that has ended."""

    async def read_it() -> str:
        vault = Vault(home / "data", home / "data" / "backups")
        await vault.open()
        try:
            return (await vault.posts.find(title)).body
        finally:
            await vault.close()

    return asyncio.run(read_it())


@contextmanager
def helping() -> Iterator[Provider]:
    """The provider, in a thread of its own."""
    ready, ended = threading.Event(), threading.Event()
    found: list[Provider] = []

    async def serve() -> None:
        async with provider(helper, models=("helper",)) as there:
            found.append(there)
            ready.set()
            await asyncio.to_thread(ended.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield found[0]
    finally:
        ended.set()
        thread.join(10)


@pytest.fixture
def helped(home: Path, environ: dict[str, str]) -> Iterator[dict[str, str]]:
    """An environment in which a scripted model helps with posts."""
    with helping() as there:
        (home / "config").mkdir(exist_ok=True)
        toml = endpoint("office", url=there.url("openai")) + '[remote.helper]\nendpoint = "office"\n'
        (home / "config" / "models.toml").write_text(toml)
        yield {**environ, "PLAYGROUND_WRITING__MODEL": "helper", "PLAYGROUND_WRITING__SUGGESTIONS": "false"}


def new_post(screen: Screen) -> None:
    screen.wait_for("Ask anything", 20)
    screen.press(F6)
    screen.wait_for("Nothing written yet", 20)
    screen.press("n")
    screen.wait_for("0 words", 20)


def kept(screen: Screen) -> None:
    """Waits until the last key is in the vault: the line says so only some moments later."""
    screen.look(0.5)
    screen.wait_for("✓ saved", 10)


def leave(screen: Screen) -> None:
    screen.press(CONTROL_Q)
    screen.look(3.0)
    screen.program.wait()
    assert screen.program.exitstatus == 0


@pytest.mark.parametrize(("rows", "columns"), [(24, 80), (40, 120)])
def test_a_post_from_its_first_word_to_the_folder_of_a_site(home_with_starter, helped, tmp_path, rows, columns):
    site = tmp_path / "site"
    with running([], helped, rows, columns) as screen:
        new_post(screen)
        screen.press("Draft\r")
        screen.press("The harbour was empty.\r\rNobody came to the boats.")
        screen.wait_for("9 words", 10)
        kept(screen)

        screen.press(F3)
        screen.wait_for("Help with writing", 10)
        screen.wait_for("The whole post · helper", 10)
        screen.press(ENTER)
        screen.wait_for("The boats", 20)
        screen.wait_for("⏎ take", 20)
        screen.press(DOWN)
        screen.look(0.3)
        screen.press(ENTER)
        screen.wait_for("⏎ take", 10, gone=True)
        screen.look(0.5)
        assert "Nobody came" in screen.text.splitlines()[2]

        screen.press(F3)
        screen.wait_for("Help with writing", 10)
        screen.press(DOWN * 3 + ENTER)
        screen.wait_for("In which tone?", 10)
        screen.press("plain" + ENTER)
        screen.wait_for("put in 0 of 2", 20)
        screen.press("a")
        screen.wait_for("put in 1 of 2", 10)
        screen.press("r")
        screen.wait_for("rejected", 10)
        screen.press(ENTER)
        screen.wait_for("put in", 10, gone=True)
        screen.wait_for("The harbour was empty. Truly.", 10)
        assert "boats. Truly." not in screen.text
        kept(screen)

        screen.press(CONTROL_R)
        screen.wait_for("before help", 10)
        screen.wait_for("1 change since", 10)
        screen.press(ENTER)
        screen.wait_for("Gone back", 10)
        screen.look(0.3)
        assert "Truly" not in screen.text
        kept(screen)

        screen.press(CONTROL_T)
        screen.wait_for("Title and tags", 10)
        screen.press(DOWN * 2)
        screen.look(0.3)
        screen.press("sea, harbour" + ENTER)
        screen.wait_for("#sea #harbour", 10)
        screen.press(ALT_E)
        screen.wait_for("Export “", 10)
        screen.press(DOWN * 2)
        screen.press("\x15")
        screen.look(2.0)  # a key that is bound acts after letters that come right behind it
        screen.press(str(site))
        screen.look(0.5)
        screen.press(ENTER)
        screen.wait_for("Written", 10)
        leave(screen)

    (page,) = site.rglob("*.md")
    head, body = read(page.read_text())
    assert page.relative_to(site).parts[:2] == ("content", "posts")
    assert (page.name, head.title, head.tags) == ("index.md", "Nobody came", ("sea", "harbour"))
    assert body == "The harbour was empty.\n\nNobody came to the boats.\n"


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_what_is_said_into_the_microphone_stands_in_the_post(home_with_models, environ, tmp_path):
    folder = tmp_path / "sound"
    folder.mkdir(mode=0o700)
    spoken = "Please send the letter to the office before noon."
    with virtual_microphone(folder) as microphone:
        heard = {**environ, **microphone.environ, "PLAYGROUND_HOME": environ["PLAYGROUND_HOME"]}
        with running([], {**heard, "PLAYGROUND_WRITING__SUGGESTIONS": "false"}, 30, 100) as screen:
            new_post(screen)
            screen.press("Spoken\r")
            screen.look(0.5)
            screen.press(F11)
            screen.wait_for("listening", 60)
            screen.look(4.0)
            asyncio.run(microphone.play(say(spoken, "en-us")))
            screen.wait_for("noon", 30)
            kept(screen)
            screen.press(F11)
            screen.wait_for("stops", 20, gone=True)
            leave(screen)
    written = body_of(Path(environ["PLAYGROUND_HOME"]), "Spoken")
    words = re.findall(r"\w+", written.lower())
    assert sum(word in words for word in re.findall(r"\w+", spoken.lower())) >= 8, written


def test_killed_while_one_types_it_loses_two_seconds_at_most(home_with_starter, environ, home):
    with running([], {**environ, "PLAYGROUND_WRITING__SUGGESTIONS": "false"}) as screen:
        new_post(screen)
        screen.press(f"{SECRET}\r")
        typed: list[float] = []
        while len(typed) < 60:
            screen.press(f"{SECRET}{len(typed):03}\r")
            screen.wait_for(f"{SECRET}{len(typed):03}")  # nobody types faster than it is shown
            typed.append(time.monotonic())
        killed = time.monotonic()
        screen.program.kill(signal.SIGKILL)
        screen.program.wait()
        for file in home.rglob("*"):
            if file.is_file() and "models" not in file.parts:
                assert SECRET[:9].encode() not in file.read_bytes(), f"{file} tells what was written"

    shown = body_of(home, SECRET)
    words = re.findall(rf"{SECRET}(\d\d\d)", shown)
    assert words == [f"{number:03}" for number in range(len(words))]
    assert killed - typed[len(words) - 1] <= 2.0, f"{len(words)} of {len(typed)} words are there"

    with running([], environ) as screen:
        screen.wait_for("Ask anything", 20)
        screen.press(F6)
        screen.wait_for(SECRET, 20)
        screen.press(ENTER)
        screen.wait_for(f"{SECRET}000", 20)
        leave(screen)


def test_leaving_at_once_keeps_the_last_word(home_with_starter, environ, home):
    with running([], {**environ, "PLAYGROUND_WRITING__SUGGESTIONS": "false"}) as screen:
        new_post(screen)
        screen.press("Hurry\rThe last word")
        screen.wait_for("The last word", 10)
        screen.press(CONTROL_Q)
        screen.look(3.0)
        screen.program.wait()
        assert screen.program.exitstatus == 0
    shown = body_of(home, "Hurry")
    assert "The last word" in shown


def test_the_starter_model_goes_on_with_what_is_typed(home_with_starter, environ, home):
    with running([], environ) as screen:
        new_post(screen)
        screen.press("Rome\r")
        screen.press("The capital of Italy is")
        before = screen.wait_for("The capital of Italy is", 10)
        assert before
        screen.wait_for("The capital of Italy is R", 60)
        line = next(line for line in screen.text.splitlines() if "The capital of Italy is R" in line)
        screen.press(TAB)
        screen.look(0.5)
        kept(screen)
        leave(screen)
    shown = body_of(home, "Rome")
    assert line.strip() in shown
