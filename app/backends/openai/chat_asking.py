"""From neutral words to ``POST /chat/completions``: https://platform.openai.com/docs/api-reference/chat/create.

What becomes of a request's parts. *Compatible* is any other server that speaks this protocol (llama.cpp, vLLM, LM
Studio, hosted ones); names that OpenAI has not are llama.cpp's there.

================================  =========================================  ===================================
neutral                           OpenAI                                     compatible
================================  =========================================  ===================================
``temperature``, ``top_p``        sent; lost for models that reason, which   sent
                                  refuse them
``frequency_penalty``,            as above                                   sent
``presence_penalty``
``seed``                          sent                                       sent
``logit_bias``                    sent; refused for models that reason       sent
``logprobs``                      sent; refused for models that reason       sent
``stop``                          sent; more than four are refused           sent
``max_tokens``                    as ``max_completion_tokens``               sent
``top_k``, ``min_p``,             lost                                       sent
``repeat_penalty``,
``repeat_last_n``
``response_format.grammar``       refused                                    sent as ``grammar``
``json_schema``                   sent; ``{}`` as ``json_object``            the same
``ToolResult.is_error``           its text begins with ``Error:``            the same
``Thinking``                      lost: there is no place for it             sent as ``reasoning_content``
``Thinking.signature``            lost                                       lost
images                            sent, as a ``data:`` address or as theirs  the same
several texts in one message      sent as parts of it                        the same
================================  =========================================  ===================================

*Lost* is left out without a word, because the answer stays an answer to the same question; *refused* raises
``TranslationError``, because it would not.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from typing import Any

from app.backends.dialect import cannot
from app.backends.rules import JsonObject
from app.messages import (
    ChatRequest,
    Image,
    Message,
    Part,
    ResponseFormat,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)

_REASONING = re.compile(r"(?:^|/)(?:o[1-9]|gpt-[5-9](?!.*chat))")
"""Models that choose their tokens their own way: https://platform.openai.com/docs/guides/reasoning."""
_MOST_STOPS = 4


def reasons(model: str) -> bool:
    """Whether a model of OpenAI's, by its name, refuses the parameters of sampling."""
    return _REASONING.search(model) is not None


def chat_body(request: ChatRequest, *, stream: bool, compatible: bool) -> JsonObject:
    """The request's body.

    Raises:
        TranslationError: when it cannot be asked so.
    """
    body: JsonObject = {
        "model": request.model,
        "messages": [said for message in request.messages for said in _said(message, compatible=compatible)],
    }
    body |= _sampling(request, compatible=compatible)
    if request.tools:
        body["tools"] = [{"type": "function", "function": function_of(tool)} for tool in request.tools]
        choice = request.tool_choice
        if choice != ToolChoice():
            named = {"type": "function", "function": {"name": choice.name}}
            body["tool_choice"] = named if choice.name else choice.mode
    form = request.response_format
    if form.grammar is not None:
        if not compatible:
            raise cannot("an answer that fits a grammar", "OpenAI", "Use a JSON schema, or a model on this machine.")
        body["grammar"] = form.grammar
    if form.json_schema is not None:
        body["response_format"] = _form(form)
    if stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return body


def completion_body(request: ChatRequest, *, stream: bool, compatible: bool) -> JsonObject:
    """The body of ``POST /completions``, for a prompt that is continued as it is.

    Raises:
        TranslationError: when it cannot be asked so.
    """
    prompt = request.prompt
    sampling = _sampling(request, compatible=compatible)
    if (found := sampling.pop("max_completion_tokens", None)) is not None:
        sampling["max_tokens"] = found
    if sampling.pop("logprobs", None):
        sampling["logprobs"] = sampling.pop("top_logprobs", 0)
    body: JsonObject = {"model": request.model, "prompt": list(prompt) if isinstance(prompt, tuple) else prompt}
    if request.response_format != ResponseFormat():
        if not compatible or request.response_format.grammar is None:
            raise cannot("a prompt to be continued in a certain form", "OpenAI's protocol")
        body["grammar"] = request.response_format.grammar
    body |= sampling
    return body | ({"stream": True, "stream_options": {"include_usage": True}} if stream else {})


