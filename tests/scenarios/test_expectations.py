from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import assume, given, settings

from simulator.scenarios.checks import Check
from simulator.scenarios.derive import of_call, of_turn
from simulator.scenarios.expectations import check_call, check_turn
from simulator.scenarios.model import CallPart
from simulator.scenarios.record import (
    ApiRecord,
    CallRecord,
    ChunkRecord,
    DeliveryRecord,
    FindingRecord,
    Gap,
    KeysRecord,
    ScriptFailure,
    TurnRecord,
    Who,
)
from simulator.scenarios.wanted import TurnExpect
from tests.helpers.records import a_call, a_turn, s, spoke
from tests.helpers.scenario_strategies import calls

LATE = FindingRecord(kind="reply_timed_out", message="no byte came", at=s(9))


def of_steps(script: list[Any], record: CallRecord, **more: Any) -> tuple[Check, ...]:
    return check_call(CallPart.model_validate({"script": script, **more}), record, "calls[0]")


def whole(expect: dict[str, Any], record: CallRecord) -> Check:
    """The one check that a call's expectation makes, beside that of the script."""
    script, *rest = of_steps(["hi"], record, expect=expect)
    assert script.ok
    return rest[0]


def turn_check(expect: dict[str, Any], turn: TurnRecord) -> Check:
    checks = list(check_turn(TurnExpect.model_validate(expect), turn, a_call(turn), "here"))
    assert len(checks) == 1
    return checks[0]


SHIPPED = a_turn(heard_text="Order 4521 shipped yesterday.", said_text="Order 4521 shipped yesterday.")
TRANSFER = a_turn(action="transfer")
PRESSES = a_turn(digits="12", heard_text="", said_text="", first_word=None)
CHUNKED = a_turn(chunks=(ChunkRecord(at=s(5), text="Moment.", interim=True), ChunkRecord(at=s(6), text="Done.")))
GAPPED = a_turn(gaps=(Gap(at=s(6), length=s(1)), Gap(at=s(9), length=s(2.5))))
SILENT = a_turn(heard_text="", said_text="", first_word=None, chunks=(), how="timed_out", findings=(LATE,))


@pytest.mark.parametrize(
    ("expect", "good", "bad"),
    [
        ({"text": {"contains": "SHIPPED   yesterday"}}, SHIPPED, SILENT),
        ({"text": {"matches": "order \\d+"}}, SHIPPED, TRANSFER),
        ({"text": {"one_of": ["delivered", "shipped"]}}, SHIPPED, SILENT),
        ({"never_says": {"contains": "shipped"}}, SILENT, SHIPPED),
        ({"silent": True}, SILENT, SHIPPED),
        ({"silent": False}, SHIPPED, SILENT),
        ({"action": "transfer"}, TRANSFER, SHIPPED),
        ({"action": "none"}, SHIPPED, TRANSFER),
        ({"action": "hangup"}, a_turn(action="hangup"), TRANSFER),
        ({"digits": "12"}, PRESSES, SHIPPED),
        ({"interim": True}, CHUNKED, SHIPPED),
        ({"interim": False}, SHIPPED, CHUNKED),
        ({"first_word_within": "1s"}, SHIPPED, a_turn(first_word=s(1.001))),
        ({"first_word_within": "1s"}, SHIPPED, SILENT),
        ({"no_gap_over": "2500ms"}, GAPPED, a_turn(gaps=(Gap(at=s(6), length=s(2.501)),))),
        ({"overrun_within": "300ms"}, a_turn(overrun=s(0.3)), a_turn(overrun=s(0.301))),
        ({"overrun_within": "300ms"}, SHIPPED, a_turn(overrun=s(3))),
        ({"findings": "none"}, SHIPPED, SILENT),
        ({"findings": ["reply_timed_out"]}, SILENT, SHIPPED),
    ],
)
def test_an_expectation_of_a_turn_is_met_or_not(expect: dict[str, Any], good: TurnRecord, bad: TurnRecord) -> None:
    assert turn_check(expect, good).ok
    assert not turn_check(expect, bad).ok


TWO = a_call(SHIPPED, a_turn(2, 12, step=(1,), heard_text="Goodbye.", action="hangup"))
NONE = a_call(reason="dial_busy", answered=None, ended=s(4))


