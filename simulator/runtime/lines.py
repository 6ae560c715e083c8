"""What came over the network in one piece, cut at the ends of lines: nothing should depend on how it was cut before."""

from __future__ import annotations

import re
from itertools import islice
from typing import Final

MOST_LINES: Final = 1000
_LINE: Final = re.compile(rb"[^\n]*\n+|[^\n]+")


def lines_of(piece: bytes) -> list[bytes]:
    """Cut bytes behind the ends of lines; blank lines stay with what is before them.

    Nobody says so much at once that a piece has more lines than `MOST_LINES`; what is beyond is left in one.
    """
    found: list[bytes] = [match.group() for match in islice(_LINE.finditer(piece), MOST_LINES)]
    rest = piece[sum(map(len, found)) :]
    return [*found, rest] if rest else found
