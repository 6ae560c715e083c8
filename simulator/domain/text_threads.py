"""Threads that somebody writes by a script, and what came of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from simulator.domain.messages import Channel


class ThreadStatus(StrEnum):
    """How far a thread's script is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Author(StrEnum):
    """Who wrote a text of a thread."""

    PERSON = "person"
    AGENT = "agent"
    CARRIER = "carrier"  # an automatic answer from somewhere in between


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadText:
    """One text as the person sees it. `at` is when it was sent, of a text to the person when it arrived.

    `delay` is the time between the person's latest text and a reply; None for the person's own, and for a reply to
    nothing.
    """

    by: Author
    at: datetime
    body: str
    channel: Channel
    media_urls: tuple[str, ...] = ()
    message_id: str | None = None  # None: not a message of the account
    sent_at: datetime | None = None  # of a reply that took time to arrive
    delay: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTaken:
    """A step of the script, and when it began. The place is as in `engine.thread`."""

    place: tuple[int, ...]
    verb: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadFailure:
    """A step that did not come true."""

    place: tuple[int, ...]
    at: datetime
    expected: str
    heard: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TextThread:
    """Somebody who texts one of the account's numbers by a script, alone or as a member of a group."""

    id: str
    number_id: str
    from_number: str
    to_number: str
    members: frozenset[str]  # everybody at the other end: the person alone, or a group's members
    started_at: datetime
    status: ThreadStatus = ThreadStatus.RUNNING
    ended_at: datetime | None = None
    conversation_id: str | None = None  # None: no text has been exchanged yet
    steps: tuple[StepTaken, ...] = ()
    texts: tuple[ThreadText, ...] = ()
    failure: ThreadFailure | None = None

    @property
    def in_group(self) -> bool:
        """Whether others read along."""
        return len(self.members) > 1

    @property
    def last_sent_at(self) -> datetime | None:
        """When the person wrote last."""
        return next((text.at for text in reversed(self.texts) if text.by is Author.PERSON), None)
