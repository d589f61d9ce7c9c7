"""`playground backup` on a real vault."""

import asyncio
import json
import os
import subprocess
from pathlib import Path

import pytest

from .scripted import PLAYGROUND
from .vaults import conversation, in_vault, keep


@pytest.fixture
def kept(environ):
    keep(environ, conversation("a" * 32, "The sea", "Tell me of the sea.", "It is wide."))


@pytest.fixture
def made(run_cli, kept):
    """The path of a backup."""
    result = run_cli("backup", "create", "--json")
    return json.loads(result.stdout)["file"]


def test_a_backup_is_made_listed_and_verified(run_cli, kept):
    created = run_cli("backup", "create")
    assert created.exit_code == 0
    assert "1 conversation, 2 messages" in created.stdout
    (row,) = json.loads(run_cli("backup", "list", "--json").stdout)
    assert (row["reason"], row["sessions"], row["messages"], row["whole"]) == ("manual", 1, 2, True)
    line = run_cli("backup", "list").stdout.splitlines()[1].split()
    assert line[2:5] == ["manual", "1", "2"]
    assert line[-2] == "whole"
    assert "sound  1 conversation" in run_cli("backup", "verify").stdout


def test_without_a_vault_nothing_is_made(run_cli, home):
    assert run_cli("backup", "create").exit_code == 1
    assert "No backups in" in run_cli("backup", "list").stdout
    assert run_cli("backup", "verify").exit_code == 0
    assert run_cli("backup", "restore", "--yes").exit_code == 1
    assert not (home / "data" / "vault.db").exists()


def test_a_flipped_bit_is_found_and_refused(run_cli, made, home):
    content = bytearray(Path(made).read_bytes())
    content[len(content) // 2] ^= 1
    Path(made).write_bytes(content)
    before = (home / "data" / "vault.db").read_bytes()
    result = run_cli("backup", "verify", made, "--json")
    assert result.exit_code == 1
    assert not json.loads(result.stdout)[0]["sound"]
    result = run_cli("backup", "restore", made, "--yes")
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert (home / "data" / "vault.db").read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"x", os.urandom(9000)])
def test_what_is_no_backup_is_shown_and_refused(run_cli, made, content):
    odd = made.replace("playground-", "odd-")
    Path(odd).write_bytes(content)
    result = run_cli("backup", "list")
    assert "not sound" in result.stdout
    assert run_cli("backup", "verify").exit_code == 1
    assert run_cli("backup", "verify", made).exit_code == 0
    assert run_cli("backup", "restore", odd, "--yes").exit_code == 1
    assert run_cli("backup", "restore", "--yes").exit_code == 0, "the newest sound one is taken"


@pytest.mark.parametrize("name", ["gone", "", "\udcff", "x" * 5000])
def test_a_backup_that_is_not_there_is_one_line(run_cli, made, name):
    for command in ("verify", "restore"):
        result = run_cli("backup", command, name)
        assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
        assert "There is no backup" in result.stderr


def test_restoring_asks_first_and_says_where_the_other_lies(run_cli, made, home, environ):
    run_cli("sessions", "rename", "sea", "Changed")
    assert run_cli("backup", "restore").exit_code == 2
    assert "Changed" in run_cli("sessions", "list").stdout
    result = run_cli("backup", "restore", "--yes")
    assert result.exit_code == 0
    (replaced,) = (home / "data").glob("replaced-*")
    assert str(replaced) in result.stdout
    assert "The sea" in run_cli("sessions", "list").stdout
    # What was replaced is a whole vault.
    other = home.parent / "other"
    (other / "data").parent.mkdir()
    replaced.rename(other / "data")
    environ["PLAYGROUND_HOME"] = str(other)
    assert "Changed" in run_cli("sessions", "list").stdout


def test_restoring_on_an_empty_home_asks_nothing(run_cli, made, environ, tmp_path):
    environ["PLAYGROUND_HOME"] = str(tmp_path / "empty")
    result = run_cli("backup", "restore", made)
    assert result.exit_code == 0, result.stderr
    assert "Not protected by a passphrase" in result.stdout
    assert "It is wide." in run_cli("sessions", "show", "sea").stdout


def test_a_backup_keeps_the_passphrase_that_it_was_made_under(run_cli, environ, kept):
    environ["PLAYGROUND_PASSPHRASE"] = "the first one"
    run_cli("vault", "passphrase")
    run_cli("backup", "create")
    run_cli("vault", "passphrase", "--stdin", piped=b"the second one\n")
    del environ["PLAYGROUND_PASSPHRASE"]
    assert "not opened, for want of its passphrase" in run_cli("backup", "verify").stdout
    assert run_cli("backup", "restore", "--yes").exit_code == 1
    environ["PLAYGROUND_PASSPHRASE"] = "the second one"
    result = run_cli("backup", "restore", "--yes")
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 2)
    assert "The sea" in run_cli("sessions", "list").stdout, "nothing was changed"
    environ["PLAYGROUND_PASSPHRASE"] = "the first one"
    assert run_cli("backup", "verify").exit_code == 0
    assert run_cli("backup", "restore", "--yes").exit_code == 0
    assert "The sea" in run_cli("sessions", "list").stdout


def test_a_folder_elsewhere_needs_a_passphrase(run_cli, environ, kept, tmp_path):
    elsewhere = tmp_path / "stick"
    result = run_cli("backup", "create", "--to", str(elsewhere))
    assert result.exit_code == 1
    assert "Set a passphrase first" in result.stderr
    environ["PLAYGROUND_PASSPHRASE"] = "correct horse"
    run_cli("vault", "passphrase")
    assert run_cli("backup", "create", "--to", str(elsewhere)).exit_code == 0
    assert len(list(elsewhere.iterdir())) == 1
    assert len(json.loads(run_cli("backup", "list", "--to", str(elsewhere), "--json").stdout)) == 1
    assert run_cli("backup", "list", "--json").stdout == "[]\n"
    assert "sound" in run_cli("backup", "verify", "--to", str(elsewhere)).stdout


def test_restoring_beside_another_program_is_refused(run_cli, environ, made):
    async def beside(vault):
        command = [*PLAYGROUND, "backup", "restore", "--yes"]
        return await asyncio.to_thread(subprocess.run, command, env=environ, capture_output=True)

    result = in_vault(environ, beside)
    assert result.returncode == 1
    assert b"Another Playground has the vault open" in result.stderr
