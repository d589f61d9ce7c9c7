"""Whisper through faster-whisper and CTranslate2: a recording of any length, as segments with their times."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import faster_whisper
import numpy as np

from app.engine.hardware import at_most_threads, cores
from app.engine.speech import SAMPLE_RATE, Heard, SpeechProgress, SpeechSegment, SpokenLanguage, TranscribeOptions, Word
from app.errors import ModelLoadError

from .transcribe_utterance import SILENCE, Samples, UtteranceReader

__all__ = ["Samples", "SpeechModel"]

_STRETCH_SECONDS = 300
"""What is worked on at once: the spectrum of an hour takes more than a gigabyte. At least 30, the model's window."""

_CUT_SECONDS = 1.0
"""A segment that ends nearer to the end of its stretch may have been cut, and is heard again with the next."""

_FILES = ("config.json", "tokenizer.json")
_TEMPERATURES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


class SpeechModel:
    """A Whisper model in CTranslate2's form, its weights rounded to 8 bits.

    Args:
        path: ``model.bin``; the other files lie beside it.
        threads: of the CPU; 0 chooses.

    Raises:
        ModelLoadError: when a file is missing, or the library refuses one.
    """

    def __init__(self, path: Path, threads: int) -> None:
        for name in _FILES:
            if not path.with_name(name).is_file():
                raise ModelLoadError(f"{path.parent.name} has no {name} beside its model.", "Fetch the model again.")
        try:
            self._model = faster_whisper.WhisperModel(
                str(path.parent), device="cpu", compute_type="int8", cpu_threads=at_most_threads(threads or cores())
            )
            self.languages: tuple[str, ...] = tuple(self._model.supported_languages)
        except Exception as error:  # the libraries raise nothing narrower in common; the reason is told
            raise ModelLoadError(
                f"The engine refused {path.parent.name}: {str(error)[:300]}",
                "Verify the model's files, or fetch them again.",
            ) from error
        self._utterances = UtteranceReader(self._model)
        self.size_bytes = path.stat().st_size
        self.description = f"Whisper, {'many languages' if len(self.languages) > 1 else 'English'}, 8 bits"

    def hear(self, samples: Samples, options: TranscribeOptions) -> Iterator[Heard]:
        """Transcribes a recording; each step computes at most a segment, or looks at the next five minutes.

        The language is told before the first segment, and not at all where nobody speaks.
        """
        if options.utterance:
            yield from self._utterances.hear(samples, options)
            return
        total = _milliseconds(len(samples) / SAMPLE_RATE)
        language = options.language
        begin = 0
        told = False
        while begin < len(samples):
            stretch = samples[begin : begin + _STRETCH_SECONDS * SAMPLE_RATE]
            offset, length = begin / SAMPLE_RATE, len(stretch) / SAMPLE_RATE
            is_last = begin + len(stretch) == len(samples)
            begin += len(stretch)
            if np.abs(stretch).max() >= SILENCE:
                found, info = self._transcribe(stretch, options, language)
                if not told:
                    told, language = True, info.language
                    yield SpokenLanguage(info.language, 1.0 if options.language else float(info.language_probability))
                held: SpeechSegment | None = None
                for segment in found:
                    if held is not None:
                        yield held
                        yield SpeechProgress(held.end, total)
                    held = _segment(segment, offset, offset + length)
                if held is not None:
                    began, ended = held.start - offset, held.end - offset
                    if not is_last and ended > length - _CUT_SECONDS and began > _CUT_SECONDS:
                        begin = round(held.start * SAMPLE_RATE)
                    else:
                        yield held
            yield SpeechProgress(_milliseconds(begin / SAMPLE_RATE), total)
        if not len(samples):
            yield SpeechProgress(0.0, 0.0)

    def _transcribe(
        self, samples: Samples, options: TranscribeOptions, language: str | None
    ) -> tuple[Iterator[Any], Any]:
        segments, info = self._model.transcribe(
            samples,
            language=language,
            task="translate" if options.translate else "transcribe",
            beam_size=options.beams,
            best_of=options.beams,
            temperature=_TEMPERATURES if options.temperature is None else (options.temperature,),
            initial_prompt=options.prompt or None,
            word_timestamps=options.words,
            vad_filter=False,
        )
        return iter(segments), info


def _segment(found: Any, offset: float, end: float) -> SpeechSegment:
    """The library's segment, its times counted from the beginning of the recording, none beyond ``end``."""

    def time(seconds: float) -> float:
        return _milliseconds(min(end, offset + float(seconds)))

    return SpeechSegment(
        start=time(found.start),
        end=time(found.end),
        text=found.text.strip(),
        words=tuple(
            Word(time(word.start), time(word.end), word.word, float(word.probability)) for word in found.words or ()
        ),
        log_probability=float(found.avg_logprob),
        no_speech=float(found.no_speech_prob),
    )


def _milliseconds(seconds: float) -> float:
    """Seconds to three places: finer than the model hears, and what is later never becomes less by rounding."""
    return round(seconds, 3)
