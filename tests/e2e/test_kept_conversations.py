"""A person comes back: what was said is there, can be found, gone on with, branched, locked away and unlocked."""

from __future__ import annotations

import re
import signal

import pytest

from tests.e2e.screen import Screen, running

F5, F7, ESCAPE, CONTROL_Q = "\x1b[15~", "\x1b[18~", "\x1b", "\x11"
ALT_LEFT, ALT_RIGHT, ALT_C, ALT_E = "\x1b[1;3D", "\x1b[1;3C", "\x1bc", "\x1be"


@pytest.fixture
def environ_with_starter(home_with_starter, environ):
    return environ


def answered(screen: Screen, prompt: str) -> None:
    screen.press("/set max_tokens 24\r")
    screen.wait_for("Sampling: max_tokens 24", 20)
    screen.press(f"{prompt}\r")
    finished(screen, prompt)


def finished(screen: Screen, prompt: str) -> None:
    """Waits for the end of a short answer, which may have come before one could see that it was coming."""
    screen.wait_for(f"█ {prompt}", 60)
    screen.look(0.5)
    screen.wait_for("esc Stop", 60, gone=True)


def quit_program(screen: Screen) -> None:
    screen.press(CONTROL_Q)
    screen.look(3.0)
    screen.program.wait()
    assert screen.program.exitstatus == 0


def test_killed_in_mid_answer_it_comes_back_and_goes_on(environ_with_starter):
    with running([], environ_with_starter) as screen:
        screen.wait_for("Ask anything", 20)
        screen.press("Write a very long story about the sea.\r")
        screen.wait_for("esc Stop", 30)
        screen.wait_for("tok/s", 60)
        screen.look(2.0)
        lines = [line.strip() for line in screen.text.splitlines() if len(line.strip()) > 30]
        # What was on the screen a second before the end may be lost; what stood above the middle had its time.
        said = next(line for line in lines[len(lines) // 3 :] if "│" not in line)
        screen.program.kill(signal.SIGKILL)
        screen.program.wait()

    with running([], environ_with_starter) as screen:
        screen.wait_for("stopped", 20)
        assert re.search(re.escape(said[:20]), screen.text), f"{said!r} is not there:\n{screen.text}"
        screen.wait_for("Continue", 20)
        screen.press(ALT_C)
        screen.wait_for("esc Stop", 60)
        screen.look(3.0)
        screen.press(ESCAPE)
        screen.wait_for("stopped", 30)
        quit_program(screen)


@pytest.mark.parametrize(("rows", "columns"), [(24, 80), (40, 120)])
def test_conversations_are_found_named_deleted_and_brought_back(environ_with_starter, rows, columns):
    with running([], environ_with_starter, rows, columns) as screen:
        screen.wait_for("Ask anything", 20)
        answered(screen, "Name a colour.")
        screen.press("/title Paints\r")
        screen.press("\x0e")  # a new conversation
        screen.wait_for("p l a y g r o u n d", 20)
        answered(screen, "Name a mountain.")
        screen.press("/title Peaks\r")

        screen.press(F7)
        screen.wait_for("Paints", 20)
        screen.wait_for("Peaks", 20)
        screen.press("/")
        screen.look(0.3)
        screen.press("colou")
        screen.wait_for("Name a colour", 20)
        screen.look(0.5)
        screen.press("\r")
        screen.look(0.5)
        screen.press("\r")
        screen.wait_for("Ask anything", 20)
        screen.wait_for("Name a colour.", 20)

        screen.press(F7)
        screen.wait_for("colou", 20)
        screen.press(ESCAPE)  # out of the search
        screen.wait_for("Peaks", 20)
        screen.look(0.7)
        screen.press("d")
        screen.wait_for("brings it back", 20)
        screen.press("u")
        screen.wait_for("Sessions 2", 20)
        screen.press(F5)
        screen.wait_for("Ask anything", 20)
        quit_program(screen)


def test_both_versions_of_an_edited_prompt_can_be_walked(environ_with_starter):
    with running([], environ_with_starter) as screen:
        screen.wait_for("Ask anything", 20)
        answered(screen, "Name a bird.")
        screen.press(ALT_E)
        screen.wait_for("│ Name a bird.", 20)
        screen.press("\x15Name a fish.\r")
        finished(screen, "Name a fish.")
        screen.wait_for("2/2", 20)
        assert "Name a fish." in screen.text
        screen.press(ALT_LEFT)
        screen.wait_for("Name a bird.", 20)
        screen.wait_for("1/2", 20)
        screen.press(ALT_RIGHT)
        screen.wait_for("Name a fish.", 20)
        quit_program(screen)


def test_a_passphrase_locks_it_and_nothing_else_opens_it(environ_with_starter):
    secret = "correct horse battery staple"
    with running([], environ_with_starter) as screen:
        screen.wait_for("no passphrase", 20)
        answered(screen, "Name a treasure.")
        screen.press("/passphrase\r")
        screen.wait_for("Set a passphrase", 20)
        screen.press(f"{secret}\t")
        screen.look(0.3)
        screen.press(f"{secret}\r")
        screen.wait_for("recovery key", 20)
        screen.look(0.5)
        screen.press("n")
        screen.wait_for("no passphrase", gone=True)
        screen.look(0.5)
        screen.press("/lock\r")
        screen.wait_for("Your vault is locked", 20)
        assert "treasure" not in screen.text
        quit_program(screen)

    with running([], environ_with_starter) as screen:
        screen.wait_for("Your vault is locked", 20)
        assert "treasure" not in screen.text
        screen.press("wrong\r")
        screen.wait_for("does not open", 20)
        screen.press(f"{secret}\r")
        screen.wait_for("Name a treasure.", 20)
        quit_program(screen)
