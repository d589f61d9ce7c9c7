from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Markdown, Static

from app.errors import WorkerDiedError
from app.messages import Image, Message, Started, Text, TextDelta, ThinkingDelta, ToolCall, ToolResult, Waiting
from app.tui.app import PlaygroundApp
from app.tui.bars.status import StatusBar
from app.tui.chat.composer import Composer
from app.tui.chat.message_view import AnswerView, ThinkingView
from app.tui.chat.pane import ChatPane
from app.tui.chat.sliding_views import MOST
from app.tui.chat.transcript import Transcript
from app.tui.error_card import ErrorCard

from .conftest import until
from .scripted import ScriptedRouter, answer

Make = Callable[..., PlaygroundApp]
START = Started("smollm2-135m", "local", prompt_tokens=31, context=8192)


async def ask(pilot: Pilot[Any], text: str) -> ChatPane:
    pilot.app.query_one(Composer).put(text)
    await pilot.press("enter")
    return pilot.app.query_one(ChatPane)


async def settled(pane: ChatPane, pilot: Pilot[Any]) -> None:
    await until(lambda: not pane.answering)
    await pilot.pause()


def shown(app: PlaygroundApp) -> list[str]:
    return [markdown.source for markdown in app.query(Markdown)]


async def test_a_typed_prompt_is_answered_in_markdown(make_app: Make) -> None:
    router = ScriptedRouter(answer("Red, ", "**green**, ", "blue."))
    app = make_app(router)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"Name", "space", *"three", "enter")
        pane = app.query_one(ChatPane)
        await settled(pane, pilot)
        assert router.requests[0].messages == (Message.user("Name three"),)
        assert shown(app) == ["Red, **green**, blue."]
        assert app.query_one(Composer).text == ""
        footer = str(app.query_one(".footer", Static).render())
        assert "smollm2-135m" in footer
        assert "3 tokens" in footer
        status = app.query_one(StatusBar).status
        assert (status.used, status.context) == (34, 8192)


async def test_new_lines_by_key_and_by_backslash_do_not_send(make_app: Make) -> None:
    router = ScriptedRouter(answer("ok"))
    app = make_app(router)
    async with app.run_test() as pilot:
        await pilot.press("a", "ctrl+o", "b", "backslash", "enter", "c", "shift+enter", "d")
        assert app.query_one(Composer).text == "a\nb\nc\nd"
        assert router.requests == []


async def test_the_composer_grows_with_its_text_and_stops_growing(make_app: Make) -> None:
    app = make_app()
    async with app.run_test(size=(80, 30)) as pilot:
        composer = app.query_one(Composer)
        assert composer.outer_size.height == 3
        composer.put("\n".join("abcd"))
        await pilot.pause()
        assert composer.outer_size.height == 6
        composer.put("\n".join("x" * 40))
        await pilot.pause()
        assert composer.outer_size.height == 10


async def test_escape_stops_and_keeps_what_came_as_a_status(make_app: Make) -> None:
    app = make_app(ScriptedRouter([START, TextDelta("The first"), asyncio.Event()]))
    async with app.run_test() as pilot:
        pane = await ask(pilot, "Go on")
        await until(lambda: shown(app) == ["The first"])
        await pilot.press("escape")
        await settled(pane, pilot)
        node = pane.conversation.path()[-1]
        assert (node.status, node.message.text) == ("cut", "The first")
        assert "stopped" in str(app.query_one(".footer", Static).render())
        assert app.query_one(Composer).text == ""


async def test_escape_before_anything_came_gives_the_prompt_back(make_app: Make) -> None:
    app = make_app(ScriptedRouter([Waiting("loading", 10, 100), asyncio.Event()]))
    async with app.run_test() as pilot:
        pane = await ask(pilot, "Take this")
        await until(lambda: app.query(AnswerView))
        await pilot.press("escape")
        await settled(pane, pilot)
        assert app.query_one(Composer).text == "Take this"
        assert pane.conversation.path() == ()


async def test_an_error_is_a_card_below_what_came(make_app: Make) -> None:
    app = make_app(
        ScriptedRouter([START, TextDelta("Half"), WorkerDiedError("It ended.", "Ask again.")], answer("Whole"))
    )
    async with app.run_test() as pilot:
        pane = await ask(pilot, "q")
        await settled(pane, pilot)
        card = str(app.query_one(ErrorCard).render())
        assert "The engine stopped" in card
        assert "Ask again." in card
        assert shown(app) == ["Half"]
        await pilot.press("ctrl+r")
        await settled(pane, pilot)
        assert shown(app) == ["Whole"]
        assert not app.query(ErrorCard)


