from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from simulator.engine.script import (
    MAX_TIMES,
    Answer,
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
    Wait,
    check_size,
    prelude,
)
from simulator.errors import UsageError
from tests.helpers.engine import seconds

AT_ONCE = timedelta()
HELLO = Match(contains="hello")


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
        (lambda: HangUp(seconds(-1)), "cannot hang up after -1 s"),
        (lambda: BargeIn(" "), "cannot say ' '"),
        (lambda: BargeIn("stop", AT_ONCE, 2), "confidence of 'stop' is 2"),
        (lambda: BargeIn("stop", seconds(-2)), "cannot barge in after -2 s"),
        (lambda: Backchannel(""), "cannot say ''"),
        (lambda: Backchannel("uh-huh", seconds(-2)), "cannot make a sound after -2 s"),
        (lambda: Backchannel("yes I do see it"), "takes longer than 1.2 s, too long for a backchannel: use BargeIn"),
        (lambda: Hear(HELLO, seconds(-1)), "cannot listen for -1 s"),
        (lambda: Branch(()), "needs at least one case"),
        (lambda: Repeat(0, (HangUp(),)), "cannot be repeated 0 times: give 1 to"),
        (lambda: Repeat(MAX_TIMES + 1, (HangUp(),)), "cannot be repeated 10001 times"),
        (lambda: Repeat(2, ()), "nothing to repeat"),
        (lambda: Repeat(101, (Repeat(1000, (HangUp(),)),)), "script of 101000 steps, .* 100000 are allowed"),
        (Match, "by one of contains, matches, one_of; got none"),
        (lambda: Match(contains="a", matches="b"), "got contains and matches"),
        (lambda: Match(contains=" "), "contains is empty"),
        (lambda: Match(matches=""), "matches is empty"),
        (lambda: Match(one_of=()), "one_of is empty"),
        (lambda: Match(one_of=("a", "")), "one_of is empty"),
        (lambda: Match(matches="("), r"'\(' is not a regular expression: missing"),
    ],
)
def test_an_impossible_step_is_refused(make: Callable[[], object], about: str) -> None:
    with pytest.raises(UsageError, match=about):
        make()


def test_the_edges_of_what_is_possible_are_accepted() -> None:
    assert [Say("x", 0), Say("x", 1), Wait(AT_ONCE), Press("0123456789*#"), HangUp(AT_ONCE), BargeIn("x", AT_ONCE, 0)]
    assert [Backchannel("one two three"), Hear(HELLO, AT_ONCE), Repeat(1, (HangUp(),)), Repeat(MAX_TIMES, (HangUp(),))]


@pytest.mark.parametrize(
    ("match", "text", "found"),
    [
        (Match(contains="Hello  there"), "well, HELLO\nthere!", True),
        (Match(contains="hello"), "help", False),
        (Match(contains="STRASSE"), "Straße", True),
        (Match(matches="^acme.*hello$"), "Acme says\n hello", True),
        (Match(matches="^hello"), "oh hello", False),
        (Match(one_of=("yes", "of course")), "Of  course.", True),
        (Match(one_of=("yes", "of course")), "no", False),
    ],
)
def test_words_match_whatever_their_capitals_and_spaces(match: Match, text: str, found: bool) -> None:
    assert match.found_in(text) is found


@pytest.mark.parametrize(
    ("match", "said"),
    [
        (HELLO, "contains 'hello'"),
        (Match(matches="a+"), "matches 'a+'"),
        (Match(one_of=("yes", "no")), "one of 'yes', 'no'"),
    ],
)
def test_a_match_says_what_it_wants(match: Match, said: str) -> None:
    assert str(match) == said


@pytest.mark.parametrize(("heard", "chosen"), [("hello", 0), ("bye", 1), ("hello and bye", 0), ("", 2)])
def test_a_branch_goes_on_with_the_first_case_that_fits(heard: str, chosen: int) -> None:
    cases = (Case(HELLO, (Say("hi"),)), Case(Match(contains="bye"), ()))
    assert Branch(cases).choose(heard) == chosen


def test_a_script_is_as_long_as_its_longest_way_through() -> None:
    loop = Repeat(1000, (Say("a"), Say("b")))
    branch = Branch((Case(HELLO, (loop,)), Case(HELLO, ())), otherwise=(Say("c"),))
    check_size((Repeat(49, (branch,)), Say("d")))
    with pytest.raises(UsageError, match="a script of 100050 steps"):
        Repeat(50, (branch,))


@pytest.mark.parametrize("answer", [Answer.ANSWERED, Answer.BUSY, Answer.NO_ANSWER, Answer.FAILED])
def test_most_phones_do_nothing_by_themselves(answer: Answer) -> None:
    assert prelude(answer, "Leave a message", scripted=False) == ()


def test_a_machine_speaks_at_once_and_records_until_it_has_heard_nothing_for_a_while() -> None:
    machine = (BargeIn("Leave a message"), Beep())
    assert prelude(Answer.VOICEMAIL, "Leave a message", scripted=True) == machine
    assert prelude(Answer.VOICEMAIL, "Leave a message", scripted=False) == (*machine, Wait(seconds(10)), HangUp())


@pytest.mark.parametrize(("answer", "then"), [(Answer.SCREENED, PickUp()), (Answer.SCREENED_OUT, HangUp())])
def test_a_phone_that_screens_asks_and_then_the_person_decides(answer: Answer, then: object) -> None:
    question, decision = prelude(answer, "", scripted=False)
    assert isinstance(question, BargeIn) and question.text.startswith("Who is calling")
    assert decision == then
