"""Hostile text in every widget that shows text, in a real terminal: nothing that commands it gets through."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from app.privacy.terminal import StreamCleaner, clean, is_clean
from app.tui.safe import TerminalNet
from tests.tui.programs.hostile_text import ENOUGH_CELLS, MAKERS, PAYLOADS

STRINGS = {
    "static": 11_000, "label": 9000, "options": 11_000, "title": 9000, "table": 9000, "tree": 11_000, "richlog": 11_000,
    "log": 8000, "tooltip": 9000, "input": 4000, "textarea": 3000, "markdown": 3000, "list-markdown": 700,
    "table-markdown": 500, "code": 500, "list": 1000, "collapsible": 1000, "toast": 300, "header": 60,
}  # fmt: skip
"""How many different hostile strings a kind of widget must have put on the wire, more where it costs little."""

SEQUENCE = re.compile(
    r"\x1b\[(?P<parameters>[0-9;:<=>?]*)(?P<between>[ -/]*)(?P<final>[@-~])"
    r"|\x1b\](?P<osc>[^\x07\x1b]*)(?:\x07|\x1b\\)"
    r"|\x1b[P_^X][^\x1b]*\x1b\\"
    r"|\x1b[^\[\]P_^X]"
)
MARKS = ("777;77", "5;55;5")
"""Parameters of hostile sequences whose kind Textual uses too."""


def painted(program: str, *arguments: object, ends_well: bool = True) -> str:
    """Everything that a program of ours writes to its terminal."""
    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 125, ENOUGH_CELLS, 0, 0))
    # Measuring coverage there would make these programs twice as slow; other tests cover the same lines.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    process = subprocess.Popen(
        [sys.executable, "-m", f"tests.tui.programs.{program}", *map(str, arguments)],
        stdin=child, stdout=child, stderr=child, start_new_session=True,
        env={**environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
    )  # fmt: skip
    os.close(child)
    raw = bytearray()
    try:
        while more := _read(parent):
            raw += more
    except BaseException:
        process.kill()
        raise
    finally:
        os.close(parent)
    assert (process.wait(10) == 0) == ends_well, raw[-2000:]
    return raw.decode("utf-8", "surrogateescape")


def _read(terminal: int) -> bytes:
    """What came next; nothing when the program has closed its side."""
    try:
        return os.read(terminal, 1 << 16)
    except OSError:
        return b""


def sequences(text: str) -> set[str]:
    """The kinds of escape sequence in ``text``: positions and colours by their last letter alone, others whole."""
    return {
        match["final"] if match["final"] in ("H", "m") and not match["between"] else match.group()
        for match in SEQUENCE.finditer(text)
    }


def faults(text: str, allowed: set[str]) -> list[str]:
    """What commands the terminal and is not Textual's own doing."""
    found = [repr(kind) for kind in sequences(text) - allowed]
    rest = SEQUENCE.sub("", text).replace("\r\n", "")
    found += [repr(character) for character in set(rest) if not is_clean(character) or character in "\n\t"]
    found += [match.group() for match in SEQUENCE.finditer(text) if (match["parameters"] or "").startswith(MARKS)]
    return found


def strings_in(text: str) -> int:
    """How many different strings of ``hostile_text`` really went to the terminal."""
    return len(set(re.findall(r"q\d{6}q", SEQUENCE.sub("", text))))


@pytest.fixture(scope="module")
def own_sequences() -> set[str]:
    """What Textual sends when all text is harmless."""
    return set().union(
        *(sequences(painted("hostile_text", kind, 1, 240, "harmless")) for kind in ("static", "textarea", "input"))
    )


def test_a_hundred_thousand_strings_are_tried_in_every_kind_of_widget():
    assert STRINGS.keys() == MAKERS.keys()
    assert sum(STRINGS.values()) >= 100_000


@pytest.mark.parametrize("kind", STRINGS)
def test_nothing_that_commands_the_terminal_gets_through(kind, own_sequences):
    # One in a thousand is cut at an edge, so a few more are made than must be seen.
    text = painted("hostile_text", kind, 7, round(STRINGS[kind] * 1.01), "net")
    assert faults(text, own_sequences) == []
    assert strings_in(text) >= STRINGS[kind]


def test_the_whole_interface_with_a_hostile_model_behind_it():
    own = sequences(painted("hostile_chat", 1, 2, "harmless"))
    text = painted("hostile_chat", 7, 6, "hostile")
    assert faults(text, own) == []
    assert strings_in(text) >= 6 * 32


@pytest.mark.parametrize("kind", ["static", "input", "tree", "log", "tooltip", "toast", "header"])
def test_without_the_net_this_test_sees_what_gets_through(kind, own_sequences):
    assert len(faults(painted("hostile_text", kind, 7, 40, "bare"), own_sequences)) > 5


def test_a_crash_is_told_without_commanding_the_terminal_or_showing_what_was_said(own_sequences):
    text = painted("hostile_text", "crash", 7, 1, "net", ends_well=False)
    assert "ValueError: ␛]52;c;aGVsbG8=␇" in text
    assert "a secret of the conversation" not in text
    bell = "\x07"
    assert faults(text.replace(bell, "", 1), own_sequences) == []


def test_hostile_text_split_between_tokens_at_every_place_is_harmless():
    for payload in PAYLOADS:
        whole = f"a{payload}b{payload}c"
        for place in range(len(whole) + 1):
            cleaner = StreamCleaner()
            out = cleaner.feed(whole[:place]) + cleaner.feed(whole[place:]) + cleaner.finish()
            assert is_clean(out)
            assert out == clean(whole)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_the_net_keeps_the_width_of_a_line_and_takes_the_link_away(payload):
    link = Style(link=f"http://x{payload}")
    line = [Segment("before 日本", None), Segment(f"a{payload}b", link), Segment("after", None)]
    caught = TerminalNet().apply(line, Color(0, 0, 0))
    assert all(is_clean(segment.text) for segment in caught)
    assert [segment.cell_length for segment in caught] == [segment.cell_length for segment in line]
    assert caught[1].style is not None
    assert caught[1].style.link is None
