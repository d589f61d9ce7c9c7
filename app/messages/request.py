"""What is asked of a model, in the same words for every backend."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from .message import Message


class Sampling(Struct, frozen=True, kw_only=True):
    """How the next token is chosen. ``None`` leaves the choice to the model's own default.

    Names and ranges follow the OpenAI API where it has the parameter, and llama.cpp where it has not.

    Attributes:
        temperature: 0 is greedy; above 1 flattens the distribution.
        top_p: keep the smallest set of tokens whose probabilities sum to this (0 to 1].
        top_k: keep this many likeliest tokens; 0 keeps all.
        min_p: drop tokens less likely than this share of the likeliest [0 to 1].
        repeat_penalty: divides the logits of tokens seen lately; 1 is off.
        repeat_last_n: how many tokens back the penalties look; -1 is the whole context.
        frequency_penalty: subtracted once for each time a token was seen [-2 to 2].
        presence_penalty: subtracted once if a token was seen at all [-2 to 2].
        seed: same seed, same request, same model: same answer.
        logit_bias: token id to a number added to its logit; -100 bans it.
        stop: the answer ends before the first of these strings.
        max_tokens: most tokens to generate; ``None`` goes on to the end of the context.
        logprobs: alternatives to report beside each chosen token; ``None`` reports nothing, 0 the chosen one alone.
    """

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    repeat_penalty: float | None = None
    repeat_last_n: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    logit_bias: dict[int, float] = field(default_factory=dict)
    stop: tuple[str, ...] = ()
    max_tokens: int | None = None
    logprobs: int | None = None

    def over(self, defaults: Sampling) -> Sampling:
        """These choices, with ``defaults`` wherever none was made."""
        chosen = {
            name: value
            for name in self.__struct_fields__
            if (value := getattr(self, name)) is not None and value not in ({}, ())
        }
        inherited = {name: getattr(defaults, name) for name in defaults.__struct_fields__}
        return Sampling(**(inherited | chosen))


class Tool(Struct, frozen=True):
    """A function that the model may ask for; ``parameters`` is a JSON schema."""

    name: str
    description: str
    parameters: dict[str, Any]


class ToolChoice(Struct, frozen=True):
    """Whether tools may, must or must not be called; ``name`` picks one."""

    mode: Literal["auto", "none", "required"] = "auto"
    name: str | None = None


class ResponseFormat(Struct, frozen=True):
    """The form an answer must take. At most one of the two is set.

    Attributes:
        json_schema: the answer is JSON that fits this schema; ``{}`` is any JSON object.
        grammar: the answer fits this grammar, in llama.cpp's GBNF.
    """

    json_schema: dict[str, Any] | None = None
    grammar: str | None = None


class ChatRequest(Struct, frozen=True, kw_only=True):
    """One question to one model: the conversation so far and how to answer it.

    Attributes:
        prompt: text, or tokens of the model's own, to be continued as it is, without a chat template; ``messages`` are
            not looked at then.
        fresh: whether the answer must be made anew, even where the same request was answered before.
        here: what a model of this machine is asked in the place of ``messages``: they, with what must not leave it.
            What is sent elsewhere is made of ``messages`` alone; None where there is no difference.
        kept: whether what is said may be kept: in the cache of answers, and in notes that hold what was said.
    """

    model: str
    messages: tuple[Message, ...]
    prompt: str | tuple[int, ...] | None = None
    sampling: Sampling = Sampling()
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = ToolChoice()
    response_format: ResponseFormat = ResponseFormat()
    fresh: bool = False
    here: tuple[Message, ...] | None = None
    kept: bool = True

    def at_home(self) -> ChatRequest:
        """The request as a model of this machine gets it."""
        return self if self.here is None else msgspec.structs.replace(self, messages=self.here, here=None)

    def abroad(self) -> ChatRequest:
        """The request as everybody else gets it: without what must not leave this machine."""
        return self if self.here is None else msgspec.structs.replace(self, here=None)
