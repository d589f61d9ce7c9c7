"""Choosing, writing and filling in prompts, each dialog by itself on a real vault."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input, OptionList, Static, TextArea

from app.chat.prompt_library.library import Library
from app.chat.prompt_library.variables import Variable
from app.messages import Sampling
from app.tui.prompts.picker import PromptPicker
from app.tui.prompts.prompt_form import PromptForm
from app.tui.prompts.ranking import ranked
from app.tui.prompts.variables_form import VariablesForm
from app.vault import Vault
from app.vault.prompts.records import Prompt, PromptLine

from .conftest import until
from .vault_app import SmallApp, a_vault

NOTES = Prompt(
    name="release-notes",
    title="Release notes",
    description="From a list of commits, for readers who use the program.",
    tags=("work",),
    text="Write release notes for {{version:the next version}}. \x1b[31m\n\n{{input}}",
    model="large",
    sampling=Sampling(temperature=0.3),
)


async def with_notes(vault: Vault) -> None:
    await vault.open()
    await vault.prompts.put(NOTES)


def picker(vault: Vault) -> PromptPicker:
    return PromptPicker(Library(vault.prompts), "prompt", model_note=lambda model: ", which is not here.")


def chosen(app: SmallApp) -> str:
    option = app.screen.query_one(OptionList).highlighted_option
    return "" if option is None else str(option.id)


def preview(app: SmallApp) -> str:
    return str(app.screen.query_one(".preview", Static).content)


async def in_picker(pilot: Any, app: SmallApp) -> None:
    await until(lambda: app.ready and len(app.screen_stack) == 2 and isinstance(app.screen, PromptPicker))
    await until(lambda: bool(chosen(app)))


def test_the_name_counts_more_than_what_is_said_of_a_prompt():
    lines = [
        PromptLine(name="brainstorm", title="Brainstorm", description="Ideas for a review."),
        PromptLine(name="review-code", title="Review code", tags=("work",)),
        PromptLine(name="rewrite", title="Rewrite"),
    ]
    assert [line.name for line in ranked(lines, "rev")] == ["review-code", "brainstorm"]
    assert [line.name for line in ranked(lines, "rwt")] == ["rewrite"]
    assert [line.name for line in ranked(lines, "WORK")] == ["review-code"]
    assert ranked(lines, " ") == tuple(lines) and ranked(lines, "zzz") == ()


async def test_a_prompt_is_found_changed_taken_back_and_chosen(tmp_path: Path):
    app = SmallApp(a_vault(tmp_path), picker, with_notes)
    async with app.run_test(size=(80, 24)) as pilot:
        await in_picker(pilot, app)
        await pilot.press(*"relno")
        await until(lambda: "␛[31m" in preview(app) and "large, which is not here." in preview(app))
        await pilot.press("ctrl+d")
        await until(lambda: chosen(app) == "")
        assert [prompt.name for prompt in await app.vault.prompts.binned()] == ["release-notes"]
        await pilot.press("ctrl+z")
        await until(lambda: chosen(app) == "release-notes")

        await pilot.press("ctrl+e")
        await until(lambda: isinstance(app.screen, PromptForm))
        app.screen.query_one("#of-name", Input).value = "News Letter"
        app.screen.query_one("#of-sampling", Input).value = "temperature 0.5, top_k 9"
        await pilot.press("ctrl+s")
        await until(lambda: isinstance(app.screen, PromptPicker) and chosen(app) == "news-letter")
        kept = await app.vault.prompts.get("news-letter")
        assert kept.sampling == Sampling(temperature=0.5, top_k=9) and kept.text == NOTES.text
        await pilot.press("ctrl+z")
        await until(lambda: chosen(app) == "release-notes")
        assert [prompt.name for prompt in await app.vault.prompts.all()] == ["release-notes"]

        app.screen.query_one(Input).value = "translate"
        await until(lambda: chosen(app) == "translate")
        await pilot.press("ctrl+d")
        await until(lambda: any("comes with Playground" in said for said in app.said))
        await pilot.press("enter")
        await until(lambda: bool(app.answers))
    assert app.answers[0].name == "translate" and not app.errors and not app.faults


async def test_a_form_says_what_is_wrong_and_keeps_nothing_then(tmp_path: Path):
    def form(vault: Vault) -> PromptForm:
        return PromptForm(vault.prompts, Prompt(name="", text=""), own=False)

    app = SmallApp(a_vault(tmp_path), form, with_notes)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(lambda: app.ready and isinstance(app.screen, PromptForm))
        await pilot.pause()

        async def wrong(words: str) -> None:
            await pilot.pause()
            await pilot.press("ctrl+s")
            await until(lambda: words in str(app.screen.query_one(".wrong", Static).content))

        await wrong("no title and no name")
        await pilot.press(*"Release", "space", *"notes")
        await wrong("no text")
        app.screen.query_one(TextArea).text = "Hello {{name}}."
        app.screen.query_one("#of-sampling", Input).value = "heat 3"
        await wrong("no sampling parameter 'heat'")
        app.screen.query_one("#of-sampling", Input).value = ""
        await wrong("'release-notes' already")
        app.screen.query_one("#of-name", Input).value = "greet"
        await pilot.press("ctrl+s")
        await until(lambda: bool(app.answers))
        assert (await app.vault.prompts.get("greet")).title == "Release notes"


async def test_variables_are_asked_with_their_defaults_and_none_is_forgotten(tmp_path: Path):
    wanted = (Variable("input"), Variable("tone", "clear"), Variable("language"))
    app = SmallApp(a_vault(tmp_path), lambda vault: VariablesForm("Rewrite", wanted), with_notes)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(lambda: app.ready and isinstance(app.screen, VariablesForm))
        await pilot.pause()
        await pilot.press("ctrl+s")
        await until(lambda: "language has no value" in str(app.screen.query_one(".wrong", Static).content))
        await pilot.press(*"Latin", "tab", *"Hi", "enter", *"you", "ctrl+s")
        await until(lambda: bool(app.answers))
    assert app.answers == [{"tone": "clear", "language": "Latin", "input": "Hi\nyou"}]


def test_picture_of_the_picker(snap_compare: Any, tmp_path: Path):
    app = SmallApp(a_vault(tmp_path), picker, with_notes)

    async def run(pilot: Any) -> None:
        await in_picker(pilot, app)
        await pilot.press(*"re")
        await until(lambda: "rewrite" in preview(app))
        await pilot.pause(0.1)

    assert snap_compare(app, terminal_size=(120, 40), run_before=run)


@pytest.mark.parametrize("keys", [("escape",), ("ctrl+c",)])
async def test_the_picker_is_left_without_an_answer(tmp_path: Path, keys: tuple[str, ...]):
    app = SmallApp(a_vault(tmp_path), picker, with_notes)
    async with app.run_test(size=(60, 12)) as pilot:
        await in_picker(pilot, app)
        await pilot.press(*keys)
        await until(lambda: app.answers == [None])