async def test_a_fault_of_the_program_is_a_sentence_and_not_the_end(make_app: Make) -> None:
    class Broken(ScriptedRouter):
        async def stream(self, request: Any) -> Any:
            raise ZeroDivisionError("oops")
            yield

    app = make_app(Broken())
    async with app.run_test() as pilot:
        pane = await ask(pilot, "q")
        await settled(pane, pilot)
        assert app.is_running
        assert pane.conversation.path()[-1].status == "failed"


async def test_answering_again_keeps_both_versions_and_they_can_be_walked(make_app: Make) -> None:
    app = make_app(ScriptedRouter(answer("one"), answer("two")))
    async with app.run_test() as pilot:
        pane = await ask(pilot, "q")
        await settled(pane, pilot)
        await pilot.press("ctrl+r")
        await settled(pane, pilot)
        assert shown(app) == ["two"]
        assert "2/2" in str(app.query_one(".footer", Static).render())
        await pilot.press("alt+left")
        await pilot.pause()
        assert shown(app) == ["one"]
        await pilot.press("alt+right")
        await pilot.pause()
        assert shown(app) == ["two"]


async def test_an_edited_prompt_is_a_version_beside_the_old_one(make_app: Make) -> None:
    app = make_app(ScriptedRouter(answer("one"), answer("two")))
    async with app.run_test() as pilot:
        pane = await ask(pilot, "q")
        await settled(pane, pilot)
        await pilot.press("alt+e")
        assert app.query_one(Composer).text == "q"
        await pilot.press("2", "enter")
        await settled(pane, pilot)
        first = pane.conversation.path()[0]
        assert first.message.text == "q2"
        assert len(pane.conversation.siblings(first.id)) == 2


async def test_thoughts_are_folded_when_the_answer_begins(make_app: Make) -> None:
    script = [START, ThinkingDelta("let me see"), TextDelta("Here."), *answer()[-1:]]
    app = make_app(ScriptedRouter(script))
    async with app.run_test() as pilot:
        pane = await ask(pilot, "q")
        await settled(pane, pilot)
        assert not app.query_one(ThinkingView).open
        assert shown(app) == ["Here."]
        await pilot.press("ctrl+t")
        assert app.query_one(ThinkingView).open


async def test_the_view_follows_the_answer_only_while_at_its_end(make_app: Make) -> None:
    go = asyncio.Event()
    more = [TextDelta(f"line {number}\n\n") for number in range(60)]
    app = make_app(ScriptedRouter([START, *more, go, *more, *answer()[-1:]]))
    async with app.run_test(size=(80, 24)) as pilot:
        pane = await ask(pilot, "q")
        transcript = app.query_one(Transcript)
        await until(lambda: "line 59" in (shown(app) or [""])[0])
        await pilot.pause(0.2)
        assert transcript.scroll_y == transcript.max_scroll_y > 0
        await pilot.press("pageup")
        await pilot.pause()
        place = transcript.scroll_y
        go.set()
        await settled(pane, pilot)
        assert transcript.scroll_y == place
        await pilot.press("ctrl+end")
        await pilot.pause()
        assert transcript.scroll_y == transcript.max_scroll_y


async def test_scrolling_down_at_the_end_does_not_stop_the_following(make_app: Make) -> None:
    go = asyncio.Event()
    more = [TextDelta(f"line {number}\n\n") for number in range(30)]
    app = make_app(ScriptedRouter([START, *more, go, *more, *answer()[-1:]]))
    async with app.run_test(size=(80, 24)) as pilot:
        pane = await ask(pilot, "q")
        transcript = app.query_one(Transcript)
        await until(lambda: "line 29" in (shown(app) or [""])[0])
        await pilot.press("pagedown")
        await pilot.pause()
        go.set()
        await settled(pane, pilot)
        await pilot.pause(0.2)
        assert transcript.scroll_y == transcript.max_scroll_y


def long_conversation(pane: ChatPane, messages: int) -> None:
    for number in range(messages):
        text = f"message {number}"
        pane.conversation.append(Message.user(text) if number % 2 == 0 else Message.assistant(text + "\n\nmore"))


