"""Opening the terminal interface from the command line, and what is done when it is left."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import click
import pytest

import app.tui.app
from app import __main__
from app.cli.session import Session
from app.privacy.connections import ConnectionPolicy


@pytest.mark.parametrize("code", [None, 1])
def test_what_the_program_holds_is_closed_when_the_interface_is_left(
    monkeypatch: pytest.MonkeyPatch, code: int | None
) -> None:
    happened: list[str] = []

    class Interface:
        return_code = code

        def __init__(self, _: object) -> None: ...

        async def run_async(self) -> None:
            happened.append("left")

    async def aclose() -> None:
        happened.append("closed")

    monkeypatch.setattr(app.tui.app, "PlaygroundApp", Interface)
    playground: Any = SimpleNamespace(aclose=aclose)
    with pytest.raises(SystemExit) as ended:
        __main__._interface(playground)
    assert happened == ["left", "closed"]
    assert ended.value.code == (code or 0)


def test_a_dumb_terminal_is_told_what_to_do_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []
    for stream in ("stdin", "stdout"):
        monkeypatch.setattr(f"sys.{stream}", SimpleNamespace(isatty=lambda: True))
    session = Session({"TERM": "dumb"}, opened.append, ConnectionPolicy(local_only=True))
    with pytest.raises(click.UsageError, match="playground chat"):
        session.open_interface()
    assert not opened
