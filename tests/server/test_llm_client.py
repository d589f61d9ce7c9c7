"""``llm``, a program written for OpenAI's server, with its setting for others that speak like it; unmodified."""

import asyncio
import json
import os
import subprocess
import sys

import pytest
import yaml

from app.messages import Finished, ToolCallDelta, Usage

from .scripted import ScriptedBackend, served, services_of
from .whole import KEY, MODEL, whole_server

MODELS = {"scripted": {}, "scripted-whole": {"can_stream": False}, "scripted-tools": {"supports_tools": True}}


@pytest.fixture
def llm(tmp_path):
    """Runs ``llm`` with arguments against an address; gives what it printed."""

    def run(address, *arguments, key="none", name="scripted"):
        listed = [
            {
                "model_id": own,
                "model_name": name,
                "api_base": f"{address}/v1",
                "api_key_name": "playground",
                **more,
            }
            for own, more in MODELS.items()
        ]
        (tmp_path / "extra-openai-models.yaml").write_text(yaml.safe_dump(listed))
        (tmp_path / "keys.json").write_text(json.dumps({"playground": key}))
        environ = {name: value for name, value in os.environ.items() if "API_KEY" not in name}
        done = subprocess.run(
            [sys.executable, "-m", "llm", *arguments],
            env={**environ, "LLM_USER_PATH": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=60,
            stdin=subprocess.DEVNULL,
        )
        return done.returncode, done.stdout.strip(), done.stderr

    return run


@pytest.mark.parametrize(("model", "streams"), [("scripted", True), ("scripted-whole", False)])
async def test_it_asks_and_prints_the_answer(llm, model, streams):
    backend = ScriptedBackend(["Hello", " there", "."])
    async with served(services_of(backend)) as address:
        code, out, errors = await asyncio.to_thread(
            llm, address, "-m", model, "-s", "Be kind.", "-o", "seed", "7", "Hi"
        )
    assert (code, out) == (0, "Hello there."), errors
    (asked,) = backend.requests
    assert [message.role for message in asked.messages] == ["system", "user"]
    assert asked.sampling.seed == 7
    assert backend.running == 0


async def test_its_conversations_go_on(llm):
    backend = ScriptedBackend(["Hello."])
    async with served(services_of(backend)) as address:
        await asyncio.to_thread(llm, address, "-m", "scripted", "My name is Ada.")
        code, out, errors = await asyncio.to_thread(llm, address, "-c", "What is it?")
    assert (code, out) == (0, "Hello."), errors
    assert [message.role for message in backend.requests[1].messages] == ["user", "assistant", "user"]


async def test_it_counts_what_was_used(llm):
    backend = ScriptedBackend(["Hello.", Finished("stop", Usage(9, 2, 4))])
    async with served(services_of(backend)) as address:
        for model in ("scripted", "scripted-whole"):
            code, _out, errors = await asyncio.to_thread(llm, address, "-m", model, "-u", "Hi")
            assert code == 0
            assert "9 input, 2 output" in errors


async def test_it_calls_its_tools(llm):
    def steps(request):
        if request.messages[-1].role == "user":
            return [ToolCallDelta(0, '{"x": 20, "y": 22}', "call_1", "add"), Finished("tool_calls", Usage(9, 2))]
        return [f"It is {request.messages[-1].parts[0].text}."]

    backend = ScriptedBackend(steps)
    function = "def add(x: int, y: int) -> int:\n    return x + y"
    async with served(services_of(backend)) as address:
        code, out, errors = await asyncio.to_thread(
            llm, address, "-m", "scripted-tools", "--functions", function, "Add 20 and 22."
        )
    assert code == 0, errors
    assert len(backend.requests) == 2
    assert "42" in out


@pytest.mark.parametrize(("key", "works"), [(KEY, True), ("a-wrong-key-that-is-long", False)])
def test_its_key_opens_and_a_wrong_one_is_its_own_error(llm, tmp_path, key, works):
    with whole_server(tmp_path / "whole", gated=True) as running:
        code, out, errors = llm(running.address, "-m", "scripted", "Hi", key=key, name=MODEL)
    assert (code == 0) is works
    assert ("Hello there." in out) is works
    assert ("401" in errors) is not works
