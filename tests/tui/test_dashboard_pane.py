"""The Dashboard: what was counted, as it is counted."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from app.tui.app import PlaygroundApp
from app.tui.chat.pane import ChatPane
from app.tui.dashboard import pane as dashboard
from app.tui.dashboard.model_table import ModelTable, columns
from app.tui.dashboard.pane import DashboardPane
from app.tui.dashboard.plot import Plot
from app.tui.dashboard.tiles import Tiles
from app.vault import Vault
from app.vault.activity.usage import UsageRow

from .conftest import until
from .vault_app import DAY, HOUR, NOW, SmallApp, a_vault

HERE = UsageRow(
    at=NOW - 2 * HOUR, model="smollm2-135m", backend="local", prompt_tokens=900, completion_tokens=101,
    cached_tokens=450, first_token_s=0.25, decode_s=1.0, total_s=1.3,
)  # fmt: skip
FAR = UsageRow(
    at=NOW - 3 * DAY, model="gpt-5-mini", backend="openai", prompt_tokens=2_000, completion_tokens=51,
    first_token_s=0.5, decode_s=0.5, total_s=1.1, cost=0.25,
)  # fmt: skip
UNPRICED = UsageRow(at=NOW - 4 * DAY, model="mystery", backend="away", prompt_tokens=10, completion_tokens=1)
LONG_AGO = UsageRow(at=NOW - 90 * DAY, model="old\x1b[2J", backend="local", outcome="failed")
ALL = (HERE, FAR, UNPRICED, LONG_AGO)


pytestmark = pytest.mark.usefixtures("utc")


@asynccontextmanager
async def opened(
    tmp_path: Path, *rows: UsageRow, size: tuple[int, int] = (100, 30)
) -> AsyncIterator[tuple[SmallApp, Pilot[Any]]]:
    async def fill(vault: Vault) -> None:
        await vault.open()
        await vault.usage.add(rows)

    app = SmallApp(a_vault(tmp_path), lambda vault: DashboardPane(vault, lambda: NOW), fill)
    async with app.run_test(size=size) as pilot:
        await until(lambda: app.ready)
        the(app).shown()
        the(app).take_focus()
        await until(lambda: the(app)._shown is not None)
        yield app, pilot


def the(app: SmallApp) -> DashboardPane:
    return app.screen_stack[0].query_one(DashboardPane)


def said(app: SmallApp, name: str) -> str:
    return str(app.query_one(name, Static).render())


def tiles(app: SmallApp) -> list[str]:
    return app.query_one(Tiles).render().plain.splitlines()


def models(app: SmallApp) -> list[str]:
    table = app.query_one(ModelTable)
    return [table.paint(table.row(place), 0, 98).plain for place in range(table.count)]


async def test_figures_of_a_week_and_of_all_time(tmp_path: Path) -> None:
    async with opened(tmp_path, *ALL) as (app, pilot):
        labels, figures, notes = tiles(app)
        assert labels.split() == ["requests", "tokens", "speed", "first", "token", "latency", "from", "cache", "cost"]
        assert figures.split() == ["3", "3,063", "100", "375", "ms", "1.2", "s", "0", "$0.25"]
        assert "15 % reuse" in notes and "+ unknown" in notes and "failed" not in notes
        assert [line.split()[1] for line in models(app)] == ["gpt-5-mini", "smollm2-135m", "mystery"]
        assert models(app)[2].rstrip().endswith("no price") and models(app)[1].rstrip().endswith("–")
        await pilot.press("a")
        await until(lambda: "1 failed" in tiles(app)[2])
        assert said(app, "#figures-head") == "Since the beginning"
        assert "by the week" in said(app, "#figures-title")
        assert "\x1b" not in "".join(models(app))
        await pilot.press("d")
        await until(lambda: said(app, "#figures-head") == "The last 24 hours")
        assert len(models(app)) == 1


async def test_another_figure_is_drawn_and_one_model_alone(tmp_path: Path) -> None:
    async with opened(tmp_path, *ALL) as (app, pilot):
        assert said(app, "#figures-title").startswith("Tokens by the day · at most 2,051, Tue 17 Nov")
        assert "2.5 k" in app.query_one(Plot).render().plain
        await pilot.press("right")
        assert said(app, "#figures-title").startswith("Tokens a second (median) by the day")
        await pilot.press("left", "left", "left")
        assert said(app, "#figures-title").startswith("Cost by the day · at most $0.25")
        await pilot.click(Tiles, offset=(1, 1))
        assert said(app, "#figures-title").startswith("Requests by the day")
        await pilot.press("down", "enter")
        assert said(app, "#figures-head") == "smollm2-135m · The last 7 days"
        assert tiles(app)[1].split()[:2] == ["1", "1,001"]
        assert "all here" in tiles(app)[2]
        await pilot.press("escape")
        assert tiles(app)[1].split()[0] == "3"


async def test_what_is_counted_meanwhile_appears_and_nothing_is_read_for_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashboard, "LOOK_EVERY", 0.02)
    async with opened(tmp_path, HERE) as (app, _):
        figures = app.vault.figures
        read = []
        overview = figures.overview

        async def counted(edges: Any) -> Any:
            read.append(edges)
            return await overview(edges)

        figures.overview = counted
        looked = []
        last = figures.last

        async def looks() -> int:
            looked.append(0)
            return await last()

        figures.last = looks
        await until(lambda: len(looked) >= 3)
        assert not read
        await app.vault.usage.add([FAR])
        await until(lambda: tiles(app)[1].split()[0] == "2")
        assert len(read) == 1
        the(app).display = False
        await app.vault.usage.add([FAR])
        seen = len(looked)
        await until(lambda: the(app)._wake.is_set() is False)
        assert len(read) == 1 and len(looked) <= seen + 1


async def test_a_locked_vault_shows_nothing_and_an_empty_one_says_what_will_be_here(tmp_path: Path) -> None:
    async with opened(tmp_path) as (app, _):
        assert the(app).has_class("-nothing")
        assert said(app, "#figures-why").startswith("No figures yet.")
        assert not list(the(app).commands())
        await app.vault.usage.add([HERE])
        the(app).shown()
        await until(lambda: models(app))
        assert {command.title for command in the(app).commands()} >= {
            "Dashboard: since the beginning",
            "Dashboard: cost",
        }
        await app.vault.lock()
        await the(app).vault_closing()
        assert said(app, "#figures-why").startswith("The vault is locked.")
        assert not models(app)
        assert the(app)._overview is None
        the(app).shown()
        await app.vault.open()
        await the(app).vault_opened(app.vault)
        await until(lambda: models(app))
        assert not app.errors and not app.faults


@pytest.mark.parametrize(("size", "shown"), [((40, 14), 3), ((24, 10), 2), ((200, 60), 7)])
async def test_any_size_will_do(tmp_path: Path, size: tuple[int, int], shown: int) -> None:
    async with opened(tmp_path, *ALL, size=size) as (app, pilot):
        await pilot.press("a")
        await until(lambda: the(app)._shown is not None and the(app)._shown[1] == "all")
        assert len(app.query_one(Tiles)._view()) == shown
        assert all(len(line) <= size[0] for line in tiles(app))
        assert not app.faults


def test_columns_are_given_up_one_by_one() -> None:
    found = [len(columns(width)) for width in (120, 77, 70, 60, 50, 40, 20)]
    assert found == [7, 7, 6, 4, 3, 2, 1]


async def test_f9_shows_it(make_app: Callable[..., PlaygroundApp]) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(lambda: app.query_one(ChatPane).keeper is not None)
        assert not app.query(DashboardPane)
        await pilot.press("f9")
        await until(lambda: app.query_one(DashboardPane)._shown is not None)
        assert "F5" in str(app.query_one("#figures-why", Static).render())
        assert app.focused is app.query_one(DashboardPane)
        # What the chat asks is noted by the program's own router; here a row stands for it.
        await app._playground.vault.usage.add([msgspec.structs.replace(HERE, at=time.time())])
        app.query_one(DashboardPane).session_changed()
        await until(lambda: app.query_one(ModelTable).model == HERE.model)
        assert app.focused is app.query_one(ModelTable)


def test_nothing_of_it_is_loaded_before_it_is_shown() -> None:
    code = "import sys, app.tui.app; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "app.tui.panes" in loaded
    assert not any(name.startswith(("app.tui.dashboard", "app.vault.activity.figures")) for name in loaded)
