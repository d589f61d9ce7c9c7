"""What providers say, byte for byte in their own formats, for one ``Answer`` that a test describes once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from app.messages import FinishReason, Usage

Body = dict[str, Any]


def encoded(value: Any) -> bytes:
    """Compact JSON."""
    return msgspec.json.encode(value)


@dataclass(frozen=True)
class Call:
    """A call of a tool; ``pieces`` joined are its arguments."""

    call_id: str
    name: str
    pieces: tuple[str, ...] = ("{}",)

    @property
    def arguments(self) -> str:
        return "".join(self.pieces)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """How a provider answers one request.

    Attributes:
        text: pieces of the answer, an event each.
        thinking: pieces of thoughts before it; ``signature`` is Anthropic's proof of them, ``redacted`` thoughts that
            only Anthropic reads.
        stop: the stop string that ended it, as Anthropic tells.
        status: an error if it is 400 or more: ``error`` says what, ``code`` is the provider's own word for it.
        body: the exact body, whatever was asked.
        wait: seconds before anything is sent; ``pause``: before each event.
        dies_after: so many events are sent, then the connection is reset.
        ends_after: so many events are sent, then the body ends as if it were whole.
        hangs_after: so many events are sent, then nothing more.
        fails_after: so many events are sent, then the provider's own error event.
        write: bytes in one write; 0 writes whole events.
    """

    text: tuple[str, ...] = ("Hello", " there", "!")
    thinking: tuple[str, ...] = ()
    signature: str = ""
    redacted: tuple[str, ...] = ()
    calls: tuple[Call, ...] = ()
    finish: FinishReason = "stop"
    stop: str | None = None
    usage: Usage = Usage(9, 3, 4)  # noqa: RUF009 - it never changes
    logprobs: bool = False
    status: int = 200
    error: str = "It did not work."
    code: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    wait: float = 0.0
    pause: float = 0.0
    dies_after: int | None = None
    ends_after: int | None = None
    hangs_after: int | None = None
    fails_after: int | None = None
    write: int = 0


def tokens(answer: Answer, said: str) -> list[Body]:
    """What OpenAI and Ollama tell of a piece's probability, as if it were one token."""
    return [
        {
            "token": said,
            "logprob": -0.25,
            "bytes": list(said.encode()),
            "top_logprobs": [{"token": "x", "logprob": -1.5, "bytes": [120]}],
        }
    ]


# OpenAI: chat

FINISH = {"stop": "stop", "length": "length", "tool_calls": "tool_calls", "content_filter": "content_filter"}


def chat_usage(usage: Usage) -> Body:
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }


def chat_events(answer: Answer, asked: Body, reasoning: str = "reasoning_content") -> Iterator[bytes]:
    """The events of ``POST /chat/completions`` with ``stream``."""
    with_usage = bool((asked.get("stream_options") or {}).get("include_usage"))

    def chunk(delta: Body, finish: str | None = None, said: str = "") -> bytes:
        logprobs = {"content": tokens(answer, said), "refusal": None} if answer.logprobs and said else None
        choice = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
        told = {"usage": None} if with_usage else {}
        return b"data: " + encoded(head | {"choices": [choice], **told, "obfuscation": "x7Kq"}) + b"\n\n"

    head: Body = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": asked["model"],
        "service_tier": "default",
        "system_fingerprint": "fp_1",
    }
    yield chunk({"role": "assistant", "content": "", "refusal": None})
    for piece in answer.thinking:
        yield chunk({reasoning: piece})
    for piece in answer.text:
        yield chunk({"content": piece}, said=piece)
    for index, call in enumerate(answer.calls):
        opened = {"index": index, "id": call.call_id, "type": "function"}
        yield chunk({"tool_calls": [opened | {"function": {"name": call.name, "arguments": ""}}]})
        for piece in call.pieces:
            yield chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    yield chunk({}, FINISH[answer.finish])
    if with_usage:
        yield b"data: " + encoded(head | {"choices": [], "usage": chat_usage(answer.usage)}) + b"\n\n"
    yield b"data: [DONE]\n\n"


