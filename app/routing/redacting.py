"""Redaction on the wire: the last thing that is done to a request, and the first to its answer.

Everything in a body that may hold a person's words is looked at: what is left out is named here, not what is looked
at. So a field that a provider adds tomorrow is redacted before anybody has heard of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from app.backends.event_texts import TextStream, filter_answer
from app.backends.rules import JsonObject, WireProtocol
from app.errors import RedactionError
from app.privacy.redaction import RedactionMemory, Redactor, Restorer, is_sealed, redact_encoded
from app.settings.schema import PrivacySettings

# fmt: off
_NUMBERS = frozenset((
    "id", "call_id", "tool_call_id", "tool_use_id", "item_id", "response_id", "previous_response_id", "file_id",
))
"""What a provider called something and wants back as it is. Only outside of people's own objects, as all of these."""

_WORDS = frozenset((
    "type", "role", "media_type", "mime_type", "format", "detail", "object", "status", "finish_reason",
))
"""Where words of the protocol stand."""

_SEALED = frozenset(("signature", "encrypted_content"))
_FILES = frozenset(("url", "image_url", "file_url", "file_data", "images"))
_GIVEN = re.compile(
    r"(?:call|toolu|srvtoolu|chatcmpl|function|msg|resp|rs|fc|ws|file|item)[_-][\w-]{1,200}"
    r"|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
# fmt: on
"""How providers number; whoever writes something else there may have written anything."""
_NO_LETTERS = str.maketrans("", "", "_-/.+")

_SPECIAL = frozenset((*_NUMBERS, *_WORDS, *_SEALED, *_FILES, "arguments", "input", "data"))

_OPEN = frozenset(("input", "arguments", "metadata", "default", "const", "example", "examples"))
"""Objects whose names are chosen by a tool or a program: nothing in them is structural. The last are a schema's."""

_LEAST_NUMBER = 10**8


class Redaction:
    """``WireRules`` that replace personal data in requests and put it back into answers.

    Args:
        redactor: finds it.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    @classmethod
    def chosen(cls, settings: PrivacySettings) -> Redaction | None:
        """As the user chose; ``None`` where redaction is off.

        Raises:
            SettingsError: when a kind or a pattern of theirs cannot be used.
        """
        if not settings.redact:
            return None
        return cls(Redactor.chosen(settings.redact_kinds, settings.redact_patterns))

    def exchange(self, protocol: WireProtocol) -> RedactingExchange:
        """A fresh exchange for one attempt in this protocol."""
        return RedactingExchange(self._redactor, protocol)


class RedactingExchange:
    """A ``WireExchange``: what it replaced in the body it puts back into the answer, and forgets with it."""

    def __init__(self, redactor: Redactor, protocol: WireProtocol) -> None:
        self._redactor = redactor
        self._protocol = protocol
        self._memory: RedactionMemory | None = None
        self._make: Callable[[], Restorer] | None = None
        self._stream: TextStream | None = None

    @property
    def changes_events(self) -> bool:
        """Whether anything was replaced that is to be put back; see ``app.backends.rules.changes_events``."""
        return self._stream is not None

    @property
    def counts(self) -> Mapping[str, int]:
        """How many values of each kind were replaced in the request."""
        return self._memory.counts if self._memory else {}

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """The same: which of a client's headers go on is chosen by the endpoint's rules."""
        return dict(headers)

    def body(self, body: JsonObject) -> JsonObject:
        """A copy with placeholders in the place of what is personal.

        Raises:
            RedactionError: when it cannot be searched to its end.
        """
        try:
            memory = self._redactor.memory(_conversation_first(body))
            redacted = _object(body, memory.redact, free=False)
            if "model" in body:
                redacted["model"] = body["model"]  # the catalogue's own word
        except RedactionError:
            raise
        except Exception as error:  # noqa: BLE001 - too deep, not JSON, anything: reported, and nothing is sent
            raise RedactionError(
                f"The request could not be searched for personal data ({type(error).__name__}), so nothing was sent.",
                "Report this. Until it is mended, ask a local model.",
            ) from None
        self._memory = memory
        placeholders = memory.placeholders
        if placeholders.any:
            self._make = partial(Restorer, placeholders)
            self._stream = TextStream(self._protocol, self._make)
        return redacted

    def answer(self, body: JsonObject) -> JsonObject:
        """The answer with everything put back."""
        return body if self._make is None else filter_answer(self._protocol, body, self._make)

    def event(self, event: JsonObject) -> Sequence[JsonObject]:
        """The event with everything put back; what may become a placeholder waits for the next."""
        return (event,) if self._stream is None else self._stream.event(event)

    def end(self) -> Sequence[JsonObject]:
        """What was held back."""
        return () if self._stream is None else self._stream.end()


Redact = Callable[[str], str]


def _conversation_first(body: JsonObject) -> list[str]:
    """Every text of the body; the one that the person began with comes first, for it is the conversation's mark."""
    texts = list(_texts(body))
    first = _first_said(body)
    return [first, *texts] if first else texts


def _first_said(body: JsonObject) -> str:
    for name in ("messages", "input"):
        said = body.get(name)
        if isinstance(said, str):
            return said
        for message in said if isinstance(said, list) else ():
            if isinstance(message, dict) and message.get("role") == "user":
                return "\n".join(_texts(message.get("content")))
    return ""


def _texts(value: Any) -> Iterator[str]:
    """All strings, names too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)


def _object(value: JsonObject, redact: Redact, *, free: bool) -> JsonObject:
    """``free``: whether names are somebody's own, and none of the protocol's."""
    if free:
        return {redact(name): _value(inner, redact, free=True) for name, inner in value.items()}
    redacted: JsonObject = {}
    for name, inner in value.items():
        said: Any
        if isinstance(inner, str):
            said = _field(name, inner, value, redact) if name in _SPECIAL else redact(inner)
        elif name == "images" and isinstance(inner, list):
            said = [_file(picture, redact) for picture in inner]
        else:
            said = _value(inner, redact, free=name in _OPEN and isinstance(inner, dict))
        redacted[name if name.isalpha() else _word(name, redact)] = said
    return redacted


def _value(value: Any, redact: Redact, *, free: bool) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return _object(value, redact, free=free)
    if isinstance(value, list | tuple):
        return [_value(inner, redact, free=free) for inner in value]
    if free and isinstance(value, int) and not isinstance(value, bool) and value >= _LEAST_NUMBER:
        written = redact(str(value))
        return value if written == str(value) else written
    if value is None or isinstance(value, bool | int | float):
        return value
    raise TypeError(type(value).__name__)


def _field(name: str, text: str, holder: JsonObject, redact: Redact) -> str:
    """A text at one of the protocol's own names, ``_SPECIAL``."""
    if name in ("arguments", "input"):
        return _json_text(text, redact)
    if name in _NUMBERS:
        return text if _GIVEN.fullmatch(text) else redact(text)
    kind = holder.get("type")
    if name in _SEALED or (name == "data" and kind == "redacted_thinking"):
        return text if is_sealed(text) else redact(text)
    if name in _FILES or (name == "data" and (kind == "base64" or "format" in holder)):
        return redact_encoded(text, redact)
    return redact(text) if name == "data" else _word(text, redact)


def _word(text: str, redact: Redact) -> str:
    """A text that should be a word of the protocol: one of letters alone is."""
    return text if text.isalpha() or text.translate(_NO_LETTERS).isalpha() else redact(text)


def _file(picture: Any, redact: Redact) -> Any:
    return redact_encoded(picture, redact) if isinstance(picture, str) else _value(picture, redact, free=False)


def _json_text(text: str, redact: Redact) -> str:
    """A text that is JSON itself: what its strings say is searched, not how they are written."""
    twice: list[str] = []

    def seen(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            twice.append("")
        return found

    try:
        said = json.loads(text, object_pairs_hook=seen)
    except ValueError:
        return redact(text)
    if not isinstance(said, dict | list | str):
        return redact(text)
    redacted = _value(said, redact, free=True)
    # Of a name that is there twice only the last was searched: only that may be sent.
    return text if redacted == said and not twice else json.dumps(redacted, ensure_ascii=False)
