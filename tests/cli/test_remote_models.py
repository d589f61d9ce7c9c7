"""Remote models in `playground models list`."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from app.cli.main import cli
from app.cli.session import Session
from tests.routing.scripted import endpoint

TOML = (
    endpoint("cloud", cooldown_s=9)
    + endpoint("near", url="http://127.0.0.1:9/v1", kind="ollama")
    + '[remote."org/gpt:4"]\nendpoint = "cloud"\naliases = ["gpt"]\ncontext = 400000\n'
    + 'price = { input = 0.25, output = 2 }\n[remote.llama]\nendpoint = "near"\n'
)


@pytest.fixture
def listed(home, environ):
    (home / "config").mkdir()
    (home / "config" / "models.toml").write_text(TOML)

    def run(*args: str) -> Result:
        session = Session(environ, interface=lambda playground: None)
        return CliRunner().invoke(cli, list(args), obj=session, prog_name="playground")

    return run


def test_they_stand_below_the_catalogue_with_what_leaves_the_machine(listed):
    result = listed("models", "list")
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["org/gpt:4", "chat", "cloud", "not", "asked", "400,000", "0.25", "2", "gpt"] in lines
    assert ["llama", "chat", "near", "not", "asked", "?", "?", "?"] in lines
    leaves = "What is asked leaves this machine: the conversation, to cloud.example, personal data replaced."
    assert result.stdout.count(leaves) == 1


def test_check_asks_them_and_local_only_does_not(listed):
    result = listed("--local-only", "models", "list", "--check")
    assert "org/gpt:4: Local-only mode is on." in result.stdout
    assert "llama: near (127.0.0.1) cannot be reached" in result.stdout


def test_what_can_be_read_on_the_way_is_said_in_one_line_each(listed, home):
    lan = endpoint("lan", url="http://10.0.0.5:8000", verify=False) + endpoint("self-made", verify=False)
    (home / "config" / "models.toml").write_text(f'{TOML}{lan}[remote.near-by]\nendpoint = "lan"\n')
    words = (
        "Everything that goes to lan can be read on the way: its address begins with http://.",
        "The certificate of self-made is not checked: whoever is in between can read along.",
    )
    result = listed("models", "list")
    assert [result.stdout.splitlines().count(line) for line in words] == [1, 1]
    json.loads(listed("models", "list", "--json").stdout)
    report = json.loads(listed("doctor", "--json").stdout)
    found = {one["found"]: one for one in report["findings"]}
    for line in words:
        assert (found[line]["subject"], found[line]["state"]) == ("Remote models", "note")
    assert not any("only model downloads" in line for line in found)


def test_a_model_that_is_here_too_needs_to_leave_nothing_while_local_only(listed, home):
    both = '[remote.both]\nreplicas = [{ endpoint = "cloud" }, { endpoint = "near" }]\n'
    (home / "config" / "models.toml").write_text(endpoint("cloud") + endpoint("near", url="http://127.0.0.1:9") + both)
    assert "leaves this machine" in listed("models", "list").stdout
    result = listed("--local-only", "models", "list")
    assert "both" in result.stdout and "leaves this machine" not in result.stdout


def test_programs_get_them_too(listed):
    rows = {row["name"]: row for row in json.loads(listed("models", "list", "--json").stdout)}
    assert rows["org/gpt:4"]["remote"] and rows["org/gpt:4"]["price"]["output"] == 2
    assert rows["llama"]["leaves"] == "" and not rows["llama"]["installed"]


def test_info_shows_what_is_known_of_one(listed):
    for name in ("org/gpt:4", "gpt"):
        lines = listed("models", "info", name).stdout.splitlines()
        assert lines[0] == "name         org/gpt:4"
        assert "context      400,000 tokens" in lines
        assert "price        $0.25 in, $2 out, per million tokens" in lines
        assert "reached      not asked  (playground models list --check asks)" in lines
        assert "leaves       the conversation, to cloud.example, personal data replaced" in lines
    facts = json.loads(listed("models", "info", "llama", "--json").stdout)
    (place,) = facts["endpoints"]
    assert (place["name"], place["kind"], place["model"]) == ("near", "ollama", "llama")
    assert "leaves       nothing leaves this machine" in listed("models", "info", "llama").stdout
    assert "Local-only mode is on." in listed("--local-only", "models", "info", "gpt").stdout
    nobody = listed("models", "info", "gtp")
    assert nobody.exit_code == 1 and "No model is called 'gtp'" in nobody.stderr


def test_a_mistake_is_told_by_file_and_table(listed, home):
    (home / "config" / "models.toml").write_text(TOML + '[remote.x]\nendpoint = "clout"\n')
    result = listed("models", "list")
    assert result.exit_code == 1
    assert "models.toml: [remote.x]: `endpoint` is 'clout', which is no endpoint; expected cloud." in result.stderr


@pytest.mark.parametrize(
    "command", [("models", "pull"), ("models", "verify"), ("models", "remove", "-y"), ("bench", "-m")]
)
def test_a_model_that_runs_elsewhere_has_no_file(listed, command):
    result = listed(*command, "llama")
    assert result.exit_code == 1
    assert "llama runs elsewhere, and has no file here. What is known of it: playground models info" in result.stderr
