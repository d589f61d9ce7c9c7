"""A new user pastes what `playground serve` prints into a shell, and a six-line Python script gets an answer."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.cli.scripted import PLAYGROUND

OPENAI = """\
from openai import OpenAI
client = OpenAI()
answer = client.chat.completions.create(
    model="smollm2-135m", max_tokens=16, messages=[{"role": "user", "content": "What is the capital of France?"}]
)
print(answer.choices[0].message.content)
"""
ANTHROPIC = """\
from anthropic import Anthropic
client = Anthropic()
answer = client.messages.create(
    model="smollm2-135m", max_tokens=16, messages=[{"role": "user", "content": "What is the capital of France?"}]
)
print(answer.content[0].text, answer.stop_reason)
"""


@pytest.fixture
def environ(environ, home_with_starter):
    """What a new user has: the starter model, and no keys of anybody's."""
    return {name: value for name, value in environ.items() if not name.startswith(("OPENAI_", "ANTHROPIC_"))}


class Serving:
    """The program as it runs, and the lines that it printed."""

    def __init__(self, environ, *arguments):
        command = [*PLAYGROUND, "serve", "--port", "0", *arguments]
        self.process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.lines = [self.process.stdout.readline() for _ in range(4)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        self.rest, self.errors = self.process.communicate(timeout=20)


def pasted(shell, lines, script, environ):
    """What a shell says after these lines and `python script.py` have been pasted into it."""
    typed = "".join(lines) + f'"{sys.executable}" script.py\n'
    # Not from our checkout: a user's script is somewhere else.
    folder = Path(environ["PLAYGROUND_HOME"])
    (folder / "script.py").write_text(script, encoding="utf-8")
    return subprocess.run(
        [shell], input=typed, env=environ, cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )


def test_the_printed_lines_pasted_into_a_shell_answer_six_line_scripts(environ):
    assert all(len(script.splitlines()) == 6 for script in (OPENAI, ANTHROPIC))
    with Serving(environ) as serving:
        for shell, script in (("bash", OPENAI), ("sh", ANTHROPIC)):
            found = pasted(shutil.which(shell) or "sh", serving.lines, script, environ)
            assert found.returncode == 0, found.stderr
            assert found.stdout.strip()
        # Without them, nothing answers.
        assert pasted(shutil.which("sh"), (), OPENAI, environ).returncode != 0
    assert serving.process.returncode == 0
    assert serving.rest == ""
    assert "This key is new" in serving.errors
    assert "Traceback" not in serving.errors


def told(serving):
    return dict(line.strip().removeprefix("export ").split("=", 1) for line in serving.lines)


def test_the_printed_key_chats_and_embeds_and_administers_nothing(environ):
    for words in ("This key is new", "This key opens until the server ends"):
        with Serving(environ) as serving:
            lines = told(serving)
            address, key = lines["ANTHROPIC_BASE_URL"], lines["OPENAI_API_KEY"]
            assert (lines["OPENAI_BASE_URL"], lines["ANTHROPIC_API_KEY"]) == (f"{address}/v1", key)
            with httpx.Client(base_url=address, headers={"authorization": f"Bearer {key}"}, timeout=60) as client:
                asked = {"model": "smollm2-135m", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 2}
                assert client.post("/v1/chat/completions", json=asked).status_code == 200
                # Let in: what is missing is the model.
                assert (
                    client.post("/v1/embeddings", json={"model": "all-minilm-l6-v2", "input": "a"}).status_code == 404
                )
                for method, path in (("GET", "/keys"), ("POST", "/keys"), ("GET", "/users"), ("GET", "/sessions")):
                    refused = client.request(method, path)
                    assert (refused.status_code, path) == (403, path)
        assert words in serving.errors
        assert key not in serving.errors
    # A key that was for one run opens no other.
    with Serving(environ) as again:
        stale = httpx.get(f"{told(again)['OPENAI_BASE_URL']}/models", headers={"authorization": f"Bearer {key}"})
        assert stale.status_code == 401
