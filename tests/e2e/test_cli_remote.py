"""The real program with remote models in its owner's models.toml, asked at the command line."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from tests.backends.provider import Answer, Provider, provider
from tests.routing.scripted import endpoint

ROOT = Path(__file__).parents[2]
KEY = "planted-key-0123456789"
OTHER = "another-key-9876543210"
GONE = endpoint("gone", url="http://127.0.0.1:9/v1", key="env:TEST_KEY", cooldown_s=1)


@pytest.fixture
def chat(home, environ):
    """Runs ``playground chat`` with a models.toml of the test's; gives its exit status, output and errors."""

    async def run(toml: str, *args: str, before: tuple[str, ...] = (), key: str | None = KEY) -> tuple[int, str, str]:
        (home / "config").mkdir(exist_ok=True)
        (home / "config" / "models.toml").write_text(toml)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "app", *before, "chat", *args),
            env={**environ, **({"TEST_KEY": key} if key else {})},
            cwd=ROOT,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(60):
            output, errors = await process.communicate()
        assert KEY not in (output + errors).decode()
        return process.returncode or 0, output.decode(), errors.decode()

    return run


def remote(there: Provider, more: str = "") -> str:
    return (
        endpoint("cloud", kind="anthropic", url=there.url("anthropic"), key="env:TEST_KEY")
        + f'[remote."org/claude:4"]\nendpoint = "cloud"\nmodel = "claude-4"\naliases = ["claude"]\n{more}'
    )


async def test_a_remote_model_answers_by_any_of_its_names_and_the_conversation_goes_on(chat):
    async with provider(key=KEY) as there:
        assert await chat(remote(there), "-m", "claude", "Hello") == (0, "Hello there!\n", "")
        assert there.chats[0].path == "/v1/messages" and there.chats[0].body["model"] == "claude-4"
        status, output, _ = await chat(remote(there), "--continue", "--json", "And now?")
        said = json.loads(output)
        assert (status, said["answer"], said["model"]) == (0, "Hello there!", "org/claude:4")
        assert [message["role"] for message in there.chats[1].body["messages"]] == ["user", "assistant", "user"]
        assert not there.running


async def test_another_remote_model_answers_and_standard_error_says_so(chat):
    async with provider(key=KEY) as there:
        toml = GONE + remote(there) + '[remote.gpt]\nendpoint = "gone"\nfallback = ["claude"]\n'
        status, output, errors = await chat(toml, "-m", "gpt", "Hello")
        assert (status, output) == (0, "Hello there!\n")
        assert errors.startswith("gpt cannot answer, so org/claude:4 is asked: ") and errors.count("\n") == 1
        _, output, _ = await chat(toml, "-m", "gpt", "--json", "Hello")
        said = json.loads(output)
        assert said["model"] == "org/claude:4" and said["instead_of"]["model"] == "gpt" and said["instead_of"]["reason"]


async def test_the_local_model_answers_when_the_remote_one_is_down(chat, home_with_starter):
    toml = GONE + '[remote.gpt]\nendpoint = "gone"\nfallback = ["smollm2-135m"]\n'
    status, output, errors = await chat(toml, "-m", "gpt", "--temperature", "0", "--max-tokens", "20", "Say hello.")
    assert status == 0 and output.strip()
    assert errors.startswith("gpt cannot answer, so smollm2-135m is asked: ")


async def test_an_answer_that_breaks_off_is_kept_as_far_as_it_came(chat):
    async with provider(Answer(text=("One ", "two ", "three"), dies_after=4), key=KEY) as there:
        status, output, errors = await chat(remote(there), "-m", "claude", "Count.")
        assert status == 1 and output.startswith("One") and "broke while it answered" in errors


async def test_what_cannot_be_is_told_in_a_sentence(chat):
    async with provider(key=KEY) as there:
        status, output, errors = await chat(remote(there), "-m", "claude", "Hello", key=None)
        assert (status, output) == (1, "") and "TEST_KEY" in errors and "Traceback" not in errors
        status, output, errors = await chat(remote(there), "-m", "claude", "Hello", key=OTHER)
        assert (status, output) == (1, "") and OTHER not in errors and "Traceback" not in errors
        far = remote(there).replace("127.0.0.1", "192.0.2.1").replace("[remote", "verify = false\n[remote", 1)
        status, output, errors = await chat(far, "-m", "claude", "Hello", before=("--local-only",))
        assert (status, output) == (1, "") and "Local-only mode is on, so org/claude:4 was not asked" in errors
        status, output, errors = await chat(remote(there).replace("env:TEST_KEY", KEY), "-m", "claude", "Hello")
        assert status == 1 and "[endpoints.cloud]: `key` is not a reference" in errors and "Traceback" not in errors
