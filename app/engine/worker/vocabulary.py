"""A model's vocabulary: from text to tokens and back. Source: ``llama.h`` as bound by llama-cpp-python."""

from __future__ import annotations

import ctypes
from typing import Any, NamedTuple

import llama_cpp.llama_cpp as llama

from app.errors import InvalidRequestError

from .control_names import TokenNames

_PIECE_BYTES = 512


class FillTokens(NamedTuple):
    """The tokens by which a model is asked for code in the middle; -1 where it has none.

    Attributes:
        repository, file: begin the name of a project, and of a file.
    """

    prefix: int
    suffix: int
    middle: int
    repository: int
    file: int


class Vocabulary:
    """Reads one model's vocabulary. Any thread may use it, several at once."""

    def __init__(self, handle: Any) -> None:
        self.handle = handle
        self.size: int = llama.llama_vocab_n_tokens(handle)
        self.bos: int = llama.llama_vocab_bos(handle)
        self.eos: int = llama.llama_vocab_eos(handle)
        self._pieces: dict[int, bytes] = {}
        self.names, self._longest = self._read_names()

    @property
    def begins_with_bos(self) -> bool:
        """Whether a sequence is to begin with ``bos``."""
        return bool(llama.llama_vocab_get_add_bos(self.handle))

    @property
    def fill_tokens(self) -> FillTokens:
        """What it has for code in the middle."""
        vocab = self.handle
        return FillTokens(
            llama.llama_vocab_fim_pre(vocab),
            llama.llama_vocab_fim_suf(vocab),
            llama.llama_vocab_fim_mid(vocab),
            llama.llama_vocab_fim_rep(vocab),
            llama.llama_vocab_fim_sep(vocab),
        )

    def tokenize(self, text: str, *, add_special: bool, parse_special: bool) -> list[int]:
        """Token ids of ``text``.

        Args:
            text: a lone surrogate in it becomes a question mark.
            add_special: put the tokens before and behind it that the vocabulary asks for.
            parse_special: take the names of control tokens for the tokens themselves.

        Raises:
            InvalidRequestError: when the library refuses it.
        """
        parts = list(self.names.in_parts(text))
        if len(parts) == 1:
            return self._split(text, add_special, parse_special)
        # The library looks for names of tokens in time that grows with the square of their number.
        first, *rest = parts
        found = self._split(first, add_special, parse_special)
        for part in rest:
            found += self._split(part, False, parse_special)
        return found

    def fewest(self, text: str) -> int:
        """How many tokens ``text`` has at least: told at once, however long it is."""
        return max(-(-len(text.encode("utf-8", "replace")) // self._longest), self.names.count(text))

    def _split(self, text: str, add_special: bool, parse_special: bool) -> list[int]:
        raw = text.encode("utf-8", "replace")
        room = len(raw) + 8
        tokens = (ctypes.c_int32 * room)()
        count = llama.llama_tokenize(self.handle, raw, len(raw), tokens, room, add_special, parse_special)
        if count < 0:
            raise InvalidRequestError(f"The text of {len(raw)} bytes could not be split into tokens.")
        return list(tokens[:count])

    def piece(self, token: int) -> bytes:
        """The bytes that a token stands for; control tokens stand for none."""
        found = self._pieces.get(token)
        if found is None:
            found = self._pieces[token] = self._read(token, special=False)
        return found

    def written(self, token: int) -> bytes:
        """The bytes that a token stands for; for a control token, how it is written in a template."""
        return self.piece(token) or self._read(token, special=True)

    def _read_names(self) -> tuple[TokenNames, int]:
        """The names that the library looks for in a text, and the most bytes that one token stands for."""
        control, words, longest = [], [], 1
        for token in range(self.size):
            text: bytes = llama.llama_vocab_get_text(self.handle, token)
            # As the vocabulary spells it, which is never shorter than what it stands for.
            longest = max(longest, len(text))
            attributes = llama.llama_vocab_get_attr(self.handle, token)
            if attributes & (llama.LLAMA_TOKEN_ATTR_CONTROL | llama.LLAMA_TOKEN_ATTR_UNKNOWN):
                control.append(text.decode("utf-8", "replace"))
            elif attributes & llama.LLAMA_TOKEN_ATTR_USER_DEFINED:
                words.append(text.decode("utf-8", "replace"))
        return TokenNames(control, words), longest

    def _read(self, token: int, *, special: bool) -> bytes:
        # A buffer of its own each time: the library runs without the interpreter's lock, so a shared one would mix up
        # the texts that two threads read.
        buffer = ctypes.create_string_buffer(_PIECE_BYTES)
        length = llama.llama_token_to_piece(self.handle, token, buffer, len(buffer), 0, special)
        if length < 0:
            buffer = ctypes.create_string_buffer(-length)
            length = llama.llama_token_to_piece(self.handle, token, buffer, len(buffer), 0, special)
        return buffer.raw[:length]
