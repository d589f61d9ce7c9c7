"""The files below a folder that somebody may mean: what git knows of, else a walk that is bounded. Blocks."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from threading import Timer

MOST = 50_000
"""Files of a list; those that lie deeper are left out."""

MOST_ENTRIES = 5_000
"""Entries of one folder that are looked at."""

SECONDS = 4.0
_DEEPEST = 16
_CHUNK = 65_536
_HEAVY = frozenset(
    (
        "node_modules", "__pycache__", "venv", "env", "target", "build", "dist", "site-packages", "vendor", "Pods",
        "DerivedData", "bower_components",
    )
)  # fmt: skip
"""Folders that programs fill."""

_GIT = ("git", "-c", "core.fsmonitor=false", "-c", "core.untrackedCache=false")
"""A repository's own settings could name a program to be run; these are the ones that listing would obey."""


def files_below(folder: Path, *, seconds: float = SECONDS, stopped: Callable[[], bool] = lambda: False) -> list[str]:
    """Paths relative to ``folder``, the shallow ones first: those that git does not ignore, in a repository.

    Outside of one hidden folders and those that programs fill are left out, and links to folders are not followed.

    Args:
        folder: where to begin.
        seconds: after which the list ends with what was found.
        stopped: asked now and then; True ends the list.
    """
    end = time.monotonic() + seconds

    def over() -> bool:
        return stopped() or time.monotonic() > end

    found = _of_git(folder, seconds, stopped)
    if not found:  # no repository, or one that ignores this very folder
        found = list(islice(_walked(folder, over), MOST))
    return sorted(filter(_can_be_named, found), key=lambda path: (path.count("/"), path))


def entries_at(begun: str) -> list[str]:
    """What a path that was begun may become, from elsewhere than below: ``~/no`` and ``/etc/ho``; folders end in ``/``.

    Hidden ones are left out until their dot is typed.
    """
    head, _, rest = begun.rpartition("/")
    folder = Path(f"{head}/").expanduser()
    found = []
    with suppress(OSError, RuntimeError), os.scandir(folder) as entries:
        for entry in islice(entries, MOST_ENTRIES):
            hidden = entry.name.startswith(".") and not rest.startswith(".")
            if entry.name.lower().startswith(rest.lower()) and not hidden and _can_be_named(entry.name):
                found.append(f"{head}/{entry.name}{'/' if entry.is_dir() else ''}")
    return sorted(found)


def _of_git(folder: Path, seconds: float, stopped: Callable[[], bool]) -> list[str] | None:
    """What git lists; ``None`` where there is no repository, or no git."""
    command = [*_GIT, "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    environ = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    nothing, pipe = subprocess.DEVNULL, subprocess.PIPE
    try:
        git = subprocess.Popen(command, cwd=folder, env=environ, stdin=nothing, stdout=pipe, stderr=nothing)
    except OSError:
        return None
    late = Timer(seconds, git.kill)
    late.daemon = True
    late.start()
    held, count, stream = [], 0, git.stdout
    assert stream is not None
    with git:
        while count <= MOST and not stopped() and (chunk := os.read(stream.fileno(), _CHUNK)):
            held.append(chunk)
            count += chunk.count(0)
        git.kill()
    late.cancel()
    listed = b"".join(held)
    if not listed and git.returncode:
        return None
    # What was cut off behind the last zero is no path.
    names = listed.split(b"\0")[:-1][:MOST]
    return list(dict.fromkeys(name.decode("utf-8", "replace") for name in names))


def _walked(folder: Path, over: Callable[[], bool]) -> Iterator[str]:
    level = [""]
    for _ in range(_DEEPEST):
        below: list[str] = []
        for inside in level:
            if over():
                return
            with suppress(OSError), os.scandir(folder / inside) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        if not entry.name.startswith(".") and entry.name not in _HEAVY:
                            below.append(f"{inside}{entry.name}/")
                    elif entry.is_file():
                        yield f"{inside}{entry.name}"
        level = below


def _can_be_named(path: str) -> bool:
    """Whether a path can be shown and typed: no control characters, and nothing that is no UTF-8."""
    return path.isprintable() and "\ufffd" not in path
