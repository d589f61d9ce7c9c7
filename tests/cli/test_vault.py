"""`playground vault` and what `playground doctor` says of it."""

import asyncio
import json
import re
import subprocess

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring

from .scripted import PLAYGROUND
from .vaults import conversation, in_vault, keep

PLAIN = "Not protected by a passphrase: whoever can read vault.key can read everything."
SET = "`playground vault passphrase` sets one."


@pytest.fixture
def kept(environ):
    keep(environ, conversation("a" * 32, "The sea", "Tell me of the sea.", "It is wide."))


def status(run_cli):
    return json.loads(run_cli("vault", "status", "--json").stdout)


def vault_findings(run_cli):
    found = json.loads(run_cli("doctor", "--json").stdout)["findings"]
    return {one["subject"]: one for one in found if one["subject"] in ("Vault", "Backups")}


def test_without_a_vault_the_status_says_so_and_makes_none(run_cli, home):
    assert run_cli("vault", "status").stdout == "There is no vault yet: nothing was kept so far.\n"
    assert status(run_cli)["state"] == "absent"
    for command in ("recovery-key", "rekey", "check"):
        result = run_cli("vault", command)
        assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert vault_findings(run_cli)["Vault"]["found"] == "none yet: nothing was kept so far"
    assert not (home / "data" / "vault.db").exists()


def test_a_vault_that_is_gone_is_called_that(run_cli, kept, home):
    (home / "data" / "vault.db").unlink()
    assert "vault.db is gone" in run_cli("vault", "status").stdout


def test_a_vault_without_a_passphrase_is_called_what_it_is(run_cli, kept):
    assert run_cli("vault", "status").stdout.splitlines()[0] == f"{PLAIN} {SET}"
    assert status(run_cli)["protected_by"] == "file"
    found = vault_findings(run_cli)
    assert (found["Vault"]["state"], found["Vault"]["found"] + ".") == ("note", PLAIN)
    assert found["Vault"]["remedy"] == SET
    assert found["Backups"]["remedy"] == "Run: playground backup create"


def test_a_passphrase_from_standard_input(run_cli, environ, kept):
    result = run_cli("vault", "passphrase", "--stdin", piped="größer als vorher\r\nnot this\n".encode())
    assert result.stdout == "The passphrase is set.\n", result.stderr
    assert run_cli("vault", "status").stdout.startswith("Protected by a passphrase.\n")
    assert run_cli("sessions", "list").exit_code == 1
    environ["PLAYGROUND_PASSPHRASE"] = "größer als vorher"
    assert "The sea" in run_cli("sessions", "list").stdout
    assert run_cli("vault", "passphrase", "--stdin", piped=b"the second one").stdout == "The passphrase is changed.\n"
    assert run_cli("sessions", "list").exit_code == 1
    environ["PLAYGROUND_PASSPHRASE"] = "the second one"
    assert "The sea" in run_cli("sessions", "list").stdout
    assert vault_findings(run_cli)["Vault"]["state"] == "good"


def test_a_passphrase_from_the_environment(run_cli, environ, kept):
    assert "There is no terminal to ask" in run_cli("vault", "passphrase").stderr
    environ["PLAYGROUND_PASSPHRASE"] = "from outside"
    assert run_cli("vault", "passphrase").exit_code == 0
    assert status(run_cli)["protected_by"] == "passphrase"


def test_a_passphrase_before_anything_is_kept(run_cli, environ):
    assert run_cli("vault", "passphrase", "--stdin", piped=b"first of all\n").stdout == "The passphrase is set.\n"
    environ["PLAYGROUND_PASSPHRASE"] = "first of all"
    assert run_cli("vault", "check").exit_code == 0


@pytest.mark.parametrize("given", [b"", b"\n", b"short\n", b"\xff" * 20, b"\nlong enough below\n"])
def test_a_passphrase_that_will_not_do_changes_nothing(run_cli, kept, home, given):
    before = (home / "data" / "vault.key").read_bytes()
    result = run_cli("vault", "passphrase", "--stdin", piped=given)
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert (home / "data" / "vault.key").read_bytes() == before


def test_a_bad_passphrase_makes_no_vault(run_cli, home):
    assert run_cli("vault", "passphrase", "--stdin", piped=b"short\n").exit_code == 1
    assert not (home / "data" / "vault.key").exists()


def test_removing_the_passphrase_says_what_that_means(run_cli, environ, kept):
    assert run_cli("vault", "passphrase", "--remove").stdout == "There is no passphrase to remove.\n"
    environ["PLAYGROUND_PASSPHRASE"] = "correct horse"
    run_cli("vault", "passphrase")
    result = run_cli("vault", "passphrase", "--remove")
    assert PLAIN in result.stdout
    del environ["PLAYGROUND_PASSPHRASE"]
    assert "The sea" in run_cli("sessions", "list").stdout
    assert run_cli("vault", "passphrase", "--remove", "--stdin").exit_code == 2


