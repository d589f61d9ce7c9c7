from __future__ import annotations

import asyncio
from collections.abc import Callable

from app.errors import DownloadError
from app.tui.app import PlaygroundApp
from app.tui.bars.status import StatusBar
from app.tui.chat.composer import Composer
from app.tui.chat.download_card import DownloadCard
from app.tui.chat.pane import ChatPane

from .conftest import until
from .scripted import Progress, ScriptedRouter, Store, answer

Make = Callable[..., PlaygroundApp]
HALF = Progress("downloading", 51_000_000, 98_362_432, 12_300_000.0, 4.0)


def card(app: PlaygroundApp) -> str:
    return str(app.query_one(DownloadCard).render())


async def test_the_download_shows_what_it_is_how_far_and_how_long(make_app: Make) -> None:
    app = make_app(store=Store(set(), [HALF], asyncio.Event()))
    async with app.run_test(size=(80, 24)):
        await until(lambda: app.query(DownloadCard) and "52 %" in card(app))
        for words in ("smollm2-135m", "98 MB", "Apache-2.0", "12 MB/s", "4.0 s left", "esc cancel"):
            assert words in card(app)
        await until(lambda: app.query_one(StatusBar).status.state == "fetching")


async def test_a_prompt_written_meanwhile_is_sent_when_the_model_is_here(make_app: Make) -> None:
    hold = asyncio.Event()
    router = ScriptedRouter(answer("At last."))
    app = make_app(router, store=Store(set(), [HALF], hold))
    async with app.run_test() as pilot:
        await until(lambda: app.query(DownloadCard))
        await pilot.press(*"hi", "enter")
        pane = app.query_one(ChatPane)
        await until(lambda: pane.answering)
        await pilot.pause(0.6)
        assert router.requests == []
        assert "fetching smollm2-135m 51 %" in str(app.query_one(".waiting").render())
        hold.set()
        await until(lambda: not pane.answering)
        assert pane.conversation.path()[-1].message.text == "At last."


async def test_escape_cancels_and_a_key_goes_on(make_app: Make) -> None:
    store = Store(set(), [HALF], asyncio.Event())
    app = make_app(store=store)
    async with app.run_test() as pilot:
        await until(lambda: app.query(DownloadCard))
        await pilot.press("escape")
        await until(lambda: "stopped" in card(app))
        assert store.hold is not None
        store.hold.set()
        await pilot.press("ctrl+r")
        await until(lambda: not app.query(DownloadCard))
        assert store.fetched == ["smollm2-135m"] * 2
        assert app.query_one("#welcome").display


async def test_a_failed_download_says_why_and_can_be_tried_again(make_app: Make) -> None:
    store = Store(set(), fail_with=DownloadError("The connection was lost.", "Check the network."))
    app = make_app(store=store)
    async with app.run_test() as pilot:
        await until(lambda: app.query(DownloadCard) and "connection was lost" in card(app))
        assert "Check the network." in card(app)
        store.fail_with = None
        await pilot.press("ctrl+r")
        await until(lambda: not app.query(DownloadCard))


async def test_a_prompt_whose_model_cannot_be_fetched_is_kept_with_the_reason(make_app: Make) -> None:
    store = Store(set(), fail_with=DownloadError("The connection was lost.", "Check the network."))
    app = make_app(store=store)
    async with app.run_test() as pilot:
        app.query_one(Composer).put("hi")
        await pilot.press("enter")
        pane = app.query_one(ChatPane)
        await until(lambda: pane.conversation.path() and not pane.answering)
        question, reply = pane.conversation.path()
        assert question.message.text == "hi"
        assert reply.error is not None
        assert reply.error.code == "download"
