"""Questions about tokens, answered beside the decoding: which they are, what they say, how a gap is asked about."""

from __future__ import annotations

import queue
from collections.abc import Callable

from app.engine.frames import Detokenize, Event, Failed, Infill, Tokenize, Tokenized, Written
from app.errors import BusyError, InvalidRequestError, PlaygroundError

from .infilling import prompt_for
from .thread import ComputeThread
from .vocabulary import Vocabulary

MOST_CHARACTERS, MOST_TOKENS, MOST_WAITING = 1_000_000, 262_144, 256

Question = Tokenize | Detokenize | Infill


class TokenQuestions:
    """Answers one question after the other in a thread of its own.

    A text of a million characters takes about a second, and one of nothing but names of control tokens many: no other
    request, and nobody who cancels one, shall wait for that. The library lets go of the interpreter meanwhile.

    Args:
        vocabulary: the model's.
        context: tokens of context window that one conversation may use.
        emit: called from the thread with each answer.
    """

    def __init__(self, vocabulary: Vocabulary, context: int, emit: Callable[[Event], None]) -> None:
        self._vocabulary, self._context, self._emit = vocabulary, context, emit
        self._waiting: queue.Queue[Question | None] = queue.Queue(MOST_WAITING)
        self._cancelled: set[int] = set()
        self._open: set[int] = set()
        self._closed = False
        self._thread = ComputeThread(self._answer_all)

    def start(self) -> None:
        """Begins to answer."""
        self._thread.start()

    def ask(self, question: Question) -> None:
        """Puts a question in the queue.

        Raises:
            BusyError: when too many wait.
        """
        self._open.add(question.request_id)
        try:
            self._waiting.put_nowait(question)
        except queue.Full:
            self._open.discard(question.request_id)
            raise BusyError(f"{MOST_WAITING} questions about tokens are waiting.", "Try again in a moment.") from None

    def cancel(self, request_id: int) -> None:
        """Forgets a question that nobody waits for any more; one that is being answered is answered."""
        if request_id in self._open:
            self._cancelled.add(request_id)

    def close(self) -> None:
        """Ends after the question that is being answered."""
        self._closed = True
        try:
            self._waiting.put_nowait(None)
        except queue.Full:
            return  # the thread is awake, and sees that it is over

    def _answer_all(self) -> None:
        while (question := self._waiting.get()) is not None and not self._closed:
            request_id = question.request_id
            if request_id not in self._cancelled:
                try:
                    self._emit(self._answer(question))
                except PlaygroundError as error:
                    self._emit(Failed(request_id, error.code, error.message, error.remedy))
            self._open.discard(request_id)
            self._cancelled.discard(request_id)

    def _answer(self, question: Question) -> Event:
        match question:
            case Tokenize():
                return self._tokens(question)
            case Detokenize(request_id, tokens):
                return Written(request_id, self._text(tokens))
            case Infill(request_id, gap):
                texts = (
                    gap.prefix,
                    gap.suffix,
                    gap.prompt,
                    *(part for it in gap.extra for part in (it.text, it.filename)),
                )
                _bounded(texts)
                return Tokenized(request_id, tuple(prompt_for(self._vocabulary, gap, self._context)))

    def _tokens(self, question: Tokenize) -> Tokenized:
        _bounded([part for part in question.content if isinstance(part, str)])
        found: list[int] = []
        for place, part in enumerate(question.content):
            if isinstance(part, str):
                special = question.add_special and place == 0
                found += self._vocabulary.tokenize(part, add_special=special, parse_special=question.parse_special)
            else:
                found.append(self._known(part))
        pieces = tuple(self._vocabulary.written(token) for token in found) if question.with_pieces else ()
        return Tokenized(question.request_id, tuple(found), pieces)

    def _text(self, tokens: tuple[int, ...]) -> str:
        if len(tokens) > MOST_TOKENS:
            raise InvalidRequestError(
                f"There are {len(tokens)} tokens; at most {MOST_TOKENS} are taken.", "Send fewer."
            )
        return b"".join(self._vocabulary.written(self._known(token)) for token in tokens).decode("utf-8", "replace")

    def _known(self, token: int) -> int:
        if not 0 <= token < self._vocabulary.size:
            raise InvalidRequestError(f"{token} is not a token; this model's are 0 to {self._vocabulary.size - 1}.")
        return token


def _bounded(texts: list[str] | tuple[str, ...]) -> None:
    characters = sum(map(len, texts))
    if characters > MOST_CHARACTERS:
        raise InvalidRequestError(
            f"The text has {characters} characters; at most {MOST_CHARACTERS} are taken.", "Send it in parts."
        )
