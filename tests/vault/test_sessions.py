"""The list of conversations: what is on which shelf, in which order, found by which words."""

from __future__ import annotations

import msgspec
import pytest

from app.errors import UnknownSessionError, VaultLockedError
from app.messages import (
    Failure,
    Image,
    Message,
    Node,
    Sampling,
    Text,
    Thinking,
    Timings,
    ToolCall,
    ToolResult,
    Usage,
)
from app.vault import Session, WholeSession
from tests.vault.conftest import conversation, everything


async def titles(vault, **where):
    return [line.title for line in await vault.sessions.lines(**where)]


async def test_pinned_ones_come_first_then_the_latest_and_pages_join(vault):
    for number in range(250):
        pinned = number in (3, 100)
        await vault.sessions.create(Session(id=f"{number}", title=f"{number}", updated_at=float(number), pinned=pinned))
    expected = ["100", "3", *(str(n) for n in range(249, -1, -1) if n not in (3, 100))]
    assert await titles(vault, limit=1000) == expected
    pages = [await titles(vault, offset=offset, limit=40) for offset in range(0, 280, 40)]
    assert [title for page in pages for title in page] == expected
    assert await vault.sessions.count() == 250 and await vault.sessions.newest() == "249"


async def test_a_page_in_the_middle_is_found_by_the_index_alone(vault):
    plan = await vault.database.read(
        lambda c: c.execute(
            "EXPLAIN QUERY PLAN SELECT id FROM sessions s WHERE deleted_at IS NULL AND archived = 0"
            " ORDER BY s.pinned DESC, s.updated_at DESC, s.number DESC LIMIT 100 OFFSET 25000"
        ).fetchall()
    )
    assert [row[3] for row in plan] == ["SEARCH s USING INDEX sessions_in_order (archived=?)"]  # and sorts nothing


async def test_shelves_and_tags(vault):
    for name in "abcd":
        await vault.sessions.add(conversation(name, "x", title=name, updated_at=float(ord(name)), tags=("all", name)))
    await vault.sessions.archive("a", True)
    await vault.sessions.delete("b")
    assert await titles(vault) == ["d", "c"]
    assert await titles(vault, shelf="archived") == ["a"] and await titles(vault, shelf="bin") == ["b"]
    assert await titles(vault, tag="d") == ["d"] and await vault.sessions.count(tag="all") == 2
    assert await vault.sessions.tags() == (("all", 3), ("a", 1), ("c", 1), ("d", 1))
    await vault.sessions.restore("b")
    await vault.sessions.archive("a", False)
    await vault.sessions.set_tags("c", (" new ", "new", "", "two"))
    assert (await vault.sessions.get("c")).tags == ("new", "two")
    assert len(await vault.sessions.lines()) == 4


async def test_deleting_for_good_leaves_nothing_of_it(vault):
    await vault.sessions.add(conversation("a", "secret words", title="secret title", tags=("t",)))
    await vault.sessions.add(conversation("b", "other"))
    await vault.notes.put("chat.summary.a", b"secret words, in short")
    await vault.notes.put("chat.summary.b", b"stays")
    await vault.sessions.purge("a")
    left = await vault.database.read(
        lambda c: [
            c.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ("sessions", "messages", "session_tags")
        ]
    )
    assert left == [1, 1, 0]
    assert await vault.notes.get("chat.summary.a") is None and await vault.notes.get("chat.summary.b") == b"stays"
    assert await vault.search.messages("secret") == () and await vault.search.sessions("secret") == ()
    with pytest.raises(UnknownSessionError):
        await vault.sessions.load("a")


async def test_a_session_is_found_by_id_beginning_or_title(vault):
    await vault.sessions.create(Session(id="abc123", title="Straße nach Süden"))
    await vault.sessions.create(Session(id="abd456", title="Lisbon"))
    await vault.sessions.create(Session(id="fff789", title="Lisbon again"))
    for words, found in {
        "abc123": "abc123",
        "abc": "abc123",
        "STRASSE NACH SÜDEN": "abc123",
        "süd": "abc123",
        "lisbon": "abd456",
        " again ": "fff789",
    }.items():
        assert (await vault.sessions.find(words)).id == found, words
    with pytest.raises(UnknownSessionError, match="could be several"):
        await vault.sessions.find("ab")
    for words in ("", "%", "_", "nothing like it", "'; DROP TABLE sessions; --", "\udcff", "\x00"):
        with pytest.raises(UnknownSessionError):
            await vault.sessions.find(words)
    assert await vault.sessions.count() == 3


