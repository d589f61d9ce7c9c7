"""How keys are kept: a random key sealed under another one, which a passphrase or a recovery key gives.

Sealing is ChaCha20-Poly1305 (RFC 8439) with a random nonce. A passphrase is stretched by Argon2id (RFC 9106: 3
passes over 64 MiB). A recovery key is random already, so HKDF-SHA256 (RFC 5869) is enough.
"""

from __future__ import annotations

import base64
import hashlib
import secrets

from msgspec import Struct

from app.errors import WrongPassphraseError

KEY_BYTES = 32
_NONCE_BYTES = 12
_RECOVERY_BYTES = 20
_CHECK_BYTES = 5


class Stretching(Struct, frozen=True):
    """The cost of a guess: Argon2id with this many passes over this much memory.

    One lane: with more, OpenSSL's implementation never returns when two threads of a process use it at once.
    """

    salt: bytes
    passes: int = 3
    memory_kib: int = 64 * 1024
    lanes: int = 1

    @classmethod
    def fresh(cls) -> Stretching:
        """Today's cost, and a salt of its own."""
        return cls(secrets.token_bytes(16))

    def key_from(self, passphrase: str) -> bytes:
        """The wrapping key of a passphrase, 32 bytes; takes about 0.1 s and 64 MiB."""
        from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

        return Argon2id(
            salt=self.salt, length=KEY_BYTES, iterations=self.passes, lanes=self.lanes, memory_cost=self.memory_kib
        ).derive(_normal(passphrase).encode("utf-8", "surrogatepass"))


def new_key() -> bytes:
    """32 random bytes."""
    return secrets.token_bytes(KEY_BYTES)


def seal(secret: bytes, key: bytes, purpose: str) -> bytes:
    """``secret``, readable only with ``key`` and for the same ``purpose``."""
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + ChaCha20Poly1305(key).encrypt(nonce, secret, purpose.encode())


def unseal(sealed: bytes, key: bytes, purpose: str) -> bytes | None:
    """What was sealed; None when the key or the purpose is another, or a byte was changed."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    if len(sealed) < _NONCE_BYTES:
        return None
    try:
        return ChaCha20Poly1305(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], purpose.encode())
    except InvalidTag:
        return None


def new_recovery_key() -> str:
    """A key to print and put away: 160 random bits and a check, as eight groups of five letters and digits."""
    raw = secrets.token_bytes(_RECOVERY_BYTES)
    text = base64.b32encode(raw + _check(raw)).decode()
    return "-".join(text[start : start + 5] for start in range(0, len(text), 5))


def recovery_wrapping_key(written: str) -> bytes:
    """The wrapping key of a recovery key as a person typed it: case, spaces and dashes do not matter.

    Raises:
        WrongPassphraseError: when it is not a recovery key at all, as after a slip of the pen.
    """
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    raw = _read_recovery(written)
    if raw is None:
        raise WrongPassphraseError(
            "This is not a recovery key: it has eight groups of five letters and digits, with a check at the end.",
            "Compare it with the printed one, letter by letter.",
        )
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=b"playground vault recovery").derive(raw)


def looks_like_recovery_key(written: str) -> bool:
    """Whether what was typed into a passphrase's place is a recovery key, check included."""
    return _read_recovery(written) is not None


def _read_recovery(written: str) -> bytes | None:
    plain = "".join(character for character in written.upper() if character.isalnum())
    if len(plain) != (_RECOVERY_BYTES + _CHECK_BYTES) * 8 // 5:
        return None
    try:
        raw = base64.b32decode(plain.replace("0", "O").replace("1", "I").replace("8", "B"))
    except ValueError:
        return None
    secret, check = raw[:_RECOVERY_BYTES], raw[_RECOVERY_BYTES:]
    return secret if secrets.compare_digest(check, _check(secret)) else None


def _check(raw: bytes) -> bytes:
    return hashlib.sha256(b"playground recovery check" + raw).digest()[:_CHECK_BYTES]


def _normal(passphrase: str) -> str:
    """The same passphrase on every keyboard: composed and decomposed accents are one (NFKC, as RFC 8265 advises)."""
    import unicodedata

    return unicodedata.normalize("NFKC", passphrase)
