"""A dictation as the settings want it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .dictation import Dictation
from .microphone import Microphone
from .transcriber import LocalTranscriber

if TYPE_CHECKING:
    from app.engine.pool import ModelPool
    from app.settings.voice import VoiceSettings


def dictation_of(settings: VoiceSettings, pool: ModelPool, before: Callable[[], str] | None = None) -> Dictation:
    """A dictation that has not begun.

    Args:
        settings: the model, the language, the microphone and when an utterance ends.
        pool: of the models of this machine.
        before: gives the text before the cursor; without it the dictation takes its own text for that.
    """
    return Dictation(
        Microphone(settings.device),
        LocalTranscriber(pool, settings.model, settings.language),
        before=before,
        language=settings.language,
        hands_free=settings.mode == "hands-free",
        pause_s=settings.pause_s,
        quiet_s=settings.quiet_s,
    )
