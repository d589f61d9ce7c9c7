"""From OpenAI's words for a request to the neutral ones."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

from app.messages import (
    Image,
    Message,
    Part,
    ResponseFormat,
    Sampling,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)

from .errors import RefusedError
from .wire import (
    ChatCompletionRequest,
    ChatMessage,
    ContentPart,
    NamedTool,
    SamplingFields,
    WireResponseFormat,
    WireTool,
)

_SEEDS = 2**32
_ELSEWHERE = ("store", "audio", "reasoning_effort", "verbosity", "web_search_options", "functions", "function_call")
"""Parameters that ask for what only OpenAI's own service or models have."""


def refuse_foreign(asked: ChatCompletionRequest) -> None:
    """Refuses what cannot be honoured.

    Raises:
        RefusedError: naming the parameter.
    """
    for name in _ELSEWHERE:
        value = getattr(asked, name)
        if value not in (None, False, [], "none"):
            raise RefusedError(
                f"Unsupported parameter: '{name}' is not supported with this model.", name, "unsupported_parameter"
            )
    if asked.modalities and "audio" in asked.modalities:
        raise RefusedError("This model does not support audio output.", "modalities", "unsupported_value")
    if asked.top_logprobs is not None and not asked.logprobs:
        raise RefusedError(
            "Invalid value for 'top_logprobs': it is only allowed when 'logprobs' is enabled.",
            "top_logprobs",
            "invalid_value",
        )
    if asked.stream_options is not None and not asked.stream:
        raise RefusedError(
            "Invalid value for 'stream_options': it is only allowed when 'stream' is enabled.",
            "stream_options",
            "invalid_value",
        )


def sampling_of(
    asked: SamplingFields, *, max_tokens: int | None, logprobs: int | None, most_tokens: int = 0
) -> Sampling:
    """How to choose tokens.

    Args:
        asked: the request.
        max_tokens: what it allows.
        logprobs: alternatives that it wants to see.
        most_tokens: what the server allows at most; 0 is no limit.

    Raises:
        RefusedError: when a biased token is not a number.
    """
    if most_tokens:
        max_tokens = min(max_tokens or most_tokens, most_tokens)
    return Sampling(
        temperature=asked.temperature,
        top_p=asked.top_p,
        top_k=asked.top_k,
        min_p=asked.min_p,
        repeat_penalty=asked.repeat_penalty,
        repeat_last_n=asked.repeat_last_n,
        frequency_penalty=asked.frequency_penalty,
        presence_penalty=asked.presence_penalty,
        seed=None if asked.seed is None else asked.seed % _SEEDS,
        logit_bias={_token(name): bias for name, bias in (asked.logit_bias or {}).items()},
        stop=(asked.stop,) if isinstance(asked.stop, str) else tuple(asked.stop or ()),
        max_tokens=max_tokens,
        logprobs=logprobs,
    )


def _token(name: str) -> int:
    if not (name.isascii() and name.isdigit() and len(name) < 10):
        raise RefusedError("Invalid key in 'logit_bias': expected token ids.", "logit_bias", "invalid_value")
    return int(name)


def messages_of(messages: Sequence[ChatMessage]) -> tuple[Message, ...]:
    """The conversation.

    Raises:
        RefusedError: when a message lacks what its role needs, or has what is not understood.
    """
    return tuple(_message(message, f"messages[{place}]") for place, message in enumerate(messages))


def _message(message: ChatMessage, place: str) -> Message:
    if message.role == "assistant":
        return _answered(message, place)
    if message.content is None:
        raise RefusedError(
            f"Invalid type for '{place}.content': expected a string or an array, but got null.",
            f"{place}.content",
            "invalid_type",
        )
    parts = _parts(message.content, f"{place}.content")
    match message.role:
        case "system" | "developer":
            return Message("system", parts)
        case "tool":
            if not message.tool_call_id:
                raise RefusedError(
                    f"Missing required parameter: '{place}.tool_call_id'.",
                    f"{place}.tool_call_id",
                    "missing_required_parameter",
                )
            text = "".join(part.text for part in parts if isinstance(part, Text))
            return Message("tool", (ToolResult(message.tool_call_id, text),))
        case _:
            return Message("user", parts)


