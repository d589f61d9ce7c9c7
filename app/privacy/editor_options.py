"""Options with which an editor keeps nothing of what is written in it: no swap file, no undo file, no history."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

_VIM = "silent! set noundofile nobackup nowritebackup noswapfile viminfo="
_VIMS = frozenset({"vim", "nvim", "view", "rvim", "gvim", "mvim", "vimx"})

_EMACS = """(progn
 (setq make-backup-files nil auto-save-default nil auto-save-list-file-prefix nil create-lockfiles nil)
 (when (bound-and-true-p savehist-mode) (savehist-mode -1))
 (when (bound-and-true-p global-undo-tree-mode) (global-undo-tree-mode -1)))"""

_NANO_KEEPS = re.compile(r"^[ \t]*set[ \t]+(backup|historylog|positionlog)\b", re.MULTILINE)
_NANO_OF_ALL = ("/etc/nanorc", "/usr/local/etc/nanorc", "/opt/homebrew/etc/nanorc")


def options_that_keep_nothing(command: str, environ: Mapping[str, str]) -> list[str]:
    """What to write after an editor's name so that it leaves nothing on the disk; empty for one that is not known.

    What the person's own settings say is overruled: Vim's are read between ``--cmd`` and ``-c``, and Emacs' before
    ``--eval``. GNU nano has no such option and keeps things only where its settings say so, which are left out then.
    """
    editor = _kind(command, environ)
    if editor == "vim":
        return ["-n", "-i", "NONE", "--cmd", _VIM, "-c", _VIM]
    if editor == "emacs":
        return ["--eval", _EMACS]
    if editor == "nano" and _nano_keeps(environ):
        return ["-I"]
    return []


def _kind(command: str, environ: Mapping[str, str]) -> str:
    found = shutil.which(command, path=environ.get("PATH"))
    # The name may stand for another: editor is nano or Vim, and vi is Vim, by a link.
    for name in (Path(found).resolve().name if found else "", Path(command).name):
        plain = re.split(r"[.\-\d]", name, maxsplit=1)[0]
        if plain in _VIMS or (plain == "vi" and found and _is_vim(Path(found))):
            return "vim"
        if plain in ("nano", "emacs"):
            return plain
    return ""


def _is_vim(program: Path) -> bool:
    """Whether a program called vi is Vim, as on some systems; the older ones know none of its options."""
    try:
        with program.open("rb") as file:
            return any(b"VIMRUNTIME" in piece for piece in iter(lambda: file.read(1 << 20), b""))
    except OSError:
        return False


def _nano_keeps(environ: Mapping[str, str]) -> bool:
    # As root it goes by the list of users, whatever HOME says.
    homes = (Path(environ.get("HOME", "/")), Path("~root").expanduser())
    settings = (Path(environ.get("XDG_CONFIG_HOME") or homes[0] / ".config"), homes[1] / ".config")
    own = [*(home / ".nanorc" for home in homes), *(folder / "nano" / "nanorc" for folder in settings)]
    for path in (*own, *map(Path, _NANO_OF_ALL)):
        try:
            if _NANO_KEEPS.search(path.read_text(encoding="utf-8", errors="replace")):
                return True
        except OSError:
            continue  # most of them are not there
    return False
