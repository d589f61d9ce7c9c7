"""``/sessions``: the conversations that are kept, one's history, deleting it, and going back in it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.errors import InvalidRequestError
from app.messages import Node
from app.vault.conversations.records import WholeSession

from .services import Services
from .strict_json import JsonRoute


class RollbackBody(BaseModel):
    """How far back: by so many messages, or to one of them, which becomes the last."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    steps: Annotated[int, Field(ge=1, le=100_000)] | None = None
    to: Annotated[str, Field(min_length=1, max_length=128)] | None = None


def routes(services: Services) -> APIRouter:
    """The routes, answering from the vault; all refuse while it is locked."""
    router = APIRouter(tags=["Sessions"], route_class=JsonRoute)
    vault = services.vault

    @router.get("/sessions", response_class=Response)
    async def sessions(
        offset: Annotated[int, Query(ge=0, le=2**31)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        shelf: Literal["current", "archived", "bin"] = "current",
        tag: Annotated[str | None, Query(max_length=256)] = None,
    ) -> Response:
        """A part of the list: pinned ones first, then the latest."""
        lines = await vault.sessions.lines(offset, limit, shelf=shelf, tag=tag)
        return _json({"sessions": lines, "total": await vault.sessions.count(shelf, tag)})

    @router.get("/sessions/{session_id}", response_class=Response)
    async def session(session_id: str) -> Response:
        """A session and its history: the branch that is shown, first message first."""
        whole = await vault.sessions.load(session_id)
        return _json({"session": whole.session, "messages": _branch(whole)})

    @router.delete("/sessions/{session_id}", response_class=Response)
    async def delete(session_id: str, forever: bool = False) -> Response:
        """Puts a session into the bin, or with ``forever`` removes it for good."""
        if forever:
            await vault.sessions.purge(session_id)
        else:
            await vault.sessions.delete(session_id)
        return Response(status_code=204)

    @router.post("/sessions/{session_id}/rollback", response_class=Response)
    async def rollback(session_id: str, asked: RollbackBody) -> Response:
        """Goes back in a session. The messages after that stay in the vault, as a branch that is not shown."""
        if (asked.steps is None) == (asked.to is None):
            raise InvalidRequestError("One of 'steps' and 'to' is needed, and only one.")
        whole = await vault.sessions.load(session_id)
        branch = _branch(whole)
        ids = [node.id for node in branch]
        if asked.to is not None:
            if asked.to not in ids:
                raise InvalidRequestError("The message 'to' is not in the branch that is shown.")
            kept = ids.index(asked.to) + 1
        else:
            kept = len(ids) - (asked.steps or 0)
            if kept < 0:
                raise InvalidRequestError(f"'steps' is {asked.steps}; the session has {len(ids)} messages.")
        await vault.messages.save(whole.session.id, (), ids[kept - 1] if kept else None)
        return _json({"session": await vault.sessions.get(session_id), "messages": branch[:kept]})

    return router


def _branch(whole: WholeSession) -> list[Node]:
    """The messages from the first to the head."""
    nodes = {node.id: node for node in whole.nodes}
    branch: list[Node] = []
    at = whole.session.head_id
    while at is not None and at in nodes:
        branch.append(nodes[at])
        at = nodes[at].parent_id
    return branch[::-1]


def _json(reply: Any) -> Response:
    return Response(msgspec.json.encode(reply), media_type="application/json")
