"""From neutral words to ``POST /api/chat`` and ``POST /api/generate``.

=====================================  =============================================================================
neutral                                Ollama
=====================================  =============================================================================
all of ``Sampling`` but the next two   sent, as options
``logprobs``                           sent; Ollama knows them since 0.12.11, and older ones tell none
``logit_bias``, grammars               refused
``json_schema``                        as ``format``; ``{}`` as ``"json"``
``tool_choice`` none                   no tools are sent
``tool_choice`` required, or by name   refused
images                                 sent when their bytes are here, refused when only their address is
several texts in one message           joined
``Thinking``                           sent; its signature is lost
``ToolResult.is_error``                its text begins with ``Error:``
``ToolCall.arguments`` no object       as ``{"arguments": …}``
=====================================  =============================================================================

Ollama cuts a conversation that is too long for its window without a word; here it is asked to refuse instead.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator

from app.backends.anthropic.asking import arguments_of
from app.backends.dialect import cannot
from app.backends.openai.chat_asking import function_of, result_of
from app.backends.rules import JsonObject
from app.messages import ChatRequest, Image, Message, Thinking, ToolCall, ToolResult

_OPTIONS = (
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "repeat_penalty",
    "repeat_last_n",
    "frequency_penalty",
    "presence_penalty",
    "seed",
)


def chat_body(request: ChatRequest, *, stream: bool) -> JsonObject:
    """The body of ``/api/chat``.

    Raises:
        TranslationError: when it cannot be asked so.
    """
    names = {part.call_id: part.name for said in request.messages for part in said.parts if isinstance(part, ToolCall)}
    messages = [said for message in request.messages for said in _said(message, names)]
    body: JsonObject = {"model": request.model, "messages": messages}
    choice = request.tool_choice
    if request.tools and choice.mode != "none":
        if choice.mode == "required" or choice.name:
            raise cannot("a tool that must be called", "Ollama", "Let the model choose, or ask another model.")
        body["tools"] = [{"type": "function", "function": function_of(tool)} for tool in request.tools]
    return body | _common(request, stream=stream)


def generate_body(request: ChatRequest, *, stream: bool) -> JsonObject:
    """The body of ``/api/generate``, for a prompt that is continued as it is.

    Raises:
        TranslationError: when it cannot be asked so.
    """
    if not isinstance(request.prompt, str):
        raise cannot("a prompt in tokens", "Ollama", "Give it as text.")
    return {"model": request.model, "prompt": request.prompt, "raw": True} | _common(request, stream=stream)


def _common(request: ChatRequest, *, stream: bool) -> JsonObject:
    chosen, form = request.sampling, request.response_format
    if chosen.logit_bias:
        raise cannot("a bias of tokens", "Ollama")
    if form.grammar is not None:
        raise cannot("an answer that fits a grammar", "Ollama", "Use a JSON schema, or a model on this machine.")
    options = {name: value for name in _OPTIONS if (value := getattr(chosen, name)) is not None}
    if chosen.max_tokens is not None:
        options["num_predict"] = chosen.max_tokens
    if chosen.stop:
        options["stop"] = list(chosen.stop)
    told: JsonObject = {"stream": stream, "truncate": False, "shift": False}
    if options:
        told["options"] = options
    if form.json_schema is not None:
        told["format"] = form.json_schema or "json"
    if chosen.logprobs is not None:
        told |= {"logprobs": True, "top_logprobs": chosen.logprobs}
    return told


def _said(message: Message, names: dict[str, str]) -> Iterator[JsonObject]:
    results = [part for part in message.parts if isinstance(part, ToolResult)]
    for result in results:
        named = {"tool_name": names[result.call_id]} if result.call_id in names else {}
        yield {"role": "tool", "content": result_of(result), "tool_call_id": result.call_id, **named}
    if results and len(results) == len(message.parts):
        return
    said: JsonObject = {"role": "user" if message.role == "tool" else message.role, "content": message.text}
    images = [_held(part) for part in message.parts if isinstance(part, Image)]
    if images:
        said["images"] = images
    thoughts = "".join(part.text for part in message.parts if isinstance(part, Thinking))
    if thoughts:
        said["thinking"] = thoughts
    calls = [part for part in message.parts if isinstance(part, ToolCall)]
    if calls:
        said["tool_calls"] = [
            {"id": call.call_id, "function": {"name": call.name, "arguments": arguments_of(call)}} for call in calls
        ]
    yield said


def _held(image: Image) -> str:
    if image.data is None:
        raise cannot("a picture that is elsewhere", "Ollama", "Attach the picture itself.")
    return base64.b64encode(image.data).decode()
