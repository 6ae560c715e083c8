from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.domain.limits import PER_MINUTE, Limit
from simulator.errors import ApiError, RateLimited, UsageError
from simulator.world import limits, numbers
from simulator.world.world import World
from tests.helpers.world import (
    NOW,
    after,
    dial_in,
    dial_out,
    hang_up,
    make_world,
    new_endpoint,
    new_line,
    new_number,
)


def limited(contract: str = "all", *, too_many_calls_status: str = "409", **values: Limit) -> World:
    world = make_world(contract, too_many_calls_status=too_many_calls_status)
    limits.change(world, NOW, **values)
    return world


# -- numbers -----------------------------------------------------------------------------------------------------


def test_one_number_more_than_allowed_is_refused_in_the_documented_words() -> None:
    world = limited(numbers=2)
    first, _ = new_number(world), new_number(world)
    with pytest.raises(ApiError, match="You have created 2 of 2 allowed phone numbers") as refused:
        limits.check_number(world)
    assert (refused.value.status, refused.value.code) == (409, "VALIDATION_ERROR_NUMBER_LIMIT")
    numbers.release(world, first.id, NOW)
    limits.check_number(world)


def test_in_the_older_documentation_released_numbers_count_too() -> None:
    world = limited("2026-03", numbers=1)
    numbers.release(world, new_number(world).id, NOW)
    with pytest.raises(ApiError, match="1 of 1") as refused:
        limits.check_number(world)
    assert (refused.value.status, refused.value.code) == (400, "VALIDATION_ERROR_NUMBER_LIMIT")


@pytest.mark.parametrize(("contract", "most"), [("all", 10), ("2026-03", 5)])
def test_the_documented_number_limit_follows_the_contract(contract: str, most: int) -> None:
    assert limits.most_numbers(limited(contract, numbers="documented")) == most


def test_nothing_is_refused_while_the_limits_are_off() -> None:
    world = make_world()
    _, number = new_line(world)
    limits.check_number(world)
    limits.check_call(world)
    limits.check_new_contact(world, number, NOW, 1000)
    assert limits.take(world, "createNumber", NOW) is None
    assert world.windows == {}


def test_a_change_of_limits_is_in_the_journal() -> None:
    world = limited(numbers=2)
    limits.change(world, after(seconds=1), numbers=None, rate_limits="documented")
    changes = [(e.at, dict(e.data)) for e in world.journal.since(0, "limits.changed")]
    assert changes == [(NOW, {"numbers": 2}), (after(seconds=1), {"numbers": None, "rate_limits": "documented"})]


def test_a_limit_that_cannot_be_is_refused_and_the_others_stay() -> None:
    world = limited(numbers=2)
    with pytest.raises(UsageError, match="concurrent_calls"):
        limits.change(world, NOW, numbers=3, concurrent_calls="documented")
    assert world.limits.numbers == 2


# -- calls -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [409, 429])
def test_one_live_call_more_than_allowed_is_refused_until_one_ends(status: int) -> None:
    world = limited(concurrent_calls=1, too_many_calls_status=str(status))
    call = dial_in(world, new_line(world)[1])
    with pytest.raises(ApiError, match="1 calls are live and 1 are allowed") as refused:
        limits.check_call(world)
    assert refused.value.status == status
    assert int(refused.value.headers["Retry-After"]) > 0
    hang_up(world, call)
    limits.check_call(world)


def test_calls_in_and_out_count_against_the_same_limit() -> None:
    world = limited(concurrent_calls=1)
    new_endpoint(world)
    agent, number = new_line(world)
    dial_in(world, number)
    with pytest.raises(ApiError, match="live"):
        dial_out(world, agent)
    with pytest.raises(ApiError, match="live"):
        dial_in(world, number)
    assert len(world.calls) == 1


# -- new contacts ------------------------------------------------------------------------------------------------


def test_an_imessage_number_may_text_so_many_people_first_in_a_utc_day() -> None:
    world = limited(daily_new_contacts=2)
    number = new_number(world, type="imessage")
    limits.note_new_contact(world, number, NOW)
    limits.check_new_contact(world, number, NOW)
    limits.note_new_contact(world, number, NOW)
    assert limits.new_contacts(world, number, NOW) == (2, 2)
    with pytest.raises(RateLimited, match="2 of 2 new contacts") as refused:
        limits.check_new_contact(world, number, NOW)
    assert refused.value.headers["Retry-After"] == str(9 * 3600)  # it is 15:00
    tomorrow = datetime(2026, 1, 6, tzinfo=UTC)
    limits.check_new_contact(world, number, tomorrow)
    assert limits.new_contacts(world, number, tomorrow) == (0, 2)


