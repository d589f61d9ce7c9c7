"""Whisper through openai-whisper and PyTorch: for checkpoints in the form in which OpenAI publishes them.

Both come with the extra ``openai-whisper`` alone; without them the model is refused, with what to install.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine.hardware import cores
from app.engine.speech import SAMPLE_RATE, Heard, SpeechProgress, SpeechSegment, SpokenLanguage, TranscribeOptions, Word
from app.errors import ModelLoadError

_Samples = NDArray[np.float32]

_SILENCE = 1e-4
"""-80 dB of full scale: below it nobody speaks, but the model may imagine that somebody does."""

_WINDOW_SECONDS = 30
"""The model's own window, and what is worked on at once: so long does whoever waits for a turn wait at most."""

_CUT_SECONDS = 1.0
"""A segment that ends nearer to the end of its window may have been cut, and is heard again with the next."""

_TEMPERATURES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


class TorchSpeechModel:
    """A Whisper model in OpenAI's form: a ``.pt`` with the sizes and the weights, and nothing beside it.

    Weights alone are read of the file: no code that it may hold is run.

    Args:
        path: the checkpoint.
        threads: of the CPU; 0 chooses.

    Raises:
        ModelLoadError: when the library is missing, or refuses the file.
    """

    def __init__(self, path: Path, threads: int) -> None:
        try:
            import torch
            import whisper
            from whisper.tokenizer import LANGUAGES
        except ImportError as error:
            raise ModelLoadError(
                f"{path.parent.name} needs openai-whisper and PyTorch, which are not installed here: {error}.",
                "Install Playground's extra openai-whisper, or use a CTranslate2 model such as whisper-base.",
            ) from error
        torch.set_num_threads(threads or cores())
        try:
            self._model = whisper.load_model(str(path), device="cpu").eval()
        except Exception as error:  # the library raises nothing narrower; the reason is told
            raise ModelLoadError(
                f"The engine refused {path.name} of {path.parent.name}: {str(error)[:300]}",
                "Verify the model's file, or fetch it again.",
            ) from error
        self._whisper = whisper
        many = bool(self._model.is_multilingual)
        self.languages: tuple[str, ...] = tuple(LANGUAGES)[: self._model.num_languages] if many else ("en",)
        self.size_bytes = path.stat().st_size
        self.description = f"Whisper, {'many languages' if many else 'English'}, PyTorch"

    def hear(self, samples: _Samples, options: TranscribeOptions) -> Iterator[Heard]:
        """Transcribes a recording; each step computes at most half a minute of it.

        The language is told before the first segment, and not at all where nobody speaks. An utterance, which is no
        longer than the model's window, comes as one segment.
        """
        total = _milliseconds(len(samples) / SAMPLE_RATE)
        language = options.language
        begin = 0
        told = False
        while begin < len(samples):
            window = samples[begin : begin + _WINDOW_SECONDS * SAMPLE_RATE]
            offset, length = begin / SAMPLE_RATE, len(window) / SAMPLE_RATE
            is_last = begin + len(window) == len(samples)
            begin += len(window)
            if np.abs(window).max() >= _SILENCE:
                if not told:
                    told = True
                    language, probability = self._language(window, language)
                    yield SpokenLanguage(language, probability)
                found = self._transcribe(window, options, language)
                segments = [_segment(each, offset, offset + length) for each in found]
                if options.utterance and segments:
                    segments = [_joined(segments)]
                elif len(segments) > 1 and not is_last and segments[-1].end > offset + length - _CUT_SECONDS:
                    begin = round(segments.pop().start * SAMPLE_RATE)
                yield from segments
            yield SpeechProgress(_milliseconds(begin / SAMPLE_RATE), total)
        if not len(samples):
            yield SpeechProgress(0.0, 0.0)

    def _language(self, window: _Samples, named: str | None) -> tuple[str, float]:
        if named is not None or len(self.languages) == 1:
            return named or self.languages[0], 1.0
        sizes = self._model.dims
        spectrum = self._whisper.log_mel_spectrogram(self._whisper.pad_or_trim(window), n_mels=sizes.n_mels)
        _, probabilities = self._whisper.detect_language(self._model, spectrum)
        language = max(probabilities, key=probabilities.__getitem__)
        return str(language), float(probabilities[language])

    def _transcribe(self, window: _Samples, options: TranscribeOptions, language: str | None) -> list[dict[str, Any]]:
        temperature = _TEMPERATURES if options.temperature is None else (options.temperature,)
        found = self._model.transcribe(
            np.ascontiguousarray(window),
            language=language,
            task="translate" if options.translate else "transcribe",
            temperature=temperature,
            beam_size=options.beams,
            best_of=options.beams,
            initial_prompt=options.prompt or None,
            word_timestamps=options.words and not options.utterance,
            fp16=False,
        )
        return list(found["segments"])


def _segment(found: dict[str, Any], offset: float, end: float) -> SpeechSegment:
    """The library's segment, its times counted from the beginning of the recording, none beyond ``end``."""

    def time(seconds: float) -> float:
        return _milliseconds(min(end, offset + float(seconds)))

    return SpeechSegment(
        start=time(found["start"]),
        end=time(found["end"]),
        text=found["text"].strip(),
        words=tuple(
            Word(time(word["start"]), time(word["end"]), word["word"], float(word["probability"]))
            for word in found.get("words", ())
        ),
        log_probability=float(found["avg_logprob"]),
        no_speech=float(found["no_speech_prob"]),
    )


def _joined(segments: list[SpeechSegment]) -> SpeechSegment:
    return SpeechSegment(
        start=segments[0].start,
        end=segments[-1].end,
        text=" ".join(each.text for each in segments),
        log_probability=min(each.log_probability for each in segments),
        no_speech=max(each.no_speech for each in segments),
    )


def _milliseconds(seconds: float) -> float:
    return round(seconds, 3)
