"""Thinking and answer are told apart, wherever the pieces are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.thinking import ThinkingSplitter


def split(pieces: list[str], *, inside: bool = False) -> tuple[str, str]:
    splitter = ThinkingSplitter(inside=inside)
    outputs = [splitter.feed(piece) for piece in pieces] + [splitter.finish()]
    return "".join(thinking for thinking, _ in outputs), "".join(answer for _, answer in outputs)


CASES = {
    "plain": ("", "plain"),
    "  plain ": ("", "  plain "),
    "": ("", ""),
    "<think>a b</think>c": ("a b", "c"),
    "\n<think>\na\n b </think>\n\nc d\n": ("a\n b", "c d\n"),
    "<think></think>x": ("", "x"),
    "<think>never closed <": ("never closed <", ""),
    "<think>a </thin</think>x</think>": ("a </thin", "x</think>"),
    "<thinking>": ("", "<thinking>"),
    "<thi": ("", "<thi"),
    "say <think>x</think>": ("", "say <think>x</think>"),
    "<think>é \U0001f600</think>\U0001f600<think>no": ("é \U0001f600", "\U0001f600<think>no"),
}


@pytest.mark.parametrize("text", CASES)
def test_every_cut_in_two_and_every_character_alone_give_the_same(text: str) -> None:
    assert split(list(text)) == CASES[text]
    for at in range(len(text) + 1):
        assert split([text[:at], text[at:]]) == CASES[text]


def test_a_prompt_may_have_opened_the_thinking() -> None:
    assert split(list("\nhm</think>\nyes"), inside=True) == ("hm", "yes")


parts = st.sampled_from(["<think>", "</think>", "<", "think>", "</", " ", "\n", "a", "é", "<think", "/think>"])


@given(st.lists(parts, max_size=12), st.data())
def test_cuts_never_matter(pieces: list[str], data: st.DataObject) -> None:
    text = "".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5)))
    cut = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert split(cut) == split([text])
