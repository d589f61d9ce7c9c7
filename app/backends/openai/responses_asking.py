"""From neutral words to ``POST /responses``: https://platform.openai.com/docs/api-reference/responses/create.

OpenAI offers some models there and nowhere else: those whose names say ``pro``, ``codex``, ``deep-research`` or
``computer-use``. All others are asked by chat completions, which carries more of a request.

============================================  ======================================================================
neutral                                       responses
============================================  ======================================================================
``temperature``, ``top_p``                    sent; lost for models that reason
``max_tokens``                                as ``max_output_tokens``
``logprobs``                                  sent; refused for models that reason
``seed``, penalties, ``top_k``, ``min_p``,    lost
``repeat_*``
``stop``, ``logit_bias``, grammars, a bare    refused
``prompt``
first system message                          as ``instructions``; later ones as messages
``Thinking``                                  sent back where its signature is of this API, lost otherwise
``ToolResult.is_error``                       its text begins with ``Error:``
============================================  ======================================================================
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.backends.dialect import cannot
from app.backends.rules import JsonObject
from app.messages import ChatRequest, Image, Message, Text, Thinking, ToolCall, ToolChoice, ToolResult

from .chat_asking import address_of, function_of, reasons, result_of

SIGNATURE = "openai-reasoning "
"""Before a signature: the id of a reasoning item, and its encrypted content."""
_ONLY_HERE = re.compile(r"(?:^|[-/])(?:pro|codex|deep-research|computer-use)(?:-|$)")


def needs_responses(model: str) -> bool:
    """Whether OpenAI offers a model by this API alone, judged by its name."""
    return _ONLY_HERE.search(model) is not None


def responses_body(request: ChatRequest, *, stream: bool) -> JsonObject:
    """The request's body.

    Raises:
        TranslationError: when it cannot be asked so.
    """
    messages = list(request.messages)
    body: JsonObject = {"model": request.model}
    if messages and messages[0].role == "system":
        body["instructions"] = messages.pop(0).text
    body["input"] = [item for message in messages for item in _items(message)]
    # Nothing is kept at the provider; what models thought travels with the conversation instead, encrypted.
    body |= {"store": False, "include": ["reasoning.encrypted_content"]}
    _choose(request, body)
    if request.tools:
        body["tools"] = [{"type": "function", **function_of(tool), "strict": False} for tool in request.tools]
        choice = request.tool_choice
        if choice != ToolChoice():
            body["tool_choice"] = {"type": "function", "name": choice.name} if choice.name else choice.mode
    schema = request.response_format.json_schema
    if schema is not None:
        named = {"type": "json_schema", "name": "answer", "schema": schema, "strict": False}
        body["text"] = {"format": named if schema else {"type": "json_object"}}
    return body | ({"stream": True} if stream else {})


def _choose(request: ChatRequest, body: JsonObject) -> None:
    chosen, whom = request.sampling, "OpenAI's responses API"
    if chosen.stop:
        raise cannot("stop strings", whom)
    if chosen.logit_bias:
        raise cannot("a bias of tokens", whom)
    if request.response_format.grammar is not None:
        raise cannot("an answer that fits a grammar", whom, "Use a JSON schema, or a model on this machine.")
    if request.prompt is not None:
        raise cannot("a prompt to be continued as it is", whom)
    free = not reasons(request.model)
    if free and chosen.temperature is not None:
        body["temperature"] = chosen.temperature
    if free and chosen.top_p is not None:
        body["top_p"] = chosen.top_p
    if chosen.max_tokens is not None:
        body["max_output_tokens"] = chosen.max_tokens
    if chosen.logprobs is not None:
        if not free:
            raise cannot("the probabilities of tokens", request.model)
        body["top_logprobs"] = chosen.logprobs
        body["include"] = [*body["include"], "message.output_text.logprobs"]


def _items(message: Message) -> Iterator[JsonObject]:
    content: list[JsonObject] = []
    kind = "output_text" if message.role == "assistant" else "input_text"
    role = "user" if message.role == "tool" else message.role
    for part in message.parts:
        match part:
            case Text(text):
                content.append({"type": kind, "text": text})
            case Image():
                if message.role == "assistant":
                    raise cannot("a picture that a model made", "OpenAI's responses API")
                content.append({"type": "input_image", "image_url": address_of(part)})
            case _:
                if content:
                    yield {"type": "message", "role": role, "content": content}
                    content = []
                yield from _item(part)
    if content:
        yield {"type": "message", "role": role, "content": content}


def _item(part: Thinking | ToolCall | ToolResult) -> Iterator[JsonObject]:
    match part:
        case ToolCall(call_id, name, arguments):
            yield {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments}
        case ToolResult(call_id):
            yield {"type": "function_call_output", "call_id": call_id, "output": result_of(part)}
        case Thinking(text, signature) if signature and signature.startswith(SIGNATURE):
            item_id, _, encrypted = signature.removeprefix(SIGNATURE).partition(" ")
            summary = [{"type": "summary_text", "text": text}] if text else []
            yield {"type": "reasoning", "id": item_id, "summary": summary, "encrypted_content": encrypted}
