"""``POST /v1/responses``."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.messages import ChatRequest
from app.server.metering.answers import Metered
from app.server.services import Services
from app.server.streaming import EventStream, while_connected
from app.server.strict_json import JsonRoute

from . import errors
from .errors import RefusedError
from .replies import encode, new_id
from .response_writer import ResponseWriter
from .responses_asking import neutral_request, with_logprobs
from .responses_replies import ResponseReply
from .responses_wire import ResponsesRequest


def routes(services: Services) -> APIRouter:
    """The routes, answering from ``services``."""
    api = APIRouter(tags=["OpenAI"], route_class=JsonRoute)

    @api.post("/v1/responses", response_class=Response)
    async def responses(asked: ResponsesRequest, request: Request) -> Response:
        """Answers; with ``stream`` as server-sent events."""
        neutral = await neutral_request(services, asked)
        response = _begun(asked, neutral, int(services.clock()))
        writer = ResponseWriter(response, logprobs=with_logprobs(asked))
        router = Metered.of(services.router, request.scope)
        events = _events(router, neutral, writer)
        if asked.stream:
            return EventStream(events, failed=writer.failed, refused=errors.answer)
        await while_connected(request, _to_the_end(events))
        return Response(encode(response), media_type="application/json")

    @api.get("/v1/responses/{response_id}", response_class=Response)
    async def kept(response_id: str) -> Response:
        """Responses are not kept here."""
        raise RefusedError(f"Response with id '{response_id[:64]}' not found.", None, "response_not_found", status=404)

    return api


async def _events(router: Metered, neutral: ChatRequest, writer: ResponseWriter) -> AsyncGenerator[bytes, None]:
    async with aclosing(router.stream(neutral)) as deltas:
        async for delta in deltas:
            if events := writer.feed(delta):
                yield events


async def _to_the_end(events: AsyncGenerator[bytes, None]) -> None:
    async with aclosing(events):
        async for _event in events:
            pass


def _begun(asked: ResponsesRequest, neutral: ChatRequest, now: int) -> ResponseReply:
    text = asked.text.model_dump(by_alias=True, exclude_none=True) if asked.text else {}
    choice = asked.tool_choice
    return ResponseReply(
        id=new_id("resp_"),
        created_at=now,
        model=neutral.model,
        status="in_progress",
        instructions=asked.instructions,
        max_output_tokens=asked.max_output_tokens,
        temperature=asked.temperature,
        top_p=asked.top_p,
        top_logprobs=asked.top_logprobs or 0,
        tool_choice=choice if isinstance(choice, str) else choice.model_dump() if choice else "auto",
        tools=[tool.model_dump() for tool in asked.tools or ()],
        text={"format": {"type": "text"}, **text},
        metadata=asked.metadata or {},
        parallel_tool_calls=asked.parallel_tool_calls is not False,
        user=asked.user,
    )
