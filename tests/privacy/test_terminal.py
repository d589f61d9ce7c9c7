"""Nothing that commands a terminal survives cleaning, however it is cut."""

import itertools
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.privacy.terminal import StreamCleaner, clean, is_clean

nasty = st.text(st.one_of(st.characters(), st.sampled_from("\x1b\x07\r\n\t\x9b\x9d\u202e\u2066\u2028[]0;52c\\")))


def harmful(character: str) -> bool:
    if character in "\n\t":
        return False
    category = unicodedata.category(character)
    return category in ("Cc", "Cs", "Zl", "Zp") or unicodedata.bidirectional(character) in (
        "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"
    )  # fmt: skip


@given(nasty)
def test_no_harmful_character_survives(text):
    cleaned = clean(text)
    assert not any(map(harmful, cleaned))
    assert is_clean(cleaned)


@given(nasty)
def test_cleaning_twice_changes_nothing_more(text):
    assert clean(clean(text)) == clean(text)


@given(nasty, st.lists(st.integers(0, 200), max_size=12))
def test_pieces_cut_anywhere_come_out_as_the_whole_would(text, places):
    edges = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    cleaner = StreamCleaner()
    pieces = [cleaner.feed(text[a:b]) for a, b in itertools.pairwise(edges)]
    assert "".join(pieces) + cleaner.finish() == clean(text)
    assert not any(harmful(character) for piece in pieces for character in piece)


@pytest.mark.parametrize(
    "text",
    ["plain\ttext\n", "Grüße, naïve café", "مرحبا بالعالم", "日本語テキスト", "👩‍👩‍👧‍👦 ❤️ 🇫🇷", "e\u0301", "x → y ∀z"],
)
def test_ordinary_writing_is_left_alone(text):
    assert clean(text) == text


def test_what_was_removed_can_be_seen():
    assert clean("\x1b]52;c;aGk=\x07") == "␛]52;c;aGk=␇"
    assert clean("a\u202eb") == "a⟨202E⟩b"
    assert clean("one\r\ntwo\rthree") == "one\ntwo␍three"
