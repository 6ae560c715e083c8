"""One request to a handler and what came back, to the byte and the moment. Values; no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from simulator.conformance.reading import Reply, read_reply


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent. Headers keep their order and their case."""

    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"
    note: str = ""  # what is special about it, for the report

    def but(self, headers: Mapping[str, str | None] | None = None, **changes: Any) -> Request:
        """The same request with other parts; a header that is None is left out.

        Names are compared without case, and given as they are written here.
        """
        kept = dict(self.headers)
        for name, value in (headers or {}).items():
            for known in [known for known in kept if known.lower() == name.lower()]:
                del kept[known]
            if value is not None:
                kept[name] = value
        return replace(self, headers=kept, **changes)


class Ending(StrEnum):
    """How an exchange ended."""

    COMPLETE = "complete"  # the whole answer is here
    LEFT = "left"  # we hung up, as the case wanted
    BROKEN = "broken"  # there is no answer, or it broke off
    TIMED_OUT = "timed out"
    TOO_LONG = "too long"  # an answer that does not stop


@dataclass(slots=True, kw_only=True)
class Exchange:
    """A request and its answer. Times are seconds since the request was begun."""

    request: Request
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    head_at: float | None = None
    pieces: list[tuple[float, bytes]] = field(default_factory=list)  # as they came, cut where the network cut them
    ended_at: float = 0.0
    ending: Ending = Ending.COMPLETE
    error: str | None = None  # in words, for BROKEN
    started_at: float = 0.0  # seconds since the case began

    @property
    def body(self) -> bytes:
        """All of the answer's body that came."""
        return b"".join(piece for _, piece in self.pieces)

    @property
    def complete(self) -> bool:
        """Whether there is a whole answer."""
        return self.ending is Ending.COMPLETE and self.status is not None

    @property
    def ok(self) -> bool:
        """Whether it is a whole answer that says 2xx."""
        return self.complete and 200 <= (self.status or 0) <= 299

    @property
    def refused(self) -> bool:
        """Whether it is a whole answer that says 4xx."""
        return self.complete and 400 <= (self.status or 0) <= 499

    @property
    def crashed(self) -> bool:
        """Whether the handler did not manage an answer: 5xx, none at all, or one that broke off."""
        return not self.complete or (self.status or 0) >= 500

    @property
    def reply(self) -> Reply:
        """The answer read as the reply to a voice turn."""
        return read_reply(self.status or 0, self.headers.get("Content-Type", ""), self.pieces, complete=self.complete)

    def __str__(self) -> str:
        """What was observed, in a few words."""
        if self.status is None:
            return f"no answer ({self.error or self.ending.value})"
        told = f"{self.status}" + (f" {_shown(self.body)}" if self.body else " without a body")
        return told if self.ending is Ending.COMPLETE else f"{told}, then {self.error or self.ending.value}"


def _shown(body: bytes) -> str:
    text = body[:120].decode("utf-8", "replace")
    return repr(text) + ("…" if len(body) > 120 else "")
