"""The servers of the server benchmark: each a process of its own, on loopback, asking for a key."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import workload

HERE = Path(__file__).parent
_GIVES_WAY = 'echo 5 >/proc/self/autogroup; exec nice -n 5 "$@"'
"""What our worker does to itself: see ``app/engine/worker/__main__.py``."""


class Server:
    """A server that runs.

    Attributes:
        name: of the contestant.
        process: the server itself.
    """

    def __init__(self, name: str, process: subprocess.Popen[str], port: int, model: str, key: str) -> None:
        self.name, self.process, self.port, self.model, self.key = name, process, port, model, key

    def stop(self) -> None:
        """Ends it as Ctrl-C does; kills it when that is not enough."""
        self.process.send_signal(signal.SIGINT)
        if self.process.stdin is not None:
            self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def ours(home: Path, model: str, settings: str = "") -> Server:
    """``playground serve`` as a person starts it, with a key of the vault.

    Args:
        home: a home in which the model is installed.
        model: its name.
        settings: of ``playground.toml``.
    """
    (home / "config").mkdir(exist_ok=True)
    (home / "config" / "playground.toml").write_text(settings)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PLAYGROUND_")}
    words = home / "serve.log"
    with words.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "serve", "--port", "0"],
            env={**kept, "PLAYGROUND_HOME": str(home)},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdout is not None
    lines = [process.stdout.readline().strip() for _ in range(4)]
    printed = dict(line.removeprefix("export ").split("=", 1) for line in lines if "=" in line)
    if len(printed) < len(lines):
        process.kill()
        raise RuntimeError(f"playground serve ended with status {process.wait()}: {words.read_text()[-2000:]}")
    port = int(printed["OPENAI_BASE_URL"].rpartition(":")[2].partition("/")[0])
    return Server("ours", process, port, model, printed["OPENAI_API_KEY"])


def llamacpp(model: Path, *, gives_way: bool = False) -> Server:
    """llama.cpp's server code, from the ``xllamacpp`` wheel."""
    key = secrets.token_hex(16)
    process = subprocess.Popen(
        _command([str(HERE / "contestant_llamacpp.py"), str(model), key], gives_way),
        start_new_session=gives_way,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("{"):
            return Server("llama.cpp", process, int(json.loads(line)["address"].rpartition(":")[2]), "m", key)
    raise RuntimeError(f"the llama.cpp server ended with status {process.wait()}")


def llama_cpp_python(model: Path, *, gives_way: bool = False) -> Server:
    """``python -m llama_cpp.server``, set up as well as it can be.

    By default it keeps the logits of every token, cuts an answer when another request comes, and has flash attention
    off; all that would only slow it down or spoil its answers.
    """
    import psutil

    key, port = secrets.token_hex(16), _free_port()
    threads = str(psutil.cpu_count(logical=False))
    options = {
        "model": str(model),
        "model_alias": "m",
        "host": "127.0.0.1",
        "port": str(port),
        "api_key": key,
        "n_ctx": str(workload.CONTEXT),
        "n_threads": threads,
        "n_threads_batch": threads,
        "logits_all": "false",
        "flash_attn": "true",
        "interrupt_requests": "false",
        "verbose": "false",
    }
    arguments = [word for name, value in options.items() for word in (f"--{name}", value)]
    process = subprocess.Popen(
        _command(["-m", "llama_cpp.server", *arguments], gives_way),
        start_new_session=gives_way,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    _wait_for(process, port)
    return Server("llama_cpp.server", process, port, "m", key)


def _command(arguments: list[str], gives_way: bool) -> list[str]:
    command = [sys.executable, *arguments]
    return ["sh", "-c", _GIVES_WAY, "sh", *command] if gives_way else command


def _free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return int(tried.getsockname()[1])


def _wait_for(process: subprocess.Popen[str], port: int, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"python -m llama_cpp.server ended with status {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    process.kill()
    raise RuntimeError(f"python -m llama_cpp.server did not listen within {seconds:g} s")
