"""One delivery attempt over HTTP: bytes out, an outcome back. Knows nothing of schedules and simulated time.

There is no timeout in here. Timeouts are simulated, so the caller cancels the attempt when its own timer fires;
cancelling closes the connection at once.
"""

from __future__ import annotations

import asyncio
import codecs
import errno
import io
import re
import socket
import struct
from collections.abc import Collection, Mapping, MutableMapping
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from simulator.domain.policy import Policies
from simulator.domain.webhooks import Delivery, Outcome, OutcomeKind, WebhookEndpoint
from simulator.engine.delivery import answered
from simulator.engine.signing import sign
from simulator.errors import BadRequest, UsageError
from simulator.runtime.hosts import LOOPBACK_ADDRESSES, allowed, is_address, is_loopback, make_resolver
from simulator.runtime.transport import Answer, AppAnswer, AppTransport, Mounted, Pieces, authority_of
from simulator.runtime.virtual import virtual_loop

if TYPE_CHECKING:
    from aiohttp import ClientSession
    from yarl import URL


KEPT_BODY: Final = 4096  # bytes of an answer that its record keeps: enough for any error page's headline
READ_LIMIT: Final = 65_536  # bytes of an answer that are read at all; past that the connection is closed

# Shorter than the idle time after which common servers hang up (gunicorn 2 s, uvicorn and Node 5 s): a request must not
# be written to a connection that its other end is just closing.
KEEP_ALIVE: Final = 1.5  # real seconds

KNOWN_TARGETS: Final = 1024  # parsed URLs kept; a simulation with more webhook endpoints parses some of them again
WHOLE_BODY: Final = 1_048_576  # bytes; the HTTP client writes larger bodies in pieces

# What may be served elsewhere: a name below localhost, which cannot mean another machine, and a port if it is unusual.
_MOUNTABLE: Final = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+localhost(?::(?!80\Z)[0-9]{1,5})?")

BROKEN_OFF: Final = Outcome(kind=OutcomeKind.UNREACHABLE, error="connection reset in the middle of the request")
USER_AGENT: Final = "AgentPhone-Webhooks/sim"


