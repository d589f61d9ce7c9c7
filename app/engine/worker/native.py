"""llama.cpp's C interface, as small objects: a model, a batch of tokens, a context that decodes batches.

Everything here runs in one process that the face can afford to lose. A ``Context`` belongs to one thread; a ``Model``'s
vocabulary may be read from any. Source: ``llama.h`` as bound by llama-cpp-python.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from functools import cached_property
from typing import Any, ClassVar

import llama_cpp
import llama_cpp.llama_cpp as llama
import numpy as np
from numpy.typing import NDArray

from app.errors import ModelLoadError

from .beginnings import Beginnings
from .team import Team
from .vocabulary import Vocabulary

Logits = NDArray[np.float32]
"""``float32 [n_vocab]``, unnormalised."""

SequenceState = NDArray[np.uint8]
"""One sequence's part of the KV cache, in the library's own form."""

DECODED, NO_ROOM, ABORTED = 0, 1, 2
"""What ``Context.decode`` gives back; anything else is a fault of the library."""

_LOG_CONTINUES, _LOG_WARNS = 5, 3
_ALL_LAYERS = 999


class NativeLog:
    """Catches what the library logs; keeps warnings and errors for the worker's stderr.

    The callback object must outlive every call into the library, or the process dies with a segmentation fault later:
    so it is kept for as long as the process lives.
    """

    _kept: ClassVar[list[Any]] = []

    def __init__(self, write: Callable[[str], None]) -> None:
        level_of_line = 0

        def log(level: int, text: bytes, _data: ctypes.c_void_p) -> None:
            nonlocal level_of_line
            level_of_line = level_of_line if level == _LOG_CONTINUES else level
            if level_of_line >= _LOG_WARNS:
                write(text.decode("utf-8", "replace"))

        self._callback = llama.llama_log_callback(log)
        self._kept.append(self._callback)
        llama.llama_log_set(self._callback, ctypes.c_void_p(0))


class Model:
    """An open GGUF model: its weights, vocabulary and metadata.

    Attributes:
        bos, eos: the texts of the tokens that begin and end a sequence; empty where there are none.

    Args:
        path: the file, or the first of a split one; checked before by ``app.engine.files.integrity``.
        gpu_layers: layers for the accelerator; -1 is all.
        on_progress: called with the share read, 0 to 1.

    Raises:
        ModelLoadError: when the library refuses the file.
    """

    def __init__(self, path: str, gpu_layers: int, on_progress: Callable[[float], None]) -> None:
        llama.llama_backend_init()
        params = llama.llama_model_default_params()
        params.n_gpu_layers = _ALL_LAYERS if gpu_layers < 0 else gpu_layers

        def progress(fraction: float, _data: ctypes.c_void_p) -> bool:
            on_progress(fraction)
            return True

        params.progress_callback = llama.llama_progress_callback(progress)
        self.handle = llama.llama_model_load_from_file(path.encode(), params)
        if not self.handle:
            raise ModelLoadError(
                f"The engine refused {path}.",
                "It may need more memory than is free, or be of a kind that this version does not know.",
            )
        self.vocab = llama.llama_model_get_vocab(self.handle)
        self.vocabulary = Vocabulary(self.vocab)
        self.vocab_size = self.vocabulary.size
        self.bos = self.special_text(self.vocabulary.bos)
        self.eos = self.special_text(self.vocabulary.eos)

    @cached_property
    def beginnings(self) -> Beginnings:
        """Its tokens by their first bytes; made when a grammar first needs them, in 60 ms for 49,000 tokens."""
        return Beginnings(self.vocabulary, filter(self.ends_generation, range(self.vocab_size)))

    @property
    def description(self) -> str:
        """Architecture, size and quantisation, in the library's words."""
        buffer = ctypes.create_string_buffer(256)
        llama.llama_model_desc(self.handle, buffer, len(buffer))
        return buffer.value.decode("utf-8", "replace")

    @property
    def size_bytes(self) -> int:
        """Bytes of all tensors."""
        return int(llama.llama_model_size(self.handle))

    @property
    def layers(self) -> int:
        """Transformer blocks; the output layer counts as one more when layers are put on a GPU."""
        return int(llama.llama_model_n_layer(self.handle))

    @property
    def trained_context(self) -> int:
        """Tokens of context that the model was trained with."""
        return int(llama.llama_model_n_ctx_train(self.handle))

    @property
    def shares_prefixes(self) -> bool:
        """Whether a part of one sequence's cache can be lent to another: not so where the state is recurrent."""
        handle = self.handle
        return not (llama.llama_model_is_recurrent(handle) or llama.llama_model_is_hybrid(handle))

    @property
    def cell_bytes(self) -> int:
        """Bytes of KV cache for one token: a key and a value, 16 bits each, in every layer."""
        heads = int(llama.llama_model_n_head(self.handle)) or 1
        width = int(llama.llama_model_n_embd(self.handle)) // heads * int(llama.llama_model_n_head_kv(self.handle))
        return 2 * 2 * width * self.layers

    @property
    def chat_template(self) -> str | None:
        """The template that the file carries, as Jinja text."""
        found = llama.llama_model_chat_template(self.handle, None)
        return found.decode("utf-8", "replace") if found else None

    def special_text(self, token: int) -> str:
        """How a special token is written in a template; empty where the vocabulary has none (-1)."""
        return self.vocabulary.written(token).decode("utf-8", "replace") if token >= 0 else ""

    def tokenize(self, text: str, *, parse_special: bool = True) -> list[int]:
        """Token ids of ``text``. Begins with the vocabulary's first token where it asks for one, but never twice."""
        add_special = not (self.bos and text.startswith(self.bos))
        return self.vocabulary.tokenize(text, add_special=add_special, parse_special=parse_special)

    def piece(self, token: int) -> bytes:
        """The bytes that a token stands for; control tokens stand for none."""
        return self.vocabulary.piece(token)

    def ends_generation(self, token: int) -> bool:
        """Whether a model says by this token that it has finished."""
        return bool(llama.llama_vocab_is_eog(self.vocab, token))


