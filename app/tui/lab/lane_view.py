"""What one of several models says, beside the others."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from app.lab.lane import Lane
from app.messages import Failure
from app.privacy.terminal import clean
from app.tui import words
from app.tui.chat.answer_footer import waiting_words
from app.tui.chat.answer_text import AnswerText
from app.tui.chat.painter import StreamPainter
from app.tui.error_card import failure_words


class LaneView(Vertical):
    """A model's name, what it says, and its figures.

    Args:
        model: whose it is.
    """

    def __init__(self, model: str) -> None:
        super().__init__(classes="lane")
        self.model = model
        self._body = AnswerText("")
        self._painter = StreamPainter(self._append)
        self._lane: Lane | None = None
        self._painted = 0

    def compose(self) -> ComposeResult:
        """Name, text, figures."""
        yield Static(Content.styled(clean(self.model), "bold $primary"), classes="name")
        with VerticalScroll():
            yield self._body
        yield Static(classes="wrong")
        yield Static(Content.styled("waits", "$text-muted"), classes="figures")

    @property
    def text(self) -> str:
        """What it said last, cleaned."""
        return clean(self._lane.text) if self._lane is not None else ""

    def begin(self, lane: Lane, heading: str = "") -> None:
        """Another answer of it begins, below what it said before."""
        self._lane, self._painted = lane, 0
        if heading:
            self._painter.feed(f"\n\n### {heading}\n\n")
        self.query_one(".wrong", Static).display = False
        self._say_figures()

    def follow(self) -> None:
        """More of the answer has come."""
        if self._lane is None:
            return
        text = self._lane.text
        self._painter.feed(text[self._painted :])
        self._painted = len(text)
        self._say_figures()

    async def end(self) -> None:
        """Nothing more comes."""
        await self._painter.finish()

    async def _append(self, text: str) -> None:
        scroll = self.query_one(VerticalScroll)
        follows = scroll.max_scroll_y - scroll.scroll_y <= 1
        await self._body.append(text)
        if follows:
            scroll.scroll_end(animate=False)

    def _say_figures(self) -> None:
        lane = self._lane
        assert lane is not None, "there are figures once it was begun"
        if lane.error is not None:
            wrong = self.query_one(".wrong", Static)
            wrong.update(failure_words(Failure.of(lane.error)))
            wrong.display = True
        self.query_one(".figures", Static).update(Content.styled(figures(lane), "$text-muted"))


def figures(lane: Lane) -> str:
    """How fast, how much, for how much; or why nothing has come yet."""
    if lane.error is not None:
        return "failed"
    if lane.waiting is not None:
        return waiting_words(lane.waiting, lane.model)
    if lane.finished is None:
        return "writing …" if lane.first_token_s is not None else "waiting"
    known = [words.plural(lane.tokens, "token")] if lane.tokens else []
    if lane.tokens_per_second:
        known.append(words.speed(lane.tokens_per_second))
    if lane.first_token_s is not None:
        known.append(f"first after {words.seconds(lane.first_token_s)}")
    if lane.cost is not None:
        known.append(f"${lane.cost:.4f}")
    return " · ".join(known)
