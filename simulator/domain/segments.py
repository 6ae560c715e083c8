"""How many SMS segments a text takes: carriers bill and send texts in segments.

A text whose every character is in the GSM 7-bit alphabet is counted in septets (160 in one segment, 153 in each of
several joined ones); any other character makes the whole text UCS-2, counted in 16-bit units (70 and 67).
"""

from __future__ import annotations

import re
from typing import Final

GSM_SINGLE: Final = 160
GSM_JOINED: Final = 153  # seven septets of every joined segment go to the header that joins them
UCS2_SINGLE: Final = 70
UCS2_JOINED: Final = 67  # three units go to the header

_BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION: Final = "\f^{}\\[~]|€"  # each is an escape and a second septet
_GSM: Final = re.compile(f"[{re.escape(_BASIC + _EXTENSION)}]*")
_DOUBLE_SEPTET: Final = re.compile(f"[{re.escape(_EXTENSION)}]")
_DOUBLE_UNIT: Final = re.compile("[\U00010000-\U0010ffff]")  # a surrogate pair in UTF-16


def is_gsm7(text: str) -> bool:
    """Whether `text` can be sent in the GSM 7-bit alphabet."""
    return _GSM.fullmatch(text) is not None


def segments(text: str) -> int:
    """Count the SMS segments of `text`; an empty text takes none."""
    if is_gsm7(text):
        return _count(text, _DOUBLE_SEPTET, GSM_SINGLE, GSM_JOINED)
    return _count(text, _DOUBLE_UNIT, UCS2_SINGLE, UCS2_JOINED)


def _count(text: str, double: re.Pattern[str], single: int, joined: int) -> int:
    units = len(text) + len(double.findall(text))
    if units <= single:
        return min(1, units)
    count, room = 1, joined
    for character in text:
        width = 2 if double.match(character) else 1
        if width > room:  # the two halves of a character never part
            count, room = count + 1, joined
        room -= width
    return count
