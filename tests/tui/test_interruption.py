"""What Ctrl+C ends, and in which order."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from app.tui.interruption import Interruption, UnderWay


class Program:
    """As much of the application as it needs."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.screen = SimpleNamespace(active_bindings={})
        self.later: Any = None

    def offer(self, name: str, enabled: bool = True) -> None:
        binding = SimpleNamespace(id=name, action=name)
        self.screen.active_bindings[name] = SimpleNamespace(enabled=enabled, binding=binding, node=None)

    async def run_action(self, action: str, _node: object) -> None:
        self.done.append(action)

    def exit(self) -> None:
        self.done.append("left")

    def notify(self, words: str, **_options: Any) -> None:
        self.done.append(words)

    def set_timer(self, _seconds: float, callback: Any) -> None:
        self.later = callback


def under_way(program: Program, name: str, running: list[str]) -> UnderWay:
    async def end() -> None:
        running.remove(name)
        program.done.append(f"{name} ended")

    return UnderWay(lambda: name in running, end)


async def test_what_is_nearest_goes_first_then_what_runs_then_the_program() -> None:
    program: Any = Program()
    running = ["answer", "dictation"]
    press = Interruption(program, [under_way(program, name, running) for name in ("dictation", "answer")]).handle
    program.offer("chat.copy")
    program.offer("blog.all", enabled=False)
    program.offer("find.leave")
    await press()
    del program.screen.active_bindings["find.leave"]
    for _ in range(4):
        await press()
    assert program.done == ["find.leave", "dictation ended", "answer ended", "Once more to leave.", "left"]


async def test_after_a_while_it_has_to_be_pressed_twice_again() -> None:
    program: Any = Program()
    interruption = Interruption(program, ())
    await interruption.handle()
    assert interruption.asked
    program.later()
    await interruption.handle()
    assert program.done == ["Once more to leave."] * 2
