from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from simulator.engine.party import PICK_UP_DELAY, Due, Scene, ScriptedParty
from simulator.engine.script import (
    Backchannel,
    BargeIn,
    Beep,
    Branch,
    Case,
    HangUp,
    Hear,
    Match,
    PickUp,
    Press,
    Repeat,
    Say,
    Step,
    Wait,
)
from simulator.engine.speech import REACTION_DELAY
from tests.helpers.engine import START, seconds

AT_ONCE = timedelta()


@dataclass
class Agent:
    """What a party hears: words that were heard, and words at instants to come."""

    since: datetime | None = None
    answer: str = ""
    sound: int | None = None
    words: list[tuple[datetime, str]] = field(default_factory=list)
    asked: int = 0

    def coming(self) -> list[tuple[datetime, str]]:
        self.asked += 1
        return self.words


def scene(now: float = 0, *, free: float | None = 0, ear: Agent | None = None, **changes: Any) -> Scene:
    """By default: the floor has been free since the start and nothing was heard."""
    free_since = None if free is None else START + seconds(free)
    perceived = {"silent": True, "at_rest": True, **changes}
    return Scene(now=START + seconds(now), free_since=free_since, ear=ear or Agent(), **perceived)


def talking(*words: tuple[float, str], since: float = 0) -> Agent:
    """An agent that is being heard."""
    coming = [(START + seconds(at), text) for at, text in words]
    return Agent(since=START + seconds(since), sound=1, words=coming)


def due(party: ScriptedParty, seen: Scene) -> float | None:
    at = party.when(seen)
    return None if at is None else (at - START).total_seconds()


def played(party: ScriptedParty, steps: int) -> list[tuple[timedelta, Step]]:
    """Take steps with the floor free all the time, each when it is due."""
    now = 0.0
    taken = []
    for _ in range(steps):
        at = due(party, scene(now))
        assert at is not None
        taken.append((seconds(round(at - now, 6)), party.take(scene(at)).step))
        now = at
    return taken


def places(party: ScriptedParty, count: int) -> list[tuple[int, ...] | None]:
    return [party.take(scene()).place for _ in range(count)]


# --- steps that need the floor ---


def test_a_step_comes_after_the_time_people_take_to_react() -> None:
    say, press = Say("hello"), Press("1#")
    assert played(ScriptedParty((say, press)), 2) == [(REACTION_DELAY, say), (REACTION_DELAY, press)]


def test_the_step_after_a_wait_comes_at_once() -> None:
    wait, say, again = Wait(seconds(4)), Say("hello"), Say("again")
    assert played(ScriptedParty((wait, say, again)), 3) == [
        (seconds(4), wait),
        (AT_ONCE, say),
        (REACTION_DELAY, again),
    ]


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
    assert party.when(scene()) is None
    assert not party.script_played


def test_a_person_who_was_asked_takes_a_moment_to_take_the_call() -> None:
    assert due(ScriptedParty((PickUp(),)), scene()) == PICK_UP_DELAY.total_seconds()


@pytest.mark.parametrize("step", [Say("hi"), Wait(seconds(1)), Press("1"), HangUp(), PickUp()])
def test_steps_that_need_the_floor_wait_for_it(step: Step) -> None:
    party = ScriptedParty((step,))
    assert due(party, scene(free=None, ear=talking())) is None
    assert due(party, scene(silent=False)) is None


def test_the_pause_before_a_step_counts_from_what_came_last_the_floor_or_the_step_before() -> None:
    party = ScriptedParty((Say("hi"),))
    party.ready(START + seconds(3))
    assert due(party, scene(3, free=1)) == 3.2
    assert due(party, scene(5, free=5)) == 5.2


def test_a_party_that_is_late_acts_now() -> None:
    assert due(ScriptedParty((Say("hi"),)), scene(9)) == 9


# --- live requests ---


def test_live_requests_go_first_in_their_order_and_at_once() -> None:
    party = ScriptedParty((Wait(seconds(4)), HangUp()))
    party.ask(Say("live"))
    party.ask(Press("5"))
    assert party.queued == 2
    assert played(party, 3) == [(AT_ONCE, Say("live")), (AT_ONCE, Press("5")), (seconds(4), Wait(seconds(4)))]


