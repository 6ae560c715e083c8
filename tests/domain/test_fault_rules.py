# ruff: noqa: E501 - a table of mistakes reads best with one to a line
from __future__ import annotations

from datetime import timedelta
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.control.fault_models import FaultIn
from simulator.domain.fault_rules import FaultSpec, fragments, mistakes, read_fault
from simulator.domain.faults import COUNTING, KINDS, MATCHES, NAMES, PARAMETERS, PLACES
from simulator.errors import UsageError
from simulator.wire.faults import FaultMatchWords, FaultWords
from tests.helpers.fault_strategies import RULES

SCHEMA = jsonschema.Draft202012Validator(FaultIn.model_json_schema())


def wrong(given: dict[str, Any]) -> list[str]:
    return [message for _, message in mistakes(given)]


def test_every_fault_is_named_once_on_each_place_and_explained() -> None:
    assert len({(kind.on, kind.name) for kind in KINDS}) == len(KINDS)
    assert all(kind.on and kind.about.endswith(".") for kind in KINDS)


def test_the_wire_has_a_field_for_everything_that_can_be_said_and_for_nothing_else() -> None:
    counting = [value.name for value in COUNTING if value.name != "expires_in"]
    assert set(FaultWords.model_fields) == {"on", "fault", *counting, *PARAMETERS}
    assert {field.alias or name for name, field in FaultMatchWords.model_fields.items()} == set(MATCHES)


@given(RULES)
def test_what_may_be_said_is_read_and_agrees_with_its_schema(given: dict[str, Any]) -> None:
    assert wrong(given) == []
    spec = FaultSpec.of(given)
    assert (spec.on, spec.fault) == (given["on"], given["fault"])
    assert [error.message for error in SCHEMA.iter_errors(given)] == []
    FaultIn.model_validate(given)


NOISE = (
    st.none() | st.booleans() | st.integers(-2, 700) | st.sampled_from(["", " ", "done", "sms", "POST /v1/messages"])
)


@given(
    RULES, st.sampled_from([*PARAMETERS, *(value.name for value in COUNTING), "on", "fault", "match", "tiems"]), NOISE
)
def test_the_schema_says_the_same_as_the_rules(rule: dict[str, Any], name: str, value: Any) -> None:
    spoilt = {**rule, name: value}
    valid = SCHEMA.is_valid(spoilt)
    assert valid == (wrong(spoilt) == [])
    try:
        FaultIn.model_validate(spoilt)
    except ValueError:
        assert not valid
    else:
        assert valid


@given(RULES, st.sampled_from([*MATCHES, "rout"]), NOISE)
def test_the_schema_says_the_same_of_what_is_matched(rule: dict[str, Any], name: str, value: Any) -> None:
    spoilt = {**rule, "match": {**(rule.get("match") or {}), name: value}}
    assert SCHEMA.is_valid(spoilt) == (wrong(spoilt) == [])


