"""What stands at the head of a post: title, slug, tags, date, whether it is a draft."""

from __future__ import annotations

import time
from datetime import datetime
from typing import ClassVar, get_args

from msgspec import Struct
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.reactive import reactive
from textual.types import CSSPathType
from textual.widget import Widget
from textual.widgets import Input, Static

from app.privacy.terminal import clean
from app.tui.dialogs.dialog import Dialog
from app.tui.dialogs.dialog_lines import choice_words, key_line
from app.tui.sessions.tags import split_tags
from app.vault.posts.records import Post, PostStatus
from app.vault.posts.slugs import address_of, slug_of


class Particulars(Struct, frozen=True):
    """What a person chose, as the post's fields."""

    title: str
    slug: str
    tags: tuple[str, ...]
    date: float | None
    status: PostStatus


class StatusField(Widget, can_focus=True):
    """Draft or published; a space or an arrow changes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,left,right", "turn", "Change", id="particulars.turn"),
        Binding("enter", "screen.save", "Save", id="particulars.save"),
    ]
    DEFAULT_CSS = "StatusField { height: 1; width: 1fr; padding: 0 1; } StatusField:focus { background: $panel; }"

    status: reactive[PostStatus] = reactive("draft")

    def render(self) -> Content:
        """Both words, one of them marked."""
        return choice_words(get_args(PostStatus), self.status, gap=" ")

    def action_turn(self) -> None:
        """The other one."""
        self.status = "published" if self.status == "draft" else "draft"

    def on_click(self, _event: events.Click) -> None:
        """A click changes it too."""
        self.action_turn()


class ParticularsDialog(Dialog[Particulars]):
    """A field for each; Enter in any of them saves all."""

    CSS_PATH: ClassVar[CSSPathType | None] = ["../dialogs/dialogs.tcss", "dialogs.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "app.focus_next", "Next field", show=False, id="particulars.next"),
        Binding("up", "app.focus_previous", "Field before", show=False, id="particulars.previous"),
    ]
    AUTO_FOCUS = "#of-title"

    def __init__(self, post: Post) -> None:
        super().__init__()
        self._post = post

    def compose(self) -> ComposeResult:
        """The fields, filled with what holds now."""
        post = self._post
        fields = (
            ("title", clean(post.title), "Title"),
            ("slug", clean(_slug(post)), "made from the title"),
            ("tags", clean(", ".join(post.tags)), "sea, winter"),
            ("date", date_words(post.date), "2026-11-21 or 2026-11-21 09:30; empty while that is open"),
        )
        with Vertical(classes="dialog"):
            yield Static(Content("Title and tags"), classes="title")
            for name, value, placeholder in fields:
                with Horizontal(classes="row"):
                    yield Static(name, classes="label")
                    yield Input(value, placeholder=placeholder, compact=True, select_on_focus=False, id=f"of-{name}")
            with Horizontal(classes="row"):
                yield Static("status", classes="label")
                yield StatusField()
            yield Static(classes="wrong")
            yield key_line(("⏎", "save"), ("↑↓", "field"), ("esc", "leave as it was"))

    def on_mount(self) -> None:
        """Shows the status, and the slug that the title makes."""
        self.query_one(StatusField).status = self._post.status
        self._show_slug()

    def _value(self, name: str) -> str:
        return self.query_one(f"#of-{name}", Input).value.strip()

    @on(Input.Changed)
    def _calm(self) -> None:
        self.query_one(".wrong", Static).update("")
        self._show_slug()

    def _show_slug(self) -> None:
        title = self._value("title")
        self.query_one("#of-slug", Input).placeholder = slug_of(title) if title else "made from the title"

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.action_save()

    def action_save(self) -> None:
        """Closes with what was chosen, or says what is wrong with the date."""
        written, status = self._value("date"), self.query_one(StatusField).status
        try:
            date = read_date(written)
        except ValueError:
            wrong = f"{clean(written)!r} is no date; expected one like 2026-11-21 or 2026-11-21 09:30."
            self.query_one(".wrong", Static).update(Content(wrong))
            self.query_one("#of-date", Input).focus()
            return
        if written == date_words(self._post.date):
            # The field shows minutes; what it was to the second stays.
            date = self._post.date
        if status == "published" and date is None:
            date = time.time()
        title = self._value("title")
        # What is out keeps its address, whatever its title becomes later.
        slug = self._value("slug") or (title if status == "published" else "")
        self.dismiss(
            Particulars(
                title=title,
                slug=slug_of(slug) if slug else "",
                tags=split_tags(self._value("tags")),
                date=date,
                status=status,
            )
        )


def _slug(post: Post) -> str:
    """The slug that the post has; one that is out has one in any case."""
    return post.slug or (address_of(post) if post.status == "published" and post.title else "")


def date_words(at: float | None) -> str:
    """A date as it is written in the field, in this machine's time; midnight needs no hour."""
    if at is None:
        return ""
    try:
        moment = datetime.fromtimestamp(at)
    except (OverflowError, OSError, ValueError):
        return ""
    return moment.strftime("%Y-%m-%d") if (moment.hour, moment.minute) == (0, 0) else moment.strftime("%Y-%m-%d %H:%M")


def read_date(written: str) -> float | None:
    """Seconds since 1970; ``None`` for nothing.

    Raises:
        ValueError: when it is no date.
    """
    if not written:
        return None
    try:
        return datetime.fromisoformat(written).timestamp()
    except (OverflowError, OSError) as error:
        raise ValueError(written) from error
