"""Text of handlers, for people: nothing in it is invisible, and nothing steers a terminal."""

from __future__ import annotations

import re
from typing import Final

from simulator.conformance.exchange import Ending
from simulator.conformance.report.records import Content, ExchangeRecord
from simulator.scenarios.reports.texts import printable

# They show nothing and turn what stands beside them around. Joiners stay: scripts and emoji are written with them.
_UNSEEN: Final = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2028\u2029\u2060-\u2069\ufeff]")


def visible(text: str) -> str:
    """Control characters and invisible ones as escapes; line feeds and tabs stay."""
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", printable(text))


def body(content: Content) -> str:
    """A body with every byte to be seen; bytes that are no UTF-8 as \\xNN."""
    return visible(content.data.decode("utf-8", "backslashreplace"))


def size(count: int) -> str:
    """So many bytes."""
    if count < 1_024:
        return f"{count} byte" if count == 1 else f"{count} bytes"
    return f"{count / 1_024:.1f} KiB" if count < 1_048_576 else f"{count / 1_048_576:.1f} MiB"


def length(seconds: float) -> str:
    """A length of time, in the unit that suits it."""
    if seconds < 0.0995:
        return f"{seconds * 1000:.3g} ms"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.2f} s" if seconds < 100 else f"{seconds:.0f} s"


def outcome(exchange: ExchangeRecord) -> str:
    """What came of a request, in a few words."""
    end = exchange.error or ("we hung up" if exchange.ending is Ending.LEFT else exchange.ending.value)
    if exchange.status is None:
        return f"no answer ({end})"
    return str(exchange.status) if exchange.ending is Ending.COMPLETE else f"{exchange.status}, then {end}"
