"""Finding a path by a few of its letters: those of the file's own name count most, and letters that stand together.

In C where it can be: 50,000 paths are looked through in some 50 ms, of which no one piece holds up other threads.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence

MOST = 50
"""Paths that are found at most."""

_STEP = 500
"""Paths between two looks whether they are still wanted."""

_BORDERS = "/_-. "


class FuzzyPaths:
    """Paths to be searched, letter by letter.

    Args:
        paths: relative, with slashes; of two that fit alike the earlier one is found first.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        self.paths = paths
        self._lower = [path.lower() for path in paths]
        self._last: tuple[str, Sequence[int]] = ("", range(len(paths)))

    def find(self, words: str, *, stopped: Callable[[], bool] = lambda: False) -> tuple[str, ...]:
        """The paths that hold the letters of ``words`` in their order, the best first; nothing once ``stopped``.

        What fits more letters fits fewer as well, so a search that goes on with the last one looks at its finds alone.
        """
        sought = words.lower().replace("\\", "/")
        if not sought:
            return tuple(self.paths[:MOST])
        before, among = self._last
        places: Sequence[int] = among if before and sought.startswith(before) else range(len(self.paths))
        fitting: list[int] = []
        best: list[tuple[float, int]] = []
        lower = self._lower
        for begin in range(0, len(places), _STEP):
            if stopped():
                return ()
            for place in places[begin : begin + _STEP]:
                found = score(sought, lower[place])
                if found is not None:
                    fitting.append(place)
                    best.append((-found, place))
            if len(best) > 4 * MOST:
                best = heapq.nsmallest(MOST, best)
        self._last = (sought, fitting)
        return tuple(self.paths[place] for _, place in heapq.nsmallest(MOST, best))


def score(sought: str, path: str) -> float | None:
    """How well ``sought`` fits ``path``, both in small letters; ``None`` when it does not."""
    begin = path.rfind("/") + 1
    at = path.find(sought, begin)
    if at >= 0:
        # As it stands within the name: the more of the name it is, the better.
        whole = len(sought) / (len(path) - begin)
        return 300 + 100 * whole + (100 if at == begin else 50 if path[at - 1] in _BORDERS else 0) - begin / 100
    at = path.find(sought)
    if at >= 0:
        return 200 + (50 if not at or path[at - 1] in _BORDERS else 0) - len(path) / 100
    # Apart: the letters are found from the end on, so that the name's own are taken first.
    at, runs, borders = len(path), 0, 0
    following = -2
    for letter in reversed(sought):
        at = path.rfind(letter, 0, at)
        if at < 0:
            return None
        runs += following != at + 1
        borders += not at or path[at - 1] in _BORDERS
        following = at
    return 100 - 10 * runs + 5 * borders + (20 if at >= begin else 0) - len(path) / 100
