"""Chat templates: from a conversation to the text that a model was trained to continue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jinja2 import TemplateError
from jinja2.environment import Template

from app.errors import InvalidRequestError
from app.messages import Message, Thinking, Tool

from .probing import Manner, manner_of
from .sandbox import ChatSandbox
from .tools_in_words import in_words
from .turns import (
    Hide,
    Turn,
    by_turns,
    calls_tools,
    hidden,
    hidden_tools,
    one_call_a_turn,
    spoken,
    turns_of,
    with_arguments_as_text,
    without_system,
)

CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
"""The commonest template: what is used when a file's own cannot be."""

RENDER_SECONDS = 2.0
"""The longest that one rendering may take; real templates take a few milliseconds."""


def _as_it_is(value: Any) -> Any:
    return value


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
        self._manner = manner_of(lambda turns, tools, manner: self._run(turns, tools, True, manner))
        self.takes_system, self.takes_tools = self._manner.takes_system, self._manner.takes_tools

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
        if add_generation_prompt and messages[-1].role == "assistant" and not calls_tools(messages[-1]):
            return self._open_ended(messages, tools, hide)
        return self._render(hidden(turns_of(messages), hide), hidden_tools(tools, hide), add_generation_prompt)

    def _open_ended(self, messages: tuple[Message, ...], tools: tuple[Tool, ...], hide: Hide) -> str:
        tools = hidden_tools(tools, hide)
        *before, last = messages
        # What the model is to go on from begins as its answer began: the prompt of the first try, whose KV cache may
        # still be there, and then its own words.
        if before:
            turns = hidden(turns_of(tuple(before)), hide)
            prompt = self._render(turns, tools, True)
            if prompt != self._render(turns, tools, False):
                return prompt + spoken(last, hide, inside_thinking=prompt.rstrip().endswith("<think>"))
        # A template without a generation prompt: mark the end of the words, and cut there.
        text = spoken(last, hide, inside_thinking=False)
        mark = "(the answer goes on here)"
        while any(mark in message.text for message in messages):
            mark = f"({mark})"
        turns = [*hidden(turns_of(tuple(before)), hide), *turns_of((Message.assistant(text + mark),))]
        prompt, found, _closing = self._render(turns, tools, False).rpartition(mark)
        if not found:
            raise InvalidRequestError(
                "This model's chat template cannot go on from an answer.", "End the conversation with a question."
            )
        return prompt

    def _render(self, turns: Sequence[Turn], tools: tuple[Tool, ...], add_generation_prompt: bool) -> str:
        if not self.takes_tools:
            turns, tools = in_words(turns, tools), ()
        if not self.takes_system:
            turns = without_system(turns)
        try:
            return self._run(turns, tools, add_generation_prompt, self._manner)
        except TemplateError as error:
            # Many templates insist on question and answer by turns, and on one system prompt, at the beginning.
            plain = one_call_a_turn(by_turns(turns))
            if plain == list(turns):
                raise _refusal(error) from error
        try:
            return self._run(plain, tools, add_generation_prompt, self._manner)
        except TemplateError as error:
            raise _refusal(error) from error

    def _run(self, turns: Sequence[Turn], tools: tuple[Tool, ...], add_generation_prompt: bool, manner: Manner) -> str:
        if manner.as_parts:
            turns = [turn | {"content": [{"type": "text", "text": turn["content"]}]} for turn in turns]
        if manner.arguments_as_text:
            turns = [with_arguments_as_text(turn) for turn in turns]
        variables: dict[str, Any] = {
            **self._tokens,
            "messages": list(turns),
            "tools": [_described(tool) for tool in tools] or None,
            "documents": None,
            "add_generation_prompt": add_generation_prompt,
        }
        return self._sandbox.run(self._template, variables)


def begins_thinking(prompt: str, messages: tuple[Message, ...]) -> bool:
    """Whether a prompt ends inside what the model thinks aloud: the template began it, or the answer to go on."""
    last = messages[-1]
    if last.role == "assistant" and any(isinstance(part, Thinking) for part in last.parts) and not calls_tools(last):
        return not last.text
    return prompt.rstrip().endswith("<think>")


def _refusal(error: TemplateError) -> InvalidRequestError:
    reason = str(error)[:300].rstrip(".") or type(error).__name__
    return InvalidRequestError(f"This model's chat template does not take the conversation: {reason}.")


def _described(tool: Tool) -> dict[str, Any]:
    return {
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters},
    }
