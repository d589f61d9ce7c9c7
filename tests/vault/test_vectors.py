"""What memory keeps in the vault, and what takes it away again."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from app.errors import VaultLockedError
from app.messages import Message, Node
from app.vault import Vault
from app.vault.posts.posts import new_post
from app.vault.recall.vectors import Embedded, Missing, PieceVector

from .conftest import conversation

MODEL = "m"
PIECE = PieceVector(b"\0" * 1536, b"\0" * 48)
SAID = ("The dog's name is Bella, as you know.", "Bella is a lovely name for a dog.")


async def embedded(vault: Vault, pieces: int = 1) -> tuple[Missing, ...]:
    """Gives everything that is missing vectors."""
    missing = (await vault.vectors.missing_messages(MODEL)).missing + await vault.vectors.missing_posts(MODEL, -1)
    await vault.vectors.put(MODEL, [Embedded(each, (PIECE,) * pieces) for each in missing])
    return missing


async def count(vault: Vault) -> tuple[int, int]:
    """Vectors and sketches."""

    def read(connection: object) -> tuple[int, int]:
        return tuple(
            connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]  # type: ignore[attr-defined]
            for name in ("vectors", "sketches")
        )  # type: ignore[return-value]

    return await vault.database.read(read)


async def test_what_has_no_vector_is_found_until_it_has_one(vault: Vault) -> None:
    await vault.sessions.add(conversation("dog", *SAID, "ok"))
    assert [each.source_id for each in await embedded(vault)] == ["dog-0", "dog-1"], "too short a text is left out"
    assert not await embedded(vault)
    assert (await vault.vectors.missing_messages("another")).missing, "vectors of another model are no vectors of this"
    standing = await vault.vectors.standing(MODEL)
    assert (standing.remembered, standing.missing, standing.vectors) == (2, 0, 2)


async def test_a_look_stops_and_goes_on(vault: Vault) -> None:
    await vault.sessions.add(conversation("long", *(f"message number {number:03} of many" for number in range(100))))
    seen, found, over = 0, [], False
    while not over:
        look = await vault.vectors.missing_messages(MODEL, seen, 30)
        seen, over = look.seen, look.over
        found += [each.source_id for each in look.missing]
    assert found == [f"long-{number}" for number in range(100)]


async def test_sessions_outside_memory_are_left_out_and_leave_it(vault: Vault) -> None:
    await vault.sessions.add(conversation("secret", *SAID, remembers=False))
    assert not await embedded(vault)
    await vault.sessions.add(conversation("dog", *SAID))
    await embedded(vault)
    session = await vault.sessions.get("dog")
    await vault.sessions.configure(msgspec.structs.replace(session, remembers=False))
    assert await count(vault) == (0, 0)


async def test_vectors_go_with_their_messages(vault: Vault) -> None:
    await vault.sessions.add(conversation("dog", *SAID))
    await embedded(vault, pieces=3)
    assert await count(vault) == (6, 6)
    await vault.messages.remove(["dog-1"])
    assert await count(vault) == (3, 3)
    await vault.sessions.purge("dog")
    assert await count(vault) == (0, 0)


async def test_a_changed_answer_is_embedded_again(vault: Vault) -> None:
    await vault.sessions.add(conversation("dog", *SAID))
    await embedded(vault)
    streaming = Node(id="dog-1", parent_id="dog-0", message=Message.assistant(SAID[1]), status="streaming")
    await vault.messages.save("dog", [streaming], "dog-1")
    look = await vault.vectors.missing_messages(MODEL)
    assert not look.missing, "an answer that streams is not remembered yet"
    assert look.unfinished is not None
    ended = msgspec.structs.replace(streaming, message=Message.assistant(SAID[1] + " Truly."), status="complete")
    await vault.messages.save("dog", [ended], "dog-1")
    assert [each.text for each in await embedded(vault)] == [SAID[1] + " Truly."]


async def test_what_changed_while_it_was_embedded_is_not_kept(vault: Vault) -> None:
    await vault.sessions.add(conversation("dog", *SAID))
    (first, _) = (await vault.vectors.missing_messages(MODEL)).missing
    stale = msgspec.structs.replace(first, text="something that it said before")
    gone = msgspec.structs.replace(first, source_id="gone")
    assert await vault.vectors.put(MODEL, [Embedded(stale, (PIECE,)), Embedded(gone, (PIECE,))]) == 0
    assert await count(vault) == (0, 0)


async def test_what_is_forgotten_stays_forgotten(vault: Vault) -> None:
    await vault.sessions.add(conversation("dog", *SAID))
    missing = await embedded(vault)
    assert await vault.vectors.forget("message", ["dog-0"]) == 1
    assert await vault.vectors.forget("message", ["dog-0"]) == 0
    assert await count(vault) == (1, 1)
    assert await vault.vectors.put(MODEL, [Embedded(missing[0], (PIECE,))]) == 0
    assert not await embedded(vault)
    assert await vault.vectors.drop() == 1
    assert [each.source_id for each in await embedded(vault)] == ["dog-1"]
    assert await vault.vectors.forget_session("dog") == 1
    assert await vault.recollections.by_words("Bella") == ()


async def test_posts_are_remembered_once_nobody_changes_them(vault: Vault) -> None:
    post = new_post(title="Bees", body="Bees dance to tell where flowers are.")
    await vault.posts.save(post)
    assert not await vault.vectors.missing_posts(MODEL)
    (missing,) = await embedded(vault)
    assert missing.text == "Bees\n\nBees dance to tell where flowers are."
    await vault.posts.save(msgspec.structs.replace(post, body="Bees hum while they work all day."))
    assert await count(vault) == (0, 0)
    await embedded(vault)
    await vault.posts.delete(post.id)
    await vault.posts.purge(post.id)
    assert await count(vault) == (0, 0)


async def test_sketches_are_read_from_where_one_stopped(vault: Vault) -> None:
    await vault.sessions.add(conversation("dog", *SAID))
    await embedded(vault)
    first = await vault.vectors.sketches(MODEL)
    assert len(first.vectors) == 16
    assert len(first.sketches) == 96
    assert not (await vault.vectors.sketches(MODEL, first.seen)).vectors
    await vault.sessions.purge("dog")
    await vault.sessions.add(conversation("cat", *SAID))
    await embedded(vault)
    assert len((await vault.vectors.sketches(MODEL, first.seen)).vectors) == 16, "numbers are never given twice"


async def test_words_find_the_rare_ones_first_and_only_what_memory_may_know(vault: Vault) -> None:
    common = [f"the weather in week {number} was rainy and cold" for number in range(200)]
    await vault.sessions.add(conversation("weather", *common))
    await vault.sessions.add(conversation("dog", *SAID))
    await vault.sessions.add(conversation("private", "Bella bites in rainy weather", remembers=False))
    await vault.sessions.add(conversation("binned", "Bella barks in rainy weather"))
    await vault.sessions.delete("binned")
    found = await vault.recollections.by_words("What did I say about rainy weather and Bella?")
    assert {each.source_id for each in found[:2]} == {"dog-0", "dog-1"}
    assert not {each.session_id for each in found} & {"private", "binned"}


@pytest.mark.parametrize(
    "question", ["", "?!", '"', "the of and", "a AND OR NOT NEAR(", "*", "ünïcödé 東京", "x" * 5000]
)
async def test_no_question_is_an_error(vault: Vault, question: str) -> None:
    await vault.recollections.by_words(question)


async def test_a_locked_vault_gives_nothing(tmp_path: Path) -> None:
    vault = Vault(tmp_path, tmp_path / "backups")
    with pytest.raises(VaultLockedError):
        await vault.vectors.sketches(MODEL)
    with pytest.raises(VaultLockedError):
        await vault.recollections.by_words("dogs")
