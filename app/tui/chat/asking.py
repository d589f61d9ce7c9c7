"""From a prompt to a question: its files are read first, and nothing of it is lost when one of them cannot go."""

from __future__ import annotations

from collections.abc import Sequence

from app.chat.attaching.mentions import Mention
from app.errors import PlaygroundError

from .answers import Answers
from .composer import Composer
from .prompt_files import PromptFiles, read_mentioned
from .rewriting import Rewriting
from .surroundings import Surroundings


class Asking:
    """Asks what was sent, at once where it mentions no file; else behind the reading of it."""

    def __init__(
        self, files: PromptFiles, answers: Answers, rewriting: Rewriting, composer: Composer, around: Surroundings
    ) -> None:
        self._files = files
        self._answers = answers
        self._rewriting = rewriting
        self._composer = composer
        self._around = around
        self._reading = False

    async def ask(self, text: str, mentioned: Sequence[Mention]) -> None:
        """Asks ``text`` with the files that it mentions; what cannot be asked now goes back into the composer."""
        earlier = self._rewriting.rewritten
        if self._reading:
            self._around.app.notify("The files of the last prompt are still being read.", markup=False)
            self._composer.give_back(text)
        elif mentioned or (earlier is not None and earlier.message.attached):
            self._reading = True
            self._around.do(self._ask_with_files(text, mentioned), "ask")
        else:
            await self._answers.ask(text, self._rewriting.sent())

    async def _ask_with_files(self, text: str, mentioned: Sequence[Mention]) -> None:
        message = None
        try:
            message = await self._files.message(text, mentioned, self._rewriting.rewritten)
        except PlaygroundError as error:
            self._around.app.notify_error(error)
        finally:
            self._reading = False
            if message is None:
                self._composer.give_back(text)
        if message is not None:
            await self._answers.ask(message, self._rewriting.sent())

    def preview(self, text: str, mentioned: Sequence[Mention]) -> None:
        """Shows what would leave this machine if this was asked now, with its files."""
        self._around.do(self._preview(text, mentioned), "preview")

    async def _preview(self, text: str, mentioned: Sequence[Mention]) -> None:
        read = await read_mentioned(mentioned, self._rewriting.rewritten)
        message = read.message(text)
        await self._answers.preview(message if text or message.attached else "")
