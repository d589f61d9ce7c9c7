"""What the list of models says of their files."""

from __future__ import annotations

import shutil

import pytest

from app.engine.files.describing import Description, Descriptions, describe


def test_the_real_starter_model_says_what_it_is(starter_model):
    assert describe(starter_model) == Description("llama", 134_515_008, "Q4_1")
    assert describe(starter_model).size == "134.52M"


@pytest.mark.parametrize(
    ("parameters", "said"),
    [(0, ""), (999, "999"), (5_000, "5K"), (7_000_000, "7M"), (1_240_000_000, "1.2B"), (8_030_000_000, "8B")],
)
def test_weights_are_counted_in_few_characters(parameters, said):
    assert Description(parameters=parameters).size == said


async def test_a_file_is_read_again_when_it_has_changed_and_one_that_is_not_sound_says_nothing(tmp_path, starter_model):
    known = Descriptions()
    assert await known.of(None) == await known.of(tmp_path / "model.onnx") == Description()
    path = tmp_path / "model.gguf"
    assert await known.of(path) == Description()
    shutil.copyfile(starter_model, path)
    assert (await known.of(path)).family == "llama"
    path.write_bytes(b"GGUF")
    assert await known.of(path) == Description()
