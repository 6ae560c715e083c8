from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.domain.numbers import NumberStatus
from simulator.domain.phone import country_of, is_e164
from simulator.errors import BadRequest, Conflict
from simulator.world import agents, messages, numbers
from tests.helpers.world import (
    NOW,
    after,
    dial_in,
    make_world,
    new_agent,
    new_line,
    new_number,
    text_in,
)


@settings(deadline=None)
@given(st.integers(), st.sampled_from([("US", None), ("US", "415"), ("US", "970"), ("CA", None), ("CA", "782")]))
def test_a_north_american_number_could_be_a_real_one(seed: int, place: tuple[str, str | None]) -> None:
    country, area_code = place
    number = new_number(make_world(seed=seed), country=country, area_code=area_code).phone_number
    assert is_e164(number)
    assert phonenumbers.is_possible_number(phonenumbers.parse(number))
    assert number[2:5] == (area_code or number[2:5])
    assert country_of(number[2:5]) == country
    exchange = number[5:8]
    assert exchange[0] in "23456789"
    assert not exchange.endswith("11")
    assert exchange != "555"


def test_subscribers_have_every_exchange_but_the_reserved_ones() -> None:
    reserved = {211, 311, 411, 511, 611, 711, 811, 911, 555}
    assert set(numbers.EXCHANGES) == set(range(200, 1000)) - reserved


def test_every_area_code_on_offer_is_in_service_in_its_country() -> None:
    for country, codes in numbers.AREA_CODES.items():
        assert len(set(codes)) == len(codes) > numbers.PROPOSALS
        for code in codes:
            assert country_of(code) == country
            assert numbers.is_subscriber_area(code)


@settings(deadline=None)
@given(st.integers(), st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)))
def test_a_number_can_be_bought_in_every_country(seed: int, country: str) -> None:
    number = new_number(make_world(seed=seed), country=country)
    parsed = phonenumbers.parse(number.phone_number)
    assert number.country == country
    assert parsed.country_code == phonenumbers.country_code_for_region(country)
    assert phonenumbers.is_valid_number(parsed) or country in numbers.AREA_CODES


def test_foreign_numbers_differ() -> None:
    world = make_world()
    assert len({new_number(world, country="GB").phone_number for _ in range(200)}) == 200


def test_the_first_numbers_come_from_several_area_codes() -> None:
    world = make_world()
    assert len({new_number(world).phone_number[:5] for _ in range(40)}) > 5


@settings(deadline=None)
@given(st.integers(), st.integers(1, 5))
def test_numbers_of_one_area_code_shift_no_other(seed: int, more: int) -> None:
    plain, disturbed = make_world(seed=seed), make_world(seed=seed)
    for _ in range(more):
        new_number(disturbed, area_code="212")
    assert new_number(plain, area_code="415").phone_number == new_number(disturbed, area_code="415").phone_number


def test_ten_thousand_numbers_of_one_area_code_all_differ() -> None:
    world = make_world()
    bought = [new_number(world, area_code="415") for _ in range(10_000)]
    assert len({number.phone_number for number in bought}) == 10_000
    assert len({number.id for number in bought}) == 10_000


def test_a_number_remembers_how_it_was_bought() -> None:
    world = make_world()
    agent = new_agent(world)
    number = numbers.buy(
        world,
        country="US",
        area_code="415",
        agent_id=agent.id,
        type="imessage",
        imessage_type="dedicated",
        external_id="crm-7",
        expires_at=after(days=30),
        now=NOW,
    )
    assert (number.status, number.created_at, number.released_at) == (NumberStatus.ACTIVE, NOW, None)
    assert (number.country, number.type, number.imessage_type) == ("US", "imessage", "dedicated")
    assert (number.external_id, number.expires_at, number.agent_id) == ("crm-7", after(days=30), agent.id)
    assert numbers.get(world, number.id) == number
    assert agents.numbers_of(world, agent.id) == (number,)


def test_a_number_without_options_is_an_unattached_us_sms_number() -> None:
    number = numbers.buy(
        make_world(), country="US", area_code=None, agent_id=None, type=None, imessage_type=None, external_id=None,
        expires_at=None, now=NOW,
    )  # fmt: skip
    assert (number.country, number.type, number.agent_id) == ("US", "sms", None)


