"""The URL of a handler as somebody typed it: checked before anything is sent, and what may be shown of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from simulator.errors import UsageError
from simulator.runtime.hosts import allowed, host_of

EXAMPLE: Final = "write one like http://127.0.0.1:3000/webhook"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a handler is. `shown` leaves out the query, which may hold a token: reports are passed around."""

    url: str
    host: str

    @property
    def shown(self) -> str:
        """The URL for reports."""
        head, mark, _ = self.url.partition("?")
        return f"{head}?…" if mark else head

    @property
    def private(self) -> bool:
        """Whether some of it should not be shown."""
        return self.shown != self.url


def read_address(text: str) -> Address:
    """Read a URL. Whoever names it wants it contacted, so any host will do. Raises UsageError saying what is wrong."""
    url = text.strip()
    host = host_of(url)
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise UsageError(f"{text!r} is no URL: {EXAMPLE}") from error
    if parts.scheme not in ("http", "https") or not host:
        raise UsageError(f"{text!r} is no URL of a handler: {EXAMPLE}")
    if "@" in parts.netloc:
        raise UsageError("the URL holds a user or a password, which the platform does not send: leave it out")
    if "#" in url:
        raise UsageError(f"{text!r} has a fragment (#…), which is never sent: leave it out")
    if (refusal := allowed(url, (host,))) is not None:
        raise UsageError(refusal.removeprefix("not sent: "))
    return Address(url, host)
