"""Whether the conformance cases deserve trust: each finds its mistake, and no other handler is blamed for it.

In `contract_tests/zoo` cases are played against every handler, in a file for each group: the one whose case a handler
breaks first. So they are played side by side.
"""

from __future__ import annotations

from collections import Counter

from simulator.conformance.cases import ALL
from simulator.conformance.verdicts import Level, Verdict
from tests.helpers import zoo

NAMES = zoo.names()
ANIMALS = {name: zoo.load(name) for name in NAMES}


def test_the_sound_handler_passes_everything_and_everything_is_played() -> None:
    report = zoo.examined(ANIMALS[zoo.SOUND])
    wanted = {case.number: Verdict.INFORMATIONAL if case.level is Level.MAY else Verdict.PASS for case in ALL}
    assert {result.number: result.verdict for result in report.results} == wanted


def test_every_case_finds_a_broken_handler() -> None:
    found = Counter(number for animal in ANIMALS.values() for number in (*animal.fails, *animal.misses))
    assert [case.number for case in ALL if case.level is not Level.MAY and not found[case.number]] == []


def test_what_a_handler_breaks_is_played_and_every_case_meets_many_who_do_not_break_it() -> None:
    met: Counter[str] = Counter()
    for animal in ANIMALS.values():
        due = set(zoo.due(animal))
        assert animal.fails | animal.misses <= due, animal.name
        met.update(due - animal.fails - animal.misses)
    assert [case.number for case in ALL if not case.asked_for and met[case.number] < len(NAMES) // 4] == []


def test_every_broken_handler_is_found() -> None:
    broken = [animal for animal in ANIMALS.values() if animal.name != zoo.SOUND and not animal.attack]
    assert [animal.name for animal in broken if not (animal.fails or animal.misses)] == []


def test_handlers_declare_cases_that_exist_and_each_once() -> None:
    numbers = {case.number for case in ALL}
    for animal in ANIMALS.values():
        assert animal.fails | animal.misses <= numbers, animal.name
        assert not animal.fails & animal.misses, animal.name


def test_there_are_at_least_seventy_cases_and_their_numbers_are_in_order() -> None:
    places = [tuple(int(part) for part in case.number.split(".")) for case in ALL]
    assert len(ALL) >= 70
    assert places == [(group, place) for group in range(1, 9) for place in _counted(group, places)]


def _counted(group: int, places: list[tuple[int, ...]]) -> range:
    return range(1, 1 + sum(1 for place in places if place[0] == group))


def test_a_case_says_all_that_somebody_needs_to_mend_it() -> None:
    for case in ALL:
        for part in (case.title, case.source, case.sent, case.expected, case.why, case.mend):
            assert len(part) >= 3 and part == part.strip(), (case.number, part)
    assert [title for title, times in Counter(case.title for case in ALL).items() if times > 1] == []


def test_the_published_table_is_up_to_date() -> None:
    assert zoo.TABLE.read_text("utf-8") == zoo.table(), "run: python -m tests.helpers.zoo --publish"
