"""Downloads against a real server: cut anywhere and continued, changed on the way, refused, out of room, cancelled."""

import asyncio
import hashlib
import multiprocessing
import resource
import socket
import threading

import pytest

from app.engine.files.download import download
from app.errors import DiskFullError, DownloadError, OfflineError
from tests.engine.file_server import serving

CONTENT = bytes(range(256)) * 3


@pytest.fixture
def server():
    with serving(CONTENT) as server:
        yield server


def ignore(stage, done, total):
    pass


async def fetch(server, part):
    return await download(server.url, part, ignore, first_pause_s=0.001)


async def test_the_file_and_its_digest(server, tmp_path):
    seen = []
    digest = await download(server.url, tmp_path / "part", lambda *progress: seen.append(progress))
    assert (tmp_path / "part").read_bytes() == CONTENT
    assert digest == hashlib.sha256(CONTENT).hexdigest()
    assert seen[-1] == ("downloading", len(CONTENT), len(CONTENT))


async def test_cut_at_every_byte_it_goes_on_from_there(server, tmp_path):
    for place in range(len(CONTENT)):
        part = tmp_path / f"part{place}"
        server.cut_after, server.sent = [place], 0
        assert await fetch(server, part) == hashlib.sha256(CONTENT).hexdigest()
        assert part.read_bytes() == CONTENT
        assert server.sent == len(CONTENT), "bytes that had come were sent again"


async def test_a_new_process_goes_on_where_the_old_one_ended(server, tmp_path):
    part = tmp_path / "part"
    server.cut_after = [100] + [0] * 20
    with pytest.raises(DownloadError, match="goes on from there"):
        await fetch(server, part)
    assert part.read_bytes() == CONTENT[:100]
    server.cut_after, server.sent = [], 0
    assert await fetch(server, part) == hashlib.sha256(CONTENT).hexdigest()
    assert server.sent == len(CONTENT) - 100


async def test_a_part_that_was_damaged_on_disk_changes_the_digest(server, tmp_path):
    part = tmp_path / "part"
    server.cut_after = [100] + [0] * 20
    with pytest.raises(DownloadError):
        await fetch(server, part)
    part.write_bytes(b"x" + part.read_bytes()[1:])
    server.cut_after = []
    assert await fetch(server, part) != hashlib.sha256(CONTENT).hexdigest()


async def test_a_file_that_changed_on_the_server_begins_anew(server, tmp_path):
    part = tmp_path / "part"
    server.cut_after = [100] + [0] * 20
    with pytest.raises(DownloadError):
        await fetch(server, part)
    server.content, server.etag, server.cut_after = b"new" * 200, '"v2"', []
    assert await fetch(server, part) == hashlib.sha256(b"new" * 200).hexdigest()
    assert part.read_bytes() == b"new" * 200


async def test_a_server_that_cannot_continue_begins_anew(server, tmp_path):
    server.ranges, server.cut_after = False, [100]
    assert await fetch(server, tmp_path / "part") == hashlib.sha256(CONTENT).hexdigest()
    assert (tmp_path / "part").read_bytes() == CONTENT


async def test_a_server_that_continues_at_the_wrong_place_is_not_believed(server, tmp_path):
    server.cut_after, server.shift = [100], 3
    assert await fetch(server, tmp_path / "part") == hashlib.sha256(CONTENT).hexdigest()
    assert (tmp_path / "part").read_bytes() == CONTENT


async def test_a_part_longer_than_the_file_begins_anew(server, tmp_path):
    part = tmp_path / "part"
    await fetch(server, part)
    part.write_bytes(CONTENT + b"more")
    assert await fetch(server, part) == hashlib.sha256(CONTENT).hexdigest()


async def test_passing_troubles_are_waited_out(server, tmp_path):
    server.statuses = [503, 429, 500]
    assert await fetch(server, tmp_path / "part") == hashlib.sha256(CONTENT).hexdigest()


@pytest.mark.parametrize(("status", "words"), [(404, "not there"), (401, "token"), (403, "licence")])
async def test_a_refusal_says_why_at_once(server, tmp_path, status, words):
    server.statuses = [status]
    with pytest.raises(DownloadError, match=words):
        await fetch(server, tmp_path / "part")
    assert len(server.requests) == 1


async def test_no_network_is_said_so(tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(OfflineError, match=r"127\.0\.0\.1 cannot be reached"):
        await download(f"http://127.0.0.1:{port}/x", tmp_path / "part", ignore, first_pause_s=0.001)


async def test_cancelling_keeps_what_came(server, tmp_path):
    server.delay = threading.Event()
    part = tmp_path / "part"
    task = asyncio.create_task(fetch(server, part))
    while not part.exists() or part.stat().st_size == 0:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    server.delay.set()
    assert CONTENT.startswith(part.read_bytes())
    server.delay = None
    assert await fetch(server, part) == hashlib.sha256(CONTENT).hexdigest()


def _fetch_with_little_room(url, part, results):
    # The kernel refuses to let this process's files grow beyond 500 bytes: a write fails as it does on a full disk.
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))
    try:
        asyncio.run(download(url, part, ignore))
    except DiskFullError as error:
        results.put(str(error))


def test_a_full_disk_is_said_so_and_what_came_is_kept(server, tmp_path):
    part = tmp_path / "part"
    spawned = multiprocessing.get_context("spawn")
    results = spawned.Queue()
    child = spawned.Process(target=_fetch_with_little_room, args=(server.url, part, results))
    child.start()
    assert "no room" in results.get(timeout=30)
    child.join()
    assert part.read_bytes() == CONTENT[:500]
    assert asyncio.run(fetch(server, part)) == hashlib.sha256(CONTENT).hexdigest()