def test_there_is_a_fragment_for_every_fault() -> None:
    assert len(fragments()) == len(KINDS)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "a rule needs 'on': one of api, delivery, turn, carrier, stream"),
        ({"on": "delivry"}, "there is no on 'delivry': did you mean 'delivery'?"),
        ({"on": "api"}, "a rule needs 'fault': one of status, latency, reset, truncate"),
        ({"on": "api", "fault": "reest"}, "there is no fault 'reest' on api: did you mean 'reset'?"),
        ({"on": "api", "fault": "reorder"}, "there is no fault 'reorder' on api: known here: status, latency"),
        ({"on": "api", "fault": "status"}, "status on api needs status: An HTTP status."),
        ({"on": "api", "fault": "status", "status": 200}, "status is from 400 to 599, not 200"),
        ({"on": "api", "fault": "status", "status": "503"}, "status is a whole number, not '503'"),
        ({"on": "api", "fault": "status", "status": True}, "status is a whole number, not True"),
        ({"on": "api", "fault": "latency", "seconds": -1}, "seconds is from 0 to 3.16224e+07, not -1"),
        ({"on": "api", "fault": "reset", "effect": "don"}, "effect 'don': did you mean 'done'?"),
        ({"on": "api", "fault": "reset", "message": "no"}, "reset on api has no 'message'"),
        ({"on": "delivery", "fault": "duplicate", "copeis": 2}, "duplicate on delivery has no 'copeis': did you mean 'copies'?"),
        ({"on": "delivery", "fault": "late", "seconds": 1, "times": 0}, "times is from 1 to 1e+06, not 0"),
        ({"on": "delivery", "fault": "refuse", "probability": 0}, "probability 0 never fires"),
        ({"on": "delivery", "fault": "refuse", "expires_in": 0}, "expires_in 0 never fires"),
        ({"on": "delivery", "fault": "refuse", "match": []}, "match is an object, not []"),
        ({"on": "delivery", "fault": "refuse", "match": {"evnt": "x"}}, "refuse on delivery cannot match 'evnt': did you mean 'event'?"),
        ({"on": "delivery", "fault": "refuse", "match": {"route": "/v1/**"}}, "refuse on delivery cannot match 'route'"),
        ({"on": "delivery", "fault": "refuse", "match": {"event": "agent.mesage"}}, "event 'agent.mesage': did you mean 'agent.message'?"),
        ({"on": "delivery", "fault": "refuse", "match": {"attempt": 7}}, "attempt is from 1 to 6, not 7"),
        ({"on": "carrier", "fault": "busy", "match": {"channel": "sms"}}, "busy on carrier cannot match 'channel'"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_the_way_out(given: dict[str, Any], said: str) -> None:
    assert said in "; ".join(wrong(given))
    with pytest.raises(UsageError) as refused:
        FaultSpec.of(given)
    assert said in str(refused.value)


def test_every_mistake_is_named_at_once() -> None:
    assert len(wrong({"on": "api", "fault": "status", "code": 1, "skip": -1, "match": {"event": "x", "route": 1}})) == 5


def test_parameters_have_their_defaults_and_null_is_as_good_as_absent() -> None:
    spec = FaultSpec.of({"on": "delivery", "fault": "duplicate", "copies": None, "times": None, "match": None})
    assert (spec.parameters, spec.times, spec.match, spec.probability) == ({"copies": 1}, None, {}, 1.0)


def test_numbers_are_matched_in_e164_and_short_codes_as_they_are() -> None:
    def number(text: str) -> Any:
        return FaultSpec.of({"on": "delivery", "fault": "refuse", "match": {"number": text}}).match["number"]

    assert number("(415) 555-0150") == "+14155550150"
    assert (number("72345"), number("ann@example.com")) == ("72345", "ann@example.com")
    with pytest.raises(UsageError, match="'nobody' is not a phone number"):
        number("nobody")


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("on=delivery,fault=duplicate,times=1", {"on": "delivery", "fault": "duplicate", "times": 1}),
        ("on=api, fault=status, status=503, match.route=POST /v1/messages",
         {"on": "api", "fault": "status", "status": 503, "match": {"route": "POST /v1/messages"}}),
        ("on=delivery,fault=late,seconds=1.5,match.attempt=2,match.event=agent.message",
         {"on": "delivery", "fault": "late", "seconds": 1.5, "match": {"attempt": 2, "event": "agent.message"}}),
        ("on=api,fault=status,code=7", {"on": "api", "fault": "status", "code": "7"}),
        ("on=api,fault=latency,seconds=x", {"on": "api", "fault": "latency", "seconds": "x"}),
    ],
)  # fmt: skip
def test_a_rule_on_the_command_line_is_pairs(text: str, given: dict[str, Any]) -> None:
    assert read_fault(text) == given


def test_a_pair_without_a_value_is_refused() -> None:
    with pytest.raises(UsageError, match="'duplicate' has no value: write NAME=VALUE"):
        read_fault("on=delivery,duplicate")


def test_places_and_names_are_those_of_the_faults() -> None:
    assert PLACES == ("api", "delivery", "turn", "carrier", "stream")
    assert {"status", "duplicate", "split", "busy", "silent"} <= set(NAMES)


def test_an_expiry_is_a_length_of_time() -> None:
    assert FaultSpec.of({"on": "stream", "fault": "silent", "expires_in": 60}).expires_in == timedelta(minutes=1)
