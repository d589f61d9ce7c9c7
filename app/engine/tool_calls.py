"""Finds the calls of tools in what a model writes, while it writes them.

The forms are those that the common families were trained with:

* Hermes, Qwen, and our own: ``<tool_call>{"name": …, "arguments": {…}}</tool_call>``
* Llama 3: ``{"name": …, "parameters": {…}}`` as the whole answer, or after ``<|python_tag|>``; several with ``;``
* Mistral: ``[TOOL_CALLS][{"name": …, "arguments": {…}}, …]``, and ``[TOOL_CALLS]name[ARGS]{…}`` of the newer ones
"""

from __future__ import annotations

import json
import re
import secrets
import string
from collections.abc import Callable, Iterator, Sequence

from app.messages import ChatRequest, Tool, ToolCallDelta

from .json_scan import JsonScan

OPENERS = ("<tool_call>", "<|python_tag|>", "[TOOL_CALLS]")
"""What begins a call anywhere in an answer."""

CONTROL_TEXTS = (*OPENERS, "</tool_call>", "[ARGS]", "[CALL_ID]")
"""What a vocabulary may hold as control tokens, whose text is not shown elsewhere, and is needed here."""

_ENDS = {
    "<tool_call>": ("</tool_call>", ""),
    "[TOOL_CALLS]": ("", ","),
    "[TOOL_CALLS][": ("]", ","),
    "[TOOL_CALLS]name": ("", ""),
    "<|python_tag|>": ("", ";"),
    "": ("", ";"),
}
"""What closes a call of each form, and what leads to the next one."""

_HEADER = re.compile(
    r'\s*\{\s*(?:"(?:type|id)"\s*:\s*"[^"\\]*"\s*,\s*)*"name"\s*:\s*"(?P<name>[^"\\]*)"\s*,'
    r'\s*"(?:arguments|parameters)"\s*:\s*(?=\{)'
)
_NAME = re.compile(r'\{\s*"name"\s*:\s*"([^"\\]*)"')
_FIRST_KEY = re.compile(r'\{\s*"([^"\\]*)"')
_KEYS = frozenset(("name", "type", "id", "function", "arguments", "parameters"))
_NAMED = re.compile(r"\s*(?P<name>[^\s\[\]{}]+)\s*(?:\[CALL_ID\][^\[{]*)?(?:\[ARGS\])?\s*(?=\{)")
_NAMED_SO_FAR = re.compile(r"\s*[^\s\[\]{}]*\s*(?:\[[A-Z_]*\]?[^\[{]*){0,2}")
_ID_CHARACTERS = string.ascii_letters + string.digits


def offered_tools(request: ChatRequest) -> tuple[Tool, ...]:
    """The tools that a model is told of: none with ``tool_choice`` none, nor where plain text is continued."""
    return () if request.prompt is not None or request.tool_choice.mode == "none" else request.tools


def new_call_id() -> str:
    """Nine letters and digits: the form that Mistral's templates insist on, and that no other objects to."""
    return "".join(secrets.choice(_ID_CHARACTERS) for _ in range(9))


