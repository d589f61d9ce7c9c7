"""Filters of text, run over the events of a provider's stream and over whole answers.

A placeholder or a match may be split between two events, so a filter may hold text back. What it held back comes with
the last event of its channel where that has text, else in an event of its own before the one that ends the channel.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from .event_spots import Spot, answer_spots, carrying, ending, put, says_nothing, spots
from .json_strings import JsonStrings, TextFilter
from .rules import JsonObject, WireProtocol

__all__ = [
    "JsonStrings",
    "Spot",
    "TextFilter",
    "TextStream",
    "answer_spots",
    "carrying",
    "ending",
    "filter_answer",
    "put",
    "says_nothing",
    "spots",
]


def filter_answer(protocol: WireProtocol, body: JsonObject, make: Callable[[], TextFilter]) -> JsonObject:
    """Runs a fresh filter over each text of a whole answer, in place; gives the same body."""
    for spot in answer_spots(protocol, body):
        put(body, spot, _whole(spot, make))
    return body


class TextStream:
    """Runs filters over a stream's events: one for each channel, and a fresh one for each text that stands alone.

    Tokens' log-probabilities are not looked at.

    Args:
        protocol: of the events.
        make: gives a fresh filter.
    """

    def __init__(self, protocol: WireProtocol, make: Callable[[], TextFilter]) -> None:
        self._protocol = protocol
        self._make = make
        self._open: dict[Hashable, _Channel] = {}

    def event(self, event: JsonObject) -> Sequence[JsonObject]:
        """What is given on for ``event``; it may be changed in place. Nothing while all its text is held back."""
        found = spots(self._protocol, event)
        flowing = [spot for spot in found if not spot.whole]
        for spot in flowing:
            if spot.channel not in self._open and spot.text:
                self._open[spot.channel] = _Channel(self._protocol, event, spot, _filter_for(spot, self._make))
        ended = ending(self._protocol, event, self._open)
        here = {spot.channel for spot in flowing}
        given = [said for channel in ended if channel not in here for said in self._close(channel)]
        changed = False
        for spot in found:
            if spot.whole:
                put(event, spot, _whole(spot, self._make))
            elif spot.channel in self._open:
                changed = True
                put(event, spot, self._said(spot, event, last=spot.channel in ended))
        if not (changed and says_nothing(self._protocol, event)):
            given.append(event)
        return given

    def end(self) -> Sequence[JsonObject]:
        """What was still held back when the stream ended."""
        return [said for channel in tuple(self._open) for said in self._close(channel)]

    def _said(self, spot: Spot, event: JsonObject, *, last: bool) -> str:
        channel = self._open[spot.channel]
        said = channel.filter.feed(spot.text)
        if last:
            said += channel.filter.finish()
            del self._open[spot.channel]
        return said

    def _close(self, channel: Hashable) -> list[JsonObject]:
        closed = self._open.pop(channel)
        held = closed.filter.finish()
        return [carrying(self._protocol, closed.like, closed.spot, held)] if held else []


class _Channel:
    """An open channel. ``like`` is an event of its own: those given on may be changed by whoever has them then."""

    def __init__(self, protocol: WireProtocol, event: JsonObject, spot: Spot, using: TextFilter) -> None:
        self.filter = using
        self.like = carrying(protocol, event, spot, "")
        self.spot = spots(protocol, self.like)[-1] if protocol != "ollama" else spot


def _filter_for(spot: Spot, make: Callable[[], TextFilter]) -> TextFilter:
    return JsonStrings(make) if spot.form == "json" else make()


def _whole(spot: Spot, make: Callable[[], TextFilter]) -> str:
    using = _filter_for(spot, make)
    return using.feed(spot.text) + using.finish()