class Batch:
    """The tokens of one decoding step, from any number of sequences.

    Arrays are laid out once and filled in place: a step's own Python cost must stay far below a model's
    8 ms.
    """

    def __init__(self, room: int) -> None:
        self.room = room
        self.count = 0
        self._tokens = np.zeros(room, np.int32)
        self._positions = np.zeros(room, np.int32)
        self._ones = np.ones(room, np.int32)
        self._sequences = np.zeros(room, np.int32)
        self._pointers = (self._sequences.ctypes.data + 4 * np.arange(room, dtype=np.uint64)).astype(np.uint64)
        self._outputs = np.zeros(room, np.int8)

        def pointer(array: NDArray[Any], ctype: Any) -> Any:
            return ctypes.cast(array.ctypes.data, ctypes.POINTER(ctype))

        self.handle = llama.llama_batch(
            n_tokens=0,
            token=pointer(self._tokens, ctypes.c_int32),
            embd=None,
            pos=pointer(self._positions, ctypes.c_int32),
            n_seq_id=pointer(self._ones, ctypes.c_int32),
            seq_id=pointer(self._pointers, ctypes.POINTER(ctypes.c_int32)),
            logits=pointer(self._outputs, ctypes.c_int8),
        )

    def clear(self) -> None:
        """Empties the batch."""
        self.count = 0

    def add(self, tokens: list[int], position: int, sequence: int, *, output: bool) -> int:
        """Appends a run of one sequence's tokens; gives the row of the last, whose logits are kept if ``output``."""
        start, end = self.count, self.count + len(tokens)
        if end == start + 1:  # an answer's newest token, at every step: single items are written six times faster
            self._tokens[start] = tokens[0]
            self._positions[start] = position
            self._sequences[start] = sequence
            self._outputs[start] = output
            self.count = end
            return start
        self._tokens[start:end] = tokens
        self._positions[start:end] = range(position, position + len(tokens))
        self._sequences[start:end] = sequence
        self._outputs[start:end] = 0
        self._outputs[end - 1] = output
        self.count = end
        return end - 1