@pytest.mark.parametrize(
    ("expect", "good", "bad"),
    [
        ({"reason": "dial_busy"}, NONE, TWO),
        ({"turns": 2}, TWO, NONE),
        ({"turns": {"at_least": 1}}, TWO, NONE),
        ({"turns": {"at_most": 1}}, NONE, TWO),
        ({"duration_within": "30s"}, TWO, a_call(ended=s(30.001))),
        ({"text": {"contains": "yesterday. goodbye"}}, TWO, NONE),
        ({"never_says": {"contains": "goodbye"}}, NONE, TWO),
        ({"silent": True}, NONE, TWO),
        ({"action": "hangup"}, TWO, NONE),
        ({"digits": "12"}, a_call(keys=(KeysRecord(who=Who.AGENT, at=s(1), digits="12"),)), TWO),
        ({"interim": True}, a_call(CHUNKED, SHIPPED), TWO),
        ({"first_word_within": "1s"}, TWO, a_call(a_turn(first_word=s(2)))),
        (
            {"first_word_within": "1s"},
            a_call(PRESSES, a_turn(2, 9, first_word=None, how="interrupted")),
            a_call(SILENT),
        ),
        ({"no_gap_over": "2500ms"}, a_call(GAPPED), a_call(GAPPED, a_turn(2, 9, gaps=(Gap(at=s(9), length=s(3)),)))),
        ({"overrun_within": "1s"}, TWO, a_call(SHIPPED, a_turn(2, 9, overrun=s(2)))),
        ({"findings": "none"}, TWO, a_call(SILENT)),
        ({"findings": ["reply_timed_out"]}, a_call(SILENT), TWO),
    ],
)
def test_an_expectation_of_a_call_is_met_or_not(expect: dict[str, Any], good: CallRecord, bad: CallRecord) -> None:
    assert whole(expect, good).ok
    assert not whole(expect, bad).ok


def test_a_failure_says_what_was_expected_what_was_heard_the_nearest_miss_and_when() -> None:
    words = "Your parcel was shiped on Monday."
    record = a_call(a_turn(1, 3, heard_text=words, said_text=words))
    check = of_steps([{"say": "hi", "expect": {"text": {"contains": "shipped"}}}], record)[1]
    assert str(check) == (
        "calls[0].script[0].expect.text: expected speech that contains 'shipped', observed "
        "'Your parcel was shiped on Monday.'; nearest miss: 'shiped' (at 00:03.300)"
    )


def test_words_that_were_cut_off_are_the_nearest_miss() -> None:
    speech = (spoke(Who.AGENT, 6, 1, "It has shipped on Monday.", "It has", turn=1),)
    turn = a_turn(said_text="It has shipped on Monday.", heard_text="It has")
    check = of_steps([{"say": "hi", "expect": {"text": {"contains": "Monday"}}}], a_call(turn, speech=speech))[1]
    assert not check.ok
    assert check.nearest == "the handler sent it, but it was cut off before it was heard"
    assert check.at == s(6)


def test_words_may_be_spread_over_several_chunks() -> None:
    speech = (spoke(Who.AGENT, 6, 1, "Order 4521", turn=1), spoke(Who.AGENT, 7, 1, "has shipped.", turn=1))
    check = of_steps([{"say": "hi", "expect": {"text": {"contains": "4521 has"}}}], a_call(a_turn(), speech=speech))[1]
    assert check.ok and check.at == s(7)


def test_what_must_not_be_said_is_shown_with_its_moment() -> None:
    speech = (spoke(Who.AGENT, 6, 1, "Well.", turn=1), spoke(Who.AGENT, 7, 1, "I am a human.", turn=1))
    check = of_steps(["hi"], a_call(a_turn(), speech=speech), expect={"never_says": {"contains": "human"}})[1]
    assert (check.ok, check.observed, check.at) == (False, "'I am a human.'", s(7))


def test_what_was_met_is_told_shortly() -> None:
    assert str(turn_check({"silent": False}, SHIPPED)) == "here.silent: the agent to be heard"


def test_a_length_just_over_its_limit_does_not_look_like_it() -> None:
    check = turn_check({"first_word_within": "1s"}, a_turn(first_word=s(1.001)))
    assert (check.expected, check.observed) == ("the first word within 1.00 s", "1.001 s")


@pytest.mark.parametrize(
    ("record", "observed"),
    [
        (a_call(reason="inactivity"), "none: the call ended first (inactivity)"),
        (a_call(steps=(((0,), s(4)),)), "none: the step opened no turn"),
    ],
)
def test_a_step_without_an_answer_fails_its_expectations(record: CallRecord, observed: str) -> None:
    check = of_steps([{"say": "hi", "expect": {"silent": False}}], record)[1]
    assert (check.ok, check.observed) == (False, observed)


def test_words_that_a_script_waited_for_in_vain_are_a_failure() -> None:
    failure = ScriptFailure(step=(0,), at=s(8), expected="contains 'hello'", heard="Good day.")
    (check,) = of_steps([{"hear": {"contains": "hello"}}], a_call(failure=failure))
    assert str(check) == (
        "calls[0].script[0]: expected to hear speech that contains 'hello', observed 'Good day.' (at 00:08.000)"
    )


