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
from pathlib import Path

import pytest

from app.privacy.terminal import StreamCleaner, clean, is_clean

PROGRAM = Path(__file__).parent / "programs" / "hostile_text.py"
KINDS = (
    "static", "label", "markdown", "code", "textarea", "input", "options", "list", "collapsible", "title", "table",
    "tree", "richlog", "log",
)  # fmt: skip
STRINGS_OF_A_KIND = 7200
"""14 kinds: a little over 100,000 strings."""

SEQUENCE = re.compile(
    r"\x1b\[(?P<parameters>[0-9;:<=>?]*)(?P<between>[ -/]*)(?P<final>[@-~])"
    r"|\x1b\](?P<osc>[^\x07\x1b]*)(?:\x07|\x1b\\)"
    r"|\x1b[P_^X][^\x1b]*\x1b\\"
    r"|\x1b[^\[\]P_^X]"
)
MARKS = ("777;77", "5;55;5")
"""Parameters of hostile sequences whose kind Textual uses too."""


def painted(kind: str, seed: int, strings: int, mode: str) -> str:
    """Everything that the program writes to its terminal."""
    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 125, 200, 0, 0))
    environ = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM), kind, str(seed), str(strings), mode],
        stdin=child, stdout=child, stderr=child, env=environ, start_new_session=True,
    )  # fmt: skip
    os.close(child)
    raw = bytearray()
    while True:
        try:
            more = os.read(parent, 1 << 16)
        except OSError:
            break
        if not more:
            break
        raw += more
    os.close(parent)
    assert process.wait(10) == 0, raw[-2000:]
    return raw.decode("utf-8", "surrogateescape")


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


@pytest.fixture(scope="module")
def own_sequences() -> set[str]:
    """What Textual sends when all text is harmless."""
    return set().union(
        *(sequences(painted(kind, 1, 240, "harmless")) for kind in ("static", "textarea", "input", "log"))
    )


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_that_commands_the_terminal_gets_through(kind, own_sequences):
    text = painted(kind, 7, STRINGS_OF_A_KIND, "net")
    assert "plain" in text
    assert faults(text, own_sequences) == []


def test_without_the_net_this_test_sees_what_gets_through(own_sequences):
    assert len(faults(painted("static", 7, 240, "bare"), own_sequences)) > 5


def test_hostile_text_split_between_tokens_at_every_place_is_harmless():
    from tests.tui.programs.hostile_text import PAYLOADS

    for payload in PAYLOADS:
        whole = f"a{payload}b{payload}c"
        for place in range(len(whole) + 1):
            cleaner = StreamCleaner()
            out = cleaner.feed(whole[:place]) + cleaner.feed(whole[place:]) + cleaner.finish()
            assert is_clean(out)
            assert out == clean(whole)
