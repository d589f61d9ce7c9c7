"""What the parts of the interface may ask of the application that holds them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.text import Text
from textual.actions import ActionParseResult
from textual.app import App
from textual.binding import Binding
from textual.dom import DOMNode
from textual.filter import LineFilter

from app.errors import PlaygroundError, VaultLockedError
from app.privacy.terminal import clean

from .key_names import short_name
from .lent_terminal import LentTerminal
from .safe import TerminalNet


class Face(App[None]):
    """The application, as its panes and dialogs know it.

    Attributes:
        terminal: can be lent to another program.
    """

    def __init__(self) -> None:
        super().__init__()
        self.terminal = LentTerminal(self)
        self._net = TerminalNet()
        self._said: set[str] = set()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What every painted line passes through: Textual's own filters, then ours."""
        return [*super().get_line_filters(), self._net]

    def get_css_variables(self) -> dict[str, str]:
        """Our own colour beside those of the theme: ``$on-colour``, for words on a bar of a strong colour."""
        variables = super().get_css_variables()
        # The background of the terminal is not known: as a foreground it would be the terminal's own foreground.
        variables["on-colour"] = "ansi_black" if self.current_theme.ansi else variables["background"]
        return variables

    def _fatal_error(self) -> None:
        """Ends the program on a fault nobody foresaw, with the places in the program that led there.

        Textual would print the exception's text uncleaned, and the values of variables: what was being said.
        """
        import traceback

        self.bell()
        self.panic(Text(clean(traceback.format_exc())))

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Does what a key says; what cannot be done now is said."""
        with self.telling():
            return await super().run_action(action, default_namespace, namespaces)
        return True

    def get_key_display(self, binding: Binding) -> str:
        """Short names: ``^r``, ``F1``, ``⏎``."""
        return short_name(binding.key) or super().get_key_display(binding)

    def say_once(self, words: str) -> None:
        """Shows a notice, and not again until the program is started again."""
        if words not in self._said:
            self._said.add(words)
            self.notify(words, timeout=10, markup=False)

    @contextmanager
    def telling(self) -> Iterator[None]:
        """What cannot be done in here just now, as on a full disk, is said, and is no end of the program."""
        try:
            yield
        except VaultLockedError:
            # The screen that unlocks is on its way, and says so.
            return
        except PlaygroundError as error:
            self.notify_error(error)

    @abstractmethod
    def notify_error(self, error: PlaygroundError) -> None:
        """Shows an error beside what is going on."""

    @abstractmethod
    def report_fault(self, error: Exception) -> None:
        """Shows that the program itself failed, and writes the details to the log."""

    @abstractmethod
    def use_theme(self, name: str) -> None:
        """Changes the colours and remembers the choice."""

    def key_of(self, node: DOMNode, name: str, otherwise: str = "") -> str:
        """How the key of that name is written where ``node`` stands: ``^r``, ``F1``; ``otherwise`` if there is none."""
        binding = self.keys_by_id(node).get(name)
        return self.get_key_display(binding) if binding is not None else otherwise

    @abstractmethod
    def keys_by_id(self, node: DOMNode) -> dict[str, Binding]:
        """The bindings of a node and of those around it by their ids, as the person moved them."""