SHOUT = {"say": "b", "expect": {"text": {"contains": "shipped"}}}
BRANCH = [{"when": [{"hears": {"contains": "x"}, "then": [SHOUT]}, {"else": ["c"]}]}, "hang_up"]


@pytest.mark.parametrize(
    "steps",
    [(((0, 1, 0), s(4)),), (((0,), s(4)),), (((0,), s(4)), ((1,), s(5)))],
    ids=["the other case", "the branch alone", "what comes after it"],
)
def test_what_hangs_on_a_case_that_was_not_chosen_is_not_expected(steps: Any) -> None:
    assert [check.name for check in of_steps(BRANCH, a_call(steps=steps))] == ["script"]


def test_what_hangs_on_a_chosen_case_is_expected() -> None:
    good = a_call(a_turn(step=(0, 0, 0), heard_text="It has shipped."))
    assert [check.ok for check in of_steps(BRANCH, good)] == [True, True]
    gone = a_call(steps=(((0, 0, 0), s(4)),))
    assert [check.ok for check in of_steps(BRANCH, gone)] == [True, False]


def test_a_branch_after_which_the_call_was_ended_fails_its_expectations() -> None:
    record = a_call(steps=(((0,), s(4)),), reason="api_hangup")
    assert [check.ok for check in of_steps(BRANCH, record)] == [True, False]


def test_a_branch_that_was_never_reached_fails_its_expectations() -> None:
    assert [check.ok for check in of_steps(BRANCH, a_call())] == [True, False]


def test_a_case_counts_as_chosen_if_it_was_in_any_round() -> None:
    script = [{"repeat": {"times": 2, "steps": [BRANCH[0], "bye"]}}]
    other, chosen = ((0, 0, 0, 1, 0), s(4)), ((0, 1, 0, 0, 0), s(8))
    assert [check.ok for check in of_steps(script, a_call(steps=(other,)))] == [True]
    assert [check.ok for check in of_steps(script, a_call(steps=(other, chosen)))] == [True, False]
    assert [check.ok for check in of_steps(script, a_call(steps=(((0, 0, 1), s(9)),)))] == [True]
    assert [check.ok for check in of_steps(["x", *script], a_call(steps=(((0,), s(9)),)))] == [True, False]


def test_every_round_of_a_repeat_is_checked() -> None:
    script = [{"repeat": {"times": 2, "steps": [SHOUT]}}]
    record = a_call(
        a_turn(1, 5, step=(0, 0, 0), heard_text="It has shipped."), a_turn(2, 9, step=(0, 1, 0), heard_text="No.")
    )
    checks = of_steps(script, record)
    assert [check.ok for check in checks] == [True, True, False]
    assert checks[2].where == "calls[0].script[0].repeat.steps[0].expect (turn 2).text"


REQUESTS = (
    ApiRecord(at=s(6), method="POST", path="/v1/messages", status=200, body='{"body": "Shipped."}'),
    ApiRecord(at=s(7), method="GET", path="/v1/calls/call_1?x=1", status=200),
)


@pytest.mark.parametrize(
    ("wanted", "ok"),
    [
        ({"method": "POST", "path": "/v1/messages"}, True),
        ({"method": "POST", "path": "/v1/messages", "status": 200, "body": {"contains": "shipped"}, "times": 1}, True),
        ({"method": "GET", "path": "/v1/calls/*"}, True),
        ({"method": "GET", "path": "/v1/calls/call_1"}, True),
        ({"method": "GET", "path": "/v1/calls"}, False),
        ({"method": "POST", "path": "/v1/messages", "times": 2}, False),
        ({"method": "POST", "path": "/v1/messages", "status": 422}, False),
        ({"method": "POST", "path": "/v1/messages", "body": {"contains": "delivered"}}, False),
        ({"method": "DELETE", "path": "/v1/messages"}, False),
        ({"method": "DELETE", "path": "/v1/messages", "times": 0}, True),
    ],
)
def test_requests_of_the_handler_can_be_expected(wanted: dict[str, Any], ok: bool) -> None:
    assert whole({"api_calls": [wanted]}, a_call(api_requests=REQUESTS)).ok is ok


def test_no_request_has_no_nearest_one() -> None:
    assert whole({"api_calls": [{"method": "GET", "path": "/v1/calls"}]}, a_call()).nearest == ""


def test_the_nearest_request_is_told_with_its_differences() -> None:
    wanted = {"method": "POST", "path": "/v1/messages", "status": 422}
    check = whole({"api_calls": [wanted]}, a_call(api_requests=REQUESTS))
    assert check.nearest == "POST /v1/messages (200): the status is 200"
    assert check.at == s(6)