async def test_only_the_messages_near_the_reader_exist_and_the_view_does_not_jump(make_app: Make) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        pane = app.query_one(ChatPane)
        long_conversation(pane, 10_000)
        pane.parts.scene.arrange()
        transcript = app.query_one(Transcript)
        await transcript.show()
        await pilot.pause()
        assert len(app.query(".message")) <= MOST
        assert transcript.view(pane.conversation.path()[-1].id) is not None
        seen: dict[str, int] = {}
        for _ in range(200):
            before = {view.node.id: view.region.y for view in transcript._sliding.views if view.region}
            transcript.scroll_to(y=transcript.scroll_y - 3, animate=False)
            await pilot.pause()
            # What is mounted meanwhile is painted when it is in its place, all at once.
            await until(lambda: not transcript._sliding.moving)
            await pilot.pause()
            after = {view.node.id: view.region.y for view in transcript._sliding.views if view.region}
            moves = {after[node] - before[node] for node in after.keys() & before.keys()}
            assert moves <= {0, 1, 2, 3}, moves
            seen |= dict.fromkeys(after, 1)
            assert len(app.query(".message")) <= MOST
        assert len(seen) > 100
        last = pane.conversation.path()[-1].id
        assert transcript.view(last) is None
        await pilot.press("ctrl+end")
        await until(lambda: transcript.view(last) is not None)
        await until(lambda: transcript.scroll_y == transcript.max_scroll_y)


async def test_whole_messages_and_code_blocks_are_copied_without_decoration(make_app: Make) -> None:
    text = "See:\n\n```python\na = 1\n```\n\nor\n\n```\nb\x1b]52;c;x\x07\n```\n"
    app = make_app(ScriptedRouter(answer(text)))
    async with app.run_test() as pilot:
        pane = await ask(pilot, "q")
        await settled(pane, pilot)
        await pilot.press("f3")
        assert app.clipboard.startswith("See:\n\n```python")
        assert "\x1b" not in app.clipboard
        await pilot.press("f4")
        assert app.clipboard.startswith("b")
        await pilot.press("f4")
        assert app.clipboard == "a = 1\n"


async def test_up_and_down_walk_through_earlier_prompts_and_back_to_the_draft(make_app: Make) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        for text in ("one", "two"):
            await settled(await ask(pilot, text), pilot)
        composer = app.query_one(Composer)
        await pilot.press(*"draft", "up")
        assert composer.text == "two"
        await pilot.press("up")
        assert composer.text == "one"
        await pilot.press("down", "down")
        assert composer.text == "draft"


async def test_slash_commands_are_offered_completed_and_run(make_app: Make) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        pane = await ask(pilot, "hello")
        await settled(pane, pilot)
        await pilot.press("slash", "n")
        assert app.query_one("#commands").display
        await pilot.press("enter")
        await pilot.pause()
        assert pane.conversation.path() == ()
        await ask(pilot, "/system Be brief.")
        await pilot.pause()
        assert pane.conversation.system == "Be brief."


async def test_a_line_that_only_looks_like_a_command_is_sent(make_app: Make) -> None:
    router = ScriptedRouter(answer("ok"))
    app = make_app(router)
    async with app.run_test() as pilot:
        await settled(await ask(pilot, "/usr/bin/env is what?"), pilot)
        await settled(await ask(pilot, "//new"), pilot)
        assert [request.messages[-1].text for request in router.requests] == ["/usr/bin/env is what?", "/new"]


async def test_the_model_is_switched_in_mid_chat_and_remembered(make_app: Make) -> None:
    router = ScriptedRouter(answer("ok"))
    app = make_app(router)
    app._playground.store.here.add("qwen3-4b")
    async with app.run_test() as pilot:
        await settled(await ask(pilot, "one"), pilot)
        await pilot.press("f2")
        await pilot.press(*"qwen", "enter")
        await pilot.pause()
        await settled(await ask(pilot, "two"), pilot)
        assert [request.model for request in router.requests] == ["smollm2-135m", "qwen3-4b"]
        assert len(router.requests[1].messages) == 3
        assert app._choices.state.model == "qwen3-4b"


async def test_what_is_no_text_is_named_in_a_line(make_app: Make) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        pane = app.query_one(ChatPane)
        pane.conversation.append(Message("user", (Image("image/png", b"x"), Text("What is it?"))))
        pane.conversation.append(Message("assistant", (ToolCall("1", "look", '{"at":\x1b "it"}'),)))
        pane.conversation.append(Message("tool", (ToolResult("1", "a cat\n" * 100),)))
        pane.parts.scene.arrange()
        await app.query_one(Transcript).show()
        await pilot.pause()
        notes = [str(note.render()) for note in app.query(".note").results(Static)]
        assert notes[0] == "a picture, image/png"
        assert notes[1].startswith('asked for look {"at":')
        assert "\x1b" not in notes[1]
        assert notes[2].startswith("it gave: a cat a cat")
        assert len(notes[2]) == 300
