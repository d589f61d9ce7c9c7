"""What Anthropic's clients send: https://docs.anthropic.com/en/api/messages."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(min_length=1, max_length=256)]


class Wire(BaseModel):
    """Outside input: types are not guessed, and a name that nobody knows is refused, as Anthropic does."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Block(BaseModel):
    """A piece of content. Answers come back with fields of theirs (caches, citations), so those are let in."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True, allow_inf_nan=False)


class TextBlock(Block):
    """Words."""

    type: Literal["text"]
    text: str


class Source(Block):
    """Where a picture is: in the request, or at an address."""

    type: Literal["base64", "url"]
    media_type: Literal["image/jpeg", "image/png", "image/gif", "image/webp"] | None = None
    data: str | None = None
    url: Annotated[str, Field(min_length=1)] | None = None


class ImageBlock(Block):
    """A picture."""

    type: Literal["image"]
    source: Source


class ThinkingBlock(Block):
    """What the model thought before."""

    type: Literal["thinking"]
    thinking: str
    signature: str = ""


class RedactedThinkingBlock(Block):
    """Thoughts that only Anthropic can read; no other model has a use for them."""

    type: Literal["redacted_thinking"]
    data: str


class ToolUseBlock(Block):
    """A call of a tool."""

    type: Literal["tool_use"]
    id: Name
    name: Name
    input: dict[str, Any]


class ToolResultBlock(Block):
    """What a tool gave back."""

    type: Literal["tool_result"]
    tool_use_id: Name
    content: str | list[Annotated[TextBlock | ImageBlock, Field(discriminator="type")]] = ""
    is_error: bool = False


ContentBlock = Annotated[
    TextBlock | ImageBlock | ThinkingBlock | RedactedThinkingBlock | ToolUseBlock | ToolResultBlock,
    Field(discriminator="type"),
]


class WireMessage(Wire):
    """One turn; a last one of the assistant's is continued."""

    role: Literal["user", "assistant", "system"]
    content: str | list[ContentBlock]


class WireTool(Block):
    """A tool of the client's own."""

    name: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,128}$")]
    input_schema: dict[str, Any] | None = None
    description: str = ""
    type: str | None = None


class WireToolChoice(Wire):
    """Whether and which tool to call."""

    type: Literal["auto", "any", "tool", "none"]
    name: Name | None = None
    disable_parallel_tool_use: bool | None = None


class WireThinking(Wire):
    """Whether thoughts are wanted in the answer."""

    type: Literal["enabled", "adaptive", "disabled", "between_tools"]
    budget_tokens: Annotated[int, Field(ge=1024)] | None = None
    display: Literal["summarized", "omitted"] | None = None

    @property
    def shown(self) -> bool:
        """Whether the answer may hold thoughts."""
        return self.type in ("enabled", "adaptive") and self.display != "omitted"


class OutputFormat(Wire):
    """The schema that an answer must fit."""

    type: Literal["json_schema"]
    schema_: Annotated[dict[str, Any], Field(alias="schema")]


class OutputConfig(Wire):
    """The form of the answer. ``effort`` is let in and has no effect: models here have one."""

    effort: str | None = None
    format: OutputFormat | None = None


class Prompted(Wire):
    """What asking and counting have in common."""

    model: Name
    messages: Annotated[list[WireMessage], Field(min_length=1, max_length=100_000)]
    system: str | list[TextBlock] | None = None
    tools: Annotated[list[WireTool], Field(max_length=128)] | None = None
    tool_choice: WireToolChoice | None = None
    thinking: WireThinking | None = None
    output_config: OutputConfig | None = None
    # Without effect here
    cache_control: dict[str, Any] | None = None
    context_management: dict[str, Any] | None = None
    # Known, and refused where they ask for what is not here
    mcp_servers: list[dict[str, Any]] | None = None


class MessagesRequest(Prompted):
    """A question. What is only about Anthropic's own service (tiers, places, who asks) has no effect here."""

    max_tokens: Annotated[int, Field(ge=1, le=2**31 - 1)]
    stream: bool | None = None
    stop_sequences: Annotated[list[Annotated[str, Field(min_length=1, max_length=1024)]], Field(max_length=64)] = []
    temperature: Annotated[float, Field(ge=0, le=1)] | None = None
    top_k: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    # Without effect here
    metadata: dict[str, Any] | None = None
    service_tier: str | None = None
    inference_geo: str | None = None
    speed: Literal["standard", "fast"] | None = None
    # Known, and refused where they ask for what is not here
    container: str | dict[str, Any] | None = None


class CountRequest(Prompted):
    """A prompt to count; no answer is wanted."""