def test_a_party_without_a_script_does_what_it_is_asked_and_no_more() -> None:
    party = ScriptedParty(None)
    party.ask(Say("live"))
    assert due(party, scene(free=None)) is None
    assert party.take(scene()) == Due(Say("live"), None)
    assert party.when(scene()) is None


def test_an_interjection_does_not_wait_for_the_floor_but_for_the_partys_own_last_word() -> None:
    party = ScriptedParty(None)
    party.ask(Say("stop"), over=True)
    assert (party.queued, due(party, scene(1, free=None, silent=False))) == (1, None)
    assert due(party, scene(1, free=None, at_rest=False)) == 1
    assert party.interjection() == Say("stop")
    assert (party.interjection(), party.queued) == (None, 0)


def test_keys_are_always_pressed_politely() -> None:
    party = ScriptedParty(None)
    party.ask(Press("1"), over=True)
    assert party.interjection() is None
    assert due(party, scene(free=None)) is None


# --- steps over the agent ---

OVER: list[Step] = [BargeIn("stop", seconds(0.6)), Backchannel("mhm", seconds(0.6)), HangUp(seconds(0.6))]


@pytest.mark.parametrize("step", OVER)
def test_a_step_over_the_agent_counts_from_when_its_answer_began(step: Step) -> None:
    party = ScriptedParty((step,))
    assert due(party, scene(1, free=None)) is None
    assert due(party, scene(1, free=None, ear=talking(since=1))) == 1.6
    assert due(party, scene(2, free=None, ear=talking(since=1))) == 2


@pytest.mark.parametrize("step", OVER)
def test_it_makes_no_difference_that_the_agent_has_finished_by_then(step: Step) -> None:
    assert due(ScriptedParty((step,)), scene(1.2, free=1.2, ear=Agent(since=START + seconds(1)))) == 1.6


@pytest.mark.parametrize("step", OVER)
def test_without_an_answer_it_counts_from_when_the_floor_became_free(step: Step) -> None:
    assert due(ScriptedParty((step,)), scene(1, free=1)) == 1.6


def test_a_sound_waits_until_the_partys_own_words_are_answered() -> None:
    for step in (Backchannel("mhm"), Beep()):
        party = ScriptedParty((step,))
        assert due(party, scene(1, free=None, at_rest=False, ear=talking())) is None
        assert due(party, scene(1, free=None, ear=talking())) == 1
    assert due(ScriptedParty((BargeIn("and"),)), scene(1, free=None, at_rest=False, ear=talking())) == 1


# --- words to hear ---


def hears(text: str, within: float | None = None) -> Hear:
    return Hear(Match(contains=text), None if within is None else seconds(within))


def test_words_are_waited_for_until_they_are_heard() -> None:
    party = ScriptedParty((hears("shipped"), Say("thanks")))
    agent = talking((1, "It"), (2, "It has"), (3, "It has shipped"), (4, "It has shipped today"))
    assert due(party, scene(free=None, ear=agent)) == 3
    agent.answer = "It has shipped"
    assert party.take(scene(3, free=None, ear=agent)) == Due(hears("shipped"), (0,))
    assert party.hearing is None


def test_words_that_were_heard_already_are_not_waited_for() -> None:
    assert due(ScriptedParty((hears("hello"),)), scene(5, ear=Agent(answer="Acme, hello!"))) == 5


def test_words_that_do_not_come_are_waited_for_forever_or_as_long_as_the_step_says() -> None:
    forever, patient = ScriptedParty((hears("no"),)), ScriptedParty((hears("no", 4),))
    for party in (forever, patient):
        party.ready(START + seconds(1))
    assert due(forever, scene(2)) is None
    assert due(patient, scene(2)) == 5
    assert due(patient, scene(2, free=None, ear=talking((3, "yes")))) == 5


def test_words_heard_at_the_last_instant_are_heard_in_time() -> None:
    party = ScriptedParty((hears("no", 4),))
    party.ready(START)
    agent = talking((4, "no"))
    assert due(party, scene(free=None, ear=agent)) == 4
    agent.answer = "no"
    assert not party.take(scene(4, free=None, ear=agent)).overdue


