"""One request as it runs, watched for its note."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from app.errors import PlaygroundError, UnknownModelError
from app.messages import (
    ChatRequest,
    Delta,
    Finished,
    Image,
    Message,
    Rerouted,
    Started,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    Usage,
    Waiting,
)
from app.routing.recording import Recording

if TYPE_CHECKING:
    from app.vault.activity.audit import AuditNote
    from app.vault.activity.usage import UsageRow

Outcome = Literal["finished", "stopped", "failed"]
Cost = Callable[[str, Usage], float | None]
"""US dollars for what a model did; ``None`` where its price is not known."""

_EMPTY: tuple[Any, ...] = ({}, [], ())
_MOST_OF_A_BODY = 1024 * 1024


class Watched:
    """What is known of one request so far.

    Args:
        asked: the model.
        face: what asks.
        kind: ``chat`` or ``raw``.
        body: what is asked, when it is to be kept.
    """

    def __init__(self, asked: str, face: str, *, kind: str = "chat", body: Any = None) -> None:
        self.asked, self.face, self.kind, self.body = asked, face, kind, body
        self.at = time.time()
        self._began = time.monotonic()
        self.model = self.backend = ""
        self.from_cache = False
        self.attempts = 1
        self.detours: tuple[Rerouted, ...] = ()
        self.usage = Usage()
        self.outcome: Outcome = "stopped"
        self.finished: Finished | None = None
        self.error: PlaygroundError | None = None
        self.first_token_s: float | None = None
        self.total_s = 0.0
        self._pieces = 0
        self._recording = Recording(_MOST_OF_A_BODY) if body is not None else None

    def saw(self, delta: Delta) -> None:
        """Takes the next delta of the answer."""
        if self._recording is not None:
            self._recording.add(TextDelta(delta.text) if isinstance(delta, TextDelta) else delta)
        match delta:
            case TextDelta() | ThinkingDelta() | ToolCallDelta():
                self.began()
                self._pieces += 1
            case Started():
                self.model, self.backend, self.from_cache = delta.model, delta.backend, delta.from_cache
                self.usage = Usage(delta.prompt_tokens, 0, delta.cached_tokens)
            case Rerouted():
                self.attempts += 1
                self.detours = (*self.detours, delta)
            case Waiting("retrying"):
                self.attempts += 1
            case Finished():
                self.finished, self.usage, self.outcome = delta, delta.usage, "finished"

    def began(self) -> None:
        """The first piece of the answer is here."""
        if self.first_token_s is None:
            self.first_token_s = time.monotonic() - self._began

    def failed(self, error: PlaygroundError) -> None:
        """It ended in an error."""
        self.error, self.outcome = error, "failed"

    def ended(self) -> None:
        """Nothing more comes. An answer that was left counts a token for each piece that had come."""
        self.total_s = time.monotonic() - self._began
        if self.finished is None and self._pieces:
            self.usage = msgspec.structs.replace(self.usage, completion_tokens=self._pieces)

    def note(self, cost: Cost) -> AuditNote:
        """All of it, secrets included: mask it before it is kept."""
        from app.vault.activity.audit import AuditNote, Detour

        times = self.finished.timings if self.finished is not None else None
        return AuditNote(
            at=self.at,
            face=self.face,
            kind=self.kind,
            asked=self.asked,
            model=self.model,
            backend=self.backend,
            outcome=self.outcome,
            finish=self.finished.reason if self.finished is not None else "",
            attempts=self.attempts,
            detours=tuple(Detour(one.model, one.next_model, one.reason) for one in self.detours),
            from_cache=self.from_cache,
            queued_s=times.queued if times is not None and not self.from_cache else None,
            first_token_s=self.first_token_s,
            total_s=self.total_s,
            prompt_tokens=self.usage.prompt_tokens,
            completion_tokens=self.usage.completion_tokens,
            cached_tokens=self.usage.cached_tokens,
            cost=self._cost(cost),
            error=self.error.code if self.error is not None else "",
            message=str(self.error) if self.error is not None else "",
            request=_plain(self.body),
            answer=self._answer(),
        )

    @property
    def unanswered(self) -> bool:
        """Whether it failed before anybody began to answer. A name that nobody has is a mistake of whoever asked."""
        return self.error is not None and not self.model and not isinstance(self.error, UnknownModelError)

    def row(self, cost: Cost) -> UsageRow | None:
        """For the table of usage; ``None`` when it was left before anybody answered, so that there is none to count."""
        if not self.model and not self.unanswered:
            return None
        from app.vault.activity.usage import UsageRow

        times = self.finished.timings if self.finished is not None else None
        return UsageRow(
            at=self.at,
            model=self.model or self.asked,
            backend=self.backend,
            prompt_tokens=self.usage.prompt_tokens,
            completion_tokens=self.usage.completion_tokens,
            cached_tokens=self.usage.cached_tokens,
            first_token_s=self.first_token_s,
            decode_s=times.decode if times is not None and not self.from_cache else None,
            cost=self._cost(cost),
            outcome=self.outcome,
            total_s=self.total_s,
            from_cache=self.from_cache,
        )

    def _cost(self, cost: Cost) -> float | None:
        if not self.model:
            return None
        return 0.0 if self.from_cache else cost(self.model, self.usage)

    def _answer(self) -> Any:
        if self._recording is None:
            return None
        said = [part for part in self._recording.deltas if not isinstance(part, Started | Finished)]
        if self._recording.too_large:
            return "more than is kept"
        return [
            {name: value for name, value in part.items() if value not in ((), None)}
            for part in msgspec.to_builtins(said)
        ]


def _plain(body: Any) -> Any:
    """A request as JSON values; pictures are told, not shown."""
    if not isinstance(body, ChatRequest):
        return msgspec.to_builtins(body)
    told = msgspec.structs.replace(body, messages=tuple(map(_without_pictures, body.messages)))
    return _said(msgspec.to_builtins(told, str_keys=True))


def _said(value: Any) -> Any:
    """Without what was left to its default: nothing, and what is empty."""
    if isinstance(value, dict):
        found = {name: _said(part) for name, part in value.items()}
        return {
            name: part for name, part in found.items() if part is not None and part is not False and part not in _EMPTY
        }
    return [_said(part) for part in value] if isinstance(value, list | tuple) else value


def _without_pictures(message: Message) -> Message:
    if not any(isinstance(part, Image) and part.data is not None for part in message.parts):
        return message
    return Message(
        message.role,
        tuple(
            Image(part.media_type, url=f"{len(part.data)} bytes")
            if isinstance(part, Image) and part.data is not None
            else part
            for part in message.parts
        ),
    )