ENDED = DeliveryRecord(id="d1", event="agent.call_ended", status="success", attempts=2, at=s(31))


@pytest.mark.parametrize(
    ("wanted", "ok"),
    [
        ({"event": "agent.call_ended"}, True),
        ({"event": "agent.call_ended", "attempts": 2, "times": 1}, True),
        ({"event": "agent.call_ended", "attempts": 1}, False),
        ({"event": "agent.call_ended", "status": "failed"}, False),
        ({"event": "agent.call_ended", "times": 2}, False),
        ({"event": "call.started"}, False),
        ({"event": "call.started", "times": 0}, True),
    ],
)
def test_deliveries_can_be_expected(wanted: dict[str, Any], ok: bool) -> None:
    assert whole({"deliveries": [wanted]}, a_call(deliveries=(ENDED,))).ok is ok


def test_one_delivery_that_failed_spoils_those_that_did_not() -> None:
    failed = replace(ENDED, id="d2", status="failed", attempts=6, at=s(40))
    check = whole({"deliveries": [{"event": "agent.call_ended"}]}, a_call(deliveries=(ENDED, failed)))
    assert (check.ok, check.at) == (False, s(40))
    assert check.observed == "agent.call_ended success after 2, agent.call_ended failed after 6"


def test_expectations_are_taken_from_what_a_turn_did() -> None:
    turn = a_turn(action="hangup", digits="1", chunks=(ChunkRecord(at=s(5), text="", interim=True),))
    words = {"text": {"contains": "It has shipped."}}
    assert of_turn(turn) == {**words, "action": "hangup", "digits": "1", "interim": True}
    assert of_turn(SILENT) == {"silent": True}
    assert of_call(a_call(SILENT)) == {"reason": "user_hangup", "turns": 1, "findings": ["reply_timed_out"]}


def derived(record: CallRecord) -> tuple[Check, ...]:
    """The checks of all that can be expected of a record, taken from the record itself."""
    script = [{"say": "x", "expect": of_turn(turn, timings=True)} for turn in record.turns]
    return of_steps(script or ["x"], record, expect=of_call(record, timings=True))


@settings(max_examples=60)
@given(calls())
def test_what_was_observed_can_always_be_expected(record: CallRecord) -> None:
    assert [str(check) for check in derived(record) if not check.ok] == []


MICROSECOND = timedelta(microseconds=1)


@settings(max_examples=60)
@given(calls())
def test_a_call_that_differs_in_one_thing_fails_its_expectation(record: CallRecord) -> None:
    expect = CallPart.model_validate({"script": ["x"], "expect": of_call(record, timings=True)})
    other = FindingRecord(kind="no_webhook", message="", at=s(1))
    changed = {
        "reason": replace(record, reason="dial_busy"),
        "turns": replace(record, turns=(*record.turns, a_turn(99, 1, gaps=()))),
        "findings": replace(record, findings=(*record.findings, other)),
        "duration_within": replace(record, ended=record.ended + MICROSECOND),
    }
    assume("no_webhook" not in {finding.kind for finding in record.findings})
    for name, call in changed.items():
        assert [check.name for check in check_call(expect, call, "x") if not check.ok] == [name]


@settings(max_examples=60)
@given(calls())
def test_a_turn_that_differs_in_one_thing_fails_its_expectation(record: CallRecord) -> None:
    assume(record.turns)
    turn = record.turns[0]
    expect = TurnExpect.model_validate(of_turn(turn, timings=True))
    assume("no_webhook" not in {finding.kind for finding in turn.findings})
    changed: dict[str, dict[str, Any]] = {
        "findings": {"findings": (*turn.findings, FindingRecord(kind="no_webhook", message="", at=s(1)))}
    }
    if expect.action:
        changed["action"] = {"action": "hangup" if turn.action == "transfer" else "transfer"}
    if expect.interim:
        changed["interim"] = {"chunks": ()}
    if expect.digits:
        changed["digits"] = {"digits": turn.digits + "1"}
    if turn.first_word is not None:
        changed["first_word_within"] = {"first_word": turn.first_word + MICROSECOND}
    if turn.overrun is not None:
        changed["overrun_within"] = {"overrun": turn.overrun + MICROSECOND}
    if expect.no_gap_over is not None:
        changed["no_gap_over"] = {"gaps": (Gap(at=s(1), length=expect.no_gap_over + MICROSECOND),)}
    for name, change in changed.items():
        checks = check_turn(expect, replace(turn, **change), record, "x")
        assert [check.name for check in checks if not check.ok] == [name]
