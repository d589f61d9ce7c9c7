"""The block at the head of a Markdown file, as names and values: YAML between ``---``, or TOML between ``+++``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from app.errors import ImportFormatError

_BLOCK = re.compile(
    r"\A\ufeff?(?P<fence>---|\+\+\+)[ \t]*\r?\n(?P<inside>.*?)(?:^(?P=fence)[ \t]*(?:\r?\n|\Z))",
    re.DOTALL | re.MULTILINE,
)
_MOST_BYTES = 64 * 1024


def read_head(text: str) -> tuple[dict[str, Any], str]:
    """The names and values at a file's head, and its body; nothing and the whole text where there is no block.

    Raises:
        ImportFormatError: when there is a block that is neither YAML nor TOML.
    """
    block = _BLOCK.match(text)
    if block is None:
        return {}, text
    fields = _fields(block["inside"], toml=block["fence"] == "+++")
    return fields, text[block.end() :].lstrip("\r\n")


def written_head(fields: Mapping[str, Any]) -> str:
    """The block in YAML, with the line end behind it."""
    import yaml

    return f"---\n{yaml.safe_dump(dict(fields), sort_keys=False, allow_unicode=True, width=10_000)}---\n"


def one_line(value: object) -> str:
    """A value as words on one line; nothing for what is no text or number."""
    return " ".join(str(value).split()) if isinstance(value, str | int | float) else ""


def words_of(value: object) -> tuple[str, ...]:
    """A list of words, each once; one line of them is parted by commas, or else by spaces, as Jekyll does."""
    if isinstance(value, str):
        value = value.split(",") if "," in value else value.split()
    if not isinstance(value, list):
        return ()
    return tuple(dict.fromkeys(word for word in map(one_line, value) if word))


def _fields(inside: str, *, toml: bool) -> dict[str, Any]:
    if len(inside.encode("utf-8", "replace")) > _MOST_BYTES:
        raise ImportFormatError(f"The front matter has more than {_MOST_BYTES // 1024} KiB.", "Shorten it.")
    try:
        found = _toml(inside) if toml else _yaml(inside)
    except (ValueError, RecursionError) as error:
        kind = "TOML" if toml else "YAML"
        raise ImportFormatError(f"The front matter is not {kind}: {error}.", "Correct the head of the file.") from error
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise ImportFormatError(f"The front matter is a {type(found).__name__}; expected names and values.")
    return {str(name): value for name, value in found.items()}


def _toml(text: str) -> Any:
    import tomllib

    return tomllib.loads(text.replace("\r\n", "\n"))


def _yaml(text: str) -> Any:
    import yaml

    # An alias may stand for a value that is built of aliases, and so on: a kilobyte that unfolds to gigabytes.
    if any(isinstance(token, yaml.AliasToken) for token in _tokens(text)):
        raise ValueError("aliases (*name) are not read")
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error


def _tokens(text: str) -> list[Any]:
    import yaml

    try:
        return list(yaml.scan(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error
