"""Tells what a model thinks aloud from what it answers."""

from __future__ import annotations

THINKING_TEXTS = _OPENING, _CLOSING = "<think>", "</think>"


class ThinkingSplitter:
    """Splits an answer that begins with ``<think>…</think>``, however it is cut into pieces.

    Only the beginning of an answer counts: the same tags later on are a text about tags. White space around the
    thinking belongs to neither side.

    Args:
        inside: the prompt has already opened the thinking, as some chat templates do.
    """

    def __init__(self, *, inside: bool = False) -> None:
        self._state = "inside" if inside else "before"
        self._trim_thinking = inside
        self._held = ""

    def feed(self, text: str) -> tuple[str, str]:
        """More of the answer in; what is certain out, as ``(thinking, answer)``."""
        if self._state == "answer":
            return "", text
        self._held += text
        thinking = answer = ""
        if self._state == "before":
            bare = self._held.lstrip()
            if len(bare) < len(_OPENING) and _OPENING.startswith(bare):
                return "", ""
            if not bare.startswith(_OPENING):
                return "", self._release("answer")
            self._held, self._state, self._trim_thinking = bare[len(_OPENING) :], "inside", True
        if self._state == "inside":
            thinking = self._thinking()
        if self._state == "after":
            self._held = self._held.lstrip()
            if self._held:
                answer = self._release("answer")
        return thinking, answer

    def finish(self) -> tuple[str, str]:
        """What was held back, now that nothing more comes."""
        state, held = self._state, self._release("answer")
        if state == "inside":
            return held.rstrip(), ""
        return "", "" if state == "after" else held

    def _thinking(self) -> str:
        if self._trim_thinking:
            self._held = self._held.lstrip()
            self._trim_thinking = not self._held
        thinking, found, rest = self._held.partition(_CLOSING)
        if found:
            self._held, self._state = rest, "after"
            return thinking.rstrip()
        # White space may turn out to stand before the closing tag, and any end of the text may be its beginning.
        keep = next(
            (
                size
                for size in range(min(len(_CLOSING) - 1, len(thinking)), 0, -1)
                if _CLOSING.startswith(thinking[-size:])
            ),
            0,
        )
        certain = thinking[: len(thinking) - keep].rstrip()
        self._held = thinking[len(certain) :]
        return certain

    def _release(self, state: str) -> str:
        held, self._held, self._state = self._held, "", state
        return held
