"""The server-sent events of a call's transcript."""

from __future__ import annotations

import json
from typing import Final

from simulator.domain.calls import Call, Utterance
from simulator.wire.base import Out, iso, iso_or_none
from simulator.wire.calls import whole_seconds

HEARTBEAT: Final = b": heartbeat\n\n"


class ConnectedOut(Out):
    """The reader is listening; the call as it was then."""

    call_id: str
    status: str
    agent_id: str | None
    agent_name: str | None
    direction: str
    from_number: str
    to_number: str
    started_at: str

    @classmethod
    def of(cls, call: Call) -> ConnectedOut:
        """Show the call."""
        return cls(
            call_id=call.id,
            status=call.status.value,
            agent_id=call.agent_id,
            agent_name=call.agent_name,
            direction=call.direction.value,
            from_number=call.from_number,
            to_number=call.to_number,
            started_at=iso(call.started_at),
        )


class SpokenOut(Out):
    """Something was said. The remote party is `user`."""

    role: str
    content: str
    created_at: str

    @classmethod
    def of(cls, spoken: Utterance) -> SpokenOut:
        """Show one utterance."""
        return cls(role=spoken.party.value, content=spoken.text, created_at=iso(spoken.at))


class EndedOut(Out):
    """The call is over, and so is the stream."""

    call_id: str
    status: str
    ended_at: str | None
    duration_seconds: int | None

    @classmethod
    def of(cls, call: Call) -> EndedOut:
        """Show how the call ended."""
        return cls(
            call_id=call.id,
            status=call.status.value,
            ended_at=iso_or_none(call.ended_at),
            duration_seconds=whole_seconds(call),
        )


def event(name: str, data: Out) -> bytes:
    """One event: its name, then its data on one line.

    The JSON is ASCII: readers that split text into lines see line ends in U+2028, U+0085 and the like.
    """
    return f"event: {name}\ndata: {json.dumps(data.model_dump(by_alias=True), separators=(',', ':'))}\n\n".encode()