def test_a_recovery_key_is_alone_on_standard_output_and_opens_the_vault(run_cli, environ, kept):
    first = run_cli("vault", "recovery-key")
    assert re.fullmatch(r"[A-Z2-7]{5}(-[A-Z2-7]{5})+\n", first.stdout)
    assert status(run_cli)["recovery_key"]
    second = run_cli("vault", "recovery-key")
    assert "opens it no longer" in second.stderr
    run_cli("vault", "passphrase", "--stdin", piped=b"correct horse\n")
    environ["PLAYGROUND_PASSPHRASE"] = second.stdout.strip()
    assert "The sea" in run_cli("sessions", "list").stdout
    environ["PLAYGROUND_PASSPHRASE"] = first.stdout.strip()
    assert run_cli("sessions", "list").exit_code == 1


def test_rekeying_keeps_everything(run_cli, environ, home, kept):
    before = (home / "data" / "vault.db").read_bytes()[:16]
    assert run_cli("vault", "rekey").exit_code == 0
    assert (home / "data" / "vault.db").read_bytes()[:16] != before
    assert "It is wide." in run_cli("sessions", "show", "sea").stdout


def test_rekeying_beside_another_program_is_refused(run_cli, environ, kept):
    async def beside(vault):
        command = [*PLAYGROUND, "vault", "rekey"]
        return await asyncio.to_thread(subprocess.run, command, env=environ, capture_output=True)

    result = in_vault(environ, beside)
    assert result.returncode == 1
    assert b"Another Playground has the vault open" in result.stderr


def test_no_keyring_is_one_line_and_changes_nothing(run_cli, environ, home, kept, monkeypatch):
    monkeypatch.setattr(keyring, "get_keyring", NoKeyring)
    before = (home / "data" / "vault.key").read_bytes()
    result = run_cli("vault", "keyring")
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert "There is no keyring" in result.stderr
    assert (home / "data" / "vault.key").read_bytes() == before


class Chain(KeyringBackend):
    """A keyring in memory."""

    priority = 9

    def __init__(self):
        super().__init__()
        self.kept = {}

    def get_password(self, service, username):
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        self.kept[service, username] = password

    def delete_password(self, service, username):
        del self.kept[service, username]


def test_a_keyring_opens_the_vault_and_its_loss_is_said(run_cli, environ, kept):
    before = keyring.get_keyring()
    try:
        chain = Chain()
        keyring.set_keyring(chain)
        result = run_cli("vault", "keyring")
        assert result.exit_code == 0, result.stderr
        assert "`playground vault recovery-key`" in result.stderr
        assert "Protected by the keyring of the operating system" in run_cli("vault", "status").stdout
        assert "The sea" in run_cli("sessions", "list").stdout
        assert run_cli("vault", "passphrase", "--remove").stdout == "There is no passphrase to remove.\n"
        assert status(run_cli)["protected_by"] == "keyring"
        recovery = run_cli("vault", "recovery-key").stdout.strip()
        # A keyring opens it unasked; who changes the passphrase beside it has to know that.
        assert run_cli("vault", "passphrase", "--stdin", piped=b"correct horse\n").exit_code == 0
        for change in (("--remove",), ("--stdin",)):
            result = run_cli("vault", "passphrase", *change, piped=b"somebody else's\n")
            assert "The passphrase as it is now is needed" in result.stderr
        environ["PLAYGROUND_PASSPHRASE"] = recovery
        assert run_cli("vault", "passphrase", "--remove").exit_code == 0
        del environ["PLAYGROUND_PASSPHRASE"]
        assert run_cli("vault", "keyring").exit_code == 0
        chain.kept.clear()
        result = run_cli("sessions", "list")
        assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
        assert "does not have the key of this vault" in result.stderr
        environ["PLAYGROUND_PASSPHRASE"] = recovery
        assert "The sea" in run_cli("sessions", "list").stdout
    finally:
        keyring.set_keyring(before)


def test_a_sound_vault_and_a_damaged_one(run_cli, environ, home, kept):
    # Its words fill the last pages, which nothing reads before it is asked for.
    keep(environ, conversation("b" * 32, "A long one", *(f"word{number} " * 4000 for number in range(6))))
    assert run_cli("vault", "check").stdout == "The vault is sound: every page is as it was written.\n"
    database = home / "data" / "vault.db"
    content = bytearray(database.read_bytes())
    content[-30_000] ^= 1
    database.write_bytes(content)
    result = run_cli("vault", "check", "--json")
    assert result.exit_code == 1
    assert not json.loads(result.stdout)["sound"]
    assert "playground backup restore" in run_cli("vault", "check").stderr


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff" * 100, None])
def test_a_key_file_that_is_gone_or_garbage_is_a_fault(run_cli, home, kept, content):
    key = home / "data" / "vault.key"
    key.unlink()
    if content is not None:
        key.write_bytes(content)
    for command in (("vault", "status"), ("vault", "check"), ("sessions", "list")):
        result = run_cli(*command)
        assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1), command
        assert "vault.key" in result.stderr
    assert vault_findings(run_cli)["Vault"]["state"] == "broken"
