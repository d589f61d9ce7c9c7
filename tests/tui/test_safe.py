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
from tests.tui.programs.hostile_text import END, ENOUGH_CELLS, MAKERS, PAYLOADS

STRINGS = (
    {"static": 12_000, "label": 20_000, "toast": 300},
    {"options": 20_000, "title": 3000, "header": 60},
    {"tree": 20_000, "table": 3000, "code": 500},
    {"tooltip": 12_000, "log": 2500, "textarea": 1500},
    {"richlog": 3000, "markdown": 2000, "list-markdown": 700},
    {"input": 1500, "list": 1000, "collapsible": 1000, "table-markdown": 500},
)
"""How many different hostile strings a kind of widget must have put on the wire, more where it costs little.

Those that stand together are shown by one program: to start it takes as long as to show a thousand strings.
"""

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


def shown(mode: str, strings: dict[str, int], seed: int = 7) -> dict[str, str]:
    """Everything that a program of ours writes while it shows so many strings in each kind of widget."""
    text = painted("hostile_text", seed, mode, *(f"{kind}={count}" for kind, count in strings.items()))
    found = {}
    for kind in strings:
        found[kind], text = text.split(END.format(kind), 1)
    return found


@pytest.fixture(scope="module")
def own_sequences() -> set[str]:
    """What Textual sends when all text is harmless."""
    return set().union(*map(sequences, shown("harmless", {"static": 240, "textarea": 240, "input": 240}, 1).values()))


def test_a_hundred_thousand_strings_are_tried_in_every_kind_of_widget():
    tried = {kind: count for program in STRINGS for kind, count in program.items()}
    assert tried.keys() == MAKERS.keys()
    assert sum(tried.values()) >= 100_000


@pytest.mark.parametrize("strings", STRINGS, ids=" ".join)
def test_nothing_that_commands_the_terminal_gets_through(strings, own_sequences):
    # One in a thousand is cut at an edge, so a few more are made than must be seen.
    texts = shown("net", {kind: round(count * 1.01) for kind, count in strings.items()})
    assert {kind: faults(text, own_sequences) for kind, text in texts.items()} == {kind: [] for kind in strings}
    assert {kind: min(strings_in(text), strings[kind]) for kind, text in texts.items()} == strings


def test_the_whole_interface_with_a_hostile_model_behind_it():
    own = sequences(painted("hostile_chat", 1, 2, "harmless"))
    text = painted("hostile_chat", 7, 6, "hostile")
    assert faults(text, own) == []
    assert strings_in(text) >= 6 * 32


def test_without_the_net_this_test_sees_what_gets_through(own_sequences):
    kinds = ("static", "input", "tree", "log", "tooltip", "toast", "header")
    for kind, text in shown("bare", dict.fromkeys(kinds, 40)).items():
        assert len(faults(text, own_sequences)) > 5, kind


def test_a_crash_is_told_without_commanding_the_terminal_or_showing_what_was_said(own_sequences):
    text = painted("hostile_text", 7, "net", "crash=1", ends_well=False)
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
