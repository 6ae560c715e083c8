from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from simulator.engine.script import HangUp, Press, Say, ScriptedParty, Step, Wait
from simulator.engine.speech import REACTION_DELAY
from simulator.errors import UsageError
from tests.helpers.engine import seconds

AT_ONCE = timedelta()


def played(party: ScriptedParty, steps: int) -> list[tuple[timedelta | None, Step]]:
    return [(party.delay(), party.take()) for _ in range(steps)]


def test_a_step_comes_after_the_time_people_take_to_react() -> None:
    say, press = Say("hello"), Press("1#")
    assert played(ScriptedParty((say, press)), 2) == [(REACTION_DELAY, say), (REACTION_DELAY, press)]


def test_the_step_after_a_wait_comes_at_once() -> None:
    wait, say, again = Wait(seconds(4)), Say("hello"), Say("again")
    party = ScriptedParty((wait, say, again))
    assert played(party, 3) == [(seconds(4), wait), (AT_ONCE, say), (REACTION_DELAY, again)]


def test_waits_add_up() -> None:
    steps = (Wait(seconds(1)), Wait(seconds(2)), HangUp())
    assert [delay for delay, _ in played(ScriptedParty(steps), 3)] == [seconds(1), seconds(2), AT_ONCE]


def test_a_party_hangs_up_after_its_last_step() -> None:
    party = ScriptedParty((Say("bye"),))
    assert not party.script_played
    assert played(party, 2) == [(REACTION_DELAY, Say("bye")), (REACTION_DELAY, HangUp())]
    assert party.script_played


def test_a_party_hangs_up_at_once_after_a_last_wait() -> None:
    party = ScriptedParty((Wait(seconds(4)),))
    assert played(party, 2) == [(seconds(4), Wait(seconds(4))), (AT_ONCE, HangUp())]


def test_an_empty_script_is_played_from_the_start() -> None:
    party = ScriptedParty(())
    assert party.script_played
    assert played(party, 1) == [(REACTION_DELAY, HangUp())]


def test_a_party_without_a_script_stays_on_the_line() -> None:
    party = ScriptedParty(None)
    assert party.delay() is None
    assert not party.script_played


def test_live_requests_go_first_in_their_order_and_at_once() -> None:
    party = ScriptedParty((Wait(seconds(4)), HangUp()))
    party.ask(Say("live"))
    party.ask(Press("5"))
    assert played(party, 3) == [(AT_ONCE, Say("live")), (AT_ONCE, Press("5")), (seconds(4), Wait(seconds(4)))]


def test_a_party_without_a_script_does_what_it_is_asked_and_no_more() -> None:
    party = ScriptedParty(None)
    party.ask(Say("live"))
    assert played(party, 1) == [(AT_ONCE, Say("live"))]
    assert party.delay() is None


@pytest.mark.parametrize(
    ("make", "about"),
    [
        (lambda: Say(""), "cannot say ''"),
        (lambda: Say(" \n"), "give words"),
        (lambda: Say("hello", 1.1), "confidence of 'hello' is 1.1: give a number from 0 to 1"),
        (lambda: Say("hello", -0.1), "give a number from 0 to 1"),
        (lambda: Wait(seconds(-1)), "cannot wait -1 s: give 0 or more"),
        (lambda: Press(""), "cannot press ''"),
        (lambda: Press("1w2"), "one or more of 0-9"),
        (lambda: Press("١"), "one or more of 0-9"),
        (lambda: Press("1\n"), "one or more of 0-9"),
    ],
)
def test_an_impossible_step_is_refused(make: Callable[[], Step], about: str) -> None:
    with pytest.raises(UsageError, match=about):
        make()


def test_the_edges_of_what_is_possible_are_accepted() -> None:
    assert [Say("x", 0), Say("x", 1), Wait(AT_ONCE), Press("0123456789*#")]
