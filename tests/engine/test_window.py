"""How large a context window is, and who says so."""

from __future__ import annotations

import pytest

from app.engine.catalogues.catalogue import ModelEntry
from app.engine.window import ContextWindow, affordable, foreseen, opened, planned
from app.settings import EngineSettings

MIB = 1024**2


def entry(context: int = 0, **other: str) -> ModelEntry:
    return ModelEntry(name="m", source="path:/nowhere", context=context, **other)


def told(window: ContextWindow) -> tuple[int, str]:
    return window.tokens, window.origin


def test_the_setting_goes_before_the_catalogue_and_the_catalogue_before_the_file():
    assert told(planned(entry(8192), EngineSettings(context=4096), 2048)) == (4096, "setting")
    assert told(planned(entry(8192), EngineSettings(), 2048)) == (8192, "catalogue")
    assert told(planned(entry(), EngineSettings(), 2048)) == (2048, "trained")
    assert told(planned(entry(), EngineSettings())) == (0, "unknown")


def test_the_setting_is_about_conversations_alone():
    assert told(planned(entry(256, role="embed"), EngineSettings(context=4096))) == (256, "catalogue")


def test_the_reason_names_the_variable_or_the_file_that_set_it():
    window = planned(entry(), EngineSettings(context=4096), set_by="PLAYGROUND_ENGINE__CONTEXT")
    assert window.reason == "The setting engine.context says so, which comes from PLAYGROUND_ENGINE__CONTEXT."


@pytest.mark.parametrize(
    ("wanted", "has", "trained", "found"),
    [
        (8192, 8192, 2048, (8192, "catalogue")),
        (8192, 1024, 8192, (1024, "memory")),
        (0, 2048, 2048, (2048, "trained")),
        (0, 1024, 2048, (1024, "memory")),
        (8192, 512, 512, (512, "trained")),  # what embeds reads no more than it was trained with
    ],
)
def test_what_a_worker_opened_is_explained(wanted, has, trained, found):
    assert told(opened(planned(entry(wanted), EngineSettings()), has, trained)) == found


def test_what_memory_does_not_hold_says_what_was_wanted_and_why():
    window = opened(planned(entry(32768), EngineSettings()), 1024, 32768)
    assert window.reason == "Free memory holds no more; 32,768 are wanted. The catalogue says so."


def test_half_of_the_free_memory_is_given_to_the_cache():
    assert affordable(1600 * MIB, MIB) == 768
    assert affordable(10 * MIB, MIB) == 512
    assert affordable(4096 * MIB, MIB) == 2048


def test_a_file_says_what_its_model_was_trained_with(starter_model, tmp_path):
    plenty = 2**40
    assert told(foreseen(entry(), starter_model, EngineSettings(), plenty)) == (8192, "trained")
    assert told(foreseen(entry(), starter_model, EngineSettings(), 64 * MIB)) == (1280, "memory")
    assert told(foreseen(entry(), None, EngineSettings(), plenty)) == (0, "unknown")
    torn = tmp_path / "torn.gguf"
    torn.write_bytes(b"GGUF")
    assert told(foreseen(entry(100), torn, EngineSettings(), plenty)) == (100, "catalogue")
