"""The settings of dictation and transcription."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct


class VoiceSettings(Struct, frozen=True, kw_only=True):
    """What is said, and how it becomes text. Audio is kept in memory alone.

    Attributes:
        model: writes down what is said: of the catalogue or of ``[remote.NAME]``, with the role ``transcribe``. One
            elsewhere is at an OpenAI-compatible endpoint with ``redact = false``: sound cannot be searched for
            personal data.
        language: a code such as ``en`` or ``de``; empty finds it out from what is said.
        device: the microphone's name or a part of it; empty takes the system's own choice.
        mode: ``hands-free`` writes after each pause, ``push-to-talk`` when the key is pressed again.
        pause_s: silence that ends an utterance.
        quiet_s: hands-free dictation ends by itself after so many seconds without speech; 0 never does.
    """

    model: str = "whisper-base"
    language: str = ""
    device: str = ""
    mode: Literal["hands-free", "push-to-talk"] = "hands-free"
    pause_s: Annotated[float, Meta(ge=0.2, le=10)] = 0.6
    quiet_s: Annotated[float, Meta(ge=0, le=86_400)] = 60.0
