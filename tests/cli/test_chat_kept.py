"""What `playground chat` keeps, and going on with it; around a scripted answer, in a real vault."""

import json
import os
import signal

import pytest
from click.testing import CliRunner

from app.cli.main import cli
from app.errors import DiskFullError, WorkerDiedError
from app.messages import Sampling
from app.vault.conversations.messages import Messages

from .scripted import FINISHED, NotedSession, ScriptedBackend
from .vaults import conversation, in_vault, keep


@pytest.fixture
def ask(run_cli, home_with_starter):
    def run(*args, **more):
        return run_cli("chat", *args, **more)

    return run


@pytest.fixture
def kept(environ):
    """Every conversation in the vault, the latest first."""

    def load():
        async def whole(vault):
            return [await vault.sessions.load(line.id) for line in await vault.sessions.lines()]

        return in_vault(environ, whole)

    return load


def interrupt():
    os.kill(os.getpid(), signal.SIGINT)


def texts(whole):
    return [(node.message.role, node.message.text, node.status) for node in whole.nodes]


def asked(backend):
    return [(message.role, message.text) for message in backend.requests[-1].messages]


def test_question_and_answer_are_kept(ask, kept):
    result = ask("Name a colour.", "--json", "-s", "Be brief.", "--seed", "3", steps=["Red", ".", FINISHED])
    (whole,) = kept()
    assert texts(whole) == [("user", "Name a colour.", "complete"), ("assistant", "Red.", "complete")]
    session = whole.session
    assert session.id == json.loads(result.stdout)["session"]
    assert (session.title, session.titled_by, session.system) == ("Name a colour.", "nobody", "Be brief.")
    assert session.sampling == Sampling(seed=3)
    assert session.model == "smollm2-135m"
    assert whole.nodes[1].usage == FINISHED.usage


def test_continue_goes_on_with_the_latest(ask, kept):
    ask("Name a colour.", "-s", "Be brief.", "--seed", "3", "--stop", "!", steps=["Red.", FINISHED])
    backend = ScriptedBackend(["Blue.", FINISHED])
    ask("Another.", "--continue", "--seed", "4", "--temperature", "0", backend=backend)
    assert asked(backend) == [
        ("system", "Be brief."),
        ("user", "Name a colour."),
        ("assistant", "Red."),
        ("user", "Another."),
    ]
    assert backend.requests[-1].sampling == Sampling(seed=4, temperature=0, stop=("!",))
    (whole,) = kept()
    assert len(whole.nodes) == 4
    assert whole.session.sampling == Sampling(seed=4, temperature=0, stop=("!",))
    assert whole.session.title == "Name a colour."


def test_a_session_is_chosen_by_id_or_title(ask, environ, kept):
    keep(
        environ,
        conversation("a" * 32, "Colours", "Name a colour.", "Red.", at=1),
        conversation("b" * 32, "The sea", "Tell me.", "It is wide.", at=2),
    )
    for which in ("a" * 32, "aaaa", "colours"):
        backend = ScriptedBackend(["More.", FINISHED])
        result = ask("Go on.", "--session", which, "--json", backend=backend)
        assert json.loads(result.stdout)["session"] == "a" * 32
        assert asked(backend)[0] == ("user", "Name a colour.")
    assert {whole.session.id: len(whole.nodes) for whole in kept()} == {"a" * 32: 8, "b" * 32: 2}


def test_only_the_shown_branch_is_sent(ask, environ):
    keep(environ, conversation("a" * 32, "Colours", "One.", "First.", "Two.", "Second."))
    in_vault(environ, lambda vault: vault.messages.save("a" * 32, (), f"{'a' * 32}-1"))
    backend = ScriptedBackend(["Third.", FINISHED])
    ask("Three.", "-c", backend=backend)
    assert asked(backend) == [("user", "One."), ("assistant", "First."), ("user", "Three.")]


def test_an_interrupted_answer_is_kept_as_cut_and_gone_on_with(ask, kept):
    assert ask("Tell me.", steps=["Half an ", "answer", interrupt, "", "never"]).exit_code == 130
    (whole,) = kept()
    assert texts(whole) == [("user", "Tell me.", "complete"), ("assistant", "Half an answer", "cut")]
    result = ask("--continue", steps=[" and the rest.", FINISHED])
    assert (result.exit_code, result.stdout) == (0, " and the rest.\n")
    (whole,) = kept()
    assert texts(whole)[1] == ("assistant", "Half an answer and the rest.", "complete")


