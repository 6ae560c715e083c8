from __future__ import annotations

import re

import pytest

from simulator.domain.agents import VoiceMode
from simulator.errors import BadRequest, Conflict, NotFound
from simulator.world import agents, sign_up
from simulator.world.world import World
from tests.helpers.world import NOW, after, make_world, snapshot

ADA = "ada@example.com"


def opened(desk: World, email: str = ADA) -> None:
    asked = sign_up.start(desk, email, None, NOW)
    sign_up.complete(desk, sign_up.check(desk, asked.id, asked.code, NOW), "acct_1", None, NOW)


def test_the_mail_is_in_the_journal_with_its_code() -> None:
    desk = make_world()
    asked = sign_up.start(desk, ADA, "Front desk", NOW)
    mail = desk.journal.since(0, "sign_up.code_sent")[0].data
    assert mail["to"] == ADA
    assert asked.code in mail["body"]
    assert re.fullmatch("ver_[0-9a-f]+", asked.id)


def test_the_right_code_passes_until_ten_minutes_have_gone_by() -> None:
    desk = make_world()
    asked = sign_up.start(desk, ADA, None, NOW)
    assert sign_up.check(desk, asked.id, f" {asked.code} ", after(minutes=9, seconds=59)) == asked
    before = snapshot(desk)
    with pytest.raises(BadRequest, match="expired"):
        sign_up.check(desk, asked.id, asked.code, after(minutes=10))
    with pytest.raises(BadRequest, match="wrong"):
        sign_up.check(desk, asked.id, "x", NOW)
    with pytest.raises(NotFound, match="ver_nope"):
        sign_up.check(desk, "ver_nope", asked.code, NOW)
    assert snapshot(desk) == before


def test_an_address_that_has_an_account_cannot_sign_up_again_whatever_its_case() -> None:
    desk = make_world()
    waiting = sign_up.start(desk, ADA, None, NOW)
    opened(desk)
    before = snapshot(desk)
    for email in (ADA, ADA.upper()):
        with pytest.raises(Conflict, match="account already"):
            sign_up.start(desk, email, None, NOW)
    with pytest.raises(Conflict, match="account already"):
        sign_up.check(desk, waiting.id, waiting.code, NOW)
    assert snapshot(desk) == before
    assert sign_up.start(desk, "grace@example.com", None, NOW)


def test_an_address_that_waits_for_a_code_may_ask_for_another() -> None:
    desk = make_world()
    first, second = (sign_up.start(desk, ADA, None, NOW) for _ in range(2))
    assert first.id != second.id
    assert sign_up.check(desk, first.id, first.code, NOW) == first
    assert sign_up.check(desk, second.id, second.code, NOW) == second


def test_keys_differ_and_never_are_one_that_is_taken() -> None:
    first = sign_up.new_key(make_world(), lambda _: False)
    assert re.fullmatch("sk_live_[0-9a-f]{16}", first)
    other = sign_up.new_key(make_world(), lambda key: key == first)
    assert other != first
    desk = make_world()
    assert sign_up.new_key(desk, lambda _: False) != sign_up.new_key(desk, lambda _: False)
    with pytest.raises(Conflict, match="taken"):
        sign_up.new_key(desk, lambda _: True)


def test_a_new_account_starts_with_a_hosted_agent_that_has_a_number() -> None:
    world = make_world()
    agent, number = sign_up.furnish(world, "Front desk", NOW)
    assert (agent.name, agent.voice_mode) == ("Front desk", VoiceMode.HOSTED)
    assert agent.system_prompt
    assert agents.numbers_of(world, agent.id) == (number,)
    assert sign_up.furnish(make_world(), None, NOW)[0].name == sign_up.STARTER_NAME


def test_a_sign_up_is_pending_then_verified_or_expired() -> None:
    desk = make_world()
    asked = sign_up.start(desk, ADA, None, NOW)
    assert sign_up.state(asked, NOW) == "pending"
    assert sign_up.state(asked, after(minutes=10)) == "expired"
    done = sign_up.complete(desk, asked, "acct_1", "cli", NOW)
    assert sign_up.state(done, after(minutes=10)) == "verified"
    assert sign_up.listing(desk) == [done]
    entry = desk.journal.since(0, "account.opened")[0].data
    assert (entry["account_id"], entry["human_email"], entry["source"]) == ("acct_1", ADA, "cli")
