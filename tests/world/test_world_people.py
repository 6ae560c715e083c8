from __future__ import annotations

from datetime import timedelta

import pytest

from simulator.domain.magic import NUMBERS, Magic
from simulator.domain.messages import MessageStatus, TextOutcome
from simulator.engine.script import BargeIn, HangUp, Repeat, Say, Wait
from simulator.errors import BadRequest
from simulator.world import people
from tests.helpers.world import CALLER, make_world


def test_anybody_unknown_answers_after_two_seconds_and_listens() -> None:
    person = people.find(make_world(), CALLER)
    assert (person.number, person.answer, person.ring, person.steps) == (CALLER, "answered", timedelta(seconds=2), None)


def test_a_registered_person_is_found_by_their_number_however_it_was_written() -> None:
    world = make_world()
    put = people.put(world, "(415) 555-0150", steps=(Say("Hello?"), HangUp()), ring=timedelta(seconds=9))
    assert people.find(world, CALLER) == put
    assert put.number == CALLER
    assert put.steps == (Say("Hello?"), HangUp())


def test_registering_again_replaces_the_person() -> None:
    world = make_world()
    people.put(world, CALLER, answer="busy")
    people.put(world, CALLER, answer="no_answer", ring=timedelta())
    assert people.find(world, CALLER).answer == "no_answer"
    assert len(world.people) == 1


@pytest.mark.parametrize("row", NUMBERS, ids=lambda row: row.name)
def test_a_fictional_number_does_what_is_documented(row: Magic) -> None:
    person = people.find(make_world(), f"+121255501{row.digits}")
    assert person.answer in people.ANSWERS
    assert (person.answer, person.ring, person.patience) == (row.answer, row.ring, row.patience)
    assert person.texts == (row.text or people.DELIVERED)
    assert (person.steps is None) is (row.says is None and row.interrupts is None)
    assert person.greeting == row.greeting


def test_a_machine_says_its_words_and_stays_on_the_line() -> None:
    person = people.find(make_world(), "+14155550111")
    assert person.steps == (Say("For sales, press 1. For support, press 2."), Wait(timedelta(seconds=30)))


def test_whoever_talks_over_the_agent_does_so_many_times_and_then_listens() -> None:
    person = people.find(make_world(), "+14155550112")
    (loop, wait) = person.steps or ()
    assert loop == Repeat(20, (BargeIn("No, wait, listen to me.", timedelta(seconds=1)),))
    assert wait == Wait(timedelta(hours=24))


def test_only_a_machine_has_a_greeting() -> None:
    world = make_world()
    assert people.put(world, CALLER, answer="voicemail", greeting="Not here.").greeting == "Not here."
    with pytest.raises(BadRequest, match="a greeting goes with the answer 'voicemail', not 'answered'"):
        people.put(world, CALLER, greeting="Not here.")
    assert people.find(world, CALLER).answer == "voicemail"


def test_whoever_is_registered_wins_over_a_fictional_number() -> None:
    world = make_world()
    busy, landline = "+14155550102", "+14155550121"
    assert people.find(world, busy).answer == "busy"
    assert people.text_outcome(world, landline).code == "LANDLINE"
    people.put(world, busy)
    people.put(world, landline)
    assert people.find(world, busy).answer == "answered"
    assert people.text_outcome(world, landline) == TextOutcome(status=MessageStatus.DELIVERED)


def test_a_text_to_anybody_arrives_unless_something_else_was_said() -> None:
    world = make_world()
    assert people.text_outcome(world, CALLER).status is MessageStatus.DELIVERED
    lost = TextOutcome(status=MessageStatus.FAILED, failure_reason="dropped in a lake")
    people.put(world, CALLER, texts=lost)
    assert people.text_outcome(world, CALLER) == lost


def test_every_answer_is_one_that_the_script_knows() -> None:
    from simulator.engine.script import Answer

    assert set(people.ANSWERS) == {answer.value for answer in Answer} - {"not_joined"}  # web calls have no phone
