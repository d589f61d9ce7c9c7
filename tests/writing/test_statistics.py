"""Words are counted as a person counts them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.writing.statistics import statistics


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("One, two; three.", 3),
        ("don't well-known 3.14", 3),
        ("# Title\n\n- item *one*", 3),
        ("[the sea](https://example.org/a-long/address)", 2),
        ("<https://example.org/here> it is", 2),
        ("before\n```python\nx = 1\n```\nafter", 2),
        ("~~~\nnever closed", 0),
        ("```\na\n````\nb", 1),
        ("海は広い", 4),
        ("naïve café", 2),
    ],
)
def test_words(text, words):
    assert statistics(text).words == words


@pytest.mark.parametrize(
    ("words", "said"), [(0, "nothing to read yet"), (50, "under a minute"), (238, "1 min"), (2856, "12 min")]
)
def test_reading_time(words, said):
    assert statistics("word " * words).reading_time == said


@given(st.text(max_size=400))
def test_any_text_has_figures(text):
    found = statistics(text)
    assert found.characters == len(text)
    assert 0 <= found.words <= len(text)
