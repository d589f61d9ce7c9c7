"""The bottom line: the keys that apply here and now."""

from __future__ import annotations

from textual import events
from textual.binding import ActiveBinding, Binding
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget


class KeyBar(Widget):
    """One line of keys, as many as fit; the rest are in the help and in the palette.

    One widget, not one a key: it is on the screen from the first paint on, and is painted again with every focus.
    """

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    KeyBar { height: 1; width: 1fr; background: $footer-background; padding: 0 1; }
    """

    def __init__(self) -> None:
        super().__init__(id="keys")
        self._spans: list[tuple[int, int, str]] = []

    def on_mount(self) -> None:
        """Follows the focus."""
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)

    def _bindings_changed(self, _screen: Screen[object]) -> None:
        self.refresh()

    def render(self) -> Content:
        """The keys of the focused part first, those that hold everywhere last."""
        width = self.content_size.width
        pieces: list[tuple[str, str]] = []
        self._spans = []
        column = 0
        for key, display, description in self._keys():
            needed = len(display) + 1 + len(description)
            if column + needed > width:
                continue
            self._spans.append((column, column + needed, key))
            pieces += [(display, "bold $footer-key-foreground"), (f" {description}", "$footer-description-foreground")]
            pieces.append(("  ", ""))
            column += needed + 2
        return Content.assemble(*pieces)

    def _keys(self) -> list[tuple[str, str, str]]:
        seen: set[str] = set()
        found: list[tuple[str, str, str]] = []
        for active in sorted(self.screen.active_bindings.values(), key=self._rank):
            binding: Binding = active.binding
            if not binding.show or not active.enabled or binding.action in seen:
                continue
            seen.add(binding.action)
            found.append((binding.key, self.app.get_key_display(binding), binding.description))
        return found

    def _rank(self, active: ActiveBinding) -> bool:
        """What the focused part can do comes first, then what holds everywhere."""
        return active.node is self.app

    def on_click(self, event: events.Click) -> None:
        """A click on a key is that key."""
        column = event.x - 1
        for start, end, key in self._spans:
            if start <= column < end:
                self.app.simulate_key(key)
