"""Compressed answers, unpacked piece by piece: over sockets the HTTP client does so, in process nobody else would."""

from __future__ import annotations

import zlib
from typing import Final

# What zlib is told of the wrapping: 16 more than the largest window for gzip; 32 more lets it see for itself.
_GZIP: Final = 16 + zlib.MAX_WBITS
_WRAPPINGS: Final = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": zlib.MAX_WBITS}


class Unpacker:
    """One body. `coding` is its Content-Encoding; what is not known is left as it is."""

    def __init__(self, coding: str) -> None:
        wrapping = _WRAPPINGS.get(coding.strip().lower())
        self._inflate = None if wrapping is None else zlib.decompressobj(wrapping)

    def feed(self, piece: bytes, most: int) -> bytes:
        """What a piece gives, cut at `most` bytes. Raises ValueError for what is not compressed as it says."""
        if self._inflate is None:
            return piece
        try:
            return self._inflate.decompress(piece, most)
        except zlib.error as error:
            raise ValueError(f"the answer cannot be unpacked: {error}") from None
