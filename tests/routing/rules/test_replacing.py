"""Patterns replaced in texts, whole and in pieces."""

import re
import time
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.routing.rules.beginnings import NotUnderstoodError, beginnings
from app.routing.rules.replacing import BOUND, BadPatternError, Replacement, Replacing, ReplacingWhole, replaced

ATOMS = st.sampled_from(
    ["a", "b", "c", ".", "[ab]", "[^a]", r"\w", r"\d", r"\s", "é", "🙂", r"\x62", r"\pL", "[[:alpha:]]"]
)
ASSERTIONS = st.sampled_from(["^", "$", r"\b", r"\B", r"\A", r"\z", "(?m:^)", "(?m:$)"])
COUNTS = st.sampled_from(["", "", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,3}", "{2,}", "{0,2}?"])
GROUPS = st.sampled_from(["(", "(?:", "(?P<n>", "(?i:", "(?s:", "(?U:"])
TEXTS = st.text(st.sampled_from("aabbcé🙂 \n1Ba"), max_size=40)


def _larger(inner):
    grouped = st.tuples(GROUPS, inner, COUNTS).map(lambda part: f"{part[0]}{part[1]}){part[2]}")
    either = st.lists(inner, min_size=2, max_size=3).map(lambda ways: f"(?:{'|'.join(ways)})")
    row = st.lists(inner, min_size=1, max_size=4).map("".join)
    return st.one_of(grouped, either, row)


PATTERNS = st.recursive(st.one_of(st.tuples(ATOMS, COUNTS).map("".join), ASSERTIONS), _larger, max_leaves=10)


def in_pieces(using, text, cuts):
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    given = [using.feed(text[start:end]) for start, end in pairwise(places)]
    return "".join(given) + using.finish()


def usable(pattern):
    try:
        return Replacement(pattern, r"<\0>")
    except BadPatternError:
        return None


@settings(max_examples=1500, deadline=None)
@given(PATTERNS, TEXTS, st.lists(st.integers(0, 40), max_size=6))
@example("a+b|a", "aaab", [1, 2, 3])
@example(r"a\b", "ab a", [1])
@example("(?m:^)a", "a\naa", [1, 2])
@example("a$", "aba", [1])
@example("a|ab", "ab", [1])
@example("ab|a", "ab", [1])
@example("(?s:.)*b", "aab", [1, 2])
def test_any_cut_of_a_text_gives_what_the_whole_gives(pattern, text, cuts):
    replacement = usable(pattern)
    if replacement is not None:
        whole = replacement.whole(text.encode()).decode()
        assert in_pieces(Replacing([replacement]), text, cuts) == whole
        assert in_pieces(Replacing([replacement]), text, range(len(text))) == whole
        assert in_pieces(ReplacingWhole([replacement]), text, cuts) == whole


@settings(max_examples=300, deadline=None)
@given(st.lists(PATTERNS, min_size=2, max_size=4), TEXTS, st.lists(st.integers(0, 40), max_size=6))
def test_several_patterns_follow_one_another(patterns, text, cuts):
    several = [replacement for replacement in map(usable, patterns) if replacement is not None]
    assert in_pieces(Replacing(several), text, cuts) == replaced(several, text)


@settings(max_examples=500, deadline=None)
@given(PATTERNS)
def test_what_a_match_may_begin_with_is_always_known(pattern):
    if usable(pattern) is not None:
        assert beginnings(pattern)


@given(TEXTS, st.lists(st.integers(0, 40), max_size=6))
def test_what_matches_as_python_has_it_is_what_is_replaced(text, cuts):
    using = Replacing([Replacement(r"(a+)(b)?", r"[\2\1]")])
    assert in_pieces(using, text, cuts) == re.sub(r"(a+)(b)?", lambda m: f"[{m[2] or ''}{m[1]}]", text)


def test_nothing_is_held_back_where_no_match_begins():
    using = Replacing([Replacement(r"secret-\d{4}-\w+", "X")])
    assert using.feed("The lighthouse stood alone. ") == "The lighthouse stood alone. "
    assert using.feed("A sec") == "A "
    assert using.feed("ond") == "second"
    assert using.feed(" secret-123") == " "
    assert using.feed("4-abc") == ""
    assert using.feed(" on") == "X on"
    assert using.finish() == ""


def test_what_grows_beyond_the_bound_is_let_go():
    using = Replacing([Replacement(r"<.*>", "X")])
    given = using.feed("<" + "a" * (3 * BOUND))
    assert len(given) >= 2 * BOUND - 10
    assert (given + using.feed("b") + using.finish()) == "<" + "a" * (3 * BOUND) + "b"


@pytest.mark.parametrize("cut", [1, 7, 100, 4000])
def test_a_match_as_long_as_the_bound_is_found_wherever_it_is_cut(cut):
    text = "ab " * 500 + "<" + "x" * (BOUND - 2) + ">" + " tail" * 300
    using = Replacing([Replacement(r"(?s)<.*?>", "X")])
    pieces = [using.feed(text[at : at + cut]) for at in range(0, len(text), cut)]
    assert "".join(pieces) + using.finish() == "ab " * 500 + "X" + " tail" * 300


def test_a_whole_text_has_no_bound():
    assert replaced([Replacement(r"<.*>", "X")], "<" + "a" * (3 * BOUND) + ">") == "X"


@pytest.mark.parametrize("pattern", [r"(a+)+$", r"(?:a|aa)+b", r"(.*)*x", r"x.*y", "(?s).*.*=.*b"])
def test_no_pattern_is_slow(pattern):
    using = Replacing([Replacement(pattern, "X")]) if usable(pattern) else None
    if using is None:
        return
    began = time.process_time()
    using.feed("a" * 100_000)
    for _ in range(200):
        using.feed("x" * 50)
    using.finish()
    assert time.process_time() - began < 3


@pytest.mark.parametrize(
    ("pattern", "by", "said"),
    [
        ("(a", "", "missing"),
        (r"(a)\1", "", "escape"),
        ("(?=a)b", "", "perl"),
        ("a*", "", "empty text"),
        ("^", "", "empty text"),
        (r"\b", "", "no character"),
        ("a", r"\1", "group 1"),
        ("a", r"\g<name>", "group name"),
        ("a", r"\q", "expected"),
        ("a", "end\\", "expected"),
    ],
)
def test_what_cannot_be_used_says_why(pattern, by, said):
    with pytest.raises(BadPatternError, match=r"(?i)" + said):
        Replacement(pattern, by)


def test_groups_by_number_and_name():
    replacement = Replacement(r"(?P<user>\w+)@(\w+)", r"\g<user> at \2 of \0\\\n")
    assert replacement.whole(b"me@home") == b"me at home of me@home\\\n"


def test_half_a_character_of_json_passes():
    using = Replacing([Replacement("a", "b")])
    assert using.feed("a\ud83d") + using.feed("\ude42a") + using.finish() == "b\ud83d\ude42b"


def test_what_is_not_understood_is_said():
    with pytest.raises(NotUnderstoodError):
        beginnings(r"a\Cb")
    assert in_pieces(Replacing([Replacement(r"\Qa.b\E+", "X")]), "xa.bbby", [1, 2, 3, 4, 5]) == "xXy"
