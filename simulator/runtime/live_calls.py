"""A live call and everything about it that is no record: its engine, the caller's ear, the turns of its handler."""

from __future__ import annotations

import asyncio
import copy
from dataclasses import dataclass, field, replace

from simulator.engine.call import CallEngine
from simulator.engine.hosted import HostedDouble
from simulator.engine.timeline import Listener
from simulator.runtime.hosted import HostedCall
from simulator.runtime.turns import Turn


@dataclass(slots=True)
class LiveCall:
    """A call that has not ended, with its engine."""

    id: str
    agent_id: str | None
    engine: CallEngine
    held: bool  # a human being is on the line
    ear: Listener = field(default_factory=Listener)  # what the remote party hears, and when
    hosted: HostedCall | None = None  # None: a handler answers
    turns: dict[str, Turn] = field(default_factory=dict)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    news: asyncio.Event = field(default_factory=asyncio.Event)  # set, and replaced, when the call's record has changed

    def announce(self) -> None:
        """Wake everybody who watches the call."""
        self.news.set()
        self.news = asyncio.Event()


@dataclass(frozen=True, slots=True)
class CallImage:
    """A live call at one instant, with no request of it in flight. Never used itself, only copied."""

    id: str
    agent_id: str | None
    engine: CallEngine
    held: bool
    ear: Listener
    double: HostedDouble | None
    turns: dict[str, Turn]

    @classmethod
    def of(cls, live: LiveCall) -> CallImage:
        """Keep a live call as it is now."""
        double = None if live.hosted is None else live.hosted.double.copy()
        ear = copy.deepcopy(live.ear)
        return cls(live.id, live.agent_id, live.engine.copy(), live.held, ear, double, _at_rest(live.turns))

    def revived(self) -> LiveCall:
        """A live call that goes on from here; what a hosted one needs around its double is for others to add."""
        ear, turns = copy.deepcopy(self.ear), _at_rest(self.turns)
        return LiveCall(self.id, self.agent_id, self.engine.copy(), self.held, ear, turns=turns)


def _at_rest(turns: dict[str, Turn]) -> dict[str, Turn]:
    return {turn_id: replace(turn, task=None, body=turn.body.copy()) for turn_id, turn in turns.items()}
