from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from simulator.domain.calls import CallStatus, Direction, DisconnectionReason, Party
from simulator.errors import BadRequest, Conflict, Forbidden, NotFound
from simulator.world import agents, calls
from tests.helpers.world import (
    CALLER,
    NOW,
    OTHER_CALLER,
    after,
    dial_in,
    dial_out,
    hang_up,
    make_world,
    new_agent,
    new_endpoint,
    new_line,
    new_number,
    speak,
)


def test_an_inbound_call_knows_both_ends_and_its_agent() -> None:
    world = make_world()
    agent, number = new_line(world, voice="alloy")
    call = dial_in(world, number)
    assert (call.direction, call.from_number, call.to_number) == (Direction.INBOUND, CALLER, number.phone_number)
    assert (call.agent_id, call.agent_name, call.voice) == (agent.id, "Support", "alloy")
    assert (call.number_id, call.phone_number, call.remote_number) == (number.id, number.phone_number, CALLER)
    assert (call.status, call.started_at, call.live) == (CallStatus.IN_PROGRESS, NOW, True)
    assert calls.get(world, call.id) is call


def test_an_outbound_call_keeps_what_was_asked_for() -> None:
    world = make_world()
    agent, number = new_line(world)
    new_endpoint(world)
    variables = {"name": "Ada"}
    call = dial_out(
        world, agent, "415-555-0150",
        initial_greeting="Hi", voice="nova", model_tier="max", variables=variables, disable_recording=True,
        call_screening_identity="Acme", call_screening_purpose="your order",
    )  # fmt: skip
    variables.clear()
    assert (call.direction, call.from_number, call.to_number) == (Direction.OUTBOUND, number.phone_number, CALLER)
    assert (call.initial_greeting, call.voice, call.model_tier) == ("Hi", "nova", "max")
    assert (call.variables, call.disable_recording) == ({"name": "Ada"}, True)
    assert (call.call_screening_identity, call.call_screening_purpose) == ("Acme", "your order")


def test_an_outbound_call_has_the_agents_voice_unless_told_otherwise() -> None:
    world = make_world()
    agent, _ = new_line(world, voice="alloy")
    new_endpoint(world)
    call = dial_out(world, agent)
    assert (call.voice, call.variables, call.initial_greeting) == ("alloy", None, None)


def test_the_caller_id_is_the_number_attached_first() -> None:
    world = make_world()
    new_endpoint(world)
    agent = new_agent(world)
    bought_first, attached_first = new_number(world), new_number(world)
    for number in (attached_first, bought_first):
        agents.attach(world, agent.id, number.id)
    assert dial_out(world, agent).from_number == attached_first.phone_number
    assert dial_out(world, agent, from_number_id=bought_first.id).from_number == bought_first.phone_number


@pytest.mark.parametrize(
    ("policy", "status"), [("in-progress", CallStatus.IN_PROGRESS), ("ringing", CallStatus.RINGING)]
)
def test_what_a_ringing_call_says_of_itself_is_a_policy(policy: str, status: CallStatus) -> None:
    world = make_world(ringing_status=policy)
    _, number = new_line(world)
    call = dial_in(world, number)
    assert call.status is status
    connected = calls.connect(world, call.id, after(seconds=2))
    assert connected == replace(call, status=CallStatus.IN_PROGRESS, connected_at=after(seconds=2), recorded=True)


@pytest.mark.parametrize("number", ["911", "1911", "+1911", "988", "411", "(611)"])
def test_service_numbers_cannot_be_called(number: str) -> None:
    world = make_world()
    agent, _ = new_line(world)
    new_endpoint(world)
    with pytest.raises(Forbidden, match="emergency or service number"):
        dial_out(world, agent, number)


def test_a_call_needs_a_webhook_unless_the_policy_is_silence() -> None:
    world, lenient = make_world(), make_world(no_webhook_call="silence")
    agent, number = new_line(world)
    with pytest.raises(BadRequest, match="no webhook is set"):
        dial_out(world, agent)
    assert dial_in(world, number).live  # somebody outside cannot know; the call fails once it is answered
    assert dial_out(lenient, new_line(lenient)[0]).live
    new_endpoint(world, agent)
    assert dial_out(world, agent).live


def test_too_many_live_calls_are_refused_until_one_ends() -> None:
    world = make_world()
    agent, number = new_line(world)
    new_endpoint(world)
    first = dial_in(world, number)
    for place in (
        lambda: dial_out(world, agent, max_live=1),
        lambda: calls.receive(world, from_number=CALLER, to_number=number.phone_number, max_live=1, now=NOW),
    ):
        with pytest.raises(Conflict, match="1 calls are live and 1 are allowed") as refused:
            place()
        assert "Retry-After" in refused.value.headers
    hang_up(world, first)
    assert dial_out(world, agent, max_live=1).live


def test_a_released_number_is_named_as_such_to_whoever_dials_it() -> None:
    world = make_world()
    agent, number = new_line(world)
    agents.detach(world, agent.id, number.id)
    with pytest.raises(BadRequest, match="no agent is attached"):
        dial_in(world, number)
    calls_numbers = [(number.phone_number, "was released"), ("+14155550177", "is not a number of this account")]
    from simulator.world import numbers

    numbers.release(world, number.id, NOW)
    for e164, state in calls_numbers:
        with pytest.raises(NotFound, match=state):
            calls.receive(world, from_number=CALLER, to_number=e164, max_live=9, now=NOW)


