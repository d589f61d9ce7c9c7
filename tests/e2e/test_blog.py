"""A whole post at a real terminal: dictated, typed, helped with, gone back with, published; and what a crash leaves."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import stat
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.vault import Vault
from app.writing.front_matter import FrontMatter, read
from tests.backends.provider import Answer, Received, provider
from tests.beside import beside
from tests.e2e.screen import Screen, running
from tests.engine.speech import say
from tests.routing.scripted import endpoint
from tests.voice.measuring import errors
from tests.voice.virtual_microphone import VirtualMicrophone, speech_only, virtual_microphone

F2, F3, F4, F6, F11 = "\x1bOQ", "\x1bOR", "\x1bOS", "\x1b[17~", "\x1b[23~"
ESCAPE, ENTER, DOWN, TAB = "\x1b", "\r", "\x1b[B", "\t"
CONTROL_END, CONTROL_HOME = "\x1b[1;5F", "\x1b[1;5H"
SHIFT_UP, SHIFT_HOME = "\x1b[1;2A", "\x1b[1;2H"
CONTROL_Q, CONTROL_R, CONTROL_T, CONTROL_U = "\x11", "\x12", "\x14", "\x15"
ALT_E = "\x1be"
SECRET = "Xylophone-Marzipan-77"


def helper(request: Received) -> Answer:
    """A model that does as it is told: five titles, or every line but one with a word more."""
    asked = str(request.body["messages"][-1]["content"])
    found = re.search(r"<text>\n(.*)\n</text>", asked.replace("\\n", "\n"), re.DOTALL)
    text = found[1] if found else ""
    if "titles" in asked.partition("<text>")[0]:
        return Answer(text=("1. An empty harbour\n", "2. Nobody came\n", "3. The boats\n"))
    return Answer(text=tuple(_with_a_word_more(line) for line in text.splitlines(keepends=True)))


def _with_a_word_more(line: str) -> str:
    words = line.rstrip("\n")
    return line if words in ("", "It was so.") else f"{words} Truly.{line[len(words) :]}"


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


@pytest.fixture
def helped(home: Path, environ: dict[str, str]) -> Iterator[dict[str, str]]:
    """An environment in which a scripted model helps with posts."""
    with beside(provider(helper, models=("helper",))) as there:
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
    # Looked at until it has ended: a program whose last words nobody reads would wait for that.
    until(screen, lambda: not screen.program.isalive(), 30)
    assert screen.program.exitstatus == 0


SPOKEN = (
    "The weather was cold and grey when we left the house this morning.",
    "She opened the window and listened to the rain.",
)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_post_from_its_first_spoken_word_to_the_folder_of_a_site(home_with_models, helped, tmp_path):
    """Dictated, given one of three titles, a paragraph rewritten in part, gone back with, exported for Hugo."""
    site, folder = tmp_path / "site", tmp_path / "sound"
    folder.mkdir(mode=0o700)
    with virtual_microphone(folder) as microphone:
        environ = {**microphone.environ, **{name: helped[name] for name in helped if name.startswith("PLAYGROUND_")}}
        with running([], environ, 24, 80) as screen:
            new_post(screen)
            screen.press("Draft\rA note before.\r\r")
            dictate(screen, microphone)
            kept(screen)
            take_second_title(screen)
            # The paragraph alone that the cursor stands in, marked from its end to its beginning.
            screen.press(SHIFT_UP * 2 + SHIFT_HOME)
            rewrite(screen, "The marked")
            assert screen.text.count("Truly") == 1
            assert screen.text.index("weather") < screen.text.index("Truly") < screen.text.index("It was so.")
            kept(screen)
            go_back(screen)
            give_tags(screen)
            export_for_hugo(screen, site)
            leave(screen)
    head, body = exported(site)
    assert (head.title, head.tags) == ("Nobody came", ("sea", "harbour"))
    before, empty, first, between, second = body.rstrip("\n").split("\n")
    assert (before, empty, between) == ("A note before.", "", "It was so.")
    assert sum(errors(said, heard) for said, heard in zip(SPOKEN, (first, second), strict=True)) <= 2, body
    assert body_of(Path(helped["PLAYGROUND_HOME"]), "Nobody came") == body.rstrip("\n")


def test_a_post_from_its_first_typed_word_to_the_folder_of_a_site(home_with_starter, helped, tmp_path):
    site = tmp_path / "site"
    with running([], helped, 40, 120) as screen:
        new_post(screen)
        screen.press("Draft\r")
        screen.press("The harbour was empty.\r\rNobody came to the boats.")
        screen.wait_for("9 words", 10)
        kept(screen)
        take_second_title(screen)
        rewrite(screen, "The whole post")
        screen.wait_for("The harbour was empty. Truly.", 10)
        assert "boats. Truly." not in screen.text
        kept(screen)
        go_back(screen)
        give_tags(screen)
        export_for_hugo(screen, site)
        leave(screen)
    head, body = exported(site)
    assert (head.title, head.tags) == ("Nobody came", ("sea", "harbour"))
    assert body == "The harbour was empty.\n\nNobody came to the boats.\n"


def dictate(screen: Screen, microphone: VirtualMicrophone) -> None:
    """Speaks two sentences into the post, with a typed line between them."""
    screen.press(F11)
    screen.wait_for("listening", 60)
    screen.look(1.0)  # so much silence that it is known how silence sounds here
    speak(screen, microphone, SPOKEN[0], "morning")
    screen.press("\rIt was so.\r")
    screen.wait_for("It was so.", 10)
    speak(screen, microphone, SPOKEN[1], "rain")
    screen.press(F11)
    screen.wait_for("stops", 30, gone=True)


def speak(screen: Screen, microphone: VirtualMicrophone, sentence: str, last: str) -> None:
    """Says a sentence while the screen is looked at, until its ``last`` word is in the post for good."""
    pcm = speech_only(say(sentence, "en-us"))
    player = threading.Thread(target=lambda: asyncio.run(microphone.play(pcm)))
    player.start()
    while player.is_alive():
        screen.look(0.1)
    player.join()
    end = time.monotonic() + 60
    # While it is only being said, the line below shows it, and not who listens.
    while not (last in screen.text and "listening" in screen.text):
        assert time.monotonic() < end, f"{sentence!r} was not written:\n{screen.text}"
        screen.look(0.2)


def take_second_title(screen: Screen) -> None:
    """Asks for three titles, and takes one that is not the first."""
    screen.press(F3)
    screen.wait_for("Help with writing", 20)
    screen.wait_for("The whole post · helper", 20)
    screen.press(ENTER)
    for title in ("An empty harbour", "Nobody came", "The boats"):
        screen.wait_for(title, 30)
    screen.wait_for("⏎ take", 30)
    screen.press(DOWN)
    screen.press(ENTER)
    screen.wait_for("⏎ take", 20, gone=True)
    until(screen, lambda: "Nobody came" in screen.text.splitlines()[2])


def rewrite(screen: Screen, what: str) -> None:
    """Has ``what`` rewritten, accepts the first change and rejects the second."""
    screen.press(F3)
    screen.wait_for("Help with writing", 20)
    screen.wait_for(what, 20)
    screen.press(DOWN * 3 + ENTER)
    screen.wait_for("In which tone?", 20)
    screen.press("plain" + ENTER)
    screen.wait_for("put in 0 of 2", 30)
    screen.press("a")
    screen.wait_for("put in 1 of 2", 20)
    screen.press("r")
    screen.wait_for("rejected", 20)
    screen.press(ENTER)
    screen.wait_for("put in", 20, gone=True)
    screen.wait_for("Truly", 20)


def go_back(screen: Screen) -> None:
    """Restores the revision that was kept before the help."""
    screen.press(CONTROL_R)
    screen.wait_for("before help", 20)
    screen.wait_for("1 change since", 20)
    screen.press(ENTER)
    screen.wait_for("Gone back", 20)
    screen.wait_for("Truly", 20, gone=True)
    kept(screen)


def give_tags(screen: Screen) -> None:
    """Writes two tags into the post's head."""
    screen.press(CONTROL_T)
    screen.wait_for("leave as it was", 20)
    for field in ("slug", "tags"):
        # A key that is bound acts after letters that come right behind it: each is waited for.
        screen.press(DOWN)
        until(screen, lambda field=field: has_cursor(screen, field))
    screen.press("sea, harbour")
    screen.wait_for("sea, harbour", 20)
    screen.press(ENTER)
    screen.wait_for("#sea #harbour", 20)


