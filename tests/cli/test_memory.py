"""`playground memory forget` and `restore` on a real vault: what is forgotten can be taken back."""

import json
from array import array

import pytest

from app.vault.recall.vectors import Embedded, Missing, PieceVector

from .vaults import conversation, in_vault, keep

DOG, SEA = "aaaa1111" + "0" * 24, "bbbb2222" + "0" * 24


@pytest.fixture
def kept(environ):
    keep(
        environ,
        conversation(DOG, "The dog", "My dog is called Bella.", "A fine name."),
        conversation(SEA, "The sea", "Tell me of the sea.", "It is wide."),
    )


def forgotten(run_cli):
    return json.loads(run_cli("memory", "status", "--json").stdout)["forgotten"]


def test_what_is_forgotten_says_how_it_is_taken_back(run_cli, kept):
    result = run_cli("memory", "forget", f"{DOG}-0")
    undo = result.stdout.partition("To undo: playground ")[2].split()
    assert result.stdout.startswith("1 text forgotten.")
    assert undo == ["memory", "restore", f"{DOG}-0"]
    assert forgotten(run_cli) == 1
    assert run_cli("memory", "forget", f"{DOG}-0").stdout == "All of it was forgotten already.\n"
    assert run_cli(*undo).stdout.startswith("1 text restored")
    assert forgotten(run_cli) == 0
    assert run_cli(*undo).stdout == "Nothing of it was forgotten.\n"


def test_a_whole_session_goes_and_comes_back(run_cli, kept):
    result = run_cli("memory", "forget", "--session", "The sea")
    assert result.stdout == "2 texts forgotten. To undo: playground memory restore --session 'The sea'\n"
    assert forgotten(run_cli) == 2
    assert run_cli("memory", "restore", "--session", "The sea").stdout.startswith("2 texts restored")
    assert forgotten(run_cli) == 0


@pytest.mark.parametrize("deed", ["forget", "restore"])
def test_with_one_name_unknown_nothing_is_done(run_cli, kept, deed):
    run_cli("memory", "forget", f"{SEA}-0")
    for words in ((f"{DOG}-0", "zzzz"), (f"{DOG}-0", "--session", "nowhere"), (f"{SEA}-",)):
        assert run_cli("memory", deed, *words).exit_code != 0
        assert forgotten(run_cli) == 1
    assert run_cli("memory", deed).exit_code == 2


def test_all_of_it_is_exported_as_json_lines_for_its_owner_alone(run_cli, kept, environ, tmp_path):
    text = "My dog is called Bella."

    async def embed(vault):
        vectors = tuple(PieceVector(array("f", [0.1, number]).tobytes(), b"s") for number in (1.5, 2.5))
        missing = [Missing("message", f"{DOG}-0", text), Missing("message", f"{SEA}-0", "Tell me of the sea.")]
        await vault.vectors.put("mini", [Embedded(one, vectors) for one in missing])
        await vault.vectors.forget("message", [f"{SEA}-0"])

    in_vault(environ, embed)
    lines = [json.loads(line) for line in run_cli("memory", "export", "--vectors").stdout.splitlines()]
    dog, sea = lines
    assert (dog["id"], dog["text"], dog["title"], dog["role"]) == (f"{DOG}-0", text, "The dog", "user")
    assert [array("f", vector) for vector in dog["vectors"]] == [array("f", [0.1, 1.5]), array("f", [0.1, 2.5])]
    assert (dog["forgotten"], sea["forgotten"], sea["id"], sea["vectors"]) == (False, True, f"{SEA}-0", [])
    file = tmp_path / "memory.jsonl"
    assert run_cli("memory", "export", str(file)).stdout == f"2 texts written to {file}.\n"
    assert file.stat().st_mode & 0o077 == 0
    assert "vectors" not in json.loads(file.read_text().splitlines()[0])
    again = run_cli("memory", "export", str(file))
    assert (again.exit_code, "is there already" in again.stderr) == (1, True)
