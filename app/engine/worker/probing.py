"""Finding out how a chat template wants conversations, by trying it on some of our own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from jinja2 import TemplateError
from msgspec import Struct
from msgspec.structs import replace

from app.messages import Tool

from .turns import Turn

_FIRST, _REPLY, _SECOND, _INSTRUCTION = "probe question one", "probe answer", "probe question two", "probe instruction"
_PROBE_SHORT: tuple[Turn, ...] = ({"role": "user", "content": _FIRST},)
_PROBE_LONG: tuple[Turn, ...] = (
    *_PROBE_SHORT,
    {"role": "assistant", "content": _REPLY},
    {"role": "user", "content": _SECOND},
)
_VALUE, _RESULT = "probe value", "probe result"
_ARGUMENT = {"probe_argument": _VALUE}
_PROBE_TOOL = Tool("probe_tool", "probes", {"type": "object", "properties": {"probe_argument": {"type": "string"}}})
_PROBE_CALL: tuple[Turn, ...] = (
    *_PROBE_SHORT,
    {
        "role": "assistant",
        "content": "",
        "tool_calls": [
            {"id": "probe0001", "type": "function", "function": {"name": _PROBE_TOOL.name, "arguments": _ARGUMENT}}
        ],
    },
    {"role": "tool", "content": _RESULT, "tool_call_id": "probe0001", "name": _PROBE_TOOL.name},
)
_PROBE_SYSTEM: tuple[Turn, ...] = ({"role": "system", "content": _INSTRUCTION}, *_PROBE_LONG)


class Manner(Struct, frozen=True):
    """How a template wants a conversation.

    Attributes:
        as_parts: contents as lists of parts, as the templates of vision models do.
        arguments_as_text: the arguments of calls as JSON text, not as objects.
        takes_system: whether it has a place for a system prompt.
        takes_tools: whether tools, calls and results all come through.
    """

    as_parts: bool = False
    arguments_as_text: bool = False
    takes_system: bool = False
    takes_tools: bool = False


class Rendering(Protocol):
    """Renders turns, and what begins an answer, in a manner that is tried."""

    def __call__(self, turns: Sequence[Turn], tools: tuple[Tool, ...], manner: Manner) -> str:
        """The prompt.

        Raises:
            TemplateError: when the template fails on it.
        """
        ...


def manner_of(render: Rendering) -> Manner:
    """What the template wants.

    Raises:
        TemplateError: when it fails on a plain conversation, whatever the manner.
    """
    manner = _plain(render)
    system = _shows(render, manner, _PROBE_SYSTEM, _INSTRUCTION, _FIRST, _REPLY, _SECOND)
    return _with_tools(render, replace(manner, takes_system=system))


def _plain(render: Rendering) -> Manner:
    """With contents as text if that will do, else as parts."""
    manner = Manner()
    try:
        if _says_all(render, manner, _PROBE_SHORT, _FIRST) and _says_all(
            render, manner, _PROBE_LONG, _FIRST, _REPLY, _SECOND
        ):
            return manner
        failure = TemplateError("it leaves out what was said")
    except TemplateError as error:
        failure = error
    manner = Manner(as_parts=True)
    if _shows(render, manner, _PROBE_SHORT, _FIRST) and _shows(render, manner, _PROBE_LONG, _FIRST, _REPLY, _SECOND):
        return manner
    raise failure


def _with_tools(render: Rendering, manner: Manner) -> Manner:
    """With tools too, in the way of telling a call's arguments that lets them through; as it was where none does."""
    for tried in (manner, replace(manner, arguments_as_text=True)):
        try:
            offered = render(_PROBE_SHORT, (_PROBE_TOOL,), tried)
            called = render(_PROBE_CALL, (_PROBE_TOOL,), tried)
        except TemplateError:
            continue
        if (
            _PROBE_TOOL.name in offered
            and called.count(_PROBE_TOOL.name) > offered.count(_PROBE_TOOL.name)
            and _RESULT in called
            and _VALUE in called
            # Python's own spelling of a dict, which ``~`` gives, is not what a model has learnt.
            and str(_ARGUMENT) not in called
        ):
            return replace(tried, takes_tools=True)
    return manner


def _shows(render: Rendering, manner: Manner, turns: tuple[Turn, ...], *texts: str) -> bool:
    try:
        return _says_all(render, manner, turns, *texts)
    except TemplateError:
        return False


def _says_all(render: Rendering, manner: Manner, turns: tuple[Turn, ...], *texts: str) -> bool:
    prompt = render(turns, (), manner)
    return all(text in prompt for text in texts)
