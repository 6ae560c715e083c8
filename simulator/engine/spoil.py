"""A voice handler's reply, spoilt on its way: bytes in, and out again what is left of them.

Feed the bytes as they come, then say that they have ended. What comes out is bytes to hear, pauses and, when the
connection is to break there, a break, after which there is nothing more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from simulator.engine.chunks import parse_json
from simulator.engine.replies import MAX_LINE, MAX_REPLY, NDJSON_TYPES


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing comes for a while."""

    length: timedelta


@dataclass(frozen=True, slots=True)
class Break:
    """The connection breaks."""


Part = bytes | Pause | Break


class Spoiler:
    """One reply on its way. A reply that is no fault's business passes as it is."""

    def __init__(self, fault: str, parameters: Mapping[str, Any], content_type: str) -> None:
        self._spoil = _SPOILERS.get(fault)
        self._parameters = parameters
        # Of any other type a reply is one JSON value, and its line ends mean nothing.
        self._whole = content_type.partition(";")[0].strip().lower() not in NDJSON_TYPES
        self._passed = 0  # bytes
        self._lines = 0
        self._rest = b""  # of a line that has not ended
        self._done = False  # what was to happen has happened
        self._broken = False

    def feed(self, data: bytes) -> Iterator[Part]:
        """Some bytes have come."""
        if self._spoil is None or self._broken:
            return iter(() if self._broken else (data,))
        return self._spoil(self, data)

    def end(self) -> Iterator[Part]:
        """The reply is over. A reply that breaks off later than it ends breaks off at its end."""
        last, self._rest = self._rest, b""
        if last:
            yield from self._line(last)
        if self._spoil is Spoiler._cut and not self._broken:
            yield Break()

    def _cut(self, data: bytes) -> Iterator[Part]:
        left = int(self._parameters["after_bytes"]) - self._passed
        self._passed += len(data)
        if left > 0:
            yield data[:left]
        if len(data) > left:
            self._broken = True
            yield Break()

    def _stall(self, data: bytes) -> Iterator[Part]:
        left = int(self._parameters["after_bytes"]) - self._passed
        self._passed += len(data)
        if self._done or len(data) <= left:
            yield data
            return
        self._done = True
        if left > 0:
            yield data[:left]
        yield Pause(timedelta(seconds=self._parameters["seconds"]))
        yield data[max(left, 0) :]

    def _split(self, data: bytes) -> Iterator[Part]:
        return (data[at : at + 1] for at in range(len(data)))

    def _by_lines(self, data: bytes) -> Iterator[Part]:
        if self._whole:
            self._rest += data
            if len(self._rest) > MAX_REPLY:
                yield self._rest
                self._rest = b""
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            yield from self._line(line + b"\n")
        if len(self._rest) > MAX_LINE:  # the engine gives up on such a line, and so do we
            yield self._rest
            self._rest = b""

    def _line(self, line: bytes) -> Iterator[Part]:
        if not line.strip():
            yield line
            return
        self._lines += 1
        if "line" in self._parameters:
            yield _garbled(line) if self._lines == self._parameters["line"] else line
        elif not is_final(line):
            yield line


_SPOILERS: Final[Mapping[str, Callable[[Spoiler, bytes], Iterator[Part]]]] = {
    "cut": Spoiler._cut,
    "stall": Spoiler._stall,
    "split": Spoiler._split,
    "garble": Spoiler._by_lines,
    "drop_final": Spoiler._by_lines,
}


def is_final(line: bytes) -> bool:
    """Whether a line of a reply ends it: an object that is not interim."""
    try:
        value = parse_json(line)
    except ValueError:
        return False
    return isinstance(value, dict) and value.get("interim") is not True


def _garbled(line: bytes) -> bytes:
    """The line without what would have closed it."""
    kept = line.rstrip()
    return kept[: max(len(kept) // 2, 1)] + line[len(kept) :]
