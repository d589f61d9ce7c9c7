"""Frames come out of the stream whole, wherever the pipe cuts it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from app.engine import frames
from app.engine.frames import Counted, Event, Loading, Piece, Step
from app.engine.process.child import Child
from app.engine.process.log import WorkerLog

events = st.one_of(
    st.builds(Loading, st.floats(0, 1)),
    st.builds(Counted, st.integers(0, 9), st.integers(0, 2**40)),
    st.builds(lambda text: Step((Piece(1, text),)), st.text(max_size=400)),
)


async def received(chunks: list[bytes]) -> tuple[list[Event], list[str]]:
    """What a child hears of a pipe that gives these chunks one by one."""
    found: list[Event] = []
    ends: list[str] = []
    child = Child(found.append, WorkerLog(Path(os.devnull)), ends.append)
    for chunk in chunks:
        child._cut(chunk)
    return found, ends


@settings(max_examples=200, deadline=None)
@given(st.lists(events, max_size=8), st.data())
def test_every_cut_gives_the_same_events(said: list[Event], data: st.DataObject) -> None:
    stream = b"".join(map(frames.encode, said))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    chunks = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert asyncio.run(received(chunks))[0] == said


def test_every_byte_alone_gives_the_same_events() -> None:
    said: list[Event] = [Loading(0.5), Step((Piece(3, "é" * 300),)), Counted(1, 2), Loading(1.0)]
    stream = b"".join(map(frames.encode, said))
    assert asyncio.run(received([stream[at : at + 1] for at in range(len(stream))]))[0] == said
