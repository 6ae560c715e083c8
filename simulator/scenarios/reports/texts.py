"""Text from anywhere, made fit to stand in a report: whatever it holds, it stays text."""

from __future__ import annotations

import html
import re
from typing import Final

# What XML 1.0 cannot hold, not even escaped; lone surrogates cannot be written as UTF-8 either.
_IMPOSSIBLE: Final = re.compile("[\x00-\x08\x0b\x0c\r\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


def printable(text: str) -> str:
    """Write control characters and broken text as visible escapes (a bell becomes "\\\\x07"); the rest stays."""
    return _IMPOSSIBLE.sub(lambda found: _escape(ord(found[0])), text)


def _escape(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def escaped(text: str) -> str:
    """Make `text` fit to stand between the tags of a page, and inside its quoted attributes."""
    return html.escape(printable(text), quote=True)
