"""What Ollama's clients send. Names that nobody knows are let pass, as there."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(min_length=1, max_length=256)]
Whole = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]
Picture = Annotated[str, Field(min_length=1)]


class Wire(BaseModel):
    """Outside input: types are not guessed."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True, allow_inf_nan=False)


class Options(BaseModel):
    """How to choose tokens. What is about loading alone (threads, layers, window) is the server's own choice here."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)

    temperature: float | None = None
    top_p: float | None = None
    top_k: Whole | None = None
    min_p: float | None = None
    repeat_penalty: float | None = None
    repeat_last_n: Whole | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    seed: Whole | None = None
    num_predict: Whole | None = None
    stop: str | Annotated[list[str], Field(max_length=64)] | None = None
    # Known, and refused where they ask for what is not here
    mirostat: int | None = None
    tfs_z: float | None = None
    typical_p: float | None = None


class Function(Wire):
    """A function that may be called."""

    name: Annotated[str, Field(min_length=1, max_length=128)]
    description: str | None = None
    parameters: dict[str, Any] | None = None


class WireTool(Wire):
    """A tool."""

    type: str | None = "function"
    function: Function


class CalledFunction(Wire):
    """Which function, with what."""

    name: Name
    arguments: dict[str, Any] = {}


class WireCall(Wire):
    """A call that the assistant made."""

    id: str | None = None
    function: CalledFunction


class WireMessage(Wire):
    """One message."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str | None = None
    thinking: str | None = None
    images: list[Picture] | None = None
    tool_calls: list[WireCall] | None = None
    tool_name: str | None = None
    tool_call_id: str | None = None


class Asked(Wire):
    """What chats and plain prompts have in common. Streams unless told otherwise, as Ollama does."""

    model: Name
    stream: bool | None = None
    format: Literal["", "json"] | dict[str, Any] | None = None
    options: Options | None = None
    keep_alive: float | str | None = None
    think: bool | str | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None

    @property
    def streamed(self) -> bool:
        """Whether the answer comes in pieces."""
        return self.stream is not False

    @property
    def leaves(self) -> bool:
        """Whether the model is to be unloaded at once."""
        return self.keep_alive in (0, "0", "0s", "0m", "0h")


class ChatBody(Asked):
    """``POST /api/chat``."""

    messages: list[WireMessage] | None = None
    tools: Annotated[list[WireTool], Field(max_length=128)] | None = None


class GenerateBody(Asked):
    """``POST /api/generate``."""

    prompt: str | None = None
    system: str | None = None
    raw: bool | None = None
    images: list[Picture] | None = None
    # Known, and refused where they ask for what is not here
    suffix: str | None = None
    template: str | None = None
    context: list[int] | None = None


class EmbedBody(Wire):
    """``POST /api/embed``."""

    model: Name
    input: str | Annotated[list[str], Field(max_length=2048)]
    truncate: bool | None = None
    dimensions: Annotated[int, Field(ge=0)] | None = None


class EmbeddingsBody(Wire):
    """``POST /api/embeddings``, the older form."""

    model: Name
    prompt: str = ""


class ShowBody(Wire):
    """``POST /api/show``; older clients call it ``name``."""

    model: Name | None = None
    name: Name | None = None
