"""What is settled when a call is placed, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from simulator.domain.calls import Direction
from simulator.domain.policy import Policies
from simulator.engine.script import MACHINE_GREETING, Answer, Step, prelude


class Stage(Enum):
    """Whom the agent talks to. Only with a person do utterances become turns."""

    PERSON = "person"
    SCREENING = "screening"  # the phone itself asks who is calling
    MACHINE = "machine"  # that records


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSetup:
    """What is settled when a call is placed."""

    direction: Direction
    greeting: str | None  # None: there is none; "": the agent stays silent until spoken to
    voice_speed: float
    max_silence: timedelta
    max_duration: timedelta
    transfer_number: str | None
    policies: Policies
    steps: tuple[Step, ...] | None  # None: the party is driven live, or just listens
    answer: Answer
    ring: timedelta
    patience: timedelta | None = None  # how long after picking up the party hangs up, whoever is speaking
    interruption_sensitivity: float = 0.8  # from 0, can't be interrupted, to 1
    backchannel: bool = True  # whether sounds of listening take no turn
    voicemail_message: str | None = None  # blank or None: machines aren't told from people
    machine_greeting: str = MACHINE_GREETING
    screening_identity: str | None = None  # said to a phone that asks who is calling
    screening_purpose: str | None = None

    @property
    def stage(self) -> Stage:
        """Whom the agent takes the other end for. Where its settings don't tell, it takes it for a person."""
        if self.answer is Answer.VOICEMAIL:
            knows = audible(self.voicemail_message) or self.policies["voicemail_without_message"] == "hang_up"
            return Stage.MACHINE if knows else Stage.PERSON
        if self.answer in (Answer.SCREENED, Answer.SCREENED_OUT) and self.introduction:
            return Stage.SCREENING
        return Stage.PERSON

    @property
    def introduction(self) -> str:
        """What a phone that asks who is calling is told; "" where the agent's settings don't say."""
        parts = (audible(self.screening_identity), audible(self.screening_purpose))
        return " ".join(part if part[-1] in ".!?" else f"{part}." for part in parts if part)

    @property
    def prelude(self) -> tuple[Step, ...]:
        """What happens at the other end before the person does anything."""
        return prelude(self.answer, self.machine_greeting, scripted=self.steps is not None)


def audible(text: str | None) -> str:
    """Give what is heard of `text`: "" where there is nothing to hear."""
    return (text or "").strip()
