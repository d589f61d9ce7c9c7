"""Above an answer: what memory recalled for it, from where, to be opened or forgotten."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import events, getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message as TextualMessage
from textual.widget import Widget
from textual.widgets import Static

from app.privacy.terminal import clean
from app.tui.face import Face
from app.tui.words import cut

if TYPE_CHECKING:
    from app.memory.recall import Recalled

_TITLE, _TEXT = 34, 200


class RecalledView(Vertical):
    """One line; a click or a key unfolds the passages, and while they are unfolded the keys are theirs."""

    app = getters.app(Face)

    HELP = """\
What memory recalled for this answer: it stood before your question as a quotation. **Up** and **Down** choose a
passage; it can be opened where it was said, or be forgotten, so that it is never recalled again. The message itself
stays where it is.
"""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,o", "open", "Open", id="recalled.open"),
        Binding("f,delete", "forget", "Forget", id="recalled.forget"),
        Binding("u", "undo", "Undo", id="recalled.undo"),
        Binding("escape", "leave", "Back", key_display="esc", id="recalled.leave"),
        Binding("up,k", "step(-1)", "Up", show=False, id="recalled.up"),
        Binding("down,j", "step(1)", "Down", show=False, id="recalled.down"),
    ]

    class OpenWanted(TextualMessage):
        """The conversation or the post that a passage is from is to be shown."""

        def __init__(self, passage: Recalled) -> None:
            super().__init__()
            self.passage = passage

    class ForgetWanted(TextualMessage):
        """A passage is never to be recalled again, or, with ``undo``, may be recalled again after all."""

        def __init__(self, view: RecalledView, passage: Recalled, *, undo: bool = False) -> None:
            super().__init__()
            self.view, self.passage, self.undo = view, passage, undo

    class Left(TextualMessage):
        """The keys go back to where they were."""

        def __init__(self, back: Widget | None) -> None:
            super().__init__()
            self.back = back

    def __init__(self, passages: Sequence[Recalled]) -> None:
        super().__init__(classes="thinking recalled")
        self._passages = [PassageView(passage, place) for place, passage in enumerate(passages)]
        self._chosen = 0
        self._back: Widget | None = None
        self.open = False
        # Folded it is no stop of the Tab key: there may be many.
        self.can_focus = False

    def compose(self) -> ComposeResult:
        """The line, and the passages below it."""
        yield Static(self._heading(), classes="heading")
        with Vertical(classes="body") as body:
            body.display = False
            yield from self._passages

    def _heading(self) -> Content:
        titles = list(dict.fromkeys(passage.title for passage in self._passages))
        more = f" and {len(titles) - 1} more" if len(titles) > 1 else ""
        words = f"{'▾' if self.open else '▸'} recalled from {titles[0]}{more}"
        key = "" if self.open else self.app.key_of(self, "chat.recalled")
        return Content.assemble(words, (f"  {key}", "$text-disabled"))

    def unfold(self, open_: bool) -> None:
        """Opens and takes the keys, or folds."""
        self.open = self.can_focus = open_
        self.query_one(".body").display = open_
        self.query_one(".heading", Static).update(self._heading())
        if open_:
            self._back = self.screen.focused
            self._choose(self._chosen)
            self.focus()

    @property
    def chosen(self) -> PassageView:
        """The passage that the keys act on."""
        return self._passages[self._chosen]

    def _choose(self, place: int) -> None:
        self._chosen = max(0, min(place, len(self._passages) - 1))
        for passage in self._passages:
            passage.set_class(passage is self.chosen, "-chosen")
        self.chosen.scroll_visible(animate=False)
        self.refresh_bindings()

    def passage_changed(self, passage: Recalled, *, forgotten: bool) -> None:
        """A passage was forgotten, or is remembered again."""
        for view in self._passages:
            if view.passage.source_id == passage.source_id:
                view.mark_forgotten(forgotten)
        self.refresh_bindings()

    def on_click(self, event: events.Click) -> None:
        """The heading folds and unfolds; a passage is chosen."""
        widget = event.widget
        if widget is None:
            return
        if widget.has_class("heading"):
            event.stop()
            if self.open:
                self.action_leave()
            else:
                self.unfold(True)
        else:
            for place, passage in enumerate(self._passages):
                if passage in widget.ancestors_with_self:
                    event.stop()
                    self._choose(place)

    def on_deed_done(self, event: Deed.Done) -> None:
        """Words were clicked that do something."""
        event.stop()
        self._choose(event.place)
        if event.deed == "open":
            self.action_open()
        else:
            self.action_forget()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only keys that would do something here and now."""
        if action == "open":
            return self.open
        if action in ("forget", "undo"):
            return self.open and self.chosen.forgotten == (action == "undo")
        return True

    def action_step(self, step: int) -> None:
        """Chooses the next passage, or the one before."""
        self._choose(self._chosen + step)

    def action_open(self) -> None:
        """Goes to the conversation or the post that the passage is from."""
        self.post_message(self.OpenWanted(self.chosen.passage))

    def action_forget(self) -> None:
        """Never recalls the passage again; done twice, it may be recalled after all."""
        self.post_message(self.ForgetWanted(self, self.chosen.passage, undo=self.chosen.forgotten))

    def action_undo(self) -> None:
        """Takes forgetting back."""
        self.action_forget()

    def action_leave(self) -> None:
        """Folds, and gives the keys back."""
        self.unfold(False)
        self.post_message(self.Left(self._back))


class PassageView(Vertical):
    """One passage: who said it, when, and what can be done with it."""

    def __init__(self, passage: Recalled, place: int) -> None:
        super().__init__(classes="passage")
        self.passage, self._place = passage, place
        self.forgotten = False

    @property
    def title(self) -> str:
        """Where it is from."""
        title = " ".join(clean(self.passage.title).split()) or (
            "an untitled post" if self.passage.source == "post" else "an untitled conversation"
        )
        return f"“{cut(title, _TITLE)}”"

    def compose(self) -> ComposeResult:
        """The words, and the deeds."""
        yield Static(self._described(), classes="words")
        with Horizontal(classes="deeds"):
            what = "post" if self.passage.source == "post" else "conversation"
            yield Deed("open", f"open this {what}", self._place)
            yield Deed("forget", "forget this", self._place)

    def mark_forgotten(self, forgotten: bool) -> None:
        """Says that it is not recalled again, or that it may be."""
        self.forgotten = forgotten
        self.set_class(forgotten, "-forgotten")
        for deed in self.query(Deed):
            if deed.deed == "forget":
                deed.update(Content("forgotten · undo" if forgotten else "forget this"))

    def _described(self) -> Content:
        passage = self.passage
        day = time.strftime("%Y-%m-%d", time.localtime(max(0.0, passage.date)))
        who = "You" if passage.role == "user" else "Model"
        text = " ".join(clean(passage.text).split())
        # A conversation without a title of its own is called by its first words: not twice the same.
        where = "" if text.startswith(self.title.strip("“…”")) else f" in {self.title},"
        return Content(f"{who}, {day},{where} found by {passage.why}: {cut(text, _TEXT)}")


class Deed(Static):
    """Words that do something when they are clicked."""

    class Done(TextualMessage):
        """They were clicked."""

        def __init__(self, deed: str, place: int) -> None:
            super().__init__()
            self.deed, self.place = deed, place

    def __init__(self, deed: str, words: str, place: int) -> None:
        super().__init__(Content(words), classes="deed", id=f"{deed}-{place}")
        self.deed, self._place = deed, place

    def on_click(self, event: events.Click) -> None:
        """Says what is wanted."""
        event.stop()
        self.post_message(self.Done(self.deed, self._place))
