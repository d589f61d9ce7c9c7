"""From the words of the Responses API to the neutral ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.messages import (
    ChatRequest,
    Message,
    Part,
    ResponseFormat,
    Sampling,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from app.server.models import resolve
from app.server.services import Services

from .asking import image_of, tool_choice_of
from .errors import RefusedError
from .responses_wire import FlatNamedTool, InputItem, ResponsesRequest, TextFormat
from .wire import FunctionName, NamedTool

_LOGPROBS = "message.output_text.logprobs"
_INCLUDABLE = frozenset((_LOGPROBS, "reasoning.encrypted_content"))
_TEXTS = frozenset(("input_text", "output_text", "text"))


async def neutral_request(services: Services, asked: ResponsesRequest) -> ChatRequest:
    """What is asked, in neutral words.

    Raises:
        PlaygroundError: when it cannot be answered.
    """
    _refuse_foreign(asked)
    tools = tuple(Tool(tool.name, tool.description or "", tool.parameters or {}) for tool in asked.tools or ())
    most = services.settings.server.max_output_tokens
    max_tokens = min(asked.max_output_tokens or most, most) if most else asked.max_output_tokens
    return ChatRequest(
        model=await resolve(services, asked.model),
        messages=_messages(asked),
        sampling=Sampling(
            temperature=asked.temperature,
            top_p=asked.top_p,
            max_tokens=max_tokens,
            logprobs=(asked.top_logprobs or 0) if with_logprobs(asked) else None,
        ),
        tools=tools,
        tool_choice=_tool_choice(asked, tools),
        response_format=_form(asked.text.format if asked.text else None),
    )


def with_logprobs(asked: ResponsesRequest) -> bool:
    """Whether probabilities of the tokens are to be told."""
    return bool(asked.include) and _LOGPROBS in (asked.include or ())


def _refuse_foreign(asked: ResponsesRequest) -> None:
    if asked.previous_response_id:
        shown = asked.previous_response_id[:64]
        raise RefusedError(
            f"Previous response with id '{shown}' not found.", "previous_response_id", "previous_response_not_found"
        )
    for name in ("background", "conversation", "prompt"):
        if getattr(asked, name):
            raise RefusedError(
                f"Unsupported parameter: '{name}' is not supported with this model.", name, "unsupported_parameter"
            )
    if asked.reasoning and (asked.reasoning.effort not in (None, "none") or asked.reasoning.summary):
        raise RefusedError(
            "Unsupported parameter: 'reasoning.effort' is not supported with this model.",
            "reasoning.effort",
            "unsupported_parameter",
        )
    if asked.truncation == "auto":
        raise RefusedError("Unsupported value: 'truncation' must be 'disabled' here.", "truncation")
    if asked.text and asked.text.verbosity not in (None, "medium"):
        raise RefusedError("Unsupported value: 'text.verbosity' must be 'medium' here.", "text.verbosity")
    for name in asked.include or ():
        if name not in _INCLUDABLE:
            raise RefusedError(f"Unsupported value: {name[:64]!r} in 'include'.", "include", "unsupported_value")


def _messages(asked: ResponsesRequest) -> tuple[Message, ...]:
    messages = [Message.system(asked.instructions)] if asked.instructions else []
    if isinstance(asked.input, str):
        return (*messages, Message.user(asked.input))
    for number, item in enumerate(asked.input):
        _add(messages, item, f"input[{number}]")
    return tuple(messages)


def _add(messages: list[Message], item: InputItem, place: str) -> None:
    match item.type:
        case "message":
            if item.role is None:
                raise _missing(f"{place}.role")
            role = "system" if item.role == "developer" else item.role
            messages.append(Message(role, _parts(item.content, f"{place}.content")))
        case "function_call":
            if item.call_id is None or item.name is None:
                raise _missing(f"{place}.{'name' if item.call_id else 'call_id'}")
            call = ToolCall(item.call_id, item.name, item.arguments or "{}")
            if messages and messages[-1].role == "assistant":
                messages[-1] = Message("assistant", (*messages[-1].parts, call))
            else:
                messages.append(Message("assistant", (call,)))
        case "function_call_output":
            if item.call_id is None or item.output is None:
                raise _missing(f"{place}.{'output' if item.call_id else 'call_id'}")
            parts = _parts(item.output, f"{place}.output")
            text = "".join(part.text for part in parts if isinstance(part, Text))
            messages.append(Message("tool", (ToolResult(item.call_id, text),)))
        case "reasoning":
            # What a model thought before is not shown to it again, as the original says too.
            return
        case _:
            raise RefusedError(
                f"Unsupported value: {item.type[:64]!r} is no item that this model takes.",
                f"{place}.type",
                "unsupported_value",
            )


def _parts(content: str | Sequence[dict[str, Any]] | None, place: str) -> tuple[Part, ...]:
    if content is None:
        raise _missing(place)
    if isinstance(content, str):
        return (Text(content),)
    return tuple(_part(part, f"{place}[{number}]") for number, part in enumerate(content))


def _part(part: dict[str, Any], place: str) -> Part:
    kind = part.get("type")
    if kind in _TEXTS or kind == "refusal":
        text = part.get("refusal" if kind == "refusal" else "text")
        if not isinstance(text, str):
            raise _missing(f"{place}.text")
        return Text(text.encode("utf-8", "replace").decode("utf-8"))
    if kind == "input_image":
        url = part.get("image_url")
        if not isinstance(url, str):
            raise _missing(f"{place}.image_url")
        return image_of(url, f"{place}.image_url")
    raise RefusedError(
        f"Invalid value for '{place}.type': expected input_text, output_text or input_image.",
        f"{place}.type",
        "invalid_value",
    )


def _missing(place: str) -> RefusedError:
    return RefusedError(f"Missing required parameter: '{place}'.", place, "missing_required_parameter")


def _tool_choice(asked: ResponsesRequest, tools: Sequence[Tool]) -> ToolChoice:
    choice = asked.tool_choice
    if isinstance(choice, FlatNamedTool):
        return tool_choice_of(NamedTool(type="function", function=FunctionName(name=choice.name)), tools)
    # The client's own words echo "auto" with no tools at all.
    return tool_choice_of(choice if tools or choice != "auto" else None, tools)


def _form(form: TextFormat | None) -> ResponseFormat:
    if form is None or form.type == "text":
        return ResponseFormat()
    if form.type == "json_object":
        return ResponseFormat(json_schema={})
    if form.schema_ is None:
        raise _missing("text.format.schema")
    return ResponseFormat(json_schema=form.schema_)
