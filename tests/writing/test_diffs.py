"""A proposal can be taken piece by piece: everything is the new text, nothing the old one, byte for byte."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.writing.diffs import MOST_WORDS, apply, hunks, lines_of

LINES = st.lists(
    st.sampled_from(["a\n", "b\n", "\n", "the sea\n", "the lake\n", "x", "é\r\n", "\u2028", "\x0c\n"]), max_size=12
)


@given(LINES, LINES)
def test_all_hunks_make_the_new_text_and_none_leave_the_old_one(old_lines, new_lines):
    old, new = "".join(old_lines), "".join(new_lines)
    changes = hunks(old, new)
    assert apply(old, changes, range(len(changes))) == new
    assert apply(old, changes, ()) == old
    assert bool(changes) == (old != new)


@given(LINES, LINES, st.sets(st.integers(0, 12)))
def test_taking_some_and_then_the_rest_comes_to_the_same(old_lines, new_lines, some):
    old, new = "".join(old_lines), "".join(new_lines)
    partly = apply(old, hunks(old, new), some)
    rest = hunks(partly, new)
    assert apply(partly, rest, range(len(rest))) == new


@given(LINES, LINES)
def test_words_of_a_hunk_are_its_lines(old_lines, new_lines):
    for hunk in hunks("".join(old_lines), "".join(new_lines)):
        before, after = hunk.words()
        assert "".join(run.text for run in before) == "".join(hunk.old)
        assert "".join(run.text for run in after) == "".join(hunk.new)


@given(st.text())
def test_lines_keep_every_character(text):
    assert "".join(lines_of(text)) == text


def test_one_hunk_is_accepted_and_another_rejected():
    old = "# Sea\n\nIt was calm.\n\nThe end.\n"
    new = "# Storm\n\nIt was calm.\n\nThe very end.\n"
    changes = hunks(old, new)
    assert [change.kind for change in changes] == ["changed", "changed"]
    assert apply(old, changes, {1}) == "# Sea\n\nIt was calm.\n\nThe very end.\n"
    before, after = changes[1].words()
    assert [run.text for run in after if run.changed] == ["very "] or [run.text for run in after if run.changed] == [
        " very"
    ]
    assert not any(run.changed for run in before)


def test_a_very_long_hunk_is_shown_as_changed_without_comparing_its_words():
    changes = hunks("a " * MOST_WORDS + "\n", "b " * MOST_WORDS + "\n")
    before, after = changes[0].words()
    assert [run.changed for run in (*before, *after)] == [True, True]


def test_kinds():
    assert [hunk.kind for hunk in hunks("a\n", "a\nb\n")] == ["added"]
    assert [hunk.kind for hunk in hunks("a\nb\n", "a\n")] == ["removed"]
    assert hunks("a", "a")[0:] == ()
