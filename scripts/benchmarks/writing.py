"""How soon a key is painted in a post while words are suggested, and how soon after a pause they are there.

Key to paint is measured in a real terminal, as in ``startup``: from a letter typed until it is written back. Every
fifth key comes after a pause that is long enough for a suggestion to be on its way, so that it interrupts one.
The suggestion is timed from the request, at the end of the pause, until its words are whole: with the starter model,
a text that grows by a few words each time, and its beginning in the KV cache.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import tempfile
import time
from pathlib import Path

import report
from startup import BATCH, LETTERS, Terminal, drain, plain

from tests.starter import MODELS, fetch

KEYS = 400
F6 = "\x1b[17~"
OPENING = (
    "The harbour was empty that morning. Nobody had told the gulls, who went on shouting at boats that were not there. "
)
STORY = (
    "An old woman sat on the wall and mended a net. She had been there every day since the winter began, and she knew "
    "the names of all the boats. When the tide came in she put the net away and walked home along the beach, slowly, "
    "because there was nobody who waited for her. Her house stood at the end of the road, and from its window one "
    "could see the whole bay, the lighthouse, and on clear days the island."
)


def key_to_paint(home: Path) -> list[float]:
    """Seconds from each key typed at a person's pace until it is painted, suggestions on."""
    terminal = Terminal(home)
    chance = random.Random(7)
    taken: list[float] = []
    try:
        terminal.wait_for("Ask anything")
        drain(terminal, 1.0)
        terminal.type(F6)
        terminal.wait_for("begins one")
        terminal.type("n")
        terminal.wait_for("0 words")
        terminal.type("\r")
        drain(terminal, 0.5)
        for word in OPENING.split():
            terminal.type(word + " ")
            drain(terminal, 0.05)
        drain(terminal, 8.0)  # the model is loaded at the first pause
        while len(taken) < KEYS:
            for place, letter in enumerate(chance.sample(LETTERS, BATCH)):
                pause = chance.uniform(0.4, 0.6) if place % 5 == 4 else chance.uniform(0.06, 0.18)
                taken.append(one_key(terminal, letter, pause))
            terminal.type("\r\r")
            drain(terminal, 1.0)
    finally:
        terminal.close()
    return taken


def one_key(terminal: Terminal, letter: str, pause: float) -> float:
    """Seconds until ``letter``, typed after a pause, is painted."""
    drain(terminal, pause)
    began = time.perf_counter()
    terminal.type(letter)
    seen = ""
    while letter not in plain(seen):
        seen += terminal.read(1.0)
        if time.perf_counter() - began > 10:
            raise RuntimeError(f"{letter!r} was typed and not painted within 10 s; seen: {plain(seen)[-500:]}")
    return time.perf_counter() - began


async def suggestions(home: Path) -> list[float]:
    """Seconds from each request to its words, once the model is loaded."""
    from app.playground import Playground
    from app.writing.suggesting import Suggester

    playground = Playground.open({**os.environ, "PLAYGROUND_HOME": str(home)}, local_only=True)
    try:
        suggester = Suggester(playground.router, playground.settings.models.default)
        text = OPENING
        await suggester.suggest(text.strip())
        taken = []
        words_of_story = STORY.split()
        for place in range(0, len(words_of_story) - 3, 3):
            text += " ".join(words_of_story[place : place + 3])
            began = time.perf_counter()
            words = await suggester.suggest(text)
            if words:
                taken.append(time.perf_counter() - began)
            text += " "
        return taken
    finally:
        await playground.aclose()


def main() -> None:
    chosen = report.arguments("writing", rounds=1)
    fetch()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        shutil.copytree(MODELS, home / "models", symlinks=True)
        guesses = asyncio.run(suggestions(home))
        keys = key_to_paint(home)
    figures = {
        "key_to_paint_ms": {
            name: round(report.percentile(keys, share) * 1000, 1)
            for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1.0))
        },
        "keys": len(keys),
        "suggestion_ms": {
            name: round(report.percentile(guesses, share) * 1000, 1) for name, share in (("p50", 0.5), ("p90", 0.9))
        },
        "suggestions": len(guesses),
    }
    print(f"Key to paint in a post, suggestions on, ms: {figures['key_to_paint_ms']} ({len(keys)} keys)")
    print(f"Words suggested after a pause, ms: {figures['suggestion_ms']} ({len(guesses)} times)")
    report.write(chosen.json, figures)


if __name__ == "__main__":
    main()
