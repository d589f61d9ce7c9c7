"""What an installation brings: PyTorch only to who asks for it, and CUDA to nobody."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CONSTRAINTS = Path(__file__).resolve().parents[2] / "scripts" / "constraints"
_NAME = re.compile(r"^([a-z0-9._-]+)==", re.MULTILINE)


def packages(name: str) -> set[str]:
    return set(_NAME.findall((CONSTRAINTS / f"{name}.txt").read_text("utf-8")))


@pytest.mark.parametrize("name", ["base", "test", "bench"])
def test_pytorch_is_in_no_set_but_the_extras(name: str) -> None:
    heavy = {"torch", "sentence-transformers", "transformers", "openai-whisper", "numba", "triton"}
    assert not heavy & packages(name)
    assert len(packages(name)) > 30


def test_no_set_brings_cuda() -> None:
    for name in ("base", "test", "bench", "extras"):
        assert not [each for each in packages(name) if each.startswith(("cuda", "nvidia", "triton"))]


def test_the_extras_hold_what_they_are_for_with_hashes() -> None:
    assert {"torch", "sentence-transformers", "openai-whisper"} <= packages("extras")
    text = (CONSTRAINTS / "extras.txt").read_text("utf-8")
    assert all("--hash=sha256:" in block for block in re.split(r"\n(?=[a-z])", text)[1:])
