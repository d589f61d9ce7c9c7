"""The chain: when a model cannot answer, the next one is asked, and whoever reads is told."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import msgspec

from app.backends.raw import RawAnswer, RawRequest
from app.errors import PlaygroundError
from app.messages import ChatRequest, Delta, Rerouted, Waiting

from .targets import RemoteTarget, Target
from .trying.retrying import is_failed_over

_Tried = list[tuple[str, PlaygroundError]]


async def answer(chain: Sequence[Target], request: ChatRequest) -> AsyncGenerator[Delta, None]:
    """Answers by the first of ``chain`` that can; see ``Backend.stream``.

    Another is asked only before anything of an answer has been given, and not when the request itself is wrong.
    ``Rerouted`` tells of each change, with the reason.

    Raises:
        StreamBrokenError: when an answer broke off; it is not begun again by anyone.
        PlaygroundError: of the first of the chain, when all of it failed; its remedy tells of the others.
    """
    tried: _Tried = []
    for place, target in enumerate(chain):
        if tried:
            model, error = tried[-1]
            yield Rerouted(model, target.name, error.message)
        begun = False
        try:
            async with aclosing(target.stream(request, alone=_is_alone(chain, place))) as deltas:
                async for delta in deltas:
                    begun = begun or not isinstance(delta, Waiting)
                    yield delta
            return
        except PlaygroundError as error:
            if begun or not is_failed_over(error):
                raise
            tried.append((target.name, error))
    raise _all_failed(tried)


async def answer_raw(chain: Sequence[Target], request: RawRequest) -> RawAnswer | None:
    """Passes a request through to the first of ``chain`` that can; ``None`` when it must be translated.

    Raises:
        PlaygroundError: as ``answer``.
    """
    tried: _Tried = []
    for place, target in enumerate(chain):
        if not isinstance(target, RemoteTarget):
            return None
        try:
            found = await target.raw(request, alone=_is_alone(chain, place))
        except PlaygroundError as error:
            if not is_failed_over(error):
                raise
            tried.append((target.name, error))
            continue
        if found is None or not tried:
            return found
        return msgspec.structs.replace(found, instead_of=chain[0].name, reason=tried[-1][1].message)
    raise _all_failed(tried)


def _is_alone(chain: Sequence[Target], place: int) -> bool:
    others = chain[place + 1 :]
    if not others:
        return True
    now = asyncio.get_running_loop().time()
    return not any(target.ready(now) for target in others)


def _all_failed(tried: _Tried) -> PlaygroundError:
    _, first = tried[0]
    if len(tried) == 1:
        return first
    others = "; ".join(f"{model}: {error.message.rstrip('.')}" for model, error in tried[1:])
    told = copy.copy(first)
    told.remedy = f"{first.remedy} Asked in its place, in vain: {others}.".strip()
    told.__cause__ = first
    return told
