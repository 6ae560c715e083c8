"""Calls and their transcripts on the wire."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Field

from simulator.domain.agents import MODEL_TIERS
from simulator.domain.calls import Call, Exchange, exchanges
from simulator.wire.base import In, JsonObject, OneOf, Out, Query, iso, iso_or_none
from simulator.wire.pages import PageOut, PageQuery
from simulator.wire.recordings import recording_url

SNIPPET: Final = 100  # characters of `lastTranscriptSnippet`: a line in a list


class CallIn(In):
    """A call to place. `systemPrompt` makes it a hosted one; `maxWaitSeconds` counts with `waitForCompletion`."""

    agent_id: str = Field(min_length=1)
    to_number: str = Field(min_length=1)
    from_number_id: str | None = None
    initial_greeting: str | None = None
    voice: str | None = None
    system_prompt: str | None = None
    model_tier: Annotated[str, OneOf(MODEL_TIERS)] | None = None
    variables: dict[str, str | None] | None = None
    call_screening_identity: str | None = None
    call_screening_purpose: str | None = None
    disable_recording: bool | None = None
    wait_for_completion: bool | None = None
    max_wait_seconds: int | None = Field(default=None, ge=10, le=600)

    def fields(self) -> dict[str, Any]:
        """What describes the call, without how long to wait for it. Variables without a value count as not given."""
        given = self.given()
        given.pop("wait_for_completion", None)
        given.pop("max_wait_seconds", None)
        return _with_values(given)


class WebCallIn(In):
    """A web call to prepare."""

    agent_id: str = Field(min_length=1)
    metadata: JsonObject | None = None
    variables: dict[str, str | None] | None = None

    def fields(self) -> dict[str, Any]:
        """What describes the call. Variables without a value count as not given."""
        return _with_values(self.given())


def _with_values(given: dict[str, Any]) -> dict[str, Any]:
    if "variables" in given:
        given["variables"] = {k: v for k, v in given["variables"].items() if v is not None}
    return given


class CallQuery(Query):
    """Whether to hold the answer until the call has ended, and for how many seconds at most."""

    wait: bool = False
    timeout: int = Field(default=120, ge=10, le=300)


class CallsQuery(PageQuery):
    """A window into the calls. A word that no call has finds nothing; `search` is part of either number."""

    status: str | None = None
    direction: str | None = None
    type: str | None = None
    search: str | None = None


class TranscriptOut(Out):
    """One exchange: what the remote party said and what it was answered. A greeting has no response."""

    id: str
    transcript: str
    response: str | None
    confidence: float
    created_at: str

    @classmethod
    def of(cls, row: Exchange) -> TranscriptOut:
        """Show one exchange."""
        return cls(
            id=row.id,
            transcript=row.transcript,
            response=row.response,
            confidence=row.confidence,
            created_at=iso(row.at),
        )


def whole_seconds(call: Call) -> int | None:
    """How long the call lasted, from when it was answered; None while it is live."""
    return None if call.duration is None else round(call.duration.total_seconds())


class WebCallOut(Out):
    """A web call that waits for a browser with this token."""

    call_id: str
    access_token: str


class CallOut(Out):
    """A call, the same wherever it is shown. `durationSeconds` counts from when it was answered.

    A web call has no numbers: its ids are null, and `fromNumber` and `toNumber` are empty, as clients want texts there.
    """

    id: str
    agent_id: str | None
    agent_name: str | None
    phone_number_id: str | None
    phone_number: str | None
    from_number: str
    to_number: str
    direction: str
    status: str
    started_at: str
    ended_at: str | None
    duration_seconds: int | None
    disconnection_reason: str | None
    last_transcript_snippet: str | None
    recording_url: str | None
    recording_available: bool
    transcripts: list[TranscriptOut]
    retell_call_id: str | None = None

    @classmethod
    def of(cls, call: Call, base_url: str | None) -> CallOut:
        """Show one call as it is now; `base_url` is our own address, as the client knows it."""
        reason = call.disconnection_reason
        return cls(
            id=call.id,
            agent_id=call.agent_id,
            agent_name=call.agent_name,
            phone_number_id=call.number_id,
            phone_number=call.phone_number,
            from_number=call.from_number,
            to_number=call.to_number,
            direction=call.direction.value,
            status=call.status.value,
            started_at=iso(call.started_at),
            ended_at=iso_or_none(call.ended_at),
            duration_seconds=whole_seconds(call),
            disconnection_reason=None if reason is None else reason.value,
            last_transcript_snippet=call.utterances[-1].text[:SNIPPET] if call.utterances else None,
            recording_url=recording_url(call, base_url),
            recording_available=call.recording_available,
            transcripts=[TranscriptOut.of(row) for row in exchanges(call)],
        )


class CallListOut(PageOut):
    """Calls, newest first."""

    data: list[CallOut]


class UtteranceOut(Out):
    """One stretch of speech, as the newer transcript has it. The remote party is `user`."""

    role: str
    content: str
    created_at: str


class TranscriptListOut(Out):
    """A transcript in both forms: `data` by exchanges (older), `transcript` by utterances (newer)."""

    call_id: str
    status: str
    data: list[TranscriptOut]
    transcript: list[UtteranceOut]

    @classmethod
    def of(cls, call: Call) -> TranscriptListOut:
        """Show what was said so far."""
        return cls(
            call_id=call.id,
            status=call.status.value,
            data=[TranscriptOut.of(row) for row in exchanges(call)],
            transcript=[
                UtteranceOut(role=spoken.party.value, content=spoken.text, created_at=iso(spoken.at))
                for spoken in call.utterances
            ],
        )
