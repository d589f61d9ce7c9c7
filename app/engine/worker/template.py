"""Chat templates: from a conversation to the text that a model was trained to continue."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from jinja2 import TemplateError
from jinja2.environment import Template

from app.errors import InvalidRequestError
from app.messages import Image, Message, Text, Thinking, Tool, ToolCall, ToolResult

from .sandbox import ChatSandbox
from .tools_in_words import in_words

CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
"""The commonest template: what is used when a file's own cannot be."""

RENDER_SECONDS = 2.0
"""The longest that one rendering may take; real templates take a few milliseconds."""

_Turn = dict[str, Any]
Hide = Callable[[Any], Any]
_SAID = ("content", "reasoning_content", "name", "tool_calls")
"""What of a turn somebody has written; the rest are words of ours."""


def _as_it_is(value: Any) -> Any:
    return value


_FIRST, _REPLY, _SECOND, _INSTRUCTION = "probe question one", "probe answer", "probe question two", "probe instruction"
_PROBE_SHORT: tuple[_Turn, ...] = ({"role": "user", "content": _FIRST},)
_PROBE_LONG: tuple[_Turn, ...] = (
    *_PROBE_SHORT,
    {"role": "assistant", "content": _REPLY},
    {"role": "user", "content": _SECOND},
)
_VALUE, _RESULT = "probe value", "probe result"
_ARGUMENT = {"probe_argument": _VALUE}
_PROBE_TOOL = Tool("probe_tool", "probes", {"type": "object", "properties": {"probe_argument": {"type": "string"}}})
_PROBE_CALL: tuple[_Turn, ...] = (
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
_PROBE_SYSTEM: tuple[_Turn, ...] = ({"role": "system", "content": _INSTRUCTION}, *_PROBE_LONG)


class ChatTemplate:
    """A template that was tried and found good. Belongs to one thread.

    Args:
        source: Jinja text, in Hugging Face's dialect.
        bos: the text of the token that begins a sequence; the template decides whether to write it.
        eos: the text of the token that ends one.

    Raises:
        TemplateError: when the template cannot be compiled, or fails on a plain conversation.
    """

    def __init__(self, source: str, bos: str, eos: str) -> None:
        self.source = source
        self._sandbox = ChatSandbox(RENDER_SECONDS)
        self._template: Template = self._sandbox.compile_template(source)
        self._tokens = {"bos_token": bos, "eos_token": eos}
        self._as_parts = self._arguments_as_text = False
        self._as_parts = self._needs_parts()
        self.takes_system = self._shows(_PROBE_SYSTEM, _INSTRUCTION, _FIRST, _REPLY, _SECOND)
        self.takes_tools = self._tells_of_tools()

    @classmethod
    def choose(
        cls, file_template: str | None, override: str | None, bos: str, eos: str
    ) -> tuple[ChatTemplate, tuple[str, ...]]:
        """The first that works of: the catalogue's override, the file's own, ChatML.

        Gives:
            The template, and a sentence for everything that did not go as one would expect.
        """
        warnings: list[str] = []
        for origin, source in (("the catalogue", override), ("the model file", file_template)):
            if not source:
                continue
            try:
                found = cls(source, bos, eos)
            except TemplateError as error:
                reason = str(error)[:200].rstrip(".") or type(error).__name__
                warnings.append(f"The chat template of {origin} fails ({reason}), so another one is used.")
                continue
            if not found.takes_system:
                warnings.append(
                    f"The chat template of {origin} has no place for a system prompt, so it is put before the first"
                    " question."
                )
            return found, tuple(warnings)
        if not warnings:
            warnings.append("The model file has no chat template.")
        warnings.append("Conversations are written as ChatML, which this model may not have learnt.")
        return cls(CHATML, bos, eos), tuple(warnings)

    def render(
        self,
        messages: tuple[Message, ...],
        tools: tuple[Tool, ...] = (),
        add_generation_prompt: bool = True,
        hide: Hide = _as_it_is,
    ) -> str:
        """The prompt for a conversation.

        Where the template does not know tools, they are described in the system prompt, and calls and results are told
        in words. A conversation that ends with the assistant's own words is left open after them, so that the model
        goes on.

        Args:
            messages: the conversation.
            tools: what the model may call.
            add_generation_prompt: end with what begins an answer.
            hide: gives what the template writes for what people, tools and models have said: see ``control_names``.

        Raises:
            InvalidRequestError: when the template does not take such a conversation.
        """
        if not messages:
            raise InvalidRequestError("The conversation is empty.", "Send at least one message.")
        if add_generation_prompt and messages[-1].role == "assistant" and not _calls_tools(messages[-1]):
            return self._open_ended(messages, tools, hide)
        return self._render(_hidden(_turns(messages), hide), _hidden_tools(tools, hide), add_generation_prompt)

    def _open_ended(self, messages: tuple[Message, ...], tools: tuple[Tool, ...], hide: Hide) -> str:
        tools = _hidden_tools(tools, hide)
        *before, last = messages
        # What the model is to go on from begins as its answer began: the prompt of the first try, whose KV cache may
        # still be there, and then its own words.
        if before:
            turns = _hidden(_turns(tuple(before)), hide)
            prompt = self._render(turns, tools, True)
            if prompt != self._render(turns, tools, False):
                return prompt + _spoken(last, hide, inside_thinking=prompt.rstrip().endswith("<think>"))
        # A template without a generation prompt: mark the end of the words, and cut there.
        text = _spoken(last, hide, inside_thinking=False)
        mark = "(the answer goes on here)"
        while any(mark in message.text for message in messages):
            mark = f"({mark})"
        turns = [*_hidden(_turns(tuple(before)), hide), *_turns((Message.assistant(text + mark),))]
        prompt, found, _closing = self._render(turns, tools, False).rpartition(mark)
        if not found:
            raise InvalidRequestError(
                "This model's chat template cannot go on from an answer.", "End the conversation with a question."
            )
        return prompt

    def _render(self, turns: Sequence[_Turn], tools: tuple[Tool, ...], add_generation_prompt: bool) -> str:
        if not self.takes_tools:
            turns, tools = in_words(turns, tools), ()
        if not self.takes_system:
            turns = _without_system(turns)
        try:
            return self._run(turns, tools, add_generation_prompt)
        except TemplateError as error:
            # Many templates insist on question and answer by turns, and on one system prompt, at the beginning.
            plain = _one_call_a_turn(_by_turns(turns))
            if plain == list(turns):
                raise _refusal(error) from error
        try:
            return self._run(plain, tools, add_generation_prompt)
        except TemplateError as error:
            raise _refusal(error) from error

    def _run(self, turns: Sequence[_Turn], tools: tuple[Tool, ...], add_generation_prompt: bool) -> str:
        if self._as_parts:
            turns = [turn | {"content": [{"type": "text", "text": turn["content"]}]} for turn in turns]
        if self._arguments_as_text:
            turns = [_with_arguments_as_text(turn) for turn in turns]
        variables: dict[str, Any] = {
            **self._tokens,
            "messages": list(turns),
            "tools": [_described(tool) for tool in tools] or None,
            "documents": None,
            "add_generation_prompt": add_generation_prompt,
        }
        return self._sandbox.run(self._template, variables)

    def _needs_parts(self) -> bool:
        """Whether the template wants contents as lists of parts, as those of vision models do.

        Raises:
            TemplateError: when a plain conversation fails either way.
        """
        try:
            if self._says_all(_PROBE_SHORT, _FIRST) and self._says_all(_PROBE_LONG, _FIRST, _REPLY, _SECOND):
                return False
            failure = TemplateError("it leaves out what was said")
        except TemplateError as error:
            failure = error
        self._as_parts = True
        if self._shows(_PROBE_SHORT, _FIRST) and self._shows(_PROBE_LONG, _FIRST, _REPLY, _SECOND):
            return True
        raise failure

    def _tells_of_tools(self) -> bool:
        """Whether tools, calls and results all come through; finds out how the template wants a call's arguments."""
        for self._arguments_as_text in (False, True):
            try:
                offered = self._run(_PROBE_SHORT, (_PROBE_TOOL,), True)
                called = self._run(_PROBE_CALL, (_PROBE_TOOL,), True)
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
                return True
        return False

    def _shows(self, turns: tuple[_Turn, ...], *texts: str) -> bool:
        try:
            return self._says_all(turns, *texts)
        except TemplateError:
            return False

    def _says_all(self, turns: tuple[_Turn, ...], *texts: str) -> bool:
        prompt = self._run(turns, (), True)
        return all(text in prompt for text in texts)


def begins_thinking(prompt: str, messages: tuple[Message, ...]) -> bool:
    """Whether a prompt ends inside what the model thinks aloud: the template began it, or the answer to go on."""
    last = messages[-1]
    if last.role == "assistant" and any(isinstance(part, Thinking) for part in last.parts) and not _calls_tools(last):
        return not last.text
    return prompt.rstrip().endswith("<think>")


def _refusal(error: TemplateError) -> InvalidRequestError:
    reason = str(error)[:300].rstrip(".") or type(error).__name__
    return InvalidRequestError(f"This model's chat template does not take the conversation: {reason}.")


def _turns(messages: tuple[Message, ...]) -> list[_Turn]:
    names = {part.call_id: part.name for message in messages for part in message.parts if isinstance(part, ToolCall)}
    return [turn for message in messages for turn in _turns_of(message, names)]


def _turns_of(message: Message, names: dict[str, str]) -> Iterator[_Turn]:
    """One message as Hugging Face's templates read it; tool results are turns of their own there."""
    if any(isinstance(part, Image) for part in message.parts):
        raise InvalidRequestError("This model cannot see images.", "Remove the image, or choose a vision model.")
    results = [part for part in message.parts if isinstance(part, ToolResult)]
    for result in results:
        told: _Turn = {"role": "tool", "content": _told(result), "tool_call_id": _short_id(result.call_id)}
        yield told | ({"name": names[result.call_id]} if result.call_id in names else {})
    if results and not message.text:
        return
    turn: _Turn = {"role": message.role, "content": message.text}
    thinking = "".join(part.text for part in message.parts if isinstance(part, Thinking))
    if thinking:
        turn["reasoning_content"] = thinking
    calls = [part for part in message.parts if isinstance(part, ToolCall)]
    if calls:
        turn["tool_calls"] = [
            {
                "id": _short_id(call.call_id),
                "type": "function",
                "function": {"name": call.name, "arguments": _arguments(call)},
            }
            for call in calls
        ]
    yield turn


def _told(result: ToolResult) -> str:
    return f"Error: {result.text}" if result.is_error else result.text


def _short_id(call_id: str) -> str:
    """Mistral's templates insist on ids of nine letters and digits; others do not mind them."""
    if len(call_id) == 9 and call_id.isalnum():
        return call_id
    return hashlib.sha256(call_id.encode("utf-8", "replace")).hexdigest()[:9]


def _arguments(call: ToolCall) -> Any:
    """Templates write arguments with ``tojson``, so they get the object; what does not parse stays as it is."""
    try:
        return json.loads(call.arguments or "{}")
    except ValueError:
        return call.arguments


def _described(tool: Tool) -> dict[str, Any]:
    return {
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters},
    }


