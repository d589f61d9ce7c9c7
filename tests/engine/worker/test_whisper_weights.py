"""Weights of Whisper in CTranslate2's form: read from the real file, and refused where they are unsound."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.engine.worker.whisper_weights import read_ctranslate2, to_openai
from app.errors import ModelLoadError


def test_the_real_model_has_what_openai_s_has(speech_model: Path) -> None:
    sizes, weights = to_openai(read_ctranslate2(speech_model))
    assert sizes == {
        "n_mels": 80, "n_audio_ctx": 1500, "n_audio_state": 512, "n_audio_head": 8, "n_audio_layer": 6,
        "n_vocab": 51865, "n_text_ctx": 448, "n_text_state": 512, "n_text_head": 8, "n_text_layer": 6,
    }  # fmt: skip
    assert len(weights) == 245
    assert weights["decoder.blocks.5.cross_attn.key.weight"].shape == (512, 512)
    assert "decoder.blocks.5.cross_attn.key.bias" not in weights
    assert all(np.isfinite(each).all() for each in weights.values())


def _model(kind: str = "WhisperSpec", version: int = 6, body: bytes = b"", count: int = 0) -> bytes:
    name = kind.encode() + b"\0"
    return struct.pack("<IH", version, len(name)) + name + struct.pack("<II", 3, count) + body


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "ends at 0 bytes"),
        (b"GGUF" * 10, "version"),
        (_model(version=99), "version is 99"),
        (_model(kind="TransformerSpec"), "TransformerSpec"),
        (_model(count=1), "ends at"),
        (_model(count=10**9), "1000000000 variables"),
        (_model(count=1, body=struct.pack("<H2sBI", 2, b"w\0", 200, 1)), "200 dimensions"),
        (_model(count=1, body=struct.pack("<H2sBIBI", 2, b"w\0", 1, 9, 4, 2) + b"\0\0"), "reshape"),
        (_model(count=1, body=struct.pack("<H2sBBI", 2, b"w\0", 0, 77, 0)), "type 77"),
    ],
)
def test_an_unsound_file_is_refused_with_the_reason(tmp_path: Path, data: bytes, told: str) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(data)
    with pytest.raises(ModelLoadError, match=told):
        read_ctranslate2(path)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200), count=st.integers(0, 5))
def test_garbage_is_refused_or_read(tmp_path: Path, data: bytes, count: int) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(_model(count=count, body=data))
    try:
        read_ctranslate2(path)
    except ModelLoadError as error:
        assert error.remedy


def test_a_model_of_another_kind_is_told_apart() -> None:
    with pytest.raises(ModelLoadError, match="encoder/conv1/weight"):
        to_openai({})


def test_weights_of_8_bits_get_their_scale_back() -> None:
    from app.engine.worker.whisper_weights import _values

    found = {"w": np.array([[127, -64], [2, 4]], np.int8), "w_scale": np.array([127.0, 2.0], np.float32)}
    assert np.allclose(_values(found, "w"), [[1.0, -64 / 127], [1.0, 2.0]])
