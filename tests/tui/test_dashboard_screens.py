"""The Dashboard in its states, as pictures."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from app.tui.dashboard.pane import DashboardPane
from app.vault import Vault
from app.vault.activity.usage import UsageRow

from .conftest import until
from .vault_app import DAY, NOW, SmallApp, a_vault, empty

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])

_MODELS = {
    "smollm2-135m": ("local", 95.0, None, 8),
    "qwen3-4b-instruct": ("local", 18.0, None, 5),
    "gpt-5-mini": ("openai", 70.0, 1.0, 3),
    "claude-sonnet": ("anthropic", 65.0, 8.0, 2),
    "llama-3.3-70b-versatile": ("groq", 240.0, 0.5, 1),
    "mystery": ("elsewhere", 30.0, None, 1),
}
"""Through what, tokens a second, dollars for a million tokens, how often."""


async def some_months(vault: Vault) -> None:
    """Answers of half a year, more of them the nearer they are."""
    drawn = random.Random(4)
    rows = []
    for _ in range(600):
        weights = [one[3] for one in _MODELS.values()]
        model = drawn.choices(list(_MODELS), weights)[0]
        backend, speed, price, _ = _MODELS[model]
        prompt, completion = drawn.randint(30, 4000), drawn.randint(20, 900)
        first, decode = 0.1 + drawn.random() ** 3, completion / speed / (0.7 + 0.6 * drawn.random())
        failed, again = drawn.random() < 0.03, drawn.random() < 0.06
        rows.append(
            UsageRow(
                at=NOW - 180 * DAY * drawn.random() ** 3,
                model=model,
                backend="" if failed else backend,
                prompt_tokens=0 if failed else prompt,
                completion_tokens=0 if failed else completion,
                cached_tokens=prompt // 3 if backend == "local" and not failed else 0,
                first_token_s=None if failed else first,
                decode_s=None if failed else decode,
                total_s=first + decode,
                cost=0.0 if again else None if failed or price is None else price * (prompt + 8 * completion) / 1e6,
                outcome="failed" if failed else "finished",
                from_cache=again and not failed,
            )
        )
    await vault.open()
    await vault.usage.add(rows)


pytestmark = pytest.mark.usefixtures("utc")


@pytest.fixture
def picture(snap_compare: Any, tmp_path: Path) -> Any:
    def compare(size: tuple[int, int], *keys: str, fill: Any = some_months, theme: str = "playground-dark") -> None:
        app = SmallApp(a_vault(tmp_path), lambda vault: DashboardPane(vault, lambda: NOW), fill, theme)

        async def run(pilot: Pilot[Any]) -> None:
            await until(lambda: app.ready)
            pane = app.query_one(DashboardPane)
            pane.shown()
            pane.take_focus()
            await until(lambda: pane._shown is not None)
            for key in keys:
                await pilot.press(key)
                await until(lambda: pane._shown is not None and pane._shown[1] == pane._span)
            await pilot.pause(0.1)

        assert snap_compare(app, terminal_size=size, run_before=run)

    return compare


@SIZES
def test_the_last_days(picture: Any, size: Any) -> None:
    picture(size)


def test_one_model_over_all_time_until_the_first_token(picture: Any) -> None:
    picture((120, 40), "a", "right", "right", "down", "down", "enter", theme="playground-light")


def test_a_month_in_sixteen_colours(picture: Any) -> None:
    picture((80, 24), "m", theme="playground-terminal")


def test_nothing_yet(picture: Any) -> None:
    picture((80, 24), fill=empty)
