"""One request as bytes on a socket, for what a well-behaved HTTP client would refuse to send or would tidy up."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from contract_tests.target import Target

PATIENCE = 10.0


def exchange(
    target: Target, method: str = "GET", path: str = "/", *, raw: bytes | None = None, leave: bool = False
) -> tuple[int, bytes]:
    """Send and return the status and everything that came back; status 0 when the server just closed.

    The path is sent as it is given. `leave` closes our side for writing at once, as a client that gave up would.
    """
    address = urlsplit(target.base_url)
    if raw is None:
        head = f"{method} {path} HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer {target.key}\r\n"
        raw = f"{head}Content-Length: 0\r\nConnection: close\r\n\r\n".encode("latin-1")
    elif b"Connection:" not in raw:
        raw = raw.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
    with socket.create_connection((address.hostname, address.port or 80), timeout=PATIENCE) as sock:
        sock.sendall(raw)
        if leave:
            sock.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: sock.recv(65536), b""))
    status, _, rest = answer.partition(b"\r\n")
    return (int(status.split()[1]) if status else 0), rest