class Sender:
    """Posts to webhook endpoints over kept-alive connections, on the event loop that uses it first.

    No cookies, no proxies from the environment, no redirects, no limit on connections. Hosts outside loopback are
    refused unless they are in `allow_hosts`. A host that is in `mounts` is served elsewhere: by an application in this
    process, or at another address, which then gets the request as if it had been sent there by its name.
    """

    def __init__(
        self,
        allow_hosts: Collection[str] = (),
        policies: Policies | None = None,
        mounts: MutableMapping[str, Mounted] | None = None,
    ) -> None:
        self.mounts: MutableMapping[str, Mounted] = {} if mounts is None else mounts
        self._allow_hosts = tuple(allow_hosts)
        self.policies = policies or Policies()
        self._targets: dict[str, URL | Outcome] = {}
        self._session: ClientSession | None = None
        self._closed = False

    async def attempt(self, url: str, headers: Mapping[str, str], body: bytes, pieces: Pieces | None = None) -> Outcome:
        """POST `body` and read the answer. Every way to fail is an outcome; its `duration` is left for the caller.

        An answer whose body breaks off or does not end is no answer, as with any client that reads before it looks.
        """
        response = await self.open(url, headers, body, pieces=pieces)
        if isinstance(response, Outcome):
            return response
        try:
            seen, whole = await _read(response)
        except network_errors() as error:
            response.close()
            return _unreachable(error, http_status=response.status)
        except BaseException:
            response.close()
            raise
        if whole:
            response.release()
        else:
            response.close()
        return answered(response.status, _text(seen), self.policies)

    async def open(
        self,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        *,
        method: str = "POST",
        pieces: Pieces | None = None,
    ) -> Answer | Outcome:
        """Send `body` and return the answer as soon as its head is here; the caller must close or release it.

        With `pieces` it is sent in those, each when it comes.
        """
        target = self._targets.get(url) or self._target(url)
        if isinstance(target, Outcome):
            return target
        if self.mounts and (mounted := self._mounted(target)) is not None:
            if isinstance(mounted, AppTransport):
                return await _ask(mounted, method, target, headers, body, pieces)
            headers = {"Host": authority_of(target), **headers}
            target = _moved(target, mounted)
        session = self._session or self._start()
        data: Any = body if len(body) <= WHOLE_BODY else io.BytesIO(body)
        if pieces is not None:
            data, headers = pieces(body), {**headers, "Content-Length": str(len(body))}
        try:
            return await session.request(method, target, data=data or None, headers=headers, allow_redirects=False)
        except network_errors() as error:
            return _unreachable(error)

    def _mounted(self, target: URL) -> Mounted | None:
        return self.mounts.get(authority_of(target)) if target.scheme == "http" else None

    async def break_off(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Send the head and half of `body`, then reset the connection. There is never an answer."""
        target = self._targets.get(url) or self._target(url)
        if isinstance(target, Outcome):
            return target
        fields = {"Host": target.with_user(None).authority, **headers, "Content-Length": str(len(body))}
        if (mounted := self._mounted(target)) is not None:
            if isinstance(mounted, AppTransport):
                await mounted.break_off("POST", target, headers, body)
                return BROKEN_OFF
            target = _moved(target, mounted)
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        head = f"POST {target.raw_path_qs} HTTP/1.1\r\n{lines}\r\n"
        try:
            writer = await self._connect(target)
            writer.transport.set_write_buffer_limits(0)  # so that what is drained has left
            writer.write(head.encode() + body[: len(body) // 2])
            await writer.drain()
        except network_errors() as error:
            return _unreachable(error)
        reset(writer.transport)
        return BROKEN_OFF

    async def _connect(self, target: URL) -> asyncio.StreamWriter:
        """A connection of its own, to where the HTTP client would have connected."""
        host, tls = target.host or "", target.scheme == "https"
        failed: OSError | None = None
        for address in LOOPBACK_ADDRESSES if is_loopback(host) and not is_address(host) else (host,):
            try:
                _, writer = await asyncio.open_connection(address, target.port, ssl=tls or None)
            except OSError as error:
                failed = failed or error
            else:
                return writer
        raise failed or OSError("there is no address to connect to")

    @property
    def hosts(self) -> dict[str, str]:
        """Which names are served elsewhere, and where."""
        where = sorted(self.mounts.items())
        return {host: "in process" if isinstance(it, AppTransport) else str(it.origin()) for host, it in where}

    def serve_elsewhere(self, hosts: Mapping[str, str | None]) -> None:
        """Send what is meant for these names to other addresses; None: no longer. Raises BadRequest, doing nothing."""
        found = {host: None if origin is None else self._elsewhere(host, origin) for host, origin in hosts.items()}
        for host, url in found.items():
            if url is not None:
                self.mounts[host] = url
            else:
                with suppress(KeyError):
                    del self.mounts[host]

    def _elsewhere(self, host: str, origin: str) -> URL:
        from yarl import URL

        if _MOUNTABLE.fullmatch(host) is None:
            raise BadRequest(f"{host[:80]!r} cannot be served elsewhere: use a lower-case name like handler.localhost")
        refusal = allowed(origin, self._allow_hosts)
        if refusal is not None:
            raise BadRequest(f"{host} cannot be served at {origin[:200]!r}: {refusal}")
        url = URL(origin)
        if url.scheme != "http" or url.path != "/" or url.query_string or url.fragment or url.user is not None:
            raise BadRequest(f"{host} cannot be served at {origin[:200]!r}: write http://HOST:PORT and nothing more")
        return url

    @property
    def ready(self) -> bool:
        """Whether the next request can leave without anything being loaded first."""
        return self._session is not None

    def prepare(self) -> None:
        """Load the HTTP client now, before a request's time is taken.

        It is loaded late because start-up should not pay for it; but the first handler must not pay for it either, by
        looking 0.2 s slower than it is.
        """
        if self._session is None and not self._closed and virtual_loop() is None:
            self._start()

    @staticmethod
    def headers_for(
        delivery: Delivery, endpoint: WebhookEndpoint, wall: float, now: datetime, policies: Policies
    ) -> dict[str, str]:
        """Make an attempt's headers. `wall` is unix time in real seconds, `now` the simulated instant.

        Compression is not asked for: what is recorded should be what the handler wrote, when it wrote it.
        """
        timestamp = int(wall if policies["signature_clock"] == "wall" else now.timestamp())
        return {
            "Content-Type": "application/json",
            "User-Agent": USER_AGENT,
            "Accept-Encoding": "identity",
            "X-Webhook-ID": delivery.id,
            "X-Webhook-Event": delivery.event_type.value,
            "X-Webhook-Timestamp": str(timestamp),
            "X-Webhook-Signature": sign(
                endpoint.secret, timestamp, delivery.body, content=policies["signature_content"]
            ),
        }

    async def close(self) -> None:
        """Close every connection; nothing can be sent afterwards."""
        self._closed = True
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _start(self) -> ClientSession:
        from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

        if self._closed:
            raise UsageError("nothing can be sent: the simulator is closed")
        self._session = ClientSession(
            connector=TCPConnector(limit=0, limit_per_host=0, keepalive_timeout=KEEP_ALIVE, resolver=make_resolver()),
            cookie_jar=DummyCookieJar(),
            timeout=ClientTimeout(total=None, sock_connect=None),
            trust_env=False,
        )
        return self._session

    def _target(self, url: str) -> URL | Outcome:
        """Check and parse `url`, once: the same few webhook endpoints get thousands of requests."""
        from yarl import URL

        refusal = allowed(url, self._allow_hosts)
        target = URL(url) if refusal is None else Outcome(kind=OutcomeKind.REFUSED, error=refusal)
        if len(self._targets) >= KNOWN_TARGETS:
            self._targets.clear()
        self._targets[url] = target
        return target


def reset(transport: asyncio.BaseTransport) -> None:
    """Break a connection off with a TCP reset, whatever is still to be sent or read."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    abort = getattr(transport, "abort", transport.close)
    abort()


def _moved(target: URL, origin: URL) -> URL:
    return target.with_host(origin.host or "").with_port(origin.port)


async def _ask(
    app: AppTransport, method: str, url: URL, headers: Mapping[str, str], body: bytes, pieces: Pieces | None
) -> AppAnswer | Outcome:
    try:
        return await app.open(method, url, headers, body, pieces)
    except ConnectionError as error:
        return Outcome(kind=OutcomeKind.UNREACHABLE, error=str(error))


async def _read(response: Answer) -> tuple[bytes, bool]:
    """Read the start of an answer; says whether that was all of it."""
    piece = await response.content.readany()
    if response.content.at_eof() and len(piece) <= KEPT_BODY:  # nearly every answer comes in one piece
        return piece, True
    kept, total = bytearray(), 0
    while piece:
        total += len(piece)
        if len(kept) < KEPT_BODY:
            kept += piece[: KEPT_BODY - len(kept)]
        if total > READ_LIMIT:
            return bytes(kept), False
        piece = await response.content.readany()
    return bytes(kept), True


def _text(seen: bytes) -> str:
    """Decode what was kept; a character that the cut went through is left out."""
    if len(seen) < KEPT_BODY:
        return seen.decode("utf-8", "replace")
    return codecs.getincrementaldecoder("utf-8")("replace").decode(seen)


def network_errors() -> tuple[type[Exception], ...]:
    from aiohttp import ClientError

    return (ClientError, OSError, UnicodeError)


def _unreachable(error: BaseException, http_status: int | None = None) -> Outcome:
    return Outcome(kind=OutcomeKind.UNREACHABLE, http_status=http_status, error=cause_of(error))


def cause_of(error: BaseException) -> str:
    """Say in a few words why a request broke."""
    import aiohttp

    reason: BaseException = error
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"host name {error.host} not found"
    if isinstance(error, aiohttp.ClientSSLError):
        return f"TLS failed: {error.os_error or error}"
    if isinstance(error, aiohttp.ClientConnectorError):
        reason = error.os_error
    if isinstance(reason, ConnectionRefusedError):
        return "connection refused"
    if isinstance(reason, aiohttp.ServerDisconnectedError):
        return "connection closed before an answer"
    if isinstance(reason, ConnectionResetError) or getattr(reason, "errno", None) == errno.ECONNRESET:
        return "connection reset"
    if isinstance(reason, aiohttp.ClientPayloadError):
        return "connection broke in the middle of the answer"
    if isinstance(reason, aiohttp.ClientResponseError):
        return f"not an HTTP answer: {reason.message}"
    return str(reason)[:200] or type(reason).__name__
