"""Variables of a prompt are filled in once, and everything else stays as it is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.chat.prompt_library.variables import Variable, filled, variables
from app.errors import MissingVariablesError

NAMES = st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True)
PIECES = st.lists(
    st.one_of(
        st.text(max_size=8),
        st.sampled_from(("{{", "}}", "{", "\\", ":", "{{a}}", "{{ b : two }}", "\\{{a}}", "{{#if a}}", "{{{a}}}")),
    ),
    max_size=12,
).map("".join)


def test_values_defaults_and_what_is_no_variable():
    text = "{{a}}, {{ b : two words }}, {{a:late}}, \\{{a}}, {{#each x}}, {{}}, {{1}}, {{c:}}|"
    assert variables(text) == (Variable("a", "late"), Variable("b", "two words"), Variable("c", ""))
    assert filled(text, {}) == "late, two words, late, {{a}}, {{#each x}}, {{}}, {{1}}, |"
    assert filled("{{a}}{{b}}", {"a": "{{b}}", "b": "\\{{a}}"}) == "{{b}}\\{{a}}"  # a value is not looked through


def test_what_is_missing_and_what_is_strange_is_named():
    with pytest.raises(MissingVariablesError, match="no value for 'a', 'c'"):
        filled("{{a}} {{b:x}} {{c}}", {})
    with pytest.raises(MissingVariablesError, match=r"no variable 'd'\. It has a, b"):
        filled("{{a}} {{b:x}}", {"a": "1", "d": "2"})


@given(PIECES, st.text(max_size=20))
def test_any_text_is_filled_in_in_one_pass(text, value):
    known = variables(text)
    assert len({variable.name for variable in known}) == len(known)
    whole = filled(text, {variable.name: value for variable in known})
    if not known and "\\{{" not in text:
        assert whole == text
    assert filled(text, {variable.name: "" for variable in known}) is not None


@given(st.text(max_size=30), NAMES, st.text(max_size=30))
def test_what_stands_around_a_variable_is_kept(before, name, value):
    before = before.replace("{", "").replace("\\", "")
    assert filled(f"{before}{{{{{name}}}}}", {name: value}) == before + value
