"""What a model proposes to change, piece by piece: each is taken or left."""

from __future__ import annotations

import asyncio
from typing import ClassVar, Literal

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from app.tui import words
from app.writing.assistant import Ended
from app.writing.diffs import Hunk, apply, hunks

from .assist_screen import AssistScreen, Job
from .hunk_words import hunk_words

Verdict = Literal["open", "accepted", "rejected"]

_SHOWN = 1_200
"""Characters of what streams in that are shown while it does."""

_MARKS: dict[Verdict, tuple[str, str]] = {
    "open": ("", "$text-muted"),
    "accepted": ("✓ accepted", "bold $success"),
    "rejected": ("✗ rejected", "bold $text-error"),
}


class HunkCard(Static):
    """One change."""

    class Clicked(Message):
        """It was clicked."""

        def __init__(self, place: int) -> None:
            super().__init__()
            self.place = place

    def __init__(self, place: int) -> None:
        super().__init__(classes="hunk")
        self.place = place
        self._said: tuple[object, ...] | None = None

    def say(self, hunk: Hunk, verdict: Verdict, head: str, body: Content) -> None:
        """Shows a change and what was decided of it."""
        said = (hunk, verdict, head)
        if said == self._said:
            return
        self._said = said
        mark, colour = _MARKS[verdict]
        line = Content.assemble((head, "$text-muted"), ("   " if mark else "", ""), (mark, colour))
        self.update(Content("\n").join([line, body]))
        for name in ("accepted", "rejected"):
            self.set_class(verdict == name, f"-{name}")

    def on_click(self, event: events.Click) -> None:
        """A click chooses it."""
        event.stop()
        self.post_message(self.Clicked(self.place))


