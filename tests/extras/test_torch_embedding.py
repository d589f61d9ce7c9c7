"""sentence-transformers as a worker: the same vectors as ONNX Runtime's but for rounding, and how fast each is."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.engine.embeddings import Embeddings
from app.engine.frames import LoadOptions
from app.engine.hardware import cores
from app.engine.pool import ModelPool
from app.engine.worker.embed import open_embedder
from app.errors import ModelLoadError
from tests.extras.names import TORCH_EMBEDDING
from tests.extras.sentences import sentences
from tests.starter import EMBEDDING

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]


def rows(found: Embeddings) -> Any:
    return np.frombuffer(found.vectors, np.float32).reshape(-1, found.dimensions)


async def test_both_embedders_agree_on_a_thousand_sentences(pool: ModelPool) -> None:
    """Weights of 8 bits move one sentence of this thousand to 0.9987; the others stay at 0.999 and above."""
    texts = sentences()
    ours, theirs = await pool.embed(EMBEDDING, texts), await pool.embed(TORCH_EMBEDDING, texts)
    assert ours.dimensions == theirs.dimensions == 384
    assert ours.tokens == theirs.tokens, "they split texts alike"
    agreement = (rows(ours) * rows(theirs)).sum(axis=1)
    below = int((agreement < 0.999).sum())
    print(f"cosine: least {agreement.min():.5f}, mean {agreement.mean():.5f}; {below} of {len(texts)} below 0.999")
    assert len(texts) == 1000
    assert agreement.mean() >= 0.9995
    assert below <= 2
    assert agreement.min() >= 0.998


@pytest.fixture(scope="module")
def library(torch_embedding_model: Path) -> Any:
    """The model in sentence-transformers itself, without anything of ours."""
    import sentence_transformers
    import torch

    torch.set_num_threads(cores())
    parts = sentence_transformers.sentence_transformer.modules
    transformer = parts.Transformer(str(torch_embedding_model.parent), max_seq_length=256)
    return sentence_transformers.SentenceTransformer(modules=[transformer, parts.Pooling(384)], device="cpu")


async def test_it_gives_what_the_library_gives_by_itself(pool: ModelPool, library: Any) -> None:
    texts = ["", "A cat.", "The old lighthouse keeper walked slowly along the beach. " * 3, "Füße, naïve 日本語 🙂"]
    wanted = library.encode(texts, normalize_embeddings=True)
    found = rows(await pool.embed(TORCH_EMBEDDING, texts))
    assert (found * wanted).sum(axis=1).min() >= 0.99999


async def test_a_long_text_is_cut_and_told(pool: ModelPool) -> None:
    found = await pool.embed(TORCH_EMBEDDING, ["short", "word " * 1000, "another"])
    assert found.truncated == (1,)
    assert found.tokens == 3 + 256 + 3


async def test_onnx_is_no_slower_than_sentence_transformers(pool: ModelPool, library: Any) -> None:
    """Beside the library's own ``encode`` as it comes, alternating. Judged on a quiet machine alone.

    PyTorch's threads wait by turning and ours by sleeping, so that other programs' work slows ours more.
    """
    busy = os.getloadavg()[0]
    texts = sentences(300)

    async def seconds(work: Callable[[], Awaitable[Any]]) -> float:
        began = time.perf_counter()
        await work()
        return time.perf_counter() - began

    works: tuple[Callable[[], Awaitable[Any]], ...] = (
        lambda: pool.embed(EMBEDDING, texts),
        lambda: asyncio.to_thread(library.encode, list(texts), normalize_embeddings=True),
        lambda: pool.embed(TORCH_EMBEDDING, texts),
    )
    for work in works:
        await work()
    rounds = [[await seconds(work) for work in works] for _ in range(4)]
    ours, theirs, worker = (len(texts) / min(each) for each in zip(*rounds, strict=True))
    print(
        f"sentences a second: ONNX {ours:.0f}, sentence-transformers {theirs:.0f}, as our worker {worker:.0f}; "
        f"ratio {ours / theirs:.2f}"
    )
    if busy > cores() / 2:
        pytest.skip(f"the machine is busy (load {busy:.1f}); measured {ours / theirs:.2f} of sentence-transformers")
    assert ours / theirs >= 1.0


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "tokenizer_config.json"])
async def test_a_missing_file_is_named(torch_embedding_model: Path, tmp_path: Path, name: str) -> None:
    model = tmp_path / "m" / "model.safetensors"
    shutil.copytree(torch_embedding_model.parent, model.parent, symlinks=False)
    model.with_name(name).unlink()
    with pytest.raises(ModelLoadError, match=name):
        open_embedder(LoadOptions(path=str(model), role="embed"), lambda fraction: None)


async def test_a_broken_file_is_refused_with_the_reason(torch_embedding_model: Path, tmp_path: Path) -> None:
    model = tmp_path / "m" / "model.safetensors"
    shutil.copytree(torch_embedding_model.parent, model.parent, symlinks=False)
    model.unlink()
    model.write_bytes(b"\x10\0\0\0\0\0\0\0no tensors here at all")
    with pytest.raises(ModelLoadError, match=r"model\.safetensors of m"):
        open_embedder(LoadOptions(path=str(model), role="embed"), lambda fraction: None)
