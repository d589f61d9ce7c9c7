"""The prompt in the person's own editor: it keeps nothing, and everything else goes on meanwhile."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import stat
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path

import pytest

from app.privacy import editor
from app.privacy.editor import EditorError, edit, editor_command
from app.privacy.editor_options import options_that_keep_nothing
from app.tui.app import PlaygroundApp
from app.tui.chat.composer import Composer
from app.tui.chat.pane import ChatPane

from .conftest import until
from .scripted import ScriptedRouter, answer

Make = Callable[..., PlaygroundApp]
PATH = "/bin:/usr/bin"

WAITS = 'for i in $(seq 200); do [ -e "$0.go" ] && break; sleep 0.02; done; echo "from the editor" > "$1"'
"""An editor that is open until a file appears beside it."""


def script(folder: Path, body: str, name: str = "fake-editor") -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


async def run(command: Sequence[str], environ: Mapping[str, str]) -> int:
    process = await asyncio.create_subprocess_exec(*command, env=dict(environ))
    return await process.wait()


def with_editor(make_app: Make, path: Path, router: ScriptedRouter | None = None) -> PlaygroundApp:
    app = make_app(router, environ={"EDITOR": str(path), "PATH": PATH})
    app.suspend = nullcontext  # type: ignore[method-assign]  # there is no terminal to lend
    return app


async def test_what_the_editor_saved_comes_back(tmp_path: Path) -> None:
    path = script(tmp_path, 'printf "%s and more\\n" "$(cat "$1")" > "$1"')
    assert await edit("draft", {"EDITOR": str(path), "PATH": PATH}, run) == "draft and more"


async def test_leaving_without_saving_changes_nothing(tmp_path: Path) -> None:
    assert await edit("draft", {"VISUAL": str(script(tmp_path, "exit 0")), "PATH": PATH}, run) is None


async def test_a_failing_editor_is_told_of_and_its_text_is_not_used(tmp_path: Path) -> None:
    path = script(tmp_path, 'echo lost > "$1"; exit 3')
    with pytest.raises(EditorError, match="status 3"):
        await edit("draft", {"EDITOR": str(path), "PATH": PATH}, run)


async def test_a_missing_editor_is_named(tmp_path: Path) -> None:
    with pytest.raises(EditorError, match="no-such-editor"):
        await edit("draft", {"EDITOR": "no-such-editor --wait", "PATH": str(tmp_path)}, run)
    with pytest.raises(EditorError, match="No editor was found"):
        editor_command({"PATH": str(tmp_path)})


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
async def test_the_text_is_gone_when_the_terminal_is_closed_meanwhile(tmp_path: Path, number: signal.Signals) -> None:
    code = (
        "import asyncio, os, signal\n"
        "from app.privacy.editor import edit\n"
        "async def run(command, environ):\n"
        "    print(command[-1], flush=True)\n"
        f"    os.kill(os.getpid(), {int(number)})\n"
        "    await asyncio.sleep(10)\n"
        "    return 0\n"
        "asyncio.run(edit('secret', {'EDITOR': 'true', 'PATH': '/bin:/usr/bin'}, run))\n"
    )
    import sys

    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    said, _ = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == -number
    assert not Path(said.decode().strip()).parent.exists()


# Nothing is kept


@pytest.mark.skipif(shutil.which("vim") is None, reason="needs Vim")
async def test_vim_keeps_nothing_whatever_its_settings_say(tmp_path: Path) -> None:
    for name in ("undo", "swap", "backup"):
        (tmp_path / name).mkdir()
    (tmp_path / ".vimrc").write_text(
        "set undofile undodir=~/undo directory=~/swap// updatecount=1 backup backupdir=~/backup"
        " viminfo='100 viminfofile=~/info\n"
    )
    environ = {"EDITOR": "vim", "HOME": str(tmp_path), "PATH": PATH, "TERM": "xterm"}

    async def typed(command: Sequence[str], environ: Mapping[str, str]) -> int:
        ours, terminal = os.openpty()
        process = await asyncio.create_subprocess_exec(
            *command, env=dict(environ), stdin=terminal, stdout=terminal, stderr=terminal
        )
        os.close(terminal)
        os.write(ours, b"yyp:wq\r")
        loop = asyncio.get_running_loop()
        loop.add_reader(ours, lambda: os.read(ours, 65_536))
        try:
            return await asyncio.wait_for(process.wait(), 10)
        finally:
            loop.remove_reader(ours)
            os.close(ours)

    assert await edit("a secret", environ, typed) == "a secret\na secret"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [".vimrc"]


def test_an_editor_is_known_by_what_its_name_stands_for(tmp_path: Path) -> None:
    script(tmp_path, "", "nvim-0.11")
    (tmp_path / "editor").symlink_to("nvim-0.11")
    environ = {"PATH": str(tmp_path), "HOME": str(tmp_path)}
    assert "-i" in options_that_keep_nothing("editor", environ)
    assert "-i" in options_that_keep_nothing("/somewhere/vim.tiny", environ)
    assert options_that_keep_nothing("emacs", environ)[0] == "--eval"
    assert options_that_keep_nothing("micro", environ) == []
    script(tmp_path, "# not that one", "vi")
    assert options_that_keep_nothing("vi", environ) == []
    script(tmp_path, "# VIMRUNTIME", "vi")
    assert "-i" in options_that_keep_nothing("vi", environ)


def test_settings_of_nano_that_keep_something_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.privacy.editor_options._NANO_OF_ALL", ())
    environ = {"PATH": str(tmp_path), "HOME": str(tmp_path)}
    (tmp_path / ".nanorc").write_text("# set backup\nset linenumbers\n")
    assert options_that_keep_nothing("nano", environ) == []
    (tmp_path / ".nanorc").write_text("set linenumbers\n  set historylog\n")
    assert options_that_keep_nothing("nano", environ) == ["-I"]


async def test_it_is_said_once_where_there_is_no_folder_in_memory(
    make_app: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(editor, "memory_folder", lambda: None)
    monkeypatch.setattr("app.tui.outside_editor.memory_folder", lambda: None)
    app = with_editor(make_app, script(tmp_path, 'echo more >> "$1"'))
    async with app.run_test() as pilot:
        for lines in (1, 2):
            await pilot.press("ctrl+g")
            await until(lambda lines=lines: app.query_one(Composer).text.count("more") == lines)
        assert [toast.message for toast in app._notifications if "no folder in memory" in toast.message].__len__() == 1


# The rest goes on


async def test_an_answer_comes_in_while_the_editor_is_open(make_app: Make, tmp_path: Path) -> None:
    path = script(tmp_path, WAITS)
    app = with_editor(make_app, path, ScriptedRouter(answer("Came in meanwhile.")))
    async with app.run_test() as pilot:
        pane = app.query_one(ChatPane)
        before = signal.getsignal(signal.SIGINT)
        await pilot.press("ctrl+g")
        await until(lambda: app.terminal.lent)
        await pilot.press("ctrl+g")  # it is open already
        os.kill(os.getpid(), signal.SIGINT)  # Ctrl+C in an editor reaches this program, too
        app.run_worker(pane.ask("Hello?"))
        await until(lambda: not pane.answering and len(pane.conversation) == 2)
        assert app.terminal.lent
        assert pane.conversation.path()[-1].message.text == "Came in meanwhile."
        path.with_name("fake-editor.go").touch()
        await until(lambda: app.query_one(Composer).text == "from the editor")
        assert not app.terminal.lent
        assert signal.getsignal(signal.SIGINT) is before


async def test_the_vault_is_not_locked_under_it(make_app: Make, tmp_path: Path) -> None:
    path = script(tmp_path, WAITS)
    app = with_editor(make_app, path)
    async with app.run_test() as pilot:
        await until(lambda: app.query_one(ChatPane).keeper is not None)
        await app._playground.vault.set_passphrase("correct horse")
        await pilot.press("ctrl+g")
        await until(lambda: app.terminal.lent)
        app._guard._used_at -= 10_000
        app._watch_idleness()
        assert app._playground.vault.state == "open"
        assert not app._guard.unattended
        path.with_name("fake-editor.go").touch()
        await until(lambda: not app.terminal.lent)


async def test_leaving_the_program_ends_it(make_app: Make, tmp_path: Path) -> None:
    path = script(tmp_path, f'echo $$ > "$0.pid"; exec {shutil.which("sleep")} 20')
    app = with_editor(make_app, path)
    async with app.run_test() as pilot:
        await pilot.press("ctrl+g")
        noted = path.with_name("fake-editor.pid")
        await until(lambda: noted.exists() and noted.read_text())
        app.exit()
    await until(lambda: not Path(f"/proc/{noted.read_text().strip()}").exists())
