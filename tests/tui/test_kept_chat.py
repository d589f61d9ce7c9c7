"""The Chat pane and the vault together: what is said is kept, and found again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Markdown

from app.chat.keeping import Keeping
from app.errors import DiskFullError, WorkerDiedError
from app.messages import ChatRequest, Finished, Message, Sampling, Started, TextDelta
from app.settings import ChatSettings
from app.tui.app import PlaygroundApp
from app.tui.bars.tabs import TabBar
from app.tui.chat.composer import Composer
from app.tui.chat.pane import ChatPane
from app.tui.pane_stack import PaneStack
from app.tui.sessions.session_list import SessionList
from app.tui.unlock.screen import UnlockScreen
from app.vault import Vault
from app.vault.conversations.records import SessionLine

from .conftest import until
from .scripted import ScriptedRouter, answer

Make = Callable[..., PlaygroundApp]
START = Started("smollm2-135m", "local", prompt_tokens=31, context=8192)


def chat_of(pilot: Pilot[Any]) -> ChatPane:
    return pilot.app.query_one(ChatPane)


async def attached(pilot: Pilot[Any]) -> ChatPane:
    pane = chat_of(pilot)
    await until(lambda: pane.keeper is not None)
    return pane


async def ask(pilot: Pilot[Any], text: str) -> ChatPane:
    pane = await attached(pilot)
    pilot.app.query_one(Composer).put(text)
    await pilot.press("enter")
    await until(lambda: len(pane.conversation) > 0)
    await until(lambda: not pane.answering)
    await pilot.pause()
    return pane


def vault_in(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "data", tmp_path / "data" / "backups")


async def kept(tmp_path: Path, passphrase: str | None = None) -> list[list[tuple[str, str]]]:
    """What the vault holds: a list of sessions, each a list of (text, status)."""
    vault = vault_in(tmp_path)
    await vault.open(passphrase)
    try:
        lines = await vault.sessions.lines()
        return [[(n.message.text, n.status) for n in await vault.messages.load(line.id)] for line in lines]
    finally:
        await vault.close()


async def test_what_was_said_is_in_the_vault_and_on_the_screen_after_the_next_start(
    make_app: Make, tmp_path: Path
) -> None:
    app = make_app(ScriptedRouter(answer("Red, green.")))
    async with app.run_test() as pilot:
        pane = await ask(pilot, "Name colours.")
        assert pane.keeper is not None
        assert pane.keeper.session.title == "Name colours."
    assert await kept(tmp_path) == [[("Name colours.", "complete"), ("Red, green.", "complete")]]

    again = make_app(ScriptedRouter(answer("Blue.")))
    async with again.run_test() as pilot:
        pane = await attached(pilot)
        await until(lambda: [m.source for m in again.query(Markdown)] == ["Red, green."])
        await ask(pilot, "More?")
        assert [node.message.text for node in pane.conversation.path()] == [
            "Name colours.", "Red, green.", "More?", "Blue.",
        ]  # fmt: skip
    assert len(await kept(tmp_path)) == 1


async def test_up_gives_the_prompts_of_the_conversation_that_is_shown_and_none_after_locking(make_app: Make) -> None:
    app = make_app(ScriptedRouter(answer("1"), answer("2")))
    async with app.run_test() as pilot:
        await ask(pilot, "first")
        await ask(pilot, "//second")
    again = make_app(ScriptedRouter(answer("3")))
    async with again.run_test() as pilot:
        pane = await attached(pilot)
        composer = again.query_one(Composer)
        await until(lambda: len(pane.conversation) == 4)
        await pilot.press("up")
        assert composer.text == "//second"
        await pilot.press("up")
        assert composer.text == "first"
        composer.put("")
        composer.prompts.leave()
        await pane.action_new_chat()
        await pilot.press("up")
        assert composer.text == ""
        await ask(pilot, "third")
        assert pane.keeper is not None
        await pane.open_session(next(line.id for line in await lines_of(again) if line.title == "first"))
        for expected in ("//second", "first", "third"):
            await pilot.press("up")
            assert composer.text == expected
        await again._playground.vault.set_passphrase("four unusual words here")
        again.action_lock()
        await until(lambda: isinstance(again.screen, UnlockScreen))
        assert composer.prompts.older("") is None


async def lines_of(app: PlaygroundApp) -> tuple[SessionLine, ...]:
    return await app._playground.vault.sessions.lines()


async def test_a_model_is_asked_only_when_the_question_is_on_the_disk(make_app: Make, tmp_path: Path) -> None:
    found: list[Any] = []

    class Looking(ScriptedRouter):
        async def stream(self, request: ChatRequest) -> Any:
            found.extend(await kept(tmp_path))
            async for delta in super().stream(request):
                yield delta

    app = make_app(Looking(answer("Yes.")))
    async with app.run_test() as pilot:
        await ask(pilot, "Is it there?")
    assert [("Is it there?", "complete"), ("", "streaming")] in found


async def test_an_answer_that_was_cut_is_continued_from_its_last_word(make_app: Make, tmp_path: Path) -> None:
    router = ScriptedRouter(
        [START, TextDelta("Once upon"), WorkerDiedError("It died.")], [START, TextDelta(" a time."), Finished("stop")]
    )
    app = make_app(router)
    async with app.run_test() as pilot:
        pane = await ask(pilot, "A story.")
        assert pane.conversation.path()[-1].status == "failed"
        await pilot.press("alt+c")
        await until(lambda: pane.conversation.path()[-1].status == "complete")
        await until(lambda: not pane.answering)
        assert [m.source for m in app.query(Markdown)] == ["Once upon a time."]
        assert router.requests[-1].messages == (Message.user("A story."), Message.assistant("Once upon"))
    assert await kept(tmp_path) == [[("A story.", "complete"), ("Once upon a time.", "complete")]]


async def test_both_branches_of_an_edited_message_are_kept_and_the_shown_one_is_remembered(
    make_app: Make, tmp_path: Path
) -> None:
    app = make_app(ScriptedRouter(answer("One."), answer("Two.")))
    async with app.run_test() as pilot:
        pane = await ask(pilot, "First")
        await pilot.press("alt+e")
        app.query_one(Composer).put("Second")
        await pilot.press("enter")
        await until(lambda: len(pane.conversation) == 4 and not pane.answering)
        await pane.action_version(-1)
        assert [node.message.text for node in pane.conversation.path()] == ["First", "One."]
    again = make_app()
    async with again.run_test() as pilot:
        pane = await attached(pilot)
        assert [node.message.text for node in pane.conversation.path()] == ["First", "One."]
        assert len(pane.conversation) == 4


async def test_a_prompt_that_was_taken_back_leaves_no_session(make_app: Make, tmp_path: Path) -> None:
    app = make_app(ScriptedRouter([START, asyncio.Event()]))
    async with app.run_test() as pilot:
        pane = await attached(pilot)
        app.query_one(Composer).put("Never mind")
        await pilot.press("enter")
        await until(lambda: pane.answering and len(pane.conversation) == 2)
        await pilot.pause()
        await pilot.press("escape")
        await until(lambda: app.query_one(Composer).text == "Never mind")
        await pilot.pause(0.1)
    assert await kept(tmp_path) == []


async def test_instructions_and_sampling_belong_to_the_session(make_app: Make, tmp_path: Path) -> None:
    router = ScriptedRouter(answer("Arr."))
    app = make_app(router)
    async with app.run_test() as pilot:
        pane = await attached(pilot)
        pane.parts.particulars.set_system("Talk like a pirate.")
        pane.parts.particulars.set_sampling("temperature 0.3")
        pane.parts.particulars.set_sampling("top_k many")
        await ask(pilot, "Hello")
        assert router.requests[0].messages[0] == Message.system("Talk like a pirate.")
        assert router.requests[0].sampling == Sampling(temperature=0.3)
    again = make_app(router)
    async with again.run_test() as pilot:
        pane = await attached(pilot)
        assert pane.conversation.system == "Talk like a pirate."
        assert pane.parts.current.sampling == Sampling(temperature=0.3)
        await pane.action_new_chat()
        assert pane.parts.current.sampling == Sampling()


async def test_a_model_s_title_comes_after_the_first_answer_and_a_person_s_stays(
    make_app: Make, tmp_path: Path
) -> None:
    router = ScriptedRouter(answer("Red."), answer('Title: "Warm Colours".'), answer("Blue."), answer("Other"))
    app = make_app(router, chat=ChatSettings(titles=True))
    async with app.run_test() as pilot:
        pane = await ask(pilot, "Name a colour, please, for a wall in a kitchen")
        assert pane.keeper is not None
        await until(lambda: pane.keeper.session.title == "Warm Colours")
        pane.parts.particulars.set_title("Kitchen")
        await ask(pilot, "Another")
        await pilot.pause(0.1)
        assert pane.keeper.session.title == "Kitchen"
        assert len(router.requests) == 3


async def test_a_conversation_longer_than_the_window_loses_its_oldest_turns_and_says_so(
    make_app: Make, tmp_path: Path
) -> None:
    small = [Started("m", "local", context=600), TextDelta("ok"), Finished("stop")]
    router = ScriptedRouter(small)
    app = make_app(router, context=600)
    async with app.run_test() as pilot:
        pane = await attached(pilot)
        pane.parts.particulars.set_system("Be brief.")
        for number in range(5):
            await ask(pilot, f"{number} " + "word " * 100)
        last = router.requests[-1].messages
        assert last[0] == Message.system("Be brief.")
        assert last[-1].text.startswith("4 ")
        assert len(last) < 9
        assert last[1].role == "user"
        assert "left out" in pane.status.note
        assert len(pane.conversation.path()) == 10


async def test_what_is_left_out_is_summed_up_when_that_is_chosen_and_the_summary_is_kept(
    make_app: Make, tmp_path: Path
) -> None:
    class Summing(ScriptedRouter):
        async def stream(self, request: ChatRequest) -> Any:
            summing = request.messages[-1].text.startswith("Summarise")
            yield Started("m", "local", context=600)
            yield TextDelta("They spoke of words." if summing else "ok")
            self.requests.append(request)
            yield Finished("stop")

    router = Summing()
    app = make_app(router, context=600, chat=ChatSettings(titles=False, summarise=True))
    async with app.run_test() as pilot:
        pane = await attached(pilot)
        for number in range(4):
            await ask(pilot, f"{number} " + "word " * 100)
        await until(lambda: pane.parts.current.summary.text == "They spoke of words.")
        await ask(pilot, "And now?")
        asked = next(r for r in reversed(router.requests) if r.messages[-1].text == "And now?")
        assert asked.messages[0].role == "system"
        assert "> They spoke of words." in asked.messages[0].text
        await pilot.pause(0.1)
    again = make_app(router, context=600, chat=ChatSettings(titles=False, summarise=True))
    async with again.run_test() as pilot:
        pane = await attached(pilot)
        assert pane.parts.current.summary.text == "They spoke of words."


async def test_locking_takes_everything_off_the_screen_and_the_passphrase_brings_it_back(
    make_app: Make, tmp_path: Path
) -> None:
    app = make_app(ScriptedRouter(answer("The treasure is here.")))
    async with app.run_test() as pilot:
        pane = await ask(pilot, "Where?")
        await app._playground.vault.set_passphrase("correct horse")
        app._bars.protection_changed()
        assert not app.query_one(TabBar).unprotected
        app.action_lock()
        await until(lambda: isinstance(app.screen, UnlockScreen))
        assert app._playground.vault.state == "locked"
        assert len(pane.conversation) == 0
        assert not [m.source for m in app.query(Markdown)]
        await pilot.press(*"wrong", "enter")
        await until(lambda: "does not open" in str(app.screen.query_one("#unlock-note").render()))
        app.screen.query_one(Input).value = "correct horse"
        await pilot.press("enter")
        await until(lambda: not isinstance(app.screen, UnlockScreen))
        await until(lambda: [m.source for m in app.query(Markdown)] == ["The treasure is here."])


async def test_it_locks_by_itself_only_with_a_passphrase_and_when_nobody_is_there(
    make_app: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        await attached(pilot)
        app._guard._used_at -= 10_000
        app._watch_idleness()
        assert not app._guard.unattended and app._playground.vault.state == "open"
        await app._playground.vault.set_passphrase("correct horse")
        assert app._guard.unattended
        with monkeypatch.context() as patched:
            patched.setattr(PaneStack, "answering", True)
            app._watch_idleness()
            await pilot.pause()
            assert app._playground.vault.state == "open"
        app.set_interval(0.01, app._watch_idleness)
        await until(lambda: isinstance(app.screen, UnlockScreen))
        app.screen.query_one(Input).value = "correct horse"
        await pilot.press("enter")
        await until(lambda: not isinstance(app.screen, UnlockScreen))
        assert app._playground.vault.state == "open"


async def test_a_full_disk_is_said_once_the_chat_goes_on_and_all_is_kept_when_there_is_room(
    make_app: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(ScriptedRouter(answer("Still here.")))
    async with app.run_test() as pilot:
        await attached(pilot)
        vault = app._playground.vault
        write = vault.database.write
        full = True

        async def refused(work: Any) -> Any:
            if full:
                raise DiskFullError("The disk is full.", "Make room.")
            return await write(work)

        monkeypatch.setattr(vault.database, "write", refused)
        pane = await ask(pilot, "Can you hear me?")
        assert [node.message.text for node in pane.conversation.path()] == ["Can you hear me?", "Still here."]
        assert [n.title for n in app._notifications] == ["The disk is full"]
        full = False
        assert pane.keeper is not None
        assert await pane.keeper.settle()
    assert await kept(tmp_path) == [[("Can you hear me?", "complete"), ("Still here.", "complete")]]


async def test_the_sessions_pane_opens_a_conversation_at_a_message(make_app: Make, tmp_path: Path) -> None:
    vault = vault_in(tmp_path)
    (tmp_path / "data").mkdir(exist_ok=True)
    await vault.open()
    conversation, keeper = Keeping(vault, lambda _error: None).begin(title="Old")
    for number in range(40):
        conversation.append(Message.user(f"message number {number}"))
    target = conversation.path()[3].id
    await keeper.settle()
    session = keeper.session.id
    other, second = Keeping(vault, lambda _error: None).begin(title="New")
    other.append(Message.user("something else"))
    await second.settle()
    await vault.close()

    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        pane = await attached(pilot)
        assert pane.keeper.session.title == "New"
        await pilot.press("f7")
        await pilot.pause()
        from app.tui.sessions.pane import SessionsPane

        app.query_one(SessionsPane).post_message(SessionsPane.OpenWanted(session, target))
        await until(lambda: pane.keeper is not None and pane.keeper.session.title == "Old")
        from app.tui.chat.transcript import Transcript

        await until(lambda: app.query_one(Transcript).chosen == target)
        await pilot.pause()
        assert app.query_one(Transcript).view(target) is not None
        assert app.query_one("#chat").display


async def test_the_chat_follows_what_the_sessions_pane_does_to_its_conversation(make_app: Make) -> None:
    app = make_app(ScriptedRouter(answer("Yes.")))
    async with app.run_test(size=(100, 30)) as pilot:
        pane = await ask(pilot, "Is it here?")
        assert pane.keeper is not None
        first = pane.keeper.session.id
        await app._playground.vault.sessions.rename(first, "Elsewhere")
        await pane.session_changed_elsewhere(first)
        assert pane.keeper.session.title == "Elsewhere"
        await pilot.press("f7")
        await until(lambda: app.query("SessionList"))
        await until(lambda: app.query_one(SessionList).count == 1)
        await pilot.pause(0.2)
        await pilot.press("d")
        await until(lambda: pane.keeper is not None and pane.keeper.session.id != first)
        assert len(pane.conversation) == 0
