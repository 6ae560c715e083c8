from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from simulator.engine.script import Match
from simulator.engine.thread import (
    LEGAL,
    MAX_UNREAD,
    NoteTextStep,
    ReactNow,
    ReplyArrived,
    SendNow,
    StartWait,
    StopWait,
    Texter,
    TexterState,
    TextRefused,
    TextSent,
    ThreadBegun,
    ThreadEffect,
    ThreadEvent,
    ThreadFailed,
    ThreadFinished,
    WaitOver,
)
from simulator.engine.thread_script import (
    MAX_STEPS,
    MAX_TIMES,
    After,
    ExpectNoReply,
    ExpectReply,
    React,
    RepeatTexts,
    SendText,
    TextBranch,
    TextCase,
    ThreadStep,
)
from simulator.errors import IllegalTransition, UsageError
from tests.helpers.engine import seconds

START = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
YES = Match(contains="yes")
HI, BYE = SendText("hi"), SendText("bye")
EXPECT, QUIET = ExpectReply(seconds(10)), ExpectNoReply(seconds(10))
SENT, OVER = TextSent(), WaitOver()


def reply(text: str = "yes") -> ReplyArrived:
    return ReplyArrived(f"msg_{text}", text)


def play(steps: tuple[ThreadStep, ...], *events: tuple[float, ThreadEvent]) -> tuple[Texter, list[ThreadEffect]]:
    """Begin at once, then let each event happen so many seconds after the start; the last event's effects."""
    texter = Texter(steps)
    effects = texter.handle(ThreadBegun(), START)
    for after, event in events:
        effects = texter.handle(event, START + seconds(after))
    return texter, effects


def test_texts_are_sent_one_at_a_time() -> None:
    assert play((HI, BYE))[1] == [NoteTextStep((0,), "text"), SendNow(HI)]
    assert play((HI, BYE), (0, SENT))[1] == [NoteTextStep((1,), "text"), SendNow(BYE)]
    assert play((HI, BYE), (0, SENT), (0, SENT))[1] == [ThreadFinished()]


def test_nothing_to_do_is_done_at_once() -> None:
    texter, effects = play(())
    assert (texter.state, effects) == (TexterState.DONE, [ThreadFinished()])


def test_time_passes() -> None:
    two_days = After(timedelta(days=2))
    assert play((two_days, HI))[1] == [NoteTextStep((0,), "after"), StartWait(timedelta(days=2))]
    assert play((two_days, HI), (172_800, OVER))[1] == [NoteTextStep((1,), "text"), SendNow(HI)]


def test_a_reply_in_time_lets_the_script_go_on() -> None:
    texter, effects = play((HI, EXPECT), (0, SENT), (10, reply()))
    assert (texter.state, effects) == (TexterState.DONE, [StopWait(), ThreadFinished()])


def test_a_reply_that_came_before_it_was_expected_counts() -> None:
    assert play((HI, After(seconds(60)), EXPECT), (0, SENT), (2, reply()), (60, OVER))[0].state is TexterState.DONE


def test_a_reply_answers_one_expectation_only() -> None:
    texter, effects = play((EXPECT, EXPECT), (1, reply()))
    assert (texter.state, effects) == (
        TexterState.EXPECTING,
        [StopWait(), NoteTextStep((1,), "expect_reply"), StartWait(seconds(10))],
    )


def test_the_expected_reply_uses_up_those_before_it() -> None:
    steps = (ExpectReply(seconds(10), YES), EXPECT)
    assert play(steps, (1, reply("wait")), (2, reply("yes!")))[0].state is TexterState.EXPECTING


def test_without_the_expected_reply_the_script_fails_when_the_time_is_up() -> None:
    texter, effects = play((ExpectReply(seconds(10), YES), HI), (1, reply("no")), (2, reply("never")), (10, OVER))
    failed = ThreadFailed((0,), "a reply within 10 s that contains 'yes'", "'no', 'never'")
    assert (texter.state, effects) == (TexterState.FAILED, [failed])


def test_a_reply_after_the_time_is_too_late_even_if_nobody_woke_us() -> None:
    _, effects = play((EXPECT,), (10.001, reply()))
    assert effects == [StopWait(), ThreadFailed((0,), "a reply within 10 s", "nothing")]


def test_what_was_heard_is_told_in_short() -> None:
    many = [(1, reply(f"no {number}")) for number in range(7)]
    _, effects = play((ExpectReply(seconds(10), YES),), *many, (10, OVER))
    assert isinstance(effects[-1], ThreadFailed)
    assert effects[-1].heard == "2 more, then 'no 2', 'no 3', 'no 4', 'no 5', 'no 6'"


def test_quiet_is_kept_until_the_time_is_up() -> None:
    assert play((QUIET,), (10, OVER))[1] == [ThreadFinished()]
    assert play((QUIET,), (9, reply("psst")))[1] == [StopWait(), ThreadFailed((0,), "no reply for 10 s", "'psst'")]


def test_a_reply_from_before_does_not_break_the_quiet() -> None:
    steps = (After(seconds(5)), QUIET)
    assert play(steps, (1, reply()), (5, OVER), (15, OVER))[0].state is TexterState.DONE


def test_a_reply_after_the_quiet_is_for_the_next_step_even_if_nobody_woke_us() -> None:
    texter, effects = play((QUIET, EXPECT), (11, reply()))
    assert (texter.state, effects[0]) == (TexterState.DONE, StopWait())


