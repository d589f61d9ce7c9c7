"""Where a download may lead: redirects, other files' ranges, packed bodies; and sources that are no plain files."""

import hashlib
import os
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from app.engine.files.download import download
from app.engine.sources import source_of
from app.errors import DiskFullError, DownloadError, LocalOnlyError
from app.privacy.connections import ConnectionPolicy

CONTENT = bytes(range(256)) * 8
DIGEST = hashlib.sha256(CONTENT).hexdigest()
OPEN, LOCAL_ONLY = ConnectionPolicy(local_only=False), ConnectionPolicy(local_only=True)


def ignore(stage, done, total):
    pass


@contextmanager
def answering(*answers):
    """A server that gives these (status, headers, body) in turn, the last one for ever; yields its URL and requests."""
    left, seen = list(answers), []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            seen.append((self.path, dict(self.headers)))
            status, headers, body = left.pop(0) if len(left) > 1 else left[0]
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
            if int(headers.get("Content-Length", len(body))) > len(body):
                self.close_connection = True

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/model.bin", seen
    finally:
        server.shutdown()
        server.server_close()


async def test_local_only_holds_for_redirects_too(tmp_path):
    with (
        answering((302, {"Location": "https://example.org/model.bin"}, b"")) as (url, seen),
        pytest.raises(LocalOnlyError, match=r"example\.org"),
    ):
        await source_of(url).fetch(tmp_path / "part", LOCAL_ONLY, ignore)
    assert len(seen) == 1


async def test_a_redirect_to_an_unencrypted_host_is_refused(tmp_path):
    with (
        answering((302, {"Location": "http://example.org/model.bin"}, b"")) as (url, _seen),
        pytest.raises(DownloadError, match=r"example\.org would send the file unencrypted"),
    ):
        await source_of(url).fetch(tmp_path / "part", OPEN, ignore)


async def test_a_redirect_on_this_machine_is_followed_and_the_part_continued_there(tmp_path):
    half = len(CONTENT) // 2
    tag = {"ETag": '"v1"'}
    rest = (206, {**tag, "Content-Range": f"bytes {half}-{len(CONTENT) - 1}/{len(CONTENT)}"}, CONTENT[half:])
    cut = (200, {**tag, "Content-Length": str(len(CONTENT))}, CONTENT[:half])
    with (
        answering(cut, rest) as (target, asked),
        answering((302, {"Location": target}, b"")) as (url, _),
    ):
        digest = await download(url, tmp_path / "part", ignore, first_pause_s=0.001)
    assert digest == DIGEST
    assert asked[1][1]["Range"] == f"bytes={half}-"
    assert asked[1][1]["If-Range"] == '"v1"'


async def test_a_token_stays_with_the_host_it_is_for(tmp_path):
    with answering((200, {}, CONTENT)) as (target, asked):
        elsewhere = target.replace("127.0.0.1", "localhost")
        with answering((302, {"Location": elsewhere}, b"")) as (url, first):
            await download(url, tmp_path / "part", ignore, headers={"authorization": "Bearer secret"})
    assert first[0][1]["authorization"] == "Bearer secret"
    assert "authorization" not in {name.lower() for name in asked[0][1]}


async def test_a_range_of_another_file_is_not_joined_to_ours(tmp_path):
    half = len(CONTENT) // 2
    cut = (200, {"ETag": '"v1"', "Content-Length": str(len(CONTENT))}, CONTENT[:half])
    other = (206, {"ETag": '"v2"', "Content-Range": f"bytes {half}-{len(CONTENT) - 1}/{len(CONTENT)}"}, bytes(half))
    with answering(cut, other, (200, {"ETag": '"v2"'}, CONTENT)) as (url, seen):
        assert await download(url, tmp_path / "part", ignore, first_pause_s=0.001) == DIGEST
    assert len(seen) == 3


async def test_a_body_that_comes_packed_is_refused(tmp_path):
    with (
        answering((200, {"Content-Encoding": "gzip"}, CONTENT)) as (url, _),
        pytest.raises(DownloadError, match="packed"),
    ):
        await download(url, tmp_path / "part", ignore)


async def test_an_address_that_is_none_is_said_so(tmp_path):
    with pytest.raises(DownloadError, match="not an address"):
        await download("https://exa mple.org:x/model.bin", tmp_path / "part", ignore)


async def test_a_server_is_given_the_pause_that_it_asks_for(tmp_path, monkeypatch):
    pauses = []

    async def pause(seconds):
        pauses.append(seconds)

    monkeypatch.setattr("app.engine.files.download.asyncio.sleep", pause)
    with answering((429, {"Retry-After": "7"}, b""), (200, {}, CONTENT)) as (url, _):
        assert await download(url, tmp_path / "part", ignore) == DIGEST
    assert pauses == [7.0]


async def test_facts_that_cannot_be_noted_are_said_so(tmp_path):
    (tmp_path / "part.json").mkdir()
    with (
        answering((200, {"ETag": '"v1"'}, CONTENT)) as (url, _),
        pytest.raises(DownloadError, match="cannot be written"),
    ):
        await download(url, tmp_path / "part", ignore)


async def test_what_the_report_raises_ends_the_download_and_keeps_what_came(tmp_path):
    def report(stage, done, total):
        if done:
            raise DiskFullError("enough")

    with answering((200, {"ETag": '"v1"'}, CONTENT)) as (url, _), pytest.raises(DiskFullError, match="enough"):
        await download(url, tmp_path / "part", report)
    assert CONTENT.startswith((tmp_path / "part").read_bytes())


async def test_a_copy_is_whole_and_its_own(tmp_path):
    original = tmp_path / "original.bin"
    original.write_bytes(CONTENT)
    assert await source_of(f"path:{original}").fetch(tmp_path / "part", LOCAL_ONLY, ignore) == DIGEST
    original.write_bytes(b"changed")
    assert (tmp_path / "part").read_bytes() == CONTENT


@pytest.mark.parametrize("kind", ["pipe", "folder", "nothing"])
async def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path, kind):
    path = tmp_path / "odd.bin"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    with pytest.raises(DownloadError, match=r"odd\.bin"):
        await source_of(f"path:{path}").fetch(tmp_path / "part", OPEN, ignore)
