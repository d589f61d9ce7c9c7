"""Remembering, recalling and forgetting, with the real model."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import numpy
import pytest

from app.errors import EngineError
from app.memory.attention import Attention
from app.memory.embedding import PoolEmbedder
from app.memory.index import Index, kept
from app.memory.memory import Memory
from app.memory.pieces import LONGEST, MOST, pieces_of
from app.memory.remembering import Progress, Remembering
from app.memory.telling import only_asks
from app.settings.memory import MemorySettings
from app.vault import Vault
from app.vault.recall.vectors import Embedded

from .conftest import conversation

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection

DOG = ("My dog Bella is afraid of thunder.", "Poor Bella! A quiet room helps most dogs.")
CAR = ("The car needs new brakes before June.", "Brakes are checked in an hour at most garages.")


class Unable:
    """An embedder whose model fails."""

    model = "unable"
    dimensions = 0

    async def embed(self, texts: object) -> object:
        raise EngineError("The model could not compute.")


async def memory_of(vault: Vault, embedder: PoolEmbedder, **chosen: object) -> Memory:
    await vault.sessions.add(conversation("dog", *DOG))
    await vault.sessions.add(conversation("car", *CAR))
    memory = Memory(vault, embedder, MemorySettings(**chosen))  # type: ignore[arg-type]
    assert await memory.remembering().catch_up() == 4
    return memory


async def test_what_was_said_is_found_by_meaning_and_by_words(vault: Vault, embedder: PoolEmbedder) -> None:
    memory = await memory_of(vault, embedder)
    first = (await memory.search("Which pet of mine fears storms?"))[0]
    assert (first.source_id, first.title, first.why, first.text) == ("dog-0", "dog", "meaning", DOG[0])
    assert (await memory.search("brakes June"))[0].why == "meaning and words"


async def test_what_has_no_vector_yet_is_found_by_its_words(vault: Vault, embedder: PoolEmbedder) -> None:
    memory = Memory(vault, embedder)
    await vault.sessions.add(conversation("dog", *DOG))
    assert (await memory.search("Bella thunder"))[0].why == "words", "nothing has a vector"
    await memory.remembering().catch_up()
    await vault.sessions.add(conversation("late", "The quokka on Rottnest Island smiled."))
    found = {each.source_id: each.why for each in await memory.search("quokka Rottnest")}
    assert found["late-0"] == "words", "the others have one"


async def test_what_the_model_sees_already_is_not_recalled(vault: Vault, embedder: PoolEmbedder) -> None:
    memory = await memory_of(vault, embedder)
    assert "dog-0" not in {each.source_id for each in await memory.search("My dog fears?", without={"dog-0"})}


async def test_only_what_fits_goes_into_a_prompt_and_no_more_than_the_budget(
    vault: Vault, embedder: PoolEmbedder
) -> None:
    memory = await memory_of(vault, embedder)
    assert not await memory.recall("Explain the proof of Fermat's last theorem.")
    assert await memory.recall("What is my dog afraid of?")
    assert not await memory.recall("What is my dog afraid of?", most_tokens=3)
    assert not await Memory(vault, embedder, MemorySettings(enabled=False)).recall("What is my dog afraid of?")


async def test_forgetting_and_leaving_memory_are_seen_at_once(vault: Vault, embedder: PoolEmbedder) -> None:
    memory = await memory_of(vault, embedder)
    await memory.search("dog")
    await memory.forget("message", "dog-0")
    assert "dog-0" not in {each.source_id for each in await memory.search("My dog Bella is afraid of thunder")}
    await vault.sessions.delete("dog")
    assert {each.session_id for each in await memory.search("Bella thunder")} <= {"car"}
    await vault.sessions.restore("dog")
    assert "dog-1" in {each.source_id for each in await memory.search("Bella")}
    await vault.sessions.purge("dog")
    assert {each.session_id for each in await memory.search("Bella thunder")} <= {"car"}


async def test_what_is_said_later_is_found_by_the_same_index(vault: Vault, embedder: PoolEmbedder) -> None:
    memory = await memory_of(vault, embedder)
    await memory.search("anything")
    await vault.sessions.add(conversation("late", "The tomatoes on the balcony are ripe."))
    await memory.remembering().catch_up()
    assert (await memory.search("What grows outside my window?"))[0].source_id == "late-0"
    assert await memory.rebuild() == 5
    assert await memory.remembering().catch_up() == 5
    assert (await memory.search("What grows outside my window?"))[0].source_id == "late-0"


async def test_the_passage_of_a_long_text_that_fits_is_given(vault: Vault, embedder: PoolEmbedder) -> None:
    filler = "\n\n".join(f"Paragraph {number} is about the history of railways in Wales." * 5 for number in range(20))
    await vault.sessions.add(conversation("long", f"{filler}\n\nMy aunt Ottilie keeps forty bees.\n\n{filler}"))
    memory = Memory(vault, embedder)
    await memory.remembering().catch_up()
    first = (await memory.search("Who has insects that make honey?"))[0]
    assert "Ottilie" in first.text
    assert len(first.text) <= LONGEST


async def test_remembering_waits_while_somebody_types_or_an_answer_comes(vault: Vault, embedder: PoolEmbedder) -> None:
    await vault.sessions.add(conversation("dog", *DOG))
    attention = Attention()
    told: list[Progress] = []
    remembering = Remembering(vault, embedder, attention, told.append)
    with attention.answering():
        task = asyncio.create_task(remembering.run())
        await asyncio.sleep(0.5)
        assert not told
    async with asyncio.timeout(30):
        while not told or told[-1].embedded < 2:
            await asyncio.sleep(0.05)
    await vault.sessions.add(conversation("car", *CAR))
    remembering.wake()
    async with asyncio.timeout(30):
        while told[-1].embedded < 4:
            await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    attention.typed()
    assert attention.wanted


async def test_trouble_is_told_and_ends_nothing(vault: Vault) -> None:
    await vault.sessions.add(conversation("dog", *DOG))
    told: list[Progress] = []
    task = asyncio.create_task(Remembering(vault, Unable(), told=told.append).run())  # type: ignore[arg-type]
    async with asyncio.timeout(10):
        while not told:
            await asyncio.sleep(0.01)
    assert isinstance(told[0].trouble, EngineError)
    assert not task.done()
    task.cancel()


async def test_the_index_finds_what_an_exact_search_finds(vault: Vault) -> None:
    chance = numpy.random.default_rng(1)
    centres = chance.normal(size=(50, 384))
    near = centres[chance.integers(0, 50, 3000)] + chance.normal(size=(3000, 384)) * 0.8
    vectors = (near / numpy.linalg.norm(near, axis=1, keepdims=True)).astype(numpy.float32)
    await vault.sessions.add(conversation("many", *(f"message number {number}" for number in range(3000))))
    missing = [each for look in [await vault.vectors.missing_messages("m", 0, 3000)] for each in look.missing]
    missing += (await vault.vectors.missing_messages("m", 2000, 3000)).missing
    pieces = kept(vectors)
    await vault.vectors.put("m", [Embedded(each, (piece,)) for each, piece in zip(missing, pieces, strict=True)])
    index = Index(vault, "m")
    right = 0
    for number in range(0, 3000, 100):
        found = await index.nearest(vectors[number], 10)
        exact = set((numpy.argsort(-(vectors @ vectors[number]))[:10] + 1).tolist())
        right += len(exact & {each.number for each in found})
    assert right >= 0.98 * 300


async def test_vectors_and_recalled_text_are_nowhere_in_plain_sight(
    vault: Vault, embedder: PoolEmbedder, tmp_path: Path
) -> None:
    await vault.sessions.add(conversation("secret", "The xylocarp password is quibblefish."))
    memory = Memory(vault, embedder)
    await memory.remembering().catch_up()
    await memory.search("quibblefish")
    vector = (await embedder.embed(["The xylocarp password is quibblefish."]))[0].tobytes()
    for path in tmp_path.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"quibblefish" not in content, path
            assert vector[:64] not in content, path


def test_pieces_are_cut_at_sentences_and_lose_nothing() -> None:
    text = " ".join(f"This is sentence number {number}." for number in range(200))
    pieces = pieces_of(text)
    assert all(len(piece) <= LONGEST for piece in pieces)
    assert all(piece.endswith(".") for piece in pieces)
    assert " ".join(pieces) == text
    assert pieces_of("x" * 10_000_000)[:2] == ("x" * LONGEST,) * 2
    assert len(pieces_of("x" * 10_000_000)) == MOST
    assert pieces_of(" \n ") == ()


@pytest.mark.parametrize(
    ("text", "asks"),
    [("Where is it?", True), ("Write a poem. Thanks?", True), ("It is here.", False), ("Why? Since it rains.", False)],
)
def test_what_only_asks_is_known(text: str, asks: bool) -> None:
    assert only_asks(text) is asks


async def test_vectors_are_looked_up_by_their_number(vault: Vault) -> None:
    """By the index of sources every vector would be read: 100,000 of them take six times as long."""
    asked: list[str] = []
    await vault.database.read(lambda connection: connection.set_trace_callback(asked.append))
    await vault.recollections.of_vectors([1, 2, 3])
    await vault.database.read(lambda connection: connection.set_trace_callback(None))

    def plans_of(connection: Connection) -> list[str]:
        queries = [query for query in asked if "vectors v" in query]
        return [str(list(connection.execute(f"EXPLAIN QUERY PLAN {query}"))) for query in queries]

    plans = await vault.database.read(plans_of)
    assert len(plans) == 2
    assert all("SEARCH v USING INTEGER PRIMARY KEY" in plan for plan in plans)
