"""Texts into vectors: the real worker with the real models, what it gives, whom it lets pass, and how it fails."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import random
import shutil
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio

from app.engine.catalogues.catalogue import Catalogue, shipped
from app.engine.embeddings import Embeddings
from app.engine.files.store import ModelStore
from app.engine.frames import LoadOptions
from app.engine.pool import ModelPool
from app.engine.process.log import WorkerLog
from app.engine.process.worker_process import WorkerProcess
from app.errors import EngineError, ModelLoadError, WorkerDiedError
from app.privacy.connections import ConnectionPolicy
from app.settings import EngineSettings
from tests.starter import EMBEDDING, MODELS, NAME

pytestmark = pytest.mark.asyncio(loop_scope="module")

REFERENCES = Path(__file__).parent / "references" / "minilm.json"
MANY = [f"The harbour number {number} lies quiet, {'and gulls cry, ' * (number % 9)}in rain." for number in range(900)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool(embedding_model: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ModelPool]:
    """One pool for all, so that the model is loaded once."""
    store = ModelStore(MODELS, ConnectionPolicy(local_only=True))
    pool = ModelPool(Catalogue.load([shipped()]), store, EngineSettings(), tmp_path_factory.mktemp("logs"))
    yield pool
    await pool.aclose()


def rows(found: Embeddings) -> Any:
    return np.frombuffer(found.vectors, np.float32).reshape(-1, found.dimensions)


def cosines(one: Any, two: Any) -> Any:
    return (one * two).sum(axis=1) / np.linalg.norm(one, axis=1) / np.linalg.norm(two, axis=1)


async def worker_of(pool: ModelPool) -> WorkerProcess:
    await pool.load(EMBEDDING)
    worker = pool._slots[EMBEDDING].worker
    assert worker is not None
    return worker


async def test_vectors_are_those_of_sentence_transformers(pool: ModelPool) -> None:
    known = json.loads(REFERENCES.read_text("utf-8"))
    texts = [text * times for text, times in zip(known["texts"], known["repeated"], strict=True)]
    wanted = np.stack([np.frombuffer(base64.b64decode(text), "<f2").astype(np.float32) for text in known["vectors"]])
    found = await pool.embed(EMBEDDING, texts)
    assert found.dimensions == 384
    assert len(found) == len(texts) == 5
    agreement = cosines(rows(found), wanted)
    assert agreement[[0, 1, 2, 4]].min() >= 0.999
    assert agreement[3] >= 0.995  # no word at all: there the weights' rounding to 8 bits weighs most
    assert np.allclose(np.linalg.norm(rows(found), axis=1), 1, atol=1e-5)
    # The last is 722 tokens long, of which the model reads 256.
    assert found.truncated == (4,)
    assert found.tokens == 9 + 17 + 14 + 2 + 256
    assert list(found[0]) == rows(found)[0].tolist()


async def test_a_vector_does_not_depend_on_what_is_embedded_beside_it(pool: ModelPool) -> None:
    texts = random.Random(1).sample(MANY, 60)
    together = rows(await pool.embed(EMBEDDING, texts))
    alone = np.concatenate([rows(await pool.embed(EMBEDDING, [text])) for text in texts[:5]])
    assert np.allclose(together[:5], alone, atol=1e-4)
    backwards = rows(await pool.embed(EMBEDDING, texts[::-1]))
    assert np.allclose(together, backwards[::-1], atol=1e-4)


async def test_nothing_to_embed_is_no_vectors(pool: ModelPool) -> None:
    found = await pool.embed(EMBEDDING, [])
    assert (len(found), found.dimensions, found.tokens, found.vectors) == (0, 384, 0, b"")
    with pytest.raises(IndexError):
        found[0]


async def test_a_very_long_text_is_cut_and_said_so(pool: ModelPool) -> None:
    long = "A lighthouse keeper counts his cats. " * 100_000
    found = await pool.embed(EMBEDDING, ["short", long, " " * 3_000_000])
    assert found.truncated == (1, 2)
    beginning = await pool.embed(EMBEDDING, [long[:5000]])
    assert beginning.truncated == (0,)
    assert np.allclose(rows(found)[1], rows(beginning)[0], atol=1e-4)


async def test_any_text_has_a_vector(pool: ModelPool) -> None:
    strange = ["", " ", "\x00", "\ud800", "\U0001f600" * 50, "\u202e\u200b", "x" * 5000, "[CLS] [SEP] [PAD]"]
    found = rows(await pool.embed(EMBEDDING, strange))
    assert np.isfinite(found).all()
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


async def test_one_text_passes_by_a_large_request(pool: ModelPool) -> None:
    large = asyncio.create_task(pool.embed(EMBEDDING, MANY))
    await asyncio.sleep(0.2)
    for _ in range(3):
        assert len(await pool.embed(EMBEDDING, ["What did the keeper count?"])) == 1
    assert not large.done()
    large.cancel()
    await asyncio.gather(large, return_exceptions=True)


async def test_cancelling_stops_the_work_between_two_batches(pool: ModelPool) -> None:
    worker = await worker_of(pool)
    large = asyncio.create_task(pool.embed(EMBEDDING, MANY))
    while not (await worker.status()).running:
        await asyncio.sleep(0.01)
    large.cancel()
    await asyncio.gather(large, return_exceptions=True)
    assert not (await worker.status()).running
    assert not worker.open_requests
    assert len(await pool.embed(EMBEDDING, ["again"])) == 1


async def test_a_worker_killed_at_work_is_told_of_and_replaced(pool: ModelPool) -> None:
    worker = await worker_of(pool)
    large = asyncio.create_task(pool.embed(EMBEDDING, MANY))
    while not (await worker.status()).running:
        await asyncio.sleep(0.01)
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    with pytest.raises(WorkerDiedError, match="SIGKILL while it answered"):
        await large
    assert len(await pool.embed(EMBEDDING, ["again"])) == 1
    assert (await worker_of(pool)).pid != worker.pid


async def test_a_model_of_another_role_is_refused_by_name(pool: ModelPool) -> None:
    with pytest.raises(EngineError, match="smollm2-135m is for chat, not for embedding") as caught:
        await pool.embed(NAME, ["x"])
    assert EMBEDDING in caught.value.remedy


# Opening


async def load(path: Path, tmp_path: Path, **options: Any) -> WorkerProcess:
    worker = WorkerProcess("model", LoadOptions(path=str(path), role="embed", **options), WorkerLog(tmp_path / "log"))
    await worker.load()
    return worker


@pytest.mark.parametrize("kind", ["garbage", "empty", "half", "no tokenizer", "garbage tokenizer"])
async def test_files_that_are_not_a_model_are_refused_in_words(
    embedding_model: Path, tmp_path: Path, kind: str
) -> None:
    path, tokenizer = tmp_path / "model.onnx", tmp_path / "tokenizer.json"
    whole = embedding_model.read_bytes()
    content = {"garbage": random.Random(1).randbytes(100_000), "empty": b"", "half": whole[: len(whole) // 2]}
    path.write_bytes(content.get(kind, whole))
    if kind == "garbage tokenizer":
        tokenizer.write_bytes(b'{"model": 3}')
    elif kind != "no tokenizer":
        shutil.copy(embedding_model.with_name("tokenizer.json"), tokenizer)
    with pytest.raises(ModelLoadError, match=r"model\.onnx|tokenizer\.json") as caught:
        await load(path, tmp_path)
    assert "Fetch" in caught.value.remedy or "fetch" in caught.value.remedy or "cannot be used" in caught.value.message


async def test_a_gguf_model_embeds_too(starter_model: Path, tmp_path: Path) -> None:
    worker = await load(starter_model, tmp_path, context=64, gpu_layers=0, device="cpu")
    try:
        texts = ["A cat sits on the mat.", "A kitten rests on the rug.", "", "Interest rates rose again. " * 200]
        found = await worker.embed(texts)
        assert found.dimensions == worker.loaded.dimensions == 576
        assert "mean of all tokens" in worker.loaded.warnings[0]
        assert found.truncated == (3,)
        vectors = rows(found)
        assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
        assert vectors[0] @ vectors[1] > vectors[0] @ vectors[3] + 0.05
        alone = rows(await worker.embed(texts[:1]))
        assert cosines(alone, vectors[:1]).min() > 0.999
    finally:
        await worker.aclose()
