"""What happened, as plain records: the only thing that expectations, reports and exports look at.

Moments are counted from the instant the call was placed; those of a thread from its first text. Everything is frozen
and holds no reference to a world, so a record can be kept, compared and written down.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

ZERO: Final = timedelta()
# A turn that ended so was not there to be heard: the remote party, or the end of the call, was faster.
UNHEARD: Final = frozenset({"interrupted", "cancelled"})


class Who(StrEnum):
    """The two ends of a call or thread. `caller` is the remote party, whichever way the call went."""

    CALLER = "caller"
    AGENT = "agent"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkRecord:
    """One chunk of a reply, when it came. `text` is "" for a chunk that only does something."""

    at: timedelta
    text: str
    interim: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRecord:
    """Something the handler did badly."""

    kind: str
    message: str
    at: timedelta
    sample: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Dead air: nobody is heard although the agent has the floor."""

    at: timedelta
    length: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechRecord:
    """One stretch of speech that was heard. `said` is what was meant to be said, `heard` what was heard of it.

    `over`: it was said while the other party spoke. `backchannel`: a mere sound of listening. `cut`: it was stopped.
    """

    who: Who
    at: timedelta
    length: timedelta
    said: str
    heard: str
    turn: int | None = None
    over: bool = False
    backchannel: bool = False
    cut: bool = False
    confidence: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysRecord:
    """Keys that were pressed."""

    who: Who
    at: timedelta
    digits: str
    length: timedelta = ZERO
    turn: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRecord:
    """One question to the handler and its answer.

    `first_word` is counted from the caller's last word (of the empty turn at connect: from the answer) to the agent's
    first; None when nothing was heard. `gaps` are the dead air of the turn, the wait for the first word among it.
    `overrun` is how long the agent talked on while the words that opened this turn were said already; None when they
    were not said over the agent. `first_byte` and `final_chunk` are the handler's times, counted from `opened`. `how`
    is how the turn ended ("final", "timed_out" …). `step` is the place of the script's step whose words opened it;
    None when no step did.
    """

    number: int  # from 1
    opened: timedelta
    closed: timedelta
    transcript: str
    step: tuple[int, ...] | None = None
    confidence: float | None = None
    said_text: str = ""
    heard_text: str = ""
    chunks: tuple[ChunkRecord, ...] = ()
    first_word: timedelta | None = None
    gaps: tuple[Gap, ...] = ()
    overrun: timedelta | None = None
    first_byte: timedelta | None = None
    final_chunk: timedelta | None = None
    how: str = "final"
    action: str | None = None  # "transfer", "hangup"
    digits: str = ""
    findings: tuple[FindingRecord, ...] = ()

    @property
    def interim(self) -> bool:
        """Whether an interim chunk came."""
        return any(chunk.interim for chunk in self.chunks)

    @property
    def unanswered(self) -> bool:
        """Whether nothing was heard or done, although somebody was there to hear it."""
        return self.first_word is None and not self.action and not self.digits and self.how not in UNHEARD


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRecord:
    """One event owed to the webhook endpoint; voice turns are not among them."""

    id: str
    event: str
    status: str
    attempts: int
    at: timedelta
    http_status: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRecord:
    """One request to `/v1` that was made meanwhile."""

    at: timedelta
    method: str
    path: str
    status: int
    body: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptFailure:
    """Words that the remote party waited for and did not hear. `step` is the place of the step that waited."""

    step: tuple[int, ...]
    at: timedelta
    expected: str
    heard: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """A call from the first ring to the end. `steps` are the places of the steps that were taken, and when."""

    id: str
    from_number: str
    to_number: str
    direction: str = "inbound"
    answered: timedelta | None = None
    ended: timedelta
    reason: str
    greeting: str = ""
    speech: tuple[SpeechRecord, ...] = ()
    keys: tuple[KeysRecord, ...] = ()
    turns: tuple[TurnRecord, ...] = ()
    findings: tuple[FindingRecord, ...] = ()  # of the call and of its turns, all of them
    deliveries: tuple[DeliveryRecord, ...] = ()
    api_requests: tuple[ApiRecord, ...] = ()
    steps: tuple[tuple[tuple[int, ...], timedelta], ...] = ()
    failure: ScriptFailure | None = None

    @property
    def duration(self) -> timedelta:
        """Time connected; zero when nobody answered."""
        return ZERO if self.answered is None else self.ended - self.answered

    @property
    def talk_ratio(self) -> float:
        """The agent's share of all speech, from 0 to 1; 0 when nobody spoke."""
        spoken = sum((part.length for part in self.speech), ZERO)
        agent = sum((part.length for part in self.speech if part.who is Who.AGENT), ZERO)
        return agent / spoken if spoken else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRecord:
    """One text. `by` the caller or the agent."""

    by: Who
    at: timedelta
    body: str
    status: str = "delivered"
    media: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRecord:
    """A thread of texts. `steps` are the script's steps with the moment each began, by index."""

    from_number: str
    to_number: str
    ended: timedelta
    messages: tuple[MessageRecord, ...] = ()
    steps: tuple[tuple[int, timedelta], ...] = ()
    deliveries: tuple[DeliveryRecord, ...] = ()
    api_requests: tuple[ApiRecord, ...] = ()

    @property
    def replies(self) -> tuple[MessageRecord, ...]:
        """The agent's texts, in order."""
        return tuple(message for message in self.messages if message.by is Who.AGENT)
