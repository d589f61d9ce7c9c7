"""Search: any text may be typed, newest comes first, and the index follows every change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.messages import Message, Node
from app.vault import Vault
from app.vault.conversations.search import fts_query
from tests.vault.conftest import conversation, vault_at


async def ids(vault: Vault, words: str) -> list[str]:
    return [hit.node_id for hit in await vault.search.messages(words)]


@pytest.fixture
async def filled(vault: Vault) -> AsyncIterator[Vault]:
    await vault.sessions.add(conversation("a", "The lighthouse keeper", "has seven Cats.", title="Seven cats"))
    await vault.sessions.add(conversation("b", "Über die Brücke", "naïve café", title="Brücken"))
    await vault.sessions.add(conversation("c", "日本語の勉強 and a lighthouse", "def f(x): return x", title="日本語"))
    yield vault


async def test_every_word_must_be_there_and_the_last_may_be_only_begun(filled):
    assert await ids(filled, "lightho") == ["c-0", "a-0"]
    assert await ids(filled, "keeper light") == ["a-0"]
    assert await ids(filled, "lightho keeper") == []
    assert await ids(filled, "lightho ") == []  # a space ends the word
    assert await ids(filled, "seven cats") == ["a-1"]


async def test_case_and_accents_do_not_matter_and_other_scripts_are_found(filled):
    assert await ids(filled, "uber die brucke") == ["b-0"]
    assert await ids(filled, "CAFÉ") == ["b-1"]
    assert await ids(filled, "日本") == ["c-0"]
    assert await ids(filled, "日") == ["c-0"]


async def test_a_single_letter_is_a_word_and_not_half_of_all_messages(filled):
    assert await ids(filled, "x") == ["c-1"]
    assert await ids(filled, "l") == []
    assert await ids(filled, "lighthouse k") == ["c-0", "a-0"]
    assert [line.id for line in await filled.search.sessions("s")] == ["a"]


async def test_a_hit_tells_where_it_is_and_marks_what_matched(filled):
    (hit,) = await filled.search.messages("keeper")
    assert (hit.session_id, hit.session_title, hit.role) == ("a", "Seven cats", "user")
    assert [hit.excerpt[start:end] for start, end in hit.marks] == ["keeper"]


async def test_marks_hold_though_the_text_has_control_characters(vault):
    await vault.sessions.add(conversation("a", "one \x02two\x03 three\nfour \x02\x02 five"))
    (hit,) = await vault.search.messages("three")
    assert "\x02" not in hit.excerpt and "\n" not in hit.excerpt
    assert "three" in [hit.excerpt[start:end] for start, end in hit.marks]


async def test_the_index_follows_edits_endings_and_deletions(vault):
    await vault.sessions.add(conversation("a", "first words"))
    streaming = Node(id="n", parent_id="a-0", message=Message.assistant("half an ans"), status="streaming")
    await vault.messages.save("a", [streaming], "n")
    assert await ids(vault, "half") == []  # an answer is found when it has ended
    ended = Node(id="n", parent_id="a-0", message=Message.assistant("half an answer"))
    await vault.messages.save("a", [ended], "n")
    await vault.messages.save("a", [ended], "n")
    assert await ids(vault, "answer") == ["n"]
    await vault.messages.save("a", [Node(id="n", parent_id="a-0", message=Message.assistant("quite another"))], "n")
    assert (await ids(vault, "half"), await ids(vault, "quite")) == ([], ["n"])
    again = Node(id="n", parent_id="a-0", message=Message.assistant("quite another, going on"), status="streaming")
    await vault.messages.save("a", [again], "n")
    assert await ids(vault, "quite") == []
    await vault.messages.remove(["n"])
    await vault.sessions.delete("a")
    assert await ids(vault, "words") == []
    await vault.sessions.restore("a")
    assert await ids(vault, "words") == ["a-0"]
    await vault.sessions.purge("a")
    assert await ids(vault, "words") == []
    await vault.database.exclusively(
        lambda c: c.execute("INSERT INTO messages_fts (messages_fts, rank) VALUES ('integrity-check', 1)")
    )
    assert await vault.check() == []


async def test_cancelling_stops_a_long_query_and_the_next_one_works(filled):
    slow = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    queries = [asyncio.create_task(filled.database.read(lambda c: c.execute(slow).fetchone())) for _ in range(4)]
    await asyncio.sleep(0.2)
    for query in queries:
        query.cancel()
    outcomes = await asyncio.wait_for(asyncio.gather(*queries, return_exceptions=True), 5)
    assert all(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes)
    assert await asyncio.wait_for(ids(filled, "keeper"), 5) == ["a-0"]


OPERATORS = [
    '"',
    "'",
    "*",
    "^",
    "NEAR(",
    ")",
    "AND",
    "OR",
    "NOT",
    "-",
    "+",
    ":",
    "text:",
    "{",
    "}",
    "\x00",
    "%",
    "\\",
    "a*",
]
TYPED = st.text(max_size=30) | st.lists(st.sampled_from(OPERATORS) | st.text(max_size=4), max_size=8).map(" ".join)


@pytest.fixture(scope="module")
def several_words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("search")

    async def fill() -> None:
        vault = vault_at(folder)
        await vault.open()
        await vault.sessions.add(conversation("a", 'text: "NEAR" AND NOT (OR) * ^ - é \x00 日本 ' * 5))
        await vault.close()

    asyncio.run(fill())
    return folder


def test_whatever_is_typed_is_never_an_error(several_words):
    async def search_for(typed: list[str]) -> None:
        vault = vault_at(several_words)
        await vault.open()
        for words in typed:
            await vault.search.messages(words)
            await vault.search.sessions(words)
        await vault.close()

    @settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(TYPED, min_size=1, max_size=20))
    def whatever(typed: list[str]) -> None:
        asyncio.run(search_for(typed))

    whatever()


@given(st.text(max_size=200))
def test_a_query_is_nothing_but_quoted_words(typed):
    for piece in fts_query(typed).split():
        assert piece.strip('"*').replace('"', "") == piece.strip('"*')
        assert piece.startswith('"')


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    said=st.lists(st.text(st.characters(codec=None), max_size=60), min_size=1, max_size=6), title=st.text(max_size=20)
)
def test_any_text_comes_back_as_it_was(said, title, several_words):
    async def there_and_back() -> None:
        vault = vault_at(several_words)
        await vault.open()
        whole = conversation("any", *said, title=title)
        kept = await vault.sessions.add(whole)
        found = await vault.sessions.load(kept.id)
        for node, original in zip(found.nodes, said, strict=True):
            try:
                original.encode()
            except UnicodeEncodeError:
                assert "\ufffd" in node.message.text or len(node.message.text) < len(original)
            else:
                assert node.message.text == original
        await vault.sessions.purge(kept.id)
        await vault.close()

    asyncio.run(there_and_back())
