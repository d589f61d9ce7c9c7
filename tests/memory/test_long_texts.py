"""Long texts are looked through beside the event loop, which paints the screen meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import msgspec
import numpy
import pytest

from app.chat import recalled_before as before
from app.memory import pieces, recall
from app.memory.memory import Memory
from app.memory.pieces import first_piece_of, pieces_of
from app.vault import Vault

from .conftest import conversation

LONG = "The boat lies at anchor, and the tide is out. " * 4_500


class Alike:
    """An embedder to which all texts are much alike."""

    model, dimensions = "alike", 8

    async def embed(self, texts: Sequence[str]) -> numpy.ndarray:
        found = numpy.ones((len(texts), 8), numpy.float32) + numpy.arange(len(texts), dtype=numpy.float32)[:, None] / 9
        return found / numpy.linalg.norm(found, axis=1, keepdims=True)


async def test_the_event_loop_reads_no_long_text(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b"):
        await vault.sessions.add(conversation(name, f"{name}. {LONG}", f"Of {name}: {LONG}"))
    memory = Memory(vault, Alike())
    await memory.remembering().catch_up()
    cut: list[threading.Thread] = []

    def seen(text: str) -> tuple[str, ...]:
        cut.append(threading.current_thread())
        return pieces_of(text)

    monkeypatch.setattr(recall, "pieces_of", seen)
    monkeypatch.setattr(pieces, "pieces_of", seen)
    found = await memory.search(LONG)
    assert found and all(len(each.text) < 1_000 for each in found)
    nodes = [node for node in (await vault.sessions.load("a")).nodes if node.message.role == "assistant"]
    answered = [msgspec.structs.replace(node, quoted=tuple(map(before.quoted, found))) for node in nodes]
    again = await before.recalled_before(answered, vault.recollections)
    assert [each.text for each in again[nodes[0].id]] == [each.text for each in found]
    assert cut and threading.main_thread() not in cut


def test_the_first_piece_is_the_first_of_all() -> None:
    assert first_piece_of(f"\n\n {LONG}") == pieces_of(LONG)[0]
    assert first_piece_of("  \n ") == ""
