"""The program's prompts and the person's own, together."""

from __future__ import annotations

import pytest

from app.chat.prompt_library import library
from app.chat.prompt_library.importing import hidden_in
from app.chat.prompt_library.library import Library, Taken
from app.chat.prompt_library.variables import filled, variables
from app.errors import PlaygroundError, UnknownPromptError
from app.vault.prompts.records import Prompt
from tests.vault.conftest import vault_at


@pytest.fixture
async def own(tmp_path):
    vault = vault_at(tmp_path)
    await vault.open()
    yield vault.prompts
    await vault.close()


async def test_what_comes_with_the_program_can_be_used_as_it_is():
    there = Library(None)
    assert {line.name for line in await there.lines(kind="persona")} == {"editor", "shell-helper", "teacher"}
    assert (await there.get("Review code", "prompt")).name == "review-code"
    for prompt in there.built_in.values():
        needed = [variable.name for variable in variables(prompt.text) if variable.default is None]
        assert needed == (["input"] if prompt.kind == "prompt" else []), prompt.name
        assert "{{" not in filled(prompt.text, dict.fromkeys(needed, "x"))
        assert prompt.title and prompt.description and prompt.tags and not hidden_in(prompt)
    with pytest.raises(UnknownPromptError, match="Did you mean summarise"):
        await there.get("sumarise")
    with pytest.raises(UnknownPromptError, match="'teacher' is a persona, not a prompt"):
        await there.get("teacher", "prompt")


async def test_ones_own_hides_the_programs_until_it_goes(own):
    there = Library(own)
    await own.put(Prompt(name="summarise", text="Mine."))
    (line,) = [line for line in await there.lines() if line.name == "summarise"]
    assert (line.own, line.description, (await there.get("summarise")).text) == (True, "Mine.", "Mine.")
    assert "summarise" not in [line.name for line in await there.lines("reader")]
    await own.delete("summarise")
    assert "reader" in (await there.get("summarise")).text


async def test_what_is_there_with_another_text_is_replaced_only_when_that_is_said(own, monkeypatch):
    there = Library(own)
    one, two = Prompt(name="one", text="1"), Prompt(name="two", text="2")
    assert await there.take_in([one, two], replace=False) == Taken(added=("one", "two"))
    newer = Prompt(name="one", text="1!")
    assert await there.take_in([newer, two], replace=False) == Taken(same=("two",), left=("one",))
    assert await there.take_in([newer], replace=True) == Taken(replaced=("one",))
    assert (await own.get("one")).text == "1!" and (await own.restore("one")).text == "1"
    monkeypatch.setattr(library, "MOST_OWN", 2)
    with pytest.raises(PlaygroundError, match="3 prompts; at most 2"):
        await there.take_in([Prompt(name="three", text="3")], replace=True)
