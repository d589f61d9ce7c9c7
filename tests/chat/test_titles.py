from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.chat.titles import LONGEST, first_words, tidy


@pytest.mark.parametrize(
    ("answer", "title"),
    [
        ('Title: "Warm Colours".', "Warm Colours"),
        ("**Trees in autumn**", "Trees in autumn"),
        ("# The keeper's log\nand more", "The keeper's log"),
        ("The title of this conversation is: Rain", "Rain"),
        ("Here's a possible title for the conversation:", ""),
        ("Sure! Colours", ""),
        ("The red oak is a tree that everybody in the whole world loves", ""),
        ("", ""),
        ("...", ""),
    ],
)
def test_what_a_model_says_as_a_title(answer: str, title: str) -> None:
    assert tidy(answer) == title


@given(st.text())
def test_titles_are_one_short_line(text: str) -> None:
    for title in (tidy(text), first_words(text)):
        assert len(title) <= LONGEST
        assert len(title.splitlines()) <= 1


def test_the_first_words_end_at_a_word() -> None:
    assert first_words("\n  Write   a story about the sea and the people who live beside it, please\nmore") == (
        "Write a story about the sea and the people who live beside…"
    )
