"""The looks that can be chosen: the program's own, the person's, and Textual's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from app.privacy.terminal import clean

from . import themes
from .interrupting import InterruptibleFace
from .theme_files import names, read_themes

if TYPE_CHECKING:
    from app.playground import Playground


class ThemedFace(InterruptibleFace):
    """Knows every theme from the start, and says which file of the person's makes none."""

    def __init__(self, playground: Playground) -> None:
        super().__init__(playground)
        for theme in themes.OURS:
            self.register_theme(theme)
        self._own_themes, self._wrong_themes = read_themes(playground.folders.config / "themes", self.available_themes)
        for theme in self._own_themes:
            self.register_theme(theme)

    def first_theme(self, remembered: str | None, environ: Mapping[str, str]) -> str:
        """The theme to begin with: what was chosen last, else what the settings or a plain terminal ask for."""
        if remembered is None and themes.sixteen_colours(environ):
            return themes.TERMINAL.name
        # What was chosen last may be gone: a file of the person's that was removed.
        wanted = (remembered or "", self._playground.settings.tui.theme)
        return next((full for name in wanted if (full := self._full_name(name))), themes.DEFAULT)

    def say_wrong_themes(self) -> None:
        """Says which files make no theme, and whether there is none of the name in the settings."""
        for wrong in self._wrong_themes:
            self.notify_error(wrong)
        if self._full_name(self._playground.settings.tui.theme) is None:
            self._say_there_is_none(self._playground.settings.tui.theme)

    def use_theme(self, name: str) -> None:
        """Changes the colours; ``light`` means our light theme."""
        full = self._full_name(name)
        if full is None:
            self._say_there_is_none(name)
        else:
            self.theme = full

    def action_theme(self) -> None:
        """Opens the list of themes."""
        self.search_themes()

    def _full_name(self, name: str) -> str | None:
        return next((full for full in (name, f"playground-{name}") if full in self.available_themes), None)

    def _say_there_is_none(self, name: str) -> None:
        words = f"There is no theme {clean(name)!r}. {names(self._own_themes)}"
        self.notify(words, severity="warning", markup=False)
