"""Models elsewhere: chosen, asked, answering in each other's place, and not asked when nothing may leave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from textual.pilot import Pilot
from textual.widgets import OptionList, Static

from app.errors import StreamBrokenError
from app.messages import Finished, Rerouted, Started, TextDelta, Usage, Waiting
from app.settings import ChatSettings, Origin
from app.tui.app import PlaygroundApp
from app.tui.bars.status import StatusBar
from app.tui.chat.composer import Composer
from app.tui.chat.message_view import AnswerView, WaitingLine
from app.tui.chat.pane import ChatPane
from app.tui.dialogs.confirm import ConfirmScreen
from app.tui.dialogs.model_picker import ModelPicker
from app.tui.error_card import ErrorCard
from app.tui.requests.sheet import Sheet
from app.tui.state import StateFile

from .conftest import until
from .elsewhere import CLAUDE, LINES, MINI
from .scripted import ScriptedRouter, answer

Make = Callable[..., PlaygroundApp]


@asynccontextmanager
async def opened(app: PlaygroundApp, model: str = "") -> AsyncIterator[Pilot[Any]]:
    async with app.run_test(size=(120, 40)) as pilot:
        chat = app.query_one(ChatPane)
        await until(lambda: chat.keeper is not None)
        await until(lambda: chat.parts.model._desk._lines or not app._playground.router.lines)
        if model:
            chat.use_model(model)
        await pilot.pause()
        yield pilot


async def say(pilot: Pilot[Any], text: str) -> None:
    chat = pilot.app.query_one(ChatPane)
    pilot.app.query_one(Composer).put(text)
    await pilot.press("enter")
    await until(lambda: not chat.answering and chat.conversation.path() and chat.conversation.path()[-1].model)
    await pilot.pause()


def footers(app: PlaygroundApp) -> list[str]:
    return [str(view.query_one(".footer", Static).content) for view in app.query(AnswerView)]


def options(app: PlaygroundApp) -> dict[str, str]:
    found = app.screen.query_one(OptionList)
    return {str(option.id): str(option.prompt) for option in found.options}


def bar(app: PlaygroundApp) -> str:
    return app.screen_stack[0].query_one(StatusBar).render().plain


# Choosing


async def test_the_picker_shows_models_here_and_elsewhere_with_price_and_reach(make_app: Make) -> None:
    ears = msgspec.structs.replace(MINI, name="ears", aliases=(), role="transcribe")
    app = make_app(ScriptedRouter(answer("Hi"), lines=(*LINES, ears)))
    async with opened(app) as pilot:
        await pilot.press("f2")
        await until(lambda: "gpt-5-mini" in options(app))
        found = options(app)
        assert "ears" not in found  # it writes down speech
        assert next(iter(found)) == "smollm2-135m"
        assert "openai · 400k · $0.25 in, $2 out · reachable" in found["gpt-5-mini"]
        assert "not reachable" in found["claude"]
        assert "not asked yet" in found["nas/qwen3-32b"]
        assert "↗" not in found["ollama-here"]
        await pilot.press(*"mini")
        await pilot.pause()
        assert [name for name in options(app) if name != "None"] == ["gpt-5-mini"]
        detail = str(app.screen.query_one("#picker-detail", Static).content)
        assert "Leaves this machine: the conversation, to api.openai.example, personal data replaced." in detail
        assert "claude, smollm2-135m" in detail
        await pilot.press("enter")
        await pilot.pause()
        assert app.query_one(ChatPane).model == "gpt-5-mini"
        assert "↗ sends what you write to openai" in bar(app)


async def test_the_highlight_is_on_the_model_in_use_until_it_is_moved(make_app: Make) -> None:
    app = make_app(ScriptedRouter(answer("Hi"), lines=LINES))
    async with opened(app, "claude") as pilot:
        await pilot.press("f2")
        await until(lambda: "claude" in options(app))
        await pilot.pause()
        highlighted = app.screen.query_one(OptionList).highlighted_option
        assert highlighted is not None
        assert highlighted.id == "claude"


async def test_an_endpoint_and_an_alias_are_found_by_typing(make_app: Make) -> None:
    app = make_app(ScriptedRouter(answer("Hi"), lines=LINES))
    async with opened(app) as pilot:
        await pilot.press("f2")
        await until(lambda: "claude" in options(app))
        await pilot.press(*"anthropic")
        await pilot.pause()
        assert [name for name in options(app) if name != "None"] == ["claude"]


async def test_nothing_is_fetched_or_loaded_for_a_model_elsewhere(make_app: Make) -> None:
    app = make_app(ScriptedRouter(answer("Hi"), lines=LINES))
    async with opened(app, "mini") as pilot:
        await pilot.pause(0.1)
        assert app.query_one(ChatPane).model == "gpt-5-mini"
        assert app._playground.store.fetched == []
        assert "mini" not in app._playground.pool.models


# Nothing may leave


async def test_local_only_is_switched_by_a_key_and_shown_always(make_app: Make) -> None:
    app = make_app(ScriptedRouter(answer("Hi"), lines=LINES))
    async with opened(app) as pilot:
        assert "network allowed" in bar(app)
        await pilot.press("alt+l")
        await pilot.pause()
        assert app._playground.policy.local_only
        assert "⌂ local only: nothing leaves this machine" in bar(app)
        assert StateFile(app._playground.folders.data).load().local_only is True
        # Back only after a question.
        await pilot.press("alt+l")
        await pilot.pause()
        assert isinstance(app.screen, ConfirmScreen)
        await pilot.press("n")
        await pilot.pause()
        assert app._playground.policy.local_only
        await pilot.press("alt+l")
        await pilot.pause()
        await pilot.press("y")
        await pilot.pause()
        assert not app._playground.policy.local_only
        assert StateFile(app._playground.folders.data).load().local_only is None


async def test_local_only_holds_at_the_next_start(make_app: Make) -> None:
    app = make_app()
    async with opened(app) as pilot:
        await pilot.press("alt+l")
        await pilot.pause()
    again = make_app()
    assert again._playground.policy.local_only


async def test_what_the_command_line_forbids_stays_forbidden(make_app: Make) -> None:
    app = make_app(local_only=True)
    app._playground.loaded.origins["privacy.local_only"] = Origin("environment", "--local-only")
    async with opened(app) as pilot:
        await pilot.press("alt+l")
        await pilot.pause()
        assert not isinstance(app.screen, ConfirmScreen)
        assert app._playground.policy.local_only
        assert any("--local-only" in toast.message for toast in app._notifications)


async def test_a_model_that_does_not_chat_is_not_chosen(make_app: Make) -> None:
    ears = msgspec.structs.replace(MINI, name="ears", aliases=(), role="transcribe")
    app = make_app(ScriptedRouter(answer("Hi"), lines=(ears,)))
    async with opened(app) as pilot:
        pane = app.query_one(ChatPane)
        await app._desk.learn_lines()
        pane.use_model("ears")
        await pilot.pause()
        assert [toast.message for toast in app._notifications] == [
            "ears is for transcribe, not for chat.\nChoose another model."
        ]
        assert pane.model == "smollm2-135m"


async def test_models_elsewhere_are_not_chosen_and_not_asked_while_local_only(make_app: Make) -> None:
    router = ScriptedRouter(answer("Hi"), lines=LINES)
    app = make_app(router, local_only=True)
    async with opened(app) as pilot:
        await pilot.press("f2")
        await until(lambda: "claude" in options(app))
        assert "off: local only" in options(app)["claude"]
        assert "reachable" in options(app)["ollama-here"]
        await pilot.press(*"claude", "enter")
        await pilot.pause()
        assert isinstance(app.screen, ModelPicker)
        await pilot.press("escape")
        await pilot.pause()
        app.query_one(ChatPane).use_model("claude")
        assert app.query_one(ChatPane).model == "smollm2-135m"
        app.query_one(ChatPane).use_model("ollama-here")
        assert app.query_one(ChatPane).model == "ollama-here"
        assert router.checked == 0


async def test_a_model_that_is_here_too_is_chosen_while_local_only_and_nothing_is_said_to_leave(make_app: Make) -> None:
    both = msgspec.structs.replace(MINI, name="both", aliases=(), backend="cloud, ollama", stays=True)
    app = make_app(ScriptedRouter(answer("Hi"), lines=(CLAUDE, both)), local_only=True)
    async with opened(app) as pilot:
        await pilot.press("f2")
        await until(lambda: "both" in options(app))
        assert "reachable" in options(app)["both"] and "↗" not in options(app)["both"]
        await pilot.press(*"both", "enter")
        await pilot.pause()
        assert app.query_one(ChatPane).model == "both"
        assert "sends" not in bar(app) and "not asked" not in bar(app)
        # Allowed again, it may go anywhere, and that is said.
        app._playground.policy.local_only = False
        assert app.query_one(ChatPane).parts.model._desk.sends_to("both") == "cloud, ollama"


async def test_a_model_in_use_is_said_not_to_be_asked(make_app: Make) -> None:
    app = make_app(ScriptedRouter(answer("Hi"), lines=LINES))
    async with opened(app, "gpt-5-mini") as pilot:
        await pilot.press("alt+l")
        await pilot.pause()
        assert "not asked while local only" in bar(app)


# Answering in each other's place


async def test_who_really_answered_and_why_is_said_and_kept(make_app: Make) -> None:
    script = [
        Rerouted("gpt-5-mini", "claude", "api.openai.example answers nobody just now."),
        Started("claude", "anthropic"),
        TextDelta("Here."),
        Finished("stop", Usage(1000, 1000)),
    ]
    app = make_app(ScriptedRouter(script, lines=LINES))
    async with opened(app, "gpt-5-mini") as pilot:
        await say(pilot, "Why?")
        (footer,) = footers(app)
        assert footer.startswith("claude · from anthropic · 1,000 tokens")
        assert "$0.018" in footer
        assert "gpt-5-mini could not answer: api.openai.example answers nobody just now." in footer
        chat = app.query_one(ChatPane)
        assert chat.keeper is not None
        await chat.keeper.settle()
        whole = await app._playground.vault.sessions.load(chat.keeper.session.id)
        kept = whole.nodes[-1]
        assert (kept.model, kept.way.instead_of, kept.way.cost) == ("claude", "gpt-5-mini", 0.018)


async def test_an_answer_that_was_given_before_says_so(make_app: Make) -> None:
    script = [Started("gpt-5-mini", "openai", from_cache=True), TextDelta("Again."), Finished("stop", Usage(5, 2))]
    app = make_app(ScriptedRouter(script, lines=LINES))
    async with opened(app, "gpt-5-mini") as pilot:
        await say(pilot, "Why?")
        assert "answered before, given again" in footers(app)[0]
        assert "$" not in footers(app)[0]


async def test_a_local_answer_has_no_way_worth_telling(make_app: Make) -> None:
    app = make_app()
    async with opened(app) as pilot:
        await say(pilot, "Hello")
        assert app.query_one(ChatPane).conversation.path()[-1].way is None


async def test_an_answer_that_broke_off_is_gone_on_with_by_the_next_model(make_app: Make) -> None:
    broken = [Started("gpt-5-mini", "openai"), TextDelta("The first half"), StreamBrokenError("The line was lost.")]
    held = asyncio.Event()
    rest = [Started("claude", "anthropic"), TextDelta(" and the second."), held, Finished("stop", Usage(5, 4))]
    router = ScriptedRouter(broken, rest, lines=LINES)
    app = make_app(router)
    async with opened(app, "gpt-5-mini") as pilot:
        await say(pilot, "Tell me.")
        await until(lambda: app.query(".offer"))
        assert "goes on from here with claude" in str(app.query_one(".offer", Static).content)
        await pilot.press("alt+c")
        await until(lambda: len(router.requests) == 2 and "claude" in footers(app)[0])
        assert "failed" not in footers(app)[0]
        assert not app.query(ErrorCard)
        held.set()
        await until(lambda: not app.query_one(ChatPane).answering)
        await pilot.pause()
        assert router.requests[1].model == "claude"
        assert router.requests[1].messages[-1].text == "The first half"
        last = app.query_one(ChatPane).conversation.path()[-1]
        assert (last.message.text, last.model, last.status) == (
            "The first half and the second.",
            "claude",
            "complete",
        )
        assert app.query_one(ChatPane).model == "gpt-5-mini"
        assert not app.query(".offer")


async def test_while_another_is_asked_both_are_named(make_app: Make) -> None:
    held = asyncio.Event()
    script = [Rerouted("gpt-5-mini", "smollm2-135m", "It was busy."), Waiting("prefill", 5, 20), held, *answer("Hi")]
    app = make_app(ScriptedRouter(script, lines=LINES))
    async with opened(app, "gpt-5-mini") as pilot:
        app.query_one(Composer).put("Why?")
        await pilot.press("enter")
        await until(lambda: app.query(WaitingLine) and "instead" in str(app.query_one(WaitingLine).content))
        line = str(app.query_one(WaitingLine).content)
        assert "reading 5 of 20 tokens · smollm2-135m instead of gpt-5-mini" in line
        assert "sends what you write" not in bar(app), "the one that is asked now runs here"
        held.set()
        await until(lambda: not app.query_one(ChatPane).answering)
        await pilot.pause()
        assert "sends what you write to openai" in bar(app)


async def test_a_model_elsewhere_is_not_asked_for_titles(make_app: Make) -> None:
    router = ScriptedRouter([Started("gpt-5-mini", "openai"), TextDelta("Hi"), Finished("stop")], lines=LINES)
    app = make_app(router, chat=ChatSettings(titles=True))
    async with opened(app, "gpt-5-mini") as pilot:
        await say(pilot, "Hello")
        await pilot.pause(0.3)
        assert len(router.requests) == 1


# Before it is sent


class Previewed:
    url = "https://api.openai.example/v1/chat/completions"
    headers = {"authorization": "•••"}  # noqa: RUF012
    body = b'{"messages":[{"content":"Write to [EMAIL_1_k3f9]\xe2\x80\xae."}]}'


async def test_what_would_be_sent_is_shown_with_what_was_replaced(make_app: Make) -> None:
    router = ScriptedRouter(answer("Hi"), lines=LINES, preview=Previewed())
    app = make_app(router)
    async with opened(app, "gpt-5-mini") as pilot:
        app.query_one(Composer).put("Write to ann@example.org")
        await pilot.press("alt+p")
        await until(lambda: isinstance(app.screen, Sheet))
        await pilot.pause()
        assert router.previewed is not None
        assert router.previewed.messages[-1].text == "Write to ann@example.org"
        head = str(app.screen.query_one(".head", Static).content)
        assert "1 piece of personal data replaced" in head
        assert "api.openai.example" in head
        body = app.screen.query_one(".body", Static).content
        assert "[EMAIL_1_k3f9]" in str(body)
        assert "\u202e" not in str(body)
        await pilot.press("j")
        await pilot.pause()
        assert '{"messages"' in str(app.screen.query_one(".body", Static).content)
        await pilot.press("escape")
        await pilot.pause()
        assert app.query_one(Composer).text == "Write to ann@example.org"
        assert not router.requests
        assert not len(app.query_one(ChatPane).conversation)


async def test_for_a_model_here_nothing_would_be_sent(make_app: Make) -> None:
    app = make_app()
    async with opened(app) as pilot:
        await pilot.press("alt+p")
        await until(lambda: any("runs on this machine" in toast.message for toast in app._notifications))
