"""One answer on the screen while it comes."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import aclosing

import msgspec

from app.chat import AnswerBegun, AnswerEnded, Asking, Conversation, TextArrived, ThinkingArrived
from app.chat.recalling import RecalledNow, RecallFailed
from app.messages import Node, Rerouted, Started, Waiting
from app.privacy.terminal import clean
from app.tui.bars.status import ModelState, Status

from .answer_footer import waiting_words
from .message_view import AnswerView
from .painter import PacedPainter, StreamPainter
from .transcript import Transcript

REPORT_EVERY = 0.25
"""Seconds between changes of the figures in the status line: faster cannot be read."""


class LiveAnswer:
    """Runs an exchange and paints what comes of it; the conversation keeps it whether it is painted or not.

    With ``pacing`` the answer is shown in groups of words, at most about two seconds late, and at once when stopped.
    ``sends_to`` tells where what is said to a model goes.
    """

    def __init__(
        self,
        conversation: Conversation,
        exchange: Asking,
        transcript: Transcript,
        status: Status,
        report: Callable[[Status], None],
        *,
        pacing: bool = False,
        sends_to: Callable[[str], str] = lambda model: "",
    ) -> None:
        self._conversation = conversation
        self._exchange = exchange
        self._transcript = transcript
        self._status = status
        self._report = report
        self._sends_to = sends_to
        self._instead: tuple[str, str] | None = None
        painter = StreamPainter(self._write_text)
        self._text = PacedPainter(painter) if pacing else painter
        self._thinking = StreamPainter(self._write_thinking)
        self._pieces = 0
        self._asked_at = time.monotonic()
        self._first_at = 0.0
        self._reported_at = 0.0
        self.node: Node | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing of the answer has come yet."""
        return self._pieces == 0

    def say(self, words: str) -> None:
        """Shows why nothing has come yet, in the answer's place."""
        view = self._view()
        if view is not None:
            view.say(words)

    async def run(self, question_id: str) -> None:
        """Answers a question; returns when the answer is over, raises ``CancelledError`` when it was stopped."""
        try:
            async with aclosing(self._exchange.run(question_id)) as events:
                async for event in events:
                    if isinstance(event, TextArrived):
                        self._text.feed(event.text)
                        self._count()
                    elif isinstance(event, ThinkingArrived):
                        self._thinking.feed(event.text)
                        self._count()
                    elif isinstance(event, AnswerBegun):
                        self.node = event.node
                        await self._transcript.show()
                        self._transcript.to_end()
                    elif isinstance(event, RecalledNow) and self.node is not None:
                        await self._transcript.show_recalled(self.node.id, event.passages)
                    elif isinstance(event, RecallFailed):
                        view = self._view()
                        if view is not None:
                            await view.show_recall_failed(event.reason)
                    elif isinstance(event, Waiting):
                        self._waiting(event)
                    elif isinstance(event, Rerouted):
                        self._rerouted(event)
                    elif isinstance(event, Started):
                        self._started(event)
                    elif isinstance(event, AnswerEnded):
                        self.node = event.node
            if isinstance(self._text, PacedPainter):
                await self._text.drain()
        finally:
            await self._thinking.finish()
            await self._text.finish()

    async def settle(self) -> None:
        """Shows how the answer ended, from what the conversation kept."""
        if self.node is None:
            return
        if self.node.id in self._conversation:
            self.node = self._conversation.node(self.node.id)
            view = self._view()
            if view is not None:
                siblings = [node.id for node in self._conversation.siblings(self.node.id)]
                await view.end(self.node, (siblings.index(self.node.id) + 1, len(siblings)))
        node = self.node
        tokens = node.usage.completion_tokens if node.usage else 0
        speed = node.timings.tokens_per_second(tokens) if node.timings else self._status.speed
        used = node.usage.total_tokens if node.usage else self._status.used
        state: ModelState = "remote" if self._status.sends_to else "ready"
        self._tell(force=True, state=state, speed=speed, used=used, note="")

    def _view(self) -> AnswerView | None:
        return None if self.node is None else self._transcript.answer_view(self.node.id)

    async def _write_text(self, text: str) -> None:
        view = self._view()
        if view is not None:
            await view.append(text)
            await self._transcript.let_rest()

    async def _write_thinking(self, text: str) -> None:
        view = self._view()
        if view is not None:
            await view.append_thinking(text)

    def _waiting(self, waiting: Waiting) -> None:
        view = self._view()
        if view is not None and self._instead is not None:
            model, asked = self._instead
            view.say(f"{waiting_words(waiting, model)} · {model} instead of {asked}, which could not answer")
        elif view is not None:
            view.say(waiting)
        self._tell(force=True, state="loading" if waiting.stage == "loading" else "answering")

    def _rerouted(self, rerouted: Rerouted) -> None:
        reason = clean(rerouted.reason).strip()
        self.say(f"{clean(rerouted.model)} could not answer: {reason} Asking {clean(rerouted.next_model)}.")
        self._instead = (clean(rerouted.next_model), clean(rerouted.model))
        self._tell(force=True, sends_to=self._sends_to(rerouted.next_model))

    def _started(self, started: Started) -> None:
        note, sends_to = "", self._status.sends_to
        if started.model and started.model != self._status.model:
            note, sends_to = f"{clean(started.model)} answers", self._sends_to(started.model)
            view = self._view()
            if view is not None:
                view.answered_by(started.model)
        self._tell(
            force=True,
            state="answering",
            note=note,
            sends_to=sends_to,
            used=started.prompt_tokens or self._status.used,
            context=started.context or self._status.context,
        )

    def _count(self) -> None:
        now = time.monotonic()
        if not self._pieces:
            self._first_at = now
            self._tell(force=True, state="answering", first_token=now - self._asked_at)
        self._pieces += 1
        if self._pieces > 4 and now - self._reported_at >= REPORT_EVERY:
            used = self._status.used + round(self._pieces)
            self._report(msgspec.structs.replace(self._status, used=used, speed=self._speed(now)))
            self._reported_at = now

    def _speed(self, now: float) -> float:
        # A piece is about a token; the exact figure comes at the end.
        return (self._pieces - 1) / (now - self._first_at) if now > self._first_at else 0.0

    def _tell(self, *, force: bool = False, **changes: object) -> None:
        self._status = msgspec.structs.replace(self._status, **changes)
        if force:
            self._report(self._status)
