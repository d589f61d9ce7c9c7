"""The files that a prompt mentions: read when it is sent, and looked at whether they may go."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from app.chat.attaching.aside import aside
from app.chat.attaching.mentions import Mention, mentions
from app.chat.attaching.sending import refused_images, tokens_of, with_attached
from app.errors import PlaygroundError
from app.messages import Image, Message, Node, Text
from app.privacy.terminal import clean
from app.tui import words

from .surroundings import Surroundings

if TYPE_CHECKING:
    from app.chat.attaching.files import Attachment
    from app.tui.model_desk import ModelDesk

    from .model_in_use import ModelInUse

_READING = 10.0


class Read(Struct, frozen=True):
    """What goes with a prompt.

    Attributes:
        files: those that were read now, in order.
        kept: those of the earlier version of the prompt, as they were read then.
        trouble: why nothing could be read now; ``None`` when it could.
    """

    files: tuple[Attachment, ...] = ()
    kept: tuple[Text | Image, ...] = ()
    trouble: PlaygroundError | None = None

    def message(self, text: str) -> Message:
        """What is asked.

        Raises:
            PlaygroundError: the trouble.
        """
        if self.trouble is not None:
            raise self.trouble
        return with_attached(text, self.files, self.kept)


class PromptFiles:
    """Makes a message of a prompt and the files that it mentions, unless those must not go to the model in use."""

    def __init__(self, desk: ModelDesk, model: ModelInUse, around: Surroundings) -> None:
        self._desk = desk
        self._model = model
        self._around = around

    async def message(self, text: str, mentioned: Sequence[Mention], beside: Node | None = None) -> Message | None:
        """What is asked; ``None`` when the person does not want a file to go after all.

        Args:
            text: the prompt.
            mentioned: the paths in it.
            beside: the earlier prompt that this is another version of. Its files stay as they were read then.

        Raises:
            PlaygroundError: when one cannot be read, or the model cannot take them.
        """
        read = await read_mentioned(mentioned, beside)
        message = read.message(text)
        self._require_taken(message)
        return message if await self._wanted(read.files) else None

    def _require_taken(self, message: Message) -> None:
        from app.chat.attaching.files import AttachmentError

        name, window = self._model.name, self._model.status.context
        if message.shows_images and self._desk.router.sees(name) is False:
            raise refused_images(clean(name))
        needed = sum(map(tokens_of, message.attached))
        if 0 < window < needed:
            raise AttachmentError(
                f"The files take about {words.plural(needed, 'token')}; {clean(name)} reads {words.count(window)}.",
                "Attach less, or choose a model with a longer context window.",
            )

    async def _wanted(self, files: Sequence[Attachment]) -> bool:
        """Asks before what commonly holds secrets leaves this machine."""
        place = self._desk.sends_to(self._model.name)
        private = [file.name for file in files if file.private]
        if not (private and place):
            return True
        from app.tui.dialogs.confirm import ConfirmScreen

        names = " and ".join(private)
        question = f"Files like {names} often hold keys or passwords. Send {names} to {clean(place)}?"
        return await self._around.app.push_screen_wait(ConfirmScreen("This may hold secrets", question)) is True


def still_mentioned(earlier: Message, mentioned: Sequence[Mention]) -> tuple[Text | Image, ...]:
    """The files of an earlier version of a prompt that go with the new one.

    Those whose mention was taken out go with it; those that were never mentioned, but given by other ways, stay.
    """
    now = {path for mention in mentioned for path in mention.paths}
    before = {path for mention in mentions(earlier.text) for path in mention.paths}
    return tuple(part for part in earlier.attached if part.name in now or part.name not in before)


async def read_mentioned(mentioned: Sequence[Mention], beside: Node | None = None) -> Read:
    """Reads what is mentioned; what names no file is text like any other.

    Args:
        mentioned: in the prompt.
        beside: the earlier prompt that this is another version of; what is still mentioned of its files is kept.
    """
    kept = still_mentioned(beside.message, mentioned) if beside is not None else ()
    if not mentioned:
        return Read(kept=kept)
    without = {part.name for part in kept}
    from app.chat.attaching.files import AttachmentError, attach_all

    def read() -> Read:
        named: dict[str, Path] = {}
        for mention in mentioned:
            for path in mention.paths:
                if path in without:
                    break
                found = _file(path)
                if found is not None:
                    named.setdefault(path, found)
                    break
        try:
            return Read(attach_all([(path, name) for name, path in named.items()]), kept)
        except AttachmentError as error:
            return Read(trouble=error)

    try:
        return await aside(read, _READING)
    except TimeoutError:
        return Read(
            trouble=AttachmentError(
                f"The files could not be read within {_READING:.0f} seconds.", "Their drive may not answer; try again."
            )
        )


def _file(path: str) -> Path | None:
    """The file that a path names; ``None`` when there is none, or a folder."""
    try:
        found = Path(path).expanduser()
        return found if found.exists() and not found.is_dir() else None
    except (OSError, ValueError, RuntimeError):
        return None
