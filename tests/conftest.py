"""What tests share: a fresh home, and the real starter model, fetched once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.starter import NAME, fetch


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
    return fetch()


@pytest.fixture
def home_with_starter(home: Path, starter_model: Path) -> Path:
    """A PLAYGROUND_HOME in which the starter model is installed already: a hard link, so it costs no time or room."""
    models = home / "models"
    (models / NAME).mkdir(parents=True)
    (models / "blobs").mkdir()
    blob = starter_model.resolve()
    (models / "blobs" / blob.name).hardlink_to(blob)
    (models / NAME / starter_model.name).symlink_to(Path("..") / "blobs" / blob.name)
    (models / NAME / "record.json").write_bytes((starter_model.parent / "record.json").read_bytes())
    return home
