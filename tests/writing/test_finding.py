"""Finding and replacing does what an editor's does, and no pattern hangs it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InvalidRequestError
from app.writing.finding import Match, Search, find, replaced


def test_words_are_taken_as_they_are():
    assert find("a.b a+b A.B", Search(pattern="a.b")) == (Match(0, 3), Match(8, 11))
    assert find("a.b A.B", Search(pattern="a.b", case=True)) == (Match(0, 3),)
    assert find("cat concat", Search(pattern="cat", whole_words=True)) == (Match(0, 3),)
    assert find("text", Search(pattern="")) == ()


def test_places_are_characters_not_bytes():
    assert find("é海 sea", Search(pattern="sea")) == (Match(3, 6),)


def test_patterns_know_lines_and_groups():
    text = "one\ntwo\n"
    assert find(text, Search(pattern="^.", regex=True)) == (Match(0, 1), Match(4, 5))
    assert replaced(text, Search(pattern=r"(\w)(\w+)", regex=True), r"\2\1") == ("neo\nwot\n", 2)
    assert find(text, Search(pattern="x*", regex=True)) == ()


def test_only_some_are_replaced():
    text = "sea sea sea"
    second = find(text, Search(pattern="sea"))[1]
    assert replaced(text, Search(pattern="sea"), r"\1", only=[second]) == (r"sea \1 sea", 1)


@pytest.mark.parametrize("pattern", ["(", "[a", "a{2,1}", r"\1", "(?<=a)b", "*"])
def test_a_bad_pattern_is_named(pattern, capfd):
    with pytest.raises(InvalidRequestError) as refused:
        find("text", Search(pattern=pattern, regex=True))
    assert repr(pattern) in refused.value.message
    assert capfd.readouterr() == ("", "")


def test_a_replacement_that_names_no_group_is_refused():
    with pytest.raises(InvalidRequestError, match="replacement"):
        replaced("a", Search(pattern="a", regex=True), r"\7")


def test_a_wicked_pattern_is_quick():
    began = time.process_time()
    find("a" * 100_000, Search(pattern="(a+)+$b", regex=True))
    assert time.process_time() - began < 2


@given(st.text(max_size=60), st.text(max_size=4), st.text(max_size=4))
def test_replacing_words_is_what_python_does(text, words, by):
    if words:
        expected = text.replace(words, by), text.count(words)
        assert replaced(text, Search(pattern=words, case=True), by) == expected
    else:
        assert replaced(text, Search(pattern=words), by) == (text, 0)


@given(st.text(max_size=30), st.text(max_size=12))
def test_any_pattern_finds_places_or_is_refused(text, pattern):
    try:
        matches = find(text, Search(pattern=pattern, regex=True))
    except InvalidRequestError:
        return
    assert all(0 <= match.start < match.end <= len(text) for match in matches)
