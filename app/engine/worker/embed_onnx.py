"""Sentence embeddings through ONNX Runtime: the tokens' states, averaged, as sentence-transformers does it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import tokenizers

from app.engine.frames import LoadOptions
from app.engine.hardware import cores
from app.errors import EngineError, ModelLoadError

from .embed import Vectors
from .unrounded import unrounded

_INPUTS = {"input_ids", "attention_mask", "token_type_ids"}
_POOLED = "sentence_embedding"
"""What exports call an output that has been pooled already."""

_DEFAULT_LIMIT = 256
_CHARACTERS_PER_TOKEN = 256
"""A text is cut at so many characters for each token that is read, before it is split: a megabyte takes a second."""

_UNROUNDED = "weights.safetensors"
"""Where it lies beside a model whose own weights are rounded, it takes their place (``unrounded``)."""

_SILENT = 4


class OnnxEmbedder:
    """A transformer encoder in ONNX form with its ``tokenizer.json`` beside it; see ``TextEmbedder``.

    Where its weights lie beside it unrounded, it computes with those.

    The limit is the catalogue's ``context``: neither file knows how many tokens the model was trained with.

    Raises:
        ModelLoadError: when a file is missing, or is not what the libraries take.
    """

    device = "CPU"
    warnings: tuple[str, ...] = ()

    def __init__(self, options: LoadOptions) -> None:
        path = Path(options.path)
        self.limit = self.trained_limit = options.context or _DEFAULT_LIMIT
        self.size_bytes = path.stat().st_size
        self._tokenizer = _open_tokenizer(path.with_name("tokenizer.json"), self.limit)
        self.at_once = options.threads or cores()
        self._session = _open_session(path)
        self._inputs = {each.name for each in self._session.get_inputs()}
        outputs = [each.name for each in self._session.get_outputs()]
        if not {"input_ids"} <= self._inputs <= _INPUTS:
            raise ModelLoadError(f"{path.name} takes {sorted(self._inputs)}; expected those of {sorted(_INPUTS)}.")
        self._output = _POOLED if _POOLED in outputs else outputs[0]
        tokens, _ = self.tokenize("warm")
        self.dimensions = int(self._compute([tokens]).shape[-1])
        self.description = f"ONNX encoder, {self.dimensions} dimensions"

    def tokenize(self, text: str) -> tuple[list[int], bool]:
        """See ``TextEmbedder.tokenize``."""
        longest = self.limit * _CHARACTERS_PER_TOKEN
        found = self._tokenizer.encode(text[:longest])
        return list(found.ids), len(text) > longest or bool(found.overflowing)

    def vectors(self, rows: Sequence[list[int]]) -> Vectors:
        """See ``TextEmbedder.vectors``."""
        return self._compute(rows)

    def _compute(self, rows: Sequence[list[int]]) -> Vectors:
        ids = np.zeros((len(rows), max(map(len, rows))), np.int64)
        mask = np.zeros_like(ids)
        for number, row in enumerate(rows):
            ids[number, : len(row)] = row
            mask[number, : len(row)] = 1
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        try:
            (states,) = self._session.run([self._output], {name: given[name] for name in self._inputs})
        except Exception as error:  # the library's own classes have no other base; the reason is told
            raise EngineError(f"The model could not compute {len(rows)} texts: {_first_line(error)}") from error
        if states.ndim == 2:
            pooled: Vectors = states
        else:
            weights = mask[:, :, np.newaxis].astype(np.float32)
            pooled = (states * weights).sum(axis=1) / weights.sum(axis=1)
        return pooled


def _open_tokenizer(path: Path, limit: int) -> tokenizers.Tokenizer:
    if not path.is_file():
        raise ModelLoadError(f"{path.parent.name} has no {path.name} beside its model.", "Fetch the model again.")
    try:
        tokenizer = tokenizers.Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing narrower; the reason is told
        raise ModelLoadError(f"{path.name} of {path.parent.name} cannot be used: {_first_line(error)}") from error
    # What the file says of lengths is left out: exports often say 128, padded, whatever the model was trained with.
    tokenizer.no_padding()
    tokenizer.enable_truncation(limit)
    return tokenizer


def _open_session(path: Path) -> Any:
    settings = onnxruntime.SessionOptions()
    # A batch is computed by the thread that asks for it; several may ask at once (``at_once``).
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    settings.log_severity_level = _SILENT
    weights = path.with_name(_UNROUNDED)
    model: str | bytes = str(path)
    if weights.is_file():
        try:
            model, _ = unrounded(path.read_bytes(), weights)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelLoadError(
                f"{path.name} and {weights.name} of {path.parent.name} do not go together: {_first_line(error)}",
                "Verify the model's files, or fetch them again.",
            ) from error
    try:
        return onnxruntime.InferenceSession(model, settings, providers=["CPUExecutionProvider"])
    except Exception as error:  # the library's own classes have no other base; the reason is told
        raise ModelLoadError(
            f"The engine refused {path.name} of {path.parent.name}: {_first_line(error)}",
            "Verify the model's files, or fetch them again.",
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
