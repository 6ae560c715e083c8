from __future__ import annotations

import json
from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from simulator.conformance.effects import (
    callers_in,
    done_twice,
    is_about,
    is_of_another,
    kinds,
    names_of,
    told,
    without,
)
from simulator.conformance.events import Event, compact
from simulator.conformance.platform import ApiCall

OURS = "+15551230000"
CALLERS = range(12127360001, 12127360010)
CALLER = "+12127360007"
COUNTS = st.dictionaries(st.sampled_from(["sendMessage", "createOutboundCall", "updateContact"]), st.integers(1, 4))


def event(**data: Any) -> Event:
    body = {"event": "agent.message", "channel": "sms", "data": data}
    return Event("del_1", "agent.message", body, compact(body))


def asked(
    body: Any = None, *, path: str = "/v1/messages", operation: str = "sendMessage", status: int = 200
) -> ApiCall:
    return ApiCall(1, "POST", path, status, body, operation)


def test_an_event_is_known_by_its_ids_and_by_the_other_party() -> None:
    text = event(
        **{"from": CALLER, "to": OURS, "messageId": "msg_12345", "conversationId": "conv_12345", "numberId": "num_1"},
        contact={"id": "ct_123456", "name": None},
        message="hello there",
    )
    assert names_of(text, [OURS]) == {CALLER[1:], "msg_12345", "conv_12345", "ct_123456"}


def test_our_own_number_and_what_is_too_short_to_be_told_apart_are_no_names() -> None:
    assert names_of(event(**{"from": OURS, "to": None, "callId": "c1"}), [OURS]) == frozenset()


def test_a_reaction_is_known_by_who_reacts() -> None:
    assert names_of(event(fromNumber=CALLER)) == {CALLER[1:]}


def test_a_request_is_about_whom_it_mentions_wherever_it_does() -> None:
    names = names_of(event(**{"from": CALLER, "conversationId": "conv_12345"}))
    assert is_about(asked({"to_number": CALLER}), names)
    assert is_about(asked({"recipients": [{"number": CALLER}]}), names)
    assert is_about(asked(path="/v1/conversations/conv_12345/typing"), names)
    assert is_about(asked(path=f"/v1/contacts/%2B{CALLER[1:]}"), names)
    assert not is_about(asked({"to_number": OURS}), names)


@given(body=st.recursive(st.none() | st.text(max_size=8), lambda inner: st.lists(inner, max_size=3), max_leaves=6))
def test_a_request_that_mentions_nobody_is_about_nobody(body: Any) -> None:
    names = frozenset({CALLER[1:], "msg_12345"})
    assert is_about(asked(body), names) is any(name in json.dumps(body) for name in names)
    assert not is_of_another(asked(body), names, CALLERS)


def test_a_request_about_another_caller_of_ours_is_somebody_elses() -> None:
    names = names_of(event(**{"from": CALLER}))
    assert is_of_another(asked({"to_number": "+12127360008"}), names, CALLERS)
    assert not is_of_another(asked({"to_number": CALLER, "cc": "+12127360008"}), names, CALLERS)
    assert not is_of_another(asked({"to_number": "+493012345678"}), names, CALLERS)


def test_only_numbers_that_were_given_are_callers_of_ours() -> None:
    call = asked(
        {"to": "+12127360003", "cc": ["12127360010", "1212736000", "+121273600031"]}, path="/v1/x/%2B12127360005"
    )
    assert callers_in(call, CALLERS) == {12127360003, 12127360005}


@given(usual=COUNTS.filter(bool))
def test_twice_as_much_is_twice_and_the_usual_is_not(usual: dict[str, int]) -> None:
    once = Counter(usual)
    assert done_twice(once, once + once)
    assert not done_twice(once, once)


@given(usual=COUNTS.filter(bool), data=st.data())
def test_one_operation_that_was_done_once_shows_that_the_work_was_done_once(
    usual: dict[str, int], data: st.DataObject
) -> None:
    spared = data.draw(st.sampled_from(sorted(usual)))
    seen = Counter({kind: count * 2 for kind, count in usual.items()} | {spared: usual[spared]})
    assert not done_twice(Counter(usual), seen)


def test_where_nothing_is_usual_nothing_is_done_twice() -> None:
    assert not done_twice(Counter(), Counter(sendMessage=4))


@given(made=COUNTS, surplus=COUNTS)
def test_what_is_left_out_is_as_much_as_was_asked_and_no_more(made: dict[str, int], surplus: dict[str, int]) -> None:
    calls = [asked(operation=kind) for kind in Counter(made).elements()]
    assert kinds(without(calls, Counter(surplus))) == Counter(made) - Counter(surplus)


def test_calls_are_told_with_their_status() -> None:
    assert told([asked(), asked(status=503)]) == "POST /v1/messages → 200, POST /v1/messages → 503"
    assert told([]) == "nothing"
    assert [call.done for call in (asked(), asked(status=503))] == [True, False]
