"""`playground prompts` on a real vault, and `playground chat` with what it keeps."""

from __future__ import annotations

import json
from pathlib import Path

import pexpect
import pytest

from app.messages import Sampling
from app.vault.prompts.records import Prompt

from .scripted import FINISHED, PLAYGROUND, ScriptedBackend
from .vaults import in_vault


def names(result) -> list[str]:
    assert result.exit_code == 0, result.output
    return [line["name"] for line in json.loads(result.stdout)]


def test_what_comes_with_the_program_is_read_without_a_vault(run_cli, environ):
    assert {"translate", "teacher"} < set(names(run_cli("prompts", "list", "--json")))
    assert names(run_cli("prompts", "list", "unix", "terminal", "--json")) == []
    assert names(run_cli("prompts", "list", "terminal", "--kind", "persona", "--json")) == ["shell-helper"]
    assert run_cli("prompts", "show", "Review code").stdout.startswith("---\nname: review-code\n")
    missing = run_cli("prompts", "show", "sumarise")
    assert missing.exit_code == 1 and "Did you mean summarise" in missing.stderr
    assert not (Path(environ["PLAYGROUND_HOME"]) / "data/vault.key").exists()


def test_a_prompt_is_written_changed_and_taken_back(run_cli):
    assert run_cli("prompts", "new", "Sum Up", piped=b"Sum up {{input}}.").stdout == "Kept: sum-up.\n"
    assert run_cli("prompts", "new", "sum-up", piped=b"x").exit_code == 1
    run_cli("prompts", "edit", "sum-up", piped=b"---\ntitle: Total\n---\nTotal {{input}}.")
    assert json.loads(run_cli("prompts", "show", "sum-up", "--json").stdout)["title"] == "Total"
    run_cli("prompts", "restore", "sum-up")
    shown = json.loads(run_cli("prompts", "show", "sum-up", "--json").stdout)
    assert (shown["title"], shown["text"], shown["variables"]) == (
        "Sum up",
        "Sum up {{input}}.",
        [{"name": "input", "default": None}],
    )
    assert run_cli("prompts", "rename", "sum-up", "total").exit_code == 0
    assert run_cli("prompts", "remove", "total").stdout == "In the bin: total.\n"
    assert "total" in names(run_cli("prompts", "list", "--bin", "--json"))
    run_cli("prompts", "restore", "total")
    run_cli("prompts", "remove", "total", "--forever", "--yes")
    assert run_cli("prompts", "restore", "total").exit_code == 1
    assert "comes with the program" in run_cli("prompts", "remove", "translate").stderr
    assert "needs a terminal" in run_cli("prompts", "edit", "translate").stderr


def test_folders_are_taken_in_and_written_out_again(run_cli, tmp_path, environ):
    (tmp_path / "in").mkdir()
    assert "There are no prompts" in run_cli("prompts", "import", str(tmp_path / "in")).stderr
    assert not (Path(environ["PLAYGROUND_HOME"]) / "data/vault.key").exists()
    (tmp_path / "in" / "a.md").write_text("A {{b}}\x1b[2J\U000e0041")
    (tmp_path / "in" / "c.md").write_text("---\nkind: x\n---\nC")
    taken = run_cli("prompts", "import", str(tmp_path / "in"))
    assert taken.exit_code == 1 and taken.stdout == "1 prompt taken in: a\n"
    assert "expected prompt or persona" in taken.stderr and "a: 2 characters of the text cannot be seen" in taken.stderr
    (tmp_path / "in" / "c.md").unlink()
    assert "1 prompt there already: a" in run_cli("prompts", "import", str(tmp_path / "in")).stdout
    (tmp_path / "in" / "a.md").write_text("Other.")
    assert "left as it is" in run_cli("prompts", "import", str(tmp_path / "in")).stdout
    assert "1 prompt replaced" in run_cli("prompts", "import", str(tmp_path / "in"), "--replace").stdout
    assert run_cli("prompts", "export", "--all", "-o", str(tmp_path / "out")).exit_code == 0
    assert (tmp_path / "out" / "a.md").read_text() == "---\nname: a\ntitle: A\nkind: prompt\n---\n\nOther.\n"
    run_cli("prompts", "restore", "a")
    again = run_cli("prompts", "export", "--all", "-o", str(tmp_path / "out"))
    assert again.exit_code == 1 and "--force" in again.stderr


