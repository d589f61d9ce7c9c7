"""The status line: the model, how full its context is, how fast it answers, where it runs."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from app.tui import words

ModelState = Literal["missing", "fetching", "idle", "loading", "ready", "answering"]

_DOTS: dict[ModelState, tuple[str, str]] = {
    "missing": ("○", "$text-muted"),
    "fetching": ("◌", "$warning"),
    "idle": ("○", "$text-muted"),
    "loading": ("◌", "$warning"),
    "ready": ("●", "$success"),
    "answering": ("●", "$accent"),
}


class Status(Struct, frozen=True, kw_only=True):
    """What the line says. Zero and empty mean: not known yet, and are left out.

    Attributes:
        used: tokens of the context window that the conversation fills.
        context: tokens of context window.
        speed: tokens a second of the answer.
        first_token: seconds until the first piece of the answer.
    """

    model: str = ""
    state: ModelState = "idle"
    used: int = 0
    context: int = 0
    speed: float = 0.0
    first_token: float = 0.0
    device: str = ""
    note: str = ""


class StatusBar(Widget):
    """Shows a ``Status`` in one line; what does not fit goes, least needed first."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    StatusBar { height: 1; width: 1fr; background: $surface; color: $text-muted; padding: 0 1; }
    """

    status: reactive[Status] = reactive(Status())

    def __init__(self) -> None:
        super().__init__(id="status")

    def render(self) -> Content:
        """Model on the left, device on the right."""
        status = self.status
        dot, colour = _DOTS[status.state]
        left: list[list[tuple[str, str]]] = [[(f"{dot} ", colour), (status.model or "no model", "$foreground")]]
        if status.note:
            left.append([(status.note, "$text-muted")])
        if status.context:
            left.append(self._context_words(status))
        if status.speed:
            left.append([(words.speed(status.speed), "$text-muted")])
        if status.first_token:
            left.append([("first token ", "$text-muted"), (words.seconds(status.first_token), "$text-muted")])
        right = [(status.device, "$text-muted")] if status.device else []
        width = self.content_size.width
        while len(left) > 1 and _length(left, right) > width:
            left.pop()
        pieces = [piece for group in left for piece in ((" · ", "$text-disabled"), *group)][1:]
        gap = width - sum(len(text) for text, _ in pieces) - sum(len(text) for text, _ in right)
        return Content.assemble(*pieces, (" " * max(1, gap), ""), *right)

    @staticmethod
    def _context_words(status: Status) -> list[tuple[str, str]]:
        share = status.used / status.context
        colour = "$error" if share > 0.95 else "$warning" if share > 0.8 else "$primary"
        return [
            (f"{words.count(status.used)}/{words.count(status.context)} tokens ", "$text-muted"),
            (words.bar(max(share, 0.02), 6), f"{colour} on $panel"),
        ]


def _length(left: list[list[tuple[str, str]]], right: list[tuple[str, str]]) -> int:
    groups = sum(len(text) for group in left for text, _ in group) + 3 * (len(left) - 1)
    return groups + sum(len(text) for text, _ in right) + 1
