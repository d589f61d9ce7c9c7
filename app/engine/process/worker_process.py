"""What can be asked of a worker: answers, tokens, vectors, transcriptions."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Iterator, Sequence
from typing import NamedTuple

from app.engine import frames
from app.engine.embeddings import Embeddings
from app.engine.frames import (
    ApplyTemplate,
    Audio,
    Cancel,
    Counted,
    CountTokens,
    Detokenize,
    Embed,
    Embedded,
    Generate,
    Infill,
    Keep,
    KeptStates,
    Ping,
    Status,
    Tokenize,
    Tokenized,
    Transcribe,
    Written,
)
from app.engine.infill import Gap
from app.engine.speech import Heard, TranscribeOptions
from app.engine.tool_calls import offered_tools
from app.messages import ChatRequest, Delta, Waiting

from .hearing import Hearing
from .inbox import AnswerReader
from .life import WORKER_COMMAND, WorkerLife

__all__ = ["WORKER_COMMAND", "Token", "WorkerProcess"]

_TEXTS_AT_ONCE, _CHARACTERS_AT_ONCE = 256, 1_000_000
"""What one ``Embed`` command carries at most, so that splitting it into tokens keeps no other request waiting long."""

_AUDIO_BYTES = 1024 * 1024


class Token(NamedTuple):
    """One token of a vocabulary; ``piece`` is the bytes that it stands for, where they were asked for."""

    number: int
    piece: bytes


class WorkerProcess(WorkerLife):
    """A worker that answers."""

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        """Answers ``request``; closing the generator, or cancelling the task that reads it, stops the work.

        Raises:
            PlaygroundError: the worker's own error; ``WorkerDiedError`` when it dies over it.
        """
        self._require_alive()
        request_id = next(self._ids)
        command = self._encoded(Generate(request_id, request))
        waits = self._open.answers >= self.loaded.sequences
        inbox = self._open.inbox(request_id)
        try:
            self._write(command)
            if waits:
                yield Waiting("queued")
            reader = AnswerReader(self.model, self.loaded.context, [tool.name for tool in offered_tools(request)])
            while True:
                ended = False
                for delta in reader.deltas(batch := await inbox.take()):
                    yield delta
                    ended = batch.end is not None
                if ended:
                    return
        finally:
            self._open.forget(request_id)
            if not inbox.ended and self.alive:
                self._write(frames.encode(Cancel(request_id)))

    async def count_tokens(self, request: ChatRequest) -> int:
        """The length of the request's prompt.

        Raises:
            PlaygroundError: when the request has no prompt, or the worker dies.
        """
        request_id = next(self._ids)
        return (await self._ask(CountTokens(request_id, request), Counted)).tokens

    async def tokenize(
        self, content: Sequence[str | int], *, add_special: bool, parse_special: bool, with_pieces: bool
    ) -> tuple[Token, ...]:
        """The tokens of texts, and of tokens among them, one after the other.

        Args:
            content: texts and tokens.
            add_special: put the token before it that begins a sequence, where the vocabulary asks for one.
            parse_special: take the names of control tokens for the tokens themselves.
            with_pieces: also tell what each token stands for.

        Raises:
            PlaygroundError: when something among them is no token or too long, or the worker dies.
        """
        asked = Tokenize(next(self._ids), _sound(content), add_special, parse_special, with_pieces)
        found = await self._ask(asked, Tokenized)
        pieces = found.pieces or (b"",) * len(found.tokens)
        return tuple(map(Token, found.tokens, pieces))

    async def detokenize(self, tokens: Sequence[int]) -> str:
        """The text that tokens stand for; what is not whole characters becomes U+FFFD.

        Raises:
            PlaygroundError: when one is no token, there are too many, or the worker dies.
        """
        return (await self._ask(Detokenize(next(self._ids), tuple(tokens)), Written)).text

    async def apply_template(self, request: ChatRequest) -> str:
        """The text that the model would be given for a conversation.

        Raises:
            PlaygroundError: when its template does not take the conversation, or the worker dies.
        """
        return (await self._ask(ApplyTemplate(next(self._ids), request), Written)).text

    async def infill(self, gap: Gap) -> tuple[int, ...]:
        """The tokens that ask for what is missing in a gap.

        Raises:
            NotSupportedError: when the model was not taught to fill gaps.
            PlaygroundError: when there is too much of it, or the worker dies.
        """
        return (await self._ask(Infill(next(self._ids), gap), Tokenized)).tokens

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        """The vectors of ``texts``, in their order. Cancelling stops the work between two batches.

        Raises:
            PlaygroundError: the worker's own error; ``WorkerDiedError`` when it dies over it.
        """
        vectors: list[bytes] = []
        truncated: list[int] = []
        tokens = place = 0
        self._require_alive()
        for batch in _batches(texts):
            found = await self._ask(Embed(next(self._ids), batch), Embedded)
            vectors.append(found.vectors)
            truncated += [place + short for short in found.truncated]
            tokens += found.tokens
            place += len(batch)
        return Embeddings(b"".join(vectors), self.loaded.dimensions, tokens, tuple(truncated))

    async def transcribe(
        self, pcm: bytes | AsyncIterable[bytes], options: TranscribeOptions
    ) -> AsyncGenerator[Heard, None]:
        """Sends audio and tells what is heard in it; closing the generator stops the work after a segment.

        Raises:
            PlaygroundError: the worker's own error; ``WorkerDiedError`` when it dies over it.
        """
        self._require_alive()
        request_id = next(self._ids)
        hearing = self._open.hearing(request_id)
        try:
            self._write(self._encoded(Transcribe(request_id, options)))
            await self._send_audio(request_id, pcm, hearing)
            while heard := await hearing.take():
                for event in heard:
                    yield event
        finally:
            self._open.forget(request_id)
            if not hearing.ended and self.alive:
                self._write(frames.encode(Cancel(request_id)))

    async def status(self) -> Status:
        """How busy the worker is.

        Raises:
            WorkerDiedError: when it is no more.
        """
        return await self._ask(Ping(next(self._ids)), Status)

    def keep(self, states: KeptStates) -> None:
        """Tells a model that chats to put its conversations to disk when there is a quiet moment."""
        if self.alive:
            self._write(frames.encode(Keep(states)))

    # What the child is told

    async def _send_audio(self, request_id: int, pcm: bytes | AsyncIterable[bytes], hearing: Hearing) -> None:
        """Sends a recording in pieces, no faster than the worker takes them; stops when the worker refuses it."""
        async for chunk in _one(pcm) if isinstance(pcm, bytes | bytearray | memoryview) else pcm:
            view = memoryview(chunk).cast("B")
            for start in range(0, len(view), _AUDIO_BYTES):
                self._write(frames.encode(Audio(request_id, bytes(view[start : start + _AUDIO_BYTES]))))
                if self._child is not None:
                    await self._child.drained()
            if hearing.ended:
                return
        self._write(frames.encode(Audio(request_id, b"", last=True)))


def _batches(texts: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Texts in order, as many together as one command carries. Each is cut where no model reads it any more."""
    batch: list[str] = []
    characters = 0
    for text in texts:
        # A lone surrogate has no UTF-8: it becomes a question mark.
        sound = text[:_CHARACTERS_AT_ONCE].encode("utf-8", "replace").decode()
        if batch and (len(batch) == _TEXTS_AT_ONCE or characters + len(sound) > _CHARACTERS_AT_ONCE):
            yield tuple(batch)
            batch, characters = [], 0
        batch.append(sound)
        characters += len(sound)
    if batch:
        yield tuple(batch)


def _sound(content: Sequence[str | int]) -> tuple[str | int, ...]:
    return tuple(part.encode("utf-8", "replace").decode() if isinstance(part, str) else part for part in content)


async def _one(pcm: bytes) -> AsyncGenerator[bytes, None]:
    yield pcm
