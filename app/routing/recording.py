"""An answer as it comes, put together so that it takes little room and can be given again."""

from __future__ import annotations

from app.messages import Delta, Finished, Rerouted, Started, TextDelta, ThinkingDelta, ToolCallDelta, Waiting

_PIECE = 2048
"""Characters of text that are given at once when an answer is given again."""


class Recording:
    """The deltas of one answer; neighbours of a kind become one.

    Args:
        most_bytes: about so much is kept; then ``too_large`` is true and the rest is let go.
    """

    def __init__(self, most_bytes: int) -> None:
        self._left = most_bytes
        self._deltas: list[Delta] = []

    @property
    def too_large(self) -> bool:
        """Whether it is more than may be kept."""
        return self._left < 0

    @property
    def deltas(self) -> tuple[Delta, ...]:
        """What came; what it was waited for is left out."""
        return tuple(self._deltas)

    def add(self, delta: Delta) -> None:
        """Takes the next delta."""
        if self.too_large or isinstance(delta, Waiting | Rerouted):
            return
        self._left -= _weight(delta)
        joined = _joined(self._deltas[-1], delta) if self._deltas else None
        if joined is not None:
            self._deltas[-1] = joined
        else:
            self._deltas.append(delta)


def _joined(before: Delta, delta: Delta) -> Delta | None:
    match before, delta:
        case TextDelta(said, ()), TextDelta(more, ()) if len(said) < _PIECE:
            return TextDelta(said + more)
        case ThinkingDelta(said, None), ThinkingDelta(more, signature) if len(said) < _PIECE:
            return ThinkingDelta(said + more, signature)
        case ToolCallDelta(), ToolCallDelta(call_id=None, name=None) if before.index == delta.index:
            return ToolCallDelta(before.index, before.arguments + delta.arguments, before.call_id, before.name)
    return None


def _weight(delta: Delta) -> int:
    match delta:
        case TextDelta():
            return len(delta.text.encode("utf-8", "surrogatepass")) + 64 * sum(
                1 + len(token.alternatives) for token in delta.logprobs
            )
        case ThinkingDelta():
            return len(delta.text.encode("utf-8", "surrogatepass")) + len(delta.signature or "")
        case ToolCallDelta():
            return len(delta.arguments.encode("utf-8", "surrogatepass")) + 64
        case Started() | Finished():
            return 64
    return 0
