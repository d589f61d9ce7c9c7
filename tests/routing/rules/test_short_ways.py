"""Short ways lead where the long ones do: patterns looked for at once, and paths of one place walked."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from app.routing.rules.paths import Dropping
from app.routing.rules.replacing import Replacement, replaced

PATTERNS = ("a+", "(?i)b|c", r"(?P<x>d)e", r"^f", r"g$", r"\bh\b", "é", r"\Qi.j\E", "[^a-z ]k")
JSON = st.recursive(
    st.none() | st.integers(0, 3) | st.sampled_from("ab"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)
STEPS = st.lists(st.sampled_from(["['a']", "['b']", "['c']", "[0]", "[1]", "[-1]", "[-3]"]), min_size=1, max_size=4)


@given(st.lists(st.sampled_from(PATTERNS), max_size=5), st.text("aBcdefghijék. Ik", max_size=12))
def test_no_match_together_is_no_match_alone(patterns: list[str], text: str) -> None:
    several = [Replacement(pattern, "<b>") for pattern in patterns]
    raw = text.encode()
    for one in several:
        raw = one.whole(raw)
    assert replaced(several, text) == raw.decode()


@given(st.dictionaries(st.sampled_from("abc"), JSON, max_size=3), STEPS)
def test_one_place_is_dropped_as_any_other(body: dict[str, Any], steps: list[str]) -> None:
    short = Dropping("$" + "".join(steps))
    long = Dropping("$" + "".join(steps))
    long._steps = ()
    one, other = (msgspec.json.decode(msgspec.json.encode(body)) for _ in range(2))
    short.apply(one)
    long.apply(other)
    assert one == other
