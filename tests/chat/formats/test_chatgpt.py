"""ChatGPT's export: every branch, nothing hidden, nothing lost in silence."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.chat.context import messages_for
from app.chat.formats import chatgpt, own
from app.chat.formats.shown import shown_branch
from app.errors import ImportFormatError
from app.messages import Message, Text, Thinking, ToolCall, ToolResult

from .samples import EXPORTS, damaged, json_values

EXPORT = json.loads((EXPORTS / "chatgpt.json").read_text("utf-8"))


def read(*conversations):
    return chatgpt.read(json.dumps(conversations))


def message(role="user", text="x", **fields):
    return {"author": {"role": role}, "content": {"content_type": "text", "parts": [text]}} | fields


def conversation(mapping, **fields):
    return {"id": "one", "title": "T", "mapping": mapping} | fields


def is_sound(whole):
    """A tree with its parents first, and a head that is in it."""
    seen = set()
    for node in whole.nodes:
        assert node.id not in seen
        assert node.parent_id is None or node.parent_id in seen
        assert math.isfinite(node.created_at)
        seen.add(node.id)
    assert whole.session.head_id in seen
    assert own.from_json(own.to_json(whole)) == whole
    own.to_json(whole).encode()
    return True


@pytest.fixture
def sourdough():
    return read(*EXPORT).sessions[0]


def test_the_current_branch_is_shown_with_its_thoughts_and_tools(sourdough):
    assert [(node.message.role, node.message.text) for node in shown_branch(sourdough)] == [
        ("user", "[image not imported: file_00000000a1b2]\n\nWhy does my sourdough not rise?"),
        ("assistant", ""),
        ("tool", ""),
        ("assistant", "It is underproofed: **72 %** is fine, give it time."),
        ("user", "How long?"),
        ("assistant", "Six hours at 22 °C."),
    ]
    call, result = shown_branch(sourdough)[1:3]
    assert call.message.parts == (
        Thinking("Looking at the crumb\n\nThe crumb is dense.\n\nSo it is underproofed."),
        ToolCall("c-1", "python", '{"code": "print(72 / 100)"}'),
    )
    assert result.message.parts == (ToolResult("c-1", "0.72"),)


def test_the_other_branches_are_kept_with_how_they_ended(sourdough):
    answers = {node.message.text: node for node in sourdough.nodes if node.message.role == "assistant"}
    assert answers["Your starter may be too yo"].status == "cut"
    assert answers["Four hours."].parent_id == answers["Six hours at 22 °C."].parent_id
    assert answers["Six hours at 22 °C."].finish == "length"
    assert answers["Six hours at 22 °C."].model == "gpt-4o"
    assert answers["Six hours at 22 °C."].created_at == 1765672450.0
    assert len(sourdough.nodes) == 8


def test_what_belongs_to_the_whole_conversation_is_kept(sourdough):
    session = sourdough.session
    assert (session.title, session.titled_by) == ("Sourdough that does not rise", "person")
    assert (session.created_at, session.updated_at) == (1765672100.5, 1765672500.25)
    assert session.pinned
    assert not session.archived
    assert session.system == "I bake at home.\n\nBe brief."
    assert session.model == ""  # whoever goes on with it goes on with a model of theirs


def test_a_conversation_without_a_title_and_times_is_read(sourdough):
    plain = read(*EXPORT).sessions[1]
    assert (plain.session.title, plain.session.titled_by, plain.session.archived) == ("", "nobody", True)
    assert plain.session.updated_at == 1700000002
    assert messages_for(shown_branch(plain)) == (Message.user("Hello"), Message.assistant("Hello! 👋 Grüezi, 你好"))


def test_what_was_left_out_is_said(sourdough):
    assert read(*EXPORT).skipped == (
        "“Sourdough that does not rise”: 1 picture, sound or file left out.",
        "“Nothing was said” was left out: it holds no messages.",
        "“Broken” could not be read: it has no tree of messages.",
    )


def test_the_same_export_gives_the_same_ids_and_others_give_others():
    assert read(*EXPORT) == read(*EXPORT)
    ids = [node.id for whole in read(*EXPORT).sessions for node in whole.nodes]
    assert len(set(ids)) == len(ids)


def test_a_conversation_that_is_there_twice_is_taken_once():
    found = read(EXPORT[1], EXPORT[1])
    assert len(found.sessions) == 1
    assert "twice" in found.skipped[0]


def test_two_conversations_of_one_id_are_both_kept():
    found = read(EXPORT[1], EXPORT[1] | {"title": "Another"})
    assert len({whole.session.id for whole in found.sessions}) == 2
    assert len({node.id for whole in found.sessions for node in whole.nodes}) == 4


def test_one_without_an_id_is_known_by_what_it_holds():
    plain = {"title": "T", "mapping": {"a": {"message": message()}}}
    assert read(plain) == read(plain)
    assert read(plain).sessions[0].session.id != read(plain | {"title": "U"}).sessions[0].session.id


@pytest.mark.parametrize("role", ["system", "developer"])
def test_a_system_message_that_is_not_hidden_becomes_the_system_prompt(role):
    found = read(
        conversation(
            {
                "s": {"message": message(role, "Be kind."), "parent": None},
                "u": {"message": message(), "parent": "s"},
                "t": {"message": message("system", "Be quick."), "parent": "u"},
                "a": {"message": message("assistant", "y"), "parent": "t"},
            }
        )
    )
    (whole,) = found.sessions
    assert whole.session.system == "Be kind."
    assert [node.message.text for node in shown_branch(whole)] == ["x", "y"]
    assert found.skipped == ("“T”: 1 further system message left out.",)


def test_code_for_everyone_is_a_code_block():
    content = {"content_type": "code", "language": "rust", "text": "let a = `b`;"}
    (whole,) = read(conversation({"a": {"message": message("assistant", content=content)}})).sessions
    assert whole.nodes[0].message.parts == (Text("```rust\nlet a = `b`;\n```"),)


def test_pages_that_tools_read_are_kept_as_their_results():
    content = {"content_type": "tether_quote", "url": "https://example.org", "title": "Bread", "text": "Flour."}
    (whole,) = read(conversation({"a": {"message": message("tool", content=content)}})).sessions
    assert whole.nodes[0].message.parts == (ToolResult("", "Bread\n\nhttps://example.org\n\nFlour."),)


def test_an_unknown_kind_is_read_as_far_as_it_holds_text():
    content = {
        "content_type": "hologram",
        "parts": [{"content_type": "text", "text": "see"}, {"depth": 3}],
        "text": "me",
    }
    (whole,) = read(conversation({"a": {"message": message("assistant", content=content)}})).sessions
    assert whole.nodes[0].message.text == "see\n\nme"


def test_thoughts_that_led_to_several_answers_stay_by_themselves():
    thoughts = message("assistant", content={"content_type": "thoughts", "thoughts": [{"content": "hm"}]})
    (whole,) = read(
        conversation(
            {
                "t": {"message": thoughts, "parent": None},
                "a": {"message": message("assistant", "a"), "parent": "t"},
                "b": {"message": message("assistant", "b"), "parent": "t"},
            }
        )
    ).sessions
    assert [node.message.parts for node in whole.nodes] == [(Thinking("hm"),), (Text("a"),), (Text("b"),)]


def test_a_head_within_thoughts_is_the_answer_that_holds_them():
    thought = message("assistant", content={"content_type": "thoughts", "thoughts": [{"content": "hm"}]})
    (whole,) = read(
        conversation(
            {
                "1": {"message": thought, "parent": None},
                "2": {"message": thought, "parent": "1"},
                "3": {"message": message("assistant", "a"), "parent": "2"},
            },
            current_node="1",
        )
    ).sessions
    assert [node.message.parts for node in shown_branch(whole)] == [(Thinking("hm"), Thinking("hm"), Text("a"))]


@pytest.mark.parametrize(
    "parents", [{"a": "a"}, {"a": "b", "b": "a"}, {"a": "c", "b": "a", "c": "b", "d": "c"}, {"": "", "b": ""}]
)
def test_a_circle_is_opened(parents):
    found = read(
        conversation({key: {"message": message(text=key or "-"), "parent": above} for key, above in parents.items()})
    )
    assert is_sound(found.sessions[0])
    assert len(found.sessions[0].nodes) == len(parents)
    assert "circle" in found.skipped[0]


def test_a_missing_parent_begins_a_branch():
    found = read(
        conversation({"a": {"message": message(), "parent": "gone"}, "b": {"message": message(), "parent": "a"}})
    )
    assert is_sound(found.sessions[0])
    assert found.sessions[0].nodes[0].parent_id is None
    assert "had lost the one before" in found.skipped[0]


def test_a_parent_that_only_names_its_children_is_found():
    (whole,) = read(
        conversation(
            {"b": {"message": message(text="b")}, "a": {"message": message(text="a"), "children": ["b", 5, "gone"]}}
        )
    ).sessions
    assert [node.message.text for node in shown_branch(whole)] == ["a", "b"]


def test_wrong_types_cost_only_themselves():
    found = read(
        conversation(
            {
                "a": {"message": message(text="a", create_time=math.nan), "parent": None, "children": 7},
                "b": "nothing",
                "c": {"message": 12, "parent": 3},
                "d": {"message": {"author": "me", "content": {"parts": ["d"]}}, "parent": "a"},
                "e": {"message": message("assistant", metadata=[], create_time=True, status=5), "parent": "a"},
                "f": {
                    "message": message(content={"content_type": 9, "parts": [1, None, [], "f\ud800"]}),
                    "parent": "e",
                },
                "g": {"message": message(content="g", create_time=10**400), "parent": "f"},
            },
            title=["a", "list"],
            create_time="yesterday",
            update_time=-math.inf,
            current_node=["g"],
        )
    )
    (whole,) = found.sessions
    assert is_sound(whole)
    assert [node.message.text for node in shown_branch(whole)] == ["a", "x", "f\ufffd", "g"]
    assert found.skipped == (
        "Conversation 1: 3 messages could not be read.",
        "Conversation 1: 1 message had lost the one before, and became the beginning of a branch.",
    )


def test_a_long_conversation_is_read_without_recursion():
    count = 20_000
    mapping = {f"{n}": {"message": message(text=str(n)), "parent": str(n - 1) if n else None} for n in range(count)}
    (whole,) = read(conversation(mapping, current_node=str(count - 1))).sessions
    assert len(shown_branch(whole)) == count


@pytest.mark.parametrize(
    "content",
    ["", "{", "null", "{}", '"text"', "[" * 100_000, "\xff".encode("latin-1"), "1" * 5000, '{"mapping": {}}'],
)
def test_what_is_no_list_of_conversations_is_refused(content):
    with pytest.raises(ImportFormatError):
        chatgpt.read(content)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_garbage_is_refused_or_holds_nothing(content):
    try:
        assert chatgpt.read(content).sessions == ()
    except ImportFormatError as error:
        assert error.message


@settings(max_examples=200, deadline=None)
@given(damaged(EXPORT))
def test_a_damaged_export_gives_what_is_sound_in_it(value):
    try:
        found = chatgpt.read(json.dumps(value))
    except ImportFormatError:
        assert not isinstance(value, list)
    else:
        assert all(map(is_sound, found.sessions))
        assert len(found.sessions) + len(found.skipped) >= len(value)


_entries = st.fixed_dictionaries(
    {},
    optional={
        "parent": st.sampled_from(["a", "b", "c", "", None]) | json_values,
        "children": st.lists(st.sampled_from(["a", "b", "c", ""])) | json_values,
        "message": st.fixed_dictionaries(
            {},
            optional={
                "author": st.sampled_from(["user", "assistant", "tool", "system", "x"]).map(lambda role: {"role": role})
                | json_values,
                "content": st.fixed_dictionaries(
                    {},
                    optional={
                        "content_type": st.sampled_from(["text", "code", "thoughts", "multimodal_text", "tether_quote"])
                        | json_values,
                        "parts": st.lists(st.text(max_size=5) | json_values, max_size=3) | json_values,
                        "text": json_values,
                        "thoughts": st.lists(json_values | st.just({"content": "t"}), max_size=2),
                    },
                )
                | json_values,
                "recipient": st.sampled_from(["all", "python"]) | json_values,
                "metadata": json_values,
            },
        )
        | json_values,
    },
)


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["a", "b", "c", "", "d\ud800"]), _entries | json_values),
    json_values | st.sampled_from("abc"),
)
def test_any_mapping_gives_a_sound_tree_or_nothing(mapping, current):
    found = read(conversation(mapping, current_node=current))
    assert all(map(is_sound, found.sessions))
    assert found.sessions or found.skipped
