"""What the benchmarks share: their arguments, the machine's facts, medians, tables and the JSON file."""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import statistics
import time
from collections.abc import Sequence
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]


def arguments(name: str, rounds: int) -> argparse.Namespace:
    """``--rounds`` and ``--json``, as every benchmark takes them."""
    parser = arguments_of(name)
    parser.add_argument("--rounds", type=int, default=rounds)
    return parser.parse_args()


def arguments_of(name: str) -> argparse.ArgumentParser:
    """A parser for a benchmark's own arguments; it has ``--json`` already."""
    parser = argparse.ArgumentParser(prog=f"scripts/bench {name}")
    parser.add_argument("--json", type=Path, default=REPOSITORY / ".cache" / f"bench-{name}.json")
    return parser


def end_in_order() -> None:
    """Ends on SIGTERM as on Ctrl-C, so that the processes that a benchmark has started end with it."""

    def end(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, end)


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    processor = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor(),
    )
    installed = {found.name.replace("_", "-"): found.version for found in distributions()}
    return {
        "system": platform.platform(),
        "processor": processor,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "packages": {name: installed.get(name) for name in ("llama-cpp-python", "xllamacpp", "textual")},
        "taken": time.strftime("%Y-%m-%d"),
    }


def median(values: Sequence[float]) -> float:
    """The middle value; the mean of the two middle ones of an even number."""
    return statistics.median(values)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that ``share`` of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def write(path: Path, figures: dict[str, Any]) -> None:
    """The figures and the machine as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"machine": machine(), **figures}, indent=2) + "\n")
    print(f"\nwritten to {path}")


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text().splitlines() if file.is_file() else []
