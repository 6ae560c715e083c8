"""Finds chunks in the bytes of a handler's reply, and says what is wrong with the reply as a whole.

Three decoders share one shape: `feed` bytes as they come, then call `next_chunk` until it returns None, which means
"need more"; call `end` when the body is complete, and `next_chunk` until None once more. What comes out does not
depend on where the bytes were cut.

    NdjsonDecoder    an NDJSON content type: decoded line by line, while it streams
    JsonDecoder      any other content type: kept to the end, then read as one JSON object
    RefusalDecoder   a status outside 2xx: no words, only a problem that shows the body
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Final, Protocol

from simulator.domain.findings import FindingKind
from simulator.engine.chunks import MAX_SAMPLE, TYPE_NAMES, Chunk, Problem, parse_json, understand

# A chunk is a sentence or two. 64 KiB is over an hour of speech; a longer line has lost its newline.
MAX_LINE: Final = 64 * 1024

# A whole reply. Sixteen times the longest line; above it, something is being sent by mistake.
MAX_REPLY: Final = 1024 * 1024

NDJSON_TYPES: Final = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})

_BOM: Final = b"\xef\xbb\xbf"
_BLANK: Final = b" \t\r\n"


class ReplyDecoder(Protocol):
    """The shape of the three decoders."""

    @property
    def pending(self) -> bytes:
        """The bytes that have come and are not understood yet, cut to `MAX_SAMPLE`."""

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the body."""

    def end(self) -> None:
        """Take note that the body is complete."""

    def next_chunk(self) -> Chunk | Problem | None:
        """Give the next thing that was understood, or None: need more."""


def decoder_for(http_status: int, content_type: str) -> ReplyDecoder:
    """Choose the decoder for an answer by its status and content type."""
    if not 200 <= http_status <= 299:
        return RefusalDecoder(http_status)
    media_type = content_type.partition(";")[0].strip().lower()
    return NdjsonDecoder() if media_type in NDJSON_TYPES else JsonDecoder(content_type)


