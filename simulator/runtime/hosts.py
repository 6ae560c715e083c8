"""Which webhook hosts may be contacted: loopback, and what was named with --allow-host.

The URL is read with the same parser that the HTTP client uses, so that the host which is checked here and the host
which is connected to cannot differ.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from aiohttp.abc import AbstractResolver, ResolveResult

LOOPBACK_ADDRESSES: Final = ("127.0.0.1", "::1")  # what localhost means, in the order they are tried

_LOOPBACK = IPv4Network("127.0.0.0/8")

# A host whose last label is a number is an IPv4 address to the C library, in any of its old spellings: 127.1,
# 2130706433, 0x7f.1, 0177.0.0.1.
_NUMERIC = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)", re.IGNORECASE)


def allowed(url: str, allow_hosts: Collection[str] = ()) -> str | None:
    """Say why `url` may not be contacted, or None when it may. Never raises.

    `allow_hosts` holds bare names or addresses, in any case, without port; an IPv6 address with or without brackets.
    """
    from yarl import URL  # costs 20 ms to import; a simulator that sends nothing should not pay it

    try:
        parts = URL(url)
    except (ValueError, TypeError):  # ValueError includes UnicodeError: a name that cannot be encoded
        return "not sent: the webhook URL cannot be read; set one like http://127.0.0.1:3000/webhook"
    if parts.scheme not in ("http", "https"):
        return f"not sent: the webhook URL must begin with http:// or https://, not {parts.scheme[:20]!r}"
    written = parts.raw_host or ""
    host = normalised(written)
    if not host:
        return "not sent: the webhook URL has no host; set one like http://127.0.0.1:3000/webhook"
    if _NUMERIC.fullmatch(host) and _address(written) is None:
        return f"not sent: {written} is no plain IPv4 address; write it as four decimal numbers, like 127.0.0.1"
    if is_loopback(host):
        return None
    if any(host == normalised(name) for name in allow_hosts):
        return None
    return f"not sent: {host} is not this machine; to send webhooks there, start with --allow-host {host}"


def host_of(url: str) -> str:
    """The host of a URL as it is connected to, in ASCII; "" when there is none, or it cannot be read."""
    from yarl import URL

    try:
        return URL(url).raw_host or ""
    except (ValueError, TypeError):
        return ""


def is_loopback(host: str) -> bool:
    """Say whether a host, as written in a URL, can only mean this machine."""
    name = normalised(host)
    if name == "localhost" or name.endswith(".localhost"):
        return True
    address = _address(name)
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is None:
            return address.is_loopback
        address = address.ipv4_mapped
    return address is not None and address in _LOOPBACK


def is_address(host: str) -> bool:
    """Say whether a host is an address and no name."""
    return _address(normalised(host)) is not None


def normalised(host: str) -> str:
    """Write a host in one way: lower case, no brackets, no trailing dot, addresses in their shortest form."""
    name = host.strip().lower().removesuffix(".")
    if name.startswith("[") and name.endswith("]"):
        name = name[1:-1]
    address = _address(name)
    return name if address is None else str(address)


def _address(name: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(name.replace("%25", "%"))
    except ValueError:
        return None


def make_resolver() -> AbstractResolver:
    """Make the HTTP client's resolver: localhost is loopback by definition, whatever DNS or /etc/hosts say.

    The client asks for names only; an address in a URL is connected to as it is.
    """
    from aiohttp.resolver import ThreadedResolver

    class LoopbackFirst(ThreadedResolver):
        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
        ) -> list[ResolveResult]:
            if not is_loopback(host):
                return await super().resolve(host, port, family)
            return [_resolved(host, address, port) for address in LOOPBACK_ADDRESSES]

    return LoopbackFirst()


def _resolved(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return {
        "hostname": host,
        "host": address,
        "port": port,
        "family": family,
        "proto": socket.IPPROTO_TCP,
        "flags": socket.AI_NUMERICHOST,
    }
