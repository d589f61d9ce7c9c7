"""A person sits down at a terminal: the real program, the real starter model, keys and what is on the screen."""

from __future__ import annotations

import re
import time

import pytest

from tests.e2e.screen import Screen, running

F1, F5, F8, ESCAPE, CONTROL_C, CONTROL_Q, CONTROL_R = "\x1bOP", "\x1b[15~", "\x1b[19~", "\x1b", "\x03", "\x11", "\x12"


@pytest.fixture
def environ_with_starter(home_with_starter, environ):
    return environ


def answer_runs(screen: Screen) -> None:
    """Waits until some of an answer is there and more is coming: the status line says how fast."""
    screen.wait_for("esc Stop", 60)
    deadline = time.monotonic() + 60
    while "tok/s" not in screen.look(0.1).splitlines()[-2]:
        assert time.monotonic() < deadline, screen.text


@pytest.mark.parametrize(("rows", "columns"), [(24, 80), (40, 120)])
def test_a_conversation_from_the_first_key_to_the_last(environ_with_starter, rows, columns):
    with running([], environ_with_starter, rows, columns) as screen:
        screen.wait_for("Ask anything", 20)
        screen.press("/set max_tokens 40\r")
        screen.wait_for("Sampling: max_tokens 40")
        screen.press("Name three colours.\r")
        screen.wait_for("█ Name three colours.", 60)
        screen.look(0.5)
        screen.wait_for("esc Stop", 90, gone=True)
        screen.press("/set max_tokens default\r")
        screen.wait_for("the model's defaults")
        assert re.search(r"red|blue|green|yellow", screen.text, re.IGNORECASE)

        screen.press("Write a very long story about the sea.\r")
        answer_runs(screen)
        screen.press(ESCAPE)
        screen.wait_for("stopped", 20)

        screen.press(CONTROL_R)
        answer_runs(screen)
        screen.press(ESCAPE)
        screen.wait_for("2/2", 20)

        screen.press(F8)
        screen.wait_for("smollm2-135m")
        screen.wait_for("loaded")
        screen.press(F1)
        screen.wait_for("esc close")
        screen.press(ESCAPE)
        screen.wait_for("esc close", gone=True)
        screen.press(F5)
        screen.wait_for("Ask anything")

        screen.press(CONTROL_Q)
        screen.look(3.0)
        screen.program.wait()
        assert screen.program.exitstatus == 0
        assert b"\x1b[?1049l" in screen.raw, "the terminal was not given back as it was"


def test_a_key_that_means_nothing_does_nothing(environ_with_starter):
    with running([], environ_with_starter) as screen:
        before = screen.wait_for("no passphrase", 20)
        screen.press("\x1b[25~\x1b[23~")
        assert "Ask anything" in screen.look(0.5)
        assert "Traceback" not in screen.text
        assert before.splitlines()[0] == screen.text.splitlines()[0]


def test_control_c_in_mid_answer_keeps_what_came(environ_with_starter):
    with running(["chat", "Write a very long story about the sea."], environ_with_starter) as screen:
        screen.wait_for("sea", 60)
        screen.look(0.5)
        screen.press(CONTROL_C)
        screen.look(2.0)
        screen.program.wait()
        assert screen.program.exitstatus == 130
        assert len(screen.text.strip()) > 40
        assert "Traceback" not in screen.text


def test_without_network_and_model_it_says_so(environ):
    cut_off = {
        **environ,
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_RETRIES": "1",
        "PIP_CONFIG_FILE": "/dev/null",
    }
    cut_off = {name: value for name, value in cut_off.items() if name not in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL")}
    with running(["chat", "Hello"], {**cut_off, "PIP_FIND_LINKS": ""}, 24, 160) as screen:
        screen.wait_for("cannot be reached", 40)
        screen.program.wait()
        assert screen.program.exitstatus == 1
