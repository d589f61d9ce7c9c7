"""`playground chat` on the real starter model: kept, cut off, gone on with, seen in the interface."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import time

import pytest

from tests.cli.scripted import PLAYGROUND
from tests.cli.vaults import conversation, in_vault, keep
from tests.e2e.screen import running

CONTROL_C, CONTROL_Q, F7 = "\x03", "\x11", "\x1b[18~"
LONG = ("--temperature", "0", "--max-tokens", "900", "Write a very long story about the sea.")
SHORT = ("--temperature", "0", "--max-tokens", "12")


@pytest.fixture
def environ(environ, home_with_starter):
    return environ


@pytest.fixture
def chat(environ):
    def run(*args, **more):
        command = [*PLAYGROUND, "chat", *args]
        # Where files may not grow, coverage could not write its own.
        measured = "preexec_fn" not in more
        env = {name: value for name, value in environ.items() if measured or not name.startswith("COVERAGE")}
        return subprocess.run(
            command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, **more
        )

    return run


def whole_latest(environ):
    async def load(vault):
        return await vault.sessions.load(await vault.sessions.newest())

    return in_vault(environ, load)


def test_a_conversation_goes_on_from_command_to_command(chat, environ):
    first = json.loads(chat(*SHORT, "--json", "My name is Ada. Say hello.").stdout)
    second = json.loads(chat(*SHORT, "--json", "--continue", "What is my name?").stdout)
    third = json.loads(chat(*SHORT, "--json", "--session", first["session"][:8], "Once more?").stdout)
    assert first["session"] == second["session"] == third["session"]
    assert second["usage"]["prompt_tokens"] > first["usage"]["prompt_tokens"] + first["usage"]["completion_tokens"]
    texts = [node.message.text for node in whole_latest(environ).nodes]
    assert texts[0] == "My name is Ada. Say hello."
    assert texts[1::2] == [first["answer"], second["answer"], third["answer"]]


def test_kill_in_mid_answer_loses_a_second_at_most_and_is_gone_on_with(chat, environ):
    process = subprocess.Popen([*PLAYGROUND, "chat", *LONG], env=environ, stdout=subprocess.PIPE)
    shown, a_second_ago, until = b"", b"", time.monotonic() + 60
    os.set_blocking(process.stdout.fileno(), False)
    while time.monotonic() < until:
        time.sleep(0.02)
        piece = process.stdout.read()
        if piece:
            if not shown:
                until = time.monotonic() + 2.5
            shown += piece
            a_second_ago = shown if time.monotonic() < until - 1 else a_second_ago
    process.send_signal(signal.SIGKILL)
    process.wait()
    question, answer = whole_latest(environ).nodes
    assert question.message.text == LONG[-1]
    assert answer.status == "cut"
    assert len(answer.message.text) >= len(a_second_ago.decode())
    result = chat("--continue", "--max-tokens", "5")
    assert (result.returncode, result.stderr) == (0, "")
    assert len(whole_latest(environ).nodes[1].message.text) > len(answer.message.text)


def test_a_reader_that_has_had_enough_cuts_the_answer_and_keeps_it(environ):
    process = subprocess.Popen(
        [*PLAYGROUND, "chat", *LONG], env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.read(1)
    process.stdout.close()
    assert process.wait(timeout=30) == 128 + signal.SIGPIPE
    assert process.stderr.read() == b""
    process.stderr.close()
    answer = whole_latest(environ).nodes[1]
    assert answer.status == "cut"
    assert answer.message.text


def test_lists_may_be_read_in_part(environ):
    keep(environ, *(conversation(f"{number:032x}", "A title " * 6, "Hi.", "Yes.") for number in range(300)))
    for command in (["list", "--limit", "300"], ["list", "--json"], ["search", "--limit", "300", "yes"]):
        process = subprocess.Popen(
            [*PLAYGROUND, "sessions", *command], env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        process.stdout.read(10)
        process.stdout.close()
        assert process.wait(timeout=30) in (0, 128 + signal.SIGPIPE)
        assert process.stderr.read() == b""
        process.stderr.close()


def test_a_disk_without_room_still_gives_an_answer(chat, environ):
    def no_room():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))

    result = chat(*SHORT, "Hi", preexec_fn=no_room)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip()
    (line,) = result.stderr.splitlines()
    assert line.startswith("This conversation is not kept: ")
    assert chat(*SHORT, "Hi").stderr == ""
    result = chat(*SHORT, "--continue", "And now?", preexec_fn=no_room)
    assert result.stdout.strip() or result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert [node.status for node in whole_latest(environ).nodes][:2] == ["complete", "complete"]
    assert chat(*SHORT, "--continue", "And now?").returncode == 0, "work goes on when there is room"


def test_at_a_terminal_a_locked_vault_can_be_opened_or_left_locked(environ):
    keep(environ)
    in_vault(environ, lambda vault: vault.set_passphrase("correct horse"))
    with running(["chat", *SHORT, "Hi"], environ) as screen:
        screen.wait_for("Enter leaves it locked")
        screen.press("\r")
        screen.wait_for("This conversation is not kept: The vault stays locked.")
        screen.program.wait()
        assert screen.program.exitstatus == 0
    environ = {**environ, "PLAYGROUND_PASSPHRASE": "correct horse"}
    assert in_vault(environ, lambda vault: vault.sessions.count()) == 0
    del environ["PLAYGROUND_PASSPHRASE"]
    with running(["chat", *SHORT, "Hi"], environ) as screen:
        screen.wait_for("Enter leaves it locked")
        screen.press("correct horse\r")
        screen.look(20)
        screen.program.wait()
        assert screen.program.exitstatus == 0
        assert "not kept" not in screen.text
    environ["PLAYGROUND_PASSPHRASE"] = "correct horse"
    assert in_vault(environ, lambda vault: vault.sessions.count()) == 1


def test_the_first_conversation_says_what_protects_it_and_then_no_more(environ):
    with running(["chat", *SHORT, "Hi"], environ) as screen:
        screen.wait_for("Not protected by a passphrase")
        screen.look(20)
        screen.program.wait()
    with running(["chat", *SHORT, "Hi"], environ) as screen:
        screen.look(20)
        screen.program.wait()
        assert "protected" not in screen.text


def test_control_c_keeps_what_came(environ):
    with running(["chat", *LONG], environ) as screen:
        screen.wait_for("sea", 60)
        screen.look(0.5)
        screen.press(CONTROL_C)
        screen.look(10)
        screen.program.wait()
        assert screen.program.exitstatus == 130
    answer = whole_latest(environ).nodes[1]
    assert answer.status == "cut"
    assert answer.message.text


def test_the_interface_and_the_command_line_share_their_conversations(chat, environ):
    chat(*SHORT, "Tell me of the lighthouse.")
    with running([], environ, 40, 120) as screen:
        screen.wait_for("lighthouse", 30)
        screen.wait_for("Ask anything", 30)
        screen.press("And of its keeper?\r")
        screen.wait_for("tok/s", 60)
        screen.wait_for("esc Stop", 60, gone=True)
        # While the interface has the vault open, the command line uses it too.
        assert chat(*SHORT, "Something else entirely.").stderr == ""
        screen.press(CONTROL_Q)
        screen.look(5)
        screen.program.wait()
    assert chat(*SHORT, "--session", "lighthouse", "Thank you.").returncode == 0
    texts = [node.message.text for node in whole_latest(environ).nodes]
    assert texts[::2] == ["Tell me of the lighthouse.", "And of its keeper?", "Thank you."]
