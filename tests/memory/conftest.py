"""What memory's tests share: an open vault, an embedder of the real model, and conversations."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.engine.catalogues.catalogue import Catalogue, shipped
from app.engine.files.store import ModelStore
from app.engine.pool import ModelPool
from app.memory.embedding import PoolEmbedder
from app.messages import Message, Node
from app.privacy.connections import ConnectionPolicy
from app.settings import EngineSettings
from app.vault import Session, Vault, WholeSession
from tests.starter import EMBEDDING, MODELS


def conversation(name: str, *said: str, at: float = 1_750_000_000.0, **chosen: object) -> WholeSession:
    """A conversation in which the person and the model take turns."""
    nodes: list[Node] = []
    for place, text in enumerate(said):
        message = Message.assistant(text) if place % 2 else Message.user(text)
        parent = nodes[-1].id if nodes else None
        nodes.append(Node(id=f"{name}-{place}", parent_id=parent, message=message, created_at=at + place))
    session = Session(id=name, title=name, head_id=nodes[-1].id if nodes else None, **chosen)  # type: ignore[arg-type]
    return WholeSession(session, tuple(nodes))


@pytest.fixture
async def vault(tmp_path: Path) -> AsyncIterator[Vault]:
    folder = tmp_path / "data"
    folder.mkdir()
    made = Vault(folder, folder / "backups")
    await made.open()
    yield made
    await made.close()


@pytest.fixture
async def embedder(embedding_model: Path, tmp_path: Path) -> AsyncIterator[PoolEmbedder]:
    """The real model, in a worker process."""
    store = ModelStore(MODELS, ConnectionPolicy(local_only=True))
    pool = ModelPool(Catalogue.load([shipped()]), store, EngineSettings(), tmp_path)
    yield PoolEmbedder(pool, EMBEDDING)
    await pool.aclose()
