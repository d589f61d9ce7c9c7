"""Whisper's weights from CTranslate2's form into OpenAI's: the same numbers under other names.

``python -m app.engine.worker.whisper_weights MODEL.BIN OUT.PT`` writes a checkpoint that openai-whisper opens. It needs
PyTorch, which comes with the extra ``openai-whisper``.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.errors import ModelLoadError

Weights = dict[str, NDArray[Any]]

_VERSIONS = (5, 6)
_MOST_VARIABLES, _MOST_DIMENSIONS = 65_536, 4
_TYPES: dict[int, str] = {0: "<f4", 1: "<i1", 2: "<i2", 3: "<i4", 4: "<f2"}
_LAYER = "layer_"


def read_ctranslate2(path: Path) -> Weights:
    """Every variable of a CTranslate2 ``model.bin``, as it stands there.

    Raises:
        ModelLoadError: when the file is not of that kind, is cut off, or says what cannot be.
    """
    data = path.read_bytes()
    try:
        return dict(_variables(_Reader(data)))
    except (struct.error, UnicodeDecodeError, ValueError) as error:
        raise ModelLoadError(f"{path.name} is no sound CTranslate2 model: {error}.", "Fetch it again.") from error


def to_openai(found: Weights) -> tuple[dict[str, int], Weights]:
    """The sizes and the weights (float32) as OpenAI's checkpoints name them.

    Raises:
        ModelLoadError: when something is missing that a Whisper model has.
    """
    try:
        return _dimensions(found), dict(_renamed(found))
    except KeyError as error:
        raise ModelLoadError(f"The model has no {error.args[0]}; expected the weights of a Whisper model.") from error


def write_checkpoint(source: Path, target: Path) -> None:
    """Writes the checkpoint of a CTranslate2 model.

    Raises:
        ModelLoadError: when the source cannot be used.
        ImportError: without PyTorch.
    """
    import torch

    dimensions, weights = to_openai(read_ctranslate2(source))
    state = {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in weights.items()}
    torch.save({"dims": dimensions, "model_state_dict": state}, target)


class _Reader:
    """Numbers and texts of a file, one after the other; no length that it names is trusted."""

    def __init__(self, data: bytes) -> None:
        self._data, self._place = data, 0

    def take(self, count: int) -> bytes:
        taken = self._data[self._place : self._place + count]
        if len(taken) != count:
            raise ValueError(f"it ends at {len(self._data)} bytes, where {self._place + count} were expected")
        self._place += count
        return taken

    def number(self, form: str) -> int:
        (found,) = struct.unpack(form, self.take(struct.calcsize(form)))
        return int(found)

    def text(self) -> str:
        return self.take(self.number("<H")).rstrip(b"\0").decode()


def _variables(reader: _Reader) -> Iterator[tuple[str, NDArray[Any]]]:
    version = reader.number("<I")
    if version not in _VERSIONS:
        raise ValueError(f"its version is {version}; expected one of {', '.join(map(str, _VERSIONS))}")
    kind = reader.text()
    if kind != "WhisperSpec":
        raise ValueError(f"it is a {kind!r}; expected a 'WhisperSpec'")
    reader.number("<I")  # the revision of that
    count = reader.number("<I")
    if count > _MOST_VARIABLES:
        raise ValueError(f"it says that it has {count} variables; expected {_MOST_VARIABLES} at most")
    for _ in range(count):
        name = reader.text()
        dimensions = reader.number("<B")
        if dimensions > _MOST_DIMENSIONS:
            raise ValueError(f"{name} has {dimensions} dimensions; expected {_MOST_DIMENSIONS} at most")
        shape = tuple(reader.number("<I") for _ in range(dimensions))
        kind_number = reader.number("<B")
        if kind_number not in _TYPES:
            raise ValueError(f"{name} is of type {kind_number}; expected one of {sorted(_TYPES)}")
        values = np.frombuffer(reader.take(reader.number("<I")), _TYPES[kind_number])
        yield name, values.reshape(shape)


def _dimensions(found: Weights) -> dict[str, int]:
    state, mels, _ = found["encoder/conv1/weight"].shape
    vocabulary, text_state = found["decoder/embeddings/weight"].shape
    return {
        "n_mels": mels,
        "n_audio_ctx": len(found["encoder/position_encodings/encodings"]),
        "n_audio_state": state,
        "n_audio_head": int(found["encoder/num_heads"]),
        "n_audio_layer": _layers(found, "encoder"),
        "n_vocab": vocabulary,
        "n_text_ctx": len(found["decoder/position_encodings/encodings"]),
        "n_text_state": text_state,
        "n_text_head": int(found["decoder/num_heads"]),
        "n_text_layer": _layers(found, "decoder"),
    }


def _layers(found: Weights, side: str) -> int:
    begin = f"{side}/{_LAYER}"
    numbers = {name[len(begin) :].partition("/")[0] for name in found if name.startswith(begin)}
    return len(numbers - {"norm"})  # which is the norm behind the last layer


def _renamed(found: Weights) -> Iterator[tuple[str, NDArray[np.float32]]]:
    for conv in ("conv1", "conv2"):
        yield from _both(found, f"encoder/{conv}", f"encoder.{conv}")
    yield "decoder.token_embedding.weight", _values(found, "decoder/embeddings/weight")
    for side, last in (("encoder", "ln_post"), ("decoder", "ln")):
        yield f"{side}.positional_embedding", _values(found, f"{side}/position_encodings/encodings")
        yield from _norm(found, f"{side}/layer_norm", f"{side}.{last}")
        for number in range(_layers(found, side)):
            theirs, ours = f"{side}/{_LAYER}{number}", f"{side}.blocks.{number}"
            yield from _attention(found, f"{theirs}/self_attention", f"{ours}.attn")
            if side == "decoder":
                yield from _attention(found, f"{theirs}/attention", f"{ours}.cross_attn")
            yield from _norm(found, f"{theirs}/ffn/layer_norm", f"{ours}.mlp_ln")
            yield from _both(found, f"{theirs}/ffn/linear_0", f"{ours}.mlp.0")
            yield from _both(found, f"{theirs}/ffn/linear_1", f"{ours}.mlp.2")


def _attention(found: Weights, theirs: str, ours: str) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Queries, keys and values lie in one matrix there; of the other side's attention, keys and values do.

    OpenAI's keys have no bias, and CTranslate2 holds zeros in its place.
    """
    crosses = f"{theirs}/linear_2/weight" in found
    yield from _norm(found, f"{theirs}/layer_norm", f"{ours}_ln")
    yield from _both(found, f"{theirs}/linear_{2 if crosses else 1}", f"{ours}.out")
    names: tuple[str, ...]
    if crosses:
        yield from _both(found, f"{theirs}/linear_0", f"{ours}.query")
        joined, names = f"{theirs}/linear_1", ("key", "value")
    else:
        joined, names = f"{theirs}/linear_0", ("query", "key", "value")
    for kind in ("weight", "bias"):
        for name, part in zip(names, np.split(_values(found, f"{joined}/{kind}"), len(names)), strict=True):
            if (name, kind) != ("key", "bias"):
                yield f"{ours}.{name}.{kind}", part


def _norm(found: Weights, theirs: str, ours: str) -> Iterator[tuple[str, NDArray[np.float32]]]:
    yield f"{ours}.weight", _values(found, f"{theirs}/gamma")
    yield f"{ours}.bias", _values(found, f"{theirs}/beta")


def _both(found: Weights, theirs: str, ours: str) -> Iterator[tuple[str, NDArray[np.float32]]]:
    yield f"{ours}.weight", _values(found, f"{theirs}/weight")
    yield f"{ours}.bias", _values(found, f"{theirs}/bias")


def _values(found: Weights, name: str) -> NDArray[np.float32]:
    """The numbers of a variable; those that were rounded to whole ones are given their scale back, row by row."""
    values = found[name]
    if values.dtype.kind == "f":
        return values.astype(np.float32)
    scale = found[f"{name}_scale"].astype(np.float32)
    rows = scale.reshape(-1, *[1] * (values.ndim - 1)) if scale.ndim else scale
    return (values.astype(np.float32) / rows).astype(np.float32)


if __name__ == "__main__":
    write_checkpoint(Path(sys.argv[1]), Path(sys.argv[2]))
