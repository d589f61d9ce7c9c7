"""Turns the bytes of tokens into text that can be shown: whole characters only, and nothing of a stop string."""

from __future__ import annotations

import codecs

from app.messages import ChosenToken


class TextAssembler:
    """Collects the bytes of one answer and releases what is certain.

    A token may end inside a character, and the beginning of a stop string may yet turn out to be plain text: both are
    held back until they are known. Log-probabilities wait with the text that they belong to.

    Args:
        stops: the answer ends before the first of these; empty strings are ignored.
    """

    def __init__(self, stops: tuple[str, ...] = ()) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._held = ""
        self._released = 0
        self._logprobs: list[tuple[int, ChosenToken]] = []
        self.found: str | None = None

    @property
    def stopped(self) -> bool:
        """Whether a stop string was found."""
        return self.found is not None

    def feed(self, raw: bytes, logprob: ChosenToken | None = None) -> str:
        """More bytes in; text that is certain out. After a stop string, which ``found`` names, nothing more comes."""
        if logprob is not None:
            self._logprobs.append((self._released + len(self._held), logprob))
        text = self._decode(raw)
        if not self._stops:
            return self._release(text)
        self._held += text
        at, stop = min(((at, stop) for stop in self._stops if (at := self._held.find(stop)) >= 0), default=(-1, ""))
        if stop:
            self.found = stop
            certain, self._held = self._held[:at], ""
            return self._release(certain)
        keep = max((_overlap(self._held, stop) for stop in self._stops), default=0)
        certain, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        return self._release(certain)

    def finish(self) -> str:
        """What was held back, now that nothing more comes; bytes of an unfinished character become U+FFFD."""
        if self.stopped:
            return ""
        rest, self._held = self._held + self._decode(b"", True), ""
        return self._release(rest)

    def take_logprobs(self) -> tuple[ChosenToken, ...]:
        """Log-probabilities of the tokens whose text has begun to be released, each once."""
        ready = tuple(logprob for start, logprob in self._logprobs if start < self._released)
        self._logprobs = self._logprobs[len(ready) :]
        return ready

    def _release(self, text: str) -> str:
        self._released += len(text)
        return text


def _overlap(text: str, stop: str) -> int:
    """The longest end of ``text`` that is a beginning of ``stop``."""
    for length in range(min(len(text), len(stop) - 1), 0, -1):
        if text.endswith(stop[:length]):
            return length
    return 0
