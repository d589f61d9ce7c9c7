"""Kills a scripted chat at random moments, and looks each time whether all that was acknowledged is there.

The kills are spread over a plain chat and over one beside which the vault is rewritten under new keys, has its
passphrase changed, is backed up and restored. The tests run 25 of them; this runs as many as you like.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import report

sys.path.insert(0, str(report.REPOSITORY))
from tests.vault.durability import OPERATIONS, Durability, Outcome


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench durability")
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1000)
    parser.add_argument("--json", type=Path, default=report.REPOSITORY / ".cache" / "bench-durability.json")
    chosen = parser.parse_args()
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory() as folder:
        outside = Path(folder)
        durability = Durability(outside / "home", outside)
        for kill in range(chosen.kills):
            outcome = durability.round(chosen.seed + kill, OPERATIONS[kill % len(OPERATIONS)])
            outcomes.append(outcome)
            for problem in outcome.problems:
                print(f"kill {kill} (seed {chosen.seed + kill}, {outcome.operation}): {problem}", flush=True)
            if kill % 50 == 49:
                print(f"{kill + 1} kills", flush=True)
        broken_copies = durability.check_copies()
    lost = [outcome.lost_seconds for outcome in outcomes if outcome.lost_seconds is not None]
    figures = {
        "kills": len(outcomes),
        "kills_by_operation": {name: sum(o.operation == name for o in outcomes) for name in OPERATIONS},
        "kills_inside_an_operation": sum(outcome.in_operation for outcome in outcomes),
        "operations_finished": sum(outcome.operations for outcome in outcomes),
        "messages_acknowledged": sum(outcome.acknowledged for outcome in outcomes),
        "kills_with_problems": sum(bool(outcome.problems) for outcome in outcomes),
        "backups_unsound": len(broken_copies),
        "answers_cut_off": len(lost),
        "lost_of_an_answer_s": {
            "median": round(report.median(lost), 3) if lost else None,
            "most": round(max(lost), 3) if lost else None,
        },
    }
    for name, figure in figures.items():
        print(f"{name.replace('_', ' ')}: {figure}")
    report.write(chosen.json, figures)
    if figures["kills_with_problems"] or broken_copies:
        sys.exit(1)


if __name__ == "__main__":
    main()
