"""What memory costs: recall among 100,000 and a million messages, opening its index, embedding.

Every message has words in a real distribution, as in the vault's benchmark, and a vector drawn between two real
sentences' vectors, with noise, so that neighbourhoods are as uneven as real ones; a million sentences are not embedded.
A recall is the whole of it: the question is embedded by the real model in its worker, sketches are searched, vectors
and texts are read from the encrypted vault, words are looked up, and the two lists are joined. Beside each time on the
clock stands the processors' time of this process and of the worker: a busy machine makes the clock's longer, that one
hardly. Embedding stands beside sentence-transformers, in turns, each as low in priority as the other, where
``scripts/test --extras`` has set that up.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import report
from vault import Words, fill

sys.path.insert(0, str(report.REPOSITORY))
from app.engine.catalogues.catalogue import Catalogue, shipped
from app.engine.files.store import ModelStore
from app.engine.hardware import cores
from app.engine.pool import ModelPool
from app.memory.embedding import PoolEmbedder
from app.memory.index import Index, kept
from app.memory.recall import Recall
from app.privacy.connections import ConnectionPolicy
from app.settings import EngineSettings
from app.vault import Vault
from tests.extras.names import TORCH_EMBEDDING as PEER_MODEL
from tests.memory.chatter import chatter
from tests.starter import EMBEDDING, MODELS, fetch

AT_ONCE = 20_000
QUESTIONS = 200
EXACT = 50
EXTRAS = report.REPOSITORY / ".venv-extras" / "bin" / "python"
PEER = Path(__file__).with_name("memory_peer.py")


def arguments() -> argparse.Namespace:
    parser = report.arguments_of("memory")
    parser.add_argument("--messages", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--sentences", type=int, default=500, help="how many are embedded to measure the rate")
    parser.add_argument("--rounds", type=int, default=3, help="of embedding, on each side")
    return parser.parse_args()


async def give_vectors(vault: Vault, real: Any, chance: Any) -> None:
    """A vector and a sketch for every message: between two real ones, with noise."""
    ids: list[str] = await vault.database.read(
        lambda connection: [row[0] for row in connection.execute("SELECT id FROM messages ORDER BY number")]
    )
    for start in range(0, len(ids), AT_ONCE):
        some = ids[start : start + AT_ONCE]
        share = chance.random((len(some), 1), np.float32)
        first, second = (real[chance.integers(0, len(real), len(some))] for _ in range(2))
        noise = chance.standard_normal((len(some), real.shape[1]), np.float32) * 0.03
        mixed = first * share + second * (1 - share) + noise
        pieces = kept(mixed / np.linalg.norm(mixed, axis=1, keepdims=True))

        def write(connection: Any, some: list[str] = some, pieces: Any = pieces, start: int = start) -> None:
            connection.executemany(
                "INSERT INTO vectors (number, model, source, source_id, piece, text_sha256, vector, created_at)"
                " VALUES (?, ?, 'message', ?, 0, x'00', ?, 0)",
                [(start + place + 1, EMBEDDING, some[place], piece.vector) for place, piece in enumerate(pieces)],
            )
            connection.executemany(
                "INSERT INTO sketches (model, vector, sketch) VALUES (?, ?, ?)",
                [(EMBEDDING, start + place + 1, piece.sketch) for place, piece in enumerate(pieces)],
            )

        await vault.database.write(write)


async def agreement(vault: Vault, index: Index, questions: Any) -> float:
    """The share of the ten truly nearest that the index finds among its first ten."""
    numbers = np.empty((len(questions), 0), np.int64)
    alike = np.empty((len(questions), 0), np.float32)
    for start in range(0, len(index), AT_ONCE):
        found = await vault.vectors.vectors(range(start + 1, min(start + AT_ONCE, len(index)) + 1))
        some = np.frombuffer(b"".join(vector for _, vector in found), np.float32).reshape(len(found), -1)
        numbers = np.hstack([numbers, np.tile([number for number, _ in found], (len(questions), 1))])
        alike = np.hstack([alike, questions @ some.T])
        best = np.argsort(-alike, axis=1)[:, :10]
        numbers, alike = np.take_along_axis(numbers, best, 1), np.take_along_axis(alike, best, 1)
    right = 0
    for vector, exact in zip(questions, numbers, strict=True):
        right += len(set(exact.tolist()) & {each.number for each in await index.nearest(vector, 10)})
    return right / (10 * len(questions))


class Processors:
    """Seconds of the processors' time that this process and the workers that run when this is made have taken."""

    def __init__(self) -> None:
        self._workers = psutil.Process().children(recursive=True)

    def __call__(self) -> float:
        times = [worker.cpu_times() for worker in self._workers]
        return time.process_time() + sum(each.user + each.system for each in times)


