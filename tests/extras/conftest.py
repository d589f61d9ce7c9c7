"""What the tests of the extras share. They run in an environment of their own: ``scripts/test --extras``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from app.engine.catalogues.catalogue import Catalogue, ModelEntry, shipped
from app.engine.files.store import ModelStore
from app.engine.pool import ModelPool
from app.privacy.connections import ConnectionPolicy
from app.settings import EngineSettings
from tests.conftest import install
from tests.extras.names import TORCH_EMBEDDING, TORCH_SPEECH
from tests.starter import fetch

collect_ignore_glob: list[str] = []
try:
    import torch  # noqa: F401 - whether it is here
except ImportError:
    # Without the extras there is nothing to test; `scripts/test --extras` has them.
    collect_ignore_glob = ["test_torch_*.py"]


@pytest.fixture(scope="session")
def torch_embedding_model() -> Path:
    """MiniLM as it is published; fetched as the starter is."""
    return fetch(TORCH_EMBEDDING)


@pytest.fixture(scope="session")
def whisper_checkpoint(speech_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Whisper base as OpenAI's checkpoint, made of the weights that we have."""
    from app.engine.worker.whisper_weights import write_checkpoint

    target = tmp_path_factory.mktemp("whisper") / "base.pt"
    write_checkpoint(speech_model, target)
    return target


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def pool(
    embedding_model: Path,
    torch_embedding_model: Path,
    speech_model: Path,
    whisper_checkpoint: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[ModelPool]:
    """The engine, with the models of the extras beside those that they are compared with."""
    home = tmp_path_factory.mktemp("home")
    for model in (embedding_model, torch_embedding_model, speech_model):
        install(home, model)
    entry = ModelEntry(name=TORCH_SPEECH, role="transcribe", source=f"path:{whisper_checkpoint}")
    store = ModelStore(home / "models", ConnectionPolicy(local_only=True))
    await store.fetch(entry, lambda progress: None)
    catalogue = Catalogue.load([shipped()]).with_entry(entry)
    pool = ModelPool(catalogue, store, EngineSettings(), tmp_path_factory.mktemp("logs"))
    yield pool
    await pool.aclose()
