"""A text is looked through for all shapes of secrets at once: what that finds is what each of them finds by itself."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.privacy.masking import Masker

_PIECES = st.sampled_from(
    (
        *("sk-", "sk_live_", "ghp_", "github_pat_", "glpat-", "AKIA", "pg-", "AIza", "ya29.", "eyJ", "xoxb-", "hf_"),
        *("Bearer ", "bearer", "api_key=", "token: ", '"password":"', "Authorization: Basic ", "https://me:", "@host"),
        *("-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----", "abcdefgh12345678", "ABCDEFGH12345678"),
        *("0123456789abcdef0123456789abcdef0123456789A", " ", "\n", ".", "é", "•••", '\\"', "x", "_", "proj-"),
    )
)


@given(st.lists(_PIECES | st.text(max_size=4), max_size=12).map("".join))
def test_one_look_finds_what_each_finds(text: str) -> None:
    masker = Masker()
    raw = text.encode("utf-8", "replace")
    each = any(pattern.search(raw) for pattern, _ in masker._shapes)
    assert (masker._any_shape.search(raw) is not None) == each
