"""The parts of the chat, each made with what it needs of the others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from app.chat.attaching.mentions import mentions
from app.errors import PlaygroundError
from app.settings import ChatSettings

from .answers import Answers
from .asking import Asking
from .chosen_message import ChosenMessage
from .command_line import CommandLine, Deed
from .composer import Composer
from .from_library import FromLibrary
from .model_in_use import ModelInUse
from .offered_commands import OfferedCommands
from .open_conversation import OpenConversation, Resumed
from .particulars import Particulars
from .prompt_area import PromptArea
from .prompt_files import PromptFiles
from .putting_away import PuttingAway
from .recalled_passages import RecalledPassages
from .rewriting import Rewriting
from .scene import Scene
from .several_models import SeveralModels
from .stage import Stage
from .surroundings import Surroundings
from .transcript import Transcript
from .turns import Turns
from .unfinished import UnfinishedAnswer
from .versions import Versions

if TYPE_CHECKING:
    from app.tui.model_desk import ModelDesk


class ChatParts:
    """First what is seen, then the state that all share, then what is done with both.

    Args:
        around: the pane, as the parts know it.
        keys: gives the keys that the welcome names.
        show: see ``OpenConversation``.
        told: see ``OpenConversation``.
    """

    def __init__(
        self,
        desk: ModelDesk,
        model: str,
        choices: ChatSettings,
        around: Surroundings,
        *,
        keys: Callable[[], list[tuple[str, str]]],
        show: Callable[[Resumed | None], Awaitable[None]],
        told: Callable[[PlaygroundError | None], None],
    ) -> None:
        self.current = current = OpenConversation(show, told)

        self.transcript = Transcript(lambda: current.conversation, filtered=choices.filter)
        self.stage = Stage(keys)
        self.offered = OfferedCommands()
        self.composer = Composer()
        self.prompt_area = PromptArea(self.composer, lambda: self.rewriting.rewritten)
        self.scene = Scene(current, self.transcript, self.stage, around)

        self.model = ModelInUse(desk, model, current, self.stage, around)
        unfinished = UnfinishedAnswer(desk, self.model, current, self.transcript, around)
        self.answers = Answers(desk, self.model, current, self.scene, unfinished, choices, around)
        self.chosen = ChosenMessage(current, self.transcript, around)
        self.rewriting = Rewriting(current, self.composer, self.scene, around)
        self.turns = Turns(current, self.model, self.answers, unfinished, self.rewriting, self.chosen, self.transcript)
        self.versions = Versions(current, self.model, self.scene, around)
        self.files = PromptFiles(desk, self.model, around)
        self.asking = Asking(self.files, self.answers, self.rewriting, self.composer, around)
        self.preview = self.asking.preview
        self.particulars = Particulars(current, self.composer, around)
        self.library = FromLibrary(current, self.composer, self.model, desk, around)
        self.recalled = RecalledPassages(current, self.transcript, self.composer, around)
        self.putting_away = PuttingAway(current, around)
        self.several = SeveralModels(current, self.composer, self.model, desk, around)
        self.commands = CommandLine(current, self.composer, self.offered, self.asking.ask, self._deeds(around), around)

    def _deeds(self, around: Surroundings) -> dict[str, Deed]:
        """What the commands do with their arguments."""
        return {
            "model": self.model.use,
            "system": self.particulars.set_system,
            "prompt": self.library.use_prompt,
            "persona": self.library.use_persona,
            "title": self.particulars.set_title,
            "memory": self.particulars.set_memory,
            "set": self.particulars.set_sampling,
            "preview": lambda text: self.preview(text, mentions(text)),
            "compare": self.several.compare,
            "debate": self.several.debate,
            "theme": lambda name: around.app.use_theme(name),
            "back": lambda turns: around.act(f"roll_back({int(turns)})"),
        }
