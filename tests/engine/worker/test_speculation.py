"""Speculation by prompt lookup on the real starter model: quicker, and every answer as it would have been."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.engine.frames import LoadOptions
from app.engine.worker.speculation import RowCost
from app.messages import Message, ResponseFormat, Sampling
from tests.engine.worker.test_scheduler import Bench

ORDER = "Copy the text, and write Highmoor for Lowmoor: "
SHOWN = "Lowmoor is a harbour. Monks from the abbey of Lowmoor shipped wool to Flanders in the twelfth century."
TEXT = "The railway reached Lowmoor in 1851. Fish that had gone from Lowmoor to market in salt now went on ice."
REWRITING = (
    Message.user(ORDER + SHOWN),
    Message.assistant(SHOWN.replace("Lowmoor", "Highmoor")),
    Message.user(ORDER + TEXT),
)
COUNTING = "Write the word tide again and again: tide tide tide tide tide tide tide tide"
WAYS = {
    "greedy": Sampling(temperature=0.0, max_tokens=36),
    "seeded": Sampling(temperature=0.5, seed=7, max_tokens=36),
    "penalties": Sampling(
        temperature=0.3, seed=3, repeat_penalty=1.1, presence_penalty=0.2, repeat_last_n=24, max_tokens=36
    ),
    "biases and log-probabilities": Sampling(temperature=0.0, logit_bias={28: -4.0}, logprobs=2, max_tokens=36),
    "stop string": Sampling(temperature=0.0, stop=("market",), max_tokens=36),
}
FORM = ResponseFormat(grammar='root ::= "The railway" [a-zA-Z0-9 .]* "!"')


@pytest.fixture(scope="module")
def benches(starter_model: Path) -> Iterator[tuple[Bench, Bench]]:
    """Without and with speculation, one thread each: then a row's logits are the same to the bit in any batch. With
    more, the library splits the attention of a row that stands alone, from 512 cells on, which rounds differently."""
    with pytest.MonkeyPatch.context() as patch:
        # A machine that computes rows for nearly nothing guesses whenever there is something to guess.
        patch.setattr("app.engine.worker.speculation._FIRST_COST", 0.02)
        patch.setattr(RowCost, "observe", lambda cost, rows, seconds: None)
        made = []
        for kind in ("off", "prompt-lookup"):
            options = LoadOptions(
                path=str(starter_model), context=512, sequences=4, threads=1, device="cpu", speculation=kind
            )
            made.append(Bench(options))
        yield made[0], made[1]
        for bench in made:
            bench.worker.close()


def right(bench: Bench) -> int:
    return bench.status().right_tokens


@pytest.mark.parametrize("way", WAYS)
def test_an_answer_is_token_for_token_what_it_is_without(benches, way):
    plain, guessing = benches
    before = right(guessing)
    (expected, cost), (found, same_cost) = (bench.ask(REWRITING, WAYS[way]) for bench in (plain, guessing))
    assert (found, same_cost.reason, same_cost.usage) == (expected, cost.reason, cost.usage)
    assert same_cost.stop == cost.stop
    assert right(guessing) > before + 5
    assert right(plain) == 0
    if WAYS[way].logprobs:
        one, other = (bench.answers.logprobs[last.request_id] for bench, last in ((plain, cost), (guessing, same_cost)))
        assert one == other
        assert b"".join(token.chosen.raw for token in other).decode() == found


def test_threads_that_share_the_work_leave_alone_what_must_come_out_the_same_again(benches, monkeypatch):
    _plain, guessing = benches
    monkeypatch.setattr(guessing.worker, "_rounds_alike", False)
    before = right(guessing)
    for way in ("greedy", "seeded"):
        guessing.ask(REWRITING, WAYS[way])
    assert right(guessing) == before
    guessing.ask(REWRITING, Sampling(temperature=0.01, max_tokens=36))
    assert right(guessing) > before


def test_a_grammar_holds_for_what_is_guessed(benches):
    _plain, guessing = benches
    before = right(guessing)
    expected, found = (bench.ask(REWRITING, WAYS["greedy"], response_format=FORM)[0] for bench in benches)
    assert found == expected
    assert found.startswith("The railway")
    assert right(guessing) > before


def test_an_answer_that_ends_among_guesses_ends_to_the_token_and_its_next_turn_goes_on_from_it(benches):
    _plain, guessing = benches
    whole, _ = guessing.ask(COUNTING, Sampling(temperature=0.0, max_tokens=24))
    for most in (5, 9, 10, 11):
        text, last = guessing.ask(COUNTING, Sampling(temperature=0.0, max_tokens=most))
        assert last.usage.completion_tokens == most
        assert whole.startswith(text)
    turns = (Message.user(COUNTING), Message.assistant(whole), Message.user("Now write: sea sea sea"))
    expected, found = (bench.ask(turns, WAYS["greedy"])[0] for bench in benches)
    assert found == expected


def test_four_at_once_differ_only_where_two_tokens_were_as_good(benches):
    _plain, guessing = benches
    sampling = Sampling(temperature=0.0, logprobs=2, max_tokens=24)
    answers = []
    for bench in benches:
        ids = [bench.send((*REWRITING[:2], Message.user(ORDER + TEXT[start:])), sampling) for start in (0, 4, 12, 37)]
        bench.answers.wait(*ids)
        answers.append([bench.answers.logprobs[each] for each in ids])
    compared = 0
    for one, other in zip(*answers, strict=True):
        for expected, found in zip(one, other, strict=False):
            if expected.chosen.raw != found.chosen.raw:
                first, second = (token.logprob for token in expected.alternatives[:2])
                assert first - second < 0.6, "a guess was taken for a token that was clearly better"
                break
            compared += 1
    assert compared > 40
    assert guessing.status().running == 0
