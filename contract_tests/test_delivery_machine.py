"""Any sequence of outcomes under any policies, against a model small enough to believe."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from simulator.domain.policy import Policies
from simulator.domain.webhooks import Attempt, Delivery, DeliveryStatus, EventType, Outcome, OutcomeKind
from simulator.engine.delivery import Failed, Retry, Succeeded, answered, plan_next
from simulator.errors import UsageError

START = datetime(2026, 1, 5, 15, tzinfo=UTC)
LADDER = [START + timedelta(minutes=m) for m in (0, 5, 35, 155, 515, 1235)]  # 20 h 35 min in all
EDGES = (199, 200, 201, 299, 300, 399, 400, 407, 408, 409, 425, 428, 429, 430, 499, 500, 599)
SWITCHES = ("success_status", "timeout_like_status", "retry_on")


class DeliveryMachine(RuleBasedStateMachine):
    """Deliveries from creation to settlement, one after another, the clock always at the next attempt."""

    @initialize(only_200=st.booleans(), impatient=st.booleans(), stubborn=st.booleans(), retryable=st.booleans())
    def create(self, *, only_200: bool, impatient: bool, stubborn: bool, retryable: bool) -> None:
        self.only_200, self.impatient, self.stubborn = only_200, impatient, stubborn
        values = (
            "only_200" if only_200 else "any_2xx",
            "fail" if impatient else "retry",
            "any_failure" if stubborn else "transient",
        )
        self.policies = Policies(overrides=dict(zip(SWITCHES, values, strict=True)))
        self.owe(retryable=retryable)

    def owe(self, *, retryable: bool) -> None:
        self.delivery = Delivery(
            id="del_1",
            endpoint_id="wh_1",
            endpoint_agent_id=None,
            agent_id=None,
            event_type=EventType.AGENT_MESSAGE,
            channel=None,
            body=b"{}",
            created_at=START,
            sequence=1,
            next_attempt_at=START,
            retryable=retryable,
        )
        self.why: str | None = None

    def pending(self) -> bool:
        return self.delivery.status is DeliveryStatus.PENDING

    def finish_attempt(self, outcome: Outcome, *, success: bool = False, again: bool = False) -> None:
        """Let one attempt end with `outcome`; one that is settled refuses it, and the next delivery begins."""
        record, made = self.delivery, len(self.delivery.attempts)
        if not self.pending():
            with pytest.raises(UsageError):
                plan_next(record, outcome, START, self.policies)
            self.owe(retryable=record.retryable)
            return
        started = LADDER[made]
        plan = plan_next(record, outcome, started, self.policies)
        status, due = DeliveryStatus.PENDING, None
        match plan:
            case Retry(at):
                due = at
            case Succeeded():
                status = DeliveryStatus.SUCCESS
            case Failed(why):
                status, self.why = DeliveryStatus.FAILED, why
        attempt = Attempt(number=made + 1, at=started, outcome=outcome)
        self.delivery = replace(record, attempts=(*record.attempts, attempt), status=status, next_attempt_at=due)
        more = again and record.retryable and made + 1 < 6
        expected = DeliveryStatus.SUCCESS if success else DeliveryStatus.PENDING if more else DeliveryStatus.FAILED
        assert status is expected

    def answer(self, status: int) -> None:
        transient = not self.impatient if status in (408, 429) else status // 100 == 5
        success = status == 200 or (status // 100 == 2 and not self.only_200)
        self.finish_attempt(answered(status, None, self.policies), success=success, again=transient or self.stubborn)

    @rule(status=st.sampled_from(EDGES))
    def answer_with_an_edge(self, status: int) -> None:
        self.answer(status)

    @rule(status=st.integers(100, 599))
    def answer_with_anything(self, status: int) -> None:
        self.answer(status)

    @rule(kind=st.sampled_from([OutcomeKind.TIMED_OUT, OutcomeKind.UNREACHABLE]), seconds=st.floats(0, 120))
    def no_answer(self, kind: OutcomeKind, seconds: float) -> None:
        self.finish_attempt(Outcome(kind=kind, duration=timedelta(seconds=seconds)), again=True)

    @rule()
    def refuse(self) -> None:
        self.finish_attempt(Outcome(kind=OutcomeKind.REFUSED, error="not sent: example.com is not this machine"))

    @invariant()
    def pending_exactly_while_another_attempt_is_planned(self) -> None:
        assert self.pending() == (self.delivery.next_attempt_at is not None)

    @invariant()
    def the_next_attempt_is_the_next_rung(self) -> None:
        made = len(self.delivery.attempts)
        assert not self.pending() or self.delivery.next_attempt_at == LADDER[made]

    @invariant()
    def never_more_than_six_attempts_and_one_when_not_retryable(self) -> None:
        assert len(self.delivery.attempts) <= (6 if self.delivery.retryable else 1)

    @invariant()
    def attempts_stand_on_the_rungs_of_the_ladder(self) -> None:
        assert [a.at for a in self.delivery.attempts] == LADDER[: len(self.delivery.attempts)]
        assert [a.number for a in self.delivery.attempts] == list(range(1, len(self.delivery.attempts) + 1))

    @invariant()
    def a_failure_says_why(self) -> None:
        assert (self.delivery.status is DeliveryStatus.FAILED) == bool(self.why)

    def teardown(self) -> None:
        if not hasattr(self, "delivery"):
            return
        while self.pending():  # whatever came before, silence settles it
            self.finish_attempt(Outcome(kind=OutcomeKind.TIMED_OUT), again=True)
        assert len(self.delivery.attempts) >= 1


TestDeliveryMachine = DeliveryMachine.TestCase
TestDeliveryMachine.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
