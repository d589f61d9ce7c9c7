"""What a worker has said about one request and its reader has not yet taken."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from app.engine.frames import Failed, Piece, Prefilling
from app.engine.thinking import ThinkingSplitter
from app.engine.tool_calls import ToolCallSplitter
from app.errors import PlaygroundError, error_codes
from app.messages import (
    ChosenToken,
    Delta,
    Finished,
    Started,
    TextDelta,
    ThinkingDelta,
    Timings,
    ToolCallDelta,
    Usage,
    Waiting,
)


class Inbox:
    """Collects a request's events until its reader comes for them.

    A reader that falls behind finds one longer text instead of many short ones, so nothing here grows beyond the answer
    itself, and no other request ever waits for it.
    """

    def __init__(self) -> None:
        self._prefilling: Prefilling | None = None
        self._texts: list[str] = []
        self._logprobs: list[ChosenToken] = []
        self._end: Piece | PlaygroundError | None = None
        self._reader: asyncio.Future[None] | None = None

    @property
    def ended(self) -> bool:
        """Whether the worker has nothing more to say about this request."""
        return self._end is not None

    def prefilling(self, event: Prefilling) -> None:
        """The prompt is being computed; only the newest report matters."""
        self._prefilling = event
        self._wake()

    def piece(self, piece: Piece) -> None:
        """More of the answer."""
        self._texts.append(piece.text)
        if piece.logprobs:
            self._logprobs.extend(piece.logprobs)
        if piece.reason is not None:
            self._end = piece
        self._wake()

    def fail(self, error: PlaygroundError) -> None:
        """The request ends badly; what came before stays good. An end that is already known stays."""
        if self._end is None:
            self._end = error
            self._wake()

    async def take(self) -> Batch:
        """Waits until there is something, and takes all of it."""
        while not (self._texts or self._prefilling or self._end):
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        batch = Batch(self._prefilling, "".join(self._texts), tuple(self._logprobs), bool(self._texts), self._end)
        self._prefilling = None
        self._texts.clear()
        self._logprobs.clear()
        return batch

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)


class Batch:
    """What an ``Inbox`` held: at most one report of the prompt, one text, and the end."""

    __slots__ = ("answering", "end", "logprobs", "prefilling", "text")

    def __init__(
        self,
        prefilling: Prefilling | None,
        text: str,
        logprobs: tuple[ChosenToken, ...],
        answering: bool,
        end: Piece | PlaygroundError | None,
    ) -> None:
        self.prefilling, self.text, self.logprobs = prefilling, text, logprobs
        self.answering, self.end = answering, end


class AnswerReader:
    """Turns a request's batches into the deltas that every face understands, in their order.

    Args:
        tools: names of those that the model may call.
    """

    def __init__(self, model: str, context: int, tools: Sequence[str] = ()) -> None:
        self._model, self._context = model, context
        self._splitter = ThinkingSplitter()
        self._calls = ToolCallSplitter(tools) if tools else None
        self._started = False
        self._prompt_tokens = self._cached_tokens = 0
        self._logprobs: tuple[ChosenToken, ...] = ()

    def deltas(self, batch: Batch) -> Iterator[Delta]:
        """What to tell of a batch.

        Raises:
            PlaygroundError: the request's own error, after everything that came before it.
        """
        report = batch.prefilling
        if report is not None and not self._started:
            self._prompt_tokens, self._cached_tokens = report.prompt_tokens, report.cached_tokens
            self._splitter = ThinkingSplitter(inside=report.thinking)
            yield Waiting("prefill", report.done_tokens, report.prompt_tokens)
        if batch.answering:
            yield from self._start(None)
            yield from self._said(*self._splitter.feed(batch.text), batch.logprobs)
        if isinstance(batch.end, Piece):
            usage = batch.end.usage or Usage()
            yield from self._start(usage)
            yield from self._rest()
            reason = batch.end.reason or "stop"
            if reason == "stop" and self._calls is not None and self._calls.called:
                reason = "tool_calls"
            yield Finished(reason, usage, batch.end.timings or Timings(), batch.end.stop)
        elif batch.end is not None:
            yield from self._rest()
            raise batch.end

    def _start(self, usage: Usage | None) -> Iterator[Delta]:
        if self._started:
            return
        self._started = True
        prompt = usage.prompt_tokens if usage else self._prompt_tokens
        cached = usage.cached_tokens if usage else self._cached_tokens
        yield Started(self._model, "local", prompt, cached, self._context)

    def _said(self, thinking: str, answer: str, logprobs: tuple[ChosenToken, ...]) -> Iterator[Delta]:
        self._logprobs += logprobs
        if thinking:
            # Log-probabilities are reported for the answer; those of the thinking go with it.
            self._logprobs = ()
            yield ThinkingDelta(thinking)
        if answer and self._calls is None:
            yield self._text(answer)
        elif answer and self._calls is not None:
            yield from self._told(self._calls.feed(answer))

    def _told(self, found: Iterator[str | ToolCallDelta]) -> Iterator[Delta]:
        for part in found:
            if isinstance(part, str):
                yield self._text(part)
            else:
                # What was held back until it was known to be a call has its log-probabilities dropped with its text.
                self._logprobs = ()
                yield part

    def _text(self, text: str) -> TextDelta:
        found, self._logprobs = self._logprobs, ()
        return TextDelta(text, found)

    def _rest(self) -> Iterator[Delta]:
        thinking, answer = self._splitter.finish()
        yield from self._said(thinking, answer, ())
        if self._calls is not None:
            yield from self._told(self._calls.finish())
        if self._logprobs and not (self._calls is not None and self._calls.called):
            yield TextDelta("", self._logprobs)


def error_of(event: Failed) -> PlaygroundError:
    """The error that crossed the pipe, raised again as its own class."""
    return error_codes().get(event.code, PlaygroundError)(event.message, event.remedy)
