from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from simulator.conformance.attack.hunt import MOST_SIGHTINGS, REPLAYS, AttackOptions, search
from simulator.conformance.attack.laws import Observed
from simulator.conformance.attack.plan import BargeIn, Plan
from simulator.conformance.attack.playing import OutOfTime
from simulator.conformance.attack.report import AttackReport, Ended
from simulator.conformance.attack.strategies import plainest
from simulator.conformance.verdicts import Profile
from simulator.domain.findings import FindingKind
from simulator.scenarios.record import FindingRecord
from tests.helpers.records import a_call, a_turn
from tests.helpers.records import s as seconds


def observed(*kinds: str) -> Observed:
    """One call, whose only turn has these findings."""
    findings = tuple(FindingRecord(kind=kind, message="so it was", at=seconds(5)) for kind in kinds)
    return Observed(calls={"calls[0]": a_call(a_turn(findings=findings))})


def interrupted(plan: Plan) -> bool:
    return any(isinstance(step, BargeIn) for call in plan.calls for step in call.steps)


class Handler:
    """Stands in for whatever plays plans: `fails` says of each plan, and of how many came before it, what is wrong."""

    def __init__(self, fails: Callable[[Plan, int], str | None]) -> None:
        self.played: list[Plan] = []
        self._fails = fails

    def __call__(self, plan: Plan, patience: float | None) -> Observed:
        kind = self._fails(plan, len(self.played))
        self.played.append(plan)
        return observed(*([kind] if kind else []))


def hunted(fails: Callable[[Plan, int], str | None], **options: Any) -> AttackReport:
    return search(Handler(fails), AttackOptions(**{"seed": 1, **options}))


def missing_final(plan: Plan, _: int) -> str | None:
    return "missing_final" if interrupted(plan) else None


def test_what_is_found_is_made_small_and_played_again() -> None:
    report = hunted(missing_final)
    assert report.found is not None
    assert (report.found.plan.steps, report.found.plan.faults, report.found.plan.threads) == (1, (), ())
    assert (report.found.seen, report.found.tries, report.found.steady) == (REPLAYS, REPLAYS, True)
    assert (report.ended, report.ok) == (Ended.DONE, False)


def test_nothing_found_is_all_examples_played_and_no_plan_twice() -> None:
    handler = Handler(lambda plan, n: None)
    report = search(handler, AttackOptions(seed=1, examples=50))
    assert (report.examples, report.ok, report.found) == (50, True, None)
    assert len(handler.played) == len(set(handler.played)) == 50


def test_the_same_seed_plays_the_same_and_another_one_does_not() -> None:
    runs = []
    for seed in (5, 5, 6):
        handler = Handler(lambda plan, n: None)
        search(handler, AttackOptions(seed=seed, examples=20))
        runs.append(handler.played)
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]
    assert hunted(missing_final, seed=5) == hunted(missing_final, seed=5)


def test_without_a_seed_the_report_says_which_it_was() -> None:
    report = search(Handler(missing_final), AttackOptions())
    assert search(Handler(missing_final), AttackOptions(seed=report.seed)) == report


def test_the_plainest_plan_comes_first_and_nothing_else_if_it_fails() -> None:
    handler = Handler(lambda plan, n: "reply_empty")
    report = search(handler, AttackOptions(seed=1, profile=Profile.VOICE))
    assert set(handler.played) == {plainest(Profile.VOICE)}
    assert report.found is not None
    assert report.found.plan == plainest(Profile.VOICE)


@pytest.mark.parametrize("seed", range(4))
def test_shrinking_stays_with_the_law_that_was_broken_first(seed: int) -> None:
    # Smaller plans break something else: that is another mistake, and not the one that is told.
    def fails(plan: Plan, _: int) -> str | None:
        if plan.steps < 3:
            return None
        return "missing_final" if plan.steps > 4 else "reply_empty"

    first: list[str] = []

    def noted(plan: Plan, n: int) -> str | None:
        kind = fails(plan, n)
        first.extend([kind] if kind else [])
        return kind

    report = hunted(noted, seed=seed)
    assert report.found is not None
    assert report.found.breach.kind == first[0]
    assert report.found.plan.steps == {"missing_final": 5, "reply_empty": 3}[first[0]]


