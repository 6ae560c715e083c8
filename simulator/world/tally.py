"""Running counts of what happened when, kept as records are written, so that usage never reads the records again."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from simulator.domain.calls import Call
from simulator.domain.messages import Channel, Message
from simulator.domain.segments import segments
from simulator.domain.webhooks import Delivery, DeliveryStatus

MICROSECOND: Final = timedelta(microseconds=1)  # talking time is summed in whole ones


class Series:
    """Amounts by instant, with their running sum: the sum over any span costs two look-ups."""

    __slots__ = ("sums", "times")

    def __init__(self) -> None:
        self.times: list[datetime] = []
        self.sums: list[int] = []  # sums[i]: of everything up to times[i]

    def add(self, at: datetime, amount: int = 1) -> None:
        """Add an amount. Nearly always it is the newest; one that lies back moves the sums that follow it."""
        if not self.times or at >= self.times[-1]:
            self.times.append(at)
            self.sums.append(self.total + amount)
            return
        place = bisect_right(self.times, at)
        self.times.insert(place, at)
        self.sums.insert(place, self._before(place))
        for later in range(place, len(self.sums)):
            self.sums[later] += amount

    def copy(self) -> Series:
        """The same amounts, in a series of their own."""
        made = Series()
        made.times, made.sums = self.times.copy(), self.sums.copy()
        return made

    @property
    def total(self) -> int:
        """The sum of all."""
        return self.sums[-1] if self.sums else 0

    def after(self, start: datetime) -> int:
        """The sum of what came later than `start`."""
        return self.total - self._before(bisect_right(self.times, start))

    def between(self, start: datetime, end: datetime) -> int:
        """The sum of what came at `start` or later, and before `end`."""
        return self._before(bisect_left(self.times, end)) - self._before(bisect_left(self.times, start))

    def _before(self, place: int) -> int:
        return self.sums[place - 1] if place else 0


class Activity:
    """Texts, their SMS segments, calls, and talking time in microseconds at the instant the call started."""

    __slots__ = ("calls", "messages", "segments", "voice")

    def __init__(self) -> None:
        self.messages = Series()
        self.segments = Series()
        self.calls = Series()
        self.voice = Series()

    def copy(self) -> Activity:
        """The same counts, on their own."""
        made = Activity()
        for name in Activity.__slots__:
            setattr(made, name, getattr(self, name).copy())
        return made


class NumberCount(NamedTuple):
    """What went through one number since it was bought."""

    messages: int = 0
    calls: int = 0


class Tally:
    """The counts of one account. The world's `store_…` methods tell it of every record, before they write it.

    A copy shares every agent's activity with its original until either of them counts something more of that agent:
    an account may have thousands of agents, and a copy of their counts should cost nothing.
    """

    def __init__(self) -> None:
        self.whole = Activity()
        self.agents: dict[str | None, Activity] = {}  # None: of no agent
        self._own: set[str | None] = set()  # agents whose activity no other tally shares
        self.numbers: dict[str, NumberCount] = {}
        self.deliveries = Series()
        self.outcomes: Counter[DeliveryStatus] = Counter()

    def copy(self) -> Tally:
        """The same counts, on their own."""
        made = Tally()
        made.whole = self.whole.copy()
        made.agents = self.agents.copy()
        made.numbers = self.numbers.copy()
        made.deliveries = self.deliveries.copy()
        made.outcomes = self.outcomes.copy()
        self._own.clear()
        return made

    def message(self, message: Message) -> None:
        """Count a new text."""
        billed = segments(message.body) if message.channel is Channel.SMS else 0
        for activity in (self.whole, self._of(message.agent_id)):
            activity.messages.add(message.at)
            if billed:
                activity.segments.add(message.at, billed)
        count = self.numbers.get(message.number_id, NumberCount())
        self.numbers[message.number_id] = count._replace(messages=count.messages + 1)

    def call(self, before: Call | None, call: Call) -> None:
        """Count a new call, and its talking time once it has ended."""
        whole, agent = self.whole, self._of(call.agent_id)
        if before is None:
            whole.calls.add(call.started_at)
            agent.calls.add(call.started_at)
            if call.number_id is not None:  # a web call has none
                count = self.numbers.get(call.number_id, NumberCount())
                self.numbers[call.number_id] = count._replace(calls=count.calls + 1)
        if call.duration and (before is None or before.live):
            spoken = call.duration // MICROSECOND
            whole.voice.add(call.started_at, spoken)
            agent.voice.add(call.started_at, spoken)

    def delivery(self, before: Delivery | None, delivery: Delivery) -> None:
        """Count a new delivery, or what has become of one."""
        if before is None:
            self.deliveries.add(delivery.created_at)
        else:
            self.outcomes[before.status] -= 1
        self.outcomes[delivery.status] += 1

    def counts(self) -> tuple[object, ...]:
        """Everything that is counted, as values that can be compared."""
        sums = [tuple(getattr(a, name).total for name in a.__slots__) for a in (self.whole, *self.agents.values())]
        return tuple(sums), tuple(self.agents), dict(self.numbers), self.deliveries.total, dict(self.outcomes)

    def _of(self, agent_id: str | None) -> Activity:
        activity = self.agents.get(agent_id)
        if activity is None or agent_id not in self._own:
            activity = self.agents[agent_id] = Activity() if activity is None else activity.copy()
            self._own.add(agent_id)
        return activity
