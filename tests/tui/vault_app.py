"""A small application around one part of the interface, on a vault of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widget import Widget

import app.tui
from app.errors import PlaygroundError
from app.messages import Message, Node
from app.tui import themes
from app.tui.bars.keys import KeyBar
from app.tui.face import Face
from app.tui.sessions.pane import SessionsPane
from app.vault import Session, Vault, WholeSession

FOLDER = Path(app.tui.__file__).parent
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC).timestamp()
HOUR, DAY = 3600.0, 86_400.0


class SmallApp(Face):
    """Shows what ``build`` makes, once the vault is as ``fill`` wants it."""

    CSS_PATH: ClassVar[list[str | Path]] = [FOLDER / "app.tcss", FOLDER / "sessions" / "pane.tcss"]
    AUTO_FOCUS = None

    def __init__(
        self,
        vault: Any,
        build: Callable[[Any], Widget | Screen[Any]],
        fill: Callable[[Any], Awaitable[None]] | None = None,
        theme: str = "playground-dark",
    ) -> None:
        super().__init__()
        self.vault = vault
        self._build = build
        self._fill = fill
        self.errors: list[PlaygroundError] = []
        self.faults: list[Exception] = []
        self.said: list[str] = []
        self.wanted: list[Any] = []
        self.answers: list[Any] = []
        self.copied: list[str] = []
        self.ready = False
        for ours in themes.OURS:
            self.register_theme(ours)
        self.theme = theme
        self.animation_level = "none"

    def compose(self) -> ComposeResult:
        yield Container(id="panes")
        yield KeyBar()

    async def on_mount(self) -> None:
        if self._fill is not None:
            await self._fill(self.vault)
        made = self._build(self.vault)
        if isinstance(made, Screen):
            self.push_screen(made, self.answers.append)
        else:
            await self.query_one("#panes").mount(made)
            if isinstance(made, SessionsPane):
                made.take_focus()
        self.ready = True

    async def on_unmount(self) -> None:
        await self.vault.close()

    def notify(self, message: str, **options: Any) -> None:  # type: ignore[override]
        self.said.append(message)
        super().notify(message, **options)

    def copy_to_clipboard(self, text: str) -> None:
        self.copied.append(text)
        super().copy_to_clipboard(text)

    def notify_error(self, error: PlaygroundError) -> None:
        self.errors.append(error)

    def report_fault(self, error: Exception) -> None:
        self.faults.append(error)

    def use_theme(self, name: str) -> None:
        self.theme = name

    def keys_by_id(self, node: DOMNode) -> dict[str, Binding]:
        found: dict[str, Binding] = {}
        for owner in [node, *node.ancestors, *node.walk_children()]:
            for bindings in owner._bindings.key_to_bindings.values():
                for binding in bindings:
                    if binding.id:
                        found.setdefault(binding.id, binding)
        return found

    def get_key_display(self, binding: Binding) -> str:
        return "⏎" if binding.key == "enter" else super().get_key_display(binding)

    def on_sessions_pane_open_wanted(self, event: SessionsPane.OpenWanted) -> None:
        self.wanted.append((event.session_id, event.node_id))

    def on_sessions_pane_new_wanted(self) -> None:
        self.wanted.append("new")

    @property
    def pane(self) -> SessionsPane:
        return self.screen_stack[0].query_one(SessionsPane)


def pane_of(vault: Vault) -> SessionsPane:
    return SessionsPane(vault, clock=lambda: NOW)


def a_vault(folder: Path) -> Vault:
    (folder / "data").mkdir(mode=0o700, exist_ok=True)
    return Vault(folder / "data", folder / "backups")


def conversation(number: int, title: str, at: float, *said: str, **chosen: Any) -> WholeSession:
    """A conversation in which the person and the model take turns."""
    nodes: list[Node] = []
    for place, text in enumerate(said):
        answer = place % 2 == 1
        nodes.append(
            Node(
                id=f"{number:04}-{place}",
                parent_id=nodes[-1].id if nodes else None,
                message=Message.assistant(text) if answer else Message.user(text),
                created_at=at - 60 * (len(said) - place),
                model="smollm2-135m" if answer else "",
            )
        )
    session = Session(
        id=f"session-{number:04}",
        title=title,
        titled_by="person" if title else "nobody",
        created_at=at - 600,
        updated_at=at,
        head_id=nodes[-1].id if nodes else None,
        **chosen,
    )
    return WholeSession(session, tuple(nodes))


SOME = (
    conversation(
        1, "Naming functions in Python", NOW - 2 * DAY,
        "What makes a good name for a function?",
        "A good name says what the function *gives*, not how it works.\n\n- a verb for an action\n- a noun for a value",
        "And for a class?", "A noun, in the words of the field.",
        pinned=True, tags=("python", "style"),
    ),
    conversation(2, "Three days in Lisbon", NOW - 12 * 60, "Plan three days in Lisbon.", "Begin in Alfama.",
                 tags=("travel",)),
    conversation(3, "Why is the sky blue?", NOW - 3 * HOUR, "Why is the sky blue?", "Rayleigh scattering.",
                 "And red in the evening?", "The light has a longer way."),
    conversation(4, "", NOW - 5 * HOUR, "Translate: good morning", "Bom dia."),
    conversation(5, "A letter to the landlord about the heating, which has been cold since October", NOW - 1 * DAY,
                 "Write a letter to my landlord about the heating.", "Dear Ms Sousa, …", tags=("letters", "home")),
    conversation(6, "Regular expressions, gently", NOW - 3 * DAY, "What does \\b match in Python?",
                 "The edge of a word.", tags=("python",)),
    conversation(7, "日本語の勉強", NOW - 5 * DAY, "How do I say good morning in Japanese?", "おはようございます"),
    conversation(8, "Bread without kneading", NOW - 24 * DAY, "A bread without kneading?", "Time does the work."),
    conversation(9, "Reading list for autumn", NOW - 70 * DAY, "What shall I read?", "It depends on what you like."),
    conversation(10, "Taxes, step by step", NOW - 400 * DAY, "How do I begin?", "With the receipts.", tags=("home",)),
)  # fmt: skip


async def with_some(vault: Vault) -> None:
    """Ten conversations of a year and a half."""
    await vault.open()
    for whole in SOME:
        await vault.sessions.add(whole)


async def empty(vault: Vault) -> None:
    await vault.open()
