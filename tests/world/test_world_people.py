from __future__ import annotations

from datetime import timedelta

from simulator.engine.script import HangUp, Say
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


def test_every_answer_is_one_that_the_script_knows() -> None:
    from simulator.engine.script import Answer

    assert set(people.ANSWERS) == {answer.value for answer in Answer}
