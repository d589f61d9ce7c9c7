"""Sentence embeddings through sentence-transformers and PyTorch: for models in the form in which they are published.

Both come with the extra ``torch-embed`` alone; without them the model is refused, with what to install.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from app.engine.frames import LoadOptions
from app.engine.hardware import cores
from app.errors import EngineError, ModelLoadError

from .embed import Vectors

_FILES = ("config.json", "tokenizer.json", "tokenizer_config.json")
_POOLING = "pooling.json"
"""What such a model's own folder calls ``1_Pooling/config.json``; a model's files have plain names here."""

_OLDER_POOLING = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
"""A switch for each kind, in files of models from before the library's version 6."""

_DEFAULT_LIMIT = 256
_CHARACTERS_PER_TOKEN = 256


class TorchEmbedder:
    """A transformer encoder as safetensors, its configuration and tokenizer beside it; see ``TextEmbedder``.

    Only safetensors are read, and no code that comes with a model is run.

    Raises:
        ModelLoadError: when the library or a file is missing, or is not what the library takes.
    """

    device = "CPU"
    at_once = 1
    warnings: tuple[str, ...] = ()

    def __init__(self, options: LoadOptions) -> None:
        path = Path(options.path)
        for name in _FILES:
            if not path.with_name(name).is_file():
                raise ModelLoadError(f"{path.parent.name} has no {name} beside its model.", "Fetch the model again.")
        # Read when the libraries are imported: they have nothing to fetch here, and nothing to tell.
        os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
        try:
            import sentence_transformers
            import torch
        except ImportError as error:
            raise ModelLoadError(
                f"{path.parent.name} needs sentence-transformers and PyTorch, which are not installed here: {error}.",
                "Install Playground's extra torch-embed, or use an ONNX or GGUF model.",
            ) from error
        torch.set_num_threads(options.threads or cores())
        self._torch = torch
        limit = options.context or _DEFAULT_LIMIT
        try:
            self._model = _open(sentence_transformers, path, limit)
            self._tokenizer = self._model.tokenizer
        except Exception as error:  # the libraries raise nothing narrower in common; the reason is told
            raise ModelLoadError(
                f"The engine refused {path.name} of {path.parent.name}: {_first_line(error)}",
                "Verify the model's files, or fetch them again.",
            ) from error
        self.limit = self.trained_limit = limit
        self.size_bytes = path.stat().st_size
        tokens, _ = self.tokenize("warm")
        self.dimensions = int(self.vectors([tokens]).shape[-1])
        self.description = f"sentence-transformers, {self.dimensions} dimensions"

    def tokenize(self, text: str) -> tuple[list[int], bool]:
        """See ``TextEmbedder.tokenize``."""
        longest = self.limit * _CHARACTERS_PER_TOKEN
        found = self._tokenizer(text[:longest], add_special_tokens=True, verbose=False)["input_ids"]
        if len(found) <= self.limit:
            return list(found), len(text) > longest
        cut = self._tokenizer(text[:longest], add_special_tokens=True, truncation=True, max_length=self.limit)
        return list(cut["input_ids"]), True

    def vectors(self, rows: Sequence[list[int]]) -> Vectors:
        """See ``TextEmbedder.vectors``."""
        torch = self._torch
        ids = np.zeros((len(rows), max(map(len, rows))), np.int64)
        mask = np.zeros_like(ids)
        for number, row in enumerate(rows):
            ids[number, : len(row)] = row
            mask[number, : len(row)] = 1
        given = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}
        if "token_type_ids" in self._tokenizer.model_input_names:
            given["token_type_ids"] = torch.zeros_like(given["input_ids"])
        try:
            with torch.inference_mode():
                found: Vectors = self._model(given)["sentence_embedding"].float().numpy()
        except RuntimeError as error:
            raise EngineError(f"The model could not compute {len(rows)} texts: {_first_line(error)}") from error
        return found


def _open(library: Any, path: Path, limit: int) -> Any:
    """The model, put together from its parts: a folder whose files all have plain names is none that it would open."""
    parts = library.sentence_transformer.modules
    safely = {"trust_remote_code": False, "local_files_only": True}
    transformer = parts.Transformer(
        str(path.parent),
        max_seq_length=limit,
        model_kwargs={**safely, "use_safetensors": True},
        config_kwargs=safely,
        processor_kwargs=safely,
    )
    dimensions = transformer.get_embedding_dimension()
    pool = parts.Pooling(dimensions, _pooling_modes(path.with_name(_POOLING)))
    return library.SentenceTransformer(modules=[transformer, pool], device="cpu").eval()


def _pooling_modes(path: Path) -> list[str]:
    """How the tokens' states become one vector, as the library names it: the mean where nothing is said."""
    if not path.is_file():
        return ["mean"]
    described: dict[str, Any] = json.loads(path.read_bytes())
    named = described.get("pooling_mode")
    if named:
        return [named] if isinstance(named, str) else list(named)
    return [mode for key, mode in _OLDER_POOLING.items() if described.get(key)] or ["mean"]


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
