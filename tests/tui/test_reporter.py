"""What went wrong is shown without what could command the terminal, and logged without what was said."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

from app.errors import PlaygroundError
from app.tui.reporter import Reporter


def shown(logs: Path) -> tuple[Reporter, list[tuple[str, dict[str, Any]]]]:
    toasts: list[tuple[str, dict[str, Any]]] = []
    return Reporter(lambda words, **options: toasts.append((words, options)), logs), toasts


def test_an_error_is_shown_with_its_remedy_as_harmless_text(tmp_path: Path) -> None:
    reporter, toasts = shown(tmp_path)
    reporter.error(PlaygroundError("[b]No \x1b]0;x\x07 model[/b]", "Choose one."))
    ((words, options),) = toasts
    assert words.startswith("[b]No ") and words.endswith(" model[/b]\nChoose one.") and "\x1b" not in words
    assert options["markup"] is False and options["severity"] == "error"


def test_a_fault_is_logged_by_its_place_alone(tmp_path: Path) -> None:
    words = "red herring"
    reporter, toasts = shown(tmp_path / "logs")
    try:
        raise ValueError(words)
    except ValueError as error:
        reporter.fault(error)
    log = tmp_path / "logs" / "faults.log"
    assert "ValueError" in log.read_text() and "test_reporter.py" in log.read_text()
    assert words not in log.read_text() + toasts[0][0]
    assert "ValueError" in toasts[0][0]
    assert stat.S_IMODE(log.parent.stat().st_mode) == 0o700


def test_a_fault_is_shown_where_the_log_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("in the way")
    reporter, toasts = shown(tmp_path / "logs")
    reporter.fault(KeyError("k"))
    assert "KeyError" in toasts[0][0]
