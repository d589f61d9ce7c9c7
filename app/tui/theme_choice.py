"""The looks that can be chosen: the program's own, the person's, and Textual's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from app.privacy.terminal import clean

from . import themes
from .face import Face
from .theme_files import names, read_themes


class ThemeChoice:
    """Knows every theme from the start, and says which file of the person's makes none.

    Args:
        app: whose colours they are.
        folder: where the person's own are.
        named: the theme of the settings.
    """

    def __init__(self, app: Face, folder: Path, named: str) -> None:
        self._app, self._named = app, named
        for theme in themes.OURS:
            app.register_theme(theme)
        self._own, self._wrong = read_themes(folder, app.available_themes)
        for theme in self._own:
            app.register_theme(theme)

    def first(self, remembered: str | None, environ: Mapping[str, str]) -> str:
        """The theme to begin with: what was chosen last, else what the settings or a plain terminal ask for."""
        if remembered is None and themes.sixteen_colours(environ):
            return themes.TERMINAL.name
        # What was chosen last may be gone: a file of the person's that was removed.
        wanted = (remembered or "", self._named)
        return next((full for name in wanted if (full := self._full_name(name))), themes.DEFAULT)

    def say_what_is_wrong(self) -> None:
        """Says which files make no theme, and whether there is none of the name in the settings."""
        for wrong in self._wrong:
            self._app.notify_error(wrong)
        if self._full_name(self._named) is None:
            self._say_there_is_none(self._named)

    def use(self, name: str) -> None:
        """Changes the colours; ``light`` means our light theme."""
        full = self._full_name(name)
        if full is None:
            self._say_there_is_none(name)
        else:
            self._app.theme = full

    def _full_name(self, name: str) -> str | None:
        return next((full for full in (name, f"playground-{name}") if full in self._app.available_themes), None)

    def _say_there_is_none(self, name: str) -> None:
        words = f"There is no theme {clean(name)!r}. {names(self._own)}"
        self._app.notify(words, severity="warning", markup=False)
