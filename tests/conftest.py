"""What tests share: a fresh home, and the real starter model, fetched once."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A fresh PLAYGROUND_HOME."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def environ(home: Path) -> dict[str, str]:
    """An environment in which everything of ours lies under ``home``, and nothing of the developer's is seen."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PLAYGROUND_")}
    return {**kept, "PLAYGROUND_HOME": str(home)}


@pytest.fixture(scope="session")
def starter_model() -> Path:
    """The starter model's file, fetched through our own store into ``.cache`` of the checkout on the first run."""
    given = os.environ.get("PLAYGROUND_TEST_STARTER")
    if given:
        return Path(given)
    from app.engine.catalogue import Catalogue, shipped
    from app.engine.store import ModelStore
    from app.privacy.connections import ConnectionPolicy

    entry = Catalogue.load([shipped()]).get("smollm2-135m")
    store = ModelStore(REPOSITORY / ".cache" / "test-models", ConnectionPolicy(local_only=False))
    return asyncio.run(store.fetch(entry, lambda progress: None))