def export_for_hugo(screen: Screen, site: Path) -> None:
    """Writes the post into a folder as Hugo wants it."""
    screen.press(ALT_E)
    screen.wait_for("Export “", 20)
    screen.press(DOWN * 2)
    screen.wait_for("index.md", 20)
    screen.press(CONTROL_U)
    until(screen, lambda: not row_below(screen, "into the folder").strip(" │"))
    screen.press(str(site))
    screen.wait_for(site.name, 20)
    screen.press(ENTER)
    screen.wait_for("Written", 20)


def exported(site: Path) -> tuple[FrontMatter, str]:
    """The head and the text of the one page of a site, as a reader of front matter gives them."""
    (page,) = site.rglob("*.md")
    assert (page.relative_to(site).parts[:2], page.name) == (("content", "posts"), "index.md")
    head, body = read(page.read_text())
    return head, body


def row_below(screen: Screen, words: str) -> str:
    """The row below the one that has ``words``."""
    rows = screen.text.splitlines()
    return rows[next(place for place, row in enumerate(rows) if words in row) + 1]


def has_cursor(screen: Screen, label: str) -> bool:
    """Whether the field beside a label has the cursor, which is the one thing in it of another colour."""
    place, row = next((place, row) for place, row in enumerate(screen.text.splitlines()) if f"  {label} " in row)
    start = row.index(label) + len("title   ") + 1
    return len({(cell.bg, cell.reverse) for cell in screen.cells(place)[start : start + 40]}) > 1


