"""Themes of the person's own, each a file: ``themes/forest.toml`` in the configuration folder makes the theme "forest".

A file names the colours that differ from one of the program's own themes::

    base = "dark"          # or light, high-contrast, terminal
    primary = "#a3be8c"
    background = "#1d2021"

    [variables]            # finer: whatever the program's own themes name there
    text-muted = "#8a8f7a"
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct
from textual.color import Color, ColorParseError
from textual.theme import Theme

from app.errors import PlaygroundError

from . import themes

MOST_BYTES, MOST_FILES = 65_536, 100

_COLOURS = (
    "primary", "secondary", "accent", "foreground", "background", "surface", "panel", "success", "warning", "error"
)  # fmt: skip
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_OPACITY = re.compile(r"\s+\d{1,3}%$")
_STYLES = frozenset({"none", "bold", "dim", "italic", "underline", "reverse", "strike", "not"})


class ThemeError(PlaygroundError):
    """A theme's file cannot be used."""

    title = "A theme is wrong"
    code = "theme"


class _Written(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a file says."""

    base: str = ""
    dark: bool | None = None
    primary: str | None = None
    secondary: str | None = None
    accent: str | None = None
    foreground: str | None = None
    background: str | None = None
    surface: str | None = None
    panel: str | None = None
    success: str | None = None
    warning: str | None = None
    error: str | None = None
    variables: dict[str, str] = {}


def read_themes(folder: Path, taken: Iterable[str]) -> tuple[list[Theme], list[ThemeError]]:
    """The themes of a folder, by name, and what is wrong with the files that make none; both empty without one.

    Args:
        folder: where the files lie.
        taken: names that a file may not have.
    """
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".toml")
    except FileNotFoundError:
        return [], []
    except OSError as error:
        return [], [ThemeError(f"{folder} cannot be read: {error.strerror or error}.")]
    found: list[Theme] = []
    wrong: list[ThemeError] = []
    names = set(taken)
    for path in paths[:MOST_FILES]:
        try:
            found.append(_theme(path, names))
        except ThemeError as error:
            wrong.append(error)
    if len(paths) > MOST_FILES:
        wrong.append(ThemeError(f"{folder} holds {len(paths):,} themes; the first {MOST_FILES} are read."))
    return found, wrong


def _theme(path: Path, taken: set[str]) -> Theme:
    name = path.stem
    if not _NAME.fullmatch(name):
        raise _wrong(path, "the name of a theme is small letters, digits and hyphens")
    if name in taken:
        raise _wrong(path, "there is a theme of that name; call the file something else")
    written = _read(path)
    base = _base(path, written)
    colours = {colour: getattr(base, colour) for colour in _COLOURS}
    chosen = {colour: value for colour in _COLOURS if (value := getattr(written, colour)) is not None}
    for colour, value in chosen.items():
        _check_colour(path, colour, value)
    known = base.to_color_system().generate()
    for variable, value in written.variables.items():
        _check_variable(path, variable, value, known)
    return Theme(
        name=name,
        boost=base.boost,
        ansi=base.ansi,
        text_alpha=base.text_alpha,
        dark=base.dark if written.dark is None else written.dark,
        variables={**_following(base, colours, chosen), **written.variables},
        **{**colours, **chosen},
    )


def _read(path: Path) -> _Written:
    import tomllib

    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise _wrong(path, f"it is larger than {MOST_BYTES:,} bytes")
        return msgspec.convert(tomllib.loads(content.decode("utf-8")), _Written)
    except OSError as error:
        raise _wrong(path, f"it cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise _wrong(path, "it is not UTF-8 text") from error
    except tomllib.TOMLDecodeError as error:
        raise _wrong(path, f"it is not TOML: {error}") from error
    except msgspec.ValidationError as error:
        raise _wrong(path, _in_words(error)) from error


def _in_words(error: msgspec.ValidationError) -> str:
    unknown = re.search(r"unknown field `(.+?)`", str(error))
    if unknown:
        return f"there is no key {unknown[1]!r}; expected base, dark, variables, {', '.join(_COLOURS)}"
    mistyped = re.search(r"got `(\w+)` - at `\$\.?(.*)`$", str(error))
    return f"{mistyped[2]} is of the wrong kind: {mistyped[1]}" if mistyped else str(error)


def _base(path: Path, written: _Written) -> Theme:
    ours = {theme.name.removeprefix("playground-"): theme for theme in themes.OURS}
    wanted = written.base.removeprefix("playground-") or ("light" if written.dark is False else "dark")
    if wanted not in ours:
        raise _wrong(path, f"base is {written.base!r}; expected one of {', '.join(ours)}")
    return ours[wanted]


def _following(base: Theme, colours: dict[str, str], chosen: dict[str, str]) -> dict[str, str]:
    """The base's variables. One that is a colour of the base, as a line's ground is the background, is so here."""
    instead = {colours[colour]: value for colour, value in chosen.items() if not base.ansi}
    followed: dict[str, str] = {}
    for name, value in base.variables.items():
        colour, space, opacity = value.partition(" ")
        followed[name] = f"{instead.get(colour, colour)}{space}{opacity}"
    return followed


def _check_variable(path: Path, name: str, value: str, known: dict[str, str]) -> None:
    if name not in known:
        raise _wrong(path, f"there is no variable {name!r}")
    if "style" in name:
        strange = set(value.split()) - _STYLES
        if strange or not value.strip():
            raise _wrong(path, f"{name} is {value!r}; expected words of {', '.join(sorted(_STYLES))}")
    else:
        _check_colour(path, name, _OPACITY.sub("", value))


def _check_colour(path: Path, name: str, value: str) -> None:
    try:
        Color.parse(value)
    except ColorParseError as error:
        raise _wrong(path, f"{name} is {value!r}; expected a colour as in #7fd1ae or teal") from error


def _wrong(path: Path, what: str) -> ThemeError:
    return ThemeError(f"{path.name}: {what}.", f"It is in {path.parent}; the other themes can be used.")


def names(own: Sequence[Theme]) -> str:
    """The themes that can be chosen by a short name, for a sentence: the program's, then the person's own."""
    ours = ", ".join(theme.name.removeprefix("playground-") for theme in themes.OURS)
    return f"Ours: {ours}." + (f" Yours: {', '.join(theme.name for theme in own)}." if own else "")
