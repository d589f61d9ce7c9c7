"""Who answers a request, as its response's headers tell, or the first message of an answer over a WebSocket."""

from __future__ import annotations

from app.messages import Rerouted, Started

_MOST = 300
_HEADERS = {name: f"x-playground-{name}".encode() for name in ("model", "backend", "fallback", "cache")}
NAMES = b", ".join(_HEADERS.values())
"""Of the headers, as they are listed."""


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

    def asked(self) -> None:
        """Another answer is asked for on the same connection."""
        self.model = self.backend = self.fallback = ""
        self.from_cache = False

    def answers(self, model: str, backend: str) -> None:
        """It is known without an answer's deltas: vectors, transcriptions, what passes through."""
        self.model, self.backend = model, backend

    def started(self, delta: Started) -> None:
        """The answer begins."""
        self.model, self.backend, self.from_cache = delta.model, delta.backend, delta.from_cache

    def rerouted(self, delta: Rerouted) -> None:
        """Another is asked."""
        self.fallback = fallback(delta.model, delta.reason)

    def told(self) -> dict[str, str]:
        """``model``, ``backend`` and, where there is something to tell, ``fallback`` and ``cache``."""
        if not self.model:
            return {}
        told = {"model": self.model, "backend": self.backend}
        if self.fallback:
            told["fallback"] = self.fallback
        if self.from_cache:
            told["cache"] = "hit"
        return told

    def headers(self) -> list[tuple[bytes, bytes]]:
        """``x-playground-…``, as ASGI has them; none while nobody answers."""
        return [(_HEADERS[name], for_header(text).encode("ascii")) for name, text in self.told().items()]


def fallback(model: str, reason: str) -> str:
    """What ``x-playground-fallback`` says: who was asked, and why another answers."""
    return f"{model}: {reason}"


def for_header(text: str) -> str:
    """``text`` as a header may hold it: visible ASCII on one line, cut short. It may come from far away."""
    if text.isascii() and text.isprintable() and len(text) <= _MOST:
        return text
    shown = "".join(letter if " " <= letter <= "~" else "?" if letter.isprintable() else " " for letter in text[:_MOST])
    return " ".join(shown.split())
