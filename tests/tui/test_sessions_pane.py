"""The Sessions pane on a real vault, driven with keys."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from app.tui.sessions.hit_list import HitList
from app.tui.sessions.pages import PAGE
from app.tui.sessions.pane import SessionsPane
from app.tui.sessions.preview import Preview
from app.tui.sessions.session_list import SessionList
from app.tui.sessions.shelf_bar import ShelfBar
from app.vault import Session, Vault
from app.vault.conversations.sessions import Shelf

from .conftest import until
from .vault_app import NOW, SmallApp, a_vault, conversation, empty, pane_of, with_some

pytestmark = pytest.mark.usefixtures("utc")


@asynccontextmanager
async def running(
    folder: Path, fill: Any = with_some, size: tuple[int, int] = (100, 30)
) -> AsyncIterator[tuple[SmallApp, Pilot[Any]]]:
    app = SmallApp(a_vault(folder), pane_of, fill)
    async with app.run_test(size=size) as pilot:
        await until(lambda: app.ready and bool(app.query(SessionsPane)) and app.pane.is_mounted)
        await until(lambda: bool(lines(app)) or app.pane.has_class("-empty"))
        yield app, pilot
    assert app.errors == []
    assert app.faults == []


def painted(rows: Any) -> list[str]:
    return [rows.render_line(y).text.rstrip() for y in range(rows.size.height)]


def lines(app: SmallApp) -> list[str]:
    rows = app.pane.query_one(SessionList)
    found = [line for line in painted(rows) if line] if rows.count else []
    return [] if any(line.strip() == "–" for line in found) else found


def titles(app: SmallApp) -> list[str]:
    return [line[14:].split("  ")[0] for line in lines(app)]


async def titles_in(vault: Vault, shelf: Shelf) -> set[str]:
    return {line.title for line in await vault.sessions.lines(shelf=shelf)}


async def dialog(app: SmallApp, pilot: Pilot[Any]) -> Any:
    await until(lambda: len(app.screen_stack) == 2)
    await pilot.pause()
    return app.screen


async def test_the_list_shows_group_pin_title_tags_date_and_number(tmp_path: Path) -> None:
    async with running(tmp_path) as (app, _):
        first, second, *_ = lines(app)
        assert first.split() == ["Pinned", "★", "Naming", "functions", "in", "Python", "#python", "#style", "Wed", "4"]
        assert second.split() == ["Today", "Three", "days", "in", "Lisbon", "#travel", "12", "min", "2"]
        groups = [line[:12].strip() for line in lines(app) if line[:12].strip()]
        assert groups == ["Pinned", "Today", "Yesterday", "This week", "October", "September", "Oct 2025"]
        assert any("untitled" in line for line in lines(app))
        assert app.pane.query_one(ShelfBar).counts["current"] == 10


async def test_enter_opens_the_chosen_conversation_and_n_begins_one(tmp_path: Path) -> None:
    async with running(tmp_path) as (app, pilot):
        await pilot.press("down", "down", "enter", "n")
        await until(lambda: len(app.wanted) == 2)
        assert app.wanted == [("session-0003", None), "new"]


async def test_search_as_one_types_and_enter_opens_the_hit_at_its_message(tmp_path: Path) -> None:
    async with running(tmp_path) as (app, pilot):
        await pilot.press("slash", *"noun")
        hits = app.pane.query_one(HitList)
        await until(lambda: hits.size.height > 0 and app.pane.search.shown == "noun")
        assert "noun" in painted(hits)[1]
        assert app.pane.query_one("#session-search", Input).has_focus
        await pilot.press("down", "enter")
        await until(lambda: bool(app.wanted))
        assert app.wanted == [("session-0001", "0001-1")]
        await pilot.press("escape")
        await until(lambda: not hits.display)
        assert app.pane.query_one(SessionList).has_focus
        assert len(lines(app)) == 10


async def test_titles_are_found_too_and_a_search_that_finds_nothing_says_so(tmp_path: Path) -> None:
    async with running(tmp_path) as (app, pilot):
        await pilot.press("slash", *"lisb")
        hits = app.pane.query_one(HitList)
        await until(lambda: hits.size.height > 0 and hits.count == 2)
        assert "Three days in Lisbon" in painted(hits)[0]
        assert "by its title" in painted(hits)[1]
        await pilot.press(*"xyz")
        await until(lambda: app.pane.has_class("-empty"))
        await pilot.press("enter")
        assert app.wanted == []


async def test_each_key_stops_the_search_of_the_key_before(tmp_path: Path) -> None:
    async with running(tmp_path) as (app, pilot):
        vault: Vault = app.vault
        asked: list[str] = []
        stopped: list[str] = []
        real = vault.search.messages

        async def slow(words: str, limit: int = 50) -> Any:
            asked.append(words)
            try:
                await asyncio.sleep(0.5 if words != "noun" else 0)
            except asyncio.CancelledError:
                stopped.append(words)
                raise
            return await real(words, limit)

        vault.search.messages = slow  # type: ignore[method-assign]
        await pilot.press("slash", "n", "o")
        await until(lambda: "no" in asked)
        await pilot.press("u", "n")
        await until(lambda: app.pane.query_one(HitList).count == 2)
        assert asked[-1] == "noun"
        assert stopped == asked[:-1] != []


async def test_enter_waits_for_the_hits_of_the_last_letters(tmp_path: Path) -> None:
    async with running(tmp_path) as (app, pilot):
        await pilot.press("slash", *"nou")
        hits = app.pane.query_one(HitList)
        await until(lambda: hits.count == 2)
        field = app.pane.query_one("#session-search", Input)
        field.value = "scattering"
        await pilot.press("enter")
        await until(lambda: bool(app.wanted))
        assert app.wanted == [("session-0003", "0003-1")]


async def test_a_hash_shows_only_the_conversations_with_that_tag(tmp_path: Path) -> None:
    async with running(tmp_path) as (app, pilot):
        await pilot.press("slash", "number_sign", *"pyt")
        await until(lambda: titles(app) == ["Naming functions in Python", "Regular expressions, gently"])
        assert app.pane.query_one(ShelfBar).note == "only #python"
        await pilot.press("escape")
        await until(lambda: len(lines(app)) == 10)


async def test_pin_and_unpin(tmp_path: Path) -> None:
    async with running(tmp_path) as (app, pilot):
        await pilot.press("down", "p")
        await until(lambda: sum("★" in line for line in lines(app)) == 2)
        assert app.pane.chosen_id == "session-0002"
        assert titles(app)[0] == "Three days in Lisbon"
        await pilot.press("p")
        await until(lambda: sum("★" in line for line in lines(app)) == 1)
        assert app.pane.chosen_id == "session-0002"


async def test_rename_keeps_a_person_s_title(tmp_path: Path) -> None:
    async with running(tmp_path) as (app, pilot):
        await pilot.press("down", "r")
        await dialog(app, pilot)
        field = app.screen.query_one(Input)
        assert field.value == "Three days in Lisbon"
        field.value = ""
        await pilot.press(*"Lisboa", "enter")
        await until(lambda: "Lisboa" in titles(app))
        session: Session = await app.vault.sessions.get("session-0002")
        assert (session.title, session.titled_by) == ("Lisboa", "person")


async def test_tags_are_written_with_commas(tmp_path: Path) -> None:
    async with running(tmp_path) as (app, pilot):
        await pilot.press("down", "t")
        await dialog(app, pilot)
        assert app.screen.query_one(Input).value == "travel"
        await pilot.press(*", #food , Travel,", "enter")
        await until(lambda: any("#Travel #food #travel" in line for line in lines(app)))
        assert (await app.vault.sessions.get("session-0002")).tags == ("Travel", "food", "travel")


async def test_what_is_deleted_lies_in_the_bin_and_u_brings_it_back(tmp_path: Path) -> None:
    async with running(tmp_path) as (app, pilot):
        await pilot.press("down", "d")
        await until(lambda: "Three days in Lisbon" not in titles(app))
        assert app.said[-1] == "Deleted. u brings it back."
        assert await titles_in(app.vault, "bin") == {"Three days in Lisbon"}
        assert app.pane.chosen_id == "session-0003"
        await pilot.press("u")
        await until(lambda: "Three days in Lisbon" in titles(app))
        assert await titles_in(app.vault, "bin") == set()


async def test_archived_conversations_have_a_shelf_and_come_back(tmp_path: Path) -> None:
    async with running(tmp_path) as (app, pilot):
        await pilot.press("down", "a")
        await until(lambda: "Three days in Lisbon" not in titles(app))
        await pilot.press("tab")
        await until(lambda: titles(app) == ["Three days in Lisbon"])
        await pilot.press("a")
        await until(lambda: app.pane.has_class("-empty"))
        await pilot.press("shift+tab")
        await until(lambda: "Three days in Lisbon" in titles(app))


async def test_in_the_bin_a_conversation_is_brought_back_or_deleted_for_good_after_a_question(tmp_path: Path) -> None:
    async with running(tmp_path) as (app, pilot):
        await pilot.press("down", "d")
        await until(lambda: len(lines(app)) == 9)
        await pilot.press("d")
        await until(lambda: len(lines(app)) == 8)
        await pilot.press("shift+tab")
        await until(lambda: len(lines(app)) == 2)
        await pilot.press("enter")
        assert app.wanted == []
        await pilot.press("b")
        await until(lambda: len(lines(app)) == 1)
        left = app.pane.chosen_id
        assert left is not None
        await pilot.press("d")
        await dialog(app, pilot)
        await pilot.press("n")
        await until(lambda: len(app.screen_stack) == 1)
        assert (await app.vault.sessions.get(left)).deleted_at is not None
        await pilot.press("d")
        await dialog(app, pilot)
        await pilot.press("y")
        await until(lambda: app.pane.has_class("-empty"))
        assert await app.vault.sessions.count("bin") == 0
        await pilot.press("u")
        await pilot.pause(0.1)
        assert app.errors == []


async def test_a_conversation_goes_out_in_three_forms_and_comes_in_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with running(tmp_path) as (app, pilot):
        await pilot.press("e")
        await dialog(app, pilot)
        field = app.screen.query_one(Input)
        assert field.value.endswith("Naming-functions-in-Python.md")
        await pilot.press("down")
        assert field.value.endswith("Naming-functions-in-Python.json")
        await pilot.press("enter")
        file = tmp_path / "Naming-functions-in-Python.json"
        await until(file.exists)
        assert file.stat().st_mode & 0o777 == 0o600
        assert "A noun, in the words" in json.dumps(json.loads(file.read_text()))

        await pilot.press("e")
        await dialog(app, pilot)
        await pilot.press("down", "enter")
        await pilot.pause()
        assert "There is such a file already" in str(app.screen.query_one(".wrong").render())
        await pilot.press("escape")

        await until(lambda: len(app.screen_stack) == 1)
        await pilot.press("i")
        await dialog(app, pilot)
        await pilot.press(*"nothing", "enter")
        await pilot.pause()
        assert "There is no such file" in str(app.screen.query_one(".wrong").render())
        app.screen.query_one(Input).value = str(file)
        await pilot.press("enter")
        await until(lambda: app.pane.query_one(ShelfBar).counts.get("current") == 11)
        assert "1 conversation taken in." in app.said[-1]


async def test_a_file_that_is_no_export_is_refused_in_words(tmp_path: Path) -> None:
    wrong = tmp_path / "letter.json"
    wrong.write_text("Dear Ms Sousa")
    async with running(tmp_path) as (app, pilot):
        await pilot.press("i")
        await dialog(app, pilot)
        app.screen.query_one(Input).value = str(wrong)
        await pilot.press("enter")
        await until(lambda: bool(app.errors))
        assert "JSON" in app.errors.pop().message


async def test_text_that_would_command_the_terminal_is_shown_instead(tmp_path: Path) -> None:
    async def hostile(vault: Vault) -> None:
        await vault.open()
        evil = "\x1b]52;c;aGk=\x07 \u202eevil\x9b2J"
        whole = conversation(1, f"Title {evil}", NOW, f"needle {evil} in the hay", tags=(f"tag{evil}",))
        await vault.sessions.add(whole)

    async with running(tmp_path, hostile, (120, 40)) as (app, pilot):
        await pilot.press("slash", *"needle")
        hits = app.pane.query_one(HitList)
        await until(lambda: hits.size.height > 0 and hits.count == 1)
        await pilot.pause(0.3)
        shown = "".join([*lines(app), *painted(hits), str(app.pane.query_one(Preview).query_one("Static").render())])
        assert "needle" in shown and "␛" in shown
        assert not set(shown) & set("\x1b\x07\x9b\u202e")


async def test_clearing_leaves_nothing_of_the_vault_on_the_screen_or_in_the_pane(tmp_path: Path) -> None:
    async with running(tmp_path, size=(120, 40)) as (app, pilot):
        await pilot.press("down", "d")
        await until(lambda: len(lines(app)) == 9)
        await pilot.press("slash", *"noun")
        await until(lambda: app.pane.query_one(HitList).count == 2)
        await pilot.pause(0.3)
        app.notify("Exported to ~/Naming-functions.md.")
        await app.vault.lock()
        app.pane.clear()
        await pilot.pause()
        picture = app.export_screenshot()
        for word in ("noun", "Naming", "travel", "Alfama"):
            assert word not in picture
        assert "locked" in picture
        assert not app.pane.deeds.can_undo
        await pilot.press("escape", "d", "enter", "u", "i", "e")
        await pilot.pause(0.2)
        assert len(app.screen_stack) == 1
        await app.vault.open()
        app.pane.reload()
        await until(lambda: len(lines(app)) == 9)


async def test_a_vault_that_was_locked_elsewhere_leaves_nothing_in_the_pane_either(tmp_path: Path) -> None:
    async with running(tmp_path, size=(120, 40)) as (app, pilot):
        await app.vault.lock()
        await until(lambda: app.pane.has_class("-empty"))
        await pilot.pause()
        assert "locked" in "".join(painted(app.pane.query_one(SessionList)))
        assert app.pane.chosen_id is None


async def test_what_another_part_changed_is_shown_after_a_reload_and_the_choice_stays(tmp_path: Path) -> None:
    async with running(tmp_path) as (app, pilot):
        await pilot.press("down", "down")
        await app.vault.sessions.add(conversation(77, "Quite new", NOW, "Hello"))
        app.pane.reload()
        await until(lambda: "Quite new" in titles(app))
        assert app.pane.chosen_id == "session-0003"


async def test_a_vault_with_nothing_in_it_says_how_to_begin(tmp_path: Path) -> None:
    async with running(tmp_path, empty) as (app, pilot):
        assert "Nothing here yet" in "".join(painted(app.pane.query_one(SessionList)))
        await pilot.press("p", "d", "r", "t", "e", "a", "enter", "up", "end", "pagedown")
        await pilot.pause()
        assert len(app.screen_stack) == 1


async def test_no_key_rests_where_terminals_have_backspace_tab_or_enter(tmp_path: Path) -> None:
    async with running(tmp_path) as (app, _):
        for node in [app.pane, *app.pane.walk_children()]:
            if not type(node).__module__.startswith("app."):
                continue
            for binding in vars(type(node)).get("BINDINGS", ()):
                assert not set(binding.key.split(",")) & {"ctrl+h", "ctrl+i", "ctrl+j", "ctrl+m"}
                assert binding.id.startswith("sessions.")


async def many(vault: Vault) -> None:
    """Fifty thousand conversations, written in one transaction."""
    await vault.open()

    def write(connection: Any) -> None:
        connection.executemany(
            "INSERT INTO sessions (id, title, created_at, updated_at, messages) VALUES (?, ?, ?, ?, 12)",
            ((f"s{n:05}", f"Conversation {n:05}", NOW - 60 * n, NOW - 60 * n) for n in range(50_000)),
        )

    await vault.database.write(write)


async def test_fifty_thousand_conversations_scroll_without_a_pause(tmp_path: Path) -> None:
    async with running(tmp_path, many) as (app, pilot):
        rows = app.pane.query_one(SessionList)
        assert rows.count == 50_000
        reads: list[tuple[int, int]] = []
        real = app.vault.sessions.lines

        async def counted(offset: int, limit: int, **options: Any) -> Any:
            reads.append((offset, limit))
            return await real(offset, limit, **options)

        app.vault.sessions.lines = counted
        longest = 0.0
        for y in range(0, 50_000, 500):
            # The interface's own time, whatever the machine does besides: moving, and painting what came into view.
            before = time.thread_time()
            rows.scroll_to(y=y, animate=False)
            painted(rows)
            longest = max(longest, time.thread_time() - before)
            await asyncio.sleep(0)
        assert longest < 0.05
        await until(lambda: bool(lines(app)) and titles(app)[0] == "Conversation 49500")
        # What was only flown over is not read.
        assert len(reads) < 60
        assert max(limit for _, limit in reads) == PAGE
        await pilot.press("end")
        await until(lambda: bool(lines(app)) and titles(app)[-1] == "Conversation 49999")
        await pilot.press("home")
        await until(lambda: bool(lines(app)) and titles(app)[0] == "Conversation 00000")
        await pilot.press("pagedown", "pagedown", "enter")
        await until(lambda: bool(app.wanted))


async def test_rows_that_are_not_read_yet_are_painted_as_placeholders(tmp_path: Path) -> None:
    async with running(tmp_path, many) as (app, pilot):
        gate = asyncio.Event()
        real = app.vault.sessions.lines

        async def slow(*args: Any, **options: Any) -> Any:
            await gate.wait()
            return await real(*args, **options)

        app.vault.sessions.lines = slow
        await pilot.press("end")
        await pilot.pause()
        assert {line.strip() for line in painted(app.pane.query_one(SessionList))} == {"–"}
        assert app.pane.chosen_id is None
        await pilot.press("d", "enter")
        gate.set()
        await until(lambda: bool(lines(app)) and titles(app)[-1] == "Conversation 49999")
        assert app.wanted == []


async def test_the_preview_shows_the_end_of_the_chosen_conversation_where_there_is_room(tmp_path: Path) -> None:
    async with running(tmp_path, size=(120, 40)) as (app, pilot):
        text = app.pane.query_one(Preview).query_one("Static")
        await until(lambda: "A noun, in the words of the field." in str(text.render()))
        await pilot.press("down")
        await until(lambda: "Begin in Alfama." in str(text.render()))
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert not app.pane.query_one(Preview).display


async def test_a_click_chooses_and_a_second_one_opens(tmp_path: Path) -> None:
    async with running(tmp_path) as (app, pilot):
        await pilot.click(SessionList, offset=(20, 3))
        await pilot.pause()
        assert app.pane.chosen_id == "session-0004"
        await pilot.click(SessionList, offset=(20, 3))
        await until(lambda: app.wanted == [("session-0004", None)])
        await pilot.click(ShelfBar, offset=(18, 0))
        await until(lambda: app.pane.has_class("-empty"))