class NdjsonDecoder:
    """Turns the bytes of a streamed reply into chunks, line by line.

    The first chunk without `interim: true` is final. Bytes after it are no longer read: their first line comes out as
    `TEXT_AFTER_FINAL` and the rest is dropped. A line over `MAX_LINE`, or a body over `MAX_REPLY`, comes out as
    `REPLY_TOO_LONG` and nothing after it: a handler that never sends a newline would otherwise look like a slow one.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0  # there is no newline before this index of the buffer
        self._consumed = 0  # bytes of the body that have left the buffer
        self._last = b""  # the last line that wasn't blank
        self._interims = 0
        self._final = False
        self._ended = False
        self._over = False  # nothing more comes out

    @property
    def pending(self) -> bytes:
        return bytes(self._buffer[:MAX_SAMPLE])

    def feed(self, data: bytes) -> None:
        if not self._over:
            self._buffer += data

    def end(self) -> None:
        self._ended = True

    def next_chunk(self) -> Chunk | Problem | None:
        while not self._over:
            if self._final:
                return self._after_final()
            line = self._take_line()
            if line is None:
                return self._at_end() if self._ended else None
            if isinstance(line, Problem):
                return line
            if line := line.strip(_BLANK):
                return self._understand(line)
        return None

    def _take_line(self) -> bytes | Problem | None:
        """Take one line off the buffer, or a problem when it is too long, or None when there is no whole line."""
        newline = self._buffer.find(b"\n", self._searched)
        length = newline if newline >= 0 else len(self._buffer)
        room = max(0, MAX_REPLY - self._consumed)
        if length > min(MAX_LINE, room) or (self._buffer and not room):  # blank lines without end are too long as well
            return self._too_long(room)
        if newline < 0 and not (self._ended and length):
            self._searched = length
            return None
        line = bytes(self._buffer[:length])
        if not self._consumed:
            line = line.removeprefix(_BOM)
        del self._buffer[: length + 1]
        self._searched = 0
        self._consumed += length + 1
        return line

    def _too_long(self, room: int) -> Problem:
        sample = bytes(self._buffer[: min(room, MAX_SAMPLE)])
        self._stop()
        if room < MAX_LINE:
            return _reply_too_long(sample)
        about = f"a line of the reply is longer than {MAX_LINE} bytes: end every chunk with a newline"
        return Problem(FindingKind.REPLY_TOO_LONG, about, sample)

    def _understand(self, line: bytes) -> Chunk | Problem:
        self._last = line
        try:
            value = parse_json(line)
        except ValueError as error:
            about = (
                f"a line of the reply is not JSON ({error}): write one JSON object per line, without line breaks in it"
            )
            return Problem(FindingKind.CHUNK_NOT_JSON, about, line[:MAX_SAMPLE])
        if not isinstance(value, dict):
            about = f"a line of the reply is {TYPE_NAMES[type(value)]}: write one JSON object per line"
            return Problem(FindingKind.CHUNK_NOT_OBJECT, about, line[:MAX_SAMPLE])
        chunk = understand(value, line)
        self._interims += chunk.interim
        self._final = not chunk.interim
        return chunk

    def _after_final(self) -> Problem | None:
        """Report the first line after the final chunk as soon as it is whole, or long enough to show."""
        del self._buffer[: len(self._buffer) - len(self._buffer.lstrip(_BLANK))]
        if not self._buffer or not (self._ended or b"\n" in self._buffer or len(self._buffer) >= MAX_SAMPLE):
            return None
        line = bytes(self._buffer.partition(b"\n")[0][:MAX_SAMPLE]).strip(_BLANK)
        self._stop()
        about = "the reply went on after its final chunk, which is not spoken: mark every chunk but the last interim"
        return Problem(FindingKind.TEXT_AFTER_FINAL, about, line)

    def _at_end(self) -> Problem | None:
        self._stop()
        if self._interims:
            about = 'the reply ended without a final chunk: send the last one without `interim`, {"text": ""} will do'
            return Problem(FindingKind.MISSING_FINAL, about, self._last[:MAX_SAMPLE])
        return None if self._last else _reply_empty()

    def _stop(self) -> None:
        self._over = True
        self._buffer.clear()


class JsonDecoder:
    """Keeps a reply to its end and reads it as one JSON object, whatever its content type says.

    A body that is not one JSON document, but has an object on every line, is NDJSON under the wrong name. It is played
    like NDJSON, only later than it could have been.
    """

    def __init__(self, content_type: str) -> None:
        self._content_type = content_type
        self._buffer = bytearray()
        self._results: deque[Chunk | Problem] = deque()
        self._lines = NdjsonDecoder()
        self._over = False

    @property
    def pending(self) -> bytes:
        return bytes(self._buffer[:MAX_SAMPLE])

    def feed(self, data: bytes) -> None:
        if self._over:
            return
        self._buffer += data
        if len(self._buffer) > MAX_REPLY:
            self._over = True
            self._results.append(_reply_too_long(self.pending))
            self._buffer.clear()

    def end(self) -> None:
        if not self._over:
            self._over = True
            self._results.append(self._read(bytes(self._buffer).removeprefix(_BOM).strip(_BLANK)))
            self._buffer.clear()

    def next_chunk(self) -> Chunk | Problem | None:
        return self._results.popleft() if self._results else self._lines.next_chunk()

    def _read(self, body: bytes) -> Chunk | Problem:
        if not body:
            return _reply_empty()
        try:
            value = parse_json(body)
        except ValueError as error:
            return self._read_lines(body, error)
        if not isinstance(value, dict):
            about = f"the reply is {TYPE_NAMES[type(value)]}, which is not spoken: answer with a JSON object"
            return Problem(FindingKind.REPLY_NOT_OBJECT, about, body[:MAX_SAMPLE])
        chunk = understand(value, body)
        if not chunk.interim:
            return chunk
        about = f"`interim` means nothing in a reply of type {self._content_type!r}: it is for application/x-ndjson"
        problem = Problem(FindingKind.INTERIM_IN_JSON, about, body[:MAX_SAMPLE])
        return replace(chunk, interim=False, problems=(*chunk.problems, problem))

    def _read_lines(self, body: bytes, error: ValueError) -> Problem:
        if not all(_is_object(line) for line in body.split(b"\n") if line.strip(_BLANK)):
            about = f"the reply is not JSON ({error}), and is not spoken: answer with one JSON object"
            return Problem(FindingKind.REPLY_NOT_JSON, about, body[:MAX_SAMPLE])
        self._lines.feed(body)
        self._lines.end()
        about = (
            f"an NDJSON reply was sent as {self._content_type!r}, so nothing was spoken before it was complete: "
            "send it as application/x-ndjson"
        )
        return Problem(FindingKind.REPLY_WRONG_TYPE, about, body[:MAX_SAMPLE])


class RefusalDecoder:
    """The body of an answer outside 2xx: never spoken, shown in the one problem that comes out."""

    def __init__(self, http_status: int) -> None:
        self._http_status = http_status
        self._sample = bytearray()
        self._size = 0
        self._told = False
        self._ended = False

    @property
    def pending(self) -> bytes:
        return bytes(self._sample)

    def feed(self, data: bytes) -> None:
        self._size += len(data)
        self._sample += data[: MAX_SAMPLE - len(self._sample)]

    def end(self) -> None:
        self._ended = True

    def next_chunk(self) -> Problem | None:
        if self._told or not (self._ended or self._size > MAX_REPLY):
            return None
        self._told = True
        about = f"the handler answered {self._http_status}, and nothing is spoken: a turn needs a 2xx status"
        return Problem(FindingKind.REPLY_HTTP_ERROR, about, self.pending)


def _reply_empty() -> Problem:
    return Problem(
        FindingKind.REPLY_EMPTY, 'the reply is empty: answer with a JSON object, {"text": ""} to say nothing'
    )


def _reply_too_long(sample: bytes) -> Problem:
    return Problem(FindingKind.REPLY_TOO_LONG, f"the reply is longer than {MAX_REPLY} bytes: say less", sample)


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(parse_json(line), dict)
    except ValueError:
        return False