class Context:
    """The KV cache and the compute buffers: decodes batches, one at a time, for up to ``sequences`` sequences.

    One KV cache is shared by all (``kv_unified``), so a prefix copied from one sequence to another costs nothing.

    Attributes:
        cells: tokens that it has room for.
        layout: what a saved state must have in common with another context to be of use in it.
    """

    def __init__(self, model: Model, *, cells: int, sequences: int, batch: int, threads: int) -> None:
        params = llama.llama_context_default_params()
        params.n_ctx = cells
        params.n_batch = batch
        params.n_ubatch = batch
        params.n_seq_max = sequences
        params.n_threads = params.n_threads_batch = threads
        params.kv_unified = True
        params.swa_full = True
        params.no_perf = True
        # Flash attention gives a row the same logits, to the bit, whatever else is in its batch (the other kernel: up
        # to 0.4 apart), and prefills a fifth faster. But for a row that stands alone: from 512 cells on, its attention
        # is shared out to the threads and so summed in another order.
        params.flash_attn_type = llama.LLAMA_FLASH_ATTN_TYPE_ENABLED
        self.layout = f"llama.cpp {llama_cpp.__version__} flash"
        self.handle = llama.llama_init_from_model(model.handle, params)
        if not self.handle:
            params.flash_attn_type = llama.LLAMA_FLASH_ATTN_TYPE_DISABLED
            self.layout = f"llama.cpp {llama_cpp.__version__} plain"
            self.handle = llama.llama_init_from_model(model.handle, params)
        if not self.handle:
            raise ModelLoadError(
                f"There is not enough memory for a context of {cells} tokens.",
                "Set a smaller engine.context, or close other programs.",
            )
        self.cells: int = llama.llama_n_ctx(self.handle)
        self._memory = llama.llama_get_memory(self.handle)
        self._vocab_size = model.vocab_size
        self._team = Team(threads)
        self._abort = ctypes.create_string_buffer(2)
        self._install_abort()

    def _install_abort(self) -> None:
        # The library asks before every node of the graph whether to go on. A Python callback would take the GIL
        # hundreds of times a token; libc's strlen answers the same question natively: the length of our one-byte
        # string is 0 (go on) until a byte is put there, then 1 (stop).
        strlen = ctypes.CDLL(None).strlen
        callback = ctypes.cast(strlen, llama.ggml_abort_callback)
        self._abort_callback = callback
        llama.llama_set_abort_callback(self.handle, callback, ctypes.cast(self._abort, ctypes.c_void_p))

    def abort(self) -> None:
        """Stops a running ``decode`` within milliseconds; may be called from another thread."""
        self._abort[0] = b"\x01"

    def allow(self) -> None:
        """Takes an ``abort`` back."""
        self._abort[0] = b"\x00"

    def decode(self, batch: Batch) -> int:
        """Computes a batch. Gives ``DECODED``, ``NO_ROOM``, ``ABORTED``, or a negative fault of the library."""
        batch.handle.n_tokens = batch.count
        size, began = self._team.size, time.monotonic()
        result = int(llama.llama_decode(self.handle, batch.handle))
        if result == DECODED:
            self._team.observe(batch.count, time.monotonic() - began)
            if self._team.size != size:
                llama.llama_set_n_threads(self.handle, self._team.size, self._team.size)
        return result

    def logits(self, row: int) -> Logits:
        """The logits of a batch row that was added with ``output``: a view, good until the next ``decode``."""
        pointer = llama.llama_get_logits_ith(self.handle, row)
        return np.ctypeslib.as_array(pointer, (self._vocab_size,))

    def truncate(self, sequence: int, length: int) -> bool:
        """Forgets a sequence's tokens from ``length`` on; False when this kind of model cannot forget in part."""
        return bool(llama.llama_memory_seq_rm(self._memory, sequence, length, -1))

    def save(self, sequence: int) -> SequenceState:
        """A sequence's part of the cache, for ``restore``; about as fast as memory is (a 2,000-token chat: 6 ms)."""
        size = llama.llama_state_seq_get_size(self.handle, sequence)
        state = np.empty(size, np.uint8)
        written = llama.llama_state_seq_get_data(self.handle, _bytes_of(state), size, sequence)
        return state[:written]

    def restore(self, sequence: int, state: SequenceState) -> bool:
        """Puts a saved part back, as the whole of ``sequence``; False when there is no room."""
        return bool(llama.llama_state_seq_set_data(self.handle, _bytes_of(state), len(state), sequence))

    def copy(self, source: int, target: int, length: int) -> None:
        """Lets ``target`` share the first ``length`` tokens of ``source``."""
        llama.llama_memory_seq_cp(self._memory, source, target, 0, length)


def _bytes_of(array: SequenceState) -> Any:
    return ctypes.cast(array.ctypes.data, ctypes.POINTER(ctypes.c_uint8))
