"""The terminal interface in a browser: who reaches it, what a page says to it, how it ends."""

import asyncio
import os
import sys
from contextlib import asynccontextmanager, suppress

import httpx
import msgspec
import pytest
import websockets
from hypothesis import given
from hypothesis import strategies as st

from app.server.serving import Serving, listen
from app.server.web import app as web
from app.server.web.app import WebTerminals
from app.server.web.page import page

SHELL = ("sh", "-c", "echo ready; cat")


@asynccontextmanager
async def serving(command=SHELL):
    terminals = WebTerminals(command, {"PATH": os.environ["PATH"]})
    async with Serving(terminals, listen("127.0.0.1", 0), shutdown_s=1.0).running() as address:
        yield address, address + terminals.path


@asynccontextmanager
async def terminal(address, inside, size="?width=80&height=24", **more):
    async with websockets.connect(
        inside.replace("http", "ws", 1) + f"terminal{size}", origin=address, open_timeout=10, **more
    ) as socket:
        yield socket


async def until(socket, wanted):
    seen = b""
    async with asyncio.timeout(20):
        while wanted not in seen:
            seen += await socket.recv(decode=False)
    return seen


def says(*words):
    return msgspec.json.encode(words).decode()


async def test_the_page_lies_below_its_key_and_loads_nothing_from_elsewhere():
    async with serving() as (address, inside), httpx.AsyncClient() as http:
        found = await http.get(inside)
        script = await http.get(inside + "static/js/textual.js")
        elsewhere = [await http.get(address + path) for path in ("/", "/terminal", "/static/js/textual.js", "/x" * 40)]
        outside = await http.get(inside + "static/../../../etc/passwd")
    assert found.status_code == script.status_code == 200
    assert "default-src 'none'" in found.headers["content-security-policy"]
    assert "://" not in page("ws:").replace("ws:", "")
    assert [one.status_code for one in elsewhere] == [404] * 4
    assert outside.status_code == 404


async def test_pages_of_other_sites_reach_nothing():
    async with serving() as (address, inside), httpx.AsyncClient() as http:
        renamed = await http.get(inside, headers={"host": "evil.example"})
        framed = await http.get(inside, headers={"origin": "https://evil.example"})
        socket = inside.replace("http", "ws", 1) + "terminal"
        for origin in ("https://evil.example", "null", None):
            with pytest.raises(websockets.InvalidStatus) as refused:
                await websockets.connect(socket, origin=origin)
            assert refused.value.response.status_code == 403
        with pytest.raises(websockets.InvalidStatus) as unknown:
            await websockets.connect(address.replace("http", "ws", 1) + "/guess/terminal", origin=address)
    assert renamed.status_code == framed.status_code == 403
    assert unknown.value.response.status_code == 404


async def test_what_is_typed_reaches_the_program_and_what_it_paints_comes_back():
    async with serving() as (address, inside), terminal(address, inside) as socket:
        await until(socket, b"ready")
        await socket.send(says("stdin", "grüße 🦉\r"))
        await until(socket, "grüße 🦉".encode())
        await socket.send(says("ping", "17"))
        async with asyncio.timeout(10):
            while not isinstance(answer := await socket.recv(), str):
                pass
    assert msgspec.json.decode(answer) == ["pong", "17"]


async def test_the_program_learns_its_size():
    command = ("sh", "-c", "stty size; read line; stty size")
    async with serving(command) as (address, inside), terminal(address, inside, "?width=101&height=31") as socket:
        await until(socket, b"31 101")
        await socket.send(says("resize", {"width": 10**9, "height": -5}))
        await socket.send(says("stdin", "\r"))
        await until(socket, b"2 1000")


async def test_a_long_paste_arrives_whole():
    count = """if True:
        import sys, tty
        tty.setraw(0)
        print("ready", flush=True)
        print("all", len(sys.stdin.read(300_000)))
    """
    async with serving((sys.executable, "-c", count)) as (address, inside), terminal(address, inside) as socket:
        await until(socket, b"ready")
        await socket.send(says("stdin", "a" * 300_000))
        await until(socket, b"all 300000")


async def test_the_page_hears_that_the_program_ended():
    async with serving(("sh", "-c", "echo gone")) as (address, inside), terminal(address, inside) as socket:
        await until(socket, b"gone")
        async with asyncio.timeout(10):
            await socket.wait_closed()
        assert socket.close_code == 1000


async def test_a_page_that_is_closed_takes_its_program_along(tmp_path):
    note = tmp_path / "hangup"
    command = ("sh", "-c", f"trap 'echo hung up > {note}; exit' HUP; echo ready; while :; do sleep 0.05; done")
    async with serving(command) as (address, inside):
        async with terminal(address, inside) as socket:
            await until(socket, b"ready")
        async with asyncio.timeout(10):
            while not (note.exists() and note.read_text()):
                await asyncio.sleep(0.02)


async def test_no_more_programs_run_than_a_machine_can_bear(monkeypatch):
    monkeypatch.setattr(web, "MOST_TERMINALS", 1)
    async with serving() as (address, inside), terminal(address, inside) as first:
        await until(first, b"ready")
        async with terminal(address, inside) as second, asyncio.timeout(10):
            await second.wait_closed()
        assert (second.close_code, "close one first" in second.close_reason) == (1013, True)


class Silent:
    """A terminal, and a page, that take everything."""

    async def type(self, text):
        assert isinstance(text, str)

    def resize(self, columns, rows):
        assert isinstance(columns, int)
        assert isinstance(rows, int)

    async def send_text(self, text):
        msgspec.json.decode(text)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
_NEAR = st.tuples(st.sampled_from(["stdin", "resize", "ping", "focus", "blur", "eval"]), _JSON).map(list)


@given(st.text() | (_JSON | _NEAR).map(lambda value: msgspec.json.encode(value).decode()))
def test_whatever_a_page_says_is_obeyed_or_refused(said):
    with suppress(ValueError):
        asyncio.run(web._obey(Silent(), Silent(), said))


async def test_a_page_that_talks_nonsense_is_shown_out():
    async with serving() as (address, inside), terminal(address, inside) as socket:
        await until(socket, b"ready")
        await socket.send("[1, 2")
        async with asyncio.timeout(10):
            await socket.wait_closed()
        assert socket.close_code == 1007
