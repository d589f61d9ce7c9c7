"""The status line: the model, how full its context is, how fast it answers, where it runs, what may leave."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct
from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from app.tui import words

from .tabs import UNPROTECTED

ModelState = Literal["missing", "fetching", "idle", "loading", "ready", "answering", "remote"]

_WIDE = 110
"""Columns from which there is room for whole sentences."""

_DOTS: dict[ModelState, tuple[str, str]] = {
    "missing": ("○", "$text-muted"),
    "fetching": ("◌", "$warning"),
    "idle": ("○", "$text-muted"),
    "loading": ("◌", "$warning"),
    "ready": ("●", "$success"),
    "answering": ("●", "$accent"),
    "remote": ("↗", "$warning"),
}


class Status(Struct, frozen=True, kw_only=True):
    """What the line says. Zero and empty mean: not known yet, and are left out.

    Attributes:
        used: tokens of the context window that the conversation fills.
        context: tokens of context window.
        speed: tokens a second of the answer.
        first_token: seconds until the first piece of the answer.
        sends_to: where what is said goes when it leaves this machine; empty for a model that runs here.
    """

    model: str = ""
    state: ModelState = "idle"
    used: int = 0
    context: int = 0
    speed: float = 0.0
    first_token: float = 0.0
    device: str = ""
    note: str = ""
    sends_to: str = ""


class StatusBar(Widget):
    """Shows a ``Status`` in one line; what does not fit goes, least needed first. What may leave always stays."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    StatusBar { height: 1; width: 1fr; background: $surface; color: $text-muted; padding: 0 1; }
    """

    status: reactive[Status] = reactive(Status())
    local_only: reactive[bool] = reactive(False)
    serving: reactive[str] = reactive("")
    """Where other programs are answered; empty while none are."""

    unprotected: reactive[bool] = reactive(False)
    """Whether to say here that no passphrase guards the vault."""

    class PrivacyClicked(Message):
        """The mark that says what may leave was clicked."""

    def __init__(self, *, local_only: bool = False) -> None:
        super().__init__(id="status")
        self.set_reactive(StatusBar.local_only, local_only)
        self._mark_from = 0

    def render(self) -> Content:
        """Model on the left; device, server and what may leave on the right."""
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
        width = self.content_size.width
        mark = privacy_mark(status, self.local_only, wide=width >= _WIDE)
        right = [mark]
        if self.serving:
            served = self.serving.partition("//")[2] if width >= _WIDE else "server on"
            right.insert(0, (f"⇄ {served}", "$secondary"))
        if status.device:
            right.insert(0, (status.device, "$text-muted"))
        if self.unprotected:
            right.insert(0, (UNPROTECTED, "$text-disabled"))
        right = [piece for one in right for piece in (("  ", ""), one)][1:]
        while len(right) > 1 and _length(left[:3], right) > width:
            del right[:2]
        while len(left) > 1 and _length(left, right) > width:
            left.pop()
        pieces = [piece for group in left for piece in ((" · ", "$text-disabled"), *group)][1:]
        gap = width - sum(len(text) for text, _ in pieces) - sum(len(text) for text, _ in right)
        self._mark_from = width - len(mark[0])
        return Content.assemble(*pieces, (" " * max(1, gap), ""), *right)

    def on_click(self, event: events.Click) -> None:
        """A click on what may leave changes it."""
        if event.x - 1 >= self._mark_from:
            self.post_message(self.PrivacyClicked())

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


def privacy_mark(status: Status, local_only: bool, *, wide: bool) -> tuple[str, str]:
    """What may leave this machine, in words, and their colour."""
    if local_only:
        return ("⌂ local only: nothing leaves this machine" if wide else "⌂ local only"), "$success"
    if status.sends_to:
        return (f"↗ sends what you write to {status.sends_to}" if wide else f"↗ to {status.sends_to}"), "$warning"
    return ("⌂ this model runs here · network allowed" if wide else "network allowed"), "$text-muted"
