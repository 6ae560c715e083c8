from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from simulator.domain.policy import Policies
from simulator.domain.webhooks import Attempt, Delivery, DeliveryStatus, EventType, Outcome, OutcomeKind
from simulator.engine.delivery import (
    MAX_ATTEMPTS,
    RETRY_SCHEDULE,
    Failed,
    Plan,
    Retry,
    Succeeded,
    accepts,
    answered,
    plan_next,
)
from simulator.errors import UsageError

START = datetime(2026, 1, 5, 15, tzinfo=UTC)
DEFAULT = Policies()
ANY_FAILURE = Policies(overrides={"retry_on": "any_failure"})
IMPATIENT = Policies(overrides={"timeout_like_status": "fail"})
ONLY_200 = Policies(overrides={"success_status": "only_200"})

TIMED_OUT = Outcome(kind=OutcomeKind.TIMED_OUT, error="no answer within 30 s", duration=timedelta(seconds=30))
UNREACHABLE = Outcome(kind=OutcomeKind.UNREACHABLE, error="connection refused")
REFUSED = Outcome(kind=OutcomeKind.REFUSED, error="not sent: example.com is not this machine")


def delivery(*, made: int = 0, retryable: bool = True, status: DeliveryStatus = DeliveryStatus.PENDING) -> Delivery:
    return Delivery(
        id="del_1",
        endpoint_id="wh_1",
        endpoint_agent_id=None,
        agent_id=None,
        event_type=EventType.AGENT_MESSAGE,
        channel=None,
        body=b"{}",
        created_at=START,
        sequence=1,
        attempts=tuple(Attempt(number=n + 1, at=START, outcome=UNREACHABLE) for n in range(made)),
        retryable=retryable,
        status=status,
    )


def after(status: int, policies: Policies = DEFAULT, *, made: int = 0, retryable: bool = True) -> Plan:
    return plan_next(delivery(made=made, retryable=retryable), answered(status, None, policies), START, policies)


def test_the_ladder_has_six_attempts_over_exactly_20_hours_and_35_minutes() -> None:
    minutes = [delay.total_seconds() / 60 for delay in RETRY_SCHEDULE]
    assert minutes == [0, 5, 30, 120, 360, 720]
    assert MAX_ATTEMPTS == 6
    assert sum(RETRY_SCHEDULE, timedelta()) == timedelta(hours=20, minutes=35)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_succeeds(status: int) -> None:
    assert after(status) == Succeeded()


@pytest.mark.parametrize("status", [201, 204, 299])
def test_only_200_succeeds_where_the_policy_says_so(status: int) -> None:
    assert after(200, ONLY_200) == Succeeded()
    assert isinstance(after(status, ONLY_200), Failed)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599, 408, 429])
def test_an_answer_that_may_pass_is_tried_again(status: int) -> None:
    assert after(status) == Retry(START + timedelta(minutes=5))


@pytest.mark.parametrize("status", [101, 300, 301, 302, 304, 307, 308, 400, 401, 403, 404, 409, 410, 422, 425, 499])
def test_any_other_answer_is_final(status: int) -> None:
    plan = after(status)
    assert isinstance(plan, Failed)
    assert plan.why == f"the webhook answered {status}; such an answer is final"


@pytest.mark.parametrize("status", [301, 400, 404, 408, 429, 500])
def test_every_failure_is_tried_again_where_the_policy_says_so(status: int) -> None:
    assert after(status, ANY_FAILURE) == Retry(START + timedelta(minutes=5))


@pytest.mark.parametrize("status", [408, 429])
def test_408_and_429_are_final_where_the_policy_says_so(status: int) -> None:
    assert isinstance(after(status, IMPATIENT), Failed)
    assert isinstance(after(500, IMPATIENT), Retry)


@pytest.mark.parametrize("outcome", [TIMED_OUT, UNREACHABLE])
def test_no_answer_is_tried_again(outcome: Outcome) -> None:
    assert plan_next(delivery(), outcome, START, DEFAULT) == Retry(START + timedelta(minutes=5))


@pytest.mark.parametrize("policies", [DEFAULT, ANY_FAILURE])
def test_a_request_that_we_refused_to_send_fails_at_once(policies: Policies) -> None:
    assert plan_next(delivery(), REFUSED, START, policies) == Failed("not sent: example.com is not this machine")


