"""The command line and the vault, with a person at a real terminal: passphrases, questions, Ctrl-C."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.cli.vaults import conversation, in_vault, keep
from tests.e2e.screen import Screen, running, showing

CONTROL_C, CONTROL_D = "\x03", "\x04"
ASKED = "Passphrase or recovery key of the vault"


@pytest.fixture
def kept(environ):
    keep(environ, conversation("a" * 32, "The sea", "Tell me of the sea.", "It is wide."))


@pytest.fixture
def locked(environ, kept):
    in_vault(environ, lambda vault: vault.set_passphrase("correct horse"))


def ended(screen: Screen) -> int:
    """The exit status, once the program has said everything."""
    screen.look(20)
    screen.program.wait()
    return screen.program.exitstatus


def files(home):
    return {path.name: path.read_bytes() for path in (home / "data").iterdir() if path.is_file()}


def test_the_passphrase_is_asked_for_and_not_shown(environ, locked):
    with running(["sessions", "list"], environ) as screen:
        screen.wait_for(ASKED)
        screen.press("correct horse\r")
        screen.wait_for("The sea")
        assert ended(screen) == 0
        assert "correct" not in screen.text


def test_a_recovery_key_does_as_well(environ, kept):
    async def lock(vault):
        await vault.set_passphrase("correct horse")
        return await vault.new_recovery_key()

    recovery = in_vault(environ, lock)
    with running(["sessions", "list"], environ) as screen:
        screen.wait_for(ASKED)
        screen.press(f"{recovery.lower()}\r")
        screen.wait_for("The sea")
        assert ended(screen) == 0


def test_two_mistakes_are_forgiven(environ, locked):
    with running(["sessions", "list"], environ) as screen:
        for mistakes in (1, 2):
            screen.wait_for(ASKED)
            screen.press("wrong\r")
            while screen.look(0.2).count("does not open the vault") < mistakes:
                pass
        screen.press("correct horse\r")
        screen.wait_for("The sea")
        assert ended(screen) == 0


def test_the_third_mistake_ends_it(environ, home, locked):
    before = files(home)
    with running(["sessions", "list"], environ) as screen:
        for mistakes in (1, 2, 3):
            screen.wait_for(ASKED)
            screen.press("wrong\r")
            while screen.look(0.2).count("does not open the vault") < mistakes:
                pass
        assert ended(screen) == 1
        assert "The sea" not in screen.text
    assert files(home) == before


@pytest.mark.parametrize("key", [CONTROL_C, CONTROL_D])
@pytest.mark.parametrize(
    "command",
    [
        ("sessions", "list"),
        ("vault", "passphrase"),
        ("vault", "rekey"),
        ("chat", "--continue", "Hi"),
        ("backup", "create"),
    ],
)
def test_leaving_at_the_question_changes_nothing(environ, home, locked, command, key):
    before = files(home)
    with running(list(command), environ) as screen:
        screen.wait_for(ASKED)
        screen.press(key)
        assert ended(screen) == 130
        assert "Traceback" not in screen.text
        assert "Aborted" not in screen.text
    assert files(home) == before


def test_the_terminal_asks_though_standard_input_is_a_pipe(environ, locked):
    with showing(["sh", "-c", f"echo more | {sys.executable} -m app sessions import -"], environ) as screen:
        screen.wait_for(ASKED)
        screen.press("correct horse\r")
        screen.wait_for("is not JSON")


def test_setting_and_changing_a_passphrase(environ, kept):
    with running(["vault", "passphrase"], environ) as screen:
        screen.wait_for("New passphrase")
        screen.press("correct horse\r")
        screen.wait_for("once more")
        screen.press("not the same\r")
        screen.wait_for("do not match")
        screen.press("correct horse\r")
        while screen.look(0.1).count("once more") < 2:
            pass
        screen.press("correct horse\r")
        screen.wait_for("The passphrase is set.")
        assert ended(screen) == 0
        assert "correct" not in screen.text
    with running(["vault", "passphrase"], environ) as screen:
        screen.wait_for(ASKED)
        screen.press("correct horse\r")
        screen.wait_for("New passphrase")
        screen.press("another one\r")
        screen.wait_for("once more")
        screen.press("another one\r")
        screen.wait_for("The passphrase is changed.")
        assert ended(screen) == 0
    in_vault({**environ, "PLAYGROUND_PASSPHRASE": "another one"}, lambda vault: vault.sessions.get("a" * 32))


def test_deleting_for_good_is_asked_about(environ, kept):
    for answer, status in (("n\r", 1), (CONTROL_C, 130), ("y\r", 0)):
        with running(["sessions", "delete", "--forever", "sea"], environ) as screen:
            screen.wait_for("[y/N]")
            assert "The sea" in screen.text
            screen.press(answer)
            assert ended(screen) == status
        assert in_vault(environ, lambda vault: vault.sessions.count()) == (1 if status else 0)


def test_restoring_is_asked_about_and_opens_with_the_passphrase_of_then(environ, home, locked):
    run = [sys.executable, "-m", "app", "backup", "create"]
    subprocess.run(run, env={**environ, "PLAYGROUND_PASSPHRASE": "correct horse"}, check=True, capture_output=True)
    before = files(home)
    for key, status in (("n\r", 1), (CONTROL_C, 130)):
        with running(["backup", "restore"], environ) as screen:
            screen.wait_for("[y/N]")
            screen.press(key)
            assert ended(screen) == status
        assert files(home) == before
    with running(["backup", "restore"], environ) as screen:
        screen.wait_for("[y/N]")
        screen.press("y\r")
        screen.wait_for("this backup was made")
        screen.press("wrong\r")
        screen.wait_for("does not open")
        screen.press("correct horse\r")
        screen.wait_for("Restored from")
        assert ended(screen) == 0
    assert list((home / "data").glob("replaced-*"))
    with running(["backup", "verify"], environ) as screen:
        screen.wait_for("this backup was made")
        screen.press("correct horse\r")
        screen.wait_for("sound")
        assert ended(screen) == 0


def test_escapes_that_are_kept_are_shown_not_obeyed(environ):
    keep(environ, conversation("e" * 32, "T\x1b]0;owned\x07", "Q\x1b[2J", "A\x1b]52;c;aGk=\x07 word\u202e"))
    for command in (["list"], ["show", "eeee"], ["export", "eeee"], ["search", "word"], ["search", "owned"]):
        with running(["sessions", *command], environ) as screen:
            assert ended(screen) == 0
            assert "␛]" in screen.text
            for escape in (b"\x1b]0", b"\x1b]52", b"\x1b[2J", "\u202e".encode()):
                assert escape not in screen.raw
