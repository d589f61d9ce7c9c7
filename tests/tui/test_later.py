"""Work that is called off before it begins leaves no warning behind."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import Callable

from app.tui.app import PlaygroundApp
from app.tui.chat.pane import ChatPane
from app.tui.later import Later

from .conftest import until

Make = Callable[..., PlaygroundApp]


async def test_what_begins_runs_to_its_end() -> None:
    done: list[int] = []

    async def work() -> int:
        await asyncio.sleep(0)
        done.append(1)
        return 7

    assert await Later(work) == 7
    assert done == [1]


async def test_two_warm_ups_in_one_moment(make_app: Make) -> None:
    app = make_app()
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        async with app.run_test():
            pane = app.query_one(ChatPane)
            for _ in range(3):
                pane.use_model("smollm2-135m")
                pane.do(pane.parts.model.learn_lines(), "models", exclusive=True)
            await until(lambda: pane.parts.model._desk.loaded("smollm2-135m") is not None)
        gc.collect()
    assert [str(warning.message) for warning in seen if "never awaited" in str(warning.message)] == []
