"""The circuit breaker, moment by moment, and the choice of replicas."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.backends.endpoint import Endpoint
from app.routing.trying.circuit import FAILURES, LONGEST_S, Circuit
from app.routing.trying.replicas import Connected, Replica, Replicas
from app.routing.trying.retrying import RETRY_AFTER_S, Backoff


def test_closed_open_half_open_closed():
    circuit = Circuit(15)
    assert circuit.state(0) == "closed" and circuit.may_pass(0) and not circuit.begin()
    circuit.failed(0, "Down.", certain=True)
    assert circuit.state(14.9) == "open" and not circuit.may_pass(14.9)
    assert circuit.remaining(5) == 10 and circuit.reason == "Down."
    assert circuit.state(15) == "half-open" and circuit.may_pass(15)
    assert circuit.begin()
    assert not circuit.may_pass(16), "one probe at a time"
    circuit.failed(16, "Still down.", certain=False)
    assert circuit.state(30.9) == "open"
    assert circuit.begin()
    circuit.succeeded()
    assert circuit.state(31) == "closed" and circuit.may_pass(31) and circuit.reason == ""


def test_what_may_be_the_requests_fault_must_happen_in_a_row():
    circuit = Circuit(15)
    for _ in range(FAILURES - 1):
        circuit.failed(0, "Broken.", certain=False)
    circuit.succeeded()
    for _ in range(FAILURES - 1):
        circuit.failed(0, "Broken.", certain=False)
    assert circuit.state(0) == "closed"
    circuit.failed(0, "Broken.", certain=False)
    assert circuit.state(0) == "open"


def test_an_abandoned_probe_gives_its_place_away():
    circuit = Circuit(1)
    circuit.failed(0, "Down.", certain=True)
    assert circuit.begin() and not circuit.may_pass(2)
    circuit.abandoned()
    assert circuit.may_pass(2)


def test_a_wait_that_was_asked_for_is_kept_up_to_a_bound():
    circuit = Circuit(15)
    circuit.failed(0, "Busy.", certain=True, retry_after=40)
    assert not circuit.may_pass(39, last_resort=True) and circuit.may_pass(40)
    circuit.failed(0, "Busy.", certain=True, retry_after=1)
    assert circuit.remaining(0) == 15
    circuit.failed(0, "Busy.", certain=True, retry_after=1e9)
    assert circuit.remaining(0) == LONGEST_S


@given(st.lists(st.sampled_from(["pass", "good", "bad", "worse", "gone", "later"])))
def test_it_never_stays_shut(events):
    circuit, now, probing = Circuit(5), 0.0, False
    for event in events:
        match event:
            case "pass":
                probing = (circuit.may_pass(now) and circuit.begin()) or probing
            case "good":
                circuit.succeeded()
            case "bad" | "worse":
                circuit.failed(now, "x", certain=event == "worse")
            case "gone":
                circuit.abandoned()
            case _:
                now += 3
    circuit.abandoned()
    assert circuit.may_pass(now + LONGEST_S)


@given(st.floats(0, 1, exclude_max=True), st.none() | st.floats(0, 1000))
def test_waits_double_to_eight_seconds_and_hold_what_was_asked(chance, retry_after):
    backoff = Backoff(lambda: chance)
    waits = [backoff.next(retry_after) for _ in range(8)]
    if retry_after is not None and retry_after > RETRY_AFTER_S:
        assert waits == [None] * 8
    else:
        bounds = [0.5, 1, 2, 4, 8, 8, 8, 8]
        assert waits == pytest.approx([(retry_after or 0) + chance * bound for bound in bounds])


def places(*weights: float) -> list[Replica]:
    return [
        Replica(Connected(Endpoint(name=f"e{n}", kind="openai", url="https://x"), lambda e: None), "m", weight)
        for n, weight in enumerate(weights)
    ]


def test_each_gets_its_share_evenly_spread():
    all_of_them = places(5, 1, 1)
    replicas = Replicas(all_of_them, "weighted")
    order = [all_of_them.index(replicas.pick(0, all_of_them)) for _ in range(70)]
    assert Counter(order) == {0: 50, 1: 10, 2: 10}
    assert order[:7] == [0, 0, 1, 0, 2, 0, 0]


def test_the_one_with_least_to_do_for_its_weight():
    small, large = all_of_them = places(1, 3)
    replicas = Replicas(all_of_them, "least-loaded")
    running = []
    for _ in range(8):
        chosen = replicas.pick(0, all_of_them)
        lease = chosen.leased()
        lease.__enter__()
        running.append(lease)
    assert (small.in_flight, large.in_flight) == (2, 6)
    for lease in running:
        lease.__exit__(None, None, None)
    assert (small.in_flight, large.in_flight) == (0, 0)


def test_equals_take_turns_and_those_left_alone_are_passed_over():
    one, two, three = all_of_them = places(1, 1, 1)
    replicas = Replicas(all_of_them, "least-loaded")
    assert [replicas.pick(0, all_of_them) for _ in range(6)] == [one, two, three] * 2
    two.circuit.failed(0, "Down.", certain=True)
    assert [replicas.pick(0, all_of_them) for _ in range(4)] == [one, three] * 2
    assert replicas.pick(0, all_of_them, avoid=one) is three
    assert replicas.pick(0, [one], avoid=one) is one
    assert replicas.pick(0, [two]) is None
    assert replicas.pick(0, [two], last_resort=True) is two
