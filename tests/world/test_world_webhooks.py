from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.domain.webhooks import DeliveryStatus, EventType, OutcomeKind
from simulator.errors import NotFound
from simulator.world import notices, webhooks
from tests.helpers.world import (
    HANDLER,
    NOW,
    after,
    attempt,
    dial_in,
    make_world,
    new_agent,
    new_endpoint,
    new_line,
    new_number,
    owe,
    settle,
    text_in,
)

STATUSES = st.sampled_from(list(DeliveryStatus))


def test_an_endpoint_has_the_documented_defaults() -> None:
    world = make_world()
    endpoint = webhooks.set_endpoint(world, None, url=HANDLER, now=NOW)
    assert (endpoint.url, endpoint.agent_id, endpoint.status) == (HANDLER, None, "active")
    assert (endpoint.context_limit, endpoint.timeout) == (10, timedelta(seconds=30))
    assert endpoint.secret.startswith("whsec_")
    assert webhooks.get_endpoint(world, None) == endpoint


def test_setting_an_endpoint_again_keeps_the_id_and_makes_a_new_secret() -> None:
    world = make_world()
    first = new_endpoint(world)
    second = webhooks.set_endpoint(
        world, None, url=f"{HANDLER}/2", context_limit=0, timeout=timedelta(seconds=5), now=after(days=1)
    )
    assert (second.id, second.created_at) == (first.id, NOW)
    assert second.secret != first.secret
    assert (second.url, second.context_limit, second.timeout) == (f"{HANDLER}/2", 0, timedelta(seconds=5))


def test_an_endpoint_set_after_a_removal_is_a_new_one() -> None:
    world = make_world()
    first = new_endpoint(world)
    assert webhooks.remove_endpoint(world, None) is True
    assert webhooks.remove_endpoint(world, None) is False
    assert webhooks.get_endpoint(world, None) is None
    assert new_endpoint(world).id != first.id


def test_an_agents_own_endpoint_replaces_the_accounts() -> None:
    world = make_world()
    agent, other = new_agent(world), new_agent(world)
    assert webhooks.endpoint_for(world, agent.id) is None
    account, own = new_endpoint(world), new_endpoint(world, agent)
    assert webhooks.endpoint_for(world, agent.id) == webhooks.get_endpoint(world, agent.id) == own
    assert webhooks.endpoint_for(world, other.id) == webhooks.endpoint_for(world, None) == account
    webhooks.remove_endpoint(world, agent.id)
    assert webhooks.endpoint_for(world, agent.id) == account


def test_endpoints_of_unknown_agents_do_not_exist() -> None:
    world = make_world()
    for look in (webhooks.get_endpoint, webhooks.remove_endpoint):
        with pytest.raises(NotFound, match="agt_x"):
            look(world, "agt_x")


def test_a_delivery_remembers_what_it_is_about() -> None:
    world = make_world()
    agent, number = new_line(world)
    endpoint = new_endpoint(world, agent)
    message, _ = text_in(world, number)
    notice = notices.for_message_received(world, message, NOW)[0]
    delivery = webhooks.add_delivery(world, notice, endpoint, b'{"a":1}', retryable=True, now=after(seconds=1))
    assert (delivery.endpoint_id, delivery.endpoint_agent_id, delivery.agent_id) == (endpoint.id, agent.id, agent.id)
    assert (delivery.event_type, delivery.channel, delivery.body) == (
        EventType.AGENT_MESSAGE,
        message.channel,
        b'{"a":1}',
    )
    assert (delivery.message_id, delivery.call_id, delivery.created_at) == (message.id, None, after(seconds=1))
    assert (delivery.status, delivery.attempts, delivery.retryable) == (DeliveryStatus.PENDING, (), True)


def test_the_id_of_a_texts_delivery_names_the_message_and_the_number() -> None:
    world = make_world()
    endpoint = new_endpoint(world)
    message, _ = text_in(world, new_number(world))
    base = f"del_{message.id}_{message.number_id}"
    made = [
        webhooks.add_delivery(world, notice, endpoint, b"", retryable=True, now=NOW).id
        for notice in notices.for_message_received(world, message, NOW) * 2
    ]
    assert made == [base, f"{base}_message_received", f"{base}_2", f"{base}_message_received_2"]


def test_the_ids_of_calls_deliveries_tell_turns_from_the_rest() -> None:
    world = make_world()
    endpoint = new_endpoint(world)
    call = dial_in(world, new_line(world)[1])
    turn = notices.for_turn(world, call, transcript="hi", confidence=0.9, turn_id="1", now=NOW)
    (started,) = notices.for_call_started(world, call, NOW)
    of_turn, of_start = (
        webhooks.add_delivery(world, notice, endpoint, b"", retryable=False, now=NOW) for notice in (turn, started)
    )
    assert of_turn.id.startswith("voice_")
    assert of_start.id.startswith("del_")
    assert (of_turn.call_id, of_turn.turn_id, of_turn.retryable) == (call.id, "1", False)


def test_an_attempt_that_leaves_hope_keeps_the_delivery_pending() -> None:
    world = make_world()
    delivery = owe(world, text_in(world, new_number(world))[0], new_endpoint(world))
    failed = attempt(OutcomeKind.REJECTED, http_status=503)
    waiting = webhooks.record_attempt(world, delivery.id, failed, DeliveryStatus.PENDING, after(minutes=5))
    assert (waiting.status, waiting.next_attempt_at) == (DeliveryStatus.PENDING, after(minutes=5))
    assert waiting.attempts == (failed,)
    assert waiting.last == failed
    done = webhooks.record_attempt(
        world, delivery.id, attempt(number=2, at=after(minutes=5)), DeliveryStatus.SUCCESS, after(hours=9)
    )
    assert (done.status, done.next_attempt_at, len(done.attempts)) == (DeliveryStatus.SUCCESS, None, 2)
    assert world.deliveries[delivery.id] == done