def test_a_failed_answer_is_kept_with_its_failure(ask, kept):
    assert ask("Tell me.", steps=["Half", WorkerDiedError("The engine stopped.", "Ask again.")]).exit_code == 1
    (whole,) = kept()
    assert texts(whole)[1] == ("assistant", "Half", "failed")
    assert whole.nodes[1].error.code == "worker_died"
    ask("--continue", steps=[" whole.", FINISHED])
    assert texts(kept()[0])[1] == ("assistant", "Half whole.", "complete")


def test_without_a_prompt_there_must_be_something_to_go_on_with(ask, environ):
    keep(environ, conversation("a" * 32, "Colours", "Name a colour.", "Red."))
    result = ask("--continue")
    assert result.exit_code == 2
    assert "the last answer of this conversation is whole" in result.stderr


def test_no_keep_keeps_nothing(ask, home, kept, environ):
    result = ask("Hi", "--no-keep", "--json", steps=["Hello.", FINISHED])
    assert json.loads(result.stdout)["session"] is None
    assert not (home / "data" / "vault.db").exists()
    keep(environ, conversation("a" * 32, "Colours", "Name a colour.", "Red."))
    backend = ScriptedBackend(["Blue.", FINISHED])
    ask("Another.", "-c", "--no-keep", backend=backend)
    assert asked(backend)[0] == ("user", "Name a colour.")
    (whole,) = kept()
    assert len(whole.nodes) == 2


def test_without_keeping_a_request_is_noted_without_its_words(home_with_starter, environ):
    def notes():
        return in_vault(environ, lambda vault: vault.audit.notes())

    def ask(*args, steps=("Blue.", FINISHED)):
        session = NotedSession(environ, ScriptedBackend(steps))
        return CliRunner().invoke(cli, ["chat", *args], obj=session, prog_name="playground")

    assert ask("Name a colour.", "--no-keep").exit_code == 0
    assert not (home_with_starter / "data" / "vault.db").exists()
    assert ask("Name a colour.").exit_code == 0
    (kept,) = notes()
    assert kept.request is not None and kept.answer is not None
    for words, steps, outcome in (
        (("Another.", "--no-keep"), ("Red.", FINISHED), "finished"),
        (("Another.", "-c", "--no-keep"), ("Red.", FINISHED), "finished"),
        (("Another.", "--no-keep"), ("Half", WorkerDiedError("It stopped.")), "failed"),
        (("Another.", "--no-keep"), ("Half", interrupt, "", "never"), "stopped"),
    ):
        ask(*words, steps=steps)
        note = notes()[0]
        assert (note.outcome, note.request, note.answer) == (outcome, None, None)
    assert len(notes()) == 5


def test_a_locked_vault_is_not_asked_for_where_nothing_is_kept(home_with_starter, environ):
    async def lock(vault):
        await vault.set_passphrase("correct horse")

    in_vault(environ, lock)
    session = NotedSession(environ, ScriptedBackend(("Blue.", FINISHED)))
    result = CliRunner().invoke(cli, ["chat", "Hi", "--no-keep"], obj=session, prog_name="playground")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "Blue.\n", "")


def test_a_wrong_option_or_an_unknown_model_makes_no_vault(ask, home):
    assert ask("").exit_code == 2
    assert ask("Hi", "-m", "nobody").exit_code == 1
    assert ask("Hi", "-c", "--session", "x").exit_code == 2
    assert not (home / "data" / "vault.db").exists()


@pytest.mark.parametrize("args", [("--continue",), ("--session", "sea"), ("--continue", "--no-keep")])
def test_going_on_without_a_vault_is_one_line(ask, home, args):
    result = ask("Hi", *args)
    assert (result.exit_code, result.stdout, len(result.stderr.splitlines())) == (1, "", 1)
    assert "There is no vault yet" in result.stderr
    assert not (home / "data" / "vault.db").exists()


def test_going_on_where_nothing_is_kept_is_one_line(ask, environ):
    keep(environ)
    assert "There is no conversation to go on with." in ask("Hi", "-c").stderr
    assert "There is no session 'sea'." in ask("Hi", "--session", "sea").stderr


