"""Placeholders come back as what they stood for, however the answer is cut and however the model writes them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.privacy.redaction import Redactor, Restorer
from app.privacy.redaction.restoring import Placeholders

NAMES = {"EMAIL_1_k3f9": "jane@example.org", "EMAIL_11_b2cd": "otto@example.org", "PHONE_1_qrst": "+49 30 901820"}
PLACEHOLDERS = Placeholders(NAMES)


def filtered(*pieces: str) -> str:
    restorer = Restorer(PLACEHOLDERS)
    return "".join([*map(restorer.feed, pieces), restorer.finish()])


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("to [EMAIL_1_k3f9].", "to jane@example.org."),
        ("to [email_1_K3F9].", "to jane@example.org."),
        (r"to \[EMAIL\_1\_k3f9\].", "to jane@example.org."),
        ("to EMAIL_1_k3f9.", "to jane@example.org."),
        ("`EMAIL_1_k3f9`", "`jane@example.org`"),
        ("**[EMAIL_1_k3f9]**[PHONE_1_qrst]", "**jane@example.org**+49 30 901820"),
        ("[[EMAIL_1_k3f9]]", "[jane@example.org]"),
        ("[EMAIL_1_k3f9](mailto:EMAIL_1_k3f9)", "[jane@example.org](mailto:jane@example.org)"),
        ("[EMAIL_11_b2cd][EMAIL_1_k3f9]", "otto@example.orgjane@example.org"),
        (
            "[EMAIL_1_zzzz] [EMAIL_1] EMAIL_1_k3f9x xEMAIL_1_k3f9",
            "[EMAIL_1_zzzz] [EMAIL_1] EMAIL_1_k3f9x xEMAIL_1_k3f9",
        ),
        ("[EMAIL_1_k3f9", "[jane@example.org"),
        ("ends with [EMAIL_1_k3", "ends with [EMAIL_1_k3"),
        ("\\\\\\\\\\\\\\\\[", "\\\\\\\\\\\\\\\\["),
        ("", ""),
    ],
)
def test_split_anywhere_it_is_restored_alike(written, meant):
    assert filtered(written) == meant
    assert filtered(*written) == meant
    for first in range(len(written) + 1):
        for second in range(first, len(written) + 1):
            assert filtered(written[:first], written[first:second], written[second:]) == meant


@settings(max_examples=400, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "[",
                "]",
                "\\",
                "_",
                "(",
                "EMAIL",
                "email_1_k3f9",
                "[EMAIL_1_k3f9]",
                "PHONE_1",
                "_qrst",
                "E",
                " ",
                "x",
                "ü",
            ]
        )
    ),
    st.randoms(use_true_random=False),
)
def test_any_text_cut_anyhow_is_restored_as_in_one_piece(parts, chance):
    text = "".join(parts)
    cuts = sorted(chance.choices(range(len(text) + 1), k=5))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert filtered(*pieces) == filtered(text) == PLACEHOLDERS.restored(text)


def test_no_more_is_held_back_than_a_placeholder_takes():
    restorer = Restorer(PLACEHOLDERS)
    given_on = 0
    text = "[EMAIL_1_[EMAIL_1_k3f\\\\\\\\\\\\\\\\\\\\\\\\\\\\[[[[[[[[[[[[[[[[" * 20
    for count, character in enumerate(text, 1):
        given_on += len(restorer.feed(character))
        assert count - given_on <= PLACEHOLDERS.longest


def test_an_ordinary_answer_is_not_held_back_at_its_words_ends():
    restorer = Restorer(PLACEHOLDERS)
    assert restorer.feed("The quick brown fox, however") == "The quick brown fox, however"


def test_placeholders_have_no_vowels_in_their_tags_and_are_plain():
    redacted = Redactor.chosen().memory([]).redact("jane@example.org 203.0.113.9")
    assert re.fullmatch(r"\[EMAIL_1_[b-df-hj-km-np-tv-xz2-9]{4}\] \[IP_1_[b-df-hj-km-np-tv-xz2-9]{4}\]", redacted)
