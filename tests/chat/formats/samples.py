"""Conversations to export, and strategies that make any other."""

import math
from pathlib import Path

from hypothesis import strategies as st

from app.messages import (
    Failure,
    Image,
    Message,
    Node,
    Sampling,
    Text,
    Thinking,
    Timings,
    ToolCall,
    ToolResult,
    Usage,
)
from app.vault.conversations.records import Session, WholeSession

EXPORTS = Path(__file__).parent / "exports"
PIXEL = b"\x89PNG\r\n\x1a\n not really a picture"


def said(*texts: str, title: str = "A talk", system: str = "", **session: object) -> WholeSession:
    """A conversation in which person and model say these texts in turn."""
    nodes = tuple(
        Node(
            id=f"n{index}",
            parent_id=f"n{index - 1}" if index else None,
            message=Message.assistant(text) if index % 2 else Message.user(text),
            created_at=1_765_672_100.0 + index,
            model="smollm2" if index % 2 else "",
        )
        for index, text in enumerate(texts)
    )
    head = nodes[-1].id if nodes else None
    return WholeSession(
        Session(id="s", title=title, system=system, created_at=1_765_672_100.0, head_id=head, **session), nodes
    )


def rich() -> WholeSession:
    """Every kind of part, every ending, and two branches."""
    nodes = (
        Node(
            id="u",
            parent_id=None,
            message=Message("user", (Text("What is in it?"), Image("image/png", data=PIXEL))),
            created_at=1_765_672_100.0,
        ),
        Node(
            id="other",
            parent_id="u",
            message=Message.assistant("On the other branch"),
            model="gemma",
            status="cut",
        ),
        Node(
            id="a",
            parent_id="u",
            message=Message(
                "assistant",
                (
                    Thinking("A cat,\n\nperhaps", signature="sig"),
                    Text("Let me *look*."),
                    ToolCall("c1", "look", '{"at": 1}'),
                ),
            ),
            created_at=1_765_672_101.0,
            model="smollm2",
            finish="tool_calls",
        ),
        Node(id="t", parent_id="a", message=Message("tool", (ToolResult("c1", "a ``` cat", is_error=True),))),
        Node(
            id="f",
            parent_id="t",
            message=Message.assistant("A ca"),
            model="smollm2",
            status="failed",
            usage=Usage(12, 3, 4),
            timings=Timings(0.1, 0.2, 0.3),
            first_token=0.25,
            error=Failure("worker_died", "The engine stopped", "It ran out of memory.", "Try a smaller model."),
        ),
        Node(
            id="u2",
            parent_id="f",
            message=Message("user", (Text("And this?"), Image("image/png", url="https://example.org/x.png"))),
        ),
        Node(id="c", parent_id="u2", message=Message.assistant("It is"), model="smollm2", status="cut"),
    )
    session = Session(
        id="s",
        title="What is in the picture",
        titled_by="model",
        created_at=1_765_672_100.0,
        updated_at=1_765_672_200.0,
        pinned=True,
        tags=("cats", "pictures"),
        system="Be brief.",
        sampling=Sampling(temperature=0.5, logit_bias={7: -100.0}, stop=("\n",)),
        model="smollm2",
        head_id="c",
        remembers=False,
    )
    return WholeSession(session, nodes)


_numbers = st.floats(allow_nan=False, allow_infinity=False)
_text = st.text(st.characters(), max_size=30)  # halves of characters too: what a model or a file may leave behind

_parts = st.one_of(
    st.builds(Text, _text),
    st.builds(Thinking, _text, st.none() | _text),
    st.builds(Image, _text, data=st.binary(max_size=20)),
    st.builds(Image, _text, url=_text),
    st.builds(ToolCall, _text, _text, _text),
    st.builds(ToolResult, _text, _text, st.booleans()),
)
_messages = st.builds(
    Message, st.sampled_from(["system", "user", "assistant", "tool"]), st.lists(_parts, max_size=4).map(tuple)
)
_sampling = st.builds(
    Sampling,
    temperature=st.none() | _numbers,
    top_k=st.none() | st.integers(),
    seed=st.none() | st.integers(),
    logit_bias=st.dictionaries(st.integers(), _numbers, max_size=3),
    stop=st.lists(_text, max_size=2).map(tuple),
)


@st.composite
def conversations(draw: st.DrawFn) -> WholeSession:
    """Any conversation that could be kept: a forest of nodes, parents first."""
    ids = draw(st.lists(_text, unique=True, max_size=6))
    nodes = []
    for index, node_id in enumerate(ids):
        nodes.append(
            draw(
                st.builds(
                    Node,
                    id=st.just(node_id),
                    parent_id=st.none() | st.sampled_from(ids[:index]) if index else st.none(),
                    message=_messages,
                    created_at=_numbers,
                    status=st.sampled_from(["streaming", "complete", "cut", "failed"]),
                    model=_text,
                    finish=st.none() | st.sampled_from(["stop", "length", "tool_calls", "content_filter"]),
                    usage=st.none()
                    | st.builds(Usage, st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6)),
                    timings=st.none() | st.builds(Timings, _numbers, _numbers, _numbers),
                    first_token=st.none() | _numbers,
                    error=st.none() | st.builds(Failure, _text, _text, _text, _text),
                )
            )
        )
    session = draw(
        st.builds(
            Session,
            id=_text,
            title=_text,
            titled_by=st.sampled_from(["nobody", "model", "person"]),
            created_at=_numbers,
            updated_at=_numbers,
            pinned=st.booleans(),
            archived=st.booleans(),
            deleted_at=st.none() | _numbers,
            tags=st.lists(_text, max_size=3).map(tuple),
            system=_text,
            sampling=_sampling,
            model=_text,
            head_id=st.none() | st.sampled_from(ids) if ids else st.none(),
            remembers=st.booleans(),
        )
    )
    return WholeSession(session, tuple(nodes))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _text | st.just(math.inf),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_text, inner, max_size=4),
    max_leaves=12,
)


@st.composite
def damaged(draw: st.DrawFn, true: object) -> object:
    """A true export with a few of its values replaced, removed or doubled, at any depth."""
    import copy

    value = copy.deepcopy(true)
    for _ in range(draw(st.integers(1, 6))):
        at = value
        for _ in range(draw(st.integers(0, 9))):
            inner = list(at.values()) if isinstance(at, dict) else at
            deeper = [item for item in inner if isinstance(item, dict | list) and item]
            if not deeper:
                break
            at = draw(st.sampled_from(deeper))
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        if not keys:
            continue
        key = draw(st.sampled_from(keys))
        match draw(st.sampled_from(["replace", "remove", "swap"])):
            case "replace":
                at[key] = draw(json_values)
            case "remove":
                del at[key]
            case "swap":
                other = draw(st.sampled_from(keys))
                at[key], at[other] = copy.deepcopy(at[other]), copy.deepcopy(at[key])
    return value
