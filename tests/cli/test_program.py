"""The real program in a process, on the real starter model."""

import json
import os
import pty
import signal
import socket
import subprocess
import time

import pytest

from app import __version__

from .scripted import PLAYGROUND


@pytest.fixture(autouse=True)
def installed(home_with_starter):
    return home_with_starter


def test_the_version(start):
    assert start("--version").communicate()[0].decode() == f"playground {__version__}\n"


def test_the_starter_model_really_answers(start):
    process = start("chat", "--temperature", "0", "--max-tokens", "40", "--json", "Name three colours.")
    output, _ = process.communicate(timeout=60)
    answer = json.loads(output)
    assert process.returncode == 0
    assert "red" in answer["answer"].lower()
    assert answer["usage"]["completion_tokens"] > 0


def test_an_interrupt_in_the_middle_keeps_what_came(start):
    process = start("chat", "--max-tokens", "2000", "--temperature", "0", "Count from one to a thousand in words.")
    first = process.stdout.read(1)
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert (first + rest).endswith(b"\n")
    assert errors == b""


def test_a_reader_that_has_had_enough_is_no_error(start):
    process = start("chat", "--max-tokens", "400", "--temperature", "0", "Count from one to a thousand in words.")
    process.stdout.read(1)
    process.stdout.close()
    process.stdout = None
    assert process.wait(timeout=30) == 128 + signal.SIGPIPE
    assert process.stderr.read() == b""


def test_the_answer_comes_piece_by_piece(start):
    process = start("chat", "--max-tokens", "60", "--temperature", "0", "Count from one to a hundred in words.")
    process.stdout.read(1)
    first = time.monotonic()
    process.communicate(timeout=60)
    assert time.monotonic() - first > 0.1


def test_a_closed_standard_input_is_an_empty_one(environ):
    command = ["sh", "-c", 'exec "$@" <&-', "sh", *PLAYGROUND, "chat", "--max-tokens", "3", "Hi"]
    result = subprocess.run(command, env=environ, capture_output=True, timeout=60, check=False)
    assert (result.returncode, result.stderr) == (0, b"")
    assert result.stdout.strip()


def test_without_a_terminal_the_interface_says_what_to_do_instead(start):
    process = start()
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 2
    assert b"needs a terminal" in errors
    assert b"playground chat" in errors


def test_on_a_terminal_standard_input_is_not_waited_for(environ):
    face, terminal = pty.openpty()
    try:
        result = subprocess.run(
            [*PLAYGROUND, "chat", "--max-tokens", "3", "Hi"],
            env=environ,
            stdin=terminal,
            capture_output=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(face)
        os.close(terminal)
    assert (result.returncode, result.stderr) == (0, b"")


def test_bench_measures_one_and_four_answers(start):
    process = start("bench", "--json")
    output, errors = process.communicate(timeout=100)
    assert process.returncode == 0, errors
    report = json.loads(output)
    assert [speed["streams"] for speed in report["streams"]] == [1, 4]
    assert all(speed["tokens_per_second"] > 0 for speed in report["streams"])
    assert report["prompt_tokens_per_second"] > 0


def test_a_port_that_is_taken_costs_no_key(start, environ):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = start("serve", "--port", str(taken.getsockname()[1]))
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, b"")
    assert err.startswith(b"playground: The server cannot listen on 127.0.0.1") and len(err.splitlines()) == 1
    process = start("keys", "list")
    assert b"There are no keys yet" in process.communicate(timeout=60)[0]