def test_a_locked_vault_does_not_stand_in_the_way_of_a_question(ask, environ):
    keep(environ, conversation("a" * 32, "Colours", "Name a colour.", "Red."))
    in_vault(environ, lambda vault: vault.set_passphrase("correct horse"))
    result = ask("Hi", "--json", steps=["Hello.", FINISHED])
    answer = json.loads(result.stdout)
    assert (result.exit_code, answer["answer"], answer["session"]) == (0, "Hello.", None)
    assert result.stderr.startswith("This conversation is not kept: The vault is locked.")
    assert len(result.stderr.splitlines()) == 1
    for args in (("-c",), ("--session", "Colours")):
        result = ask("Hi", *args)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith("playground: The vault is locked.")
    environ["PLAYGROUND_PASSPHRASE"] = "wrong"
    assert "not kept: PLAYGROUND_PASSPHRASE does not open" in ask("Hi", steps=["Hello.", FINISHED]).stderr
    environ["PLAYGROUND_PASSPHRASE"] = "correct horse"
    assert ask("Hi", "-c", steps=["Hello.", FINISHED]).exit_code == 0


def test_a_damaged_vault_does_not_either(ask, home, environ):
    keep(environ)
    (home / "data" / "vault.db").write_bytes(b"SQLite format 3\x00" + bytes(8176))
    result = ask("Hi", steps=["Hello.", FINISHED])
    assert (result.exit_code, result.stdout) == (0, "Hello.\n")
    assert "not kept" in result.stderr
    assert "plain, unencrypted SQLite" in result.stderr


def test_a_disk_that_fills_up_is_told_after_the_answer(ask, monkeypatch, kept):
    ask("First.", steps=["Good.", FINISHED])

    async def full(*args, **more):
        raise DiskFullError("The disk is full.", "Make room.")

    with monkeypatch.context() as patched:
        patched.setattr(Messages, "save", full)
        patched.setattr(Messages, "checkpoint", full)
        result = ask("Second.", "-c", "--json", steps=["Answered.", FINISHED])
    answer = json.loads(result.stdout)
    assert (result.exit_code, answer["answer"], answer["session"]) == (0, "Answered.", None)
    assert result.stderr == "This conversation is not kept: The disk is full. Make room.\n"
    assert len(kept()[0].nodes) == 2


def test_a_model_that_is_gone_is_replaced_and_said(ask, environ):
    keep(environ, conversation("a" * 32, "Colours", "Name a colour.", "Red.", model="gone\x1b"))
    backend = ScriptedBackend(["Blue.", FINISHED])
    result = ask("Another.", "-c", backend=backend)
    assert backend.requests[0].model == "smollm2-135m"
    assert result.stderr == "'gone\\x1b' answered before and is in no catalogue; another model goes on.\n"


def test_a_conversation_that_was_deleted_is_not_gone_on_with(ask, run_cli, environ):
    keep(environ, conversation("a" * 32, "Colours", "Name a colour.", "Red."))
    run_cli("sessions", "delete", "Colours")
    assert ask("Hi", "-c").exit_code == 1
    assert ask("Hi", "--session", "Colours").exit_code == 1


def test_an_earlier_image_or_thought_does_not_matter(ask, environ):
    from app.messages import Image, Message, Node, Text, Thinking
    from app.vault import Session, WholeSession

    question = Node(id="q", parent_id=None, message=Message("user", (Text("Look."), Image("image/png", b"x"))))
    answer = Node(id="a", parent_id="q", message=Message("assistant", (Thinking("Hm."), Text("Seen."))))
    keep(environ, WholeSession(Session(id="s", title="Odd", head_id="a"), (question, answer)))
    backend = ScriptedBackend(["Yes.", FINISHED])
    assert ask("And?", "-c", backend=backend).exit_code == 0
    assert asked(backend)[1:] == [("assistant", "Seen."), ("user", "And?")]


def test_the_first_answer_of_a_day_is_followed_by_a_backup(ask, run_cli, environ):
    for _ in range(2):
        assert ask("Hi", steps=["Hello.", FINISHED]).stderr == ""
        (made,) = json.loads(run_cli("backup", "list", "--json").stdout)
        assert (made["reason"], made["sessions"], made["messages"]) == ("daily", 1, 2)


def test_no_daily_backup_where_none_is_wanted(ask, run_cli, environ):
    environ["PLAYGROUND_VAULT__DAILY_BACKUP"] = "false"
    ask("Hi", steps=["Hello.", FINISHED])
    assert run_cli("backup", "list", "--json").stdout == "[]\n"


def test_a_daily_backup_that_cannot_be_made_is_one_line(ask, environ, tmp_path):
    environ["PLAYGROUND_VAULT__BACKUPS"] = str(tmp_path / "elsewhere")
    result = ask("Hi", steps=["Hello.", FINISHED])
    assert (result.exit_code, result.stdout) == (0, "Hello.\n")
    assert "Set a passphrase first" in result.stderr
    assert len(result.stderr.splitlines()) == 1