def _answered(message: ChatMessage, place: str) -> Message:
    parts: list[Part] = [Thinking(message.reasoning_content)] if message.reasoning_content else []
    if message.content is not None:
        parts.extend(_parts(message.content, f"{place}.content"))
    elif message.refusal:
        parts.append(Text(message.refusal))
    parts.extend(ToolCall(call.id, call.function.name, call.function.arguments) for call in message.tool_calls or ())
    if not any(isinstance(part, Text | ToolCall) for part in parts):
        raise RefusedError(
            f"Invalid value for '{place}': an assistant's message has 'content' or 'tool_calls'.",
            f"{place}.content",
            "invalid_value",
        )
    return Message("assistant", tuple(parts))


def _parts(content: str | list[ContentPart], place: str) -> tuple[Part, ...]:
    if isinstance(content, str):
        return (Text(content),)
    return tuple(_part(part, f"{place}[{number}]") for number, part in enumerate(content))


def _part(part: ContentPart, place: str) -> Part:
    match part.type:
        case "text" if part.text is not None:
            return Text(part.text)
        case "refusal" if part.refusal is not None:
            return Text(part.refusal)
        case "image_url" if part.image_url is not None:
            return image_of(part.image_url.url, f"{place}.image_url.url")
        case "input_audio" | "file":
            raise RefusedError(f"This model does not support '{part.type}' content.", place, "unsupported_value")
    raise RefusedError(
        f"Missing required parameter: '{place}.{part.type}'.", f"{place}.{part.type}", "missing_required_parameter"
    )


def image_of(url: str, place: str) -> Image:
    """A picture by its address.

    Raises:
        RefusedError: when a ``data:`` address does not hold one.
    """
    if not url.startswith("data:"):
        return Image("", url=url)
    head, comma, body = url.removeprefix("data:").partition(",")
    media_type, *options = head.split(";")
    if not comma or "base64" not in options or not media_type.startswith("image/"):
        raise RefusedError(f"Invalid value for '{place}': expected a base64 image.", place, "invalid_value")
    try:
        return Image(media_type, data=base64.b64decode(body, validate=True))
    except (binascii.Error, ValueError) as error:
        raise RefusedError(f"Invalid value for '{place}': it is not base64.", place, "invalid_value") from error


def tools_of(tools: Sequence[WireTool] | None) -> tuple[Tool, ...]:
    """The functions that may be called."""
    return tuple(
        Tool(tool.function.name, tool.function.description or "", tool.function.parameters or {})
        for tool in tools or ()
    )


def tool_choice_of(choice: str | NamedTool | None, tools: Sequence[Tool]) -> ToolChoice:
    """Whether and what to call.

    Raises:
        RefusedError: when it is none of ``tools``.
    """
    if isinstance(choice, NamedTool):
        name = choice.function.name
        if all(tool.name != name for tool in tools):
            raise RefusedError(
                f"Invalid value for 'tool_choice': no function {name[:64]!r} is among 'tools'.",
                "tool_choice",
                "invalid_value",
            )
        return ToolChoice("required", name)
    if choice in ("auto", "required") and not tools:
        raise RefusedError(
            "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.",
            "tool_choice",
            "invalid_value",
        )
    match choice:
        case "none":
            return ToolChoice("none")
        case "required":
            return ToolChoice("required")
        case _:
            return ToolChoice()


def response_format_of(form: WireResponseFormat | None) -> ResponseFormat:
    """The form of the answer.

    Raises:
        RefusedError: when a schema is asked for and none is given.
    """
    if form is None or form.type == "text":
        return ResponseFormat()
    if form.type == "json_object":
        return ResponseFormat(json_schema={})
    if form.json_schema is None or form.json_schema.schema_ is None:
        raise RefusedError(
            "Missing required parameter: 'response_format.json_schema.schema'.",
            "response_format.json_schema",
            "missing_required_parameter",
        )
    return ResponseFormat(json_schema=form.json_schema.schema_)
