"""`playground models` on a home in which the starter model is installed."""

import json

import pytest

NAME = "smollm2-135m"


@pytest.fixture(autouse=True)
def installed(home_with_starter):
    return home_with_starter


def test_the_list_shows_what_is_here_and_what_fits(run_cli):
    result = run_cli("models", "list")
    assert result.exit_code == 0
    (row,) = [line.split() for line in result.stdout.splitlines() if line.startswith(NAME)]
    assert row == [NAME, "chat", "98.4", "MB", "yes", "yes", "Apache-2.0"]


def test_the_list_for_programs_names_every_model_of_the_catalogue(run_cli):
    rows = {row["name"]: row for row in json.loads(run_cli("models", "list", "--json").stdout)}
    assert rows[NAME]["installed"]
    assert not rows["all-minilm-l6-v2"]["installed"]
    assert sum(row["recommended"] for row in rows.values()) <= 1


def test_pulling_what_is_here_is_done_at_once(run_cli):
    result = run_cli("models", "pull", NAME)
    assert result.exit_code == 0
    assert f"{NAME} is here" in result.stdout


def test_verifying_reads_the_file_again(run_cli, installed):
    result = run_cli("models", "verify")
    assert result.exit_code == 0
    assert f"{NAME}  sound  sha256 b179c952" in result.stdout


def test_a_changed_file_is_named_and_taken_out_of_use(run_cli, installed):
    (blob,) = (installed / "models" / "blobs").iterdir()
    whole = blob.read_bytes()
    blob.unlink()  # a hard link to the tests' shared file: never write into it
    blob.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    result = run_cli("models", "verify", NAME)
    assert result.exit_code == 1
    assert "sha256" in result.stderr
    assert "b179c952" in result.stderr
    assert " - " in next(line for line in run_cli("models", "list").stdout.splitlines() if line.startswith(NAME))


def test_info_shows_source_and_digest(run_cli):
    facts = json.loads(run_cli("models", "info", NAME, "--json").stdout)
    assert facts["sha256"].startswith("b179c952")
    assert facts["source"].startswith("wheel:")
    assert facts["installed"]
    assert "wheel:" in run_cli("models", "info", NAME).stdout
    # A model of a hub, whose digest nobody has written down: it is pinned to what comes first, and that is said.
    unpinned = run_cli("models", "info", "qwen2.5-0.5b").stdout
    assert "sha256       not in the catalogue: the first download is taken as it comes, and pinned" in unpinned


def test_info_says_how_large_the_context_is_and_who_says_so(run_cli, environ):
    assert "8,192 tokens. The catalogue says so." in run_cli("models", "info", NAME).stdout
    environ["PLAYGROUND_ENGINE__CONTEXT"] = "2048"
    facts = json.loads(run_cli("models", "info", NAME, "--json").stdout)
    assert (facts["context"], "PLAYGROUND_ENGINE__CONTEXT" in facts["context_from"]) == (2048, True)


def test_removing_asks_first(run_cli, installed):
    assert run_cli("models", "remove", NAME, piped=b"n\n").exit_code == 1
    assert list((installed / "models" / "blobs").iterdir())
    assert run_cli("models", "remove", NAME, piped=b"y\n").exit_code == 0
    assert not list((installed / "models" / "blobs").iterdir())
    assert "is not on this machine" in run_cli("models", "remove", "--yes", NAME).stdout


def test_a_file_of_ones_own_is_imported_under_its_name(run_cli, starter_model):
    result = run_cli("models", "import", str(starter_model), "--name", "mine")
    assert result.exit_code == 0, result.stderr
    facts = json.loads(run_cli("models", "info", "mine", "--json").stdout)
    assert facts["installed"]
    assert facts["sha256"].startswith("b179c952")


@pytest.mark.parametrize("content", [b"", b"not a model", b"GGUF" + b"\xff" * 40])
def test_a_file_that_is_no_model_is_refused_in_one_line(run_cli, tmp_path, content):
    file = tmp_path / "odd.gguf"
    file.write_bytes(content)
    result = run_cli("models", "import", str(file))
    assert result.exit_code == 1
    assert result.stderr.startswith("playground: ")
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("command", ["pull", "info", "remove", "verify"])
def test_an_unknown_name_is_one_line(run_cli, command):
    result = run_cli("models", command, "nobody")
    assert result.exit_code == 1
    assert "No model is called 'nobody'" in result.stderr


@pytest.mark.parametrize("command", [("chat", "-m", "whisper-base", "Hello"), ("bench", "-m", "whisper-base")])
def test_a_model_that_does_not_chat_is_neither_fetched_nor_asked(run_cli, installed, command):
    result = run_cli(*command)
    assert result.exit_code == 1
    assert "whisper-base is for transcribe, not for chat." in result.stderr
    assert not (installed / "models" / "whisper-base").exists()
