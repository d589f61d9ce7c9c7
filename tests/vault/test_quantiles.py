"""Medians and their like."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.vault.activity.quantiles import quantile

VALUES = st.lists(st.floats(min_value=0, max_value=1e6), min_size=1, max_size=40)


@given(VALUES, st.sampled_from((1.0, 1 / 3, 17.3)))
def test_of_values_that_count_alike_it_is_the_usual_median(values, weight):
    assert quantile([(value, weight) for value in values], 0.5) == statistics.median(values)


@given(VALUES, st.integers(1, 5))
def test_a_value_that_counts_more_stands_for_as_many(values, times):
    repeated = [(value, 1.0) for value in values for _ in range(times)]
    for part in (0.5, 0.95):
        assert quantile([(value, float(times)) for value in values], part) == pytest.approx(quantile(repeated, part))


def test_of_nothing_there_is_none_and_95_of_100_are_below():
    assert quantile([], 0.5) is None
    assert quantile([(float(value), 1.0) for value in range(1, 101)], 0.95) == 95.5
