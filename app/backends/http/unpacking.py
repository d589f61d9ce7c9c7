"""Bodies that come packed, though they were asked for as they are."""

from __future__ import annotations

import zlib
from typing import Any

from app.errors import StreamBrokenError

PACKED = frozenset({"gzip", "x-gzip", "deflate"})
"""Ways of packing that are understood."""
_AT_ONCE = 256 * 1024


class Unpacking:
    """A packed body, unpacked a bounded piece at a time: a kilobyte of it may be a gigabyte."""

    def __init__(self) -> None:
        self._inner: Any = None

    def some(self, data: bytes) -> tuple[bytes, bytes]:
        """The next bytes, and what of ``data`` is to be given again.

        Raises:
            StreamBrokenError: it is damaged.
        """
        if self._inner is None:
            # "deflate" is with a head or without, whatever the standard says.
            self._inner = zlib.decompressobj(zlib.MAX_WBITS | 32 if data[0] & 0xF in (8, 0xF) else -zlib.MAX_WBITS)
        if self._inner.eof:
            return b"", b""
        try:
            return self._inner.decompress(data, _AT_ONCE), self._inner.unconsumed_tail
        except zlib.error as error:
            raise StreamBrokenError("The answer is packed, and damaged.") from error

    def end(self) -> None:
        """Nothing more comes.

        Raises:
            StreamBrokenError: something is missing.
        """
        if self._inner is not None and not self._inner.eof:
            raise StreamBrokenError("The answer is packed, and not whole.")
