"""What a request costs without inference: a canned backend behind the whole of our server, gate and metering included.

Each request goes over one kept connection after the one before it is answered; the time is that from its first byte
sent to its last byte received, client included.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import report

REQUESTS = 2000
WARM_UP = 200
TARGET_MS = 1.0
_LIMITED = """[access]
requests_per_minute_per_key = 1000000000
tokens_per_minute = 1000000000000
"""


def measure(ask: Callable[..., dict[str, Any]], folder: Path) -> dict[str, dict[str, float]]:
    """Milliseconds, p50 and p99, of plain and streamed answers, and of plain ones with limits on.

    Args:
        ask: the client.
        folder: for homes of servers.
    """
    found = {}
    for name, settings, stream in (("plain", "", False), ("streamed", "", True), ("with limits", _LIMITED, False)):
        taken = _taken(ask, folder / name.replace(" ", "-"), settings, stream)
        found[name] = {
            "p50": round(report.percentile(taken, 0.5) * 1000, 3),
            "p99": round(report.percentile(taken, 0.99) * 1000, 3),
        }
    return found


def show(overhead: dict[str, dict[str, float]]) -> None:
    """Prints what ``measure`` found."""
    print(f"\nOverhead of a request without inference, ms (p50 wanted: {TARGET_MS:g} at most)")
    for name, found in overhead.items():
        print(f"  {name:12} p50 {found['p50']:.3f}  p99 {found['p99']:.3f}")


def _taken(ask: Callable[..., dict[str, Any]], home: Path, settings: str, stream: bool) -> list[float]:
    (home / "config").mkdir(parents=True)
    (home / "config" / "playground.toml").write_text(settings)
    server = subprocess.Popen(
        [sys.executable, str(Path(__file__).parent / "contestant_canned.py")],
        env={**os.environ, "PLAYGROUND_HOME": str(home)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdin is not None and server.stdout is not None
    try:
        where = json.loads(server.stdout.readline())
        body = json.dumps(
            {
                "model": "canned",
                "messages": [{"role": "user", "content": "Say something."}],
                "stream": stream,
                "temperature": 0.5,
                "max_tokens": 64,
            }
        )
        asked = {"path": "/v1/chat/completions", "body": body, **where}
        ask(times=WARM_UP, **asked)
        seconds: list[float] = ask(times=REQUESTS, **asked)["seconds"]
        return seconds
    finally:
        server.stdin.close()
        server.wait()


if __name__ == "__main__":
    from tempfile import TemporaryDirectory

    from server_client_process import Client

    client = Client()
    with TemporaryDirectory() as folder_name:
        show(measure(client.ask, Path(folder_name)))
    client.close()
