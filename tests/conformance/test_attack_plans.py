from __future__ import annotations

from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.conformance.attack.plan import AFTERWARDS, FaultGroup, Plan
from simulator.conformance.attack.shrinking import shrink, smaller, weight
from simulator.conformance.attack.staging import scenario_of
from simulator.conformance.attack.strategies import OPTING, plainest, plans
from simulator.conformance.verdicts import Profile
from simulator.domain.policy import Policies
from simulator.scenarios.export import to_yaml
from simulator.scenarios.loader import load
from simulator.scenarios.model import Scenario

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def alone(plan: Plan) -> bool:
    """Whether nobody is in two calls, or two threads, at once."""
    calls = Counter((call.caller, call.round) for call in plan.calls)
    threads = Counter((thread.sender, thread.round) for thread in plan.threads)
    return max([*calls.values(), *threads.values()]) == 1


@given(plans(), st.sampled_from(["", "call", "text"]))
@QUICK
def test_every_plan_is_a_scenario_and_the_file_of_it_is_the_same_one(plan: Plan, afterwards: str) -> None:
    scenario = scenario_of(plan, afterwards=afterwards)
    assert load(to_yaml(scenario)).model_dump(exclude={"variables"}) == Scenario.model_validate(scenario).model_dump(
        exclude={"variables"}
    )
    Policies(plan.contract, dict(plan.policies))


@given(plans())
@QUICK
def test_nobody_is_in_two_places_at_once_and_the_last_question_comes_when_all_is_over(plan: Plan) -> None:
    assert alone(plan)
    scenario = Scenario.model_validate(scenario_of(plan, afterwards="call"))
    last = scenario.calls[-1]
    assert last.name == AFTERWARDS
    assert last.at is not None
    others = [part.at for part in (*scenario.calls[:-1], *scenario.texts) if part.at is not None]
    assert all(at < last.at for at in others)
    assert last.from_ not in {part.from_ for part in (*scenario.calls[:-1], *scenario.texts)}


@given(st.sampled_from(Profile).flatmap(lambda profile: st.tuples(st.just(profile), plans(profile))))
@QUICK
def test_a_profile_gets_what_it_is_about(drawn: tuple[Profile, Plan]) -> None:
    profile, plan = drawn
    assert not (profile is Profile.SMS and plan.calls)
    assert not (profile is Profile.VOICE and plan.threads)
    assert not (profile is Profile.SMS and any(fault.on == "turn" for fault in plan.faults))
    assert plan.steps > 0


@given(st.sets(st.sampled_from(FaultGroup)).flatmap(lambda groups: st.tuples(st.just(groups), plans(groups=groups))))
@QUICK
def test_only_the_faults_that_were_asked_for_are_used(drawn: tuple[set[FaultGroup], Plan]) -> None:
    groups, plan = drawn
    assert {fault.group for fault in plan.faults} <= groups


@given(plans(Profile.SMS, opting=False))
@QUICK
def test_nobody_opts_out_where_that_was_not_asked_for(plan: Plan) -> None:
    assert not any(text.words in OPTING for thread in plan.threads for text in thread.texts)


@given(plans())
@QUICK
def test_whatever_is_left_out_makes_a_plan_lighter_and_leaves_it_one_that_can_be_played(plan: Plan) -> None:
    for candidate in smaller(plan):
        assert weight(candidate) < weight(plan)
        assert alone(candidate)
        Scenario.model_validate(scenario_of(candidate))


@given(st.sampled_from(list(Profile)).flatmap(plans))
@QUICK
def test_what_always_breaks_shrinks_to_one_question(plan: Plan) -> None:
    small = shrink(plan, lambda _: True)
    assert small in (plainest(Profile.ALL), plainest(Profile.SMS))


@given(plans())
@QUICK
def test_shrinking_keeps_what_breaks_and_leaves_out_the_rest(plan: Plan) -> None:
    words = [getattr(step, "words", "") for call in plan.calls for step in call.steps]
    wanted = next((word for word, count in Counter(words).items() if count > 1 and word), None)
    if wanted is None:
        return

    def breaks(candidate: Plan) -> bool:
        counts = (Counter(getattr(step, "words", "") for step in call.steps) for call in candidate.calls)
        return any(word and count > 1 for counted in counts for word, count in counted.items())

    if breaks(plan):
        small = shrink(plan, breaks)
        assert breaks(small)
        assert (small.steps, len(small.calls), small.threads, small.faults) == (2, 1, (), ())
