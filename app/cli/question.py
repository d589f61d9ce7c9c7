"""What is asked at the command line: the words given, what is piped in, and the form that the answer must take."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import click

from app.errors import InvalidRequestError
from app.messages import ResponseFormat

_BACKTICKS = re.compile(r"`{3,}")


def question(prompt: str, piped: str, *, may_be_empty: bool = False) -> str:
    """The prompt, and below it what was piped in, fenced, so that the model can tell the two apart.

    Raises:
        click.UsageError: when both are empty and that means nothing.
    """
    prompt, piped = whole(prompt).strip(), piped.strip("\n")
    if not piped.strip():
        piped = ""
    if prompt and piped:
        longest = max((len(run) for run in _BACKTICKS.findall(piped)), default=2)
        fence = "`" * (longest + 1)
        return f"{prompt}\n\n{fence}\n{piped}\n{fence}"
    if not (prompt or piped or may_be_empty):
        raise click.UsageError("There is no prompt. Give one: playground chat “Name three colours.”")
    return prompt or piped


def piped_text() -> str:
    """Everything on standard input, unless that is a terminal or closed."""
    if sys.stdin is None or sys.stdin.isatty():
        return ""
    return sys.stdin.buffer.read().decode("utf-8", "replace")


def whole(argument: str) -> str:
    """An argument in which bytes that are not UTF-8 have become replacement characters."""
    return argument.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def response_format(json_schema: Path | None, grammar: Path | None) -> ResponseFormat:
    """The form that the files ask for.

    Raises:
        click.UsageError: when both are given.
        InvalidRequestError: when a file cannot be read or understood.
    """
    if json_schema and grammar:
        raise click.UsageError("Give --json-schema or --grammar, not both.")
    if grammar:
        return ResponseFormat(grammar=_read(grammar))
    if json_schema is None:
        return ResponseFormat()
    try:
        schema = json.loads(_read(json_schema))
    except (ValueError, RecursionError) as error:
        raise InvalidRequestError(f"{json_schema} is not JSON: {error}.", "Correct the file.") from error
    if not isinstance(schema, dict):
        raise InvalidRequestError(f"{json_schema} holds {type(schema).__name__}; expected a JSON object.")
    return ResponseFormat(json_schema=schema)


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except OSError as error:
        raise InvalidRequestError(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InvalidRequestError(f"{file} is not UTF-8 text.") from error
