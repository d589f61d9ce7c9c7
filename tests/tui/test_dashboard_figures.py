"""Figures in few cells, and bars in the cells of a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.tui.dashboard import amounts
from app.tui.dashboard.bars import EIGHTHS, EMPTY, Part, column, labels, layout, top_of
from app.tui.dashboard.colours import OTHERS, Colours
from app.tui.dashboard.measures import MEASURES
from app.vault.activity.figures import Figures, Sums, Times

_BLOCKS = " ▁▂▃▄▅▆▇█"


@pytest.mark.parametrize(
    ("value", "told", "shorter"),
    [
        (0, "0", "0"),
        (950, "950", "950"),
        (9_999, "9,999", "10 k"),
        (12_345, "12.3 k", "12 k"),
        (999_999, "1.00 M", "1.0 M"),
        (4_210_000, "4.21 M", "4.2 M"),
        (3.2e9, "3.20 B", "3.2 B"),
    ],
)
def test_numbers_stay_short(value, told, shorter):
    assert (amounts.short(value), amounts.shorter(value)) == (told, shorter)


@given(st.floats(0, 9e14))
def test_however_large_they_are(value):
    assert len(amounts.short(value)) <= 7
    assert len(amounts.shorter(value)) <= 5
    assert len(amounts.dollars(value)) <= 8


def test_what_is_not_known_is_no_nought():
    assert amounts.cost(Sums(requests=2, unpriced=2, prompt_tokens=9)) == "no price"
    assert amounts.cost(Sums(requests=2, unpriced=1, cost=0.5)) == "$0.50"
    assert amounts.cost(Sums(requests=2, here=2, prompt_tokens=9)) == "–"
    assert amounts.cost(Sums(requests=1, given_again=1)) == "$0"
    notes = {measure.name: measure.note for measure in MEASURES}
    assert notes["cost"](Figures(Sums(requests=2, unpriced=1, cost=0.5))) == "+ unknown"
    assert notes["cost"](Figures(Sums(requests=2, unpriced=2))) == "not known"
    assert notes["cost"](Figures(Sums(requests=2, here=2))) == "all here"
    assert amounts.seconds(None) == amounts.speed(None) == "–"


COUNTS = st.integers(0, 9 * 10**14)
SECONDS = st.none() | st.floats(0, 3500)


@given(st.builds(Sums, *[COUNTS] * 8, st.floats(0, 1e9), COUNTS), st.builds(Times, *[SECONDS] * 5))
def test_every_figure_fits_its_place(sums, times):
    for measure in MEASURES:
        for words in (measure.label, measure.told(Figures(sums, times)), measure.note(Figures(sums, times))):
            assert len(words) <= measure.width


@given(st.lists(st.floats(0, 1e6), max_size=6), st.integers(1, 20))
def test_a_bar_is_as_high_as_its_parts_to_an_eighth_of_a_cell(heights, rows):
    parts = [Part(height, f"colour{place}") for place, height in enumerate(heights)]
    whole = sum(heights)
    top = top_of(whole)
    assert whole <= top * (1 + 1e-6) and (whole < 1e-9 or top <= whole * 1.51)
    cells = column(parts, top, rows)
    assert len(cells) == rows
    drawn = sum(EIGHTHS if cell.behind else _BLOCKS.index(cell.glyph) for cell in cells)
    few = 1 if whole and any(heights) else 0
    assert abs(drawn - max(few, whole / top * rows * EIGHTHS)) <= 1
    filled = [cell != EMPTY for cell in cells]
    assert filled == sorted(filled, reverse=True)


@given(st.integers(1, 60), st.integers(1, 140))
def test_bars_fit_beside_each_other(count, width):
    if count > width:
        with pytest.raises(ValueError, match="need"):
            layout(count, width)
        return
    bar, step = layout(count, width)
    assert 1 <= bar <= step and step * count <= width


def test_words_below_bars_do_not_touch():
    assert labels(["Mon 16", "Tue 17", "Wed 18"], 7, 21) == "Mon 16        Wed 18 "
    assert labels(["00", "01", "02"], 4, 11) == "00  01  02 "
    assert labels(["2025", "2026"], 6, 8) == "2025    "


def test_a_model_keeps_its_colour_while_it_is_shown():
    colours, variables = Colours(), {"secondary": "#0000ff", "error": "#ff0000"}

    def of(model):
        return colours.of(model, variables, ansi=False)

    colours.assign(["a", "b", "c", "d", "e"])
    assert [of(model) for model in "abce"] == ["$primary", "$secondary", "$accent", OTHERS]
    assert of("d") == "#7F007F"
    colours.assign(["e", "b", "a"])
    assert (of("a"), of("b"), of("e"), of("c")) == ("$primary", "$secondary", "$accent", OTHERS)
    assert colours.of("d", variables, ansi=True) == OTHERS
