"""The list of posts: search, open, begin, put into the bin and take out again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from app.tui import words
from app.tui.face import Face
from app.tui.row_list import RowList
from app.tui.surroundings import PaneSurroundings

from .post_bin import PostBin
from .post_list import PostList

if TYPE_CHECKING:
    from app.tui.pane import Pane
    from app.vault.posts.posts import PostShelf
    from app.vault.posts.records import PostLine
    from app.vault.vault import Vault

_MOST = 5_000
"""Posts of a list: far more than a person writes."""

_TYPING_PAUSE = 0.15
_OUT_OF_BIN = frozenset({"open", "delete", "particulars", "export"})
_IN_BIN = frozenset({"restore", "purge"})


class Shelf(Vertical):
    """Every post, the latest first."""

    HELP = """\
Every post that is kept in the vault. **Enter** opens the chosen one, **n** begins another, **/** searches titles,
tags and texts. What is deleted lies in the bin until it is deleted there too.
"""

    DEFAULT_CSS = """
    Shelf { height: 1fr; width: 1fr; }
    Shelf > #shelf-head { height: 1; margin: 0 1; color: $text-muted; }
    Shelf > Input { height: 1; width: 1fr; margin: 1 1 1 1; padding: 0 1; border: none; background: $surface; }
    Shelf > Input:focus { background: $panel; background-tint: transparent; border: none; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", id="blog.open"),
        Binding("n", "new", "New", id="blog.new"),
        Binding("slash", "search", "Search", key_display="/", id="blog.search"),
        Binding("b", "restore", "Bring back", id="blog.restore"),
        Binding("d,delete", "delete", "Delete", id="blog.delete"),
        Binding("d,delete", "purge", "Delete for good", id="blog.purge"),
        Binding("u", "undo", "Undo", id="blog.undo"),
        Binding("t", "particulars", "Title and tags", id="blog.particulars"),
        Binding("e", "export", "Export", id="blog.export"),
        Binding("tab", "shelf", "Bin", id="blog.shelf"),
        Binding("escape", "all", "All", key_display="esc", id="blog.all"),
    ]

    app = getters.app(Face)

    class OfPost(Message):
        """Something about one post."""

        def __init__(self, post_id: str) -> None:
            super().__init__()
            self.post_id = post_id

    class OpenWanted(OfPost):
        """A post shall be written on."""

    class NewWanted(Message):
        """A post shall be begun."""

    class ParticularsWanted(OfPost):
        """Its title, tags and so on shall be changed."""

    class ExportWanted(OfPost):
        """It shall be written to a file."""

    class Gone(OfPost):
        """It was put into the bin, or removed for good."""

    def __init__(self, pane: Pane, vault: Vault, clock: Callable[[], float]) -> None:
        super().__init__(id="post-shelf")
        self._pane, self._vault, self._clock = pane, vault, clock
        self._shelf: PostShelf = "current"
        self._bin = PostBin(
            vault.posts,
            PaneSurroundings(pane, self),
            gone=lambda one: self.post_message(self.Gone(one)),
            reload=self.reload,
        )
        self._wanted_id: str | None = None

    def compose(self) -> ComposeResult:
        """How many there are, the field, the list."""
        yield Static(id="shelf-head")
        yield Input(placeholder="/  search titles, tags and texts", compact=True, select_on_focus=False)
        yield PostList(self._clock)

    @property
    def chosen(self) -> PostLine | None:
        """The chosen post."""
        return self.query_one(PostList).line

    def take_focus(self) -> None:
        """Puts the keys to the list."""
        self.query_one(PostList).focus()

    def forget(self) -> None:
        """Shows nothing of what is kept."""
        self._bin.forget()
        self._shelf = "current"
        self.query_one(Input).value = ""
        self.query_one(PostList).forget()
        self._say_instead(0)

    # Reading

    def reload(self, chosen_id: str | None = None) -> None:
        """Shows what the vault holds now."""
        if chosen_id is not None:
            self._wanted_id = chosen_id
        self._pane.do(self._read(0.0), "posts", exclusive=True)

    async def _read(self, pause: float) -> None:
        await asyncio.sleep(pause)
        if self._vault.state != "open":
            self._say_instead(0)
            return
        written = self.query_one(Input).value
        posts, rows = self._vault.posts, self.query_one(PostList)
        in_bin = await posts.count("bin")
        if written.strip():
            hits = await posts.search(written, _MOST, shelf=self._shelf)
            rows.show_hits(hits, self._take_wanted_id())
        else:
            lines = await posts.lines(0, _MOST, shelf=self._shelf)
            rows.show_lines(lines, self._take_wanted_id())
        self._say_instead(in_bin)

    def _take_wanted_id(self) -> str | None:
        wanted, self._wanted_id = self._wanted_id, None
        return wanted

    def _say_instead(self, in_bin: int) -> None:
        rows = self.query_one(PostList)
        if self._shelf == "bin":
            head = [(" Bin ", "bold $on-colour on $primary"), (f"  {words.plural(rows.count, 'post')}", "$text-muted")]
        else:
            found = " found" if self.query_one(Input).value.strip() else ""
            head = [(f"{words.plural(rows.count, 'post')}{found}", "$foreground")]
            head += [(f" · {words.count(in_bin)} in the bin", "$text-muted")] if in_bin else []
        self.query_one("#shelf-head", Static).update(Content.assemble(*head))
        rows.say_instead(self._nothing())
        self.refresh_bindings()

    def _nothing(self) -> Content:
        if self._vault.state != "open":
            return Content.styled("The vault is locked.", "$text-muted")
        if self.query_one(Input).value.strip():
            return Content.styled("Nothing was found.", "$text-muted")
        if self._shelf == "bin":
            return Content.styled("The bin is empty.", "$text-muted")
        key = self.app.key_of(self, "blog.new", "n")
        return Content.assemble(
            ("Nothing written yet. Every post is kept here, encrypted.", "$foreground"),
            ("\n\n", ""),
            (key, "bold $primary"),
            (" begins one", "$text-muted"),
        )

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only keys that would do something now."""
        if not self.is_mounted:
            return True
        if self._vault.state != "open":
            return False
        in_bin = self._shelf == "bin"
        if (action in _IN_BIN and not in_bin) or (action in _OUT_OF_BIN and in_bin):
            return False
        if action in _IN_BIN | _OUT_OF_BIN:
            return self.chosen is not None
        if action == "undo":
            return self._bin.can_undo
        if action == "all":
            return in_bin or bool(self.query_one(Input).value) or self.query_one(Input).has_focus
        return True

    @on(Input.Changed)
    def _typed(self) -> None:
        self._pane.do(self._read(_TYPING_PAUSE), "posts", exclusive=True)

    @on(Input.Submitted)
    def _to_list(self) -> None:
        self.take_focus()

    @on(RowList.Taken)
    def _taken(self, event: RowList.Taken) -> None:
        event.stop()
        if self._shelf == "current":
            self.action_open()

    @on(RowList.Moved)
    def _moved(self, event: RowList.Moved) -> None:
        event.stop()
        self.refresh_bindings()

    def action_open(self) -> None:
        """Goes on with the chosen post."""
        if self.chosen is not None:
            self.post_message(self.OpenWanted(self.chosen.id))

    def action_new(self) -> None:
        """Begins a post."""
        self.post_message(self.NewWanted())

    def action_search(self) -> None:
        """Puts the keys to the field."""
        self.query_one(Input).focus()

    def action_all(self) -> None:
        """Shows all posts again."""
        self._shelf = "current"
        self.query_one(Input).value = ""
        self.take_focus()
        self.reload()

    def action_shelf(self) -> None:
        """Shows the bin, or what is not in it; from the field, goes to the list."""
        if self.query_one(Input).has_focus:
            self.take_focus()
            return
        self._shelf = "bin" if self._shelf == "current" else "current"
        self.query_one(PostList).chosen = 0
        self.reload()

    def action_particulars(self) -> None:
        """Asks for title, tags and the rest."""
        if self.chosen is not None:
            self.post_message(self.ParticularsWanted(self.chosen.id))

    def action_export(self) -> None:
        """Asks for a form and a folder."""
        if self.chosen is not None:
            self.post_message(self.ExportWanted(self.chosen.id))

    # The bin

    def action_delete(self) -> None:
        """Puts the post into the bin."""
        if self.chosen is not None:
            self._pane.do(self._bin.delete(self.chosen))

    def action_undo(self) -> None:
        """Brings back what was deleted last."""
        self._bin.undo()

    def action_restore(self) -> None:
        """Takes the post out of the bin."""
        if self.chosen is not None:
            self._pane.do(self._bin.restore(self.chosen))

    def action_purge(self) -> None:
        """Removes the post for good, after a question."""
        if self.chosen is not None:
            self._bin.ask_to_purge(self.chosen)
