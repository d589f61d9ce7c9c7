"""``POST /v1/completions``: text that is continued as it is. https://platform.openai.com/docs/api-reference/completions."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Request
from msgspec import UNSET, Struct, UnsetType
from pydantic import Field
from starlette.responses import Response

from app.messages import ChatRequest, ChosenToken, Delta, Finished, Started, TextDelta, Usage
from app.server.metering.answers import Metered
from app.server.models import resolve
from app.server.services import Services
from app.server.streaming import EventStream, while_connected
from app.server.strict_json import JsonRoute

from . import errors
from .asking import sampling_of
from .errors import RefusedError
from .replies import UsageReply, encode, finite, new_id, usage_of
from .side_by_side import gathered, merged, seeded
from .wire import SamplingFields

_DONE = b"data: [DONE]\n\n"
_MAX_TOKENS = 16
"""What OpenAI generates where nothing is said."""

_MOST_CHOICES = 128
Token = Annotated[int, Field(ge=0, le=2**31 - 1)]
Tokens = Annotated[list[Token], Field(min_length=1)]


class CompletionRequest(SamplingFields):
    """Text, or several texts, to be continued."""

    prompt: (
        str
        | Annotated[list[str], Field(min_length=1, max_length=_MOST_CHOICES)]
        | Tokens
        | Annotated[list[Tokens], Field(min_length=1, max_length=_MOST_CHOICES)]
    ) = "<|endoftext|>"
    logprobs: Annotated[int, Field(ge=0, le=5)] | None = None
    echo: bool | None = None
    best_of: Annotated[int, Field(ge=1, le=20)] | None = None
    suffix: str | None = None


class LogprobsReply(Struct):
    """Probabilities in the older API's form; offsets count characters of the text."""

    tokens: list[str]
    token_logprobs: list[float]
    top_logprobs: list[dict[str, float]]
    text_offset: list[int]


class ChoiceReply(Struct):
    """A text."""

    text: str
    index: int
    logprobs: LogprobsReply | None = None
    finish_reason: str | None = None


class CompletionReply(Struct):
    """All of them; also the form of each event of a stream."""

    id: str
    created: int
    model: str
    choices: list[ChoiceReply]
    usage: UsageReply | UnsetType | None = UNSET
    object: str = "text_completion"
    system_fingerprint: str | None = None


def routes(services: Services) -> APIRouter:
    """The route, answering from ``services``."""
    api = APIRouter(tags=["OpenAI"], route_class=JsonRoute)

    @api.post("/v1/completions", response_class=Response)
    async def completions(asked: CompletionRequest, request: Request) -> Response:
        """Continues text; with ``stream`` as server-sent events."""
        requests = await _requests(services, asked)
        head = CompletionReply(new_id("cmpl-"), int(services.clock()), requests[0].model, [])
        router = Metered.of(services.router, request.scope)
        if asked.stream:
            events = _events(router, asked, requests, head)
            return EventStream(events, failed=errors.event, refused=errors.answer)
        answers = await while_connected(request, gathered(router, requests))
        head.choices = [
            ChoiceReply(
                _echoed(asked, requests[place]) + answer.text,
                place,
                _logprobs(answer.logprobs, len(_echoed(asked, requests[place])))
                if asked.logprobs is not None
                else None,
                answer.finish,
            )
            for place, answer in enumerate(answers)
        ]
        head.model = answers[0].model or head.model
        head.usage = _usage([answer.usage for answer in answers], asked.n or 1)
        return Response(encode(head), media_type="application/json")

    return api


async def _requests(services: Services, asked: CompletionRequest) -> list[ChatRequest]:
    _refuse_foreign(asked)
    model = await resolve(services, asked.model)
    sampling = sampling_of(
        asked,
        max_tokens=asked.max_tokens or _MAX_TOKENS,
        logprobs=asked.logprobs,
        most_tokens=services.settings.server.max_output_tokens,
    )
    prompts = _prompts(asked.prompt)
    count = asked.n or 1
    if len(prompts) * count > _MOST_CHOICES:
        raise RefusedError(f"At most {_MOST_CHOICES} completions can be asked for at once.", "n", "invalid_value")
    return [
        one
        for prompt in prompts
        for one in seeded(ChatRequest(model=model, messages=(), prompt=prompt, sampling=sampling), count)
    ]