def chat_body(answer: Answer, asked: Body, reasoning: str = "reasoning_content") -> Body:
    """The body of a whole chat completion."""
    text = "".join(answer.text)
    message: Body = {"role": "assistant", "content": text or None, "refusal": None, "annotations": []}
    if answer.thinking:
        message[reasoning] = "".join(answer.thinking)
    if answer.calls:
        message["tool_calls"] = [
            {"id": call.call_id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in answer.calls
        ]
    logprobs = {"content": [found for piece in answer.text for found in tokens(answer, piece)], "refusal": None}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1700000000,
        "model": asked["model"],
        "choices": [
            {
                "index": 0,
                "message": message,
                "logprobs": logprobs if answer.logprobs else None,
                "finish_reason": FINISH[answer.finish],
            }
        ],
        "usage": chat_usage(answer.usage),
        "service_tier": "default",
        "system_fingerprint": "fp_1",
    }


def openai_error(answer: Answer) -> Body:
    kinds = {401: "invalid_request_error", 429: "requests"}
    kind = kinds.get(answer.status, "invalid_request_error" if answer.status < 500 else "server_error")
    return {"error": {"message": answer.error, "type": kind, "param": None, "code": answer.code or None}}


def chat_failure(answer: Answer) -> bytes:
    return b"data: " + encoded({"error": {"message": answer.error, "type": "server_error", "code": 500}}) + b"\n\n"


# OpenAI: plain completions


def completion_events(answer: Answer, asked: Body) -> Iterator[bytes]:
    """The events of ``POST /completions`` with ``stream``."""
    head = {"id": "cmpl-1", "object": "text_completion", "created": 1700000000, "model": asked["model"]}
    for piece in answer.text:
        choice = {"index": 0, "text": piece, "logprobs": None, "finish_reason": None}
        yield b"data: " + encoded(head | {"choices": [choice]}) + b"\n\n"
    choice = {"index": 0, "text": "", "logprobs": None, "finish_reason": FINISH[answer.finish]}
    yield b"data: " + encoded(head | {"choices": [choice]}) + b"\n\n"
    if (asked.get("stream_options") or {}).get("include_usage"):
        yield b"data: " + encoded(head | {"choices": [], "usage": chat_usage(answer.usage)}) + b"\n\n"
    yield b"data: [DONE]\n\n"


def completion_body(answer: Answer, asked: Body) -> Body:
    choice = {"index": 0, "text": "".join(answer.text), "logprobs": None, "finish_reason": FINISH[answer.finish]}
    return {
        "id": "cmpl-1",
        "object": "text_completion",
        "created": 1700000000,
        "model": asked["model"],
        "choices": [choice],
        "usage": chat_usage(answer.usage),
    }


# OpenAI: responses


def response_output(answer: Answer, status: str = "completed") -> list[Body]:
    output: list[Body] = []
    if answer.thinking:
        text = {"type": "summary_text", "text": "".join(answer.thinking)}
        output.append({"id": "rs_1", "type": "reasoning", "summary": [text]})
    if answer.text:
        said: Body = {"type": "output_text", "text": "".join(answer.text), "annotations": [], "logprobs": []}
        if answer.logprobs:
            said["logprobs"] = [found for piece in answer.text for found in tokens(answer, piece)]
        output.append({"id": "msg_1", "type": "message", "status": status, "role": "assistant", "content": [said]})
    for number, call in enumerate(answer.calls):
        made = {"call_id": call.call_id, "name": call.name, "arguments": call.arguments, "status": status}
        output.append({"id": f"fc_{number}", "type": "function_call"} | made)
    return output


def response_body(answer: Answer, asked: Body) -> Body:
    """The body of a whole response."""
    why = {"length": "max_output_tokens", "content_filter": "content_filter"}.get(answer.finish)
    usage = answer.usage
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1700000000,
        "status": "incomplete" if why else "completed",
        "error": None,
        "incomplete_details": {"reason": why} if why else None,
        "instructions": asked.get("instructions"),
        "model": asked["model"],
        "output": response_output(answer),
        "parallel_tool_calls": True,
        "store": False,
        "usage": {
            "input_tokens": usage.prompt_tokens,
            "input_tokens_details": {"cached_tokens": usage.cached_tokens},
            "output_tokens": usage.completion_tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": usage.total_tokens,
        },
    }


