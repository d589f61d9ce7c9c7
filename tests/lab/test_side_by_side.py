"""Several answers to one question."""

import asyncio
from contextlib import aclosing

from hypothesis import given
from hypothesis import strategies as st

from app.errors import EngineError
from app.lab.lane import Lane
from app.lab.side_by_side import side_by_side
from app.messages import ChatRequest, Message

from .scripted import Models


def asked(*names):
    return [(Lane(name), ChatRequest(model=name, messages=(Message.user("Why?"),))) for name in names]


async def run(models, lanes, **how):
    async with aclosing(side_by_side(models, lanes, **how)) as changes:
        return [lane async for lane in changes]


async def test_models_of_this_machine_wait_for_each_other_and_remote_ones_do_not():
    says = dict.fromkeys(("one", "two", "far", "away"), ("a", 0.02, "b"))
    here = Models(says)
    await run(here, asked("one", "two"))
    assert here.most_running == 1
    mixed = Models(says, remote=("far", "away"))
    await run(mixed, asked("one", "two", "far", "away"))
    assert mixed.most_running == 3
    together = Models(says)
    await run(together, asked("one", "two"), in_turn=False)
    assert together.most_running == 2


async def test_each_lane_has_its_own_words_and_figures_and_its_own_error():
    lanes = asked("well", "ill")
    await run(Models({"well": ("So", " it is."), "ill": ("So", EngineError("It fell over."))}), lanes)
    well, ill = (lane for lane, _ in lanes)
    assert (well.text, well.error, well.tokens, well.tokens_per_second) == ("So it is.", None, 11, 20.0)
    assert (ill.text, str(ill.error), ill.tokens, ill.cost) == ("So", "It fell over.", 0, None)
    assert well.over and ill.over and well.waiting is None


async def test_whoever_stops_reading_ends_every_answer():
    models = Models({"one": ("a", 60), "two": ("b", 60)})
    async with asyncio.timeout(5), aclosing(side_by_side(models, asked("one", "two"), in_turn=False)) as changes:
        async for lane in changes:
            if lane.text:
                break
    assert sorted(models.ended) == ["one", "two"]
    assert models.running == set()


async def test_nobody_asked_is_nobody_answering():
    assert await run(Models({}), []) == []


@given(st.lists(st.lists(st.text(max_size=5) | st.just(0.0), max_size=6), max_size=5), st.booleans())
def test_nothing_that_is_said_gets_lost(said, in_turn):
    names = [str(number) for number in range(len(said))]
    lanes = asked(*names)
    changes = asyncio.run(run(Models(dict(zip(names, said, strict=True))), lanes, in_turn=in_turn))
    assert [lane.text for lane, _ in lanes] == ["".join(filter(None, steps)) for steps in said]
    assert all(lane.over for lane, _ in lanes)
    assert set(changes) == {lane for lane, _ in lanes}
