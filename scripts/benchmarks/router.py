"""What our server adds when it passes requests to a model elsewhere, beside LiteLLM's proxy before the same provider.

A provider with canned answers is asked directly, through ours, through ours with 20 transforms, and through LiteLLM's
proxy, in turns within each round. Requests come at 50 a second on a kept connection; then streams, whose chunks carry
the moment of their sending; then 32 connections ask as fast as they are answered. What is added is the difference to
the same percentile of asking directly.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import report
import router_contestants as contestants
from server_contestants import Server

RATE = 50.0
TIMES = 250
STREAMS = 8
CLIENTS = 32
BUSY_S = 4.0
_PATH = "/v1/chat/completions"
TARGETS = {"p50_ms": 1.0, "p99_ms": 5.0, "chunk_p50_ms": 0.5, "transforms_ms": 2.0, "share": 0.2, "times": 5.0}


class Client:
    """The client's process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).parent / "router_client.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._read()

    def ask(self, server: Server, way: str, **how: Any) -> Any:
        """What one contestant did, in one of the ways of ``router_client``."""
        text = "Say something of about sixteen words, please; word7-42 is no name. " * 4
        asked = {
            "model": server.model,
            "messages": [{"role": "system", "content": "Be short."}, {"role": "user", "content": text}],
            "temperature": 0.5,
            "max_tokens": 64,
            "stream": way == "streamed",
        }
        assert self._process.stdin is not None
        body = json.dumps(asked)
        line = {"way": way, "port": server.port, "key": server.key, "path": _PATH, "body": body, **how}
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()
        return self._read()["found"]

    def _read(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the client ended")
        return json.loads(line)

    def close(self) -> None:
        """Ends it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def measure(client: Client, servers: list[Server], rounds: int) -> dict[str, dict[str, float]]:
    """Milliseconds and requests a second of each; the first round warms up and is not counted."""
    paced: dict[str, list[float]] = {server.name: [] for server in servers}
    chunks: dict[str, list[float]] = {server.name: [] for server in servers}
    busy: dict[str, list[float]] = {server.name: [] for server in servers}
    for turn in range(rounds + 1):
        order = servers[turn % len(servers) :] + servers[: turn % len(servers)]
        for server in order:
            found = client.ask(server, "paced", times=TIMES if turn else 50, rate=RATE)
            delays = client.ask(server, "streamed", times=STREAMS if turn else 1)
            rate = client.ask(server, "busy", clients=CLIENTS, seconds=BUSY_S if turn else 1.0)
            if turn:
                paced[server.name] += found
                chunks[server.name] += delays
                busy[server.name].append(rate)
        print(f"round {turn} of {rounds}" + ("" if turn else ", which is not counted"), flush=True)
    return {
        name: {
            "p50_ms": report.percentile(paced[name], 0.5) * 1000,
            "p99_ms": report.percentile(paced[name], 0.99) * 1000,
            "chunk_p50_ms": report.percentile(chunks[name], 0.5) * 1000,
            "chunk_p99_ms": report.percentile(chunks[name], 0.99) * 1000,
            "requests_s": report.median(busy[name]),
        }
        for name in paced
    }


def added(found: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """What each adds to asking directly, and how it stands to LiteLLM."""
    direct = found["direct"]
    more = {
        name: {what: own[what] - direct[what] for what in own if what.endswith("_ms")}
        | {"requests_s": own["requests_s"]}
        for name, own in found.items()
        if name != "direct"
    }
    peer = more.get("litellm")
    if peer is not None:
        for own in more.values():
            own["share_of_litellm"] = own["p50_ms"] / peer["p50_ms"]
            own["times_its_requests"] = own["requests_s"] / peer["requests_s"]
    return more


def show(found: dict[str, dict[str, float]], more: dict[str, dict[str, float]]) -> None:
    """Prints a table, and what was wanted."""
    print(f"\n{'':22}{'p50':>9}{'p99':>9}{'chunk p50':>11}{'chunk p99':>11}{'requests/s':>12}")
    for name, own in found.items():
        times = f"{own['p50_ms']:9.3f}{own['p99_ms']:9.3f}{own['chunk_p50_ms']:11.3f}{own['chunk_p99_ms']:11.3f}"
        print(f"{name:22}{times}{own['requests_s']:12.0f}")
    print("\nadded to asking directly, ms")
    for name, own in more.items():
        times = f"{own['p50_ms']:9.3f}{own['p99_ms']:9.3f}{own['chunk_p50_ms']:11.3f}{own['chunk_p99_ms']:11.3f}"
        beside = (
            f"  {own['share_of_litellm']:.3f} of litellm's, {own['times_its_requests']:.1f} times its requests/s"
            if name != "litellm" and "share_of_litellm" in own
            else ""
        )
        print(f"{name:22}{times}{beside}")
    print(
        f"\nwanted: p50 ≤ {TARGETS['p50_ms']:g}, p99 ≤ {TARGETS['p99_ms']:g}, chunk p50 ≤ {TARGETS['chunk_p50_ms']:g},"
        f" with transforms p50 ≤ {TARGETS['transforms_ms']:g} ms; ≤ {TARGETS['share']:g} of litellm's p50,"
        f" ≥ {TARGETS['times']:g} times its requests/s"
    )


def main() -> None:
    parser = report.arguments_of("router")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--without-litellm", action="store_true", help="measure ours alone")
    chosen = parser.parse_args()
    report.end_in_order()
    provider = subprocess.Popen(
        [sys.executable, str(Path(__file__).parent / "router_provider.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert provider.stdin is not None and provider.stdout is not None
    running: list[Server] = []
    try:
        port = int(provider.stdout.readline())
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            running.append(contestants.playground(folder / "ours", port))
            running.append(contestants.playground(folder / "transforms", port, contestants.TRANSFORMS))
            if not chosen.without_litellm:
                running.append(contestants.litellm(folder / "litellm", port))
            client = Client()
            direct = Server("direct", provider, port, "m1", "bench")
            found = measure(client, [direct, *running], chosen.rounds)
            client.close()
            more = added(found)
            show(found, more)
            report.write(chosen.json, {"figures": found, "added": more, "litellm": contestants.LITELLM})
            for server in running:
                server.stop()
            running.clear()
    finally:
        for server in running:
            server.stop()
        provider.stdin.close()
        provider.wait(10)


if __name__ == "__main__":
    main()
