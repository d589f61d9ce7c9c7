"""``playground serve``, as a person starts it, and the server's end."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time

import httpx
import openai
import pytest

from app.errors import SettingsError
from app.server.serving import listen, loopback
from tests.starter import NAME

from .scripted import ScriptedBackend, served, services_of

SERVE = (sys.executable, "-m", "app", "serve", "--port", "0")
SCRIPT = """
import openai
client = openai.OpenAI()
model = client.models.list().data[0].id
answer = client.chat.completions.create(model=model, messages=[{"role": "user", "content": "Say hello."}], max_tokens=8)
print(len(answer.choices[0].message.content), model)
"""


class Started:
    """The program, started, and the lines that it printed."""

    def __init__(self, environ, *arguments):
        self.process = subprocess.Popen(
            (*SERVE, *arguments), env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        lines = [self.process.stdout.readline().strip() for _ in range(4)]
        self.lines = dict(line.removeprefix("export ").split("=", 1) for line in lines)

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        _out, errors = self.process.communicate(timeout=20)
        return self.process.returncode, errors


def test_a_new_user_pastes_the_lines_and_a_six_line_script_gets_an_answer(home_with_starter, environ):
    started = Started(environ)
    try:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/v1", started.lines["OPENAI_BASE_URL"])
        assert set(started.lines) == {
            "OPENAI_BASE_URL",
            "OPENAI_API_KEY",
            "ANTHROPIC_BASE_URL",
            "ANTHROPIC_API_KEY",
        }
        script = subprocess.run(
            [sys.executable, "-c", SCRIPT], env={**os.environ, **started.lines}, capture_output=True, text=True
        )
        assert script.returncode == 0, script.stderr
        assert script.stdout.split()[1] == NAME
        refused = httpx.get(f"{started.lines['OPENAI_BASE_URL']}/models")
        assert refused.status_code == 401
    finally:
        code, errors = started.stop()
    assert code == 0, errors
    # The next start shows a key that works, too; the first still does.
    again = Started(environ)
    try:
        for key in (again.lines["OPENAI_API_KEY"], started.lines["OPENAI_API_KEY"]):
            with openai.OpenAI(base_url=again.lines["OPENAI_BASE_URL"], api_key=key, max_retries=0) as client:
                assert [model.id for model in client.models.list()] == [NAME]
        with (
            openai.OpenAI(base_url=again.lines["OPENAI_BASE_URL"], api_key="wrong", max_retries=0) as client,
            pytest.raises(openai.AuthenticationError),
        ):
            client.models.list()
    finally:
        again.stop()


def test_without_keys_it_stays_on_this_machine(environ):
    refused = subprocess.run((*SERVE, "--no-auth", "--host", "0.0.0.0"), env=environ, capture_output=True, text=True)
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    started = Started(environ, "--no-auth")
    try:
        assert httpx.get(f"{started.lines['OPENAI_BASE_URL']}/models").json()["data"] == []
    finally:
        assert started.stop()[0] == 0


def test_a_taken_port_is_a_sentence():
    with listen("127.0.0.1", 0) as taken, pytest.raises(SettingsError, match="cannot listen"):
        listen("127.0.0.1", taken.getsockname()[1])


@pytest.mark.parametrize(
    ("host", "only_here"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("[::1]", True), ("0.0.0.0", False), ("example", False)],
)
def test_loopback(host, only_here):
    assert loopback(host) is only_here


@pytest.mark.parametrize("seconds", [0.3, 30.0])
async def test_the_end_gives_streams_time_and_then_cuts_them(seconds):
    backend = ScriptedBackend(["begun", seconds, "ended"])
    body = {"model": "scripted", "messages": [{"role": "user", "content": "?"}], "stream": True}

    async def read(address, began):
        async with (
            httpx.AsyncClient(timeout=30) as http,
            http.stream("POST", f"{address}/v1/chat/completions", json=body) as answer,
        ):
            text = ""
            try:
                async for part in answer.aiter_text():
                    text += part
                    began.set()
            except httpx.RemoteProtocolError:
                text += "<cut>"
            return text

    began = asyncio.Event()
    async with served(services_of(backend)) as address:
        reading = asyncio.ensure_future(read(address, began))
        await began.wait()
        ending = time.monotonic()
    assert time.monotonic() - ending < 5
    text = await reading
    assert ("ended" in text) == (seconds < 1)
    assert backend.running == 0
