"""Conversations' parts of the KV cache on disk, sealed, so that yesterday's long chat need not be computed again.

A file is a magic number, a salt, and records sealed by ChaCha20-Poly1305 (RFC 8439) one after the other: the head (a
conversation's tokens and the size of its state), then the state in pieces. The key of a file comes from the shelf's key
and the salt by HKDF (RFC 5869), which also binds it to the model's file and to how its cache is laid out. A record's
nonce is its number and whether it is the last, so that no piece can be left out, moved or added (STREAM: Hoang et al.,
2015). Nothing of a file goes to native code that was not found authentic: what is not is deleted, and the log says so.
"""

from __future__ import annotations

import os
import secrets
import struct
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.engine.commands import KeptStates

from .native import SequenceState

_MAGIC = b"PGKV\x00\x01"
_SALT, _TAG = 32, 16
_LENGTH = struct.Struct("<I")
_STATE_SIZE = struct.Struct("<Q")
_PIECE = 4 << 20
_LONGEST_HEAD = 64 << 20
_SUPERSEDED = 0.9
"""A conversation takes the place of one on the shelf that begins alike for so much of its length."""


_ABANDONED_SECONDS = 3600


class SpoiltError(Exception):
    """A file that this shelf did not write, or not for this model, or that was changed since."""


@dataclass(frozen=True)
class KeptState:
    """A conversation on the shelf: its tokens, and where its state is."""

    path: Path
    tokens: tuple[int, ...]
    key: bytes

    def read(self) -> SequenceState | None:
        """The state; None when it is gone, or not what was written."""
        try:
            with self.path.open("rb") as file:
                state = _state(file, self.key)
            os.utime(self.path)
        except FileNotFoundError:
            return None  # it has given way to another one
        except (OSError, SpoiltError) as error:
            _discard(self.path, error)
            return None
        return state


class StateShelf:
    """A folder of conversations of one model.

    Args:
        kept: the folder, the key, what model it is for, and how many bytes it may hold, of all models together.
        layout: how the cache is laid out in memory; a state of another layout is of no use.
    """

    def __init__(self, kept: KeptStates, layout: str) -> None:
        self._binding = f"{kept.model} {layout}".encode()
        self._kept = kept
        mark = HKDF(SHA256(), 16, None, b"shelf " + self._binding).derive(kept.key)
        self._root = Path(kept.folder)
        self._folder = self._root / mark.hex()

    def conversations(self) -> list[KeptState]:
        """What is on the shelf for this model, the last used first."""
        found = []
        for path in self._files(self._folder):
            try:
                with path.open("rb") as file:
                    salt = _salt(file)
                    key = self._file_key(salt)
                    tokens, _size = _head(file, key)
            except (OSError, SpoiltError) as error:
                _discard(path, error)
                continue
            found.append(KeptState(path, tokens, key))
        return found

    def put(self, tokens: list[int], state: SequenceState) -> KeptState:
        """Writes a conversation, in the place of those that it goes on from; the longest unused give way to it.

        Raises:
            OSError: when it cannot be written.
        """
        older = [each for each in self.conversations() if goes_on_from(tokens, each.tokens)]
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        salt = secrets.token_bytes(_SALT)
        key = self._file_key(salt)
        name = secrets.token_hex(16)
        path, partial = self._folder / f"{name}.kv", self._folder / f"{name}.part"
        try:
            with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                for piece in _sealed(tokens, state, salt, key):
                    file.write(piece)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
        for each in older:
            each.path.unlink(missing_ok=True)
        self._sweep()
        return KeptState(path, tuple(tokens), key)

    def _sweep(self) -> None:
        """Keeps to the size, and removes what was begun by a program that ended over it."""
        total = 0
        for path in self._folder.glob("*.part"):
            if path.stat().st_mtime < time.time() - _ABANDONED_SECONDS:
                path.unlink(missing_ok=True)
        for path in self._files(*(each for each in self._root.iterdir() if each.is_dir())):
            total += path.stat().st_size
            if total > self._kept.most_bytes:
                path.unlink(missing_ok=True)

    def _files(self, *folders: Path) -> list[Path]:
        dated = [(path.stat().st_mtime, path) for folder in folders for path in folder.glob("*.kv")]
        return [path for _, path in sorted(dated, reverse=True)]

    def _file_key(self, salt: bytes) -> bytes:
        return HKDF(SHA256(), 32, salt, b"state " + self._binding).derive(self._kept.key)


def goes_on_from(tokens: Sequence[int], older: Sequence[int]) -> bool:
    """Whether a conversation is as good as another one that was kept before, or better."""
    alike = int(len(older) * _SUPERSEDED)
    return len(tokens) >= len(older) and list(tokens[:alike]) == list(older[:alike])


def _sealed(tokens: list[int], state: SequenceState, salt: bytes, key: bytes) -> Iterator[bytes]:
    aead = ChaCha20Poly1305(key)
    head = _STATE_SIZE.pack(len(state)) + np.array(tokens, "<i4").tobytes()
    yield _MAGIC + salt + _LENGTH.pack(len(head)) + aead.encrypt(_nonce(0, last=False), head, _MAGIC)
    for number, start in enumerate(range(0, len(state), _PIECE), 1):
        piece = state[start : start + _PIECE]
        yield aead.encrypt(_nonce(number, last=start + _PIECE >= len(state)), piece.data, _MAGIC)


def _salt(file: BinaryIO) -> bytes:
    if file.read(len(_MAGIC)) != _MAGIC:
        raise SpoiltError("it does not begin as such a file does")
    salt = file.read(_SALT)
    if len(salt) != _SALT:
        raise SpoiltError("it was cut short")
    return salt


def _head(file: BinaryIO, key: bytes) -> tuple[tuple[int, ...], int]:
    length = int.from_bytes(file.read(_LENGTH.size), "little")
    if not _STATE_SIZE.size < length <= _LONGEST_HEAD:
        raise SpoiltError("its head has no possible length")
    head = _opened(file.read(length + _TAG), key, _nonce(0, last=False))
    (size,) = _STATE_SIZE.unpack_from(head)
    return tuple(np.frombuffer(head, "<i4", offset=_STATE_SIZE.size).tolist()), size


def _state(file: BinaryIO, key: bytes) -> SequenceState:
    _salt(file)
    _tokens, size = _head(file, key)
    state = np.empty(size, np.uint8)
    for number, start in enumerate(range(0, size, _PIECE), 1):
        end = min(size, start + _PIECE)
        piece = _opened(file.read(end - start + _TAG), key, _nonce(number, last=end == size))
        state[start:end] = np.frombuffer(piece, np.uint8)
    if file.read(1):
        raise SpoiltError("something was added to it")
    return state


def _opened(record: bytes, key: bytes, nonce: bytes) -> bytes:
    try:
        return ChaCha20Poly1305(key).decrypt(nonce, record, _MAGIC)
    except InvalidTag as error:
        raise SpoiltError("it is not as it was written, or not for this model") from error


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _discard(path: Path, error: Exception) -> None:
    print(f"A kept conversation is left aside and deleted, {path.name}: {error}.", file=sys.stderr, flush=True)
    path.unlink(missing_ok=True)
