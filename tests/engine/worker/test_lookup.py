"""Guesses from the text before: found as a plain search finds them, and known for how good they are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.engine.worker.lookup import PromptLookup


def place_of(tokens: list[int], length: int) -> int | None:
    """Behind the most recent place where the last ``length`` tokens stood before."""
    if length > len(tokens):
        return None
    last = tokens[-length:]
    ends = range(len(tokens) - 1, length - 1, -1)
    return next((end for end in ends if tokens[end - length : end] == last), None)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60), st.lists(st.integers(0, 3), max_size=60))
def test_a_guess_goes_on_where_a_search_through_the_whole_text_finds_the_last_tokens(prompt, answer):
    tokens = list(prompt)
    lookup = PromptLookup(len(prompt))
    lookup.follow(tokens)
    expected = place_of(tokens, 3) or place_of(tokens, 2)
    for token in answer:
        assert (lookup.source if lookup.agreeing else None) == expected
        if expected is not None:
            agreeing = min(lookup.agreeing, expected)
            assert agreeing >= 2
            assert tokens[expected - agreeing : expected] == tokens[-agreeing:]
        right = expected is not None and tokens[expected] == token
        tokens.append(token)
        lookup.follow(tokens)
        expected = expected + 1 if expected and right else place_of(tokens, 3) or place_of(tokens, 2)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=40), st.lists(st.integers(0, 3), max_size=40), st.data())
def test_it_is_the_same_whether_tokens_are_taken_in_one_by_one_or_together(prompt, answer, data):
    slowly, at_once, tokens = PromptLookup(len(prompt)), PromptLookup(len(prompt)), list(prompt)
    for token in answer:
        tokens.append(token)
        slowly.follow(tokens)
        if data.draw(st.booleans()):
            at_once.follow(tokens)
    slowly.follow(tokens)
    at_once.follow(tokens)
    assert slowly.odds(9) == at_once.odds(9)
    assert slowly.guess(tokens, 9) == at_once.guess(tokens, 9)


def test_a_text_that_comes_round_again_is_guessed_beyond_its_end():
    tokens = [5, 6, 7, 5, 6]
    lookup = PromptLookup(3)
    lookup.follow(tokens)
    assert lookup.guess(tokens, 8) == [7, 5, 6, 7, 5, 6, 7, 5]


def test_odds_grow_with_what_was_guessed_rightly_and_fall_with_what_was_not():
    lookup, tokens = PromptLookup(4), [1, 2, 3, 4]
    for token in [1, 2] * 40:
        tokens.append(token)
        lookup.follow(tokens)
    assert lookup.odds(4)[3] > 0.9
    surprised = PromptLookup(0)
    surprising: list[int] = []
    for number in range(40):
        surprising += [1, 2, 100 + number]
        surprised.follow(surprising)
    surprising += [1, 2]
    surprised.follow(surprising)
    assert 0 < surprised.odds(1)[0] < 0.05
    assert surprised.guess(surprising, 1) == [139]
