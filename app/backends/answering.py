"""From the bytes of an answer to deltas: events put together, rules applied, words translated."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterator

from app.errors import RemoteError
from app.messages import Delta

from .dialect import AnswerReader
from .http.answers import Answer, whole
from .openai.chat_reading import DONE
from .passing import MOST_WHOLE, decoded
from .rules import WireExchange, WireProtocol
from .sse import EventParser, LinesParser, SseParser

_AFTER_S = 0.05


async def read(
    answer: Answer, exchange: WireExchange, reader: AnswerReader, protocol: WireProtocol, endpoint: str
) -> AsyncGenerator[Delta, None]:
    """The deltas of an answer, streamed or not; it is not closed here.

    Raises:
        RemoteError: it tells of a failure, breaks off, or is not of its protocol. What was held back by rules until
            then is given before.
    """
    kind = answer.headers.get("content-type", "")
    if "html" in kind:
        raise RemoteError(f"{endpoint} answered with a web page.", "Check the endpoint's url and its kind.")
    if kind.startswith("application/json"):
        # Some servers do not stream, whatever they are asked.
        for delta in reader.whole(exchange.answer(decoded(await whole(answer, MOST_WHOLE), endpoint))):
            yield delta
        for delta in reader.end():
            yield delta
        return
    parser: EventParser = LinesParser() if protocol == "ollama" else SseParser()
    try:
        ended = False
        while not ended:
            piece = await answer.more()
            ended = not piece
            for data in parser.finish() if ended else parser.feed(piece):
                if data == DONE:
                    reader.mark()
                    break
                for event in exchange.event(decoded(data, endpoint)):
                    for delta in reader.event(event):
                        yield delta
            if reader.done and not ended:
                await _let_end(answer)
                break
    except RemoteError:
        for delta in _held(exchange, reader):
            yield delta
        raise
    for event in exchange.end():
        for delta in reader.event(event):
            yield delta
    for delta in reader.end():
        yield delta


def _held(exchange: WireExchange, reader: AnswerReader) -> Iterator[Delta]:
    """What rules held back when a stream broke; a second failure adds nothing to the first."""
    with contextlib.suppress(RemoteError):
        for event in exchange.end():
            yield from reader.event(event)


async def _let_end(answer: Answer) -> None:
    """Reads the little that follows the last word, so that the connection can be used again."""
    with contextlib.suppress(TimeoutError, RemoteError):
        async with asyncio.timeout(_AFTER_S):
            while await answer.more():
                pass
