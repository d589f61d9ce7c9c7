"""How soon the interface is painted, and how soon a key is, while an answer streams: in a real terminal.

First paint is the time from the start of the process until a word of the empty state has been written, beside
``python -c "import textual.app"``, in turns. Key to paint is the time from a letter typed until it is written back;
the letters are Greek and Cyrillic, each once a batch, so that neither the answer nor a line painted anew can pass for
them. A batch counts only when the answer was still coming at its end: when there was something to stop. So that it is,
the model is forbidden to end one: its catalogue bans the tokens that would.
"""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import random
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

import report

sys.path.insert(0, str(report.REPOSITORY))
from tests.starter import MODELS, fetch

PLAYGROUND = [sys.executable, "-m", "app"]
KEYS = 400
BATCH = 40
LETTERS = "абвгдежзиклмнопрстуфхцчшщъыьэюяαβγδεζηθικλμνξπρστυφχψω"
LONG = "Write a very long story about a lighthouse keeper and the sea, with many chapters."
ENDLESS = """\
[models.smollm2-135m]
sampling = { temperature = 0.8, top_p = 0.95, logit_bias = { 0 = -100, 2 = -100 } }
"""
"""0 and 2 are the starter model's ``<|endoftext|>`` and ``<|im_end|>``."""


class Terminal:
    """A program in a real terminal of 120 by 40."""

    def __init__(self, home: Path) -> None:
        self._parent, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        environ = {**os.environ, "PLAYGROUND_HOME": str(home), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        environ.pop("NO_COLOR", None)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")  # a letter may be cut by a read
        self.started = time.perf_counter()
        self._process = subprocess.Popen(
            PLAYGROUND, stdin=child, stdout=child, stderr=child, env=environ, start_new_session=True
        )
        os.close(child)

    def type(self, text: str) -> None:
        os.write(self._parent, text.encode())

    def read(self, seconds: float) -> str:
        """What is written within ``seconds``; returns as soon as anything is."""
        ready, _, _ = select.select([self._parent], [], [], seconds)
        return self._decoder.decode(os.read(self._parent, 1 << 16)) if ready else ""

    def wait_for(self, words: str, seconds: float = 60) -> float:
        """The moment at which ``words`` has been written."""
        seen, end = "", time.perf_counter() + seconds
        while time.perf_counter() < end:
            seen += self.read(0.5)
            if words in plain(seen):
                return time.perf_counter()
        raise RuntimeError(f"{words!r} was not painted within {seconds} s; seen: {plain(seen)[-500:]}")

    def close(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._parent)


def plain(text: str) -> str:
    """Text without escape sequences."""
    return re.sub(r"\x1b\[[0-9;?:<=>]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)", "", text)


def first_paint(home: Path) -> float:
    terminal = Terminal(home)
    try:
        return terminal.wait_for("Ask anything") - terminal.started
    finally:
        terminal.close()


def import_textual() -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import textual.app"], check=True)
    return time.perf_counter() - began


def key_to_paint(home: Path) -> tuple[list[float], int]:
    """Seconds from each key typed at a person's pace until it is painted, while an answer streams.

    Also the number of batches left out because their answer ended early.
    """
    terminal = Terminal(home)
    chance = random.Random(3)
    taken: list[float] = []
    left_out = 0
    try:
        terminal.wait_for("Ask anything")
        while len(taken) < KEYS:
            terminal.type(LONG + "\r")
            terminal.wait_for("Stop")
            streaming(terminal)
            batch = [one_key(terminal, letter, chance) for letter in chance.sample(LETTERS, BATCH)]
            terminal.type("\x1b")
            if stopped(terminal):
                taken += batch
            else:
                left_out += 1
            if left_out > KEYS // BATCH:
                raise RuntimeError("the answers end too early to type beside them")
            # A conversation of its own each: in one that grows, the context window would end the answer.
            terminal.type("\x15" + "\x7f" * BATCH + "\x0e")
            drain(terminal, 1.0)
    finally:
        terminal.close()
    return taken, left_out


def streaming(terminal: Terminal, seconds: float = 60) -> None:
    """Returns once the answer comes: its speed is told from the fifth piece on."""
    terminal.wait_for("tok/s", seconds)


def stopped(terminal: Terminal, seconds: float = 10) -> bool:
    """Whether there was an answer to stop: what stands below it then."""
    try:
        terminal.wait_for("stopped", seconds)
    except RuntimeError:
        return False
    return True


def one_key(terminal: Terminal, letter: str, chance: random.Random) -> float:
    """Seconds until ``letter``, typed after a pause, is painted."""
    drain(terminal, chance.uniform(0.06, 0.18))
    began = time.perf_counter()
    terminal.type(letter)
    seen = ""
    while letter not in plain(seen):
        seen += terminal.read(1.0)
        if time.perf_counter() - began > 10:
            raise RuntimeError(f"{letter!r} was typed and not painted within 10 s; seen: {plain(seen)[-500:]}")
    return time.perf_counter() - began


def drain(terminal: Terminal, seconds: float) -> str:
    """Reads for so long, as a terminal does; gives what came."""
    seen, end = "", time.perf_counter() + seconds
    while (left := end - time.perf_counter()) > 0:
        seen += terminal.read(left)
    return seen


def main() -> None:
    chosen = report.arguments("startup", rounds=10)
    fetch()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        shutil.copytree(MODELS, home / "models", symlinks=True)
        first_paint(home)
        import_textual()
        paints, imports = [], []
        for _ in range(chosen.rounds):
            paints.append(first_paint(home))
            imports.append(import_textual())
        (home / "config").mkdir(exist_ok=True)
        (home / "config" / "models.toml").write_text(ENDLESS)
        keys, left_out = key_to_paint(home)
    ratio = report.median([paint / base for paint, base in zip(paints, imports, strict=True)])
    figures = {
        "first_paint_s": round(report.median(paints), 3),
        "import_textual_s": round(report.median(imports), 3),
        "ratio": round(ratio, 2),
        "key_to_paint_ms": {
            name: round(report.percentile(keys, share) * 1000, 1)
            for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1.0))
        },
        "keys": len(keys),
        "batches_left_out": left_out,
    }
    print(
        f"First paint {figures['first_paint_s']} s, import textual.app {figures['import_textual_s']} s: {ratio:.2f} x"
    )
    print(f"Key to paint while an answer streams, ms: {figures['key_to_paint_ms']}")
    report.write(chosen.json, figures)


if __name__ == "__main__":
    main()
