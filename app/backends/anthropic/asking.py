"""From neutral words to ``POST /messages``.

========================================  ==========================================================================
neutral                                   Anthropic
========================================  ==========================================================================
``temperature``                           sent, 1 at most
``top_p``                                 sent; lost beside a temperature, as newer models refuse both
``top_k``, ``max_tokens``, ``stop``       sent; the API must have ``max_tokens``, and gets 8,192 where none are set
``seed``, ``min_p``, penalties,           lost
``repeat_*``
``logit_bias``, ``logprobs``, grammars,   refused
a bare ``prompt``, ``json_schema={}``
``json_schema``                           as ``output_config.format``
system messages                           the first ones as ``system``, later ones in their place
messages of one role in a row             one turn; results of tools first, as the API wants
empty texts                               lost: the API refuses them
``Thinking`` with a signature             sent back unchanged, redacted thoughts too
``Thinking`` without one, or another's    lost: the API refuses them
``ToolCall.arguments`` that are no        as ``{"arguments": …}``
object
========================================  ==========================================================================
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import msgspec

from app.backends.dialect import cannot
from app.backends.rules import JsonObject
from app.messages import (
    ChatRequest,
    Image,
    Message,
    Part,
    Sampling,
    Text,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolResult,
)

MAX_TOKENS = 8192
REDACTED = "anthropic-redacted "
"""Before a signature: thoughts that only Anthropic can read."""
_FOREIGN = "openai-reasoning "


def messages_body(request: ChatRequest, *, stream: bool) -> JsonObject:
    """The request's body.

    Raises:
        TranslationError: when it cannot be asked so.
    """
    if request.prompt is not None:
        raise cannot("a prompt to be continued as it is", "Anthropic")
    messages = list(request.messages)
    system: list[JsonObject] = []
    while messages and messages[0].role == "system":
        system += [{"type": "text", "text": part.text} for part in messages.pop(0).parts if isinstance(part, Text)]
    body: JsonObject = {"model": request.model, "max_tokens": request.sampling.max_tokens or MAX_TOKENS}
    system = [block for block in system if block["text"]]
    if system:
        body["system"] = system[0]["text"] if len(system) == 1 else system
    body["messages"] = _turns(messages)
    body |= _sampling(request.sampling)
    if request.tools:
        body["tools"] = [
            {
                "name": tool.name,
                **({"description": tool.description} if tool.description else {}),
                "input_schema": tool.parameters or {"type": "object"},
            }
            for tool in request.tools
        ]
        if request.tool_choice != ToolChoice():
            body["tool_choice"] = _choice(request.tool_choice)
    form = request.response_format
    if form.grammar is not None:
        raise cannot("an answer that fits a grammar", "Anthropic", "Use a JSON schema, or a model on this machine.")
    if form.json_schema is not None:
        if not form.json_schema:
            raise cannot("any JSON object", "Anthropic", "Give a JSON schema.")
        body["output_config"] = {"format": {"type": "json_schema", "schema": form.json_schema}}
    return body | ({"stream": True} if stream else {})


def arguments_of(call: ToolCall) -> JsonObject:
    """A call's arguments as an object; what a model wrote and is none is told under one name, not dropped."""
    try:
        found: Any = msgspec.json.decode(call.arguments or "{}")
    except (msgspec.DecodeError, RecursionError):
        found = call.arguments
    return found if isinstance(found, dict) else {"arguments": found}


def _sampling(chosen: Sampling) -> JsonObject:
    if chosen.logit_bias:
        raise cannot("a bias of tokens", "Anthropic")
    if chosen.logprobs is not None:
        raise cannot("the probabilities of tokens", "Anthropic")
    told: JsonObject = {}
    if chosen.temperature is not None:
        told["temperature"] = min(chosen.temperature, 1.0)
    elif chosen.top_p is not None:
        told["top_p"] = chosen.top_p
    if chosen.top_k:
        told["top_k"] = chosen.top_k
    if chosen.stop:
        told["stop_sequences"] = list(chosen.stop)
    return told


def _choice(choice: ToolChoice) -> JsonObject:
    if choice.name:
        return {"type": "tool", "name": choice.name}
    return {"type": "any" if choice.mode == "required" else choice.mode}


def _turns(messages: list[Message]) -> list[JsonObject]:
    turns: list[JsonObject] = []
    for message in messages:
        role = "user" if message.role == "tool" else message.role
        blocks = [block for part in message.parts for block in _blocks(part, role)]
        if not blocks:
            continue
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        else:
            turns.append({"role": role, "content": blocks})
    for turn in turns:
        # Results stand before all else in a turn, or the API does not find them.
        turn["content"].sort(key=lambda block: block["type"] != "tool_result")
    return turns


def _blocks(part: Part, role: str) -> Iterator[JsonObject]:
    match part:
        case Text(text):
            if text:
                yield {"type": "text", "text": text}
        case Image(media_type, data, url):
            if role != "user":
                raise cannot("a picture that a model made", "Anthropic")
            if url is not None:
                yield {"type": "image", "source": {"type": "url", "url": url}}
            else:
                held = base64.b64encode(data or b"").decode()
                yield {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": held}}
        case Thinking(text, signature):
            if signature and signature.startswith(REDACTED):
                yield {"type": "redacted_thinking", "data": signature.removeprefix(REDACTED)}
            elif signature and not signature.startswith(_FOREIGN):
                yield {"type": "thinking", "thinking": text, "signature": signature}
        case ToolCall(call_id, name):
            yield {"type": "tool_use", "id": call_id, "name": name, "input": arguments_of(part)}
        case ToolResult(call_id, text, is_error):
            failed = {"is_error": True} if is_error else {}
            yield {"type": "tool_result", "tool_use_id": call_id, "content": text, **failed}
