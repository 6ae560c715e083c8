"""Hypothesis makes up conversations until one breaks a law, which is then made small; here is what drives it.

A plan is played once and its outcome remembered, so that for Hypothesis everything is as steady as it demands. Whether
the handler is steady is asked by playing a plan again: what does not come again is a sighting, not a finding.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from tempfile import TemporaryDirectory
from typing import Final

from simulator.conformance.attack.laws import Breach, Observed, breaches
from simulator.conformance.attack.plan import FaultGroup, Plan
from simulator.conformance.attack.playing import OutOfTime, Player
from simulator.conformance.attack.report import AttackReport, Ended, Found
from simulator.conformance.attack.shrinking import shrink
from simulator.conformance.attack.strategies import plainest, plans
from simulator.conformance.examine import Target
from simulator.conformance.verdicts import Profile
from simulator.scenarios.runner import Conditions
from simulator.settings import DEFAULT_API_KEY

MOST_SEED: Final = 1_000_000_000  # short enough to be typed again
REPLAYS: Final = 2  # of the smallest plan, to see whether it fails each time
MOST_SIGHTINGS: Final = 3  # then the handler is known to be unsteady, and an attack has nothing to tell apart

Conduct = Callable[[Plan, float | None], Observed]  # plays a plan within so many real seconds, or raises OutOfTime
Done = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttackOptions:
    """How an attack is made."""

    examples: int = 100
    seed: int | None = None  # None: any, and the report says which
    profile: Profile = Profile.ALL
    compliance: bool = False  # people also opt out by text, and in again
    real_seconds: float | None = None  # None: as long as it takes
    shrinks: int = 200  # plans that are played at most to make a breach small
    faults: Collection[FaultGroup] = tuple(FaultGroup)
    port: int = 0  # where the handler reaches the API
    api_key: str = DEFAULT_API_KEY
    allow_hosts: tuple[str, ...] = ()


def attack(target: Target, options: AttackOptions, *, done: Done | None = None) -> AttackReport:
    """Attack a handler at a URL. `done` is told after each conversation how many there have been."""
    seed = secrets.randbelow(MOST_SEED) if options.seed is None else options.seed
    options = replace(options, seed=seed)
    conditions = Conditions(
        handler=target.url,
        base_url="",
        api_key=options.api_key,
        secret=target.secret,
        allow_hosts=options.allow_hosts,
    )
    with Player(conditions, options.profile, port=options.port) as player:
        report = search(player.play, options, done=done)
    shown = target.shown or target.url
    return replace(report, target=shown, name=target.name or shown, replay=target.replay)


def search(conduct: Conduct, options: AttackOptions, *, done: Done | None = None) -> AttackReport:
    """Look for a plan that breaks a law when `conduct` plays it, and make it small."""
    seed = secrets.randbelow(MOST_SEED) if options.seed is None else options.seed
    hunt = Hunt(conduct, options, done)
    began = time.monotonic()
    ended = hunt.run(seed)
    return AttackReport(
        target="",
        name="",
        seed=seed,
        examples=hunt.examples,
        shrinks=hunt.shrinks,
        found=hunt.best,
        sightings=tuple(hunt.sightings),
        ended=ended,
        seconds=time.monotonic() - began,
    )


@contextmanager
def _elsewhere() -> Iterator[None]:
    """Let Hypothesis keep its notes in a folder that goes away, and not in the one that somebody works in."""
    from hypothesis import configuration

    before = getattr(configuration, "__hypothesis_home_directory", None)
    with TemporaryDirectory() as folder:
        configuration.set_hypothesis_home_dir(folder)
        try:
            yield
        finally:
            configuration.set_hypothesis_home_dir(before)


class Enough(BaseException):
    """Nothing more is to be played. No Exception: it must pass through Hypothesis."""


class Hunt:
    """One search, as far as it has come."""

    def __init__(self, conduct: Conduct, options: AttackOptions, done: Done | None = None) -> None:
        self.examples = 0
        self.shrinks = 0
        self.best: Found | None = None
        self.sightings: list[Found] = []
        self._conduct = conduct
        self._options = options
        self._done = done
        self._until: float | None = None
        self._known: set[Plan] = set()  # played to find something
        self._tried: set[Plan] = set()  # played to make it small

    def run(self, seed: int) -> Ended:
        """Hunt until something is found and small, or nothing more is to be played."""
        limit = self._options.real_seconds
        self._until = None if limit is None else time.monotonic() + limit
        try:
            if not self._baseline():
                self._search(seed)
            if self.best is not None and not self.best.spoils:
                with suppress(Enough):
                    shrink(self.best.plan, self._still_breaks)
                self._confirm(self.best)
        except OutOfTime:
            return Ended.TIME
        except KeyboardInterrupt:
            return Ended.STOPPED
        return Ended.DONE

    def _baseline(self) -> bool:
        """Play the plainest plan first: what breaks already there needs no conversation. Says whether it does."""
        self.best = self._play(plainest(self._options.profile), None)
        self.examples += 1
        self._known.add(plainest(self._options.profile))
        self._tell()
        return self.best is not None

    def _search(self, seed: int) -> None:
        from hypothesis import HealthCheck, Phase, Verbosity, given, settings
        from hypothesis import seed as seeded

        @seeded(seed)
        @settings(
            max_examples=2 * self._options.examples,  # a plan that was played before is none of ours: see `_look`
            phases=(Phase.generate,),
            database=None,
            deadline=None,
            derandomize=False,
            verbosity=Verbosity.quiet,
            suppress_health_check=list(HealthCheck),
        )
        @given(plans(self._options.profile, self._options.faults, opting=self._options.compliance))
        def conversation(plan: Plan) -> None:
            self._look(plan)

        with suppress(Enough), _elsewhere():
            conversation()

    def _look(self, plan: Plan) -> None:
        """Play a plan that is new; raises Enough when something is found, or nothing more is to be played."""
        if plan in self._known:
            return
        self._known.add(plan)
        if self.examples >= self._options.examples:
            raise Enough
        found = self._play(plan, None)
        self.examples += 1
        self._tell()
        if found is not None:
            self._first(found)

    def _first(self, found: Found) -> None:
        """Something is broken: it is found if it comes again at once, and else only seen."""
        self.best = found
        again = self._play(found.plan, found.breach.key)
        if again is None:
            self.best = None
            self.sightings.append(replace(found, tries=1))
            if len(self.sightings) < MOST_SIGHTINGS:
                return
        else:
            spoilt = self._play(plainest(self._options.profile), None) is not None
            self.best = replace(again, spoils=spoilt)
        raise Enough

    def _still_breaks(self, plan: Plan) -> bool:
        """Whether a smaller plan breaks the same law; then it is the best so far."""
        if plan in self._tried:
            return False
        self._tried.add(plan)
        if self.best is None or self.shrinks >= self._options.shrinks:
            raise Enough
        found = self._play(plan, self.best.breach.key)
        self.shrinks += 1
        self._tell()
        self.best = found or self.best
        return found is not None

    def _tell(self) -> None:
        if self._done is not None:
            self._done(self.examples + self.shrinks)

    def _confirm(self, best: Found) -> None:
        """Play the smallest plan again, to tell what always happens from what happens now and then."""
        seen = 0
        for tries in range(1, REPLAYS + 1):
            again = self._play(best.plan, best.breach.key)
            seen += again is not None
            self.best = replace(again or best, seen=seen, tries=tries)

    def _play(self, plan: Plan, key: tuple[str, str] | None) -> Found | None:
        """Play a plan; the first breach with this key, or of any law when it is None."""
        left = None if self._until is None else self._until - time.monotonic()
        if left is not None and left <= 0:
            raise OutOfTime
        observed = self._conduct(plan, left)
        breach: Breach | None = next((one for one in breaches(plan, observed) if key in (None, one.key)), None)
        return None if breach is None else Found(plan=plan, breach=breach, observed=observed)