async def test_every_field_of_every_kind_of_message_comes_back(vault):
    parts = (
        Thinking("hm", "signed"),
        Text("a\x00b"),
        Image("image/png", data=b"\x89PNG"),
        Image("image/png", url="https://example.org/x.png"),
        ToolCall("1", "search", '{"q": "x"}'),
        ToolResult("1", "found", is_error=True),
    )
    nodes = (
        Node(id="q", parent_id=None, message=Message("user", parts), created_at=1.5),
        Node(
            id="a",
            parent_id="q",
            message=Message.assistant("yes"),
            created_at=2.5,
            status="failed",
            model="m",
            finish="length",
            usage=Usage(1, 2, 3),
            timings=Timings(0.1, 0.2, 0.3),
            first_token=0.25,
            error=Failure("c", "T", "M", "R"),
        ),
    )
    sampling = Sampling(temperature=0.5, stop=("\n", "é"), logit_bias={5: -100.0}, max_tokens=7)
    session = Session(
        id="s", title="t", titled_by="model", created_at=1.0, updated_at=2.0, pinned=True, archived=True,
        deleted_at=3.0, tags=("a", "b"), system="s", sampling=sampling, model="m", head_id="a", remembers=False,
    )  # fmt: skip
    whole = WholeSession(session, nodes)
    await vault.sessions.add(whole)
    assert await vault.sessions.load("s") == whole
    assert await everything(vault) == {"s": whole}


async def test_what_is_imported_twice_is_there_twice_with_ids_of_its_own(vault):
    whole = conversation("a", "one", "two", "three", title="A")
    first, second = await vault.sessions.add(whole), await vault.sessions.add(whole)
    assert first.id == "a" and second.id != "a"
    copy = await vault.sessions.load(second.id)
    assert [node.message for node in copy.nodes] == [node.message for node in whole.nodes]
    assert [node.parent_id for node in copy.nodes] == [None, *(node.id for node in copy.nodes[:-1])]
    assert copy.session.head_id == copy.nodes[-1].id
    assert [line.messages for line in await vault.sessions.lines()] == [3, 3]


async def test_a_model_never_renames_what_a_person_named(vault):
    await vault.sessions.create(Session(id="a", title="mine", titled_by="person"))
    await vault.sessions.rename("a", "the model's", by="model")
    assert (await vault.sessions.get("a")).title == "mine"
    await vault.sessions.rename("a", " mine, too ")
    assert (await vault.sessions.get("a")).title == "mine, too"
    assert [line.id for line in await vault.search.sessions("too")] == ["a"]


async def test_the_count_of_messages_follows(vault):
    await vault.sessions.add(conversation("a", "one"))
    more = [Node(id=f"m{n}", parent_id="a-0", message=Message.user(f"{n}")) for n in range(3)]
    await vault.messages.save("a", more, "m2")
    await vault.messages.save("a", [msgspec.structs.replace(more[0], message=Message.user("changed"))], "m2")
    assert (await vault.sessions.lines())[0].messages == 4
    await vault.messages.remove(["m0", "m1", "unknown"])
    assert (await vault.sessions.lines())[0].messages == 2
    assert await vault.sessions.get("a") is not None
    with pytest.raises(UnknownSessionError):
        await vault.messages.save("nowhere", more, None)


async def test_everything_says_so_while_the_vault_is_locked(vault):
    await vault.sessions.add(conversation("a", "one"))
    await vault.lock()
    assert vault.state == "locked"
    for work in (
        vault.sessions.lines(),
        vault.sessions.get("a"),
        vault.sessions.rename("a", "x"),
        vault.messages.load("a"),
        vault.search.messages("one"),
        vault.notes.get("x"),
        vault.notes.put("x", b""),
        vault.check(),
        vault.backups.create(),
        vault.set_passphrase("x"),
        vault.new_recovery_key(),
        vault.rekey(lambda _done, _all: None),
    ):
        with pytest.raises(VaultLockedError):
            await work
    await vault.open()
    assert await titles(vault) == [""]
