"""Writing a post to a folder: in which form, and where."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.types import CSSPathType
from textual.widgets import Input, Static

from app.errors import FileThereError, PlaygroundError
from app.privacy.terminal import clean
from app.tui import words
from app.tui.dialogs.dialog import Dialog
from app.tui.dialogs.dialog_lines import choice_words, key_line
from app.vault.posts.records import Post
from app.writing.exporting import FORMS, Exported, Form, exported
from app.writing.publishing import publish

_NAMES: dict[Form, str] = {"markdown": "Markdown", "html": "Web page", "hugo": "Hugo", "jekyll": "Jekyll"}


class PublishDialog(Dialog[Path]):
    """Four forms and a folder; what somebody else wrote there is replaced after a second Enter alone.

    Its answer is the file that was written.
    """

    CSS_PATH: ClassVar[CSSPathType | None] = ["../dialogs/dialogs.tcss", "dialogs.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "turn(-1)", "Form", show=False, priority=True, id="publish.previous_form"),
        Binding("down,tab", "turn(1)", "Form", show=False, priority=True, id="publish.next_form"),
    ]

    def __init__(self, post: Post, folder: Path, form: Form = "markdown") -> None:
        super().__init__()
        self._post, self._folder = post, folder
        self.form: Form = form
        self._replacing: tuple[Form, str] | None = None

    def compose(self) -> ComposeResult:
        """The forms above the folder, and where that leads."""
        with Vertical(classes="dialog"):
            title = " ".join(clean(self._post.title).split()) or "untitled"
            yield Static(Content(f"Export “{title[:60]}”"), classes="title")
            yield Static(classes="forms")
            yield Static(Content.styled("into the folder", "$text-muted"), classes="about")
            yield Input(words.path(self._folder), compact=True, select_on_focus=False)
            yield Static(classes="target")
            yield Static(Content("A file is not encrypted: whoever can read it can read it."), classes="about")
            yield Static(classes="wrong")
            yield key_line(("⏎", "write"), ("↑↓", "form"), ("esc", "leave"))

    def on_mount(self) -> None:
        """Shows the first form."""
        field = self.query_one(Input)
        field.cursor_position = len(field.value)
        self._show()

    def action_turn(self, step: int) -> None:
        """Another form."""
        self.form = FORMS[(FORMS.index(self.form) + step) % len(FORMS)]
        self._show()

    def _exported(self) -> Exported:
        return exported(self._post, self.form)

    @property
    def folder(self) -> Path:
        """The folder that is written in the field."""
        return Path(self._chosen).expanduser()

    @property
    def settles_address(self) -> bool:
        """Whether what was written has an address from now on: a page of a site, or a post that is out."""
        return self.form in ("hugo", "jekyll") or self._post.status == "published"

    @property
    def _chosen(self) -> str:
        return self.query_one(Input).value.strip()

    @on(Input.Changed)
    def _show(self) -> None:
        names = [_NAMES[form] for form in FORMS]
        self.query_one(".forms", Static).update(choice_words(names, _NAMES[self.form]))
        target = f"{self._chosen.rstrip('/')}/{self._exported().path}" if self._chosen else ""
        self.query_one(".target", Static).update(Content.styled(f"→ {clean(target)}" if target else "", "$secondary"))
        self._say("")
        self._replacing = None

    def _say(self, what: str) -> None:
        self.query_one(".wrong", Static).update(Content(clean(what)))

    @on(Input.Submitted)
    def _submitted(self) -> None:
        if not self._chosen:
            self._say("Name a folder.")
            return
        self.run_worker(self._write(), group="publish", exclusive=True, exit_on_error=False)

    async def _write(self) -> None:
        asked = (self.form, self._chosen)
        try:
            written = await publish(self._exported(), self.folder, replace=self._replacing == asked)
        except FileThereError as error:
            self._say(f"{error.message} Enter again replaces it.")
            self._replacing = asked
        except PlaygroundError as error:
            self._say(f"{error.message} {error.remedy}")
        else:
            self.dismiss(written)
