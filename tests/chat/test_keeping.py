"""Conversations are written as they happen, in order, tried again when they must be, and leave no empty traces."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from app.chat import Conversation
from app.chat.keeping import Keeper, Keeping
from app.errors import DiskFullError, PlaygroundError, UnknownSessionError
from app.messages import Message, Node, Sampling
from app.vault import Vault
from app.vault.storage import write_behind


@pytest.fixture
async def vault(tmp_path: Path) -> AsyncIterator[Vault]:
    made = Vault(tmp_path, tmp_path / "backups")
    await made.open()
    yield made
    await made.close()


@pytest.fixture
def told() -> list[PlaygroundError | None]:
    return []


@pytest.fixture
def keeping(vault: Vault, told: list[PlaygroundError | None]) -> Keeping:
    return Keeping(vault, told.append)


async def test_a_session_that_was_removed_elsewhere_is_said_once_and_not_tried_again(keeping, vault, told):
    conversation, keeper = keeping.begin()
    conversation.append(Message.user("One."))
    assert await keeper.settle()
    await vault.sessions.purge(keeper.session.id)
    conversation.append(Message.user("Two."))
    assert not await keeper.settle()
    conversation.append(Message.user("Three."))
    assert await keeper.settle()
    assert [type(error) for error in told] == [UnknownSessionError]
    assert not keeper.unwritten
    assert await vault.sessions.count() == 0


class Disk:
    """Stands before the vault's writes: full, slow, or as it is."""

    def __init__(self, vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = False
        self.order: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        write = vault.database.write

        async def guarded(work):
            await self.gate.wait()
            if self.full:
                raise DiskFullError("The disk is full.", "Make room.")
            self.order.append(work.__qualname__.split(".")[1])
            return await write(work)

        monkeypatch.setattr(vault.database, "write", guarded)


@pytest.fixture
def disk(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(vault, monkeypatch)


async def texts(vault: Vault, keeper: Keeper) -> list[str]:
    return [node.message.text for node in (await vault.sessions.load(keeper.session.id)).nodes]


async def test_a_conversation_is_found_as_it_was_left(keeping, vault):
    conversation, keeper = keeping.begin(system="Be brief.", model="m", title="Colours")
    question = conversation.append(Message.user("Name a colour."))
    conversation.append(Message.assistant("Red", thinking="hm"))
    conversation.branch(question.id, Message.assistant("Blue"))
    assert await keeper.settle()
    conversation.show_sibling(conversation.path()[-1].id, -1)
    assert await keeper.settle()
    again, keeper_again = await keeping.resume(keeper.session.id)
    assert [node.message for node in again.path()] == [node.message for node in conversation.path()]
    assert [node.message.text for node in again.siblings(again.path()[-1].id)] == ["Red", "Blue"]
    assert (again.system, keeper_again.session.title, keeper_again.session.model) == ("Be brief.", "Colours", "m")
    assert not keeper_again.unwritten


async def test_a_conversation_in_which_nothing_was_said_leaves_no_trace(keeping, vault):
    _conversation, keeper = keeping.begin(title="nothing")
    keeper.configure(system="a system", model="m")
    keeper.rename("still nothing")
    assert not keeper.unwritten and await keeper.settle()
    await keeper.aclose()
    assert await vault.sessions.count() == 0


async def test_a_prompt_that_is_taken_back_before_it_was_written_leaves_no_trace(keeping, vault):
    conversation, keeper = keeping.begin()
    conversation.forget(conversation.append(Message.user("oh no")).id)
    assert await keeper.settle()
    assert await vault.sessions.count() == 0


async def test_a_prompt_that_is_taken_back_while_it_is_being_written_is_gone(keeping, vault, disk):
    conversation, keeper = keeping.begin()
    conversation.append(Message.user("stays"))
    assert await keeper.settle()
    disk.gate.clear()
    node = conversation.append(Message.user("oh no"))
    await asyncio.sleep(0.01)  # its writing is under way now
    assert keeper.unwritten
    conversation.forget(node.id)
    disk.gate.set()
    assert await keeper.settle()
    assert await texts(vault, keeper) == ["stays"]
    assert (await vault.sessions.lines())[0].messages == 1


async def test_a_prompt_that_is_taken_back_after_its_writing_failed_is_gone(keeping, vault, disk):
    conversation, keeper = keeping.begin()
    conversation.append(Message.user("stays"))
    disk.full = True
    node = conversation.append(Message.user("oh no"))
    assert not await keeper.settle()
    conversation.forget(node.id)
    disk.full = False
    assert await keeper.settle()
    assert await texts(vault, keeper) == ["stays"]


async def test_a_session_whose_only_prompt_was_taken_back_can_be_discarded(keeping, vault):
    conversation, keeper = keeping.begin()
    node = conversation.append(Message.user("only"))
    assert await keeper.settle()
    conversation.forget(node.id)
    await keeper.discard()
    assert await vault.sessions.count() == 0
    conversation.append(Message.user("after all"))
    assert await keeper.settle()
    assert await texts(vault, keeper) == ["after all"]


async def test_settling_waits_for_what_is_under_way(keeping, disk):
    conversation, keeper = keeping.begin()
    disk.gate.clear()
    conversation.append(Message.user("a"))
    await asyncio.sleep(0.01)
    settling = [asyncio.create_task(keeper.settle()) for _ in range(2)]
    await asyncio.sleep(0.05)
    assert not any(task.done() for task in settling)
    disk.gate.set()
    assert await asyncio.wait_for(asyncio.gather(*settling), 5) == [True, True]


async def test_what_a_full_disk_refused_is_held_and_written_in_order_by_itself(keeping, vault, disk, told, monkeypatch):
    monkeypatch.setattr(write_behind, "RETRY_SECONDS", 0.05)
    conversation, keeper = keeping.begin(title="T")
    disk.full = True
    for number in range(5):
        conversation.append(Message.user(f"{number}"))
        assert not await keeper.settle()
    assert [type(error) for error in told] == [DiskFullError]  # said once, not five times
    disk.full = False
    async with asyncio.timeout(5):
        while keeper.unwritten:
            await asyncio.sleep(0.01)
    assert told[-1] is None and len(told) == 2
    assert await texts(vault, keeper) == ["0", "1", "2", "3", "4"]


async def test_a_locked_vault_holds_changes_until_it_is_opened(keeping, vault, told):
    conversation, keeper = keeping.begin()
    conversation.append(Message.user("before"))
    assert await keeper.settle()
    await vault.lock()
    conversation.append(Message.user("while locked"))
    assert not await keeper.settle()
    await vault.open()
    assert await keeper.settle()
    assert [error.code if error else None for error in told] == ["vault_locked", None]
    assert await texts(vault, keeper) == ["before", "while locked"]


async def test_an_answer_that_streams_is_written_the_cheap_way_and_counted_once(keeping, vault, disk):
    conversation, keeper = keeping.begin()
    conversation.append(Message.user("?"))
    node = conversation.append(Message.assistant(""), status="streaming")
    assert await keeper.settle()
    disk.order.clear()
    for text in ("a", "ab", "abc"):
        node = conversation.save(msgspec.structs.replace(node, message=Message.assistant(text)))
        assert await keeper.settle()
    assert disk.order == ["checkpoint"] * 3
    conversation.save(msgspec.structs.replace(node, status="complete"))
    assert await keeper.settle()
    assert (await vault.sessions.lines())[0].messages == 2
    assert await texts(vault, keeper) == ["?", "abc"]


async def test_many_changes_at_once_become_few_writes_and_the_last_one_holds(keeping, vault, disk):
    conversation, keeper = keeping.begin()
    node = conversation.append(Message.user("0"))
    for number in range(1, 200):
        conversation.save(msgspec.structs.replace(node, message=Message.user(str(number))))
    assert await keeper.settle()
    assert len(disk.order) <= 3
    assert await texts(vault, keeper) == ["199"]


async def test_a_title_that_was_given_elsewhere_is_not_undone_by_another_change(keeping, vault):
    conversation, keeper = keeping.begin(title="first")
    conversation.append(Message.user("a"))
    assert await keeper.settle()
    await vault.sessions.rename(keeper.session.id, "a person's")
    keeper.configure(model="other", sampling=Sampling(temperature=0.0), remembers=False)
    conversation.append(Message.user("b"))
    assert await keeper.settle()
    kept = await vault.sessions.get(keeper.session.id)
    assert (kept.title, kept.model, kept.sampling.temperature, kept.remembers) == ("a person's", "other", 0.0, False)
    keeper.rename("a model's", by="model")
    assert await keeper.settle()
    assert (await vault.sessions.get(keeper.session.id)).title == "a person's"


async def test_a_title_of_a_person_is_not_replaced_by_a_models(keeping, vault):
    conversation, keeper = keeping.begin()
    conversation.append(Message.user("a"))
    keeper.rename("mine")
    keeper.rename("the model's", by="model")
    assert await keeper.settle()
    assert (await vault.sessions.get(keeper.session.id)).title == "mine"
    keeper.rename("")
    assert await keeper.settle()
    assert (await vault.sessions.get(keeper.session.id)).title == ""


async def test_a_fault_of_the_program_reaches_who_waits_and_nothing_is_dropped(keeping, vault, monkeypatch):
    conversation, keeper = keeping.begin()

    async def faulty(_work):
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(vault.database, "write", faulty)
        conversation.append(Message.user("kept all the same"))
        with pytest.raises(ZeroDivisionError):
            await asyncio.wait_for(keeper.settle(), 5)
    assert keeper.unwritten
    assert await keeper.settle()
    assert await texts(vault, keeper) == ["kept all the same"]


async def test_a_conversation_begun_before_the_vault_was_open_is_taken_in(keeping, vault):
    conversation = Conversation(system="s")
    question = conversation.append(Message.user("?"))
    conversation.branch(question.id, Message.assistant("one"))
    conversation.branch(question.id, Message.assistant("two"))
    keeper = keeping.adopt(conversation)
    assert await keeper.settle()
    again, _ = await keeping.resume(keeper.session.id)
    assert [node.message.text for node in again.path()] == ["?", "two"] and again.system == "s"


async def test_the_session_that_was_open_is_found_again_or_the_newest(keeping, vault):
    assert await keeping.last_open() is None
    ids = []
    for number in range(3):
        conversation, keeper = keeping.begin()
        conversation.append(Message.user(f"{number}"))
        assert await keeper.settle()
        ids.append(keeper.session.id)
    assert await keeping.last_open() == ids[2]
    await keeping.note_open(ids[0])
    assert await keeping.last_open() == ids[0]
    await vault.sessions.delete(ids[0])
    assert await keeping.last_open() == ids[2]
    await vault.sessions.purge(ids[0])
    assert await keeping.last_open() == ids[2]
    await keeping.note_open("")
    assert await keeping.last_open() == ids[2]
    with pytest.raises(UnknownSessionError):
        await keeping.resume(ids[0])


async def test_an_answer_that_was_coming_when_the_program_died_is_cut_at_the_next_start(keeping, vault):
    conversation, keeper = keeping.begin()
    conversation.append(Message.user("?"))
    conversation.append(Message.assistant("half an"), status="streaming")
    assert await keeper.settle()
    await vault.close()
    await vault.open()
    again, _ = await keeping.resume(keeper.session.id)
    last: Node = again.path()[-1]
    assert (last.message.text, last.status) == ("half an", "cut")
    assert [hit.node_id for hit in await vault.search.messages("half")] == [last.id]