class ToolCallSplitter:
    """Tells calls from text, however the answer is cut into pieces.

    Only a call of one of the tools that were offered is one; all else stays text. A call is told of once its name is
    certain, and its arguments as they come.

    Args:
        names: the tools that may be called.
        new_id: makes the ids of calls.
    """

    def __init__(self, names: Sequence[str], new_id: Callable[[], str] = new_call_id) -> None:
        self._names, self._new_id = frozenset(names), new_id
        self._held = ""
        self._blank = ""
        self._opener = self._form = ""
        self._said = self._behind_call = False
        self._state: Callable[[bool], Iterator[str | ToolCallDelta]] = self._text
        self._scan = JsonScan()
        self._index = -1

    @property
    def called(self) -> bool:
        """Whether there was a call."""
        return self._index >= 0

    def feed(self, text: str) -> Iterator[str | ToolCallDelta]:
        """More of the answer in; text and calls that are certain out."""
        self._held += text
        yield from self._run(ended=False)

    def finish(self) -> Iterator[str | ToolCallDelta]:
        """What was held back, now that nothing more comes."""
        yield from self._run(ended=True)
        if self._blank and not self._behind_call:
            yield self._blank
        self._blank = ""

    def _run(self, *, ended: bool) -> Iterator[str | ToolCallDelta]:
        # Each state takes what it can of ``_held``. Where it changes nothing, the rest must wait.
        while True:
            before = (self._held, self._state)
            yield from self._state(ended)
            if (self._held, self._state) == before:
                return

    # The states

    def _text(self, ended: bool) -> Iterator[str | ToolCallDelta]:
        found = [(at, opener) for opener in OPENERS if (at := self._held.find(opener)) >= 0]
        bare = not self._said and (at := len(self._held) - len(self._held.lstrip())) < len(self._held)
        if bare and self._held[at] == "{":
            found.append((at, ""))
        if found:
            at, self._opener = min(found)
            self._form = self._opener
            yield from self._say(self._held[:at])
            self._held = self._held[at + len(self._opener) :]
            self._state = self._body
            return
        keep = 0 if ended else max(_beginning(self._held, opener) for opener in OPENERS)
        yield from self._say(self._held[: len(self._held) - keep])
        self._held = self._held[len(self._held) - keep :]

    def _body(self, ended: bool) -> Iterator[str | ToolCallDelta]:
        """After an opener: is it a call? Text and opener are given back where it is not."""
        bare = self._held.lstrip()
        if self._form == "[TOOL_CALLS]" and bare.startswith("["):
            self._opener += self._held[: len(self._held) - len(bare) + 1]
            self._held = bare[1:]
            bare = self._held.lstrip()
            self._form = "[TOOL_CALLS]["
        if not bare:
            if ended:
                yield from self._reject()
            return
        if bare[0] != "{":
            yield from self._mistral_name(ended)
            return
        if header := _HEADER.match(self._held):
            if header["name"] in self._names:
                yield from self._begin(header["name"], header.end())
            else:
                yield from self._reject()
            return
        if (name := _NAME.match(bare)) and name[1] not in self._names:
            yield from self._reject()
            return
        first = _FIRST_KEY.match(bare)
        whole = JsonScan()
        end = whole.feed(self._held)
        if end is not None:
            yield from self._whole(self._held[:end], self._held[end:])
        elif ended or (first and first[1] not in _KEYS) or bare[1:].lstrip()[:1] not in ("", '"'):
            yield from self._reject()

    def _mistral_name(self, ended: bool) -> Iterator[str | ToolCallDelta]:
        named = _NAMED.match(self._held) if self._form == "[TOOL_CALLS]" else None
        if named and named["name"] in self._names:
            yield from self._begin(named["name"], named.end())
            self._form = "[TOOL_CALLS]name"
        elif named or ended or self._form != "[TOOL_CALLS]" or not _NAMED_SO_FAR.fullmatch(self._held):
            yield from self._reject()

    def _whole(self, body: str, rest: str) -> Iterator[str | ToolCallDelta]:
        """A call that could not be told of as it came: its keys stand in another order, or it has no arguments."""
        call = _call_in(body)
        if call is None or call[0] not in self._names or (not self._form and call[1] is None):
            yield from self._reject()
            return
        name, arguments = call
        self._held = rest
        self._index += 1
        self._blank, self._said, self._behind_call = "", True, True
        yield ToolCallDelta(self._index, "", self._new_id(), name)
        yield ToolCallDelta(self._index, arguments or "{}")
        self._state = self._after

    def _begin(self, name: str, end: int) -> Iterator[str | ToolCallDelta]:
        self._held = self._held[end:]
        self._index += 1
        self._blank, self._said, self._behind_call = "", True, True
        self._scan = JsonScan()
        self._state = self._arguments
        yield ToolCallDelta(self._index, "", self._new_id(), name)

    def _arguments(self, ended: bool) -> Iterator[str | ToolCallDelta]:
        end = self._scan.feed(self._held)
        more = self._held if end is None else self._held[:end]
        self._held = "" if end is None else self._held[end:]
        if more:
            yield ToolCallDelta(self._index, more)
        if end is not None:
            self._state = self._after if self._form == "[TOOL_CALLS]name" else self._tail

    def _tail(self, ended: bool) -> Iterator[str | ToolCallDelta]:
        """The rest of the object around the arguments: its end, or further keys that nobody needs."""
        bare = self._held.lstrip()
        if not bare:
            return
        if bare[0] == ",":
            scan = JsonScan()
            end = scan.feed("{" + bare[1:])
            if end is None:
                return
            self._held = bare[end:]
        else:
            self._held = bare[1:] if bare[0] == "}" else bare
        self._state = self._after
        yield from ()

    def _after(self, ended: bool) -> Iterator[str | ToolCallDelta]:
        """Behind a call: what closes it, or leads to the next of the same form."""
        bare = self._held.lstrip()
        if not bare:
            return
        closer, comma = _ENDS[self._form]
        if closer and len(bare) < len(closer) and closer.startswith(bare):
            self._held = "" if ended else self._held
            return
        self._state = self._text
        if closer and bare.startswith(closer):
            self._held = bare[len(closer) :]
        elif comma:
            rest = bare.removeprefix(comma).lstrip()
            if not rest and not ended:
                self._state = self._after
            elif rest.startswith("{"):
                # Should it be no call, then all that stands behind the last one is text.
                self._opener = self._held[: len(self._held) - len(rest)]
                self._held, self._state = rest, self._body
        yield from ()

    def _reject(self) -> Iterator[str | ToolCallDelta]:
        """What was taken for a call is text; within it a call may still begin."""
        text, self._opener = self._opener, ""
        self._state = self._text
        if not text:
            text, self._held = self._held[:1], self._held[1:]
        yield from self._say(text)

    def _say(self, text: str) -> Iterator[str]:
        """White space around calls is no text; around text it is, so it waits for what comes next."""
        self._blank += text
        certain = self._blank.rstrip()
        if certain:
            self._blank, self._said, self._behind_call = self._blank[len(certain) :], True, False
            yield certain


def _beginning(text: str, mark: str) -> int:
    """The longest end of ``text`` that is a beginning of ``mark``."""
    return next((size for size in range(min(len(mark) - 1, len(text)), 0, -1) if mark.startswith(text[-size:])), 0)


def _call_in(body: str) -> tuple[str, str | None] | None:
    """Name and arguments, as JSON text, of a call in a whole JSON object."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if isinstance(found, dict) and isinstance(found.get("function"), dict):
        found = found["function"]
    if not isinstance(found, dict) or not isinstance(found.get("name"), str):
        return None
    given = found.get("arguments", found.get("parameters"))
    if given is None:
        return found["name"], None
    if isinstance(given, str):
        try:
            inner = json.loads(given)
        except (ValueError, RecursionError):
            return None
        return (found["name"], given) if isinstance(inner, dict) else None
    return (found["name"], json.dumps(given, ensure_ascii=False)) if isinstance(given, dict) else None
