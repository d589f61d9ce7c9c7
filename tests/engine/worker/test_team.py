"""Fewer threads compute while others need the processors, all of them when it is quiet again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.worker.team import Team


class Machine:
    """Steps take as long as the number of threads and of busy programs beside them says; time goes on with them."""

    def __init__(self, processors: int) -> None:
        self.now = 0.0
        self.processors = processors
        self.busy = 0
        self.team = Team(processors, lambda: self.now)

    def step(self, tokens: int = 1) -> float:
        size = self.team.size
        # Alone, threads share the work; where one of them has to wait, all wait a time slice at every turn.
        seconds = 0.012 / size if size + self.busy <= self.processors else 0.12
        self.now += seconds
        self.team.observe(tokens, seconds)
        return seconds

    def run(self, seconds: float, tokens: int = 1) -> float:
        """Mean seconds of a step."""
        end, steps, began = self.now + seconds, 0, self.now
        while self.now < end:
            self.step(tokens)
            steps += 1
        return (self.now - began) / steps


@pytest.mark.parametrize("processors", [2, 4, 8])
def test_a_quiet_machine_uses_all_and_never_tries_another(processors):
    machine = Machine(processors)
    sizes = set()
    for _ in range(3000):
        machine.step()
        sizes.add(machine.team.size)
    assert sizes == {processors}


@pytest.mark.parametrize("processors", [2, 4, 8])
def test_beside_a_busy_program_fewer_compute_and_afterwards_all_again(processors):
    machine = Machine(processors)
    machine.run(1)
    machine.busy = 1
    hindered = machine.step()
    machine.run(3)
    settled = machine.run(10)
    assert settled < hindered / 4
    assert machine.team.size < processors or settled < hindered
    machine.busy = 0
    machine.run(6)
    assert machine.run(5) < 0.0125 / processors * 1.4


def test_steps_that_grow_with_the_conversation_are_not_taken_for_hindered():
    team = Team(2, lambda: 0.0)
    for step in range(6000):
        team.observe(1, 0.008 * (1 + step / 2000))
        assert team.size == 2


def test_steps_of_other_sizes_are_compared_with_their_own_kind():
    machine = Machine(2)
    for _ in range(300):
        machine.team.observe(1, 0.008)
        machine.team.observe(16, 0.02)
        machine.team.observe(512, 0.5)
        machine.now += 0.5
        assert machine.team.size == 2


def test_one_thread_stays_one():
    team = Team(1)
    team.observe(1, 0.01)
    team.observe(1, 10.0)
    assert team.size == 1


@given(st.integers(1, 64), st.lists(st.tuples(st.integers(0, 600), st.floats(0, 5)), max_size=200))
def test_the_size_is_always_one_that_can_be(most, steps):
    now = 0.0
    team = Team(most, lambda: now)
    for tokens, seconds in steps:
        now += seconds
        team.observe(tokens, seconds)
        assert 1 <= team.size <= most