def test_a_clock_that_comes_late_does_not_make_words_unheard() -> None:
    step = Hear(Match(matches="^It has$"))
    party = ScriptedParty((step,))
    agent = talking((1, "It"), (2, "It has"), (3, "It has shipped"))
    assert due(party, scene(free=None, ear=agent)) == 2
    agent.answer = "It has shipped"
    assert party.take(scene(3, free=None, ear=agent)) == Due(step, (0,))


def test_an_overdue_step_stays_the_next_one() -> None:
    party = ScriptedParty((hears("no", 4),))
    party.ready(START)
    assert party.take(scene(4)) == Due(hears("no", 4), (0,), overdue=True)
    assert party.hearing == Due(hears("no", 4), (0,))
    assert not party.script_played


def test_what_is_playing_is_searched_once() -> None:
    party, agent = ScriptedParty((hears("no"),)), talking((1, "yes"))
    for now in (0, 0.5, 0.7):
        assert due(party, scene(now, free=None, ear=agent)) is None
    assert agent.asked == 1
    agent.sound, agent.words = 2, [(START + seconds(2), "yes no")]
    assert due(party, scene(1, free=None, ear=agent)) == 2


def test_at_the_end_of_the_call_words_that_were_heard_are_taken_and_the_first_that_were_not_are_overdue() -> None:
    party = ScriptedParty((hears("good"), hears("bye"), hears("never"), hears("good")))
    ended = list(party.conclude(scene(ear=Agent(answer="Goodbye"))))
    assert [(d.place, d.overdue) for d in ended] == [((0,), False), ((1,), False), ((2,), True)]
    assert list(ScriptedParty((Say("hi"), hears("good"))).conclude(scene())) == []


# --- branches and loops ---


def test_a_branch_is_chosen_when_the_floor_is_free() -> None:
    branch = Branch((Case(Match(contains="sales"), (Press("1"),)),), otherwise=(Press("0"),))
    party = ScriptedParty((branch, Say("done")))
    assert due(party, scene(free=None, ear=talking())) is None
    assert due(party, scene(4, free=3)) == 4
    assert party.take(scene(4, ear=Agent(answer="For sales press 1"))) == Due(branch, (0,))
    assert [party.take(scene()) for _ in range(2)] == [Due(Press("1"), (0, 0, 0)), Due(Say("done"), (1,))]


def test_a_branch_without_a_fitting_case_goes_on_otherwise_or_with_the_next_step() -> None:
    case = Case(Match(contains="sales"), (Press("1"),))
    for branch, then in ((Branch((case,), (Press("0"),)), (0, 1, 0)), (Branch((case,)), (1,))):
        party = ScriptedParty((branch, Say("done")))
        assert places(party, 2) == [(0,), then]


def test_steps_are_repeated_and_a_place_tells_the_round() -> None:
    party = ScriptedParty((Repeat(2, (Press("1"), Press("2"))), Say("done")))
    assert places(party, 5) == [(0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1), (1,)]
    assert party.script_played


def test_loops_and_branches_nest() -> None:
    inner = Branch((Case(Match(contains="x"), ()),), otherwise=(Repeat(2, (Press("1"),)),))
    party = ScriptedParty((Repeat(2, (inner,)),))
    assert places(party, 6) == [
        (0, 0, 0),
        (0, 0, 0, 1, 0, 0, 0),
        (0, 0, 0, 1, 0, 1, 0),
        (0, 1, 0),
        (0, 1, 0, 1, 0, 0, 0),
        (0, 1, 0, 1, 0, 1, 0),
    ]
    assert party.take(scene()) == Due(HangUp(), None)


def test_a_prelude_comes_first_and_is_not_in_the_script() -> None:
    party = ScriptedParty((Say("hi"),), (Beep(), PickUp()))
    assert not party.script_played
    assert places(party, 3) == [None, None, (0,)]
    assert due(ScriptedParty(None, (Beep(),)), scene()) == 0
