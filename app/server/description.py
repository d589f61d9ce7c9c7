"""The OpenAPI document, with answers and errors as they really are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from fastapi import FastAPI

from .accounts.document import add_accounts
from .openai.completions import CompletionReply
from .openai.embeddings import EmbeddingsReply
from .openai.models import ModelList, ModelReply
from .openai.replies import ChatReply
from .openai.responses_replies import ResponseReply

_ERROR = {
    "description": "An error, in the shape of the protocol that the path belongs to.",
    "content": {"application/json": {"schema": {"type": "object"}}},
}
_REPLIES: Mapping[str, type[msgspec.Struct]] = {
    "/v1/chat/completions": ChatReply,
    "/v1/completions": CompletionReply,
    "/v1/responses": ResponseReply,
    "/v1/embeddings": EmbeddingsReply,
    "/v1/models": ModelList,
    "/v1/models/{model}": ModelReply,
}
_STREAMING = frozenset(("/v1/chat/completions", "/v1/completions", "/v1/responses"))


def describe(app: FastAPI, *, with_accounts: bool) -> None:
    """Makes the application's document say what is answered, in place of the framework's own words.

    Args:
        app: its document is changed.
        with_accounts: whether there are routes for people and their keys: the gate has them.
    """
    framework = app.openapi

    def document() -> dict[str, Any]:
        if app.openapi_schema is not None:
            return app.openapi_schema
        made = framework()
        schemas = made.setdefault("components", {}).setdefault("schemas", {})
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        found, named = msgspec.json.schema_components(_REPLIES.values(), ref_template="#/components/schemas/{name}")
        schemas.update(named)
        if with_accounts:
            add_accounts(made)
        replies = dict(zip(_REPLIES, found, strict=True))
        for path, verbs in made["paths"].items():
            for route in verbs.values():
                route["responses"].pop("422", None)
                route["responses"].setdefault("default", _ERROR)
                if path in replies and "200" in route["responses"]:
                    route["responses"]["200"] = _answered(path, replies[path])
        return made

    app.openapi = document  # type: ignore[method-assign]


def _answered(path: str, schema: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = {"application/json": {"schema": schema}}
    if path in _STREAMING:
        content["text/event-stream"] = {}
    return {"description": "The answer.", "content": content}
