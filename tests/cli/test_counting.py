"""The line that counts while somebody waits."""

import os
import pty

from app.cli.counting import CountLine


def test_a_terminal_sees_one_line_that_counts_and_goes(monkeypatch):
    face, terminal = pty.openpty()
    with os.fdopen(terminal, "w", encoding="utf-8") as errors:
        monkeypatch.setattr("sys.stderr", errors)
        line = CountLine("Copying\x1b[2J")
        line.show(1, 4)
        line.show(2, 4)  # too soon after the first to be worth painting
        line.show(4, 4)
        line.finish()
    painted = os.read(face, 4096).decode()
    os.close(face)
    assert painted == "\r\x1b[KCopying␛[2J  25%\r\x1b[KCopying␛[2J  100%\r\x1b[K"


def test_where_nobody_looks_nothing_is_said(capsys):
    line = CountLine("Copying")
    line.show(4, 4)
    line.finish()
    assert capsys.readouterr() == ("", "")