def function_of(tool: Tool) -> JsonObject:
    """A tool, as OpenAI describes a function."""
    described = {"description": tool.description} if tool.description else {}
    return {"name": tool.name, **described, "parameters": tool.parameters}


def address_of(image: Image) -> str:
    """A picture's address; one that holds it when its bytes are here."""
    if image.url is not None:
        return image.url
    return f"data:{image.media_type};base64,{base64.b64encode(image.data or b'').decode()}"


def result_of(result: ToolResult) -> str:
    """What a tool gave, for protocols that do not mark failures."""
    if result.is_error and not result.text.lower().startswith("error"):
        return f"Error: {result.text}"
    return result.text


def _sampling(request: ChatRequest, *, compatible: bool) -> JsonObject:
    chosen = request.sampling
    told: JsonObject = {"seed": chosen.seed}
    free = compatible or not reasons(request.model)
    if free:
        told |= {
            "temperature": chosen.temperature,
            "top_p": chosen.top_p,
            "frequency_penalty": chosen.frequency_penalty,
            "presence_penalty": chosen.presence_penalty,
        }
    if compatible:
        told |= {
            "top_k": chosen.top_k,
            "min_p": chosen.min_p,
            "repeat_penalty": chosen.repeat_penalty,
            "repeat_last_n": chosen.repeat_last_n,
        }
    told["max_tokens" if compatible else "max_completion_tokens"] = chosen.max_tokens
    found = {name: value for name, value in told.items() if value is not None}
    if chosen.stop:
        if len(chosen.stop) > _MOST_STOPS and not compatible:
            raise cannot(f"{len(chosen.stop)} stop strings", "OpenAI", f"Give {_MOST_STOPS} at most.")
        found["stop"] = list(chosen.stop)
    if chosen.logit_bias:
        if not free:
            raise cannot("a bias of tokens", request.model)
        found["logit_bias"] = {str(token): bias for token, bias in chosen.logit_bias.items()}
    if chosen.logprobs is not None:
        if not free:
            raise cannot("the probabilities of tokens", request.model)
        found |= {"logprobs": True, "top_logprobs": chosen.logprobs}
    return found


def _said(message: Message, *, compatible: bool) -> Iterator[JsonObject]:
    results = [part for part in message.parts if isinstance(part, ToolResult)]
    for result in results:
        yield {"role": "tool", "tool_call_id": result.call_id, "content": result_of(result)}
    others = [part for part in message.parts if not isinstance(part, ToolResult)]
    if message.role == "tool" and (results or not others):
        return
    if others or not results:
        yield _spoken(message, others, compatible=compatible)


def _spoken(message: Message, parts: Sequence[Part], *, compatible: bool) -> JsonObject:
    said: JsonObject = {"role": "user" if message.role == "tool" else message.role, "content": _content(parts)}
    if message.role != "assistant":
        return said
    if any(isinstance(part, Image) for part in parts):
        raise cannot("a picture that a model made", "OpenAI's protocol")
    calls = [part for part in parts if isinstance(part, ToolCall)]
    if calls:
        said["tool_calls"] = [
            {"id": call.call_id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in calls
        ]
        if not any(isinstance(part, Text) for part in parts):
            said["content"] = None
    thoughts = "".join(part.text for part in parts if isinstance(part, Thinking))
    if thoughts and compatible:
        said["reasoning_content"] = thoughts
    return said


def _content(parts: Sequence[Part]) -> str | list[JsonObject]:
    texts = [part.text for part in parts if isinstance(part, Text)]
    if len(texts) <= 1 and not any(isinstance(part, Image) for part in parts):
        return texts[0] if texts else ""
    content: list[JsonObject] = []
    for part in parts:
        if isinstance(part, Text):
            content.append({"type": "text", "text": part.text})
        elif isinstance(part, Image):
            content.append({"type": "image_url", "image_url": {"url": address_of(part)}})
    return content


def _form(form: ResponseFormat) -> dict[str, Any]:
    if not form.json_schema:
        return {"type": "json_object"}
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": form.json_schema}}
