"""A webhook endpoint that costs as little as possible: it answers every turn with one sentence."""

from __future__ import annotations

import asyncio
import sys

REPLY = b'{"text":"Your order shipped yesterday."}'
ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
    + str(len(REPLY)).encode()
    + b"\r\n\r\n"
    + REPLY
)
HEAD_END = b"\r\n\r\n"


class Connection(asyncio.Protocol):
    """Counts requests by their Content-Length and answers each."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.buffer = bytearray()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(HEAD_END)) >= 0:
            head = bytes(self.buffer[:end]).lower()
            at = head.find(b"content-length: ")
            length = int(head[at + 16 :].split(b"\r\n")[0]) if at >= 0 else 0
            if len(self.buffer) < end + 4 + length:
                return
            del self.buffer[: end + 4 + length]
            self.transport.write(ANSWER)


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0, backlog=4096)
    print(f"listening on http://127.0.0.1:{server.sockets[0].getsockname()[1]}/webhook", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    sys.modules.pop("uvloop", None)
    asyncio.run(main())
