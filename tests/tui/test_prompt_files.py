"""Files in the composer: finding one behind an @, what is shown of those that are mentioned, and pictures by path."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.widgets import Static

from app.chat.attaching.fuzzy import FuzzyPaths
from app.chat.attaching.listing import entries_at, files_below
from app.tui.chat.composer import Composer
from app.tui.chat.file_finder import FileFinder
from app.tui.chat.offered_files import OfferedFiles
from app.tui.chat.prompt_area import PromptArea
from app.tui.chat.prompt_files import read_mentioned
from tests.chat.test_attaching import png

from .conftest import until

FILES = ("README.md", "src/main.py", "src/a b.txt", "node_modules/x.js", ".hidden/y", "deep/er/notes.md")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"This is {name}.")
    (tmp_path / "bad\x1bname").write_text("x")
    (tmp_path / "loop").symlink_to(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_outside_of_a_repository_hidden_and_heavy_folders_are_left_out(folder: Path) -> None:
    assert files_below(folder) == ["README.md", "src/a b.txt", "src/main.py", "deep/er/notes.md"]
    assert files_below(folder, seconds=-1) == []
    assert files_below(folder / "gone") == []


def test_in_a_repository_git_says_what_counts_and_runs_no_program_of_its_settings(folder: Path) -> None:
    def git(*words: str) -> None:
        subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)

    git("init", "-q")
    git("config", "core.fsmonitor", f"touch {folder}/was-run; false")
    (folder / ".gitignore").write_text("deep/\n")
    assert set(files_below(folder)) == {
        ".gitignore", ".hidden/y", "README.md", "loop", "src/a b.txt", "src/main.py", "node_modules/x.js"
    }  # fmt: skip
    assert files_below(folder / "src") == ["a b.txt", "main.py"]
    assert files_below(folder / "deep") == ["er/notes.md"]  # ignored itself: who works there wants its files
    assert not (folder / "was-run").exists()


def test_the_name_counts_most_and_letters_may_stand_apart() -> None:
    paths = FuzzyPaths(["app/tui/chat/pane.py", "panels/other.py", "app/compost.md", "app/tui/chat/composer.py"])
    assert paths.find("pane")[0] == "app/tui/chat/pane.py"
    assert paths.find("compo") == ("app/compost.md", "app/tui/chat/composer.py")
    assert paths.find("compos")[0] == "app/compost.md"
    assert paths.find("tuicomp") == ("app/tui/chat/composer.py",)
    assert paths.find("zz") == () and paths.find("chat/p")[0] == "app/tui/chat/pane.py"
    assert paths.find("pane", stopped=lambda: True) == ()


def test_fifty_thousand_paths_are_searched_within_a_few_frames() -> None:
    paths = FuzzyPaths([f"package{n % 97}/module{n % 31}/part_{n}/implementation_{n}.py" for n in range(50_000)])
    for words in ("i", "im", "implementation_49", "pmpi9", "e" * 40):
        began = time.thread_time()
        paths.find(words)
        assert time.thread_time() - began < 1.0, words


def test_a_path_from_elsewhere_goes_on_folder_by_folder(folder: Path) -> None:
    assert entries_at(f"{folder}/s") == [f"{folder}/src/"]
    assert entries_at(f"{folder}/src/M") == [f"{folder}/src/main.py"]
    assert entries_at(f"{folder}/.h") == [f"{folder}/.hidden/"]
    assert entries_at(f"{folder}/gone/x") == []


class Alone(App[None]):
    def compose(self) -> ComposeResult:
        yield PromptArea(Composer())

    def on_mount(self) -> None:
        self.sent: list[Composer.Sent] = []

    def on_composer_sent(self, event: Composer.Sent) -> None:
        self.sent.append(event)


async def test_a_file_is_found_by_typing_taken_and_sent_with_the_prompt(folder: Path) -> None:
    app = Alone()
    async with app.run_test() as pilot:
        composer, offered = app.query_one(Composer), app.query_one(OfferedFiles)
        composer.focus()
        await pilot.press(*"see @ma")
        await until(lambda: offered.highlighted == "src/main.py")
        await pilot.press("escape")
        await until(lambda: not offered.display and not composer.picking)
        await pilot.press("backspace")
        await until(lambda: offered.display)
        await pilot.press("down", "up", *"ain", "tab")
        await until(lambda: composer.text == "see @src/main.py ")
        await until(lambda: not offered.display)
        attached = app.query_one("#attached", Static)
        await until(lambda: attached.display)
        assert "src/main.py · " in str(attached.content) and "token" in str(attached.content)
        await pilot.press(*'and @"a b')
        await until(lambda: offered.highlighted == "src/a b.txt")
        await pilot.press("enter")
        await until(lambda: composer.text == 'see @src/main.py and @"src/a b.txt" ')
        composer.insert("me@x.org @nobody")
        await pilot.press("enter")
        await until(lambda: app.sent)
        read = await read_mentioned(app.sent[0].mentions)
        assert [file.name for file in read.files] == ["src/main.py", "src/a b.txt"] and read.trouble is None
        await until(lambda: not attached.display)


async def test_a_pasted_path_of_a_picture_becomes_a_mention_and_can_be_text_again(folder: Path) -> None:
    (folder / "my picture.png").write_bytes(png(64, 32))
    (folder / "fake.png").write_text("no picture")
    app = Alone()
    async with app.run_test() as pilot:
        composer = app.query_one(Composer)
        composer.focus()
        composer.post_message(events.Paste(f"'{folder}/my picture.png' "))
        await until(lambda: composer.text == '@"my picture.png" ')
        attached = app.query_one("#attached", Static)
        await until(lambda: "64 × 32" in str(attached.content))
        await pilot.press("ctrl+z")
        assert composer.text == f"'{folder}/my picture.png'"
        composer.put("")
        composer.post_message(events.Paste(f"{folder}/fake.png"))
        await pilot.pause(0.2)
        assert composer.text == f"{folder}/fake.png"


async def test_what_stands_in_a_long_paste_attaches_nothing(folder: Path) -> None:
    app = Alone()
    async with app.run_test() as pilot:
        composer = app.query_one(Composer)
        composer.focus()
        composer.post_message(events.Paste("@README.md " * 2_000))
        await pilot.pause()
        await pilot.press("enter")
        await until(lambda: app.sent)
        assert app.sent[0].mentions == () and app.sent[0].text.startswith("@README.md")


async def test_a_drive_that_does_not_answer_holds_nothing_up(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    from threading import Event

    from app.chat.attaching import listing

    gone = Event()
    monkeypatch.setattr(listing, "files_below", lambda *_, **__: gone.wait(20) and [])
    monkeypatch.setattr("app.tui.chat.file_finder._LISTING", 0.1)
    finder = FileFinder(lambda: folder)
    began = time.monotonic()
    assert await finder.find("a") == ()
    assert time.monotonic() - began < 2
    finder.close()
    gone.set()