def test_an_answer_that_broke_off_is_no_answer() -> None:
    broken = Outcome(kind=OutcomeKind.UNREACHABLE, http_status=200, error="connection reset")
    assert isinstance(plan_next(delivery(), broken, START, DEFAULT), Retry)


def test_a_late_answer_is_no_answer() -> None:
    late = Outcome(kind=OutcomeKind.TIMED_OUT, http_status=200)
    assert isinstance(plan_next(delivery(), late, START, DEFAULT), Retry)


@pytest.mark.parametrize("outcome", [TIMED_OUT, UNREACHABLE, answered(500, None, DEFAULT)])
def test_a_delivery_that_is_not_retryable_fails_after_one_attempt(outcome: Outcome) -> None:
    plan = plan_next(delivery(retryable=False), outcome, START, ANY_FAILURE)
    assert isinstance(plan, Failed)
    assert "one attempt" in plan.why


def test_a_delivery_that_is_not_retryable_may_succeed() -> None:
    assert after(200, retryable=False) == Succeeded()


@pytest.mark.parametrize("made", range(5))
def test_each_delay_counts_from_the_start_of_the_attempt_before(made: int) -> None:
    plan = plan_next(delivery(made=made), TIMED_OUT, START, DEFAULT)
    assert plan == Retry(START + RETRY_SCHEDULE[made + 1])  # and not from its end, 30 s later


def test_the_sixth_failure_is_the_last() -> None:
    plan = plan_next(delivery(made=5), TIMED_OUT, START, DEFAULT)
    assert plan == Failed("no answer within 30 s; all 6 attempts are used up")


def test_the_sixth_attempt_may_succeed() -> None:
    assert after(200, made=5) == Succeeded()


@pytest.mark.parametrize("status", [DeliveryStatus.SUCCESS, DeliveryStatus.FAILED])
def test_a_settled_delivery_is_not_attempted_again(status: DeliveryStatus) -> None:
    with pytest.raises(UsageError, match=f"del_1 cannot be attempted again: it is settled \\({status.value}\\)"):
        plan_next(delivery(status=status), UNREACHABLE, START, DEFAULT)


def test_whether_an_answer_counts_is_decided_from_its_status_not_its_kind() -> None:
    hasty = Outcome(kind=OutcomeKind.ACCEPTED, http_status=204)
    assert plan_next(delivery(), hasty, START, DEFAULT) == Succeeded()
    assert isinstance(plan_next(delivery(), hasty, START, ONLY_200), Failed)


def test_an_outcome_without_words_or_status_still_has_a_reason() -> None:
    plan = plan_next(delivery(retryable=False), Outcome(kind=OutcomeKind.TIMED_OUT), START, DEFAULT)
    assert plan == Failed("timed_out; a delivery of this kind has one attempt")


def test_an_answer_becomes_an_outcome() -> None:
    assert answered(204, "", DEFAULT) == Outcome(kind=OutcomeKind.ACCEPTED, http_status=204, response_body="")
    assert answered(503, "busy", DEFAULT) == Outcome(
        kind=OutcomeKind.REJECTED, http_status=503, error="the webhook answered 503", response_body="busy"
    )


@pytest.mark.parametrize("status", range(100, 600))
def test_every_status_has_a_plan_and_success_is_never_retried(status: int) -> None:
    for policies in (DEFAULT, ANY_FAILURE, IMPATIENT, ONLY_200):
        plan = after(status, policies)
        assert isinstance(plan, Succeeded) == accepts(status, policies)


def test_following_the_plans_walks_the_whole_ladder() -> None:
    starts, plan = [START], plan_next(delivery(), TIMED_OUT, START, DEFAULT)
    while isinstance(plan, Retry):
        starts.append(plan.at)
        plan = plan_next(delivery(made=len(starts) - 1), TIMED_OUT, plan.at, DEFAULT)
    assert [b - a for a, b in pairwise(starts)] == list(RETRY_SCHEDULE[1:])
    assert starts[-1] - START == timedelta(hours=20, minutes=35)
    assert isinstance(plan, Failed)