def response_events(answer: Answer, asked: Body) -> Iterator[bytes]:
    """The events of ``POST /responses`` with ``stream``."""
    number = -1

    def event(kind: str, **fields: Any) -> bytes:
        nonlocal number
        number += 1
        told = {"type": kind, "sequence_number": number, **fields}
        return b"event: " + kind.encode() + b"\ndata: " + encoded(told) + b"\n\n"

    whole = response_body(answer, asked)
    begun = whole | {"status": "in_progress", "output": [], "usage": None, "incomplete_details": None}
    yield event("response.created", response=begun)
    yield event("response.in_progress", response=begun)
    calls = iter(answer.calls)
    for index, item in enumerate(whole["output"]):
        at = {"item_id": item["id"], "output_index": index}
        empty: Body = {name: [] for name in ("content", "summary") if name in item}
        empty |= {"arguments": ""} if "arguments" in item else {}
        yield event("response.output_item.added", output_index=index, item=item | empty | {"status": "in_progress"})
        match item["type"]:
            case "reasoning":
                part = item["summary"][0]
                yield event("response.reasoning_summary_part.added", **at, summary_index=0, part=part | {"text": ""})
                for piece in answer.thinking:
                    yield event("response.reasoning_summary_text.delta", **at, summary_index=0, delta=piece)
                yield event("response.reasoning_summary_text.done", **at, summary_index=0, text=part["text"])
                yield event("response.reasoning_summary_part.done", **at, summary_index=0, part=part)
            case "message":
                part = item["content"][0]
                opened = part | {"text": "", "logprobs": []}
                yield event("response.content_part.added", **at, content_index=0, part=opened)
                for piece in answer.text:
                    found = tokens(answer, piece) if answer.logprobs else []
                    yield event(
                        "response.output_text.delta",
                        **at,
                        content_index=0,
                        delta=piece,
                        logprobs=found,
                        obfuscation="q",
                    )
                told = {"text": part["text"], "logprobs": part["logprobs"]}
                yield event("response.output_text.done", **at, content_index=0, **told)
                yield event("response.content_part.done", **at, content_index=0, part=part)
            case _:
                for piece in next(calls).pieces:
                    yield event("response.function_call_arguments.delta", **at, delta=piece)
                yield event("response.function_call_arguments.done", **at, arguments=item["arguments"])
        yield event("response.output_item.done", output_index=index, item=item)
    yield event(f"response.{whole['status']}", response=whole)


def response_failure(answer: Answer) -> bytes:
    told = {
        "id": "resp_1",
        "status": "failed",
        "error": {"code": "server_error", "message": answer.error},
        "output": [],
    }
    return b"event: response.failed\ndata: " + encoded({"type": "response.failed", "response": told}) + b"\n\n"


# Anthropic

STOPS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}


def message_usage(usage: Usage) -> Body:
    return {
        "input_tokens": usage.prompt_tokens - usage.cached_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": usage.cached_tokens,
        "output_tokens": usage.completion_tokens,
        "service_tier": "standard",
    }


def message_body(answer: Answer, asked: Body) -> Body:
    """The body of a whole message."""
    content: list[Body] = [{"type": "redacted_thinking", "data": data} for data in answer.redacted]
    if answer.thinking:
        thought = {"type": "thinking", "thinking": "".join(answer.thinking), "signature": answer.signature}
        content.append(thought)
    if answer.text:
        content.append({"type": "text", "text": "".join(answer.text)})
    content.extend(
        {"type": "tool_use", "id": call.call_id, "name": call.name, "input": json.loads(call.arguments)}
        for call in answer.calls
    )
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": asked["model"],
        "content": content,
        "stop_reason": "stop_sequence" if answer.stop else STOPS[answer.finish],
        "stop_sequence": answer.stop,
        "usage": message_usage(answer.usage),
    }


def message_events(answer: Answer, asked: Body) -> Iterator[bytes]:
    """The events of ``POST /v1/messages`` with ``stream``."""

    def event(kind: str, **fields: Any) -> bytes:
        return b"event: " + kind.encode() + b"\ndata: " + encoded({"type": kind, **fields}) + b"\n\n"

    whole = message_body(answer, asked)
    begun = {"content": [], "stop_reason": None, "stop_sequence": None}
    yield event("message_start", message=whole | begun | {"usage": whole["usage"] | {"output_tokens": 1}})
    yield event("ping")
    calls = iter(answer.calls)
    for index, block in enumerate(whole["content"]):
        pieces: list[Body] = []
        opened = block
        match block["type"]:
            case "text":
                opened = {"type": "text", "text": ""}
                pieces = [{"type": "text_delta", "text": piece} for piece in answer.text]
            case "thinking":
                opened = {"type": "thinking", "thinking": "", "signature": ""}
                pieces = [{"type": "thinking_delta", "thinking": piece} for piece in answer.thinking]
                pieces.append({"type": "signature_delta", "signature": answer.signature})
            case "tool_use":
                opened = block | {"input": {}}
                pieces = [{"type": "input_json_delta", "partial_json": ""}]
                pieces += [{"type": "input_json_delta", "partial_json": piece} for piece in next(calls).pieces]
        yield event("content_block_start", index=index, content_block=opened)
        for piece in pieces:
            yield event("content_block_delta", index=index, delta=piece)
        yield event("content_block_stop", index=index)
    ended = {"stop_reason": whole["stop_reason"], "stop_sequence": whole["stop_sequence"]}
    yield event("message_delta", delta=ended, usage={"output_tokens": answer.usage.completion_tokens})
    yield event("message_stop")


