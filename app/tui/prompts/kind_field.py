"""Prompt or persona, chosen by a key."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from app.vault.prompts.records import PromptKind

_KINDS: tuple[PromptKind, ...] = ("prompt", "persona")


class KindField(Widget, can_focus=True):
    """Both words, one of them marked; a space or an arrow changes it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("space,left,right", "turn", "Change", id="prompts.kind")]
    DEFAULT_CSS = "KindField { height: 1; width: 1fr; padding: 0 1; } KindField:focus { background: $panel; }"

    kind: reactive[PromptKind] = reactive("prompt")

    def render(self) -> Content:
        """Both words."""
        pieces: list[tuple[str, str]] = []
        for name in _KINDS:
            pieces += [(f" {name} ", "bold $on-colour on $primary" if name == self.kind else "$text-muted"), (" ", "")]
        return Content.assemble(*pieces)

    def action_turn(self) -> None:
        """The other one."""
        self.kind = "persona" if self.kind == "prompt" else "prompt"

    def on_click(self, _event: events.Click) -> None:
        """A click changes it too."""
        self.action_turn()
