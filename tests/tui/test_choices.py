"""Choices are kept at once, and hold although they cannot be kept."""

from __future__ import annotations

from pathlib import Path

from app.tui.choices import Choices
from app.tui.state import StateFile


def test_a_choice_is_there_at_the_next_start(tmp_path: Path) -> None:
    choices = Choices(StateFile(tmp_path), lambda *_, **__: None)
    choices.remember(theme="nord", local_only=True)
    choices.remember(local_only=None)
    assert choices.state.theme == "nord"
    assert Choices(StateFile(tmp_path), lambda *_, **__: None).state == choices.state


def test_one_that_cannot_be_kept_is_said_and_holds_until_the_end(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")
    said: list[str] = []
    choices = Choices(StateFile(tmp_path / "data"), lambda words, **_: said.append(words))
    choices.remember(density="compact")
    assert choices.state.density == "compact"
    assert said[0].startswith("The choice could not be saved")