@pytest.mark.parametrize("reason", list(DisconnectionReason))
def test_every_reason_ends_a_call_with_its_status(reason: DisconnectionReason) -> None:
    world = make_world()
    _, number = new_line(world)
    call = hang_up(world, dial_in(world, number), reason, now=after(seconds=5))
    assert (call.status, call.disconnection_reason, call.ended_at) == (reason.status, reason, after(seconds=5))
    assert (call.live, call.duration) == (False, timedelta())
    assert not world.live_calls


def test_a_transferred_call_knows_where_to_and_how_long_it_lasted() -> None:
    world = make_world()
    _, number = new_line(world)
    call = dial_in(world, number)
    calls.connect(world, call.id, after(seconds=2))
    ended = calls.finish(world, call.id, DisconnectionReason.CALL_TRANSFER, after(seconds=62), OTHER_CALLER)
    assert (ended.transferred_to, ended.duration) == (OTHER_CALLER, timedelta(minutes=1))


def test_utterances_are_kept_in_the_order_they_were_heard() -> None:
    world = make_world()
    _, number = new_line(world)
    call = dial_in(world, number)
    speak(world, call, "Acme, hello", Party.AGENT)
    speak(world, call, "Where is my order?")
    assert [(u.party.value, u.text) for u in calls.get(world, call.id).utterances] == [
        ("agent", "Acme, hello"),
        ("user", "Where is my order?"),
    ]


def test_a_calls_life_is_in_the_journal() -> None:
    world = make_world()
    _, number = new_line(world)
    call = dial_in(world, number)
    calls.connect(world, call.id, after(seconds=2))
    hang_up(world, call, now=after(seconds=9))
    assert [(e.kind, e.at, e.data) for e in world.journal.since()] == [
        (
            "call.placed",
            NOW,
            {"call_id": call.id, "direction": "inbound", "from": CALLER, "to": number.phone_number},
        ),
        ("call.connected", after(seconds=2), {"call_id": call.id}),
        ("call.ended", after(seconds=9), {"call_id": call.id, "reason": "user_hangup", "status": "completed"}),
    ]


def test_calls_are_listed_newest_first() -> None:
    world = make_world()
    _, number = new_line(world)
    made = [dial_in(world, number, now=after(seconds=s)) for s in range(3)]
    assert calls.listing(world) == made[::-1]


def test_every_filter_narrows_the_list() -> None:
    world = make_world()
    new_endpoint(world)
    (support, one), (sales, two) = new_line(world, "Support"), new_line(world, "Sales")
    inbound = dial_in(world, one)
    outbound = dial_out(world, sales, OTHER_CALLER)
    busy = hang_up(world, dial_out(world, support), DisconnectionReason.DIAL_BUSY)
    web = world.store_call(replace(inbound, id="call_web", direction=Direction.WEB))

    def found(**filters: str) -> set[str]:
        return {call.id for call in calls.listing(world, **filters)}

    assert found(status="busy") == {busy.id}
    assert found(status="in-progress") == {inbound.id, outbound.id, web.id}
    assert found(direction="outbound") == {outbound.id, busy.id}
    assert found(direction="web") == found(type="web") == {web.id}
    assert found(type="pstn") == {inbound.id, outbound.id, busy.id}
    assert found(agent_id=sales.id) == found(number_id=two.id) == {outbound.id}
    assert found(agent_id=support.id, direction="outbound", status="busy", type="pstn") == {busy.id}
    assert found(status="unheard-of") == found(direction="sideways") == found(type="fax") == set()


@pytest.mark.parametrize("search", ["+14155550150", "14155550150", "555-0150", "+1 (415) 555 0150", "0150", "5550"])
def test_a_search_matches_part_of_either_number_however_it_is_written(search: str) -> None:
    world = make_world()
    new_endpoint(world)
    agent, number = new_line(world)
    wanted = [dial_in(world, number), dial_out(world, agent)]
    assert [c.id for c in calls.listing(world, search=search)] == [c.id for c in wanted[::-1]]


@pytest.mark.parametrize(("search", "count"), [("555 0151", 0), ("nobody", 0), ("+", 1), ("", 1), (" - ", 1)])
def test_a_search_without_digits_filters_nothing_and_words_match_nothing(search: str, count: int) -> None:
    world = make_world()
    dial_in(world, new_line(world)[1])
    assert len(calls.listing(world, search=search)) == count


def test_only_a_call_that_says_it_is_in_progress_can_be_ended() -> None:
    world, honest = make_world(), make_world(ringing_status="ringing")
    ringing = dial_in(world, new_line(world)[1])
    calls.check_endable(ringing)
    with pytest.raises(Conflict, match=f"{ringing.id} cannot be ended: it has ended already \\(user_hangup\\)"):
        calls.check_endable(hang_up(world, ringing))
    held = dial_in(honest, new_line(honest)[1])
    with pytest.raises(Conflict, match="it is ringing; wait until"):
        calls.check_endable(held)
    calls.check_endable(calls.connect(honest, held.id, NOW))
