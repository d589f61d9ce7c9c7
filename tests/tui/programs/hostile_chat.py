"""A program for the tests: the real interface with a hostile model behind it, in the terminal it is started in.

Usage: hostile_chat.py SEED ROUNDS hostile|harmless

Everything that reaches the screen from outside is hostile: prompts, answers and thoughts cut into pieces at random
places, errors, and what a catalogue says of its models.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from app.errors import WorkerDiedError
from app.messages import Finished, Started, TextDelta, ThinkingDelta, Timings, Usage
from app.tui.app import PlaygroundApp
from app.tui.chat.composer import Composer
from app.tui.chat.pane import ChatPane
from tests.tui.programs.hostile_text import Source
from tests.tui.scripted import STARTER, Entry, ScriptedRouter, Store, playground


def pieces(text: str, chance: random.Random) -> list[str]:
    """``text`` in pieces of one to three characters."""
    found = []
    while text:
        length = chance.randint(1, 3)
        found.append(text[:length])
        text = text[length:]
    return found


def script(source: Source) -> list[Any]:
    """A turn: thoughts, then an answer with a list, a table and code, all of it hostile; or an error in the middle."""
    chance = source.chance
    parts = [
        "\n\n".join(source.lines(12, 1)),
        "\n".join(f"- {line}" for line in source.lines(8, 1)),
        "```python\n" + "\n".join(source.lines(8, 1)) + "\n```",
        "| a | b |\n| --- | --- |\n" + "\n".join(f"| {line} | x |" for line in source.lines(4, 1)),
    ]
    steps = [
        Started("\x1b[2Jmodel", "\x9b2Jlocal", prompt_tokens=31, context=8192),
        *(ThinkingDelta(piece) for piece in pieces("\n\n".join(source.lines(4, 1)), chance)),
        *(TextDelta(piece) for piece in pieces("\n\n".join(parts), chance)),
    ]
    if chance.random() < 0.2:
        return [*steps, WorkerDiedError(source.line(1), source.line(1))]
    return [*steps, Finished("stop", Usage(31, 60), Timings(0.0, 0.12, 0.5))]


async def converse(pilot: Pilot[Any], source: Source, rounds: int) -> None:
    """A person who asks, looks at the models, and leaves."""
    app = pilot.app
    pane = app.query_one(ChatPane)
    for _ in range(rounds):
        app.query_one(Composer).put(source.line(1))
        await pilot.pause()
        await pilot.press("enter")
        while pane.answering:
            await asyncio.sleep(0.02)
        await pilot.pause(0.1)
    for keys in (["f8"], *(["down"] for _ in range(4)), ["f1"], ["escape"], ["f5"], ["ctrl+p"], ["escape"]):
        await pilot.press(*keys)
        await pilot.pause(0.2)
    app.exit()


def main(seed: int, rounds: int, harmless: bool) -> int:
    """Runs the program; its return code."""
    source = Source(random.Random(seed), harmless)
    models = [
        Entry(
            f"model-{number}",
            description=source.line(1),
            licence=source.line(1),
            source=source.line(1),
            sha256=source.line(1),
        )
        for number in range(4)
    ]
    with tempfile.TemporaryDirectory() as folder:
        app = PlaygroundApp(
            playground(
                Path(folder),
                ScriptedRouter(*(script(source) for _ in range(rounds))),
                entries=(STARTER, *models),
                store=Store({STARTER.name, "model-1"}),
            ),
            environ={},
        )

        async def drive(pilot: Pilot[Any]) -> None:
            await converse(pilot, source, rounds)

        app.run(auto_pilot=drive)
        return app.return_code or 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "harmless"))