def _calls_tools(message: Message) -> bool:
    return any(isinstance(part, ToolCall) for part in message.parts)


def _hidden(turns: Sequence[_Turn], hide: Hide) -> list[_Turn]:
    return [{key: hide(value) if key in _SAID else value for key, value in turn.items()} for turn in turns]


def _hidden_tools(tools: tuple[Tool, ...], hide: Hide) -> tuple[Tool, ...]:
    return tuple(Tool(hide(tool.name), hide(tool.description), hide(tool.parameters)) for tool in tools)


def _spoken(message: Message, hide: Hide, *, inside_thinking: bool) -> str:
    """What the model itself wrote of a message, thinking included."""
    said: str = hide(message.text)
    thinking: str = hide("".join(part.text for part in message.parts if isinstance(part, Thinking)))
    if not thinking:
        return said
    opening = "" if inside_thinking else "<think>\n"
    has_text = any(isinstance(part, Text) and part.text for part in message.parts)
    return f"{opening}{thinking}" + (f"\n</think>\n\n{said}" if has_text else "")


def _without_system(turns: Sequence[_Turn]) -> list[_Turn]:
    """System turns put before the words of the first question."""
    instructions = "\n\n".join(turn["content"] for turn in turns if turn["role"] == "system")
    rest = [turn for turn in turns if turn["role"] != "system"]
    if not instructions:
        return rest
    for at, turn in enumerate(rest):
        if turn["role"] == "user":
            rest[at] = turn | {"content": f"{instructions}\n\n{turn['content']}"}
            return rest
    return [{"role": "user", "content": instructions}, *rest]


