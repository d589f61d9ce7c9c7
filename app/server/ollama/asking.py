"""From Ollama's words for a request to the neutral ones."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

import msgspec

from app.errors import InvalidRequestError
from app.messages import (
    ChatRequest,
    Image,
    Message,
    Part,
    ResponseFormat,
    Sampling,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
)

from .wire import Asked, ChatBody, GenerateBody, WireMessage

_SEEDS = 2**32
_MAGIC = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif", b"RIFF": "image/webp"}


def name_of(model: str) -> str:
    """A model's name without the tag that Ollama adds where there is none."""
    return model.removesuffix(":latest")


def chat_of(asked: ChatBody, model: str, most_tokens: int) -> ChatRequest:
    """What a chat asks, in neutral words.

    Args:
        asked: the body.
        model: the model that answers.
        most_tokens: what the server allows at most; 0 is no limit.

    Raises:
        InvalidRequestError: when it cannot be honoured.
    """
    return ChatRequest(
        model=model,
        messages=_messages(asked.messages or ()),
        sampling=_sampling(asked, most_tokens),
        tools=tuple(
            Tool(tool.function.name, tool.function.description or "", tool.function.parameters or {})
            for tool in asked.tools or ()
        ),
        response_format=_format(asked.format),
    )


def prompt_of(asked: GenerateBody, model: str, most_tokens: int) -> ChatRequest:
    """What a plain prompt asks; with ``raw`` it is continued as it is.

    Raises:
        InvalidRequestError: when it cannot be honoured.
    """
    for name in ("suffix", "template", "context"):
        if getattr(asked, name):
            raise InvalidRequestError(f"{name} is not supported here.", "Leave it out, or use /api/chat.")
    text = asked.prompt or ""
    pictures = tuple(_image(picture) for picture in asked.images or ())
    if asked.raw and (pictures or asked.system):
        raise InvalidRequestError("raw takes the prompt alone, without system and images.")
    system = (Message.system(asked.system),) if asked.system else ()
    return ChatRequest(
        model=model,
        messages=() if asked.raw else (*system, Message("user", (Text(text), *pictures))),
        prompt=text if asked.raw else None,
        sampling=_sampling(asked, most_tokens),
        response_format=_format(asked.format),
    )


def _sampling(asked: Asked, most_tokens: int) -> Sampling:
    options = asked.options
    logprobs = (asked.top_logprobs or 0) if asked.logprobs else None
    if options is None:
        return Sampling(max_tokens=most_tokens or None, logprobs=logprobs)
    if options.mirostat or options.tfs_z not in (None, 1.0) or options.typical_p not in (None, 1.0):
        raise InvalidRequestError("mirostat, tfs_z and typical_p are not supported here.", "Use top_p or min_p.")
    # Zero and less are no limit, as there.
    wanted = options.num_predict if options.num_predict is not None and options.num_predict > 0 else None
    if most_tokens:
        wanted = min(wanted or most_tokens, most_tokens)
    stop = options.stop or ()
    return Sampling(
        temperature=options.temperature,
        top_p=options.top_p,
        top_k=options.top_k,
        min_p=options.min_p,
        repeat_penalty=options.repeat_penalty,
        repeat_last_n=options.repeat_last_n,
        frequency_penalty=options.frequency_penalty,
        presence_penalty=options.presence_penalty,
        seed=None if options.seed is None or options.seed < 0 else options.seed % _SEEDS,
        stop=(stop,) if isinstance(stop, str) else tuple(stop),
        max_tokens=wanted,
        logprobs=logprobs,
    )


def _format(form: str | dict[str, Any] | None) -> ResponseFormat:
    if form == "json":
        return ResponseFormat(json_schema={})
    return ResponseFormat(json_schema=form) if isinstance(form, dict) else ResponseFormat()


def _messages(messages: Sequence[WireMessage]) -> tuple[Message, ...]:
    found: list[Message] = []
    pending: list[tuple[str, str]] = []
    for place, message in enumerate(messages):
        if message.role == "tool":
            call_id = message.tool_call_id or _call_for(message.tool_name, pending)
            found.append(Message("tool", (ToolResult(call_id, message.content or ""),)))
            continue
        parts: list[Part] = [Thinking(message.thinking)] if message.thinking else []
        if message.content or not (message.images or message.tool_calls):
            parts.append(Text(message.content or ""))
        parts.extend(_image(picture) for picture in message.images or ())
        for number, call in enumerate(message.tool_calls or ()):
            call_id = call.id or f"call_{place}_{number}"
            pending.append((call_id, call.function.name))
            parts.append(ToolCall(call_id, call.function.name, msgspec.json.encode(call.function.arguments).decode()))
        found.append(Message(message.role, tuple(parts)))
    return tuple(found)


def _call_for(name: str | None, pending: list[tuple[str, str]]) -> str:
    """Which call a result is for: Ollama's calls have no ids, so it is the first open one of that name."""
    for call in pending:
        if name in (None, call[1]):
            pending.remove(call)
            return call[0]
    return f"call_{name or 'unknown'}"


def _image(picture: str) -> Image:
    try:
        data = base64.b64decode(picture, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidRequestError("images: a picture is not base64.") from error
    kind = next((kind for magic, kind in _MAGIC.items() if data.startswith(magic)), None)
    if kind is None:
        raise InvalidRequestError("images: a picture is neither PNG, JPEG, GIF nor WebP.")
    return Image(kind, data=data)
