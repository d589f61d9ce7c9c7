"""Embeddings of GGUF models through llama.cpp: those made for it, and any chat model at need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import llama_cpp.llama_cpp as llama
import numpy as np

from app.engine.frames import LoadOptions
from app.engine.hardware import cores
from app.errors import EngineError, ModelLoadError

from .devices import accelerator
from .embed import Vectors
from .native import DECODED, Batch, Model, NativeLog

_LONGEST = 8192
_SHORTEST_BATCH = 512
_SEQUENCES = 32
_CHARACTERS_PER_TOKEN = 256


class GgufEmbedder:
    """A GGUF model; see ``TextEmbedder``. It pools the tokens' states as its file says, or takes their mean.

    Raises:
        ModelLoadError: when the library refuses the file, or memory is too little.
    """

    def __init__(self, options: LoadOptions, on_progress: Callable[[float], None]) -> None:
        gpu = accelerator(options.device)
        self._log = NativeLog(_print_to_log)
        self._model = model = Model(options.path, options.gpu_layers if gpu else 0, on_progress)
        self.description, self.device = model.description, gpu or "CPU"
        self.at_once = 1
        self.size_bytes = model.size_bytes
        self.trained_limit = model.trained_context
        self.limit = min(options.context or self.trained_limit, self.trained_limit, _LONGEST)
        self.warnings: tuple[str, ...] = ()
        room = max(self.limit, _SHORTEST_BATCH)
        pooling = llama.LLAMA_POOLING_TYPE_UNSPECIFIED
        self._context = self._open(room, options.threads or cores(), pooling)
        if llama.llama_pooling_type(self._context) == llama.LLAMA_POOLING_TYPE_NONE:
            llama.llama_free(self._context)
            self._context = self._open(room, options.threads or cores(), llama.LLAMA_POOLING_TYPE_MEAN)
            self.warnings = ("The file does not say how its vectors are made; the mean of all tokens is taken.",)
        self._memory = llama.llama_get_memory(self._context)
        self._batch = Batch(room)
        self.dimensions = int(llama.llama_model_n_embd(model.handle))
        ends = {llama.llama_vocab_eos(model.vocab), llama.llama_vocab_sep(model.vocab)}
        self._ends = {token for token in ends if token >= 0}
        self._blank = model.tokenize(" ", parse_special=False)

    def tokenize(self, text: str) -> tuple[list[int], bool]:
        """See ``TextEmbedder.tokenize``; special tokens that the text spells out are read as text."""
        longest = self.limit * _CHARACTERS_PER_TOKEN
        tokens = self._model.tokenize(text[:longest], parse_special=False) or self._blank
        if len(tokens) <= self.limit:
            return tokens, len(text) > longest
        last = tokens[-1:] if tokens[-1] in self._ends else []
        return tokens[: self.limit - len(last)] + last, True

    def vectors(self, rows: Sequence[list[int]]) -> Vectors:
        """See ``TextEmbedder.vectors``."""
        self._batch.clear()
        for sequence, row in enumerate(rows):
            for position, token in enumerate(row):
                self._batch.add([token], position, sequence, output=True)
        if self._memory:
            llama.llama_memory_clear(self._memory, True)
        self._batch.handle.n_tokens = self._batch.count
        status = int(llama.llama_decode(self._context, self._batch.handle))
        if status != DECODED:
            raise EngineError(f"The engine could not compute {len(rows)} texts (status {status}).")
        found = np.empty((len(rows), self.dimensions), np.float32)
        for sequence in range(len(rows)):
            pointer = llama.llama_get_embeddings_seq(self._context, sequence)
            if not pointer:
                raise EngineError("The engine gave no vector; the model may not be made for it.")
            found[sequence] = np.ctypeslib.as_array(pointer, (self.dimensions,))
        return found

    def _open(self, room: int, threads: int, pooling: int) -> Any:
        params = llama.llama_context_default_params()
        params.n_ctx = params.n_batch = params.n_ubatch = room
        params.n_seq_max = _SEQUENCES
        params.n_threads = params.n_threads_batch = threads
        params.kv_unified = True
        params.embeddings = True
        params.pooling_type = pooling
        params.no_perf = True
        context = llama.llama_init_from_model(self._model.handle, params)
        if not context:
            raise ModelLoadError(
                f"There is not enough memory to read texts of {self.limit} tokens.",
                "Set a smaller context for the model in the catalogue, or close other programs.",
            )
        return context


def _print_to_log(text: str) -> None:
    import sys

    print(text, end="", file=sys.stderr, flush=True)
