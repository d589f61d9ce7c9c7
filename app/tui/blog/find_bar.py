"""Finding and replacing: two lines below the text."""

from __future__ import annotations

from typing import ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from app.privacy.terminal import clean
from app.tui.face import Face
from app.writing.finding import Search


class FindBar(Vertical):
    """What is looked for, what takes its place, and how many there are."""

    HELP = """\
Looks for the words in the first line as you type them. **Enter** goes to the next place, **Up** to the one before; in
the second line, **Enter** replaces the place that is marked. With **patterns** on, the words are an RE2 pattern, and
`\\1` in the replacement is what its first group matched.
"""

    DEFAULT_CSS = """
    FindBar { height: 3; width: 1fr; margin: 1 1 0 1; display: none; }
    FindBar > Horizontal { height: 1; width: 1fr; }
    FindBar .label { width: 9; color: $text-muted; }
    FindBar .found { width: auto; min-width: 14; color: $text-muted; padding: 0 1; text-align: right; }
    FindBar Input { width: 1fr; height: 1; border: none; padding: 0 1; background: $surface; }
    FindBar Input:focus { border: none; background: $panel; background-tint: transparent; }
    FindBar .switches { height: 1; color: $text-muted; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "enter", "Next", id="find.next"),
        Binding("down,ctrl+f", "step(1)", "Next", show=False, id="find.down"),
        Binding("up", "step(-1)", "Before", show=False, id="find.previous"),
        Binding("alt+a", "replace_all", "Replace all", priority=True, id="find.replace_all"),
        Binding("alt+x", "turn('regex')", "Patterns", priority=True, id="find.regex"),
        Binding("alt+c", "turn('case')", "Capitals", priority=True, id="find.case"),
        Binding("alt+w", "turn('whole_words')", "Whole words", priority=True, id="find.words"),
        Binding("tab,shift+tab", "other", "Other line", show=False, id="find.other"),
        Binding("escape", "leave", "Close", key_display="esc", id="find.leave"),
    ]

    app = getters.app(Face)

    class Changed(Message):
        """Something else is looked for."""

    class Stepped(Message):
        """The next place is wanted, or the one before."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    class ReplaceWanted(Message):
        """The marked place is to be replaced, or all are."""

        def __init__(self, *, everywhere: bool) -> None:
            super().__init__()
            self.everywhere = everywhere

    class Left(Message):
        """It is not needed any more."""

    def __init__(self) -> None:
        super().__init__(id="post-find")
        self._switches = {"regex": False, "case": False, "whole_words": False}

    def compose(self) -> ComposeResult:
        """Two fields and the switches."""
        with Horizontal():
            yield Static("find", classes="label")
            yield Input(placeholder="words", compact=True, id="find-what")
            yield Static(classes="found")
        with Horizontal():
            yield Static("replace", classes="label")
            yield Input(placeholder="by", compact=True, select_on_focus=False, id="find-by")
        yield Static(classes="switches")

    def on_mount(self) -> None:
        """Shows the switches."""
        self._show_switches()

    @property
    def search(self) -> Search:
        """What is looked for."""
        return Search(pattern=self.query_one("#find-what", Input).value, **self._switches)

    @property
    def by(self) -> str:
        """What takes its place."""
        return self.query_one("#find-by", Input).value

    def begin(self, words: str) -> None:
        """Shows itself, with ``words`` to look for unless there are none."""
        self.display = True
        field = self.query_one("#find-what", Input)
        if words:
            field.value = words
        field.focus()

    def forget(self) -> None:
        """Hides itself, and keeps nothing."""
        self.display = False
        with self.prevent(Input.Changed):
            for field in self.query(Input):
                field.value = ""
        self.say("")

    def say(self, words: str, *, wrong: bool = False) -> None:
        """How many there are, or what is wrong with a pattern."""
        self.query_one(".found", Static).update(Content.styled(clean(words), "$text-error" if wrong else "$text-muted"))

    def _show_switches(self) -> None:
        keys = self.app.keys_by_id(self)
        pieces: list[tuple[str, str]] = [(" " * 9, "")]
        for name, binding_id, words in (
            ("regex", "find.regex", "patterns"),
            ("case", "find.case", "capitals matter"),
            ("whole_words", "find.words", "whole words"),
        ):
            key = self.app.get_key_display(keys[binding_id]) if binding_id in keys else ""
            on_ = self._switches[name]
            pieces += [(f"{key} ", "bold $primary"), (f"{words} {'on' if on_ else 'off'}", "$accent" if on_ else "")]
            pieces.append(("   ", ""))
        self.query_one(".switches", Static).update(Content.assemble(*pieces))

    @on(Input.Changed, "#find-what")
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed())

    @on(Input.Changed, "#find-by")
    def _typed_by(self, event: Input.Changed) -> None:
        event.stop()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_enter()

    def action_enter(self) -> None:
        """The next place; in the second line, replaces the marked one."""
        if self.query_one("#find-by", Input).has_focus:
            self.post_message(self.ReplaceWanted(everywhere=False))
        else:
            self.post_message(self.Stepped(1))

    def action_step(self, step: int) -> None:
        """The next place, or the one before."""
        self.post_message(self.Stepped(step))

    def action_replace_all(self) -> None:
        """Replaces all."""
        self.post_message(self.ReplaceWanted(everywhere=True))

    def action_turn(self, name: str) -> None:
        """Turns a switch."""
        self._switches[name] = not self._switches[name]
        self._show_switches()
        self.post_message(self.Changed())

    def action_other(self) -> None:
        """The keys go to the other line."""
        what, by = self.query_one("#find-what", Input), self.query_one("#find-by", Input)
        (what if by.has_focus else by).focus()

    def action_leave(self) -> None:
        """Closes it."""
        self.post_message(self.Left())
