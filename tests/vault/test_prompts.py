"""Prompts in the vault: whatever is changed or deleted can be brought back."""

from __future__ import annotations

import pytest

from app.errors import PromptThereError, UnknownPromptError, VaultLockedError
from app.messages import Sampling
from app.vault import Vault, migrations
from app.vault.prompts.prompts import MOST_BEFORE
from app.vault.prompts.records import Prompt
from tests.vault.conftest import vault_at

TEACHER = Prompt(
    name="teacher",
    kind="persona",
    title="Café teacher",
    description="Explains.",
    tags=("school",),
    text="You teach {{subject:physics}}.",
    model="small",
    sampling=Sampling(temperature=0.3, stop=("END",)),
)


async def test_a_prompt_comes_back_as_it_was_put_and_is_found_by_its_words(vault: Vault):
    await vault.prompts.put(TEACHER, Prompt(name="sum", text="# Heading\n\nSum it up."))
    assert (await vault.prompts.get("teacher")).same_content(TEACHER)
    assert [line.name for line in await vault.prompts.lines()] == ["sum", "teacher"]
    assert (await vault.prompts.lines())[0].description == "Sum it up."
    for words in ("CAFE physic", "teac", "school persona"):
        assert [line.name for line in await vault.prompts.lines(words)] == ["teacher"]
    assert await vault.prompts.lines("cafe nothing") == ()


async def test_every_change_can_be_taken_back_and_made_again(vault: Vault):
    prompts = vault.prompts
    for text in ("one", "two"):
        await prompts.put(Prompt(name="a", text=text))
    for expected in ("one", "two", "one"):
        assert (await prompts.restore("a")).text == expected == (await prompts.get("a")).text
    await prompts.delete("a")
    assert await prompts.lines() == () and [prompt.text for prompt in await prompts.binned()] == ["one"]
    await prompts.restore("a")
    assert (await prompts.get("a")).text == "one" and await prompts.binned() == ()

    await prompts.put(Prompt(name="c", text="three"))
    with pytest.raises(PromptThereError):
        await prompts.rename("a", Prompt(name="c", text="one"))
    await prompts.rename("a", Prompt(name="b", text="one"))
    assert [line.name for line in await prompts.lines()] == ["b", "c"]
    await prompts.purge("a")
    for missing in (prompts.get, prompts.delete, prompts.restore):
        with pytest.raises(UnknownPromptError):
            await missing("a")
    with pytest.raises(UnknownPromptError):
        await prompts.delete("b", "nothing")
    assert (await prompts.get("b")).text == "one"  # all or none


async def test_the_bin_of_a_name_is_bounded_and_a_locked_vault_says_nothing(vault: Vault):
    for number in range(MOST_BEFORE + 5):
        await vault.prompts.put(Prompt(name="a", text=str(number)))
    rows = await vault.database.read(lambda c: c.execute("SELECT text FROM prompts ORDER BY number").fetchall())
    assert [text for (text,) in rows] == [str(number) for number in range(4, MOST_BEFORE + 5)]
    await vault.lock()
    with pytest.raises(VaultLockedError):
        await vault.prompts.all()


async def test_prompts_of_an_older_vault_are_kept(tmp_path):
    vault = vault_at(tmp_path)
    with pytest.MonkeyPatch.context() as earlier:
        earlier.setattr(migrations, "NAMES", migrations.NAMES[:5])
        earlier.setattr(migrations, "VERSION", 5)
        await vault.open()
        add = "INSERT INTO prompts (name, kind, text, updated_at) VALUES ('a', 'odd', 'old', 1.0)"
        await vault.database.write(lambda connection: connection.execute(add) and None)
        await vault.close()
    await vault.open()
    assert await vault.prompts.all() == (Prompt(name="a", text="old", updated_at=1.0),)
    await vault.close()
