"""Prompts find what is computed of them, and never take it from somebody who is using it."""

from hypothesis import given
from hypothesis import strategies as st

from app.engine.worker.prefix import PrefixCache, common_prefix

tokens = st.lists(st.integers(0, 3), max_size=40)


@given(tokens, tokens)
def test_common_prefix_is_the_longest(first, second):
    shared = common_prefix(first, second)
    assert first[:shared] == second[:shared]
    assert shared == min(len(first), len(second)) or first[shared] != second[shared]


def test_the_next_turn_of_a_conversation_goes_where_the_last_one_was():
    cache = PrefixCache(4)
    first = cache.place([1, 2, 3])
    first.slot.tokens = [1, 2, 3, 4, 5]
    cache.release(first.slot)
    second = cache.place([1, 2, 3, 4, 5, 6, 7])
    assert (second.slot, second.reused, second.donor) == (first.slot, 5, None)


def test_a_prompt_that_is_computed_whole_still_leaves_one_token_to_compute():
    cache = PrefixCache(2)
    first = cache.place([1, 2, 3])
    first.slot.tokens = [1, 2, 3]
    cache.release(first.slot)
    assert cache.place([1, 2, 3]).reused == 2


def test_a_shared_system_prompt_is_copied_from_a_busy_conversation():
    cache = PrefixCache(2)
    system = list(range(100))
    first = cache.place([*system, 1])
    first.slot.tokens = [*system, 1]
    second = cache.place([*system, 2])
    assert second.slot is not first.slot
    assert second.donor is first.slot
    assert second.reused == 100


def test_a_long_conversation_is_not_destroyed_for_a_short_shared_beginning():
    cache = PrefixCache(2)
    first = cache.place([1, 2])
    first.slot.tokens = [1, 2, *range(1000, 2000)]
    cache.release(first.slot)
    second = cache.place([1, 2, 3])
    assert second.slot is not first.slot
    assert second.donor is first.slot


def test_when_everything_is_busy_there_is_no_place():
    cache = PrefixCache(1)
    assert cache.place([1]) is not None
    assert cache.place([1]) is None


@given(st.lists(st.tuples(st.lists(st.integers(0, 2), min_size=1, max_size=12), st.booleans()), max_size=30))
def test_a_busy_slot_is_never_given_twice_and_reuse_is_always_true(requests):
    cache = PrefixCache(3)
    busy = []
    for prompt, release in requests:
        placement = cache.place(prompt)
        if placement is None:
            assert len(busy) == 3
        else:
            assert placement.slot not in busy
            source = placement.donor or placement.slot
            assert source.tokens[: placement.reused] == prompt[: placement.reused]
            placement.slot.tokens = list(prompt)
            busy.append(placement.slot)
        if release and busy:
            cache.release(busy.pop(0))
