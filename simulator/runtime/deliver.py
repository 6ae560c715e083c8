"""One delivery attempt over HTTP: bytes out, an outcome back. Knows nothing of schedules and simulated time.

There is no timeout in here. Timeouts are simulated, so the caller cancels the attempt when its own timer fires;
cancelling closes the connection at once.
"""

from __future__ import annotations

import codecs
import errno
import io
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final

from simulator.domain.policy import Policies
from simulator.domain.webhooks import Delivery, Outcome, OutcomeKind, WebhookEndpoint
from simulator.engine.delivery import answered
from simulator.engine.signing import sign
from simulator.errors import UsageError
from simulator.runtime.hosts import allowed, make_resolver

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession
    from yarl import URL

KEPT_BODY: Final = 4096  # bytes of an answer that its record keeps: enough for any error page's headline
READ_LIMIT: Final = 65_536  # bytes of an answer that are read at all; past that the connection is closed

# Shorter than the idle time after which common servers hang up (gunicorn 2 s, uvicorn and Node 5 s): a request must not
# be written to a connection that its other end is just closing.
KEEP_ALIVE: Final = 1.5  # real seconds

KNOWN_TARGETS: Final = 1024  # parsed URLs kept; a simulation with more webhook endpoints parses some of them again
WHOLE_BODY: Final = 1_048_576  # bytes; the HTTP client writes larger bodies in pieces

USER_AGENT: Final = "AgentPhone-Webhooks/sim"


class Sender:
    """Posts to webhook endpoints over kept-alive connections, on the event loop that uses it first.

    No cookies, no proxies from the environment, no redirects, no limit on connections. Hosts outside loopback are
    refused unless they are in `allow_hosts`.
    """

    def __init__(self, allow_hosts: Collection[str] = (), policies: Policies | None = None) -> None:
        self._allow_hosts = tuple(allow_hosts)
        self._policies = policies or Policies()
        self._targets: dict[str, URL | Outcome] = {}
        self._session: ClientSession | None = None
        self._closed = False

    async def attempt(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """POST `body` and read the answer. Every way to fail is an outcome; its `duration` is left for the caller.

        An answer whose body breaks off or does not end is no answer, as with any client that reads before it looks.
        """
        response = await self.open(url, headers, body)
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
        return answered(response.status, _text(seen), self._policies)

    async def open(
        self, url: str, headers: Mapping[str, str], body: bytes, *, method: str = "POST"
    ) -> ClientResponse | Outcome:
        """Send `body` and return the answer as soon as its head is here; the caller must close or release it."""
        target = self._targets.get(url) or self._target(url)
        if isinstance(target, Outcome):
            return target
        session = self._session or self._start()
        data = body if len(body) <= WHOLE_BODY else io.BytesIO(body)
        try:
            return await session.request(method, target, data=data or None, headers=headers, allow_redirects=False)
        except network_errors() as error:
            return _unreachable(error)

    @property
    def ready(self) -> bool:
        """Whether the next request can leave without anything being loaded first."""
        return self._session is not None

    def prepare(self) -> None:
        """Load the HTTP client now, before a request's time is taken.

        It is loaded late because start-up should not pay for it; but the first handler must not pay for it either, by
        looking 0.2 s slower than it is.
        """
        if self._session is None and not self._closed:
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


async def _read(response: ClientResponse) -> tuple[bytes, bool]:
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
