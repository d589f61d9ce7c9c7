from __future__ import annotations

import os
from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest
from textual import events
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

from app.tui.app import PlaygroundApp
from app.tui.terminal_keys import teach_alt_enter

from .conftest import until


@pytest.mark.parametrize("sequence", ["\x1b\r", "\x1b[13;3u"])
def test_alt_with_enter_is_one_key(sequence: str) -> None:
    teach_alt_enter()
    assert [event.key for event in XTermParser().feed(sequence)] == ["alt+enter"]  # type: ignore[attr-defined]


async def test_bytes_that_are_no_text_are_no_end_of_the_program(
    make_app: Callable[..., PlaygroundApp], monkeypatch: pytest.MonkeyPatch
) -> None:
    typed: list[Any] = []
    app = make_app()
    monkeypatch.setattr(app, "panic", typed.append)
    reads, writes = os.pipe()
    async with app.run_test():
        driver = LinuxDriver(app, size=(80, 24))
        monkeypatch.setattr(driver, "fileno", reads)
        monkeypatch.setattr(driver, "process_message", typed.append)
        thread = Thread(target=driver._run_input_thread)
        thread.start()
        try:
            for piece in (b"a\xac", b"\xc3", b"\xa9", b"\xffb"):
                os.write(writes, piece)
            await until(lambda: any(isinstance(event, events.Key) and event.key == "b" for event in typed))
        finally:
            driver.exit_event.set()
            os.write(writes, b"c")
            thread.join(5)
            os.close(reads)
            os.close(writes)
    assert "".join(event.character for event in typed)[:5] == "a\ufffd\xe9\ufffdb"
