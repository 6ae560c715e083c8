from __future__ import annotations

from typing import Any

import pytest

from simulator.scenarios.checks import Check
from simulator.scenarios.model import TextPart
from simulator.scenarios.record import ApiRecord, DeliveryRecord, MessageRecord, TextRecord, Who
from simulator.scenarios.thread_expectations import check_thread
from tests.helpers.records import CALLER, OURS, s


def thread(*replies: tuple[float, str], steps: int = 4, **more: Any) -> TextRecord:
    """A thread whose steps begin a second after one another, with some texts of the agent."""
    messages = tuple(MessageRecord(by=Who.AGENT, at=s(at), body=body) for at, body in replies)
    began = tuple((index, s(index)) for index in range(steps))
    return TextRecord(from_number=CALLER, to_number=OURS, ended=s(99), messages=messages, steps=began, **more)


def checks(script: list[Any], record: TextRecord, **more: Any) -> list[Check]:
    return list(check_thread(TextPart.model_validate({"script": script, **more}), record, "texts[0]"))


HI = {"text": "hi"}
REPLY = {"expect_reply": {"within": "10s"}}


@pytest.mark.parametrize(("at", "ok"), [(0.1, True), (11, True), (11.001, False)])
def test_a_reply_is_in_time_or_late(at: float, ok: bool) -> None:
    assert [check.ok for check in checks([HI, REPLY], thread((at, "hello")))] == [ok]


def test_no_reply_is_a_failure_with_the_moment_at_which_it_was_given_up() -> None:
    (check,) = checks([HI, REPLY], thread())
    assert (
        str(check) == "texts[0].script[1].expect_reply: expected a reply within 10.00 s, observed none (at 00:11.000)"
    )


def test_a_late_reply_is_the_nearest_miss() -> None:
    (check,) = checks([HI, REPLY], thread((31, "hello")))
    assert check.nearest == "'hello', 30.00 s after this step began"


def test_one_reply_answers_one_question() -> None:
    assert [check.ok for check in checks([HI, REPLY, HI, REPLY], thread((0.5, "one")))] == [True, False]
    assert [check.ok for check in checks([HI, REPLY, HI, REPLY], thread((0.5, "one"), (2.5, "two")))] == [True, True]


def test_the_words_of_a_reply_are_checked() -> None:
    step = {"expect_reply": {"within": "10s", "text": {"contains": "shipped"}}}
    assert [check.ok for check in checks([HI, step], thread((1, "It has Shipped.")))] == [True, True]
    missed = checks([HI, step], thread((1, "It was shiped.")))
    assert [(check.ok, check.nearest) for check in missed] == [(True, ""), (False, "'shiped.'")]


def test_the_first_reply_with_the_words_is_the_one_that_answers() -> None:
    step = {"expect_reply": {"within": "10s", "text": {"contains": "shipped"}}}
    replies = ((1, "One moment."), (2, "It has shipped."), (3, "It has shipped."))
    assert [check.ok for check in checks([HI, step, step], thread(*replies))] == [True] * 4
    assert [check.ok for check in checks([HI, step, step], thread(*replies[:2]))] == [True, True, False]


@pytest.mark.parametrize(("at", "ok"), [(0.9, True), (1, False), (61, False), (61.001, True)])
def test_quiet_is_kept_from_the_step_on_for_as_long_as_it_says(at: float, ok: bool) -> None:
    step = {"expect_no_reply": {"for": "1m"}}
    assert [check.ok for check in checks([HI, step], thread((at, "hello")))] == [ok]


def test_a_step_that_was_not_reached_fails() -> None:
    (check,) = checks([HI, REPLY], thread((0.5, "hello"), steps=1))
    assert (check.ok, check.observed) == (False, "an earlier step failed")


@pytest.mark.parametrize(
    ("expect", "ok"),
    [
        ({"replies": 2}, True),
        ({"replies": 1}, False),
        ({"replies": {"at_most": 1}}, False),
        ({"text": {"contains": "two"}}, True),
        ({"text": {"contains": "three"}}, False),
        ({"text": {"contains": "one two"}}, False),
        ({"never_says": {"contains": "three"}}, True),
        ({"never_says": {"contains": "two"}}, False),
        ({"api_calls": [{"method": "POST", "path": "/v1/messages"}]}, True),
        ({"api_calls": [{"method": "GET", "path": "/v1/messages"}]}, False),
        ({"deliveries": [{"event": "agent.message", "times": 1}]}, True),
        ({"deliveries": [{"event": "agent.message", "times": 2}]}, False),
    ],
)
def test_an_expectation_of_a_thread_is_met_or_not(expect: dict[str, Any], ok: bool) -> None:
    record = thread(
        (1, "one"),
        (2, "two"),
        api_requests=(ApiRecord(at=s(1), method="POST", path="/v1/messages", status=200),),
        deliveries=(DeliveryRecord(id="d", event="agent.message", status="success", attempts=1, at=s(1)),),
    )
    assert [check.ok for check in checks([HI], record, expect=expect)] == [ok]