@pytest.mark.parametrize(
    ("country", "area_code", "why"),
    [
        ("US", "416", "Canadian"),
        ("CA", "415", "of the US"),
        ("US", "787", "of Puerto Rico"),
        ("US", "999", "not assigned"),
        ("US", "000", "not assigned"),
        ("US", "800", "toll-free"),
        ("US", "900", "premium"),
        ("CA", "600", "non-geographic"),
    ],
)
def test_an_area_code_without_numbers_proposes_others(country: str, area_code: str, why: str) -> None:
    with pytest.raises(Conflict) as refused:
        new_number(make_world(), country=country, area_code=area_code)
    detail = refused.value.detail
    assert f"{country} area code {area_code}" in detail, why
    assert all(code in detail for code in numbers.AREA_CODES[country][: numbers.PROPOSALS])


def test_an_area_code_that_is_used_up_proposes_others_and_not_itself() -> None:
    world = make_world()
    taken = new_number(world, area_code="415").phone_number
    world.entropy = SimpleNamespace(pick=lambda kind, accept, tries: None)  # type: ignore[assignment]
    with pytest.raises(Conflict, match="area code 415: try 212, 310, 312"):
        new_number(world, area_code="415")
    with pytest.raises(Conflict, match="no US numbers are left"):
        new_number(world)
    assert [n.phone_number for n in numbers.listing(world)] == [taken]


def test_a_number_is_never_sold_twice_even_when_it_was_released() -> None:
    world = make_world()
    first = new_number(world, area_code="415")
    numbers.release(world, first.id, NOW)
    world.entropy._counters.clear()  # the same draws again
    world.entropy.new_id("number")
    assert new_number(world, area_code="415").phone_number != first.phone_number


def test_only_us_and_canadian_numbers_under_the_older_contract() -> None:
    world = make_world(number_countries="us_ca")
    assert new_number(world, country="CA").country == "CA"
    with pytest.raises(BadRequest, match="'GB' cannot be bought"):
        new_number(world, country="GB")


def test_more_numbers_than_the_plan_allows_are_refused() -> None:
    world = make_world()
    world.active_numbers.update((f"num_{number}", None) for number in range(numbers.NUMBER_LIMIT - 1))
    new_number(world)
    with pytest.raises(Conflict, match=f"{numbers.NUMBER_LIMIT} of {numbers.NUMBER_LIMIT} allowed") as refused:
        new_number(world)
    assert refused.value.code == "VALIDATION_ERROR_NUMBER_LIMIT"


def test_numbers_are_listed_newest_first_without_released_ones() -> None:
    world = make_world()
    first, gone, last = (new_number(world) for _ in range(3))
    numbers.release(world, gone.id, NOW)
    assert numbers.listing(world) == [last, first]


def test_a_released_number_is_kept_without_its_agent() -> None:
    world = make_world()
    agent, number = new_line(world)
    released = numbers.release(world, number.id, after(hours=1))
    assert (released.status, released.released_at, released.agent_id) == (NumberStatus.RELEASED, after(hours=1), None)
    assert numbers.get(world, number.id) == released
    assert agents.numbers_of(world, agent.id) == ()


def test_messages_and_calls_of_a_released_number_stay() -> None:
    world = make_world()
    _, number = new_line(world)
    message, conversation = text_in(world, number)
    call = dial_in(world, number)
    numbers.release(world, number.id, NOW)
    assert messages.for_number(world, number.id) == [message]
    assert messages.conversations(world) == [conversation]
    assert world.calls[call.id].live


def test_only_active_numbers_are_found_by_their_digits() -> None:
    world = make_world()
    number = new_number(world)
    assert numbers.find_active(world, number.phone_number) == number
    numbers.release(world, number.id, NOW)
    assert numbers.find_active(world, number.phone_number) is None
    assert numbers.find_active(world, "+14155550100") is None


def test_an_expiry_must_lie_ahead() -> None:
    with pytest.raises(BadRequest, match="has passed"):
        new_number(make_world(), expires_at=NOW)
    assert new_number(make_world(), expires_at=NOW + timedelta(microseconds=1)).expires_at is not None
