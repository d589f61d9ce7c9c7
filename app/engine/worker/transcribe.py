"""The role ``transcribe``: audio in, text out, segment by segment. Nothing of it is written to disk."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from app.engine.frames import (
    Audio,
    Cancel,
    Command,
    Event,
    Failed,
    Loaded,
    LoadOptions,
    Ping,
    Status,
    Transcribe,
    Transcribed,
)
from app.engine.speech import SAMPLE_RATE, Heard, TranscribeOptions
from app.errors import BusyError, EngineError, InvalidRequestError, PlaygroundError

from .thread import ComputeThread
from .transcribe_utterance import LONGEST_UTTERANCE_SECONDS
from .transcribe_whisper import Samples, SpeechModel

if TYPE_CHECKING:
    from .transcribe_torch import TorchSpeechModel

_SAMPLE_BYTES = 4
_LONGEST_SECONDS = 6 * 3600
_MOST_BEAMS = 10
_TRAINED_TOKENS = 448


def open_speech_model(path: Path, threads: int) -> SpeechModel | TorchSpeechModel:
    """The model in a file: openai-whisper's for OpenAI's checkpoints (``.pt``), else CTranslate2's.

    Raises:
        ModelLoadError: when it cannot be opened.
    """
    if path.suffix == ".pt":
        from .transcribe_torch import TorchSpeechModel

        return TorchSpeechModel(path, threads)
    return SpeechModel(path, threads)


class TranscribeWorker:
    """Answers ``Transcribe`` commands and the ``Audio`` that follows them.

    Requests take turns, a segment at a time: a sentence that is dictated does not wait for the end of a lecture.

    Raises:
        ModelLoadError: when the model cannot be opened.
    """

    def __init__(self, options: LoadOptions, emit: Callable[[Event], None]) -> None:
        self._emit, self._queue = emit, options.queue
        self._model = open_speech_model(Path(options.path), options.threads)
        self._changed = threading.Condition()
        self._gathering: dict[int, _Request] = {}
        self._working: deque[_Request] = deque()
        self._cancelled: set[int] = set()
        self._computing = False
        self._closed = False
        self._thread = ComputeThread(self._compute)
        self.loaded = Loaded(
            description=self._model.description,
            context=_TRAINED_TOKENS,
            trained_context=_TRAINED_TOKENS,
            cells=0,
            sequences=1,
            device="CPU",
            gpu_layers=0,
            layers=0,
            size_bytes=self._model.size_bytes,
        )

    def start(self) -> None:
        """Begins to answer."""
        self._thread.start()

    def handle(self, command: Command) -> None:
        """Carries out one command; what is wrong with a request is answered by ``Failed``, and nothing else suffers."""
        match command:
            case Transcribe(request_id, options):
                self._answering(request_id, lambda: self._begin(request_id, options))
            case Audio(request_id, pcm, last):
                self._answering(request_id, lambda: self._hear(request_id, pcm, last))
            case Cancel(request_id):
                self._cancel(request_id)
            case Ping(request_id):
                with self._changed:
                    begun = len(self._working) + self._computing
                    running, queued = min(1, begun), max(0, begun - 1) + len(self._gathering)
                self._emit(Status(request_id, running, queued, 0, 0, 0))

    def close(self) -> None:
        """Ends after the segment that is being computed."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    # In the main thread

    def _answering(self, request_id: int, work: Callable[[], None]) -> None:
        try:
            work()
        except PlaygroundError as error:
            self._gathering.pop(request_id, None)
            self._emit(Failed(request_id, error.code, error.message, error.remedy))

    def _begin(self, request_id: int, options: TranscribeOptions) -> None:
        if len(self._gathering) + len(self._working) > self._queue:
            raise BusyError("Too many recordings wait to be transcribed.", "Try again a little later.")
        self._check(options)
        self._gathering[request_id] = _Request(request_id, options)

    def _check(self, options: TranscribeOptions) -> None:
        known = self._model.languages
        if options.language is not None and options.language not in known:
            raise InvalidRequestError(
                f"The language {options.language!r} is not known to this model; expected one of {', '.join(known)}."
            )
        if options.temperature is not None and not 0 <= options.temperature <= 1:
            raise InvalidRequestError(f"The temperature is {options.temperature:g}; expected 0 to 1.")
        if not 1 <= options.beams <= _MOST_BEAMS:
            raise InvalidRequestError(f"{options.beams} beams were asked for; expected 1 to {_MOST_BEAMS}.")

    def _hear(self, request_id: int, pcm: bytes, last: bool) -> None:
        request = self._gathering.get(request_id)
        if request is None:
            return  # cancelled, or refused: its audio may still be on the way
        request.pcm += pcm
        if len(request.pcm) > _LONGEST_SECONDS * SAMPLE_RATE * _SAMPLE_BYTES:
            raise InvalidRequestError(
                f"The recording is longer than {_LONGEST_SECONDS // 3600} hours.", "Cut it into shorter ones."
            )
        if request.options.utterance and len(request.pcm) > LONGEST_UTTERANCE_SECONDS * SAMPLE_RATE * _SAMPLE_BYTES:
            raise InvalidRequestError(
                f"The utterance is longer than {LONGEST_UTTERANCE_SECONDS} seconds.", "Ask for it as a recording."
            )
        if last:
            request.steps = self._model.hear(_samples(request.pcm), request.options)
            with self._changed:
                del self._gathering[request_id]
                self._working.append(request)
                self._changed.notify()

    def _cancel(self, request_id: int) -> None:
        self._gathering.pop(request_id, None)
        with self._changed:
            kept = [request for request in self._working if request.id != request_id]
            if len(kept) == len(self._working):
                # Finished, or being computed at this moment: then what comes of it is not told.
                self._cancelled.add(request_id)
            self._working = deque(kept)

    # In the thread that computes

    def _compute(self) -> None:
        while True:
            with self._changed:
                self._cancelled.clear()  # nothing is being computed now
                self._changed.wait_for(lambda: self._working or self._closed)
                if self._closed:
                    return
                request = self._working.popleft()
                self._computing = True
            event, goes_on = self._step(request)
            with self._changed:
                self._computing = False
                if request.id in self._cancelled:
                    continue
                if goes_on:
                    self._working.append(request)
            self._emit(event)

    def _step(self, request: _Request) -> tuple[Event, bool]:
        """One turn of a request: what to tell, and whether there is more to come."""
        try:
            heard = next(request.steps, None)
        except PlaygroundError as error:
            return Failed(request.id, error.code, error.message, error.remedy), False
        except (RuntimeError, ValueError) as error:
            fault = EngineError(f"The speech could not be transcribed: {str(error)[:300]}")
            return Failed(request.id, fault.code, fault.message, fault.remedy), False
        return Transcribed(request.id, (heard,) if heard is not None else (), heard is None), heard is not None


class _Request:
    """One recording: gathered first, then worked on in steps."""

    def __init__(self, request_id: int, options: TranscribeOptions) -> None:
        self.id, self.options = request_id, options
        self.pcm = bytearray()
        self.steps: Iterator[Heard] = iter(())


def _samples(pcm: bytearray) -> Samples:
    """The audio as numbers, those beyond full scale cut off.

    Raises:
        InvalidRequestError: when it is not whole samples, or holds what is not a number.
    """
    if len(pcm) % _SAMPLE_BYTES:
        raise InvalidRequestError(f"The audio has {len(pcm)} bytes; expected whole samples of {_SAMPLE_BYTES} bytes.")
    samples: Samples = np.frombuffer(pcm, np.float32)
    unsound = int(np.count_nonzero(~np.isfinite(samples)))
    if unsound:
        raise InvalidRequestError(
            f"{unsound} of the audio's {len(samples)} samples are not numbers.",
            "Expected are 32-bit floats between -1 and 1, at 16,000 a second.",
        )
    return np.clip(samples, -1.0, 1.0)
