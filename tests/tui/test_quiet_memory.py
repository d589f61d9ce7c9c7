"""While an answer streams, the garbage collector looks only at what was made since. In a process of its own."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import asyncio, gc
from app.tui.chat import quiet_memory
from app.tui.settled_memory import settle_memory, unsettle_memory

async def answer():
    thresholds = gc.get_threshold()
    quiet_memory.AFTER = 0.01
    full = []
    gc.callbacks.append(lambda phase, info: phase == "start" and info["generation"] == 2 and full.append(1))
    with quiet_memory.quiet_memory():
        assert gc.get_freeze_count() > 10_000
        assert gc.get_threshold()[2] >= quiet_memory.RARE
        await asyncio.sleep(0.1)
        assert full == [1]
        assert gc.get_freeze_count() > 10_000
    assert gc.get_threshold() == thresholds
    with quiet_memory.quiet_memory():
        pass
    await asyncio.sleep(0.05)
    assert full == [1]

asyncio.run(answer())
unsettle_memory()
assert gc.get_freeze_count() == 0
settle_memory()
assert gc.get_freeze_count() > 10_000
"""


def test_one_full_collection_an_answer_and_what_was_there_is_left_out_of_the_others():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
