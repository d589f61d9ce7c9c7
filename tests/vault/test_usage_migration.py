"""Figures reach back to what was noted before they were thought of."""

from __future__ import annotations

import msgspec
import pytest

from app.vault import migrations
from app.vault.activity.audit import AuditNote
from tests.vault.conftest import vault_at

BEFORE = migrations.NAMES.index("v007_figures")
ROW = "INSERT INTO usage (at, model, backend, prompt_tokens, completion_tokens, outcome) VALUES (?, ?, ?, 3, 4, ?)"


def note(at, **more):
    return AuditNote(**{"at": at, "face": "tui", "asked": "m", "model": "m", "backend": "local", **more})


async def test_rows_gain_what_their_notes_know_and_none_is_counted_twice(tmp_path):
    vault = vault_at(tmp_path)
    notes = [
        note(1.0, total_s=2.5),
        note(2.0, from_cache=True, total_s=0.25, prompt_tokens=3, completion_tokens=4),
        note(3.0, face="server", from_cache=True),
        note(4.0, model="", backend="", outcome="failed", error="remote_timeout", total_s=9.0),
        note(5.0, model="", asked="typo", outcome="failed", error="unknown_model"),
        note(6.0, outcome="failed", error="worker_died", total_s=1.0),
    ]
    with pytest.MonkeyPatch.context() as earlier:
        earlier.setattr(migrations, "NAMES", migrations.NAMES[:BEFORE])
        earlier.setattr(migrations, "VERSION", BEFORE)
        await vault.open()
        await vault.audit.add(notes)

        def fill(connection):
            rows = [(1.0, "m", "local", "finished"), (3.5, "far", "cache", "finished"), (6.0, "m", "local", "failed")]
            connection.executemany(ROW, rows)
            connection.execute(
                "INSERT INTO audit (at, kind, backend, model, asked, outcome, details)"
                " VALUES (7.0, 'chat', '', '', 'm', 'failed', ?)",
                (b"{torn",),
            )

        await vault.database.write(fill)
        await vault.close()
    await vault.open()
    rows = await vault.usage.rows()
    assert [(row.at, row.outcome, row.total_s, row.from_cache) for row in rows] == [
        (1.0, "finished", 2.5, False),
        (2.0, "finished", 0.25, True),
        (3.5, "finished", None, True),
        (4.0, "failed", 9.0, False),
        (6.0, "failed", 1.0, False),
    ]
    assert (rows[1].tokens, rows[1].cost, rows[3].model, rows[3].backend) == (7, 0.0, "m", "")
    assert msgspec.to_builtins(rows[1])["from_cache"] is True
    assert not await vault.check()
    await vault.close()
