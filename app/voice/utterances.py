"""Cuts what a microphone hears into utterances: from before the first syllable to the pause that ends them."""

from __future__ import annotations

from collections import deque

from .activity import FRAME_SECONDS, ActivityDetector

_BEFORE_SECONDS = 0.4
_OF_FRAMES, _SPEECH_FRAMES = 6, 4
"""So many of the last frames are speech when an utterance begins: a click is not."""

_SHORT_PAUSE_SECONDS = 0.2


class Utterance:
    """What is being said, or was.

    Attributes:
        samples: int16, 16 kHz, from shortly before the first syllable.
        speech_seconds: how much of it is speech.
        pause_seconds: how long nobody has spoken at its end.
        spoken: the frames up to the last one with speech; grows whenever somebody speaks on.
        ended: whether nothing more comes.
    """

    def __init__(self, before: bytes) -> None:
        self.samples = bytearray(before)
        self.speech_seconds = self.pause_seconds = 0.0
        self.spoken = len(before)
        self.ended = False

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.samples) / 2 / 16_000

    def add(self, frame: bytes, *, speech: bool) -> None:
        """A further frame."""
        self.samples += frame
        if speech:
            self.speech_seconds += FRAME_SECONDS
            self.pause_seconds = 0.0
            self.spoken = len(self.samples)
        else:
            self.pause_seconds += FRAME_SECONDS


class UtteranceCutter:
    """Takes frames and knows the utterance that they belong to.

    Args:
        pause_s: silence that ends an utterance.
        full_s: from this length on a short pause ends it.
        longest_s: at this length it ends anyway.
        detector: tells what is speech.
    """

    def __init__(
        self,
        *,
        pause_s: float = 0.6,
        full_s: float = 14.0,
        longest_s: float = 24.0,
        detector: ActivityDetector | None = None,
    ) -> None:
        self._pause, self._full, self._longest = pause_s, full_s, longest_s
        self._detector = detector or ActivityDetector()
        self._recent: deque[bool] = deque(maxlen=_OF_FRAMES)
        self._before: deque[bytes] = deque(maxlen=round(_BEFORE_SECONDS / FRAME_SECONDS))
        self.current: Utterance | None = None

    @property
    def level(self) -> float:
        """Root mean square of the last frame, 0 to 1."""
        return self._detector.level

    def feed(self, frame: bytes) -> Utterance | None:
        """Takes 20 ms; gives an utterance that begins with them."""
        speech = self._detector.is_speech(frame)
        if self.current is None:
            self._recent.append(speech)
            self._before.append(frame)
            if sum(self._recent) < _SPEECH_FRAMES:
                return None
            self.current = Utterance(b"".join(self._before))
            self.current.speech_seconds = sum(self._recent) * FRAME_SECONDS
            self._recent.clear()
            self._before.clear()
            return self.current
        self.current.add(frame, speech=speech)
        if self._is_over(self.current):
            # The silence at the end is what was before the next utterance, should that follow at once.
            self._before.extend(_frames(bytes(self.current.samples[self.current.spoken :]), len(frame)))
            self.end()
        return None

    def end(self) -> None:
        """Ends the utterance that is open, if one is."""
        if self.current is not None:
            self.current.ended = True
            self.current = None

    def _is_over(self, utterance: Utterance) -> bool:
        if utterance.seconds >= self._longest:
            return True
        pause = self._pause if utterance.seconds < self._full else min(self._pause, _SHORT_PAUSE_SECONDS)
        return utterance.pause_seconds >= pause - FRAME_SECONDS / 2


def _frames(samples: bytes, length: int) -> list[bytes]:
    return [samples[start : start + length] for start in range(0, len(samples) - length + 1, length)]
