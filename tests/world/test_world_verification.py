from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from simulator.domain.verification import LIFETIME, TRIES, CheckResult, Verification
from simulator.errors import BadRequest, Forbidden, NotFound
from simulator.world import numbers, verification
from tests.helpers.world import CALLER, NOW, after, make_world, new_number, snapshot


def wrong(sent: Verification) -> str:
    return f"{(int(sent.code) + 1) % 1_000_000:06d}"


@settings(deadline=None)
@given(st.integers())
def test_a_code_has_six_digits(seed: int) -> None:
    assert re.fullmatch("[0-9]{6}", verification.send(make_world(seed=seed), CALLER, NOW).code)


def test_a_code_can_begin_with_zeros() -> None:
    world = make_world()
    codes = [verification.send(world, CALLER, NOW).code for _ in range(100)]
    assert any(code.startswith("0") for code in codes)
    assert len(set(codes)) > 90


def test_the_text_is_in_the_journal_from_a_sender_that_is_no_number_of_the_account() -> None:
    world = make_world()
    sent = verification.send(world, "(415) 555-0150", NOW)
    entry = world.journal.since(0, "verification.sent")[0].data
    assert (entry["to"], entry["from"]) == (CALLER, "28762")
    assert sent.code in entry["body"]
    assert world.messages == {}


@pytest.mark.parametrize("kind", ["sms", "imessage"])
def test_a_code_for_a_number_of_the_accounts_own_comes_in_as_a_text(kind: str) -> None:
    world = make_world()
    number = new_number(world, type=kind)
    sent = verification.send(world, number.phone_number, NOW)
    message = verification.arrive(world, sent, NOW)
    assert message is not None
    assert (message.from_number, message.to_number, message.channel) == ("28762", number.phone_number, "sms")
    assert sent.code in message.body


def test_a_code_for_anybody_else_does_not_come_in() -> None:
    world = make_world()
    gone = new_number(world)
    numbers.release(world, gone.id, NOW)
    for phone_number in (CALLER, gone.phone_number):
        assert verification.arrive(world, verification.send(world, phone_number, NOW), NOW) is None
    assert world.messages == {}


def test_the_right_code_is_ok_once_and_already_verified_ever_after() -> None:
    world = make_world()
    sent = verification.send(world, CALLER, NOW)
    assert verification.check(world, sent.id, f" {sent.code}\n", NOW)[0] is CheckResult.OK
    for code, at in ((sent.code, NOW), (wrong(sent), NOW), (sent.code, after(hours=1))):
        assert verification.check(world, sent.id, code, at)[0] is CheckResult.ALREADY_VERIFIED


def test_three_wrong_codes_use_the_tries_up_and_the_right_one_comes_too_late() -> None:
    world = make_world()
    sent = verification.send(world, CALLER, NOW)
    results = [verification.check(world, sent.id, wrong(sent), NOW) for _ in range(TRIES)]
    assert [(r.value, v.attempts_remaining) for r, v in results] == [
        ("incorrect", 2),
        ("incorrect", 1),
        ("incorrect", 0),
    ]
    assert verification.check(world, sent.id, sent.code, NOW)[0] is CheckResult.EXHAUSTED


def test_the_right_code_on_the_last_try_is_ok() -> None:
    world = make_world()
    sent = verification.send(world, CALLER, NOW)
    for _ in range(TRIES - 1):
        verification.check(world, sent.id, wrong(sent), NOW)
    assert verification.check(world, sent.id, sent.code, NOW)[0] is CheckResult.OK


def test_a_code_lives_ten_minutes() -> None:
    for age, result in ((timedelta(minutes=10, microseconds=-1), "ok"), (timedelta(minutes=10), "expired")):
        world = make_world()
        sent = verification.send(world, CALLER, NOW)
        assert verification.check(world, sent.id, sent.code, NOW + age)[0] == result


def test_checking_a_dead_code_changes_nothing() -> None:
    world = make_world()
    sent = verification.send(world, CALLER, NOW)
    before = snapshot(world)
    assert verification.check(world, sent.id, wrong(sent), after(minutes=11))[0] is CheckResult.EXPIRED
    assert snapshot(world) == before


@pytest.mark.parametrize(("number", "error"), [("911", Forbidden), ("12", BadRequest), ("grp_1", BadRequest)])
def test_what_cannot_be_texted_cannot_be_verified(number: str, error: type[Exception]) -> None:
    world = make_world()
    before = snapshot(world)
    with pytest.raises(error, match=number):
        verification.send(world, number, NOW)
    assert snapshot(world) == before


def test_an_unknown_verification_and_a_blank_code_are_refused() -> None:
    world = make_world()
    sent = verification.send(world, CALLER, NOW)
    before = snapshot(world)
    with pytest.raises(NotFound, match="ver_nope"):
        verification.check(world, "ver_nope", "123456", NOW)
    with pytest.raises(BadRequest, match="blank"):
        verification.check(world, sent.id, " ", NOW)
    assert snapshot(world) == before


@dataclass
class Expected:
    """What should be true of one code, as plainly as can be said."""

    sent: Verification
    at: datetime
    wrong_tries: int = 0
    proved: bool = False

    def answer(self, right: bool, now: datetime) -> str:
        if self.proved:
            return "already_verified"
        if now - self.at >= timedelta(minutes=10):
            return "expired"
        if self.wrong_tries == 3:
            return "exhausted"
        self.proved = right
        self.wrong_tries += not right
        return "ok" if right else "incorrect"

    def state(self, now: datetime) -> str:
        if self.proved:
            return "verified"
        if now - self.at >= timedelta(minutes=10):
            return "expired"
        return "exhausted" if self.wrong_tries == 3 else "pending"


class VerificationMachine(RuleBasedStateMachine):
    codes: Bundle[str] = Bundle("codes")

    def __init__(self) -> None:
        super().__init__()
        self.world = make_world()
        self.now = NOW
        self.expected: dict[str, Expected] = {}

    @rule(target=codes, number=st.sampled_from([CALLER, "+14155550151"]))
    def send(self, number: str) -> str:
        sent = verification.send(self.world, number, self.now)
        assert sent.id not in self.expected
        self.expected[sent.id] = Expected(sent, self.now)
        return sent.id

    @rule(seconds=st.sampled_from([1, 60, 299, 300, 599, 600]))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(code=codes, right=st.booleans())
    def check(self, code: str, right: bool) -> None:
        expected = self.expected[code]
        tried = expected.sent.code if right else wrong(expected.sent)
        result, checked = verification.check(self.world, code, tried, self.now)
        assert result.value == expected.answer(right, self.now)
        assert checked.attempts_remaining == TRIES - expected.wrong_tries

    @invariant()
    def states_agree(self) -> None:
        found = {v.id: verification.state(v, self.now) for v in verification.listing(self.world)}
        assert found == {i: e.state(self.now) for i, e in self.expected.items()}
        assert list(found) == list(self.expected)[::-1]


TestVerificationMachine = VerificationMachine.TestCase
TestVerificationMachine.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)


def test_the_documented_numbers() -> None:
    assert (timedelta(minutes=10), 3) == (LIFETIME, TRIES)
