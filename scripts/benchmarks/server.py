"""The server beside its peers, over HTTP: tokens a second and time to the first of them at 1, 4 and 16 streams.

Ours is ``playground serve``, the whole of it: gate, key, vault, metering. The peers are llama.cpp's own server code and
``python -m llama_cpp.server``. One client, in a process of its own, sends all three the same bytes; they take turns
within each round, and each round begins with the next one. No answer may end before it has all of its tokens, so every
contestant does the same work. Then the cost of a request without inference, answered by a canned backend.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import report
import server_contestants as contestants
import server_overhead
import workload
from server_client_process import Client
from server_contestants import Server

sys.path.insert(0, str(report.REPOSITORY))
from tests.starter import MODELS, NAME, fetch

STREAMS = (1, 4, 16)
PATH = "/v1/chat/completions"
_REST_S = 1.0
_TARGETS = {"llama.cpp": {1: 1.0, 4: 1.05, 16: 1.05}, "llama_cpp.server": {4: 1.5, 16: 1.5}}

Found = dict[str, float]


def body(model: str, number: int) -> str:
    """A request; its number makes its prompt one that nobody has computed before."""
    question = f"Log book {number}. {workload.question(number)}"
    return json.dumps(
        {
            "model": model,
            "messages": [{"role": "system", "content": workload.SYSTEM}, {"role": "user", "content": question}],
            "max_tokens": workload.TOKENS,
            "temperature": 0,
            "stream": True,
        }
    )


def measure(client: Client, server: Server, streams: int, first: int) -> Found:
    """One run of one contestant: tokens a second of all streams together, median seconds to the first text."""
    time.sleep(_REST_S)
    bodies = [body(server.model, first + number) for number in range(streams)]
    found = client.ask(port=server.port, path=PATH, key=server.key, bodies=bodies)["streams"]
    early = [stream for stream in found if stream["reason"] != "length"]
    if early:
        raise RuntimeError(f"{server.name}: {len(early)} of {streams} answers ended early: {early[0]}")
    seconds = max(stream["end_s"] for stream in found)
    return {
        "tokens_s": streams * workload.TOKENS / seconds,
        "first_s": report.median([stream["first_s"] for stream in found]),
    }


def rounds_of(
    client: Client, servers: list[Server], rounds: int, counts: Sequence[int]
) -> dict[int, list[dict[str, Found]]]:
    """What each contestant did in each round, by the number of streams; a first round is not counted."""
    taken: dict[int, list[dict[str, Found]]] = {count: [] for count in counts}
    number = 1000
    for turn in range(rounds + 1):
        for streams in counts:
            order = servers[turn % len(servers) :] + servers[: turn % len(servers)]
            found = {server.name: measure(client, server, streams, number) for server in order}
            number += streams
            if turn:
                taken[streams].append(found)
            said = "  ".join(
                f"{server.name} {found[server.name]['tokens_s']:6.1f} ({found[server.name]['first_s'] * 1000:5.0f} ms)"
                for server in servers
            )
            print(f"  round {turn}, {streams:2} streams: {said}", flush=True)
    return taken


def summed_up(taken: dict[int, list[dict[str, Found]]]) -> list[dict[str, Any]]:
    """Medians of each contestant, and of our ratio to each within a round."""
    rows = []
    for streams, found in taken.items():
        row: dict[str, Any] = {"streams": streams}
        for name in found[0]:
            speed, first = ([one[name][what] for one in found] for what in ("tokens_s", "first_s"))
            row[name] = {"tokens_s": round(report.median(speed), 1), "first_ms": round(report.median(first) * 1000, 1)}
            if name != "ours":
                ratio = report.median([one["ours"]["tokens_s"] / one[name]["tokens_s"] for one in found])
                row[name] |= {"ratio": round(ratio, 3), "wanted": _TARGETS[name].get(streams)}
        rows.append(row)
    return rows


def show(rows: list[dict[str, Any]]) -> None:
    print("\nTokens a second of all streams, and milliseconds to the first text (median)")
    for row in rows:
        print(f"  {row['streams']} streams")
        for name, found in row.items():
            if name == "streams":
                continue
            line = f"    {name:17} {found['tokens_s']:7.1f} tokens/s  {found['first_ms']:8.1f} ms"
            if "ratio" in found:
                wanted = f"wanted {found['wanted']:.2f}" if found["wanted"] else "no target"
                line += f"   ours is x {found['ratio']:.3f} ({wanted})"
            print(line)


def main() -> None:
    parser = report.arguments_of("server")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--streams", type=int, nargs="+", default=STREAMS, help="how many at once")
    parser.add_argument(
        "--even",
        action="store_true",
        help="the peers give way to other programs as our worker does, for a machine that is busy meanwhile",
    )
    chosen = parser.parse_args()
    report.end_in_order()
    model = fetch()
    client = Client()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        shutil.copytree(MODELS, home / "models", symlinks=True)
        servers: list[Server] = []
        try:
            servers.append(contestants.ours(home, NAME))
            servers.append(contestants.llamacpp(model, gives_way=chosen.even))
            servers.append(contestants.llama_cpp_python(model, gives_way=chosen.even))
            rows = summed_up(rounds_of(client, servers, chosen.rounds, chosen.streams))
        finally:
            for server in servers:
                server.stop()
        overhead = server_overhead.measure(client.ask, Path(folder) / "canned")
        client.close()
    show(rows)
    server_overhead.show(overhead)
    report.write(chosen.json, {"rounds": chosen.rounds, "even": chosen.even, "speed": rows, "overhead_ms": overhead})


if __name__ == "__main__":
    main()
