"""`playground chat` around a scripted answer: what is asked, what is printed, how it ends."""

import json
import os
import signal

import pytest

from app.errors import WorkerDiedError
from app.messages import ThinkingDelta

from .scripted import FINISHED, ScriptedBackend


@pytest.fixture
def ask(run_cli, home_with_starter):
    def run(*args, **more):
        return run_cli("chat", *args, **more)

    return run


def interrupt():
    os.kill(os.getpid(), signal.SIGINT)


def test_the_answer_is_printed_and_ends_with_a_newline(ask):
    result = ask("Name", "two", "colours.", steps=["Red", " and blue.", FINISHED])
    assert (result.exit_code, result.stdout, result.stderr) == (0, "Red and blue.\n", "")


def test_a_newline_of_the_models_own_is_not_doubled(ask):
    assert ask("Hi", steps=["Hello.\n", FINISHED]).stdout == "Hello.\n"


def test_options_become_the_request(ask, tmp_path):
    schema = tmp_path / "schema.json"
    schema.write_text('{"type": "object"}')
    backend = ScriptedBackend([FINISHED])
    numbers = ("--temperature", "0.5", "--top-p", "0.9", "--max-tokens", "7", "--seed", "3")
    texts = ("--system", "Short.", "--stop", "A", "--stop", "B", "--json-schema", str(schema))
    assert ask("Hi", *numbers, *texts, backend=backend).exit_code == 0
    (request,) = backend.requests
    assert [(message.role, message.text) for message in request.messages] == [("system", "Short."), ("user", "Hi")]
    sampling = request.sampling
    assert (sampling.temperature, sampling.top_p, sampling.max_tokens, sampling.seed) == (0.5, 0.9, 7, 3)
    assert sampling.stop == ("A", "B")
    assert request.response_format.json_schema == {"type": "object"}


@pytest.mark.parametrize(
    ("args", "piped", "asked"),
    [
        (["Review this."], b"a line\n", "Review this.\n\n```\na line\n```"),
        (["Review this."], b"```\ncode\n```\n", "Review this.\n\n````\n```\ncode\n```\n````"),
        ([], b"  Indented.\n", "  Indented."),
        (["Hi"], b"\n \n", "Hi"),
        (["Hi"], b"\xff", "Hi\n\n```\n�\n```"),
        (["Hi \udcff"], b"", "Hi �"),
    ],
)
def test_what_is_piped_in_is_asked_too(ask, args, piped, asked):
    backend = ScriptedBackend([FINISHED])
    assert ask(*args, piped=piped, backend=backend).exit_code == 0
    assert backend.requests[0].messages[-1].text == asked


@pytest.mark.parametrize("args", [(), ("",), ("  ", "\n")])
def test_an_empty_prompt_is_a_mistake_in_usage(ask, args):
    result = ask(*args)
    assert result.exit_code == 2
    assert "There is no prompt" in result.stderr


@pytest.mark.parametrize(
    "options",
    [("--temperature", "-1"), ("--top-p", "0"), ("--top-p", "1.1"), ("--max-tokens", "0"), ("--seed", "-1")],
)
def test_a_number_out_of_range_is_a_mistake_in_usage(ask, options):
    assert ask("Hi", *options).exit_code == 2


def test_a_schema_and_a_grammar_exclude_each_other(ask, tmp_path):
    assert ask("Hi", "--json-schema", str(tmp_path), "--grammar", str(tmp_path)).exit_code == 2


@pytest.mark.parametrize("content", [b"{", b"[1]", b"\xff", b"[" * 100_000])
def test_a_schema_that_cannot_be_understood_is_one_line(ask, tmp_path, content):
    schema = tmp_path / "schema.json"
    schema.write_bytes(content)
    result = ask("Hi", "--json-schema", str(schema))
    assert result.exit_code == 1
    assert "schema.json" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_file_that_is_not_there_is_named(ask, tmp_path):
    result = ask("Hi", "--grammar", str(tmp_path / "gone.gbnf"))
    assert result.exit_code == 1
    assert "gone.gbnf cannot be read" in result.stderr


def test_json_holds_everything_in_ascii(ask):
    result = ask("Hi", "--json", steps=[ThinkingDelta("Hm."), "Grün\x1b[2J", FINISHED])
    assert result.stdout.isascii()
    assert "\x1b" not in result.stdout
    answer = json.loads(result.stdout)
    assert answer["answer"] == "Grün\x1b[2J"
    assert answer["thinking"] == "Hm."
    assert answer["model"] == "smollm2-135m"
    assert answer["finish_reason"] == "stop"
    assert answer["usage"] == {"prompt_tokens": 9, "completion_tokens": 2, "cached_tokens": 0}
    assert answer["timings"] == {"time_to_first_token_s": 0.21, "tokens_per_second": 2.0}


def test_an_interrupt_keeps_what_came(ask):
    result = ask("Hi", steps=["Half an ", "answer", interrupt, "", "never"])
    assert (result.exit_code, result.stdout) == (130, "Half an answer\n")


def test_an_interrupt_keeps_what_came_in_json_too(ask):
    result = ask("Hi", "--json", steps=["Half", interrupt, "", "never"])
    assert result.exit_code == 130
    answer = json.loads(result.stdout)
    assert len(answer.pop("session")) == 32
    assert answer == {
        "model": "smollm2-135m",
        "answer": "Half",
        "thinking": None,
        "finish_reason": "cancelled",
    }


def test_an_error_comes_after_what_was_answered(ask):
    result = ask("Hi", steps=["Half", WorkerDiedError("The engine stopped.", "Ask again.")])
    assert (result.exit_code, result.stdout) == (1, "Half\n")
    assert result.stderr == "playground: The engine stopped. Ask again.\n"


def test_an_error_is_part_of_the_json(ask):
    result = ask("Hi", "--json", steps=["Half", WorkerDiedError("The engine stopped.", "Ask again.")])
    answer = json.loads(result.stdout)
    assert (result.exit_code, answer["answer"], answer["finish_reason"]) == (1, "Half", "error")
    assert answer["error"] == {"code": "worker_died", "message": "The engine stopped.", "remedy": "Ask again."}
    assert "The engine stopped." in result.stderr


@pytest.mark.parametrize("cut", range(1, 12))
def test_escapes_of_the_model_are_shown_wherever_they_are_split(ask, cut):
    text = "\x1b]52;c;aGk=\x07\r\n!"
    result = ask("Hi", steps=[text[:cut], text[cut:], FINISHED])
    assert result.stdout == "␛]52;c;aGk=␇\n!\n"


def test_an_unknown_model_names_those_that_are_spelt_alike(ask):
    result = ask("-m", "smollm2-135n", "Hi")
    assert result.exit_code == 1
    assert result.stderr.startswith("playground: No model is called 'smollm2-135n'. Did you mean smollm2-135m")


def test_local_only_refuses_the_download_in_one_line(run_cli):
    result = run_cli("--local-only", "chat", "Hi")
    assert result.exit_code == 1
    assert "Local-only mode is on" in result.stderr
    assert "Traceback" not in result.stderr
