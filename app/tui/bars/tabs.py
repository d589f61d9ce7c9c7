"""The top line: which pane is shown, which key shows each, and whether a passphrase guards the vault."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct
from textual import events, getters
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from app.tui.face import Face

WORDMARK = "playground"
UNPROTECTED = "no passphrase"
_MARK = "◆ "


class Tab(Struct, frozen=True):
    """What stands on one tab; an empty key or title is left out. One that is ``tight`` shares its blanks."""

    pane: str
    key: str
    title: str
    tight: bool = False

    @property
    def width(self) -> int:
        """Cells of the tab, with the blanks around a title, and with the one that parts it from the next tab."""
        if not self.title:
            return len(self.key) + 1
        return len(f" {self.key} {self.title}") - (not self.key) + (0 if self.tight else 2)


class TabBar(Widget):
    """Names of the panes and their keys, each a click or a key away."""

    app = getters.app(Face)

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    TabBar { height: 1; width: 1fr; background: $background; color: $text-muted; padding: 0 1; }
    """

    current: reactive[str] = reactive("")
    unprotected: reactive[bool] = reactive(False)

    class Chosen(Message):
        """A tab was clicked."""

        def __init__(self, pane: str) -> None:
            super().__init__()
            self.pane = pane

    class Resized(Message):
        """There may be room now for what was said elsewhere, or none any more."""

    def __init__(self, panes: tuple[tuple[str, str], ...]) -> None:
        """``panes``: the id and the title of each; the first is shown."""
        super().__init__(id="tabs")
        self._panes = panes
        self.set_reactive(TabBar.current, panes[0][0])
        self._spans: list[tuple[int, int, str]] = []

    @property
    def tells_of_protection(self) -> bool:
        """Whether there is room to say that no passphrase guards the vault; else another line has to."""
        return self._needed(self._tabs(self.content_size.width)) + len(UNPROTECTED) < self.content_size.width

    def on_resize(self) -> None:
        """Tells whoever shares the work of this line."""
        self.post_message(self.Resized())

    def render(self) -> Content:
        """The line as wide as the screen."""
        width = self.content_size.width
        tabs = self._tabs(width)
        # On a narrow screen the tabs need the name's place.
        name = f"{WORDMARK}   "
        name = name if self._needed(tabs) + len(name) + len(UNPROTECTED) < width else ""
        pieces: list[tuple[str, str]] = [(_MARK, "$primary"), (name, "bold $foreground")]
        column = len(_MARK) + len(name)
        # In sixteen colours bold black is grey on most terminals, and hard to read on a colour.
        chosen = f"{'not bold' if self.app.current_theme.ansi else 'bold'} $on-colour on $primary"
        self._spans = []
        shared = ""
        for tab in tabs:
            end = column + tab.width
            self._spans.append((column, end - (not tab.tight), tab.pane))
            words = chosen if tab.pane == self.current else ""
            pieces += _words(tab, words, shared)
            shared, column = words if tab.tight else "", end
        if tabs and tabs[-1].tight:
            pieces.append((" ", shared))
            column += 1
        gap = width - column - len(UNPROTECTED)
        if self.unprotected and gap >= 0:
            pieces += [(" " * gap, ""), (UNPROTECTED, "$text-disabled")]
        return Content.assemble(*pieces)

    def _tabs(self, width: int) -> list[Tab]:
        """As much as fits: keys and titles, else titles alone, else keys and the title of the pane that is shown."""
        ways: tuple[Callable[[Tab], Tab], ...] = (
            lambda tab: tab,
            lambda tab: Tab(tab.pane, tab.key, tab.title, tight=bool(tab.key)),
            lambda tab: Tab(tab.pane, "", tab.title),
            lambda tab: tab if tab.pane == self.current or not tab.key else Tab(tab.pane, tab.key, ""),
        )
        bindings = self.app.keys_by_id(self)
        keys = {
            pane: self.app.get_key_display(bindings[name]) if (name := f"app.{pane}") in bindings else ""
            for pane, _ in self._panes
        }
        whole = [Tab(pane, keys[pane], title) for pane, title in self._panes]
        for way in ways:
            tabs = [way(tab) for tab in whole]
            if self._needed(tabs) <= width:
                break
        return tabs

    @staticmethod
    def _needed(tabs: list[Tab]) -> int:
        return len(_MARK) + sum(tab.width for tab in tabs) + bool(tabs and tabs[-1].tight)

    def on_click(self, event: events.Click) -> None:
        """Tells which tab lies under the pointer."""
        column = event.x - 1
        for start, end, pane in self._spans:
            if start <= column < end:
                self.post_message(self.Chosen(pane))


def _words(tab: Tab, chosen: str, shared: str) -> list[tuple[str, str]]:
    """``chosen``: how it is painted when its pane is shown; ``shared``: how the blank is that it shares, if it does."""
    if not tab.title:
        return [(tab.key, "$text-muted"), (" ", "")]
    named = [(tab.key, chosen or "$text-disabled"), (f"{' ' * bool(tab.key)}{tab.title}", chosen or "$text-muted")]
    if tab.tight:
        return [(" ", shared or chosen), *named]
    return [(" ", chosen), *named, (" ", chosen), (" ", "")]
