"""What the four kinds of endpoints differ in, beside the words of their protocols."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from app.messages import ChatRequest

from .anthropic.reading import MESSAGES
from .dialect import Dialect
from .endpoint import EndpointKind
from .found import tables, words
from .ollama.reading import CHAT, GENERATE
from .openai.dialects import way_of
from .rules import JsonObject, WireProtocol

ANTHROPIC_VERSION = "2023-06-01"
_OPENAI_PATHS: Mapping[WireProtocol, str] = {
    "openai-chat": "/chat/completions",
    "openai-completions": "/completions",
    "openai-responses": "/responses",
}


class Kind(NamedTuple):
    """One kind of endpoint.

    Attributes:
        way: how a request is asked.
        listing: the path that lists its models, below its address.
        names: the models in such a list.
        key_header: which header its key is in.
        key_prefix: what stands before the key there.
        headers: what it must be sent with every request, unless a client's own says otherwise.
        paths: of the protocols that pass through as they came.
    """

    way: Callable[[ChatRequest], Dialect]
    listing: str
    names: Callable[[JsonObject], list[str]]
    key_header: str
    key_prefix: str
    headers: Mapping[str, str]
    paths: Mapping[WireProtocol, str]


def kind_of(kind: EndpointKind) -> Kind:
    """The kind by its name."""
    return _KINDS[kind]


def _anthropic_way(request: ChatRequest) -> Dialect:
    return MESSAGES


def _ollama_way(request: ChatRequest) -> Dialect:
    return CHAT if request.prompt is None else GENERATE


def _ids(body: JsonObject) -> list[str]:
    return [name for model in tables(body.get("data")) if (name := words(model.get("id")))]


def _names(body: JsonObject) -> list[str]:
    models = tables(body.get("models"))
    return [name for model in models if (name := words(model.get("model")) or words(model.get("name")))]


_COMPATIBLE = Kind(
    way=lambda request: way_of(request, compatible=True),
    listing="/models",
    names=_ids,
    key_header="authorization",
    key_prefix="Bearer ",
    headers={},
    paths=_OPENAI_PATHS,
)
_KINDS: Mapping[EndpointKind, Kind] = {
    "openai-compatible": _COMPATIBLE,
    "openai": _COMPATIBLE._replace(way=lambda request: way_of(request, compatible=False)),
    "anthropic": Kind(
        way=_anthropic_way,
        listing="/models?limit=1000",
        names=_ids,
        key_header="x-api-key",
        key_prefix="",
        headers={"anthropic-version": ANTHROPIC_VERSION},
        paths={"anthropic": "/messages"},
    ),
    "ollama": Kind(
        way=_ollama_way,
        listing="/api/tags",
        names=_names,
        key_header="authorization",
        key_prefix="Bearer ",
        headers={},
        paths={"ollama": "/api/chat"},
    ),
}
