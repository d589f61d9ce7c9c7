"""Earlier prompts, walked with up and down. Kept in memory only: what was asked is nobody else's business."""

from __future__ import annotations

from collections.abc import Iterable


class PromptHistory:
    """A list of prompts and a place in it; the draft that was being written is kept at its end."""

    def __init__(self, most: int = 500) -> None:
        self._most = most
        self._typed: list[str] = []
        self._prompts: list[str] = []
        self._place = 0
        self._draft = ""

    def add(self, prompt: str) -> None:
        """Keeps a prompt that was sent; one that repeats the last is kept once."""
        for kept in (self._typed, self._prompts):
            if prompt.strip() and kept[-1:] != [prompt]:
                kept.append(prompt)
                del kept[: -self._most]
        self.leave()

    def show(self, prompts: Iterable[str]) -> None:
        """The prompts of the conversation that is shown come last, before them what else was typed since the start."""
        shown = list(prompts)
        known = set(shown)
        self._prompts = [prompt for prompt in self._typed if prompt not in known]
        for prompt in shown:
            if prompt.strip() and self._prompts[-1:] != [prompt]:
                self._prompts.append(prompt)
        del self._prompts[: -self._most]
        self.leave()

    def forget(self) -> None:
        """Keeps none of them, as when the vault is locked."""
        self._typed.clear()
        self._prompts.clear()
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
