"""Prompts and personas of the library in the chat, with the whole program around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from app.messages import Sampling
from app.tui.app import PlaygroundApp
from app.tui.chat.composer import Composer
from app.tui.chat.pane import ChatPane
from app.tui.dialogs.confirm import ConfirmScreen
from app.tui.prompts.picker import PromptPicker
from app.tui.prompts.prompt_form import PromptForm
from app.tui.prompts.variables_form import VariablesForm
from app.vault.prompts.records import Prompt

from .conftest import until

Make = Callable[..., PlaygroundApp]


async def begun(pilot: Pilot[Any], *prompts: Prompt) -> tuple[ChatPane, Composer]:
    """The chat, once its vault is open and holds these."""
    pane = pilot.app.query_one(ChatPane)
    await until(lambda: pane.keeper is not None)
    keeping = pane.parts.current.keeping
    assert keeping is not None
    await keeping.vault.prompts.put(*prompts)
    return pane, pilot.app.query_one(Composer)


async def command(pilot: Pilot[Any], line: str) -> None:
    pilot.app.query_one(Composer).put(line)
    await pilot.press("enter")


async def shown(pilot: Pilot[Any], dialog: type) -> None:
    await until(lambda: isinstance(pilot.app.screen, dialog))
    await pilot.pause()


def chosen(pilot: Pilot[Any]) -> str:
    option = pilot.app.screen.query_one(OptionList).highlighted_option
    return "" if option is None else str(option.id)


async def test_a_prompt_is_found_filled_in_put_into_the_composer_unsent_and_kept(make_app: Make):
    async with make_app().run_test(size=(80, 24)) as pilot:
        pane, composer = await begun(pilot, Prompt(name="odd", text="/quit {{a:1}} {{b:2}}"))
        await command(pilot, "/prompt")
        await shown(pilot, PromptPicker)
        pilot.app.screen.query_one(Input).value = "transl"
        await until(lambda: chosen(pilot) == "translate")
        await pilot.press("enter")
        await shown(pilot, VariablesForm)
        assert [field.value for field in pilot.app.screen.query(Input)] == ["English"]  # the text itself is not asked
        await pilot.press(*"Latin", "enter")
        await until(lambda: "into Latin" in composer.prompt)
        assert composer.prompt.endswith("Text:\n\n") and composer.has_focus and not len(pane.conversation)

        # What stands in the composer is what a prompt is about.
        composer.put("good {{morning}}")
        await pane.act("pick_prompt")
        await shown(pilot, PromptPicker)
        pilot.app.screen.query_one(Input).value = "proofr"
        await until(lambda: chosen(pilot) == "proofread")
        await pilot.press("enter")
        await until(lambda: composer.prompt.endswith("Text:\n\ngood {{morning}}"))

        await command(pilot, "/prompt odd")
        await shown(pilot, VariablesForm)
        await pilot.press("enter")
        await until(lambda: composer.prompt == "//quit 1 2")  # asked, not done

        composer.put("Greet {{name}} warmly.")
        await pane.act("save_prompt")
        await shown(pilot, PromptForm)
        await pilot.press(*"Greet", "ctrl+s")
        await until(lambda: len(pilot.app.screen_stack) == 1)
        assert composer.prompt == "Greet {{name}} warmly."
        await command(pilot, "/prompt greet")
        await shown(pilot, VariablesForm)
        await pilot.press(*"Ada", "enter")
        await until(lambda: composer.prompt == "Greet Ada warmly.")


async def test_a_persona_sets_instructions_and_sampling_and_asks_before_it_takes_a_model_along(make_app: Make):
    cold = Prompt(name="cold", kind="persona", text="You are cold.", sampling=Sampling(top_k=3), model="qwen3-4b")
    async with make_app().run_test(size=(80, 24)) as pilot:
        pane, _ = await begun(pilot, cold, Prompt(name="lost", kind="persona", text="Hi.", model="no-such-model"))
        model = pane.model
        await command(pilot, "/persona cold")
        await shown(pilot, ConfirmScreen)
        assert pane.conversation.system == "You are cold."
        assert pane.keeper is not None and pane.keeper.session.sampling == Sampling(top_k=3)
        await pilot.press("n")
        await command(pilot, "/persona lost")
        await until(lambda: pane.conversation.system == "Hi.")
        assert pane.model == model and pane.keeper.session.sampling == Sampling()
        await command(pilot, "/persona")
        await shown(pilot, PromptPicker)
        pilot.app.screen.query_one(Input).value = "teach"
        await until(lambda: chosen(pilot) == "teacher")
        await pilot.press("enter")
        await until(lambda: "patient teacher" in pane.conversation.system)
        await command(pilot, "/persona off")
        await until(lambda: pane.conversation.system == "" and pane.keeper.session.system == "")
