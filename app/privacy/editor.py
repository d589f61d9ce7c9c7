"""A text in the person's own editor, which keeps nothing of it on the disk."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from app.errors import PlaygroundError

from .editor_options import options_that_keep_nothing

Run = Callable[[Sequence[str], Mapping[str, str]], Awaitable[int]]
"""Runs a command in the terminal and gives its status."""


class EditorError(PlaygroundError):
    """The editor could not be started, or ended with a failure."""

    title = "The editor did not work"
    code = "editor"


def editor_command(environ: Mapping[str, str]) -> list[str]:
    """``$VISUAL``, ``$EDITOR``, or the first usual editor that is installed.

    Raises:
        EditorError: when there is none.
    """
    for name in ("VISUAL", "EDITOR"):
        if value := environ.get(name, "").strip():
            return shlex.split(value)
    for name in ("editor", "nano", "vim", "vi"):
        if found := shutil.which(name, path=environ.get("PATH")):
            return [found]
    raise EditorError("No editor was found.", "Set EDITOR to the one you like, as in EDITOR=nano.")


def memory_folder() -> Path | None:
    """A folder that never reaches a disk; ``None`` where the system has none."""
    folder = Path("/dev/shm")  # noqa: S108 (a folder of our own is made inside)
    return folder if folder.is_dir() and os.access(folder, os.W_OK) else None


async def edit(text: str, environ: Mapping[str, str], run: Run) -> str | None:
    """Opens ``text`` in the editor, which ``run`` gives the terminal to, and waits for it to end.

    Returns what was saved, or ``None`` when the editor was left without saving. The file lies in a folder that only
    this user can open, in memory where the system has a place for that, and is gone afterwards; so is what the editor
    kept beside it for a crash. Editors that are known are told to keep nothing anywhere else.

    Raises:
        EditorError: when the editor cannot be started or ends with a failure, in which case nothing it wrote is used.
    """
    command = editor_command(environ)
    options = options_that_keep_nothing(command[0], environ)
    with _folder() as folder:
        path = folder / "prompt.md"
        path.write_text(text, encoding="utf-8")
        os.utime(path, ns=(0, 0))
        before = path.stat()
        try:
            status = await run([*command, *options, str(path)], environ)
        except OSError as error:
            raise EditorError(
                f"{command[0]!r} could not be started: {error.strerror or error}.",
                "Check EDITOR; your draft is unchanged.",
            ) from error
        if status != 0:
            raise EditorError(f"{command[0]!r} ended with status {status}.", "Your draft is unchanged.")
        try:
            after = path.stat()
            if (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino):
                return None
            return path.read_text(encoding="utf-8").removesuffix("\n")
        except FileNotFoundError:
            return None
        except UnicodeDecodeError as error:
            raise EditorError("What the editor saved is not UTF-8 text.", "Your draft is unchanged.") from error


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder for the text, gone afterwards, also when the terminal is closed meanwhile."""
    with tempfile.TemporaryDirectory(prefix="playground-", dir=memory_folder()) as name:

        def closed(number: int, _frame: FrameType | None) -> None:
            shutil.rmtree(name, ignore_errors=True)
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

        before = {number: signal.signal(number, closed) for number in (signal.SIGHUP, signal.SIGTERM)}
        try:
            yield Path(name)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


@contextmanager
def signals_left_to_another() -> Iterator[None]:
    """Keys that send signals, Ctrl+C among them, are for the program that has the terminal, not for this one."""
    # Handled, not ignored: what is ignored here would be ignored by the program that is started, too.
    before = {number: signal.signal(number, _let_pass) for number in (signal.SIGINT, signal.SIGQUIT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _let_pass(_number: int, _frame: object) -> None:
    """Does nothing."""
