"""The server, switched on and off in the interface; the server is the real one, on a real socket."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from app.tui.app import PlaygroundApp
from app.tui.bars.status import StatusBar
from app.tui.chat.pane import ChatPane
from app.tui.server.key_dialog import KeyDialog
from app.tui.server.pane import ServerPane
from app.tui.server.visit_list import VisitList

from .conftest import until
from .scripted import ScriptedRouter, answer

Make = Callable[..., PlaygroundApp]
ASKED = {"model": "smollm2-135m", "messages": [{"role": "user", "content": "Hello"}]}


@asynccontextmanager
async def switched_on(app: PlaygroundApp) -> AsyncIterator[Pilot[Any]]:
    async with app.run_test(size=(120, 40)) as pilot:
        await until(lambda: app.query_one(ChatPane).keeper is not None)
        await pilot.press("f10")
        await pilot.press("enter")
        await until(lambda: app._server_desk.state == "on", 20)
        await pilot.pause()
        yield pilot


async def ask(app: PlaygroundApp, path: str, body: Any = None, key: str | None = None) -> tuple[int, Any]:
    headers = {"authorization": f"Bearer {app._server_desk.key if key is None else key}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        asked = session.post if body is not None else session.get
        async with asked(app._server_desk.address + path, json=body) as found:
            return found.status, await found.json()


def rows(app: PlaygroundApp) -> list[str]:
    found = app.query_one(VisitList)
    return [found.paint(found.row(place), 0, 118).plain for place in range(found.count)]


def shown(app: PlaygroundApp, name: str) -> str:
    return str(app.query_one(name, Static).content)


async def test_nothing_of_the_server_is_imported_before_it_is_switched_on(make_app: Make) -> None:
    script = (
        "import sys, app.tui.app; late = ('fastapi', 'uvicorn', 'pydantic', 'app.server', 'app.tui.server.pane',"
        " 'app.tui.requests.pane', 'app.routing.listing'); print(*[n for n in sys.modules if n.startswith(late)])"
    )
    done = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE)
    out, _ = await done.communicate()
    assert out.decode().strip() == ""


async def test_programs_are_answered_by_the_same_model_while_it_is_on(make_app: Make) -> None:
    router = ScriptedRouter(answer("Hello", " there."))
    app = make_app(router)
    async with switched_on(app) as pilot:
        assert app.query_one(StatusBar).serving == app._server_desk.address
        status, body = await ask(app, "/v1/chat/completions", ASKED)
        assert (status, body["choices"][0]["message"]["content"]) == (200, "Hello there.")
        assert router.requests
        await until(lambda: rows(app) and "200" in rows(app)[0])
        assert "the key above" in rows(app)[0]
        assert "/v1/chat/completions" in rows(app)[0]
        address = app._server_desk.address
        await pilot.press("s")
        await until(lambda: app._server_desk.state == "off", 10)
        await pilot.pause()
        assert app.query_one(StatusBar).serving == ""
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientConnectionError):
                await session.get(address + "/v1/models")


async def test_an_answer_is_seen_while_it_streams(make_app: Make) -> None:
    held = asyncio.Event()
    script = [*answer("one ", "two ", "three ")[:-1], held, answer()[-1]]
    app = make_app(ScriptedRouter(script))
    async with switched_on(app):
        asking = asyncio.ensure_future(ask(app, "/v1/chat/completions", ASKED))
        await until(lambda: rows(app) and "▸" in rows(app)[0])
        assert "smollm2-135m" in rows(app)[0]
        assert "1 under way" in shown(app, "#server-head")
        held.set()
        await asking
        await until(lambda: "▸" not in rows(app)[0])


async def test_without_the_key_nobody_is_answered_and_it_is_seen(make_app: Make) -> None:
    app = make_app()
    async with switched_on(app):
        status, _ = await ask(app, "/v1/models", key="pg-guess")
        assert status == 401
        await until(lambda: rows(app) and "401" in rows(app)[0])
        assert "1 refused" in shown(app, "#server-head")


async def test_the_key_of_one_time_does_not_open_another(make_app: Make) -> None:
    app = make_app()
    async with switched_on(app) as pilot:
        first = app._server_desk.key
        await pilot.press("s")
        await until(lambda: app._server_desk.state == "off", 10)
        await pilot.press("enter")
        await until(lambda: app._server_desk.state == "on", 10)
        assert app._server_desk.key != first
        status, _ = await ask(app, "/v1/models", key=first)
        assert status == 401


async def test_the_key_is_hidden_when_one_comes_back_and_copied_all_the_same(make_app: Make) -> None:
    app = make_app()
    async with switched_on(app) as pilot:
        key = app._server_desk.key
        assert key in shown(app, "#server-lines")
        await pilot.press("f5")
        await pilot.press("f10")
        await pilot.pause()
        assert key not in shown(app, "#server-lines")
        await pilot.press("c")
        await pilot.pause()
        assert f"export OPENAI_API_KEY={key}\n" in app.clipboard
        await pilot.press("r")
        await pilot.pause()
        assert key in shown(app, "#server-lines")


async def test_a_key_that_stays_is_made_shown_once_and_opens(make_app: Make) -> None:
    app = make_app()
    async with switched_on(app) as pilot:
        await pilot.press("n")
        await pilot.pause()
        await pilot.press(*"notes", "enter")
        await until(lambda: isinstance(app.screen, KeyDialog))
        await pilot.press("c")
        key = app.clipboard
        await pilot.press("enter")
        assert [kept.name for kept in await app._playground.vault.api_keys.list()] == ["notes"]
        status, _ = await ask(app, "/v1/models", key=key)
        assert status == 200
        await until(lambda: rows(app) and "notes" in rows(app)[0])


async def test_where_others_can_reach_it_a_kept_key_is_needed(make_app: Make) -> None:
    app = make_app(host="0.0.0.0")
    async with app.run_test(size=(120, 40)) as pilot:
        await until(lambda: app.query_one(ChatPane).keeper is not None)
        await pilot.press("f10")
        await pilot.press("enter")
        await until(lambda: app._server_desk.error is not None, 20)
        await pilot.pause()
        assert app._server_desk.state == "off"
        assert "there is no key yet" in shown(app, "#server-failure")
        await app._playground.vault.api_keys.create("notes")
        await pilot.press("enter")
        await until(lambda: app._server_desk.state == "on", 20)


async def test_locking_takes_the_list_away(make_app: Make) -> None:
    app = make_app()
    async with switched_on(app) as pilot:
        await ask(app, "/v1/models")
        await until(lambda: rows(app))
        await app._vault_view.closing()
        await pilot.pause()
        assert not rows(app)
        assert app._server_desk.key not in shown(app, "#server-lines")


async def test_an_address_that_is_taken_is_said(make_app: Make) -> None:
    server = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0)
    app = make_app(port=server.sockets[0].getsockname()[1])
    async with server, app.run_test(size=(120, 40)) as pilot:
        await until(lambda: app.query_one(ChatPane).keeper is not None)
        await pilot.press("f10", "enter")
        await until(lambda: app._server_desk.error is not None, 20)
        await pilot.pause()
        assert "cannot listen" in shown(app, "#server-failure")
        assert app.query_one(ServerPane).display


async def test_hostile_paths_do_not_reach_the_terminal(make_app: Make) -> None:
    app = make_app()
    async with switched_on(app):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(app._server_desk.address.rpartition(":")[2]))
        writer.write(b"GET /%1b]52;c;AAAA%07%1b[2J HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        await reader.read()
        writer.close()
        await until(lambda: rows(app))
        assert "\x1b" not in rows(app)[0]
        assert "\x07" not in rows(app)[0]