_ANTHROPIC_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}


def anthropic_error(answer: Answer) -> Body:
    kind = answer.code or _ANTHROPIC_KINDS.get(answer.status, "api_error")
    return {"type": "error", "error": {"type": kind, "message": answer.error}, "request_id": "req_1"}


def message_failure(answer: Answer) -> bytes:
    told = {"type": "error", "error": {"type": answer.code or "overloaded_error", "message": answer.error}}
    return b"event: error\ndata: " + encoded(told) + b"\n\n"


# Ollama


def line_events(answer: Answer, asked: Body, *, chat: bool = True) -> Iterator[bytes]:
    """The lines of ``POST /api/chat`` or ``/api/generate`` as they stream."""

    def line(done: bool = False, said: str = "", **fields: Any) -> bytes:
        told: Body = {"model": asked["model"], "created_at": "2026-01-01T00:00:00.123456Z"}
        if chat:
            told["message"] = {"role": "assistant", "content": said, **fields}
        else:
            told |= {"response": said, **fields}
        if answer.logprobs and said:
            told["logprobs"] = tokens(answer, said)
        return encoded(told | {"done": done} | (ended if done else {})) + b"\n"

    ended = {
        "done_reason": "length" if answer.finish == "length" else "stop",
        "total_duration": 900_000_000,
        "load_duration": 100_000_000,
        "prompt_eval_count": answer.usage.prompt_tokens,
        "prompt_eval_duration": 200_000_000,
        "eval_count": answer.usage.completion_tokens,
        "eval_duration": 500_000_000,
    }
    for piece in answer.thinking:
        yield line(thinking=piece)
    for piece in answer.text:
        yield line(said=piece)
    for index, call in enumerate(answer.calls):
        function = {"index": index, "name": call.name, "arguments": json.loads(call.arguments)}
        yield line(tool_calls=[{"id": call.call_id, "function": function}])
    yield line(done=True)


def line_body(answer: Answer, asked: Body, *, chat: bool = True) -> Body:
    """The one object of an answer that is not streamed."""
    *_, last = line_events(answer, asked, chat=chat)
    body: Body = msgspec.json.decode(last)
    text, thinking = "".join(answer.text), "".join(answer.thinking)
    if not chat:
        return body | {"response": text} | ({"thinking": thinking} if thinking else {})
    body["message"]["content"] = text
    if thinking:
        body["message"]["thinking"] = thinking
    if answer.calls:
        body["message"]["tool_calls"] = [
            {"id": call.call_id, "function": {"index": i, "name": call.name, "arguments": json.loads(call.arguments)}}
            for i, call in enumerate(answer.calls)
        ]
    if answer.logprobs:
        body["logprobs"] = [found for piece in answer.text for found in tokens(answer, piece)]
    return body


def ollama_error(answer: Answer) -> Body:
    return {"error": answer.error}


def line_failure(answer: Answer) -> bytes:
    return encoded({"error": answer.error}) + b"\n"


@dataclass(frozen=True)
class Wire:
    """One route of a provider."""

    events: Callable[[Answer, Body], Iterator[bytes]]
    body: Callable[[Answer, Body], Body]
    error: Callable[[Answer], Body]
    failure: Callable[[Answer], bytes]
    streams: str = "text/event-stream; charset=utf-8"
    by_default: bool = False


WIRES: dict[str, Wire] = {
    "/v1/chat/completions": Wire(chat_events, chat_body, openai_error, chat_failure),
    "/v1/completions": Wire(completion_events, completion_body, openai_error, chat_failure),
    "/v1/responses": Wire(response_events, response_body, openai_error, response_failure),
    "/v1/messages": Wire(message_events, message_body, anthropic_error, message_failure),
    "/api/chat": Wire(line_events, line_body, ollama_error, line_failure, "application/x-ndjson", True),
    "/api/generate": Wire(
        lambda answer, asked: line_events(answer, asked, chat=False),
        lambda answer, asked: line_body(answer, asked, chat=False),
        ollama_error,
        line_failure,
        "application/x-ndjson",
        True,
    ),
}