def until(screen: Screen, condition: Callable[[], bool], seconds: float = 20) -> None:
    """Waits until something is so on the screen."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, screen.text
        screen.look(0.1)


def test_killed_while_one_types_it_loses_two_seconds_at_most(home_with_starter, environ, home, tmp_path):
    folders = {name: str(tmp_path / name) for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_STATE_HOME")}
    for folder in folders.values():
        Path(folder).mkdir()
    control = tmp_path / "control.md.swp"
    control.write_bytes(b"\0" + SECRET.encode())
    assert telling(tmp_path) == [control]
    control.unlink()
    with running([], {**environ, **folders, "PLAYGROUND_WRITING__SUGGESTIONS": "false"}) as screen:
        new_post(screen)
        screen.press(f"{SECRET}\r")
        typed: list[float] = []
        while len(typed) < 60:
            screen.press(f"{SECRET}{len(typed):03}\r")
            screen.wait_for(f"{SECRET}{len(typed):03}")  # nobody types faster than it is shown
            typed.append(time.monotonic())
            if len(typed) == 30:
                # Its temporary files, the ones without a name among them, are where this test looks.
                elsewhere = [path for path in written_by(screen.program.pid) if not path.startswith(str(tmp_path))]
                assert elsewhere == []
                assert telling(tmp_path) == []
        killed = time.monotonic()
        screen.program.kill(signal.SIGKILL)
        screen.program.wait()
        assert telling(tmp_path) == []

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


def telling(folder: Path) -> list[Path]:
    """The files that tell what was written, wherever they lie, whatever they are called."""
    files = (file for file in folder.rglob("*") if file.is_file() and "models" not in file.parts)
    return [file for file in files if SECRET[:9].encode() in file.read_bytes()]


def written_by(pid: int) -> list[str]:
    """The ordinary files that a program and those it started hold open to write."""
    found = []
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        found += written_by(int(child))
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        path = entry.readlink()
        flags = int(Path(f"/proc/{pid}/fdinfo/{entry.name}").read_text().split("flags:")[1].split()[0], 8)
        if stat.S_ISREG(entry.stat().st_mode) and flags & os.O_ACCMODE != os.O_RDONLY:
            found.append(str(path))
    return found


def test_leaving_at_once_keeps_the_last_word(home_with_starter, environ, home):
    with running([], {**environ, "PLAYGROUND_WRITING__SUGGESTIONS": "false"}) as screen:
        new_post(screen)
        screen.press("Hurry\rThe last word")
        screen.wait_for("The last word", 10)
        leave(screen)
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