@pytest.fixture
def ask(run_cli, home_with_starter, environ):
    """Asks with a few prompts of one's own; gives what the model was asked, and what was said."""
    kept = (
        Prompt(name="haiku", text="A haiku on {{topic:rain}} in {{language}}."),
        Prompt(name="about", title="About", text="Speak about {{input}}.", sampling=Sampling(temperature=0.1, seed=1)),
        Prompt(name="cold", kind="persona", text="You are {{mood:cold}}.", model="gone", sampling=Sampling(top_k=5)),
    )
    in_vault(environ, lambda vault: vault.prompts.put(*kept))

    def run(*args, piped=b""):
        backend = ScriptedBackend(["Yes.", FINISHED])
        result = run_cli("chat", *args, backend=backend, piped=piped)
        return (backend.requests or [None])[-1], result

    return run


def test_a_prompt_is_filled_in_once_and_asked(ask):
    for args, piped, asked in (
        (["-p", "haiku", "--var", "language=Basque"], b"", "A haiku on rain in Basque."),
        (["-p", "haiku", "--var", "language={{topic}}", "Short."], b"", "A haiku on rain in {{topic}}.\n\nShort."),
        (["-p", "about", "the", "sea"], b"", "Speak about the sea."),
        (["-p", "about", "--var", "input=fog"], b"", "Speak about fog."),
        (["-p", "about"], b"piped {{x}}\n", "Speak about piped {{x}}."),
        (["-p", "about", "Look:"], b"piped", "Speak about Look:\n\n```\npiped\n```."),
    ):
        request, result = ask(*args, piped=piped)
        assert result.stdout == "Yes.\n", result.output
        assert request.messages[-1].text == asked


def test_a_persona_answers_but_brings_no_model_along_that_is_not_here(ask, run_cli):
    request, result = ask("--persona", "cold", "-p", "about", "--var", "mood=warm", "--seed", "7", "tea")
    assert [(message.role, message.text) for message in request.messages] == [
        ("system", "You are warm."),
        ("user", "Speak about tea."),
    ]
    sampling = request.sampling
    assert (sampling.temperature, sampling.seed, sampling.top_k) == (0.1, 7, 5)
    assert request.model == "smollm2-135m" and "'gone', which is not on this machine" in result.stderr
    assert "About: tea" in run_cli("sessions", "list").stdout
    request, _ = ask("--continue", "More?")
    assert request.messages[0].text == "You are warm."  # it is part of the conversation


def test_what_makes_no_sense_asks_nothing(ask):
    for args, words in (
        (["-p", "haiku"], "no value for 'language'"),
        (["-p", "about"], "what is piped in"),
        (["-p", "about", "--var", "inptu=x", "y"], "no variable 'inptu'. There are input"),
        (["-p", "cold", "x"], "is a persona, not a prompt"),
        (["-p", "nothing", "x"], "no prompt or persona 'nothing'"),
        (["--persona", "cold", "-s", "x", "y"], "--persona or --system"),
        (["--var", "a=b", "x"], "neither is given"),
        (["-p", "about", "--var", "input"], "expected NAME=VALUE"),
    ):
        request, result = ask(*args)
        assert request is None and result.exit_code in (1, 2) and words in " ".join(result.stderr.split())


def test_a_prompt_is_written_in_the_editor_of_a_real_terminal(environ, tmp_path):
    editor = tmp_path / "editor"
    # Ctrl+C in the editor is the editor's.
    steps = ("trap '' INT", 'stat -c %a "$(dirname "$1")"', "kill -INT 0", 'sed -i "s/Write what.*/Say it./" "$1"')
    editor.write_text("\n".join(("#!/bin/sh", *steps, "")))
    editor.chmod(0o700)
    shell = pexpect.spawn(
        PLAYGROUND[0], [*PLAYGROUND[1:], "prompts", "new", "say"], env={**environ, "EDITOR": str(editor)}, timeout=30
    )
    try:
        said = shell.read().decode()
        shell.wait()
    finally:
        shell.close(force=True)
    assert said.split() == ["700", "Kept:", "say."] and shell.exitstatus == 0
    kept = in_vault(environ, lambda vault: vault.prompts.get("say"))
    assert kept.text == "Say it.\n\n{{input}}"
