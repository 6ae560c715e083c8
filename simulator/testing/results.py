"""What the facade hands back: small frozen records in snake_case. Lengths are seconds, instants aware UTC."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final, NamedTuple, Self

AGENT: Final = "agent"  # the party; the other one is the remote party
Entry = Mapping[str, Any]  # of the journal: `seq`, `at` (ISO 8601), `kind`, and what belongs to the kind


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent; `record` is the API's whole answer."""

    id: str
    name: str
    record: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Number:
    """A telephone number of the account, E.164 in `phone_number`."""

    id: str
    phone_number: str
    agent_id: str | None

    def __str__(self) -> str:
        return self.phone_number


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where events go: the URL that was registered, the secret that signs them, the endpoint's id."""

    url: str
    secret: str
    id: str


class Line(NamedTuple):
    """One utterance, as far as it was heard; `party` is "agent" or "user" (the remote party).

    What the agent says in one turn is one utterance, however many chunks it came in.
    """

    party: str
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Something the handler did badly; `sample` is the beginning of what it sent."""

    kind: str
    message: str
    sample: str
    turn_id: str | None

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}"


@dataclass(frozen=True, slots=True)
class CallResult:
    """A call that is over.

    `said` is what the agent said, `heard` what it was told, both only as far as they were heard; `transcript` is both
    in order. `duration` counts from the answer; None when nobody answered. `first_word` is the longest time, over the
    turns, from the caller's last word to the agent's first one; None when no turn had one. `timeline` is what the
    caller heard and when, as `GET /_sim/calls/{id}/timeline` shows it.
    """

    id: str
    status: str
    reason: str | None  # the disconnection reason: user_hangup, agent_hangup, inactivity …
    duration: float | None
    first_word: float | None
    transcript: tuple[Line, ...]
    findings: tuple[Finding, ...]
    timeline: Mapping[str, Any]

    @property
    def said(self) -> tuple[str, ...]:
        """The agent's utterances."""
        return tuple(line.text for line in self.transcript if line.party == AGENT)

    @property
    def heard(self) -> tuple[str, ...]:
        """The remote party's utterances."""
        return tuple(line.text for line in self.transcript if line.party != AGENT)

    @classmethod
    def of(cls, timeline: Mapping[str, Any], entries: Iterable[Entry]) -> Self:
        """Put a call together from its timeline and the journal."""
        own = [entry for entry in entries if entry.get("call_id") == timeline["call_id"]]
        ended = next((entry for entry in own if entry["kind"] == "call.ended"), None)
        waits = [turn["first_word_seconds"] for turn in timeline["turns"] if turn["first_word_seconds"] is not None]
        begun, over = timeline["connected_at"], timeline["ended_at"]
        return cls(
            id=timeline["call_id"],
            status=timeline["status"],
            reason=None if ended is None else ended["reason"],
            duration=(instant(over) - instant(begun)).total_seconds() if begun and over else None,
            first_word=max(waits, default=None),
            transcript=tuple(_utterances(entry for entry in own if entry["kind"] == "speech.heard")),
            findings=tuple(
                Finding(e["finding"], e["message"], e["sample"], e["turn_id"]) for e in own if e["kind"] == "finding"
            ),
            timeline=timeline,
        )


def _utterances(heard: Iterable[Entry]) -> Iterator[Line]:
    for _, pieces in groupby(heard, key=_belonging):
        said = list(pieces)
        yield Line(said[0]["party"], " ".join(entry["text"] for entry in said))


def _belonging(heard: Entry) -> tuple[str, Any]:
    """What words belong to: the agent's to their turn, a greeting and the remote party's to themselves."""
    turn = heard["turn_id"] if heard["party"] == AGENT else None
    return heard["party"], turn or heard["seq"]


@dataclass(frozen=True, slots=True)
class Text:
    """A text that somebody sent to the account; `record` is the answer of `POST /_sim/messages`."""

    message_id: str
    conversation_id: str
    record: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ThreadResult:
    """Somebody's scripted texts. `replies` are the account's; `failure` says which step was not met, or is None."""

    id: str
    status: str  # done, failed, or running when time ran out
    texts: tuple[Mapping[str, Any], ...]
    failure: Mapping[str, Any] | None
    record: Mapping[str, Any]

    @property
    def replies(self) -> tuple[str, ...]:
        """The bodies of the account's texts, in order."""
        return tuple(text["body"] for text in self.texts if text["by"] == "agent")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a delivery; `outcome` is accepted, rejected, timed_out, unreachable or refused."""

    number: int
    at: datetime
    outcome: str
    http_status: int | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event owed to one webhook; `status` is pending, success or failed."""

    id: str
    event: str
    url: str
    status: str
    attempts: tuple[Attempt, ...]

    @classmethod
    def all_of(cls, entries: Iterable[Entry]) -> list[Self]:
        """Put deliveries together from the journal's `delivery` entries, in the order they were created."""
        created: dict[str, Entry] = {}
        attempts: dict[str, list[Attempt]] = {}
        status: dict[str, str] = {}
        for entry in entries:
            match entry["kind"]:
                case "delivery.created":
                    created[entry["delivery_id"]] = entry
                case "delivery.attempt":
                    attempts.setdefault(entry["delivery_id"], []).append(_attempt(entry))
                case "delivery.settled":
                    status[entry["delivery_id"]] = entry["status"]
        return [
            cls(
                id=key,
                event=made["event"],
                url=made["url"],
                status=status.get(key, "pending"),
                attempts=tuple(attempts.get(key, ())),
            )
            for key, made in created.items()
        ]


def _attempt(entry: Entry) -> Attempt:
    return Attempt(
        number=entry["attempt"],
        at=instant(entry["at"]),
        outcome=entry["outcome"],
        http_status=entry["http_status"],
        error=entry["error"],
    )


def instant(text: str) -> datetime:
    """Read an instant as `/_sim` writes it."""
    return datetime.fromisoformat(text)
