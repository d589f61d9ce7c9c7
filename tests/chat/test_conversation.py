from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.chat import Conversation, messages_for
from app.chat.conversation import UnknownNodeError
from app.messages import Message


def said(conversation: Conversation) -> list[str]:
    return [node.message.text for node in conversation.path()]


def chat(*texts: str) -> Conversation:
    conversation = Conversation()
    for place, text in enumerate(texts):
        conversation.append(Message.user(text) if place % 2 == 0 else Message.assistant(text))
    return conversation


def test_a_second_answer_stands_beside_the_first_and_both_are_kept() -> None:
    conversation = chat("q", "first")
    question, first = conversation.path()
    second = conversation.branch(question.id, Message.assistant("second"))
    assert said(conversation) == ["q", "second"]
    assert conversation.siblings(second.id) == (first, second)
    conversation.show_sibling(second.id, -1)
    assert said(conversation) == ["q", "first"]


def test_walking_to_a_version_shows_what_followed_it() -> None:
    conversation = chat("q", "first", "more", "answer")
    first = conversation.path()[1]
    conversation.branch(first.parent_id, Message.assistant("second"))
    conversation.show_sibling(conversation.path()[1].id, -1)
    assert said(conversation) == ["q", "first", "more", "answer"]


def test_walking_stops_at_the_first_and_last_version() -> None:
    conversation = chat("q", "only")
    only = conversation.path()[1]
    assert conversation.show_sibling(only.id, 5) == only
    assert said(conversation) == ["q", "only"]


def test_an_edited_first_prompt_is_a_version_of_the_conversation_itself() -> None:
    conversation = chat("q", "a")
    conversation.show(None)
    conversation.append(Message.user("edited"))
    assert said(conversation) == ["edited"]
    assert len(conversation.siblings(conversation.path()[0].id)) == 2


def test_rolling_back_keeps_the_tree() -> None:
    conversation = chat("q", "a", "r", "b")
    dropped = conversation.roll_back(2)
    assert [node.message.text for node in dropped] == ["r", "b"]
    assert said(conversation) == ["q", "a"]
    assert len(conversation) == 4


def test_a_message_with_answers_is_not_forgotten() -> None:
    conversation = chat("q", "a")
    with pytest.raises(UnknownNodeError):
        conversation.forget(conversation.path()[0].id)


def test_an_unknown_parent_is_refused() -> None:
    with pytest.raises(UnknownNodeError):
        Conversation().branch("nowhere", Message.user("q"))


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 30)), max_size=40))
def test_the_shown_path_is_always_a_path_of_the_tree(steps: list[tuple[int, int]]) -> None:
    conversation = Conversation()
    ids: list[str] = []
    for kind, number in steps:
        if kind == 0 or not ids:
            ids.append(conversation.append(Message.user(str(number))).id)
        elif kind == 1:
            ids.append(conversation.branch(ids[number % len(ids)], Message.assistant(str(number))).id)
        elif kind == 2:
            conversation.show_sibling(ids[number % len(ids)], 1 - number % 3)
        elif kind == 3:
            conversation.roll_back(number % 3)
        else:
            conversation.show(ids[number % len(ids)])
        path = conversation.path()
        assert [node.parent_id for node in path] == [None, *[node.id for node in path]][: len(path)]
        assert (path[-1] if path else None) == conversation.head
        assert len(conversation) == len(ids)


def test_a_request_holds_no_thoughts_no_empty_answers_and_no_two_turns_of_one_role() -> None:
    conversation = Conversation(system="Be brief.")
    conversation.append(Message.user("one"))
    conversation.append(Message.assistant(""), status="cut")
    conversation.append(Message.user("two"))
    conversation.append(Message.assistant("answer", thinking="hm"))
    assert messages_for(conversation.path(), conversation.system) == (
        Message.system("Be brief."),
        Message.user("one\n\ntwo"),
        Message.assistant("answer"),
    )
