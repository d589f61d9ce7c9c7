"""From llama.cpp's words for code with a gap to the neutral ones."""

from __future__ import annotations

from typing import Any

from app.engine.infill import Gap, Snippet
from app.errors import InvalidRequestError

from .wire import InfillBody


def gap_of(asked: InfillBody) -> Gap:
    """What is asked.

    Raises:
        InvalidRequestError: when it is not said as it must be, in llama.cpp's own words.
    """
    if asked.prompt is not None and not isinstance(asked.prompt, str):
        raise InvalidRequestError('"prompt" must be a string')
    wanted = asked.wanted_tokens or 0
    return Gap(
        prefix=_required(asked.input_prefix, "input_prefix"),
        suffix=_required(asked.input_suffix, "input_suffix"),
        prompt=asked.prompt or "",
        extra=_extra(asked.input_extra),
        max_tokens=min(max(0, wanted), 2**31 - 1),
    )


def _required(value: Any, name: str) -> str:
    if value is None:
        raise InvalidRequestError(f'"{name}" is required')
    if not isinstance(value, str):
        raise InvalidRequestError(f'"{name}" must be a string')
    return value


def _extra(given: Any) -> tuple[Snippet, ...]:
    if given is None:
        return ()
    if not isinstance(given, list):
        raise InvalidRequestError('"input_extra" must be an array of {"filename": string, "text": string}')
    found: list[Snippet] = []
    for chunk in given:
        if not isinstance(chunk, dict) or not isinstance(text := chunk.get("text"), str):
            raise InvalidRequestError('extra_context chunk must contain a "text" field with a string value')
        filename = chunk.get("filename", "tmp")
        if not isinstance(filename, str):
            raise InvalidRequestError('extra_context chunk\'s "filename" field must be a string')
        found.append(Snippet(text, filename))
    return tuple(found)
