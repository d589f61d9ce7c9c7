"""The proxies of the router benchmark: ours as a person starts it, and LiteLLM's in an environment of its own."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import report
from server_contestants import Server, ours

LITELLM = "1.106.0"
"""The version that is measured; it never shares an environment with this program."""
_START_S = 120.0
TRANSFORMS = 20


def models_toml(port: int, transforms: int) -> str:
    """The catalogue: one endpoint, and so many transforms of its requests and answers."""
    rules = "".join(
        f'[[endpoints.canned.transforms]]\non = "{("request", "response", "both")[number % 3]}"\n'
        + (
            f'replace = "word{number}-(\\\\d+)"\nby = "w\\\\1"\n'
            if number % 2
            else f'drop = "$.metadata.field{number}"\n'
        )
        for number in range(transforms)
    )
    return (
        f'[endpoints.canned]\nkind = "openai"\nurl = "http://127.0.0.1:{port}/v1"\nkey = "env:BENCH_KEY"\n'
        f"redact = false\n{rules}\n"
        '[remote.canned]\nendpoint = "canned"\nmodel = "m1"\n'
    )


def playground(home: Path, port: int, transforms: int = 0) -> Server:
    """``playground serve`` with a key of its vault, before the provider at ``port``."""
    (home / "config").mkdir(parents=True)
    (home / "config" / "models.toml").write_text(models_toml(port, transforms))
    os.environ["BENCH_KEY"] = "bench"
    settings = "[privacy]\nlocal_only = false\n"
    server = ours(home, "canned", settings)
    server.name = f"ours, {transforms} transforms" if transforms else "ours"
    return server


def litellm(home: Path, port: int) -> Server:
    """LiteLLM's proxy with a master key, as lean as its documentation makes it: no database, no telemetry."""
    environment = report.REPOSITORY / ".cache" / f"litellm-{LITELLM}"
    program = environment / "bin" / "litellm"
    if not program.exists():
        print(f"installing litellm {LITELLM} into {environment}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
        pip = [str(environment / "bin" / "pip"), "install", "--quiet", f"litellm[proxy]=={LITELLM}"]
        subprocess.run(pip, check=True)
    home.mkdir(parents=True)
    key, own = f"sk-{secrets.token_hex(16)}", _free_port()
    config = home / "config.yaml"
    config.write_text(
        "model_list:\n- model_name: canned\n  litellm_params:\n    model: openai/m1\n"
        f"    api_base: http://127.0.0.1:{port}/v1\n    api_key: bench\n"
        f"litellm_settings:\n  telemetry: false\n  num_retries: 0\ngeneral_settings:\n  master_key: {key}\n"
    )
    kept = {"PATH": os.environ["PATH"], "HOME": str(home), "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    log = home / "litellm.log"
    with log.open("wb") as words:
        process = subprocess.Popen(
            [str(program), "--config", str(config), "--host", "127.0.0.1", "--port", str(own), "--num_workers", "1"],
            env={**kept, "LITELLM_LOG": "ERROR", "LITELLM_MODE": "PRODUCTION", "NO_DOCS": "True"},
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
            start_new_session=True,
            text=True,
        )
    until = time.monotonic() + _START_S
    while not _answers(own):
        if process.poll() is not None or time.monotonic() > until:
            os.killpg(process.pid, signal.SIGKILL)
            raise RuntimeError(f"litellm did not start: {log.read_text()[-2000:]}")
        time.sleep(0.3)
    return Server("litellm", process, own, "canned", key)


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/liveliness", timeout=2) as found:
            return bool(found.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
