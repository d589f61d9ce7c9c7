"""Earlier prompts, walked with up and down. Kept in memory only: what was asked is nobody else's business."""

from __future__ import annotations


class PromptHistory:
    """A list of prompts and a place in it; the draft that was being written is kept at its end."""

    def __init__(self, most: int = 500) -> None:
        self._most = most
        self._prompts: list[str] = []
        self._place = 0
        self._draft = ""

    def add(self, prompt: str) -> None:
        """Keeps a prompt that was sent; one that repeats the last is kept once."""
        if prompt.strip() and (not self._prompts or self._prompts[-1] != prompt):
            self._prompts.append(prompt)
            del self._prompts[: -self._most]
        self.leave()

    def leave(self) -> None:
        """Back to the end, as when the text was edited or sent."""
        self._place = len(self._prompts)
        self._draft = ""

    def older(self, current: str) -> str | None:
        """The prompt before this place; ``None`` when there is none. ``current`` is kept as the draft at the end."""
        if self._place == 0:
            return None
        if self._place == len(self._prompts):
            self._draft = current
        self._place -= 1
        return self._prompts[self._place]

    def newer(self) -> str | None:
        """The prompt after this place, at last the draft; ``None`` when already there."""
        if self._place >= len(self._prompts):
            return None
        self._place += 1
        return self._draft if self._place == len(self._prompts) else self._prompts[self._place]
