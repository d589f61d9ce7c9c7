"""What the tests of the cache and of the notes share: a real vault, and a backend that says what a test wrote down."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from app.messages import Delta
from app.routing.answering import Answering
from app.vault import Vault
from tests.redis_server import redis_server


@pytest.fixture
async def vault(tmp_path: Path) -> AsyncIterator[Vault]:
    folder = tmp_path / "data"
    folder.mkdir()
    made = Vault(folder, folder / "backups")
    await made.open()
    yield made
    await made.close()


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


async def answer(router: Answering, request) -> list[Delta]:
    async with aclosing(router.stream(request)) as deltas:
        return [delta async for delta in deltas]


def open_vault(vault: Vault):
    return lambda: vault if vault.database.is_open else None
