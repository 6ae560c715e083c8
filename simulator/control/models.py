"""What `/_sim` looks like. snake_case throughout; durations in seconds; unknown fields are refused.

Refusing unknown fields is the opposite of what `/v1` does: here a misspelt step would otherwise be a silent caller.
"""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from simulator.control.steps import LONGEST_WAIT, Confidence, ControlIn, Digits, Script, Words
from simulator.control.thread_steps import ThreadScript
from simulator.control.timeline import TimelineOut
from simulator.wire.calls import CallOut
from simulator.wire.rules import any_of, has, lacks


class ControlOut(BaseModel):
    """An answer of `/_sim`."""

    model_config = ConfigDict(frozen=True, defer_build=True)


class DialIn(ControlIn):
    """Someone dials one of the account's numbers."""

    model_config = ConfigDict(
        json_schema_extra=any_of({"properties": {"wait": {"const": False}}}, has("script", type="array"))
    )

    from_: str = Field(alias="from", description="Who dials, E.164; without a country code, US.")
    to: str = Field(description="One of the account's numbers, with an agent attached.")
    script: Script | None = Field(default=None, description="Absent: a live phone, driven by say, press, hang_up.")
    wait: bool = Field(default=False, description="Answer when the call has ended; needs a script.")
    timeout: float = Field(default=300, gt=0, le=3600, description="Real seconds that `wait` waits at most.")

    @model_validator(mode="after")
    def _wait_needs_script(self) -> Self:
        if self.wait and self.script is None:
            raise ValueError("wait needs a script: a live phone call has no end of its own")
        return self


class FindingOut(ControlOut):
    """Something the handler did badly."""

    kind: str
    message: str
    turn_id: str | None
    at: str
    sample: str


class CallStarted(ControlOut):
    """The call that was placed; with `wait`, everything about it."""

    call_id: str
    status: str
    agent_id: str | None
    disconnection_reason: str | None = None
    duration_seconds: float | None = None
    call: CallOut | None = Field(default=None, description="The whole `/v1` call; with `wait` only.")
    findings: list[FindingOut] | None = Field(default=None, description="With `wait` only.")
    timeline: TimelineOut | None = Field(default=None, description="What the caller heard; with `wait` only.")


class SayIn(ControlIn):
    """The remote party says something; it waits politely until the agent has finished, unless it is `over` it."""

    text: Words
    confidence: Confidence = 0.95
    over: bool = Field(default=False, description="Say it at once: over the agent, or going on after a pause.")


class PressIn(ControlIn):
    """The remote party presses keys, when the agent has finished."""

    digits: Digits


class ListenIn(ControlIn):
    """The remote party of a live call listens."""

    until: Literal["silence", "speech"] = Field(
        default="silence",
        description="`speech`: only until the agent begins to be heard; ends with its silence or the call in any case.",
    )
    timeout: float = Field(default=30, gt=0, le=3600, description="Real seconds that it takes at most.")


class Done(ControlOut):
    """The live call took it."""

    call_id: str
    status: str


class TextsIn(ControlIn):
    """What becomes of texts to this number."""

    model_config = ConfigDict(json_schema_extra=any_of(has("status", const="failed"), lacks("failure_reason")))

    status: Literal["delivered", "failed", "sent"] = Field(
        default="delivered", description="Its final status; `sent` is a text of which nobody ever hears again."
    )
    failure_reason: str | None = Field(default=None, min_length=1, max_length=500, description="With `failed` only.")
    code: str | None = Field(
        default=None,
        pattern=r"^[A-Z][A-Z0-9_]{0,63}$",
        description="A word for programs. DELIVERY_UNCONFIRMED: the send itself answers 409; CARRIER_ERROR: 502.",
    )
    delay_seconds: float | None = Field(
        default=None, ge=0, le=LONGEST_WAIT, description="Until the final status is known; absent: as usual."
    )

    @model_validator(mode="after")
    def _reason_of_a_failure(self) -> Self:
        if self.failure_reason is not None and self.status != "failed":
            raise ValueError(f"failure_reason goes with status failed, not {self.status}")
        return self


class PersonIn(ControlIn):
    """Who answers when the account calls or texts this number; wins over what a fictional number does."""

    script: Script | None = Field(default=None, description="Absent: answers and listens.")
    answer: Literal["answered", "busy", "no_answer", "failed", "voicemail", "screened", "screened_out"] = "answered"
    ring_seconds: float = Field(default=2.0, ge=0, le=120)
    patience_seconds: float | None = Field(
        default=None, ge=0, le=LONGEST_WAIT, description="Hangs up this long after answering, whoever is speaking."
    )
    greeting: Words | None = Field(default=None, description="What the machine says; with the answer `voicemail`.")
    texts: TextsIn = Field(default_factory=TextsIn)
    text_script: ThreadScript | None = Field(
        default=None, min_length=1, description="What they text from the account's first text on; absent: nothing."
    )


class TextsOut(ControlOut):
    """What becomes of texts."""

    status: str
    failure_reason: str | None
    code: str | None
    delay_seconds: float | None


class PersonOut(ControlOut):
    """The person as registered."""

    number: str
    answer: str
    ring_seconds: float
    patience_seconds: float | None
    greeting: str | None
    steps: int | None
    texts: TextsOut
    text_steps: int | None


class ClockIn(ControlIn):
    """Change who moves time, and how fast it flows."""

    mode: Literal["system", "manual", "auto"] | None = None
    scale: float | None = Field(default=None, gt=0, le=1_000_000)
    handler_grace: float | None = Field(
        default=None,
        ge=0,
        le=600,
        description="Real seconds for which an auto clock stands still for requests in flight, so that a handler that "
        "answers within them takes no simulated time.",
    )


class TimerOut(ControlOut):
    """A timer that is running."""

    timer: str
    due: str


class ClockOut(ControlOut):
    """The account's time."""

    mode: str
    now: str
    scale: float
    handler_grace: float
    flowing: bool
    in_flight: int
    next_timer: TimerOut | None
    timers: int


LONGEST_ADVANCE = 10 * 366 * 86_400  # seconds


class AdvanceIn(ControlIn):
    """How far to move time."""

    seconds: float = Field(gt=0, le=LONGEST_ADVANCE, description="Simulated seconds.")
    patience: float | None = Field(
        default=None, ge=0, le=600, description="Real seconds a handler in flight may take before time passes it by."
    )


class IdleIn(ControlIn):
    """How patient to be with handlers."""

    patience: float | None = Field(default=None, ge=0, le=600)


class JournalQuery(BaseModel):
    """Which entries, and how long to wait for the first."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    after: int = Field(default=0, ge=0, le=2**53, description="Entries with a higher `seq` only.")
    kind: str | None = Field(default=None, max_length=400, description="A kind or its first part; several by comma.")
    wait: float = Field(default=0, ge=0, le=60, description="Real seconds to wait when there is none yet.")
    limit: int = Field(default=1000, ge=1, le=10_000)


class JournalOut(ControlOut):
    """Part of the journal."""

    entries: list[dict[str, Any]] = Field(description="`seq`, `at`, `kind` and what belongs to the kind.")
    next: int = Field(description="Pass as `after` to go on.")
    dropped: int = Field(description="Entries the bounded journal has forgotten.")
