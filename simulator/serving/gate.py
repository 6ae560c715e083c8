"""Who may talk to us: our own names only, and a known key.

A page in a browser can make the browser send requests to a loopback port (cross-site posts), or give its own name the
address 127.0.0.1 (DNS rebinding). Both show in the `Origin` and `Host` headers, so those must be ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from simulator.errors import ApiError, Forbidden, Unauthorized

_HOST: Final = r"(?P<host>\[[^\]]*\]|[^:/\[\]@?#]*)(?::(?P<port>\d*))?"
_SCHEME: Final = r"(?P<scheme>[a-z][a-z0-9+.-]*)://"
_ALLOWED: Final = re.compile(rf"(?:{_SCHEME})?{_HOST}/?")
# What the headers may look like: a `Host` is no URL, and what browsers write into `Origin` always has a scheme.
_SHAPES: Final = {"Host": re.compile(_HOST), "Origin": re.compile(_SCHEME + _HOST)}
_WEB: Final = (
    None,
    "http",
    "https",
)  # pages come from these; an extension or a file that calls itself localhost does not
_LOOPBACK_V4: Final = re.compile(r"127(?:\.\d{1,3}){3}")
_REMEMBERED: Final = 256  # values; with every port of 127.0.0.0/8 there could be billions
_USUAL: Final = b"Bearer "  # spelt as nearly every client does
CHALLENGE: Final = {"WWW-Authenticate": "Bearer"}


class Gate:
    """Decides on `Host` and `Origin`.

    An allowed value may be a host ("box.test"), a host with a port ("box.test:8787"), an origin with a scheme
    ("https://box.test"), or "*". What it leaves out may be anything.
    """

    def __init__(self, allowed: Iterable[str]) -> None:
        values = [value.strip().lower() for value in allowed]
        self._anything = "*" in values
        self._allowed = [_split(_ALLOWED, value) for value in values if value != "*"]
        self._ours: set[bytes] = set()  # values that passed; a client sends the same one for ever

    def check(self, header: str, value: bytes) -> None:
        """Raise Forbidden unless the value of the `Host` or `Origin` header is ours."""
        if value in self._ours:
            return
        text = value.decode("latin-1")
        if not self._is_ours(_SHAPES[header], text.strip().lower()):
            raise Forbidden(
                f"{header} {text[:200]!r} is not loopback: name it with --allow-origin to let it use the simulator"
            )
        if len(self._ours) < _REMEMBERED:
            self._ours.add(value)

    def _is_ours(self, shape: re.Pattern[str], value: str) -> bool:
        if self._anything:
            return True
        scheme, host, port = _split(shape, value)
        if scheme in _WEB and (host in ("localhost", "[::1]") or _LOOPBACK_V4.fullmatch(host)):
            return True
        return bool(host) and any(
            host == name and their_scheme in (None, scheme or their_scheme) and their_port in (None, port)
            for their_scheme, name, their_port in self._allowed
        )


def _split(shape: re.Pattern[str], value: str) -> tuple[str | None, str, str | None]:
    found = shape.fullmatch(value)
    if found is None:
        return None, "", None
    parts = found.groupdict()
    return parts.get("scheme"), parts["host"], parts["port"] or None


def bearer(header: bytes | None) -> str:
    """Take the key out of an `Authorization` header, or raise Unauthorized."""
    if header is not None and header.startswith(_USUAL) and not header.endswith(b" "):
        return header[len(_USUAL) :].decode("latin-1").lstrip()
    if header is None:
        raise _unauthorised("no API key: send the header Authorization: Bearer <key>")
    scheme, _, key = header.decode("latin-1").strip().partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise _unauthorised("the Authorization header should be: Bearer <key>")
    return key.strip()


def unknown_key(key: str) -> ApiError:
    """The refusal of a key that no account has. Only its first characters are shown, never all of them."""
    shown = key[: min(8, len(key) // 2)]
    return _unauthorised(f"unknown API key {shown!r}…: use a key the simulator was started with (--api-key)")


def _unauthorised(detail: str) -> ApiError:
    return Unauthorized(detail, headers=CHALLENGE)