def _by_turns(turns: Sequence[_Turn]) -> list[_Turn]:
    """System turns gathered at the beginning, neighbours of the same role joined."""
    system = [turn for turn in turns if turn["role"] == "system"]
    ordered = [*system, *(turn for turn in turns if turn["role"] != "system")]
    joined: list[_Turn] = []
    for turn in ordered:
        plain = turn["role"] in ("system", "user", "assistant") and "tool_calls" not in turn
        if plain and joined and joined[-1]["role"] == turn["role"] and "tool_calls" not in joined[-1]:
            joined[-1] = joined[-1] | {"content": f"{joined[-1]['content']}\n\n{turn['content']}"}
        else:
            joined.append(turn)
    return joined


def _one_call_a_turn(turns: Sequence[_Turn]) -> list[_Turn]:
    """Parallel calls one after the other, each with its result behind it, for templates that know no others."""
    results = {turn["tool_call_id"]: turn for turn in turns if turn["role"] == "tool"}
    apart: list[_Turn] = []
    placed: set[str] = set()
    for turn in turns:
        calls = turn.get("tool_calls", ())
        if len(calls) < 2:
            if turn.get("tool_call_id") not in placed:
                apart.append(turn)
            continue
        for at, call in enumerate(calls):
            apart.append(turn | {"content": "" if at else turn["content"], "tool_calls": [call]})
            if call["id"] in results:
                apart.append(results[call["id"]])
                placed.add(call["id"])
    return apart


def _with_arguments_as_text(turn: _Turn) -> _Turn:
    if "tool_calls" not in turn:
        return turn
    calls = []
    for call in turn["tool_calls"]:
        function = call["function"]
        if not isinstance(function["arguments"], str):
            function = function | {"arguments": json.dumps(function["arguments"], ensure_ascii=False)}
        calls.append(call | {"function": function})
    return turn | {"tool_calls": calls}
