"""The prompt in the person's own editor."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from app.errors import PlaygroundError


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


def _in_memory() -> str | None:
    """A folder that never reaches a disk; None, the usual place, where there is none."""
    folder = Path("/dev/shm")  # noqa: S108 (a folder of our own is made inside)
    return str(folder) if folder.is_dir() and os.access(folder, os.W_OK) else None


def edit(text: str, environ: Mapping[str, str]) -> str | None:
    """Opens ``text`` in the editor and waits for it to end; the terminal must be free.

    Returns what was saved, or ``None`` when the editor was left without saving. The file lies in a folder that only
    this user can open, in memory where the system has a place for that, and is gone afterwards; so is what the editor
    kept beside it for a crash.

    Raises:
        EditorError: when the editor cannot be started or ends with a failure, in which case nothing it wrote is used.
    """
    command = editor_command(environ)
    with tempfile.TemporaryDirectory(prefix="playground-", dir=_in_memory()) as folder:
        path = Path(folder) / "prompt.md"
        path.write_text(text, encoding="utf-8")
        os.utime(path, ns=(0, 0))
        before = path.stat()
        try:
            ended = subprocess.run([*command, str(path)], env=dict(environ), check=False)
        except OSError as error:
            raise EditorError(
                f"{command[0]!r} could not be started: {error.strerror or error}.",
                "Check EDITOR; your draft is unchanged.",
            ) from error
        if ended.returncode != 0:
            raise EditorError(f"{command[0]!r} ended with status {ended.returncode}.", "Your draft is unchanged.")
        try:
            after = path.stat()
            if (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino):
                return None
            return path.read_text(encoding="utf-8").removesuffix("\n")
        except FileNotFoundError:
            return None
        except UnicodeDecodeError as error:
            raise EditorError("What the editor saved is not UTF-8 text.", "Your draft is unchanged.") from error