def _refuse_foreign(asked: CompletionRequest) -> None:
    if asked.suffix:
        raise RefusedError(
            "Unsupported parameter: 'suffix' is not supported with this model.", "suffix", "unsupported_parameter"
        )
    if asked.best_of is not None and asked.best_of != (asked.n or 1):
        raise RefusedError("Unsupported value: 'best_of' must equal 'n' here.", "best_of", "unsupported_value")
    if asked.echo and (asked.logprobs is not None or not _texts(asked.prompt)):
        raise RefusedError(
            "Unsupported value: 'echo' goes with a prompt of text, and not with 'logprobs'.",
            "echo",
            "unsupported_value",
        )
    if asked.stream_options is not None and not asked.stream:
        raise RefusedError(
            "Invalid value for 'stream_options': it is only allowed when 'stream' is enabled.",
            "stream_options",
            "invalid_value",
        )


def _texts(prompt: str | Sequence[str | int | Sequence[int]]) -> bool:
    return isinstance(prompt, str) or isinstance(prompt[0], str)


def _prompts(prompt: str | Sequence[str | int | Sequence[int]]) -> list[str | tuple[int, ...]]:
    if isinstance(prompt, str):
        return [prompt]
    if isinstance(prompt[0], int):
        return [tuple(token for token in prompt if isinstance(token, int))]
    return [one if isinstance(one, str) else tuple(one) for one in prompt if not isinstance(one, int)]


def _echoed(asked: CompletionRequest, request: ChatRequest) -> str:
    return request.prompt if asked.echo and isinstance(request.prompt, str) else ""


async def _events(
    router: Metered, asked: CompletionRequest, requests: list[ChatRequest], head: CompletionReply
) -> AsyncGenerator[bytes, None]:
    usages: list[Usage] = []
    said = [0] * len(requests)
    with_usage = bool(asked.stream_options and asked.stream_options.include_usage)
    if with_usage:
        head.usage = None

    def event(choice: ChoiceReply) -> bytes:
        head.choices = [choice]
        return b"data: " + encode(head) + b"\n\n"

    async with aclosing(merged(router, requests)) as deltas:
        async for place, delta in deltas:
            if isinstance(delta, Started):
                head.model = delta.model
            choice = _choice(place, delta, asked, requests[place], said)
            if choice is None:
                continue
            if not isinstance(delta, Finished):
                yield event(choice)
                continue
            last = event(choice)
            usages.append(delta.usage)
            if len(usages) == len(requests):
                if with_usage:
                    head.choices, head.usage = [], _usage(usages, asked.n or 1)
                    last += b"data: " + encode(head) + b"\n\n"
                last += _DONE
            yield last


def _choice(
    place: int, delta: Delta, asked: CompletionRequest, request: ChatRequest, said: list[int]
) -> ChoiceReply | None:
    match delta:
        case Started():
            echoed = _echoed(asked, request)
            return ChoiceReply(echoed, place) if echoed else None
        case TextDelta(text, chosen):
            found = _logprobs(chosen, said[place]) if asked.logprobs is not None else None
            said[place] += len(text)
            return ChoiceReply(text, place, found)
        case Finished(reason):
            return ChoiceReply("", place, None, reason)
        case _:
            return None


def _logprobs(chosen: Sequence[ChosenToken], offset: int) -> LogprobsReply:
    offsets = []
    for token in chosen:
        offsets.append(offset)
        offset += len(token.chosen.token)
    return LogprobsReply(
        [token.chosen.token for token in chosen],
        [finite(token.chosen.logprob) for token in chosen],
        [{other.token: finite(other.logprob) for other in token.alternatives} for token in chosen],
        offsets,
    )


def _usage(usages: Sequence[Usage], each: int) -> UsageReply:
    """Each prompt counts once, however many continuations it has."""
    total = usage_of(usages)
    total.prompt_tokens = sum(usage.prompt_tokens for usage in usages) // each
    total.total_tokens = total.prompt_tokens + total.completion_tokens
    return total
