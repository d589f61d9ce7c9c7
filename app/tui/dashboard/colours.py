"""The colours of the models: each keeps its own for as long as it is shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from textual.color import Color

OTHERS = "$text-disabled"
"""Of the models for which no colour is left."""

_NAMED = ("$primary", "$secondary", "$accent")


class Colours:
    """Gives each of a few models a colour of the theme, those that did most first."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def assign(self, models: Iterable[str]) -> None:
        """These are shown now, the one with most first. Who is shown still keeps its place."""
        shown = list(models)
        self._places = {model: place for model, place in self._places.items() if model in shown}
        free = [place for place in range(len(_NAMED) + 1) if place not in self._places.values()]
        for model in shown:
            if model not in self._places and free:
                self._places[model] = free.pop(0)

    def of(self, model: str, variables: Mapping[str, str], *, ansi: bool) -> str:
        """The colour of a model, as a style has it.

        Args:
            model: its name.
            variables: the theme's.
            ansi: whether the terminal has its sixteen colours alone.
        """
        place = self._places.get(model)
        if place is None:
            return OTHERS
        return _NAMED[place] if place < len(_NAMED) else fourth(variables, ansi=ansi)

    def forget(self) -> None:
        """No model is shown."""
        self._places.clear()


def fourth(variables: Mapping[str, str], *, ansi: bool) -> str:
    """A violet between the theme's second colour and its red."""
    if ansi:
        return "ansi_magenta"
    return Color.parse(variables["secondary"]).blend(Color.parse(variables["error"]), 0.5).hex
