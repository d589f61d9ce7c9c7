"""Claude's export: newer ones with branches and tools, older ones with text alone."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.chat.formats import claude
from app.chat.formats.shown import shown_branch
from app.errors import ImportFormatError
from app.messages import Text, Thinking, ToolCall, ToolResult

from .samples import EXPORTS, damaged, json_values
from .test_chatgpt import is_sound

EXPORT = json.loads((EXPORTS / "claude.json").read_text("utf-8"))


def read(*conversations):
    return claude.read(json.dumps(conversations))


def conversation(*messages, **fields):
    return {"uuid": "one", "name": "T", "chat_messages": list(messages)} | fields


@pytest.fixture
def metrics():
    return read(*EXPORT).sessions[0]


def test_thoughts_tools_and_answers_follow_each_other(metrics):
    _, asking, result, answer, *_ = shown_branch(metrics)
    assert asking.message.parts == (
        Thinking("900 rows an hour is little."),
        Text("Let me look."),
        ToolCall("toolu_01", "web_search", '{"query": "postgres inserts per second"}'),
    )
    assert result.message.role == "tool"
    assert result.message.parts == (
        ToolResult("toolu_01", "Insert rates\nhttps://example.org/rates\n50,000 a second."),
    )
    assert answer.message.text == "Yes, it is fine.\n\nAdd an index on time."
    assert (asking.finish, answer.finish) == ("tool_calls", "stop")
    assert answer.created_at == 1771063480.0


def test_attached_documents_are_kept_and_missing_files_named(metrics):
    assert shown_branch(metrics)[0].message.text == (
        "load.csv:\n\n````\nhour,rows\n1,```\n2,900\n````"
        "\n\n[file not imported: graph.png]\n\nIs Postgres fine for this?"
    )


def test_both_answers_to_one_question_are_kept(metrics):
    last = {node.message.text: node for node in metrics.nodes[-2:]}
    assert last["Also fi"].parent_id == last["No need."].parent_id
    assert last["Also fi"].status == "cut"
    assert last["No need."].finish == "length"
    assert metrics.session.head_id == last["No need."].id


def test_the_leaf_that_the_export_names_is_shown():
    found = claude.read(
        json.dumps([EXPORT[0] | {"current_leaf_message_uuid": "m-4", "is_starred": True, "model": "claude-x"}])
    )
    assert shown_branch(found.sessions[0])[-1].message.text == "Also fi"
    assert shown_branch(found.sessions[0])[-1].model == "claude-x"
    assert found.sessions[0].session.pinned


def test_what_belongs_to_the_whole_conversation_is_kept(metrics):
    assert metrics.session.title == "Metrics in Postgres"
    assert metrics.session.created_at == 1771063462.0
    assert metrics.session.updated_at == 1771064561.5


def test_older_exports_have_their_words_in_text_alone():
    old = read(*EXPORT).sessions[1]
    assert [(node.message.role, node.message.text) for node in shown_branch(old)] == [
        ("user", "Hi"),
        ("assistant", "Hello!"),
    ]
    assert old.session.titled_by == "nobody"


def test_what_was_left_out_is_said():
    assert read(*EXPORT).skipped == (
        "“Metrics in Postgres”: 1 file left out; the export has only names of files.",
        "“Never begun” was left out: it holds no messages.",
    )


def test_the_same_export_gives_the_same_ids():
    assert read(*EXPORT) == read(*EXPORT)
    ids = [node.id for whole in read(*EXPORT).sessions for node in whole.nodes]
    assert len(set(ids)) == len(ids)


def test_messages_of_one_id_are_both_kept():
    said = {"uuid": "m", "sender": "human", "text": "a"}
    (whole,) = read(conversation(said, said | {"text": "b"}, {"sender": "assistant", "text": "c"})).sessions
    assert [node.message.text for node in shown_branch(whole)] == ["a", "b", "c"]
    assert is_sound(whole)


def test_a_missing_parent_and_a_circle_are_mended():
    found = read(
        conversation(
            {"uuid": "a", "sender": "human", "text": "a", "parent_message_uuid": "b"},
            {"uuid": "b", "sender": "assistant", "text": "b", "parent_message_uuid": "a"},
            {"uuid": "c", "sender": "human", "text": "c", "parent_message_uuid": "gone"},
        )
    )
    assert is_sound(found.sessions[0])
    assert len(found.sessions[0].nodes) == 3
    assert len(found.skipped) == 2


def test_wrong_types_cost_only_themselves():
    found = read(
        conversation(
            7,
            {
                "uuid": 5,
                "sender": "human",
                "text": "a",
                "content": "x",
                "attachments": {},
                "files": [3],
                "created_at": "soon",
            },
            {"uuid": "b", "sender": "martian", "text": "b"},
            {
                "uuid": "c",
                "sender": "assistant",
                "content": [None, {"type": "tool_use"}, {"type": "tool_result", "content": {"a": 1}}],
            },
            {
                "uuid": "d",
                "sender": "assistant",
                "content": [{"type": "song"}],
                "text": "d\ud83d",
                "created_at": "9999-12-31T23:59:59-23:59",
            },
            name=4,
            created_at=12,
        )
    )
    (whole,) = found.sessions
    assert is_sound(whole)
    assert [node.message.parts for node in shown_branch(whole)] == [
        (Text("[file not imported]"), Text("\n\na")),
        (ToolCall("call-1", "tool", "{}"),),
        (ToolResult("call-1", '{"a": 1}'),),
        (Text("d\ufffd"),),
    ]
    assert found.skipped == (
        "Conversation 1: 4 pieces could not be read.",
        "Conversation 1: 1 file left out; the export has only names of files.",
    )


def test_a_tool_input_that_is_nested_without_end_costs_one_conversation(monkeypatch):
    deep = []
    for _ in range(100_000):
        deep = [deep]
    asking = {"uuid": "a", "sender": "assistant", "content": [{"type": "tool_use", "input": deep}]}
    found = claude.imported([conversation(asking), EXPORT[1]])
    assert len(found.sessions) == 1
    assert found.skipped == ("“T” could not be read: it is nested too deeply.",)


@pytest.mark.parametrize("content", ["", "null", "{}", "[" * 100_000, b"\x00\xff"])
def test_what_is_no_list_of_conversations_is_refused(content):
    with pytest.raises(ImportFormatError):
        claude.read(content)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_garbage_is_refused_or_holds_nothing(content):
    try:
        assert claude.read(content).sessions == ()
    except ImportFormatError as error:
        assert error.message


@settings(max_examples=200, deadline=None)
@given(damaged(EXPORT))
def test_a_damaged_export_gives_what_is_sound_in_it(value):
    try:
        found = claude.read(json.dumps(value))
    except ImportFormatError:
        assert not isinstance(value, list)
    else:
        assert all(map(is_sound, found.sessions))
        assert len(found.sessions) + len(found.skipped) >= len(value)


_messages = st.fixed_dictionaries(
    {},
    optional={
        "uuid": st.sampled_from(["a", "b", "c"]) | json_values,
        "parent_message_uuid": st.sampled_from(["a", "b", "c"]) | json_values,
        "sender": st.sampled_from(["human", "assistant"]) | json_values,
        "text": json_values,
        "content": st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    "type": st.sampled_from(["text", "thinking", "tool_use", "tool_result", "image"]) | json_values,
                    "text": json_values,
                    "thinking": json_values,
                    "input": json_values,
                    "content": json_values,
                },
            )
            | json_values,
            max_size=4,
        )
        | json_values,
        "attachments": st.lists(json_values | st.just({"file_name": "f", "extracted_content": "`"}), max_size=2)
        | json_values,
        "files": json_values,
        "created_at": json_values,
    },
)


@settings(max_examples=200, deadline=None)
@given(st.lists(_messages | json_values, max_size=5))
def test_any_messages_give_a_sound_tree_or_nothing(messages):
    found = read(conversation(*messages))
    assert all(map(is_sound, found.sessions))
    assert found.sessions or found.skipped