def test_a_settled_delivery_takes_no_further_attempt() -> None:
    world = make_world()
    delivery = settle(world, owe(world, text_in(world, new_number(world))[0], new_endpoint(world)))
    with pytest.raises(ValueError, match=r"settled \(success\)"):
        webhooks.record_attempt(world, delivery.id, attempt(), DeliveryStatus.FAILED, None)
    assert world.deliveries[delivery.id] == delivery


def test_a_deliverys_life_is_in_the_journal() -> None:
    world = make_world()
    delivery = owe(world, text_in(world, new_number(world))[0], new_endpoint(world))
    lasting = timedelta(seconds=2)
    failed = attempt(OutcomeKind.REJECTED, http_status=503, error="HTTP 503", duration=lasting)
    webhooks.record_attempt(world, delivery.id, failed, DeliveryStatus.PENDING, after(minutes=5))
    last = attempt(OutcomeKind.UNREACHABLE, number=2, at=after(minutes=5), error="no connection")
    webhooks.record_attempt(world, delivery.id, last, DeliveryStatus.FAILED, None)
    of_delivery = {
        "delivery_id": delivery.id,
        "event": "agent.message",
        "url": HANDLER,
        "message_id": delivery.message_id,
    }
    assert [(e.kind, e.at, e.data) for e in world.journal.since(0, "delivery")] == [
        ("delivery.created", NOW, of_delivery),
        (
            "delivery.attempt",
            after(seconds=2),
            {**of_delivery, "attempt": 1, "outcome": "rejected", "http_status": 503, "error": "HTTP 503"},
        ),
        (
            "delivery.attempt",
            after(minutes=5),
            {**of_delivery, "attempt": 2, "outcome": "unreachable", "http_status": None, "error": "no connection"},
        ),
        ("delivery.settled", after(minutes=5), {**of_delivery, "status": "failed", "attempts": 2}),
    ]


def test_deliveries_are_listed_newest_first_and_by_whose_endpoint_they_went_to() -> None:
    world = make_world()
    agent, number = new_line(world)
    message, _ = text_in(world, number)
    to_account = owe(world, message, new_endpoint(world))
    to_agent = owe(world, message, new_endpoint(world, agent))
    assert webhooks.listing(world, now=NOW) == [to_agent, to_account]
    assert webhooks.listing(world, agent_id=agent.id, now=NOW) == [to_agent]
    assert webhooks.listing(world, agent_id=None, now=NOW) == [to_account]
    assert webhooks.stats(world, agent_id=None, now=NOW).total == 1


def test_a_window_of_hours_includes_its_first_instant() -> None:
    world = make_world()
    endpoint, number = new_endpoint(world), new_number(world)
    made = [owe(world, text_in(world, number, now=after(hours=h))[0], endpoint, now=after(hours=h)) for h in range(4)]
    assert webhooks.listing(world, hours=2, now=after(hours=3)) == made[:0:-1]
    assert webhooks.listing(world, hours=10**12, now=after(hours=3)) == made[::-1]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 200), STATUSES, st.booleans()), max_size=30))
def test_stats_add_up_in_every_direction(made: list[tuple[int, DeliveryStatus, bool]]) -> None:
    world = make_world()
    endpoint, number = new_endpoint(world), new_number(world)
    for minutes, status, received in sorted(made):
        now = after(minutes=minutes)
        notice = notices.for_message_received(world, text_in(world, number, now=now)[0], now)[received]
        delivery = webhooks.add_delivery(world, notice, endpoint, b"", retryable=True, now=now)
        if status is not DeliveryStatus.PENDING:
            settle(world, delivery, status)
    stats = webhooks.stats(world, now=after(hours=4))
    assert stats.total == stats.success + stats.failed + stats.pending == len(made)
    for name in ("total", "success", "failed", "pending"):
        assert sum(counts[name] for counts in stats.by_event_type.values()) == getattr(stats, name)
    for name in ("total", "success", "failed"):
        assert sum(getattr(hour, name) for hour in stats.by_hour) == getattr(stats, name)
    starts = [start for start, *_ in stats.by_hour]
    assert starts == sorted(set(starts))
    assert all(start.minute == start.second == 0 for start in starts)


def test_stats_count_only_the_hours_asked_for() -> None:
    world = make_world()
    endpoint, number = new_endpoint(world), new_number(world)
    settle(world, owe(world, text_in(world, number)[0], endpoint))
    recent = after(hours=30)
    settle(world, owe(world, text_in(world, number)[0], endpoint, now=recent), DeliveryStatus.FAILED)
    stats = webhooks.stats(world, hours=24, now=recent)
    assert (stats.total, stats.success, stats.failed, stats.pending) == (1, 0, 1, 0)
    assert stats.by_event_type == {"agent.message": {"total": 1, "success": 0, "failed": 1, "pending": 0}}
    assert stats.by_hour == ((recent, 1, 0, 1),)


def test_a_world_with_a_webhook_secret_has_it_for_every_endpoint_and_every_time() -> None:
    world = make_world()
    world.webhook_secret = "whsec_known"
    assert {new_endpoint(world).secret, new_endpoint(world).secret} == {"whsec_known"}
