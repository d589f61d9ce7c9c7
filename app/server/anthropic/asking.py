"""From Anthropic's words for a request to the neutral ones."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

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
    ToolChoice,
    ToolResult,
)

from .wire import (
    ContentBlock,
    ImageBlock,
    MessagesRequest,
    OutputConfig,
    Prompted,
    RedactedThinkingBlock,
    Source,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolUseBlock,
    WireMessage,
    WireTool,
    WireToolChoice,
)


def request_of(asked: Prompted, model: str, most_tokens: int = 0) -> ChatRequest:
    """What is asked, in neutral words.

    Args:
        asked: the body.
        model: the model that answers.
        most_tokens: what the server allows at most; 0 is no limit.

    Raises:
        InvalidRequestError: when it cannot be honoured.
    """
    _refuse_foreign(asked)
    tools = _tools(asked.tools)
    system = (_system(asked.system),) if asked.system else ()
    messages = tuple(found for place, turn in enumerate(asked.messages) for found in _messages(turn, place))
    if not messages:
        raise InvalidRequestError("messages: at least one message with content is required.")
    return ChatRequest(
        model=model,
        messages=(*system, *messages),
        sampling=_sampling(asked, most_tokens) if isinstance(asked, MessagesRequest) else Sampling(),
        tools=tools,
        tool_choice=_tool_choice(asked.tool_choice, tools),
        response_format=_response_format(asked.output_config),
    )


def _refuse_foreign(asked: Prompted) -> None:
    if asked.mcp_servers:
        raise InvalidRequestError("mcp_servers: this server does not call other servers.", "Call them from the client.")
    if isinstance(asked, MessagesRequest):
        if asked.container:
            raise InvalidRequestError("container: this server runs no containers.", "Leave it out.")
        thinking = asked.thinking
        if thinking is not None and thinking.type == "enabled":
            if thinking.budget_tokens is None:
                raise InvalidRequestError("thinking.enabled.budget_tokens: Field required")
            if thinking.budget_tokens >= asked.max_tokens:
                raise InvalidRequestError("`max_tokens` must be greater than `thinking.budget_tokens`.")
    if asked.tool_choice is not None and asked.tool_choice.type == "tool" and not asked.tool_choice.name:
        raise InvalidRequestError("tool_choice.tool.name: Field required")


def _sampling(asked: MessagesRequest, most_tokens: int) -> Sampling:
    return Sampling(
        temperature=asked.temperature,
        top_p=asked.top_p,
        top_k=asked.top_k,
        stop=tuple(asked.stop_sequences),
        max_tokens=min(asked.max_tokens, most_tokens) if most_tokens else asked.max_tokens,
    )


def _system(system: str | Sequence[TextBlock]) -> Message:
    parts = (Text(system),) if isinstance(system, str) else tuple(Text(block.text) for block in system)
    return Message("system", parts)


def _messages(turn: WireMessage, place: int) -> list[Message]:
    """One turn. Results of tools stand in a user's turn there, and are messages of their own here."""
    if isinstance(turn.content, str):
        return [Message(turn.role, (Text(turn.content),))]
    messages: list[Message] = []
    parts: list[Part] = []
    for number, block in enumerate(turn.content):
        where = f"messages.{place}.content.{number}"
        if isinstance(block, ToolResultBlock):
            if turn.role != "user":
                raise InvalidRequestError(f"{where}: `tool_result` blocks can only be in `user` messages.")
            _flush(messages, turn, parts)
            messages.append(Message("tool", (_result(block, where),)))
            continue
        part = _part(block, turn, where)
        if part is not None:
            parts.append(part)
    _flush(messages, turn, parts)
    return messages


def _flush(messages: list[Message], turn: WireMessage, parts: list[Part]) -> None:
    if parts:
        messages.append(Message(turn.role, tuple(parts)))
        parts.clear()


def _part(block: ContentBlock, turn: WireMessage, where: str) -> Part | None:
    if isinstance(block, TextBlock):
        return Text(block.text)
    if isinstance(block, ImageBlock) and turn.role == "user":
        return _image(block.source, where)
    if turn.role == "assistant":
        match block:
            case ThinkingBlock():
                return Thinking(block.thinking, block.signature or None)
            case RedactedThinkingBlock():
                return None
            case ToolUseBlock():
                return ToolCall(block.id, block.name, msgspec.json.encode(block.input).decode())
    raise InvalidRequestError(f"{where}: `{block.type}` blocks cannot be in `{turn.role}` messages.")


def _image(source: Source, where: str) -> Image:
    if source.type == "url":
        if source.url is None:
            raise InvalidRequestError(f"{where}.source.url: Field required")
        return Image("", url=source.url)
    if source.data is None or source.media_type is None:
        raise InvalidRequestError(f"{where}.source: `media_type` and `data` are required.")
    try:
        return Image(source.media_type, data=base64.b64decode(source.data, validate=True))
    except (binascii.Error, ValueError) as error:
        raise InvalidRequestError(f"{where}.source.data: it is not base64.") from error


def _result(block: ToolResultBlock, where: str) -> ToolResult:
    if isinstance(block.content, str):
        return ToolResult(block.tool_use_id, block.content, block.is_error)
    texts = [piece.text for piece in block.content if isinstance(piece, TextBlock)]
    if len(texts) != len(block.content):
        raise InvalidRequestError(f"{where}.content: pictures in results of tools are not supported here.")
    return ToolResult(block.tool_use_id, "\n".join(texts), block.is_error)


def _tools(tools: Sequence[WireTool] | None) -> tuple[Tool, ...]:
    found: list[Tool] = []
    for place, tool in enumerate(tools or ()):
        if tool.type not in (None, "custom"):
            raise InvalidRequestError(f"tools.{place}.type: tools of Anthropic's own service are not here.")
        if tool.input_schema is None:
            raise InvalidRequestError(f"tools.{place}.input_schema: Field required")
        found.append(Tool(tool.name, tool.description, tool.input_schema))
    return tuple(found)


def _tool_choice(choice: WireToolChoice | None, tools: Sequence[Tool]) -> ToolChoice:
    if choice is None:
        return ToolChoice()
    if not tools and choice.type != "none":
        raise InvalidRequestError("tool_choice: it may only be specified while providing `tools`.")
    match choice.type:
        case "any":
            return ToolChoice("required")
        case "none":
            return ToolChoice("none")
        case "tool":
            if all(tool.name != choice.name for tool in tools):
                raise InvalidRequestError(f"tool_choice: no tool {choice.name!r} is among `tools`.")
            return ToolChoice("required", choice.name)
        case _:
            return ToolChoice()


def _response_format(config: OutputConfig | None) -> ResponseFormat:
    if config is None or config.format is None:
        return ResponseFormat()
    return ResponseFormat(json_schema=config.format.schema_)
