"""Answers that pass through in many pieces: whole events, in time that grows with their length alone."""

import itertools
import time

from hypothesis import given
from hypothesis import strategies as st

from app.backends.passing import PassedOn
from app.backends.rules import NoChange


class Pieces:
    """An answer in given pieces."""

    status = 200

    def __init__(self, pieces, kind="text/event-stream"):
        self.headers = {"content-type": kind}
        self._pieces = iter(pieces)

    async def more(self):
        return next(self._pieces, b"")

    async def close(self):
        pass


async def passed(pieces, protocol="openai-chat"):
    return [piece async for piece in PassedOn(Pieces(pieces), NoChange(), protocol, "far", lambda _error: None)]


async def test_one_long_event_holds_up_nobody():
    pieces = [b"data: x" * 2340] * 1000
    began = time.process_time()
    out = await passed([*pieces, b"\n", b"\ndata: [DONE]\n\n"])
    assert time.process_time() - began < 2.0
    assert b"".join(out) == b"".join(pieces) + b"\n\ndata: [DONE]\n\n"
    assert len(out) == 1


EVENTS = st.lists(
    st.sampled_from([b'data: {"a":1}', b"data: x\ndata: y", b": still here", b"data: \xc3\xa9"]), max_size=5
)


@given(EVENTS, st.sampled_from([b"\n\n", b"\r\n\r\n", b"\r\r"]), st.lists(st.integers(0, 120), max_size=12))
async def test_wherever_it_is_split_whole_events_come_out(events, border, cuts):
    text = b"".join(event + border for event in [*events, b"data: [DONE]"])
    places = sorted({0, len(text), *(cut % len(text) for cut in cuts)})
    pieces = [text[start:end] for start, end in itertools.pairwise(places) if end > start]
    out = await passed(pieces)
    assert b"".join(out) == text
    assert all(piece.endswith(border) for piece in out)


@given(st.lists(st.integers(0, 200), max_size=12))
async def test_lines_come_out_whole_wherever_they_are_split(cuts):
    text = b'{"message":{"content":"one"},"done":false}\n' * 3 + b'{"done":true}\n'
    places = sorted({0, len(text), *(cut % len(text) for cut in cuts)})
    out = await passed([text[start:end] for start, end in itertools.pairwise(places)], "ollama")
    assert b"".join(out) == text
    assert all(piece.endswith(b"\n") for piece in out)
