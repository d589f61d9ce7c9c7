"""How much is guessed in a step: what brings more text a second, and slows nobody down for others."""

from __future__ import annotations

from app.engine.worker.lookup import PromptLookup
from app.engine.worker.speculation import Asking, Speculation


def repeating() -> PromptLookup:
    lookup, tokens = PromptLookup(4), [1, 2, 3, 4]
    for token in [1, 2, 3, 4] * 20:
        tokens.append(token)
        lookup.follow(tokens)
    return lookup


def test_nothing_is_guessed_that_would_slow_an_answer_that_guesses_nothing_down():
    speculation = Speculation()
    speculation.cost.share = 0.4
    assert speculation.counts([Asking(repeating(), 100)], 100)[0] > 3
    assert speculation.counts([Asking(repeating(), 100), Asking(PromptLookup(1), 100)], 100) == [0, 0]
    speculation.cost.share = 0.01
    beside = speculation.counts([Asking(repeating(), 100), Asking(PromptLookup(1), 100)], 100)
    assert 0 < beside[0] < 8
    assert beside[1] == 0


def test_guesses_keep_to_the_room_to_each_answers_limit_and_to_what_rows_cost():
    speculation = Speculation()
    speculation.cost.share = 0.02
    assert speculation.counts([Asking(repeating(), 2)], 100) == [2]
    assert sum(speculation.counts([Asking(repeating(), 100), Asking(repeating(), 100)], 6)) <= 6
    assert speculation.counts([Asking(repeating(), 100)], 0) == [0]
    for _ in range(40):
        speculation.cost.observe(1, 0.01)
        speculation.cost.observe(8, 0.075)
    assert speculation.counts([Asking(repeating(), 100)], 100) == [0]
    for _ in range(40):
        speculation.cost.observe(8, 0.011)
    assert speculation.counts([Asking(repeating(), 100)], 100)[0] > 10
