"""What is imported is kept as it was read, and what is kept is exported as it is: through the real vault."""

import pytest

from app.chat.formats import export, read_export
from app.vault.conversations.records import Session, WholeSession
from app.vault.vault import Vault

from .samples import EXPORTS, rich, said


@pytest.fixture
async def vault(tmp_path):
    (tmp_path / "data").mkdir(mode=0o700)
    vault = Vault(tmp_path / "data", tmp_path / "backups")
    await vault.open("a passphrase for tests")
    yield vault
    await vault.close()


@pytest.mark.parametrize("export_name", ["chatgpt.json", "claude.json"])
async def test_an_import_is_kept_as_it_was_read(vault, export_name):
    found = read_export((EXPORTS / export_name).read_bytes(), export_name).sessions
    assert found
    for whole in found:
        kept = await vault.sessions.add(whole)
        assert kept == whole.session
        assert await vault.sessions.load(kept.id) == whole


async def test_the_same_export_is_recognised_and_can_still_be_taken_again(vault):
    (whole, *_) = read_export((EXPORTS / "chatgpt.json").read_bytes(), "x").sessions
    await vault.sessions.add(whole)
    (again, *_) = read_export((EXPORTS / "chatgpt.json").read_bytes(), "x").sessions
    assert (await vault.sessions.get(again.session.id)).title == whole.session.title
    second = await vault.sessions.add(again)
    assert second.id != whole.session.id
    assert len((await vault.sessions.load(second.id)).nodes) == len(whole.nodes)


@pytest.mark.parametrize(
    "whole",
    [
        rich(),
        said("half of a character: \ud83d", "a zero: \x00", title="\ud800"),
        WholeSession(Session(id="empty"), ()),
    ],
    ids=["rich", "odd", "empty"],
)
async def test_what_is_kept_goes_out_and_comes_back(vault, whole):
    kept = await vault.sessions.add(whole)
    loaded = await vault.sessions.load(kept.id)
    assert loaded.session.title == whole.session.title.replace("\ud800", "\ufffd")
    await vault.sessions.purge(kept.id)
    (back,) = read_export(export(loaded, "json").encode(), "x").sessions
    assert await vault.sessions.load((await vault.sessions.add(back)).id) == loaded
