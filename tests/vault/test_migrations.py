"""The schema goes forward in one transaction, after a backup, and a later one is left alone."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from app.errors import PlaygroundError
from app.vault import migrations
from tests.vault.conftest import conversation, everything, fingerprints, vault_at

KNOWN = migrations.NAMES
NEXT = f"v{len(KNOWN) + 1:03}_next"


@pytest.fixture
def second(monkeypatch):
    """A program that is one version later: it adds a column, and fails when it is told to."""
    module = ModuleType(f"app.vault.migrations.{NEXT}")
    module.fails = False

    def apply(database):
        database.execute("ALTER TABLE sessions ADD COLUMN colour TEXT NOT NULL DEFAULT 'blue'")
        if module.fails:
            raise RuntimeError("the migration fails")

    module.apply = apply
    monkeypatch.setitem(sys.modules, module.__name__, module)

    def install():
        monkeypatch.setattr(migrations, "NAMES", (*KNOWN, NEXT))
        monkeypatch.setattr(migrations, "VERSION", len(KNOWN) + 1)

    module.install = install
    return module


async def columns(vault):
    return await vault.database.read(lambda c: [row[1] for row in c.execute("PRAGMA table_info(sessions)")])


async def test_an_older_vault_is_backed_up_and_brought_forward(second, tmp_path):
    vault = vault_at(tmp_path)
    await vault.open()
    await vault.sessions.add(conversation("a", "kept"))
    expected = await everything(vault)
    await vault.close()
    second.install()
    await vault.open()
    assert "colour" in await columns(vault)
    assert await everything(vault) == expected
    rows = await vault.database.read(lambda c: c.execute("SELECT name FROM migrations ORDER BY applied_at").fetchall())
    assert rows == [(name,) for name in (*KNOWN, NEXT)]
    (made,) = vault.backups.list()
    assert made.manifest is not None and (made.manifest.reason, made.manifest.messages) == ("upgrade", 1)
    await vault.close()
    await vault.open()
    assert len(vault.backups.list()) == 1  # nothing to bring forward, nothing to back up
    await vault.close()


async def test_a_migration_that_fails_leaves_the_older_vault(second, tmp_path):
    vault = vault_at(tmp_path)
    await vault.open()
    await vault.sessions.add(conversation("a", "kept"))
    await vault.close()
    database = (tmp_path / "vault.db").read_bytes()
    second.fails = True
    with pytest.MonkeyPatch.context() as later:
        later.setattr(migrations, "NAMES", (*KNOWN, NEXT))
        later.setattr(migrations, "VERSION", len(KNOWN) + 1)
        with pytest.raises(RuntimeError, match="the migration fails"):
            await vault.open()
        assert vault.state == "locked"
    assert (tmp_path / "vault.db").read_bytes() == database
    await vault.open()  # the older program still opens it
    assert "colour" not in await columns(vault)
    await vault.close()


async def test_the_older_program_leaves_the_later_vault_alone(second, tmp_path):
    vault = vault_at(tmp_path)
    with pytest.MonkeyPatch.context() as later:
        later.setattr(migrations, "NAMES", (*KNOWN, NEXT))
        later.setattr(migrations, "VERSION", len(KNOWN) + 1)
        await vault.open()
        await vault.close()
    before = fingerprints(tmp_path)
    with pytest.raises(
        PlaygroundError, match=f"schema version {len(KNOWN) + 1}; this Playground knows versions up to {len(KNOWN)}"
    ):
        await vault.open()
    assert fingerprints(tmp_path) == before


async def test_a_backup_of_an_older_vault_is_brought_forward_when_it_is_restored(second, tmp_path):
    vault = vault_at(tmp_path)
    await vault.open()
    await vault.sessions.add(conversation("a", "kept"))
    made = await vault.backups.create()
    await vault.close()
    second.install()
    await vault.restore(made.path)
    await vault.open()
    assert "colour" in await columns(vault) and set(await everything(vault)) == {"a"}
    await vault.close()


async def test_an_unprotected_vault_whose_backups_go_elsewhere_is_still_brought_forward(second, tmp_path):
    from app.vault import Vault

    home = tmp_path / "home"
    home.mkdir()
    vault = Vault(home, tmp_path / "elsewhere")
    await vault.open()
    await vault.close()
    second.install()
    await vault.open()  # to set a passphrase, it must open first
    assert len(list((home / "backups").glob("*-upgrade.backup"))) == 1
    assert not (tmp_path / "elsewhere").exists()
    await vault.close()


async def test_every_statement_of_the_product_has_its_table(vault):
    tables = await vault.database.read(
        lambda c: {row[0] for row in c.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    )
    assert tables >= {
        "sessions", "session_tags", "messages", "posts", "post_revisions", "vectors", "forgotten", "usage",
        "answers_cached", "audit", "api_keys", "users", "secrets", "prompts", "benchmarks", "state", "migrations",
    }  # fmt: skip
