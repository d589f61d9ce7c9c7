from __future__ import annotations

import pytest
from textual._xterm_parser import XTermParser

from app.tui.terminal_keys import teach_alt_enter


@pytest.mark.parametrize("sequence", ["\x1b\r", "\x1b[13;3u"])
def test_alt_with_enter_is_one_key(sequence: str) -> None:
    teach_alt_enter()
    assert [event.key for event in XTermParser().feed(sequence)] == ["alt+enter"]  # type: ignore[attr-defined]