def test_the_documented_number_of_new_contacts_is_fifty() -> None:
    world = limited(daily_new_contacts="documented")
    assert limits.new_contacts(world, new_number(world, type="imessage"), NOW) == (0, 50)


def test_other_numbers_have_no_daily_limit() -> None:
    world = limited(daily_new_contacts=0)
    number = new_number(world)
    limits.check_new_contact(world, number, NOW)
    assert limits.new_contacts(world, number, NOW) is None


# -- requests ----------------------------------------------------------------------------------------------------


def test_a_rate_is_counted_down_and_then_refused_until_its_window_is_over() -> None:
    world = limited(rate_limits="documented")
    for left in reversed(range(20)):
        assert limits.take(world, "createNumber", NOW) == (20, left)
    with pytest.raises(RateLimited, match=r"^Rate limit exceeded. Limit: 20 requests per 60s$") as refused:
        limits.take(world, "createNumber", after(seconds=18.5))
    assert refused.value.code == "RATE_LIMIT_EXCEEDED"
    assert refused.value.headers == {"Retry-After": "42", "X-RateLimit-Limit": "20", "X-RateLimit-Remaining": "0"}
    assert limits.take(world, "createNumber", after(seconds=60)) == (20, 19)


def test_a_window_begins_with_its_first_request() -> None:
    world = limited(rate_limits=1)
    late = after(seconds=59)
    limits.take(world, "createAgent", late)
    with pytest.raises(RateLimited):
        limits.take(world, "createAgent", late + timedelta(seconds=59))
    limits.take(world, "createAgent", late + timedelta(seconds=60))


def test_each_route_has_a_count_of_its_own_and_some_have_none() -> None:
    world = limited(rate_limits=1)
    assert limits.take(world, "createAgent", NOW) == (1, 0)
    assert limits.take(world, "deleteAgent", NOW) == (1, 0)
    for _ in range(3):
        assert limits.take(world, "listAgents", NOW) is None


def test_where_two_windows_hold_the_tighter_one_is_told_and_both_refuse() -> None:
    world = limited(rate_limits="documented")
    for minute in range(16):
        for _ in range(60):
            allowed = limits.take(world, "getContactCapabilities", after(minutes=minute))
    assert allowed == (60, 0)
    for _ in range(40):
        allowed = limits.take(world, "getContactCapabilities", after(minutes=17))
    assert allowed == (1000, 0)
    with pytest.raises(RateLimited, match="1000 requests per 86400s"):
        limits.take(world, "getContactCapabilities", after(minutes=18))


def test_the_older_table_limits_every_other_route_too() -> None:
    world = limited("2026-03", rate_limits="documented")
    assert limits.take(world, "createNumber", NOW) == (5, 4)
    assert limits.take(world, "listAgents", NOW) == (100, 99)


def test_setting_the_rate_limits_starts_counting_anew() -> None:
    world = limited(rate_limits=1)
    limits.take(world, "createAgent", NOW)
    limits.change(world, NOW, numbers=3)
    with pytest.raises(RateLimited):
        limits.take(world, "createAgent", NOW)
    limits.change(world, NOW, rate_limits=1)
    limits.take(world, "createAgent", NOW)


@given(st.lists(st.integers(0, 20_000), max_size=200), st.sampled_from(sorted(PER_MINUTE)))
def test_no_window_ever_takes_more_than_its_limit_and_who_waits_is_let_in(gaps: list[int], operation: str) -> None:
    world, now = limited(rate_limits=3), NOW
    for gap in gaps:
        now += timedelta(milliseconds=gap)
        try:
            limits.take(world, operation, now)
        except RateLimited as refused:
            waited = now + timedelta(seconds=int(refused.headers["Retry-After"]))
            assert now < waited <= now + timedelta(seconds=60)
            assert limits.take(world, operation, waited) == (3, 2)
            now = waited
        assert all(window.taken <= 3 for window in world.windows.values())
