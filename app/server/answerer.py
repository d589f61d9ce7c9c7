"""Who answers a request, as its response's headers tell."""

from __future__ import annotations

from app.messages import Rerouted, Started

_MOST = 300


class Answerer:
    """Learns from an answer's first deltas who gives it.

    Attributes:
        model: as the router calls it; empty while nobody answers.
        backend: ``local``, or the endpoint's name.
        fallback: who could not answer, and why; empty when the one that was asked does.
        from_cache: whether it is an answer that was given before.
    """

    __slots__ = ("backend", "fallback", "from_cache", "model")

    def __init__(self, model: str = "", backend: str = "", fallback: str = "") -> None:
        self.model, self.backend, self.fallback = model, backend, fallback
        self.from_cache = False

    def started(self, delta: Started) -> None:
        """The answer begins."""
        self.model, self.backend, self.from_cache = delta.model, delta.backend, delta.from_cache

    def rerouted(self, delta: Rerouted) -> None:
        """Another is asked."""
        self.fallback = fallback(delta.model, delta.reason)

    def headers(self) -> dict[str, str]:
        """``x-playground-…``, by lower-case name; none while nobody answers."""
        if not self.model:
            return {}
        told = {"x-playground-model": for_header(self.model), "x-playground-backend": for_header(self.backend)}
        if self.fallback:
            told["x-playground-fallback"] = for_header(self.fallback)
        if self.from_cache:
            told["x-playground-cache"] = "hit"
        return told


def fallback(model: str, reason: str) -> str:
    """What ``x-playground-fallback`` says: who was asked, and why another answers."""
    return f"{model}: {reason}"


def for_header(text: str) -> str:
    """``text`` as a header may hold it: visible ASCII on one line, cut short. It may come from far away."""
    if text.isascii() and text.isprintable() and len(text) <= _MOST:
        return text
    shown = "".join(letter if " " <= letter <= "~" else "?" if letter.isprintable() else " " for letter in text[:_MOST])
    return " ".join(shown.split())
