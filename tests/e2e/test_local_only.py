"""Local-only mode, proved from outside: no packet, no call for the network, whatever the program is asked to do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping

import pexpect
import pytest

from tests.e2e.screen import ROOT, showing
from tests.e2e.watching import NEIGHBOUR, Network, network

CONTROL_Q = "\x11"
CATALOGUE = f"""
[endpoints.far]
kind = "openai"
url = "https://{NEIGHBOUR}/v1"
connect_s = 1.0
retries = 0

[endpoints.named]
kind = "anthropic"
url = "https://somewhere.invalid/v1"

[remote.cloud]
endpoint = "far"

[remote.named]
endpoint = "named"

[models.page]
source = "https://{NEIGHBOUR}/model.gguf"
size = 1000
licence = "none"

[models.hubbed]
source = "hf:owner/repository@main/model.gguf"
size = 1000
licence = "none"
"""
HUB = """
import sys
from app.privacy.connections import ConnectionPolicy
from app.privacy.guard import LocalOnlyGuard
LocalOnlyGuard(ConnectionPolicy(local_only=True)).install()
import huggingface_hub
from huggingface_hub.errors import OfflineModeIsEnabled
try:
    huggingface_hub.hf_hub_download("owner/repository", "file")
except Exception as error:
    sys.exit(f"stopped: {type(error).__name__}")
"""


@pytest.fixture
def watched(tmp_path) -> Iterator[Network]:
    with network(tmp_path / "watched") as opened:
        yield opened


@pytest.fixture
def at_home(home_with_starter, environ):
    (home_with_starter / "config").mkdir(exist_ok=True)
    (home_with_starter / "config" / "models.toml").write_text(CATALOGUE)
    return environ


def run(watched: Network, environ: Mapping[str, str], *command: str) -> tuple[int, str]:
    ended = subprocess.run(
        watched.watching(sys.executable, *command),
        env=environ,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )
    return ended.returncode, ended.stdout


def nothing_was_sent(watched: Network) -> None:
    assert watched.packets == 0
    assert watched.outward == []
    assert watched.sockets == []


REFUSED = {
    "a remote model": ("chat", "-m", "cloud", "Hello"),
    "a remote model by name": ("chat", "-m", "named", "Hello"),
    "a package": ("models", "pull", "qwen2.5-0.5b"),
    "a page": ("models", "pull", "page"),
    "the hub": ("models", "pull", "hubbed"),
}


def test_the_command_line_sends_nothing(watched, at_home):
    for what, command in REFUSED.items():
        status, said = run(watched, at_home, "-m", "app", "--local-only", *command)
        assert status == 1, (what, said)
        assert "Local-only mode is on" in said, (what, said)
    by_variable = {**at_home, "PLAYGROUND_LOCAL_ONLY": "1"}
    assert run(watched, by_variable, "-m", "app", "models", "list")[0] == 0
    status, said = run(watched, by_variable, "-m", "app", "chat", "--max-tokens", "4", "Say hi.")
    assert status == 0, said
    assert "local-only mode" in run(watched, by_variable, "-m", "app", "doctor")[1]
    assert "stopped: " in run(watched, by_variable, "-c", HUB)[1]
    nothing_was_sent(watched)


def test_the_terminal_interface_sends_nothing(watched, at_home):
    """A remote model is the default by mistake, then a local one is asked."""
    for model, seen in (("cloud", "Local-only"), ("smollm2-135m", "tok/s")):
        environ = {**at_home, "PLAYGROUND_LOCAL_ONLY": "1", "PLAYGROUND_MODEL": model}
        with showing(watched.watching(sys.executable, "-m", "app"), environ, 40, 120) as screen:
            screen.wait_for("Ask anything", 30)
            screen.press("/set max_tokens 8\r")
            screen.wait_for("Sampling", 20)
            screen.press("Hello there.\r")
            screen.wait_for(seen, 60)
            screen.press(CONTROL_Q)
            screen.program.expect(pexpect.EOF, timeout=20)
    nothing_was_sent(watched)


def test_the_watch_sees_what_is_sent_while_the_mode_is_off(watched, at_home):
    """The control: the same request, allowed to go."""
    status, said = run(watched, at_home, "-m", "app", "chat", "-m", "cloud", "Hello")
    assert status == 1, said
    assert "Local-only" not in said
    if watched.holder is not None:
        assert watched.packets > 0
    if watched.traced:
        assert any(NEIGHBOUR in line for line in watched.outward)
        assert watched.sockets
