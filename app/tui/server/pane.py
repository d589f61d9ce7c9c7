"""The Server pane."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from app.messages import Failure
from app.privacy.terminal import clean
from app.tui import words
from app.tui.error_card import failure_words
from app.tui.pane import Pane
from app.tui.row_list import RowList

from .visit_list import VisitList, visit_words

if TYPE_CHECKING:
    from app.tui.server.desk import ServerDesk

LOOK_EVERY = 0.25
"""Seconds between looks at what the server does."""

_HIDDEN = "pg-" + "•" * 12
_SWITCH = {
    "off": ("  ○━━ ", "$text-muted", "Off"),
    "starting": ("  ━○━ ", "$warning", "Starting"),
    "on": ("  ━━● ", "$success", "On"),
    "stopping": ("  ━○━ ", "$warning", "Stopping"),
}


class ServerPane(Pane):
    """The switch, what to paste, and who asks what."""

    HELP = """\
Lets other programs use your models. **Enter** switches the server on; paste the four lines into a shell, and programs
that you start there ask your own models. The key in them opens until the server is switched off; **n** makes one that
stays.
"""

    DEFAULT_CSS = """
    ServerPane { height: 1fr; width: 1fr; padding: 1 1 0 1; background: $background; }
    ServerPane > #server-head { height: auto; margin: 0 0 1 0; }
    ServerPane > #server-lines { height: auto; margin: 0 1; padding: 0 1; background: $surface; }
    ServerPane > #server-note { height: auto; margin: 0 2 1 2; color: $text-muted; }
    ServerPane > #server-off { height: 1fr; align: center middle; }
    ServerPane > #server-off > Static { width: 100%; max-width: 76; height: auto; padding: 0 1; }
    ServerPane > #server-off > #server-failure { margin: 1 0 0 0; }
    ServerPane > #visit-detail {
        height: 3; border-top: solid $border-blurred; padding: 0 1; color: $text-muted;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,s", "switch_on", "Switch on", key_display="⏎", id="server.on"),
        Binding("s", "switch_off", "Switch off", id="server.off"),
        Binding("c", "copy", "Copy the lines", id="server.copy"),
        Binding("r", "reveal", "Show the key", id="server.reveal"),
        Binding("n", "new_key", "New key", id="server.key"),
    ]

    def __init__(self, desk: ServerDesk) -> None:
        super().__init__(id="server")
        self._desk = desk
        self._revealed = True
        self._seen = -1

    def compose(self) -> ComposeResult:
        """The switch; below it what to paste and the requests, or what the server is for."""
        yield Static(id="server-head")
        yield Static(id="server-lines")
        yield Static(id="server-note")
        with Vertical(id="server-off"):
            yield Static(id="server-about")
            yield Static(id="server-failure")
        yield VisitList()
        yield Static(id="visit-detail")

    def on_mount(self) -> None:
        """Shows how it stands, and follows it."""
        self.server_changed()
        self.set_interval(LOOK_EVERY, self._look)

    def shown(self) -> None:
        """Follows it again."""
        self.server_changed()

    def on_hide(self) -> None:
        """The key is not on the screen when somebody comes back."""
        self._revealed = False

    def take_focus(self) -> None:
        """The keys go to the list; where there is none, the pane has them all the same."""
        self.query_one(VisitList).focus()

    async def vault_closing(self) -> None:
        """Who asked what is nobody's business while the vault is locked; the server goes on, and so do its counts."""
        self._revealed = False
        if self._desk.activity is not None:
            self._desk.activity.forget()
        self.server_changed()

    def server_changed(self) -> None:
        """It was switched on or off."""
        self._seen = -1
        on_ = self._desk.state == "on"
        if self._desk.state == "starting":
            self._revealed = True
        for name in ("#server-lines", "#server-note", "#visit-detail"):
            self.query_one(name).display = on_
        self.query_one("#server-off").display = not on_
        self.query_one(VisitList).set_class(not on_, "-waiting")
        self.query_one(VisitList).styles.height = "1fr" if on_ else 0
        self._show_lines()
        self._look()
        self.refresh_bindings()

    def _show_lines(self) -> None:
        self.query_one("#server-about", Static).update(self._about())
        error = self._desk.error
        failure = self.query_one("#server-failure", Static)
        failure.display = error is not None
        if error is not None:
            failure.update(failure_words(Failure.of(error)))
        shown = self._desk.lines(self._desk.key if self._revealed else _HIDDEN)
        self.query_one("#server-lines", Static).update(
            Content("\n").join(
                Content.assemble((f"{name}=", "$text-muted"), (value, "$foreground"))
                for name, _, value in (line.partition("=") for line in shown)
            )
        )
        self.query_one("#server-note", Static).update(
            Content.assemble(
                "Paste these into a shell: ",
                (self._key_of("server.copy"), "bold $primary"),
                " copies them. The key opens until switched off.",
            )
        )

    def _about(self) -> Content:
        if self._desk.state != "off":
            return Content.styled("One moment …", "$text-muted")
        return Content.assemble(
            ("Other programs can use your models, too.\n\n", "bold $foreground"),
            "Switched on, the server answers programs that were written for OpenAI, Anthropic, Ollama or llama.cpp,"
            f" at {self._desk.address}. ",
            "Only programs on this machine can reach it, and only with a key.\n\n"
            if self._desk.near_only
            else "Other machines can reach it, with a key.\n\n",
            (self._key_of("server.on"), "bold $primary"),
            " switch on",
        )

    def _key_of(self, name: str) -> str:
        return self.app.key_of(self, name)

    def _look(self) -> None:
        activity = self._desk.activity
        if not self.display or (activity is not None and activity.changes == self._seen and not activity.busy):
            return
        mark, colour, state = _SWITCH[self._desk.state]
        pieces = [(mark, colour), (f"{state}  ", "bold $foreground")]
        right = ""
        if activity is not None:
            self._seen = activity.changes
            totals = activity.totals()
            pieces.append((self._desk.address, "$primary"))
            reach = "for programs on this machine" if self._desk.near_only else "other machines reach it"
            pieces.append((f"  {reach}", "$text-muted" if self._desk.near_only else "$text-warning"))
            right = " · ".join(
                filter(
                    None,
                    (
                        words.plural(totals.requests, "request"),
                        f"{totals.running} under way" if totals.running else "",
                        f"{totals.refused} refused" if totals.refused else "",
                        words.plural(totals.tokens, "token") if totals.tokens else "",
                    ),
                )
            )
            self.query_one(VisitList).show_visits(tuple(activity.visits()))
            self.query_one(VisitList).say_instead(Content.styled("Nobody has asked yet.", "$text-muted"))
            self._show_detail()
        width = (self.size.width or 80) - 2
        used = sum(len(text) for text, _ in pieces)
        # On a narrow screen the counts have a line of their own.
        gap = " " * (width - used - len(right) - 1) if used + len(right) + 2 < width else "\n      "
        self.query_one("#server-head", Static).update(
            Content.assemble(*pieces, (gap if right else "", ""), (right, "$text-muted"))
        )

    @on(RowList.Moved)
    def _show_detail(self) -> None:
        visit = self.query_one(VisitList).visit
        self.query_one("#visit-detail", Static).update(visit_words(visit) if visit is not None else Content(""))

    def on_resize(self) -> None:
        """The counts follow the width."""
        self._seen = -1
        self._look()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only keys that would do something now."""
        state = self._desk.state
        if action == "switch_on":
            return state == "off"
        if action == "reveal":
            return state == "on" and not self._revealed
        if action in ("switch_off", "copy"):
            return state == "on"
        return True

    # Actions

    def action_switch_on(self) -> None:
        """Begins to answer."""
        self.do(self._desk.switch_on(), "server")

    def action_switch_off(self) -> None:
        """Ends; who is being answered is cut, after a question."""
        from app.tui.dialogs.confirm import ConfirmScreen

        activity = self._desk.activity
        running = activity.totals().running if activity is not None else 0
        if not running:
            self._switch_off(True)
            return
        question = f"{words.plural(running, 'request')} under way: each gets a moment to end and is cut then."
        self.app.push_screen(ConfirmScreen("Switch the server off?", question), self._switch_off)

    def _switch_off(self, yes: bool | None) -> None:
        if yes:
            self.do(self._desk.switch_off(), "server")

    def action_copy(self) -> None:
        """Copies the lines, with the key."""
        lines = "".join(f"{line}\n" for line in self._desk.lines(self._desk.key))
        self.app.copy_to_clipboard(lines)
        self.app.notify("Paste them into a shell; they hold the key.", title="Copied", timeout=3)

    def action_reveal(self) -> None:
        """Shows the key again."""
        self._revealed = True
        self._show_lines()
        self.refresh_bindings()

    def action_new_key(self) -> None:
        """Asks for a name, and makes a key that stays."""
        from app.tui.sessions.line_prompt import LinePrompt

        def named(name: str | None) -> None:
            if name and name.strip():
                self.do(self._make_key(name.strip()), "server-key")

        self.app.push_screen(
            LinePrompt(
                "A key that stays",
                about="What is it for? `playground keys` lists keys, limits and revokes them.",
                placeholder="my editor",
                does="make it",
            ),
            named,
        )

    async def _make_key(self, name: str) -> None:
        from .key_dialog import KeyDialog

        await self.app.push_screen(KeyDialog(clean(name), await self._desk.new_key(name)))
