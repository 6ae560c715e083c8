"""uvicorn's fast HTTP parser, with a bound on the head of a request.

Its slow sibling (h11) has one. Without it a header that never ends is collected piece by piece, in time that grows with
the square of its length: a hundred megabytes kept the whole simulator busy for ten seconds.
"""

from __future__ import annotations

from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD: Final = 65_536  # bytes of request line and headers after the first read of them; h11's own bound
LINGER: Final = 2.0  # real seconds in which a client that is still sending may read why nobody listens any more
_WHY: Final = b'{"detail": "the head of the request is over the limit of %d bytes: send less in it"}' % MAX_HEAD
_REFUSAL: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: application/json\r\nconnection: close\r\n"
    b"content-length: %d\r\n\r\n%s" % (len(_WHY), _WHY)
)


class BoundedHead(HttpToolsProtocol):
    """Refuses a head that does not end, and the connection with it."""

    _in_head = False  # it has begun, and is not complete
    _head_size = 0  # what has come of it since the read in which it began
    _refused = False

    def data_received(self, data: bytes) -> None:
        """Take what was read. A head within one read, as nearly all are, costs nothing here."""
        if self._refused:
            return
        begun_before = self._in_head
        super().data_received(data)
        if begun_before and self._in_head:
            self._head_size += len(data)
            if self._head_size > MAX_HEAD:
                self._refuse()

    def on_message_begin(self) -> None:
        """Note that a head begins."""
        self._in_head, self._head_size = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Note that it is complete."""
        self._in_head = False
        super().on_headers_complete()

    def _refuse(self) -> None:
        """Say why, and read on without looking for a while: closing at once would take the answer back."""
        self._refused = True
        self._unset_keepalive_if_required()
        if self.cycle is None or self.cycle.response_complete:  # else the answer before it is still under way
            self.transport.write(_REFUSAL)
        self.loop.call_later(LINGER, self.transport.close)