def test_what_does_not_come_again_is_a_sighting_and_the_hunt_goes_on() -> None:
    report = hunted(lambda plan, n: "reply_http_error" if n == 9 else None, examples=30)
    assert (report.found, report.ok, report.examples) == (None, False, 30)
    (seen,) = report.sightings
    assert (seen.once, seen.seen, seen.tries) == (True, 0, 1)
    assert report.shown == seen


def test_a_handler_that_is_seen_to_fail_now_and_then_is_not_hunted_for_ever() -> None:
    report = hunted(lambda plan, n: "reply_http_error" if n % 2 else None)
    assert (report.found, len(report.sightings)) == (None, MOST_SIGHTINGS)
    assert report.examples < 20


def test_what_fails_less_often_in_the_end_is_told_so() -> None:
    turns = count()
    report = hunted(lambda plan, n: "missing_final" if interrupted(plan) and next(turns) < 2 else None)
    assert report.found is not None
    assert (report.found.seen, report.found.tries, report.found.steady) == (0, REPLAYS, False)


def test_a_handler_that_is_spoilt_is_not_played_with_any_more() -> None:
    handler: Handler

    def fails(plan: Plan, _: int) -> str | None:
        return "reply_http_error" if interrupted(plan) or any(map(interrupted, handler.played)) else None

    handler = Handler(fails)
    report = search(handler, AttackOptions(seed=1))
    assert report.found is not None
    assert (report.found.spoils, report.shrinks, report.found.tries) == (True, 0, 0)
    assert interrupted(report.found.plan)


def test_no_more_is_played_to_shrink_than_was_allowed() -> None:
    report = hunted(missing_final, shrinks=3)
    assert report.found is not None
    assert report.shrinks == 3


@pytest.mark.parametrize(("stop", "ended"), [(KeyboardInterrupt, Ended.STOPPED), (OutOfTime, Ended.TIME)])
@pytest.mark.parametrize("later", [0, 1, 2, 5])
def test_what_was_found_is_kept_when_the_hunt_is_broken_off(
    stop: type[BaseException], ended: Ended, later: int
) -> None:
    broken = count()

    def fails(plan: Plan, _: int) -> str | None:
        if interrupted(plan) and next(broken) > later:
            raise stop
        return missing_final(plan, 0)

    report = hunted(fails)
    assert report.ended is ended
    assert report.found is not None
    assert interrupted(report.found.plan)
    assert not report.ok


def test_nothing_is_played_when_the_time_is_over() -> None:
    handler = Handler(lambda plan, n: None)
    report = search(handler, AttackOptions(seed=1, real_seconds=0.0))
    assert (handler.played, report.ended, report.ok) == ([], Ended.TIME, False)


def test_a_plan_is_told_how_much_time_there_is_for_it() -> None:
    told: list[float | None] = []

    def conduct(plan: Plan, patience: float | None) -> Observed:
        told.append(patience)
        return observed()

    search(conduct, AttackOptions(seed=1, examples=3, real_seconds=1000.0))
    assert all(left is not None and 0 < left <= 1000 for left in told)
    assert len(told) == 3


def test_whoever_watches_is_told_after_each_conversation() -> None:
    told: list[int] = []
    report = search(Handler(missing_final), AttackOptions(seed=1), done=told.append)
    assert told == list(range(1, report.examples + report.shrinks + 1))


def test_hypothesis_leaves_nothing_in_the_folder_that_somebody_works_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hypothesis import configuration

    home = "__hypothesis_home_directory"
    monkeypatch.setattr(configuration, home, tmp_path / "before")
    used: set[Path] = set()

    def conduct(plan: Plan, patience: float | None) -> Observed:
        used.add(vars(configuration)[home])
        return observed()

    search(conduct, AttackOptions(seed=1, examples=5))
    elsewhere = used - {tmp_path / "before"}  # which the plainest plan is played in, before Hypothesis has begun
    assert len(elsewhere) == 1
    assert not any(folder.exists() for folder in elsewhere)
    assert list(tmp_path.iterdir()) == []
    assert vars(configuration)[home] == tmp_path / "before"


def test_every_kind_of_finding_can_be_hunted() -> None:
    for kind in FindingKind:
        report = hunted(lambda plan, n, kind=kind: kind.value if interrupted(plan) else None, examples=60)
        assert report.found is not None
        assert report.found.breach.kind == kind.value
