"""sentence-transformers as a worker: the same vectors as ONNX Runtime's, and how fast each is."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
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
from tests.memory.in_process import InProcess
from tests.starter import EMBEDDING

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]


def rows(found: Embeddings) -> Any:
    return np.frombuffer(found.vectors, np.float32).reshape(-1, found.dimensions)


async def test_both_embedders_agree_on_a_thousand_sentences(pool: ModelPool) -> None:
    texts = sentences()
    ours, theirs = await pool.embed(EMBEDDING, texts), await pool.embed(TORCH_EMBEDDING, texts)
    assert ours.dimensions == theirs.dimensions == 384
    assert ours.tokens == theirs.tokens, "they split texts alike"
    agreement = (rows(ours) * rows(theirs)).sum(axis=1)
    print(f"cosine: least {agreement.min():.7f}, mean {agreement.mean():.7f}, of {len(texts)} sentences")
    assert len(texts) == 1000
    assert agreement.min() >= 0.999


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


@pytest.fixture
def worker(embedding_model: Path) -> Iterator[InProcess]:
    made = InProcess(embedding_model)
    yield made
    made.close()


async def test_onnx_is_no_slower_than_sentence_transformers(worker: InProcess, library: Any) -> None:
    """The worker's code beside the library's own ``encode`` as it comes, in turns, the best of three each.

    By the clock, which on a busy machine measures the others: there it is only told.
    """
    texts = list(sentences(200))

    def seconds(work: Callable[[], object]) -> float:
        began = time.perf_counter()
        work()
        return time.perf_counter() - began

    works = (lambda: worker.vectors(texts), lambda: library.encode(texts, normalize_embeddings=True))
    for work in works:
        work()
    rounds = [[seconds(work) for work in works] for _ in range(3)]
    ours, theirs = (len(texts) / min(each) for each in zip(*rounds, strict=True))
    busy = os.getloadavg()[0]
    told = f"ONNX {ours:.0f}, sentence-transformers {theirs:.0f}, ratio {ours / theirs:.2f}, load {busy:.1f}"
    print(f"sentences a second: {told}")
    if ours < theirs and busy > cores():
        pytest.skip(f"the machine is busy; sentences a second: {told}")
    assert ours >= theirs


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
