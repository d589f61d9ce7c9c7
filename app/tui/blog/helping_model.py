"""Who helps with posts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.privacy.terminal import clean

if TYPE_CHECKING:
    from app.tui.model_desk import ModelDesk
    from app.tui.surroundings import Surroundings


class HelpingModel:
    """The model that is asked, chosen by the settings or by the person."""

    def __init__(self, models: ModelDesk, chosen: str, default: str, around: Surroundings) -> None:
        """``chosen``: the settings' choice, or nothing; ``default``: who else, also for guesses, when it is here."""
        self.models, self._default, self._around = models, default, around
        self.name = chosen or default

    def pick(self) -> None:
        """Asks who shall help."""
        from app.tui.dialogs.model_picker import ModelPicker

        def chosen(name: str | None) -> None:
            if name:
                self.name = name
                self._around.say(f"{clean(name)} helps with posts now.", seconds=3)

        self._around.ask(ModelPicker(self.models, self.name), chosen)

    @property
    def words(self) -> str:
        """Its name, and where what it reads goes."""
        goes_to = self.models.sends_to(self.name)
        return f"{clean(self.name)}, {f'↗ it is sent to {goes_to}' if goes_to else 'on this machine'}"

    @property
    def local(self) -> str:
        """Who may guess: a model that is here, or nobody. What is typed goes nowhere else, whoever helps when asked."""
        for name in (self.name, self._default):
            if self.models.known(name) and not self.models.is_remote(name) and not self.models.missing(name):
                return name
        return ""
