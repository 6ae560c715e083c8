"""What the parts of one call share while an event is handled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from simulator.engine.call_states import CallStates, Timer
from simulator.engine.effects import Effect, StartTimer, StopTimer
from simulator.errors import IllegalTransition


class Board:
    """The states of one call, its running timers, the instant it is, and the effects of the event being handled."""

    __slots__ = ("_effects", "_running", "now", "states")

    def __init__(self) -> None:
        self.states = CallStates()
        self.now = datetime.min.replace(tzinfo=UTC)
        self._running: set[Timer] = set()
        self._effects: list[Effect] = []

    def reach(self, now: datetime) -> None:
        """Begin with the next event, at the instant `now`. Time never runs backwards within a call."""
        if now.tzinfo is None:
            raise ValueError(f"an event needs an aware instant, got {now.isoformat()}")
        if now < self.now:
            raise ValueError(f"an event at {now.isoformat()} came after one at {self.now.isoformat()}")
        self.now = now

    def since(self, then: datetime) -> timedelta:
        """Say how long ago `then` was."""
        return self.now - then

    def emit(self, effect: Effect) -> None:
        """Add an effect to those of this event."""
        self._effects.append(effect)

    def take_effects(self) -> list[Effect]:
        """Hand over the effects of this event, in order."""
        effects, self._effects = self._effects, []
        return effects

    def start(self, timer: Timer, delay: timedelta) -> None:
        """Start a timer, or restart it."""
        self._running.add(timer)
        self.emit(StartTimer(timer, delay))

    def start_once(self, timer: Timer, delay: timedelta) -> None:
        """Start a timer unless it runs."""
        if timer not in self._running:
            self.start(timer, delay)

    def stop(self, *timers: Timer) -> None:
        """Stop those of the timers that run."""
        for timer in timers:
            if timer in self._running:
                self._running.remove(timer)
                self.emit(StopTimer(timer))

    def runs(self, timer: Timer) -> bool:
        """Whether the timer runs."""
        return timer in self._running

    def fired(self, name: str) -> Timer:
        """Take note that a timer fired. One that does not run can't fire: whoever keeps the timers has lost track."""
        if name not in self._running:
            running = ", ".join(sorted(self._running)) or "none"
            raise IllegalTransition(f"timer {name!r} fired, but does not run (running: {running})")
        timer = Timer(name)
        self._running.remove(timer)
        return timer