@pytest.mark.parametrize(("text", "place"), [("oh yes", (1, 0, 0)), ("no", (1, 1, 0))])
def test_a_branch_goes_by_the_latest_reply(text: str, place: tuple[int, ...]) -> None:
    branch = TextBranch((TextCase(YES, (HI,)),), (BYE,))
    assert play((EXPECT, branch), (1, reply(text)))[1][-2] == NoteTextStep(place, "text")


def test_a_branch_without_a_reply_takes_the_other_way() -> None:
    assert play((TextBranch((TextCase(YES, (HI,)),)), BYE))[1][-1] == SendNow(BYE)


def test_whoever_answers_an_opener_has_read_it() -> None:
    texter = Texter((TextBranch((TextCase(YES, (React("love"),)),)), EXPECT))
    effects = texter.handle(ThreadBegun(reply("yes?")), START)
    assert effects[-1] == ReactNow("msg_yes?", "love")
    assert texter.handle(SENT, START)[-1] == StartWait(seconds(10))


def test_loops_say_which_round_they_are_in() -> None:
    texter, effects = play((RepeatTexts(2, (HI, RepeatTexts(2, (BYE,)))),))
    places = [e.place for e in effects if isinstance(e, NoteTextStep)]
    while not texter.ended:
        places += [e.place for e in texter.handle(SENT, START) if isinstance(e, NoteTextStep)]
    inner = [[(0, r, 1, i, 0) for i in (0, 1)] for r in (0, 1)]
    assert places == [(0, 0, 0), *inner[0], (0, 1, 0), *inner[1]]


def test_a_refused_text_ends_the_script() -> None:
    _, effects = play((HI, BYE), (0, TextRefused("the number was released")))
    assert effects == [ThreadFailed((0,), "the text to be sent", "the number was released")]


def test_there_must_be_something_to_react_to() -> None:
    assert play((React("love"),))[1][-1] == ThreadFailed((0,), "a reply to react to", "nothing")
    assert play((EXPECT, React("love")), (1, reply()), (1, TextRefused("no")))[1][-1] == ThreadFailed(
        (1,), "a reply to react to", "no"
    )


def test_only_so_many_replies_are_kept() -> None:
    texter, _ = play((After(seconds(10)), ExpectReply(seconds(0), Match(contains="first"))))
    texter.handle(reply("first"), START)
    for _ in range(MAX_UNREAD):
        texter.handle(reply("x"), START)
    texter.handle(OVER, START + seconds(10))
    assert texter.handle(OVER, START + seconds(10))[-1].__class__ is ThreadFailed


IN_STATE = {
    TexterState.NEW: Texter((HI,)),
    TexterState.SENDING: play((HI,))[0],
    TexterState.PAUSING: play((After(seconds(1)),))[0],
    TexterState.EXPECTING: play((QUIET,))[0],
    TexterState.DONE: play(())[0],
    TexterState.FAILED: play((HI,), (0, TextRefused("no")))[0],
}
EVENTS: tuple[ThreadEvent, ...] = (ThreadBegun(), SENT, TextRefused("no"), OVER)


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("state", TexterState)
def test_what_cannot_happen_is_refused_and_changes_nothing(state: TexterState, event: ThreadEvent) -> None:
    if state in LEGAL[type(event)]:
        return
    with pytest.raises(IllegalTransition, match=f"{type(event).__name__} cannot happen to a thread that is {state}"):
        IN_STATE[state].handle(event, START + seconds(60))
    assert IN_STATE[state].state is state


@pytest.mark.parametrize("state", [TexterState.DONE, TexterState.FAILED])
def test_replies_after_the_end_lead_to_nothing(state: TexterState) -> None:
    assert IN_STATE[state].handle(reply(), START + seconds(60)) == []


@pytest.mark.parametrize("when", [START - seconds(1), START.replace(tzinfo=None)])
def test_time_never_runs_back(when: datetime) -> None:
    with pytest.raises((ValueError, TypeError)):
        play((HI,))[0].handle(SENT, when)


def test_a_script_has_a_bound() -> None:
    loop = RepeatTexts(MAX_TIMES, (HI,) * (MAX_STEPS // MAX_TIMES))
    Texter((loop,))
    with pytest.raises(UsageError, match=f"a thread of {MAX_STEPS + 1} steps"):
        Texter((loop, TextBranch((TextCase(YES, ()),))))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: SendText(""), "an empty text needs media"),
        (lambda: After(seconds(-1)), "nobody can let -1 s pass"),
        (lambda: ExpectReply(seconds(-1)), "nobody can expect a reply within -1 s"),
        (lambda: ExpectNoReply(seconds(-1)), "nobody can be left alone for -1 s"),
        (lambda: React(" "), "a blank reaction"),
        (lambda: TextBranch(()), "at least one case"),
        (lambda: RepeatTexts(0, (HI,)), "cannot be repeated 0 times"),
        (lambda: RepeatTexts(MAX_TIMES + 1, (HI,)), "give 1 to 1000"),
        (lambda: RepeatTexts(1, ()), "nothing to repeat"),
    ],
)
def test_what_nobody_can_do_is_refused(make: object, says: str) -> None:
    assert callable(make)
    with pytest.raises(UsageError, match=says):
        make()


@pytest.mark.parametrize(
    ("step", "says"),
    [
        (ExpectReply(seconds(1.5), Match(matches="^a")), "a reply within 1.5 s that matches '^a'"),
        (ExpectReply(seconds(1), Match(one_of=("a", "b"))), "a reply within 1 s that has one of 'a', 'b'"),
    ],
)
def test_an_expectation_says_what_it_expects(step: ThreadStep, says: str) -> None:
    assert str(step) == says


def test_a_picture_needs_no_words() -> None:
    assert SendText("", ("https://files.example.com/a.jpg",)).media
