"""A file as a part of a message: text fenced under its name, a picture as it is, everything else refused."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from app.chat.formats.fences import fenced
from app.errors import PlaygroundError
from app.messages import Image, Text
from app.privacy.characters import whole_characters
from app.privacy.terminal import clean

from .decoding import decoded
from .pictures import kind_of, picture
from .private import is_private
from .sending import tokens_of

MOST_TEXT = 1_000_000
"""Bytes of a text: some 280,000 tokens, more than almost any context window."""

MOST_PICTURE = 5_000_000
"""Bytes of a picture: the most that every provider takes."""

MOST_TOGETHER = 20_000_000
MOST_FILES = 50

_LANGUAGES = {
    "py": "python", "pyi": "python", "js": "javascript", "mjs": "javascript", "cjs": "javascript", "ts": "typescript",
    "rs": "rust", "rb": "ruby", "sh": "bash", "bash": "bash", "zsh": "bash", "yml": "yaml", "md": "markdown",
    "h": "c", "cc": "cpp", "cxx": "cpp", "hpp": "cpp", "cs": "csharp", "kt": "kotlin", "hs": "haskell", "pl": "perl",
    "ps1": "powershell", "tex": "latex", "patch": "diff", "htm": "html", "svg": "xml", "txt": "", "log": "",
}  # fmt: skip
"""What Markdown calls a language, where that is not the suffix itself."""

_BY_NAME = {"dockerfile": "dockerfile", "makefile": "makefile", "gnumakefile": "makefile", "cmakelists.txt": "cmake"}


class AttachmentError(PlaygroundError):
    """A file cannot go with a prompt."""

    title = "The file cannot be attached"
    code = "attachment"


class Attachment(Struct, frozen=True):
    """A file that goes with a prompt.

    Attributes:
        name: as the person wrote it.
        part: what the model gets.
        size: bytes of the file.
        tokens: what it takes of a context window, roughly.
        pixels: width and height of a picture; ``None`` of a text.
        private: whether files of its name or place commonly hold secrets.
    """

    name: str
    part: Text | Image
    size: int
    tokens: int
    pixels: tuple[int, int] | None = None
    private: bool = False


def attach(path: Path, name: str = "") -> Attachment:
    """Reads a file; blocks while it does.

    Args:
        path: where it lies.
        name: what it is called in the conversation; the path itself where it is empty.

    Raises:
        AttachmentError: when it cannot be read, is too large, or is neither a text nor a picture.
    """
    called = _called(name or str(path))
    return _attachment(_read(path, called), called, _language(path), private=is_private(path.resolve()))


def attach_bytes(held: bytes, name: str) -> Attachment:
    """What was read already, at most a byte more of it than ``MOST_PICTURE``, under a name of its own.

    Raises:
        AttachmentError: when it is too large, or is neither a text nor a picture.
    """
    called = _called(name)
    _require_size(held, called)
    return _attachment(held, called, "", private=False)


def _attachment(held: bytes, called: str, language: str, *, private: bool) -> Attachment:
    if kind_of(held) is not None:
        return _picture(called, held, private=private)
    if len(held) > MOST_TEXT:
        raise AttachmentError(
            f"{called} is a text of more than {MOST_TEXT // 1_000_000} MB; no more can be attached.",
            "Attach the part of it that the question is about.",
        )
    text = decoded(held)
    if text is None:
        raise AttachmentError(
            f"{called} is neither a text nor a picture that models can see.",
            "PNG, JPEG, GIF and WebP pictures and texts of any kind can be attached.",
        )
    if not text.strip():
        raise AttachmentError(f"{called} is empty.", "There is nothing in it to attach.")
    part = Text(f"File: {called}\n\n{fenced(whole_characters(text), language)}", called)
    return Attachment(called, part, len(held), tokens_of(part), private=private)


def attach_all(files: Sequence[tuple[Path, str]]) -> tuple[Attachment, ...]:
    """Reads several, each under its name; as ``attach``.

    Raises:
        AttachmentError: as ``attach``, and when they are too many or together too large.
    """
    if len(files) > MOST_FILES:
        raise AttachmentError(
            f"{len(files)} files were to be attached; at most {MOST_FILES} can be.", "Attach fewer of them."
        )
    found: list[Attachment] = []
    for path, name in files:
        found.append(attach(path, name))
        if sum(each.size for each in found) > MOST_TOGETHER:
            raise AttachmentError(
                f"The files are larger than {MOST_TOGETHER // 1_000_000} MB together, from {found[-1].name} on.",
                "Attach fewer of them.",
            )
    return tuple(found)


def short_name(path: Path) -> str:
    """A path from here on, or from the home folder on: the person's name in it is nothing that a model should get."""
    if not path.is_absolute():
        return str(path)
    for folder, sign in ((Path.cwd(), ""), (Path.home(), "~/")):
        if path.is_relative_to(folder):
            return f"{sign}{path.relative_to(folder)}"
    return str(path)


def _called(name: str) -> str:
    """A name as one line that no terminal obeys, and that cannot be taken for anything but a name."""
    return clean(whole_characters(name)).replace("\n", "␊").replace("\t", "␉")


def _read(path: Path, called: str) -> bytes:
    try:
        _require_file(path.stat().st_mode, called)
        # Not blocking: of what was put in its place meanwhile, a pipe that nobody writes to would never open.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        try:
            _require_file(os.fstat(descriptor).st_mode, called)
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                held = file.read(MOST_PICTURE + 1)
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise AttachmentError(f"{called} cannot be read: {reason}.", "Look whether the path is right.") from error
    _require_size(held, called)
    return held


def _require_size(held: bytes, called: str) -> None:
    if len(held) > MOST_PICTURE:
        what, remedy = (
            ("a picture", "Scale it down.")
            if kind_of(held) is not None
            else ("a file", "Attach the part of it that the question is about.")
        )
        raise AttachmentError(
            f"{called} is {what} of more than {MOST_PICTURE // 1_000_000} MB; no more can be attached.", remedy
        )


def _require_file(mode: int, called: str) -> None:
    if stat.S_ISDIR(mode):
        raise AttachmentError(f"{called} is a folder.", "Attach the files in it that the question is about.")
    if not stat.S_ISREG(mode):
        raise AttachmentError(f"{called} is no file but a device or a pipe.", "Attach a file.")


def _picture(called: str, held: bytes, *, private: bool) -> Attachment:
    seen = picture(held)
    if seen is None:
        raise AttachmentError(f"{called} begins as a picture, and its size cannot be read.", "It may be damaged.")
    part = Image(seen.media_type, held, name=called)
    return Attachment(called, part, len(held), seen.tokens, (seen.width, seen.height), private)


def _language(path: Path) -> str:
    if known := _BY_NAME.get(path.name.lower()):
        return known
    suffix = path.suffix.lower().lstrip(".")
    return _LANGUAGES.get(suffix, suffix)
