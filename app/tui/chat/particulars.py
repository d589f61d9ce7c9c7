"""What is chosen for one conversation: its title, its instructions, how tokens are chosen, whether it is remembered."""

from __future__ import annotations

from app.errors import PlaygroundError
from app.privacy.terminal import clean

from .composer import Composer
from .news import SessionChanged
from .open_conversation import OpenConversation
from .sampling_words import changed, described
from .surroundings import Surroundings


class Particulars:
    """Asks for them, sets them, and says what they are."""

    def __init__(self, current: OpenConversation, composer: Composer, around: Surroundings) -> None:
        self._current = current
        self._composer = composer
        self._around = around

    def ask_title(self) -> None:
        """Asks for a title."""
        from app.tui.dialogs.text_prompt import TextPrompt

        if self._current.keeper is not None:
            self._around.app.push_screen(
                TextPrompt("Title of this conversation", self._current.keeper.session.title),
                lambda title: self.set_title(title or ""),
            )

    def set_title(self, title: str) -> None:
        """Names the conversation."""
        if self._current.keeper is not None and title.strip():
            self._current.keeper.rename(title.strip(), "person")
            self._around.post_message(SessionChanged())

    def ask_system(self) -> None:
        """Opens the instructions of this conversation."""
        from app.tui.dialogs.text_prompt import TextPrompt

        def saved(text: str | None) -> None:
            if text is not None:
                self.set_system(text)

        self._around.app.push_screen(
            TextPrompt("Instructions for this conversation", self._current.conversation.system), saved
        )

    def set_system(self, text: str) -> None:
        """Sets the instructions that stand before the first message."""
        self._current.conversation.system = text.strip()
        if self._current.keeper is not None:
            self._current.keeper.configure(system=text.strip())
        self._around.app.notify("Instructions set." if text.strip() else "Instructions removed.", timeout=2)

    def ask_sampling(self) -> None:
        """Says how tokens are chosen here, and puts the command that changes it into the composer."""
        self._around.app.notify(f"Sampling: {described(self._current.sampling)}.", markup=False)
        self._composer.put("/set ")

    def set_sampling(self, words: str) -> None:
        """Changes one parameter of this conversation's sampling."""
        try:
            sampling = changed(self._current.sampling, words)
        except PlaygroundError as error:
            self._around.app.notify_error(error)
            return
        if self._current.keeper is not None:
            self._current.keeper.configure(sampling=sampling)
        self._around.app.notify(f"Sampling: {described(sampling)}.", timeout=3, markup=False)

    def set_memory(self, wanted: str) -> None:
        """Lets this conversation be remembered and recall, or neither; what is remembered of it goes then."""
        if wanted not in ("on", "off"):
            self._around.app.notify(
                f"/memory takes on or off, not {clean(wanted)!r}.", severity="warning", markup=False
            )
        elif self._current.keeper is not None:
            self._current.keeper.configure(remembers=wanted == "on")
            self.say_memory()

    def say_memory(self) -> None:
        """Says whether this conversation takes part in memory."""
        if self._current.keeper is not None:
            self._around.app.notify(
                "This conversation is remembered, and earlier ones are recalled into it. /memory off ends both."
                if self._current.remembers
                else "This conversation is not remembered, and nothing is recalled into it. /memory on begins both.",
                title="Memory",
            )
