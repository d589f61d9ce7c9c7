"""Shortcuts of these tests: an endpoint, its backend, and what an answer says as a whole."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from app.backends.credentials import Credentials
from app.backends.endpoint import Endpoint, EndpointKind
from app.backends.remote import RemoteBackend
from app.backends.rules import NoChange, WireRules
from app.messages import (
    ChatRequest,
    Delta,
    Finished,
    Message,
    Started,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
)
from app.privacy.connections import ConnectionPolicy

from .provider import Provider

KINDS: tuple[EndpointKind, ...] = ("openai", "openai-compatible", "anthropic", "ollama")


def asking(model: str = "m", text: str = "?", **other: Any) -> ChatRequest:
    return ChatRequest(model=model, messages=other.pop("messages", (Message.user(text),)), **other)


@asynccontextmanager
async def reaching(
    there: Provider | str,
    kind: EndpointKind = "openai",
    *,
    rules: WireRules | None = None,
    environ: Mapping[str, str] | None = None,
    local_only: bool = False,
    check: Any = None,
    **fields: Any,
) -> AsyncIterator[RemoteBackend]:
    """The backend of an endpoint at a provider of the tests."""
    url = there if isinstance(there, str) else there.url(kind)
    endpoint = Endpoint(name="there", kind=kind, url=url, **fields)
    backend = RemoteBackend(
        endpoint,
        rules or NoChange(),
        Credentials(environ or {}, None),
        ConnectionPolicy(local_only=local_only),
        resolver_check=check,
    )
    try:
        yield backend
    finally:
        await backend.aclose()


async def all_of(stream: AsyncGenerator[Delta, None]) -> list[Delta]:
    return [delta async for delta in stream]


def summary(deltas: list[Delta]) -> dict[str, Any]:
    """The same for every split of the same answer."""
    calls: dict[int, list[str]] = {}
    signatures = [delta.signature for delta in deltas if isinstance(delta, ThinkingDelta) and delta.signature]
    for delta in deltas:
        if isinstance(delta, ToolCallDelta):
            call = calls.setdefault(delta.index, [delta.call_id or "", delta.name or "", ""])
            call[2] += delta.arguments
    finished = [delta for delta in deltas if isinstance(delta, Finished)]
    assert len(finished) <= 1
    assert sum(isinstance(delta, Started) for delta in deltas) <= 1
    return {
        "text": "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)),
        "thinking": "".join(delta.text for delta in deltas if isinstance(delta, ThinkingDelta)),
        "signatures": signatures,
        "calls": [tuple(call) for _, call in sorted(calls.items())],
        "logprobs": [c for delta in deltas if isinstance(delta, TextDelta) for c in delta.logprobs],
        "finished": finished[0] if finished else None,
    }
