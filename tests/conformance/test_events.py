"""Events are changed without changing the event, and written as the platform writes them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from simulator.conformance.events import Event, compact

BODY: dict[str, Any] = {
    "event": "agent.message",
    "channel": "sms",
    "data": {"messageId": "msg_1", "contact": {"name": "Ann"}},
    "recentHistory": [{"content": "Hi"}],
}
EVENT = Event("del_1", "agent.message", BODY, compact(BODY))

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters())
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@given(VALUES)
@example({"half": "\ud83d"})
def test_whatever_is_written_is_read_again(value: object) -> None:
    assert json.loads(compact(value)) == value


def test_json_is_written_without_spaces_and_as_utf8() -> None:
    assert compact({"a": ["é", 1]}) == '{"a":["é",1]}'.encode()


def test_data_is_merged_and_the_top_level_is_set() -> None:
    changed = EVENT.but(data={"from": "ann@example.com", "messageId": None}, agentId="agt_2")
    assert changed.data == {"messageId": None, "contact": {"name": "Ann"}, "from": "ann@example.com"}
    assert changed.body["agentId"] == "agt_2"
    assert changed.channel == "sms"


@given(st.dictionaries(st.sampled_from(["messageId", "contact", "new"]), SCALARS), st.dictionaries(st.text(), SCALARS))
def test_the_bytes_are_those_of_the_changed_body(data: dict[str, Any], top: dict[str, Any]) -> None:
    top = {name: value for name, value in top.items() if name not in ("self", "data", "without")}
    changed = EVENT.but(data=data, **top)
    assert json.loads(changed.raw) == changed.body == {**BODY, "data": {**BODY["data"], **data}, **top}


def test_the_event_that_was_changed_is_as_it_was() -> None:
    before = json.dumps(EVENT.body)
    changed = EVENT.but(data={"messageId": "msg_2"}, without=("recentHistory", "data.contact"))
    changed.body["data"]["later"] = True
    assert json.dumps(EVENT.body) == before
    assert json.loads(EVENT.raw) == BODY


@pytest.mark.parametrize(
    ("without", "top", "data"),
    [
        (("recentHistory",), {"event", "channel", "data"}, {"messageId", "contact"}),
        (("data.contact", "data.messageId"), {"event", "channel", "data", "recentHistory"}, set()),
        (("channel", "data.contact"), {"event", "data", "recentHistory"}, {"messageId"}),
        (("unknown", "data.unknown"), {"event", "channel", "data", "recentHistory"}, {"messageId", "contact"}),
    ],
)
def test_fields_are_left_out_by_their_place(without: tuple[str, ...], top: set[str], data: set[str]) -> None:
    changed = EVENT.but(without=without)
    assert set(changed.body) == top
    assert set(changed.data) == data


def test_data_itself_can_be_left_out() -> None:
    changed = EVENT.but(without=("data",))
    assert "data" not in changed.body
    assert changed.data == {}


def test_the_header_follows_the_name_of_the_event() -> None:
    changed = EVENT.but(event="agent.message_edited")
    assert changed.name == changed.body["event"] == "agent.message_edited"
    assert EVENT.but(channel="mms").name == "agent.message"


def test_another_delivery_carries_the_same_bytes() -> None:
    again = EVENT.renamed("del_2")
    assert (again.id, again.raw, again.body) == ("del_2", EVENT.raw, EVENT.body)


@given(st.binary())
def test_other_bytes_go_by_the_same_delivery(raw: bytes) -> None:
    changed = EVENT.written(raw)
    assert (changed.id, changed.name, changed.raw) == ("del_1", "agent.message", raw)


@pytest.mark.parametrize("data", [None, "text", ["text"], 3])
def test_data_that_is_no_object_has_no_fields(data: object) -> None:
    assert Event("del_1", "agent.message", {**BODY, "data": data}, b"").data == {}
