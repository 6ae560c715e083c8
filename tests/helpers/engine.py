"""A call engine with a tiny exchange around it: keeps its timers, moves its clock, remembers its effects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from hypothesis import HealthCheck, settings

from simulator.domain.calls import Direction, Party
from simulator.domain.findings import FindingKind
from simulator.domain.policy import Policies
from simulator.engine.call import CallEngine, CallSetup
from simulator.engine.call_states import Timer
from simulator.engine.effects import (
    AppendTranscript,
    CloseTurn,
    Effect,
    EndCall,
    OpenTurn,
    Play,
    ReportFinding,
    StartTimer,
    StopTimer,
)
from simulator.engine.events import (
    CallEvent,
    Dialled,
    RemoteSaid,
    ReplyBytes,
    ReplyEnded,
    ReplyFailed,
    ReplyStarted,
    TimerFired,
)
from simulator.engine.script import Answer

START: Final = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
NDJSON: Final = "application/x-ndjson"
JSON: Final = "application/json"

# For generated tests: the machine that runs them may be busy, and none of them measures time.
unhurried: Final = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

E = TypeVar("E")

SETUP: Final = CallSetup(
    direction=Direction.INBOUND,
    greeting=None,
    voice_speed=1.0,
    max_silence=timedelta(minutes=10),
    max_duration=timedelta(hours=1),
    transfer_number=None,
    policies=Policies(),
    steps=None,
    answer=Answer.ANSWERED,
    ring=timedelta(seconds=2),
)


def seconds(number: float) -> timedelta:
    """A length of time, short to write."""
    return timedelta(seconds=number)


def setup(policies: Mapping[str, str] | None = None, **changes: Any) -> CallSetup:
    """`SETUP` with changes; policies by name."""
    return replace(SETUP, policies=Policies(overrides=policies), **changes)


def drive(engine: CallEngine, *events: CallEvent, now: datetime = START) -> list[Effect]:
    """Feed events to an engine at one instant and give all effects."""
    return [effect for event in events for effect in engine.handle(event, now)]


class Line:
    """One call, from dialling on. `log` has every effect with the instant at which it happened."""

    def __init__(
        self,
        *,
        turn_timeout: timedelta | None = timedelta(seconds=30),
        policies: Mapping[str, str] | None = None,
        **changes: Any,
    ) -> None:
        self.engine = CallEngine(setup(policies, **changes))
        self.engine.turn_timeout = turn_timeout
        self.now = START
        self.timers: dict[str, datetime] = {}
        self.log: list[tuple[datetime, Effect]] = []

    def feed(self, *events: CallEvent) -> list[Effect]:
        """Feed events one after another, now."""
        effects: list[Effect] = []
        for event in events:
            for effect in self.engine.handle(event, self.now):
                self._keep(effect)
                effects.append(effect)
        return effects

    def fire_next(self) -> list[Effect]:
        """Move to the earliest timer (ties: the one started first) and let it fire."""
        name = min(self.timers, key=self.timers.__getitem__)
        self.now = max(self.now, self.timers.pop(name))
        return self.feed(TimerFired(name))

    def advance(self, delay: timedelta) -> list[Effect]:
        """Let time pass, with the timers that are due on the way."""
        until = self.now + delay
        effects: list[Effect] = []
        while self.timers and min(self.timers.values()) <= until:
            effects += self.fire_next()
        self.now = until
        return effects

    def until(self, wanted: type[E]) -> E:
        """Fire timers until an effect of this kind comes."""
        while self.timers:
            for effect in self.fire_next():
                if isinstance(effect, wanted):
                    return effect
        raise AssertionError(f"no {wanted.__name__} came")

    def connect(self) -> Line:
        """Dial, and let the phone be answered."""
        self.feed(Dialled())
        while Timer.RING in self.timers:
            self.fire_next()
        return self

    def open_turn(self, text: str = "Hello there") -> OpenTurn:
        """Let the remote party speak now, and wait for its turn to open."""
        self.feed(RemoteSaid(text))
        return self.until(OpenTurn)

    def headers(self, content_type: str = NDJSON, status: int = 200) -> list[Effect]:
        """Answer the latest turn's request with a status and a content type."""
        return self.feed(ReplyStarted(self.turn_id, status, content_type))

    def body(self, *pieces: bytes) -> list[Effect]:
        """Send pieces of the latest turn's reply."""
        return self.feed(*(ReplyBytes(self.turn_id, piece) for piece in pieces))

    def end_reply(self) -> list[Effect]:
        """End the latest turn's reply."""
        return self.feed(ReplyEnded(self.turn_id))

    def fail_reply(self, error: str = "connection refused") -> list[Effect]:
        """Break the latest turn's request."""
        return self.feed(ReplyFailed(self.turn_id, error))

    def reply(self, *pieces: bytes, content_type: str = JSON, status: int = 200) -> list[Effect]:
        """Answer the latest turn's request completely."""
        return [*self.headers(content_type, status), *self.body(*pieces), *self.end_reply()]

    @property
    def turn_id(self) -> str:
        """The id of the latest turn."""
        return self.all(OpenTurn)[-1].turn_id

    def all(self, wanted: type[E]) -> list[E]:
        """Every effect of this kind so far."""
        return [effect for _, effect in self.log if isinstance(effect, wanted)]

    def when(self, wanted: type) -> timedelta:
        """How long after dialling the last effect of this kind happened."""
        return [at for at, effect in self.log if isinstance(effect, wanted)][-1] - START

    @property
    def findings(self) -> list[FindingKind]:
        """The kinds of finding so far."""
        return [finding.kind for finding in self.all(ReportFinding)]

    @property
    def played(self) -> list[str]:
        """What the agent has begun to say so far."""
        return [play.text for play in self.all(Play)]

    @property
    def closed(self) -> list[str]:
        """How turns were closed so far."""
        return [close.how for close in self.all(CloseTurn)]

    @property
    def end(self) -> EndCall:
        """How the call ended."""
        (end,) = self.all(EndCall)
        return end

    def said(self, party: Party) -> list[str]:
        """The transcript of one party so far."""
        return [spoken.text for spoken in self.all(AppendTranscript) if spoken.party is party]

    def _keep(self, effect: Effect) -> None:
        self.log.append((self.now, effect))
        match effect:
            case StartTimer():
                self.timers.pop(effect.name, None)  # to the end of the order
                self.timers[effect.name] = self.now + effect.delay
            case StopTimer():
                del self.timers[effect.name]
            case EndCall():
                self.timers.clear()
            case _:
                pass


def kinds(effects: Iterable[Effect]) -> list[type]:
    """The kinds of effects, timers left out."""
    return [type(effect) for effect in effects if not isinstance(effect, StartTimer | StopTimer)]
