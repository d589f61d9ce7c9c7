"""Who writes down what was said."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from app.engine.speech import SpeechSegment, SpokenLanguage, TranscribeOptions
from app.errors import WorkerDiedError

from .activity import to_float

if TYPE_CHECKING:
    from app.engine.pool import ModelPool
    from app.routing.transcribing import RemoteTranscription

_UNLIKELY, _NOBODY = -1.0, 0.6
"""A mean log probability below the first, beside a probability above the second that nobody spoke: a noise, in which
the model heard words."""

_FINAL_BEAMS = 5

_SURE, _SURE_BYTES = 0.9, 2 * 32_000
"""A language that was heard so probably in two seconds is that of the whole dictation: short words mislead."""


class HeardSpeech(Struct, frozen=True):
    """An utterance in words; ``language`` is what it was taken for."""

    text: str
    language: str = ""


class Transcriber(Protocol):
    """Writes down utterances of up to 28 seconds."""

    @property
    def asked_once(self) -> bool:
        """Whether it should hear each utterance when that is over, and not while it grows."""
        ...

    async def prepare(self) -> None:
        """Makes ready, so that the first utterance does not wait.

        Raises:
            PlaygroundError: when it cannot.
        """
        ...

    async def hear(self, samples: bytes, *, final: bool) -> HeardSpeech:
        """The words in int16 samples at 16 kHz; none where nobody speaks. Cancelling stops the work.

        Args:
            samples: the utterance so far.
            final: whether to take the time to do it well: it may be all of it.

        Raises:
            PlaygroundError: when it cannot be done.
        """
        ...


class LocalTranscriber:
    """Writes down with a model of this machine, in its worker.

    Args:
        pool: of the models.
        model: its name, with the role ``transcribe``.
        language: a code such as ``en``; empty lets the model find out from the first utterances.
    """

    asked_once = False

    def __init__(self, pool: ModelPool, model: str, language: str = "") -> None:
        self._pool, self._model, self._language = pool, model, language

    async def prepare(self) -> None:
        """Loads the model and lets it hear a tenth of a second, which is slower the first time."""
        await self._pool.load(self._model)
        await self.hear(b"\x40\x00\xc0\xff" * 800, final=True)

    async def hear(self, samples: bytes, *, final: bool) -> HeardSpeech:
        """The words; asks once more where the worker dies over it, as the audio is still here."""
        try:
            return await self._hear(samples, final=final)
        except WorkerDiedError:
            return await self._hear(samples, final=final)

    async def _hear(self, samples: bytes, *, final: bool) -> HeardSpeech:
        options = TranscribeOptions(language=self._language or None, beams=_FINAL_BEAMS if final else 1, utterance=True)
        text, language = "", self._language
        async with aclosing(self._pool.transcribe(self._model, to_float(samples), options)) as events:
            async for event in events:
                if isinstance(event, SpokenLanguage):
                    language = event.language
                    if final and event.probability >= _SURE and len(samples) >= _SURE_BYTES:
                        self._language = language
                elif isinstance(event, SpeechSegment) and _is_speech(event):
                    text = event.text
        return HeardSpeech(text, language)


class RemoteTranscriber:
    """Writes down with a model elsewhere. Each utterance is sent once: to show it while it grows, most would be twice.

    Args:
        remote: sends it.
        language: a code such as ``en``; empty lets the model find out.
    """

    asked_once = True

    def __init__(self, remote: RemoteTranscription, language: str = "") -> None:
        self._remote, self._language = remote, language

    async def prepare(self) -> None:
        """Looks whether speech may still be sent; sends nothing."""
        self._remote.require()

    async def hear(self, samples: bytes, *, final: bool) -> HeardSpeech:
        """The words of an utterance that is over."""
        found = await self._remote.transcribe(samples, TranscribeOptions(language=self._language or None))
        return HeardSpeech(found.text, self._language or found.language)


def _is_speech(segment: SpeechSegment) -> bool:
    """Whether words were said: not a noise, and not a note such as "[music]"."""
    if segment.no_speech > _NOBODY and segment.log_probability < _UNLIKELY:
        return False
    text = segment.text.strip()
    return not (text[:1] in "[(*♪" and text[-1:] in "])*♪")
