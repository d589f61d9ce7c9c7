"""What was recalled for an answer is known later: by its place, never by a second copy of its words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from app.chat.recalled_before import quoted, recalled_before
from app.memory.recall import Recalled
from app.messages import Message, Node
from app.vault import Session, Vault, WholeSession
from tests.memory.conftest import conversation

LONG = " ".join(f"Sentence {number} of a long letter about the sea." for number in range(60))


@pytest.fixture
async def vault(tmp_path: Path) -> AsyncIterator[Vault]:
    (tmp_path / "data").mkdir()
    made = Vault(tmp_path / "data", tmp_path / "backups")
    await made.open()
    await made.sessions.add(conversation("pets", "The dog is called Bella.", LONG))
    yield made
    await made.close()


def passage(source_id: str, text: str) -> Recalled:
    return Recalled(
        source="message",
        source_id=source_id,
        session_id="pets",
        title="pets",
        role="user",
        date=1.0,
        text=text,
        why="words",
        score=1.0,
    )


def answer(*passages: Recalled) -> Node:
    return Node(
        id="a", parent_id=None, message=Message.assistant("Bella."), quoted=tuple(quoted(each) for each in passages)
    )


async def kept(vault: Vault, node: Node) -> Node:
    await vault.sessions.add(WholeSession(Session(id="later", head_id="a"), (node,)))
    return (await vault.sessions.load("later")).nodes[0]


async def test_it_is_kept_with_the_answer_and_found_again_as_it_was(vault: Vault) -> None:
    from app.memory.pieces import pieces_of

    piece = pieces_of(LONG)[1]
    node = await kept(vault, answer(passage("pets-0", "The dog is called Bella."), passage("pets-1", piece)))
    assert "Bella" not in repr(node.quoted)
    found = (await recalled_before([node], vault.recollections))["a"]
    assert [(each.text, each.why, each.title) for each in found] == [
        ("The dog is called Bella.", "words", "pets"),
        (piece, "words", "pets"),
    ]


async def test_what_is_gone_or_says_something_else_is_left_out(vault: Vault) -> None:
    node = answer(passage("pets-0", "The dog is called Bella."), passage("pets-1", "It said so once."))
    assert len((await recalled_before([node], vault.recollections))["a"]) == 1
    await vault.vectors.forget("message", ["pets-0"])
    assert await recalled_before([node], vault.recollections) == {"a": ()}
    await vault.vectors.remember_again("message", ["pets-0"])
    assert len((await recalled_before([node], vault.recollections))["a"]) == 1
    await vault.sessions.delete("pets")
    assert await recalled_before([node], vault.recollections) == {"a": ()}


async def test_answers_without_it_cost_nothing(vault: Vault) -> None:
    plain = msgspec.structs.replace(answer(), quoted=())
    await vault.lock()
    assert await recalled_before([plain], vault.recollections) == {}


async def test_posts_are_found_too(vault: Vault) -> None:
    from app.vault.posts.records import Post

    await vault.posts.save(Post(id="p1", title="On dogs", body="Dogs bark at night."))
    text = "On dogs\n\nDogs bark at night."
    told = msgspec.structs.replace(passage("p1", text), source="post", session_id="")
    found = await recalled_before([answer(told)], vault.recollections)
    assert [each.title for each in found["a"]] == ["On dogs"]