class ProposalScreen(AssistScreen[str]):
    """The changes one below the other. Its answer is the new text, with what was accepted and without the rest."""

    HELP = """\
What the model would change. **a** accepts the change with the bar, **r** rejects it, **n** and **p** go to the next
and the one before, **A** accepts all. **Enter** puts what was accepted into the post; what was not decided stays as
it is. The post as it was is kept among its revisions.
"""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "decide('accepted')", "Accept", id="proposal.accept"),
        Binding("r", "decide('rejected')", "Reject", id="proposal.reject"),
        Binding("n,down", "step(1)", "Next", id="proposal.next"),
        Binding("p,up", "step(-1)", "Before", id="proposal.previous"),
        Binding("A", "accept_all", "Accept all", id="proposal.accept_all"),
        Binding("enter", "finish", "Put in", id="proposal.finish"),
    ]
    AUTO_FOCUS = "VerticalScroll"

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.hunks: tuple[Hunk, ...] = ()
        self.verdicts: list[Verdict] = []
        self.chosen = 0
        self._whole_parts = job.old
        self._newest = job.old
        self._text = ""
        self._done = 0

    def compose(self) -> ComposeResult:
        """What is done, the changes, the keys."""
        with Vertical(classes="dialog proposal"):
            yield self.head()
            yield self.wrong()
            with VerticalScroll():
                yield Static("", classes="nothing")
            yield self.hint()

    # What comes

    def _begin(self) -> None:
        self.hunks, self.verdicts, self.chosen = (), [], 0
        self._whole_parts = self._newest = self.job.old
        self._text, self._done = "", 0
        super()._begin()

    async def _run(self) -> None:
        await self._show_hunks([])
        await super()._run()

    async def part_done(self) -> None:
        """What was proposed so far is whole, and can be used whatever comes."""
        if self._text:
            self._whole_parts, self._done = self._newest, len(self._text)
            await self._compare(self._whole_parts)

    async def proposed(self, text: str, rest: str) -> None:
        """Shows what comes for the part that is being done; it is compared once it is whole."""
        self._newest, self._text = self.job.whole(text + rest), text
        coming = self.query_one(".nothing", Static)
        coming.display = True
        coming.update(Content.styled(text[self._done :].lstrip()[-_SHOWN:], "italic $text-muted"))
        self.query_one(VerticalScroll).scroll_end(animate=False)

    async def ended(self, result: Ended) -> None:
        """Shows all changes, to be decided."""
        await self._compare(self.job.whole(result.text))

    async def failed(self) -> None:
        """Leaves the changes of the parts that were done."""
        await self._compare(self._whole_parts)

    async def _compare(self, new: str) -> None:
        old, sixteen = self.job.old, self.sixteen

        def compared() -> tuple[tuple[Hunk, ...], list[Content]]:
            found = hunks(old, new)
            return found, [hunk_words(hunk, sixteen=sixteen) for hunk in found]

        found, painted = await asyncio.to_thread(compared)
        self.hunks = found
        self.verdicts = ["open"] * len(found)
        self.chosen = 0
        await self._show_hunks(painted)

    async def _show_hunks(self, painted: list[Content]) -> None:
        holder = self.query_one(VerticalScroll)
        nothing = self.query_one(".nothing", Static)
        nothing.display = self.running or not painted
        nothing.update(
            Content.styled("…" if self.running else "The model would change nothing.", "$text-muted")
            if self.failure is None
            else ""
        )
        cards = list(self.query(HunkCard))
        for card in cards[len(painted) :]:
            await card.remove()
        if len(painted) > len(cards):
            # What is still coming stands below what is done.
            new = [HunkCard(place) for place in range(len(cards), len(painted))]
            await holder.mount_all(new, before=nothing)
        self._painted = painted
        self._show_verdicts()
        if self.running and painted:
            holder.scroll_end(animate=False)
        else:
            holder.scroll_home(animate=False)

    _painted: list[Content] = []  # noqa: RUF012 (replaced, never changed)

    def _show_verdicts(self) -> None:
        for card in self.query(HunkCard):
            if card.place < len(self.hunks):
                hunk = self.hunks[card.place]
                head = f"{card.place + 1} of {len(self.hunks)} · {_place_words(hunk)}"
                card.say(hunk, self.verdicts[card.place], head, self._painted[card.place])
                card.set_class(card.place == self.chosen and not self.running, "-chosen")

    def keys(self) -> list[tuple[str, str]]:
        """What can be done with the changes."""
        if not self.hunks:
            return []
        accepted = self.verdicts.count("accepted")
        return [
            ("a", "accept"),
            ("r", "reject"),
            ("n p", "move"),
            ("A", "all"),
            ("⏎", f"put in {accepted} of {len(self.hunks)}"),
        ]

    # What is decided

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing is decided while it still changes."""
        if action in ("decide", "step", "accept_all", "finish"):
            return not self.running and bool(self.hunks)
        return super().check_action(action, parameters)

    def action_decide(self, verdict: Verdict) -> None:
        """Takes or leaves the chosen change, and goes on to the next that is open."""
        self.verdicts[self.chosen] = verdict
        after = [*range(self.chosen + 1, len(self.hunks)), *range(self.chosen)]
        self._choose(next((place for place in after if self.verdicts[place] == "open"), self.chosen))

    def action_step(self, step: int) -> None:
        """Chooses the next change, or the one before."""
        self._choose(max(0, min(self.chosen + step, len(self.hunks) - 1)))

    def on_hunk_card_clicked(self, event: HunkCard.Clicked) -> None:
        """Chooses the one that was clicked."""
        event.stop()
        if not self.running:
            self._choose(event.place)

    def _choose(self, place: int) -> None:
        self.chosen = place
        self._show_verdicts()
        self._show_state()
        for card in self.query(HunkCard):
            if card.place == place:
                card.scroll_visible(animate=False)

    def action_accept_all(self) -> None:
        """Accepts all that were not rejected, and puts them in."""
        self.verdicts = ["accepted" if verdict == "open" else verdict for verdict in self.verdicts]
        self.action_finish()

    def action_finish(self) -> None:
        """Gives the text with what was accepted."""
        accepted = {place for place, verdict in enumerate(self.verdicts) if verdict == "accepted"}
        self.dismiss(apply(self.job.old, self.hunks, accepted) if accepted else None)


def _place_words(hunk: Hunk) -> str:
    lines = len(hunk.old) or len(hunk.new)
    kinds = {"added": "new", "removed": "goes", "changed": "changed"}
    return f"{kinds[hunk.kind]} · line {hunk.start + 1}" + (f", {words.plural(lines, 'line')}" if lines > 1 else "")
