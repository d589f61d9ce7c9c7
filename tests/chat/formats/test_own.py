"""Our own form is complete: what is written comes back as it was."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.chat.formats import own, read_export
from app.errors import ImportFormatError

from .samples import conversations, damaged, json_values, rich, said


def file_of(**changes):
    return json.loads(own.to_json(rich())) | changes


@settings(deadline=None)
@given(conversations())
def test_what_is_written_comes_back_as_it_was(whole):
    assert own.from_json(own.to_json(whole)) == whole


def test_every_kind_of_part_and_ending_is_kept():
    assert own.from_json(own.to_json(rich())) == rich()


def test_the_file_says_what_it_is_and_can_be_read_by_eye():
    text = own.to_json(said("Grüezi"))
    assert json.loads(text)["format"] == "playground-session"
    assert json.loads(text)["version"] == 1
    assert "Grüezi" in text


def test_nodes_out_of_order_are_put_in_order():
    file = file_of()
    file["nodes"].reverse()
    found = own.from_json(json.dumps(file))
    seen = set()
    for node in found.nodes:
        assert node.parent_id is None or node.parent_id in seen
        seen.add(node.id)
    assert set(found.nodes) == set(rich().nodes)


def test_fields_of_a_later_program_are_passed_over():
    assert own.from_json(json.dumps(file_of(colour="blue"))) == rich()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"version": 2}, "version 2"),
        ({"version": None}, "no version"),
        ({"version": True}, "no version"),
        ({"format": "something"}, "format"),
        ({"session": None}, "session"),
        ({"nodes": [{"id": "x"}]}, "missing required field"),
    ],
)
def test_a_wrong_file_is_refused_with_its_reason(changes, words):
    with pytest.raises(ImportFormatError, match=words):
        own.from_json(json.dumps(file_of(**changes)))


def changed(change):
    file = file_of()
    change(file)
    return json.dumps(file)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda file: file["nodes"].append(file["nodes"][0]), "have one id"),
        (lambda file: file["nodes"][0].update(parent_id="gone"), "one that is missing"),
        (lambda file: file["nodes"][0].update(parent_id="c"), "circle"),
        (lambda file: file["nodes"][0].update(parent_id="u"), "circle"),
        (lambda file: file["session"].update(head_id="gone"), "ends with is missing"),
        (lambda file: file["session"].update(created_at=float("inf")), "not finite"),
        (lambda file: file["nodes"][0].update(created_at=float("nan")), "not finite"),
        (lambda file: file["session"]["sampling"].update(logit_bias={"7": float("-inf")}), "not finite"),
        (lambda file: file["nodes"][0]["message"]["parts"][1].update(data="!"), "not as it was written"),
        (lambda file: file["nodes"][0]["message"]["parts"][1].update(url="x"), "data or a url"),
    ],
)
def test_a_conversation_that_does_not_hold_together_is_refused(change, words):
    with pytest.raises(ImportFormatError, match=words):
        own.from_json(changed(change))


def test_a_damaged_conversation_is_named():
    file = file_of()
    file["nodes"][0]["parent_id"] = "gone"
    found = own.read(json.dumps(file))
    assert found.sessions == ()
    (reason,) = found.skipped
    assert "What is in the picture" in reason


def test_an_import_wakes_nothing_that_was_running_and_takes_it_out_of_the_bin():
    file = file_of()
    file["session"]["deleted_at"] = 5.0
    file["nodes"][-1]["status"] = "streaming"
    (whole,) = own.read(json.dumps(file)).sessions
    assert whole == rich()


@settings(deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_garbage_is_refused(content):
    with pytest.raises(ImportFormatError):
        own.read(content)


@settings(deadline=None)
@given(damaged(file_of()) | json_values)
def test_damage_gives_an_error_or_a_sound_conversation(value):
    try:
        found = read_export(json.dumps(value).encode(), "file.json")
    except ImportFormatError as error:
        assert error.message
    else:
        for whole in found.sessions:
            assert own.from_json(own.to_json(whole)) == whole
