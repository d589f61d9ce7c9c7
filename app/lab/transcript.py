"""A debate as a conversation that can be kept, read and gone on with: a moderator asks, the models answer."""

from __future__ import annotations

import time
from collections.abc import Callable

from app.chat.conversation import new_id
from app.messages import Failure, Message, Node, Way
from app.vault.conversations.records import Session, WholeSession

from .debate import Debate, Turn

TAG = "debate"
_PARTS = {
    "opening": "{model}, what do you say?",
    "criticism": "{model}, what do you say to the others?",
    "position": "{model}, where do you stand now?",
    "judgement": "{model}, please sum up.",
}


def transcript(debate: Debate, clock: Callable[[], float] = time.time) -> WholeSession:
    """What was said, in order."""
    nodes: list[Node] = []
    for turn in debate.turns:
        words = _PARTS[turn.part].format(model=turn.model)
        if not nodes:
            words = f"{debate.question}\n\n{words}"
        nodes.append(Node(id=new_id(), parent_id=_last(nodes), message=Message.user(words), created_at=clock()))
        nodes.append(_answer(turn, nodes[-1].id, clock()))
    session = Session(
        id=new_id(),
        title=" ".join(debate.question.split())[:80],
        created_at=clock(),
        updated_at=clock(),
        tags=(TAG,),
        model=debate.judge,
        head_id=_last(nodes),
    )
    return WholeSession(session, tuple(nodes))


def _answer(turn: Turn, asked: str, now: float) -> Node:
    lane = turn.lane
    finished = lane.finished
    return Node(
        id=new_id(),
        parent_id=asked,
        message=Message.assistant(lane.text),
        created_at=now,
        status="complete" if finished is not None else "failed" if lane.error is not None else "cut",
        model=lane.answered_by,
        finish=finished.reason if finished is not None else None,
        usage=finished.usage if finished is not None else None,
        timings=finished.timings if finished is not None else None,
        first_token=lane.first_token_s,
        error=Failure.of(lane.error) if lane.error is not None else None,
        way=Way(cost=lane.cost),
    )


def _last(nodes: list[Node]) -> str | None:
    return nodes[-1].id if nodes else None