async def made(vault: Vault, messages: int, real: Any) -> None:
    """Messages and vectors. Nothing here needs to survive a loss of power, so it is not waited for."""
    for pragma in ("synchronous = OFF", "cache_size = -262144"):
        await vault.database.exclusively(lambda connection, pragma=pragma: connection.execute(f"PRAGMA {pragma}"))  # type: ignore[misc]
    await fill(vault, Words(), max(1, messages // 50), messages)
    await give_vectors(vault, real, np.random.default_rng(messages))


async def at_size(messages: int, embedder: PoolEmbedder, real: Any, questions: list[str]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        vault = Vault(Path(folder), Path(folder) / "backups")
        await vault.open()
        began = time.perf_counter()
        await made(vault, messages, real)
        print(f"{messages:,} messages made in {time.perf_counter() - began:.0f} s", flush=True)
        await vault.close()  # a fresh start, with nothing in the caches of the connections
        await vault.open()
        opened = []
        for _ in range(3):
            index = Index(vault, embedder.model)
            began = time.perf_counter()
            await index.follow()
            opened.append(time.perf_counter() - began)
        figures = {
            "index_open_s": round(report.median(opened), 3),
            "index_open_first_s": round(opened[0], 3),
            "index_bytes_a_vector": real.shape[1] // 8 + 8,
            **await recalls(vault, embedder, index, questions),
        }
        await vault.close()
    print(f"{messages:,} messages: {figures}", flush=True)
    return figures


async def recalls(vault: Vault, embedder: PoolEmbedder, index: Index, questions: list[str]) -> dict[str, Any]:
    """How long a recall takes, and its parts; parts overlap in the whole."""
    recall = Recall(vault, embedder, index)
    parts: dict[str, list[float]] = {"whole": [], "embedding": [], "nearest": [], "texts": [], "words": []}
    await embedder.embed(questions[:1])
    processors = Processors()
    taken = processors()
    for question in questions:
        began = time.perf_counter()
        await recall.search(question)
        parts["whole"].append(1000 * (time.perf_counter() - began))
    taken = processors() - taken
    vectors = []
    for question in questions:
        times = [time.perf_counter()]
        vectors.append((await embedder.embed([question]))[0])
        times.append(time.perf_counter())
        near = await index.nearest(vectors[-1], 120)
        times.append(time.perf_counter())
        await vault.recollections.of_vectors([each.number for each in near])
        times.append(time.perf_counter())
        await vault.recollections.by_words(question, least=0.4)
        times.append(time.perf_counter())
        for place, name in enumerate(("embedding", "nearest", "texts", "words")):
            parts[name].append(1000 * (times[place + 1] - times[place]))
    figures: dict[str, Any] = {
        "load": round(os.getloadavg()[0], 1),
        "whole_processors_mean_ms": round(1000 * taken / len(questions), 2),
        "ten_nearest_found": round(await agreement(vault, index, np.array(vectors[:EXACT])), 4),
    }
    for name, taken_ms in parts.items():
        figures[f"{name}_median_ms"] = round(report.median(taken_ms), 2)
        figures[f"{name}_p95_ms"] = round(report.percentile(taken_ms, 0.95), 2)
    return figures


async def rates(embedder: PoolEmbedder, sentences: list[str], rounds: int, peer_model: Path | None) -> dict[str, Any]:
    """Sentences a second by the clock, and by the processors' time; the best of some rounds on each side, in turns."""
    ours, theirs = [], []
    processors = Processors()
    peer = None if peer_model is None else Peer(peer_model, sentences)
    for _ in range(rounds):
        began, taken = time.perf_counter(), processors()
        await embedder.embed(sentences)
        ours.append((time.perf_counter() - began, processors() - taken))
        if peer is not None:
            theirs.append(await asyncio.to_thread(peer.embed))
    figures: dict[str, Any] = {"load": round(os.getloadavg()[0], 1)}
    for name, times in (("ours", ours), ("sentence_transformers", theirs)):
        figures[f"{name}_a_second"] = round(len(sentences) / min(time for time, _ in times), 1) if times else None
        figures[f"{name}_a_processor_second"] = round(len(sentences) / min(t for _, t in times), 1) if times else None
    if peer is None:
        print("sentence-transformers is not here to compare with: `scripts/test --extras` sets it up")
    else:
        peer.close()
        figures["ratio"] = round(min(time for time, _ in theirs) / min(time for time, _ in ours), 2)
    return figures


class Peer:
    """sentence-transformers in a process of its own, with the same sentences, as low in priority as our worker."""

    def __init__(self, model: Path, sentences: list[str]) -> None:
        self._process = subprocess.Popen(
            [EXTRAS, PEER, model.parent, str(cores())], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._ask("\x1f".join(sentence.replace("\n", " ") for sentence in sentences))

    def embed(self) -> tuple[float, float]:
        """Embeds all; gives seconds by the clock, and of the processors' time."""
        clock, processors = self._ask("go").split()
        return float(clock), float(processors)

    def _ask(self, line: str) -> str:
        given, told = self._process.stdin, self._process.stdout
        assert given is not None
        assert told is not None
        given.write(line + "\n")
        given.flush()
        answer = told.readline()
        if not answer:
            raise RuntimeError("sentence-transformers ended; what it said stands above")
        return answer

    def close(self) -> None:
        """Ends it."""
        self._process.communicate(timeout=30)


async def main(chosen: argparse.Namespace, peer_model: Path | None) -> None:
    sentences = list(chatter(max(1000, chosen.sentences)))
    with tempfile.TemporaryDirectory() as logs:
        store = ModelStore(MODELS, ConnectionPolicy(local_only=True))
        pool = ModelPool(Catalogue.load([shipped()]), store, EngineSettings(), Path(logs))
        embedder = PoolEmbedder(pool, EMBEDDING)
        real = await embedder.embed(sentences[:1000])
        embedding = await rates(embedder, sentences[: chosen.sentences], chosen.rounds, peer_model)
        figures: dict[str, Any] = {"embedding": embedding}
        print(f"embedding: {figures['embedding']}", flush=True)
        words = Words(seed=2)
        questions = [f"What did I say about {words.text(3)} and {sentences[number]}?" for number in range(QUESTIONS)]
        figures["recall"] = {}
        for messages in chosen.messages:
            figures["recall"][str(messages)] = await at_size(messages, embedder, real, questions)
        await pool.aclose()
    report.write(chosen.json, figures)


if __name__ == "__main__":
    report.end_in_order()
    arguments_chosen = arguments()
    fetch(EMBEDDING)
    asyncio.run(main(arguments_chosen, fetch(PEER_MODEL) if EXTRAS.exists() else None))
