"""``POST /v1/chat/completions``."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from fastapi import APIRouter, Request
from msgspec import UNSET
from starlette.responses import Response

from app.messages import (
    ChatRequest,
    Delta,
    Finished,
    Started,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    Usage,
)
from app.server.collect import Whole
from app.server.metering.answers import Metered
from app.server.models import resolve
from app.server.services import Services
from app.server.streaming import EventStream, while_connected
from app.server.strict_json import JsonRoute

from . import errors
from .asking import messages_of, refuse_foreign, response_format_of, sampling_of, tool_choice_of, tools_of
from .replies import (
    ChatChunk,
    ChatReply,
    ChoiceReply,
    ChunkChoice,
    DeltaReply,
    FunctionReply,
    MessageReply,
    ToolCallReply,
    UsageReply,
    calls_of,
    encode,
    logprobs_of,
    new_id,
    usage_of,
)
from .side_by_side import gathered, merged, seeded
from .wire import ChatCompletionRequest

DONE = b"data: [DONE]\n\n"


def routes(services: Services) -> APIRouter:
    """The route, answering from ``services``."""
    api = APIRouter(tags=["OpenAI"], route_class=JsonRoute)

    @api.post("/v1/chat/completions", response_class=Response)
    async def chat_completions(asked: ChatCompletionRequest, request: Request) -> Response:
        """Answers a conversation; with ``stream`` as server-sent events."""
        return await answered(services, asked, await neutral_request(services, asked), request)

    return api


async def answered(
    services: Services, asked: ChatCompletionRequest, neutral: ChatRequest, request: Request
) -> Response:
    """The answer to a chat, as OpenAI lays it out.

    Args:
        services: what answers.
        asked: the body, which says how the answer is told.
        neutral: what is asked.
        request: whoever asks; when they leave, the answer ends.

    Raises:
        PlaygroundError: when nothing could be answered.
    """
    count = asked.n or 1
    created = int(services.clock())
    router = Metered.of(services.router, request.scope)
    if asked.stream:
        events = _Events(asked, neutral, created).of(router, count)
        return EventStream(events, failed=errors.event, refused=errors.answer)
    answers = await while_connected(request, gathered(router, seeded(neutral, count)))
    reply = _reply(answers, asked, neutral, created)
    return Response(encode(reply), media_type="application/json")


async def neutral_request(services: Services, asked: ChatCompletionRequest) -> ChatRequest:
    """What is asked, in neutral words.

    Raises:
        PlaygroundError: when it cannot be answered.
    """
    refuse_foreign(asked)
    tools = tools_of(asked.tools)
    return ChatRequest(
        model=await resolve(services, asked.model),
        messages=messages_of(asked.messages),
        sampling=sampling_of(
            asked,
            max_tokens=asked.max_completion_tokens or asked.max_tokens,
            logprobs=(asked.top_logprobs or 0) if asked.logprobs else None,
            most_tokens=services.settings.server.max_output_tokens,
        ),
        tools=tools,
        tool_choice=tool_choice_of(asked.tool_choice, tools),
        response_format=response_format_of(asked.response_format),
    )


def _reply(answers: list[Whole], asked: ChatCompletionRequest, neutral: ChatRequest, created: int) -> ChatReply:
    return ChatReply(
        new_id("chatcmpl-"),
        created,
        answers[0].model or neutral.model,
        [
            ChoiceReply(
                place,
                MessageReply(
                    answer.text if answer.text or not answer.tool_calls else None,
                    reasoning_content=answer.thinking or UNSET,
                    tool_calls=calls_of(answer.tool_calls) if answer.tool_calls else UNSET,
                ),
                answer.finish,
                logprobs_of(answer.logprobs) if asked.logprobs else None,
            )
            for place, answer in enumerate(answers)
        ],
        usage_of([answer.usage for answer in answers]),
    )


class _Events:
    """The chunks of one streamed chat."""

    def __init__(self, asked: ChatCompletionRequest, neutral: ChatRequest, created: int) -> None:
        self._neutral = neutral
        self._logprobs = bool(asked.logprobs)
        self._with_usage = bool(asked.stream_options and asked.stream_options.include_usage)
        self._id = new_id("chatcmpl-")
        self._created = created
        self._lay_out(neutral.model)

    def _lay_out(self, model: str) -> None:
        self._model = model
        plain = self._chunk([ChunkChoice(0, DeltaReply(content="\0"))])
        # Most events differ in their text alone: everything around it is laid out once.
        self._before, self._after = plain.split(b'"\\u0000"')

    async def of(self, router: Metered, count: int) -> AsyncGenerator[bytes, None]:
        usages: list[Usage] = []
        opened: set[int] = set()
        async with aclosing(merged(router, seeded(self._neutral, count))) as deltas:
            async for place, delta in deltas:
                event = self._event(place, delta, count)
                if event is None:
                    continue
                if place not in opened:
                    opened.add(place)
                    event = self._chunk([ChunkChoice(place, DeltaReply(role="assistant", content=""))]) + event
                if isinstance(delta, Finished):
                    usages.append(delta.usage)
                    if len(usages) == count:
                        event += self._end(usages)
                yield event

    def _event(self, place: int, delta: Delta, count: int) -> bytes | None:
        match delta:
            case TextDelta(text, chosen):
                if count == 1 and not chosen:
                    return self._before + encode(text) + self._after
                found = logprobs_of(chosen) if self._logprobs else None
                return self._chunk([ChunkChoice(place, DeltaReply(content=text), logprobs=found)])
            case ThinkingDelta(text):
                return self._chunk([ChunkChoice(place, DeltaReply(reasoning_content=text))])
            case ToolCallDelta(index, arguments, call_id, name):
                call = ToolCallReply(
                    FunctionReply(arguments, name or UNSET), call_id or UNSET, "function" if call_id else UNSET, index
                )
                return self._chunk([ChunkChoice(place, DeltaReply(tool_calls=[call]))])
            case Finished(reason):
                return self._chunk([ChunkChoice(place, DeltaReply(), reason)])
            case Started() if delta.model != self._model:
                self._lay_out(delta.model)
                return None
            case _:
                return None

    def _end(self, usages: list[Usage]) -> bytes:
        return (self._chunk([], usage_of(usages)) if self._with_usage else b"") + DONE

    def _chunk(self, choices: list[ChunkChoice], usage: UsageReply | None = None) -> bytes:
        told = usage if self._with_usage else UNSET
        chunk = ChatChunk(self._id, self._created, self._model, choices, told)
        return b"data: " + encode(chunk) + b"\n\n"
