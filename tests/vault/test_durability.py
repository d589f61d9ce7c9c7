"""Killed at any moment, nothing that was acknowledged is lost, and nobody has to repair anything."""

from __future__ import annotations

from pathlib import Path

from tests.vault.durability import OPERATIONS, Durability

KILLS = 25


def test_what_was_acknowledged_survives_a_kill_at_any_moment(home: Path, tmp_path: Path) -> None:
    durability = Durability(home, tmp_path)
    outcomes = [durability.round(seed, OPERATIONS[seed % len(OPERATIONS)]) for seed in range(KILLS)]
    assert [outcome for outcome in outcomes if outcome.problems] == []
    assert durability.check_copies() == []
    # The test would show nothing if nothing had been going on.
    assert sum(outcome.acknowledged for outcome in outcomes) > 2 * KILLS
    assert sum(outcome.in_operation for outcome in outcomes) > 2
    assert sum(outcome.lost_seconds is not None for outcome in outcomes) > 5
