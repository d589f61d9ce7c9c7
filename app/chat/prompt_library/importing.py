"""Prompts in files and folders of others: Markdown with or without front matter, and Fabric's patterns.

A Fabric pattern (github.com/danielmiessler/fabric) is a folder of its name with ``system.md`` in it, and sometimes
``user.md``; the text that it is about goes where ``{{input}}`` stands, or else below.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec import Struct

from app.errors import ImportFormatError
from app.privacy.terminal import is_clean
from app.vault.prompts.records import Prompt

from .prompt_files import MOST_BYTES, prompt_of
from .variables import INPUT, needs_input

MOST_PROMPTS = 2_000
"""In one import."""

_MOST_ENTRIES = 50_000
_MOST_DEPTH = 8
_SUFFIXES = frozenset((".md", ".markdown"))
_PATTERN, _PATTERN_USER = "system.md", "user.md"
_CALL = re.compile(r"(?<!\\)\{\{[ \t]*(?=(?:plugin|ext):)")
_CALL_AS_TEXT = re.compile(r"\\\{\{[ \t]*(?:plugin|ext):")
_ABOUT_THE_FOLDER = frozenset(
    ("readme", "license", "licence", "contributing", "changelog", "code_of_conduct", "security", "authors", "index")
)


class Found(Struct, frozen=True):
    """What an import found.

    Attributes:
        prompts: no two of one name.
        troubles: of each file that was not taken, why.
        left_out: Markdown files beside patterns, which are more likely their collection's documentation.
        links: how many links were not followed.
        calls: names of patterns that call plugins of Fabric's. These are not run: the calls stay text.
    """

    prompts: tuple[Prompt, ...] = ()
    troubles: tuple[ImportFormatError, ...] = ()
    left_out: int = 0
    links: int = 0
    calls: tuple[str, ...] = ()


def prompts_at(path: Path) -> Found:
    """The prompts in a file, in a pattern's folder, or anywhere below a folder. Links below it are not followed.

    Hidden files, and those that are about the folder itself such as a README, are left out. Where there are patterns,
    they alone are taken.

    Raises:
        ImportFormatError: when there is nothing at ``path``, it cannot be read, or it holds too much.
    """
    try:
        is_folder = stat.S_ISDIR(path.stat().st_mode)
    except OSError as error:
        raise ImportFormatError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise ImportFormatError(f"{str(path)!r} is no path: {error}.") from error
    if not is_folder:
        prompt = _from_file(path, followed=True)
        return Found((prompt,), calls=_calling([prompt]))
    below = _Below(path)
    patterns, files = below.patterns, below.files
    chosen = patterns or files
    if len(chosen) > MOST_PROMPTS:
        raise ImportFormatError(
            f"{path} holds {len(chosen)} prompts; at most {MOST_PROMPTS} are taken in at once.",
            "Import a folder of it.",
        )
    prompts: dict[str, Prompt] = {}
    troubles = below.troubles
    for one in chosen:
        try:
            prompt = _from_pattern(one) if patterns else _from_file(one, followed=False)
        except ImportFormatError as error:
            troubles.append(error)
        else:
            prompt = _under_free_name(prompt, prompts)
            prompts[prompt.name] = prompt
    return Found(
        tuple(prompts.values()),
        tuple(troubles),
        len(files) if patterns else 0,
        below.links,
        _calling(prompts.values()) if patterns else (),
    )


def hidden_in(prompt: Prompt) -> int:
    """How many characters of the text cannot be seen, but are read by a model: a way to hide instructions."""
    unseen = {character for character in set(prompt.text) if not is_clean(character)}
    return sum(map(prompt.text.count, unseen))


class _Below:
    """What lies below a folder, in the order of the names."""

    def __init__(self, folder: Path) -> None:
        self.patterns: list[Path] = []
        self.files: list[Path] = []
        self.troubles: list[ImportFormatError] = []
        self.links = 0
        self._seen, self._top = 0, folder
        self._look(folder, 0)

    def _look(self, folder: Path, depth: int) -> None:
        entries = self._entries(folder)
        if any(entry.name == _PATTERN and entry.is_file(follow_symlinks=False) for entry in entries):
            self.patterns.append(folder)
            return
        for entry in entries:
            if entry.is_symlink():
                self.links += 1
            elif entry.is_dir(follow_symlinks=False):
                if depth < _MOST_DEPTH:
                    self._look(folder / entry.name, depth + 1)
            elif entry.is_file(follow_symlinks=False) and _is_prompt(entry.name):
                self.files.append(folder / entry.name)

    def _entries(self, folder: Path) -> list[os.DirEntry[str]]:
        found: list[os.DirEntry[str]] = []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    self._seen += 1
                    if self._seen > _MOST_ENTRIES:
                        raise ImportFormatError(
                            f"{self._top} holds more than {_MOST_ENTRIES} files.", "Import a folder of it."
                        )
                    if not entry.name.startswith("."):
                        found.append(entry)
        except OSError as error:
            self.troubles.append(ImportFormatError(f"{folder} cannot be read: {error.strerror}."))
        return sorted(found, key=lambda entry: entry.name)


def _is_prompt(name: str) -> bool:
    file = Path(name)
    return file.suffix.lower() in _SUFFIXES and file.stem.lower() not in _ABOUT_THE_FOLDER


def _from_file(path: Path, *, followed: bool) -> Prompt:
    if path.name == _PATTERN:
        return _from_pattern(path.parent)
    return _read_as_prompt(path, _text(path, followed=followed), path.stem)


def _from_pattern(folder: Path) -> Prompt:
    text = _text(folder / _PATTERN, followed=False)
    user = folder / _PATTERN_USER
    more = _text(user, followed=False).strip() if user.is_file() and not user.is_symlink() else ""
    # A call would be taken for a variable. It is none, and what it asks for, a file or the environment, is not fetched.
    text = _CALL.sub(lambda call: f"\\{call[0]}", f"{text.rstrip()}\n\n{more}" if more else text)
    prompt = _read_as_prompt(folder, text, folder.resolve().name)
    if prompt.kind == "prompt" and not needs_input(prompt.text):
        prompt = msgspec.structs.replace(prompt, text=f"{prompt.text.rstrip()}\n\n{{{{{INPUT}}}}}")
    return msgspec.structs.replace(prompt, tags=prompt.tags or ("fabric",))


def _read_as_prompt(path: Path, text: str, name: str) -> Prompt:
    try:
        return prompt_of(text, name)
    except ImportFormatError as error:
        raise ImportFormatError(f"{path}: {error.message}", error.remedy) from error


def _text(path: Path, *, followed: bool) -> str:
    """A file's text: UTF-8, or UTF-16 with its mark. What is no plain file is not opened, or not waited for."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | (0 if followed else getattr(os, "O_NOFOLLOW", 0))
    try:
        with os.fdopen(os.open(path, flags), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise ImportFormatError(f"{path} is no file.")
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ImportFormatError(f"{path} cannot be read: {error.strerror}.") from error
    if len(content) > MOST_BYTES:
        raise ImportFormatError(f"{path} has more than {MOST_BYTES // 1024} KiB.", "A prompt is shorter than that.")
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise ImportFormatError(
            f"{path} is not UTF-8 text: byte {error.start} cannot be read.", "Save it as UTF-8."
        ) from error
    if "\0" in text:
        raise ImportFormatError(f"{path} is no text: it holds a zero byte.")
    return text


def _calling(prompts: Iterable[Prompt]) -> tuple[str, ...]:
    return tuple(prompt.name for prompt in prompts if _CALL_AS_TEXT.search(prompt.text))


def _under_free_name(prompt: Prompt, taken: dict[str, Prompt]) -> Prompt:
    number, name = 2, prompt.name
    while name in taken:
        name, number = f"{prompt.name}-{number}", number + 1
    return msgspec.structs.replace(prompt, name=name)
