from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.domain.agents import CustomTool
from simulator.domain.calls import Party
from simulator.domain.findings import FindingKind
from simulator.domain.hosted import HostedAnswer, ToolUse
from simulator.engine.effects import ReportFinding
from simulator.engine.events import ReplyBytes, ReplyEnded, ReplyStarted
from simulator.engine.hosted import (
    MAX_SPOKEN,
    MAX_TOOL_USES,
    MODEL_TIMEOUT,
    REPLY_TIMEOUT,
    THINK_TIME,
    TOOL_TIMEOUT,
    HostedDouble,
    State,
    filler_of,
    greeting,
)
from simulator.engine.hosted_events import (
    Answered,
    AskFunction,
    AskingFailed,
    AskModel,
    DoubleEffect,
    DoubleEvent,
    Line,
    Reply,
    Role,
    Said,
    StopWork,
    ToolAnswered,
    ToolFailed,
    TurnCancelled,
    TurnOpened,
    UseTool,
    Wait,
    Waited,
)
from simulator.engine.script import Match
from simulator.errors import UsageError

SCHEMA = {"type": "object", "properties": {"day": {"type": "string"}}, "required": ["day"]}
BOOK = CustomTool(name="book", description="", url="http://127.0.0.1/book", parameters=SCHEMA)
ROLE = Role(call_id="call_1", agent_name="Ann", prompt="Be kind", variables={"who": "Bob"}, tools=(BOOK,))
USE = ToolUse(name="book", arguments={"day": "Monday"})


def say(text: str = "", when: str | None = None, **more: Any) -> Line:
    return Line(answer=HostedAnswer(say=text, **more), when=None if when is None else Match(contains=when))


def double(*lines: Line, **changes: Any) -> HostedDouble:
    return HostedDouble(replace(ROLE, lines=lines, **changes))


def drive(machine: HostedDouble, *events: DoubleEvent) -> list[DoubleEffect]:
    return [effect for event in events for effect in machine.handle(event)]


def turn(machine: HostedDouble, heard: str = "hello", turn_id: str = "1") -> list[DoubleEffect]:
    return drive(machine, TurnOpened(turn_id, heard), Waited())


def chunks(effects: Iterable[DoubleEffect]) -> list[dict[str, Any]]:
    lines = [e.event.data for e in effects if isinstance(e, Reply) and isinstance(e.event, ReplyBytes)]
    return [json.loads(line) for line in b"".join(lines).splitlines()]


def only(effects: Iterable[DoubleEffect], kind: type) -> Any:
    (found,) = [effect for effect in effects if isinstance(effect, kind)]
    return found


def kinds(effects: Iterable[DoubleEffect]) -> list[FindingKind]:
    return [effect.kind for effect in effects if isinstance(effect, ReportFinding)]


def test_it_thinks_first_and_then_replies_as_a_handler_that_streams() -> None:
    machine = double(say("Hi"))
    assert drive(machine, TurnOpened("1", "hello")) == [Wait(THINK_TIME)]
    assert drive(machine, Waited()) == [
        Reply(ReplyStarted("1", 200, "application/x-ndjson")),
        Reply(ReplyBytes("1", b'{"text": "Hi"}\n')),
        Reply(ReplyEnded("1")),
    ]


def test_lines_are_used_once_in_order_and_then_the_double_speaks_for_itself() -> None:
    machine = double(say("One"), say("Two"))
    said = [chunks(turn(machine))[0]["text"] for _ in range(4)]
    assert said[:2] == ["One", "Two"]
    assert said[2] == said[3] == "This is the simulated voice of Ann. I heard: hello"


def test_a_line_for_certain_words_wins_and_is_never_used_up() -> None:
    machine = double(say("One"), say("Fifty", when="price"))
    heard = ["the price", "what?", "The  PRICE again"]
    assert [chunks(turn(machine, text))[0]["text"] for text in heard] == ["Fifty", "One", "Fifty"]


def test_the_fallback_names_its_prompt_on_the_first_turn_only() -> None:
    machine = double()
    first, second = chunks(turn(machine))[0]["text"], chunks(turn(machine, ""))[0]["text"]
    assert first == "This is the simulated voice of Ann. I was told: Be kind I heard: hello"
    assert second == "This is the simulated voice of Ann. I heard: nothing"
    assert greeting("Ann") == "Hello, this is the simulated voice of Ann."


def test_keys_and_actions_go_with_the_words() -> None:
    (chunk,) = chunks(turn(double(say("Bye", digits="1#", action="hangup"))))
    assert chunk == {"text": "Bye", "digits": "1#", "action": "hangup"}


def test_variables_of_the_call_and_what_was_heard_are_filled_in() -> None:
    (chunk,) = chunks(turn(double(say("{{ who }} said {{heard}}")), "{{who}}"))
    assert chunk["text"] == "Bob said {{who}}"


def test_a_name_without_a_value_stays_and_is_reported_once() -> None:
    machine = double(say("{{x}} {{x}}"), say("{{x}}"), unknown=("y",))
    assert kinds(machine.begin()) == [FindingKind.VARIABLE_UNKNOWN]
    first = turn(machine)
    assert (chunks(first)[0]["text"], kinds(first)) == ("{{x}} {{x}}", [FindingKind.VARIABLE_UNKNOWN])
    assert kinds(turn(machine)) == []


def test_very_long_words_are_cut() -> None:
    (chunk,) = chunks(turn(double(say("🙂" * (MAX_SPOKEN + 5)))))
    assert len(chunk["text"]) == MAX_SPOKEN


def test_words_that_no_utf8_can_hold_do_no_harm() -> None:
    assert chunks(turn(double(say("a\ud800b")))) == [{"text": "a?b"}]


# -- tools -------------------------------------------------------------------------------------------------------


def test_a_tool_is_called_before_its_line_is_said() -> None:
    machine = double(say("Booked: {{result.id}}, {{ result }}", tool=USE, action="hangup"))
    effects = turn(machine)
    use = only(effects, UseTool)
    assert (use.use, use.request.body, use.turn_id) == (USE, b'{"day": "Monday"}', "1")
    assert (effects[-1], chunks(effects)) == (Wait(TOOL_TIMEOUT), [])
    done = drive(machine, ToolAnswered(use.ticket, 200, '{"id": 7}'))
    assert chunks(done) == [{"text": 'Booked: 7, {"id": 7}', "action": "hangup"}]
    assert done[0] == StopWork()


def test_without_words_of_its_own_a_line_speaks_the_tools_result() -> None:
    machine = double(say(tool=USE))
    ticket = only(turn(machine), UseTool).ticket
    assert chunks(drive(machine, ToolAnswered(ticket, 201, '"Done, Bob."'))) == [{"text": "Done, Bob."}]


@pytest.mark.parametrize(
    ("speak", "message", "spoken"),
    [
        (None, None, ""),
        (True, None, "One moment, please."),
        (True, " Let me see. ", "Let me see."),
        (None, "Let me see.", "Let me see."),
        (False, "Let me see.", ""),
        (True, "  ", "One moment, please."),
    ],
)
def test_a_filler_is_spoken_while_the_tool_works(speak: bool | None, message: str | None, spoken: str) -> None:
    tool = replace(BOOK, speak_during_execution=speak, execution_message=message)
    effects = turn(double(say("ok", tool=USE), tools=(tool,)))
    assert filler_of(tool) == spoken
    assert chunks(effects) == ([{"text": spoken, "interim": True}] if spoken else [])


@pytest.mark.parametrize(
    ("use", "finding", "about"),
    [
        (ToolUse(name="nope"), FindingKind.TOOL_UNKNOWN, "it has book"),
        (ToolUse(name="book"), FindingKind.TOOL_ARGUMENTS, "arguments.day is missing"),
        (ToolUse(name="book", arguments={"day": 1}), FindingKind.TOOL_ARGUMENTS, "must be string, not integer"),
        (ToolUse(name="book", arguments={"day": "x", "y": object()}), FindingKind.TOOL_FAILED, "not JSON serializable"),
    ],
)
def test_a_tool_that_cannot_be_called_is_a_finding_and_an_apology(
    use: ToolUse, finding: FindingKind, about: str
) -> None:
    effects = turn(double(say("ok", tool=use)))
    report = only(effects, ReportFinding)
    assert (report.kind, about in report.message) == (finding, True)
    assert chunks(effects) == [{"text": f"I am sorry, {use.name} did not work."}]


def test_a_header_that_cannot_be_sent_is_a_finding() -> None:
    tool = replace(BOOK, headers={"X-A": "{{who}}"})
    machine = double(say("ok", tool=USE), tools=(tool,), variables={"who": "a\r\nb"})
    assert kinds(turn(machine)) == [FindingKind.TOOL_FAILED]


def test_a_tool_that_fails_is_a_finding_and_its_line_is_not_said() -> None:
    machine = double(say("ok", tool=USE), say("ok", tool=USE))
    ticket = only(turn(machine), UseTool).ticket
    refused = drive(machine, ToolAnswered(ticket, 500, "oops"))
    assert only(refused, ReportFinding).sample == b"oops"
    ticket = only(turn(machine), UseTool).ticket
    broken = drive(machine, ToolFailed(ticket, "connection refused"))
    assert kinds([*refused, *broken]) == [FindingKind.TOOL_FAILED] * 2
    assert chunks([*refused, *broken]) == [{"text": "I am sorry, book did not work."}] * 2


def test_a_tool_has_its_own_timeout_and_its_answer_is_late_after_it() -> None:
    machine = double(say("ok", tool=USE), tools=(replace(BOOK, timeout=timedelta(seconds=2)),))
    effects = turn(machine)
    assert effects[-1] == Wait(timedelta(seconds=2))
    late = drive(machine, Waited())
    assert (late[0], kinds(late), len(chunks(late))) == (StopWork(), [FindingKind.TOOL_TIMED_OUT], 1)
    assert "within 2 s" in only(late, ReportFinding).message
    assert drive(machine, ToolAnswered(only(effects, UseTool).ticket, 200, "ok")) == []


def test_a_part_that_the_result_lacks_is_reported() -> None:
    machine = double(say("{{result.a.0}} {{result.b}}", tool=USE))
    done = drive(machine, ToolAnswered(only(turn(machine), UseTool).ticket, 200, '{"a": [[1]]}'))
    assert (chunks(done)[0]["text"], kinds(done)) == ("[1] {{result.b}}", [FindingKind.VARIABLE_UNKNOWN])


# -- a function, a model -----------------------------------------------------------------------------------------


def test_the_function_is_told_everything_and_its_answer_is_said() -> None:
    machine = double(has_function=True)
    history = ((Party.AGENT, "Hello"),)
    ask = only(drive(machine, TurnOpened("1", "hi", history), Waited()), AskFunction)
    told = ask.turn
    assert (told.heard, told.history, told.prompt, told.number) == ("hi", history, "Be kind", 1)
    assert chunks(drive(machine, Answered(ask.ticket, HostedAnswer(say="Yes")))) == [{"text": "Yes"}]


def test_sources_are_asked_in_order_until_one_has_an_answer() -> None:
    machine = double(say("Line"), has_function=True, has_model=True)
    assert chunks(turn(machine)) == [{"text": "Line"}]
    function = only(turn(machine), AskFunction)
    effects = drive(machine, Answered(function.ticket, None))
    model = only(effects, AskModel)
    assert (only(effects, Wait).delay, model.tools) == (MODEL_TIMEOUT, (BOOK,))
    (spoken,) = chunks(drive(machine, Answered(model.ticket, None)))
    assert spoken["text"].startswith("This is the simulated voice")


def test_a_source_that_fails_is_a_finding_and_a_stand_in_line() -> None:
    machine = double(has_function=True)
    failed = drive(machine, AskingFailed(only(turn(machine), AskFunction).ticket, "it raised KeyError: 'x'"))
    assert "KeyError" in only(failed, ReportFinding).message
    slow = double(has_model=True)
    late = [*turn(slow), *drive(slow, Waited())]
    assert kinds([*failed, *late]) == [FindingKind.HOSTED_FAILED] * 2
    assert len(chunks([*failed, *late])) == 2


def test_a_models_sentences_are_spoken_as_they_come() -> None:
    machine = double(has_model=True)
    ticket = only(turn(machine), AskModel).ticket
    effects = drive(machine, Said(ticket, "Well."), Answered(ticket, HostedAnswer(say="Yes.")))
    assert chunks(effects) == [{"text": "Well.", "interim": True}, {"text": "Yes."}]
    assert [type(e.event) for e in effects if isinstance(e, Reply)].count(ReplyStarted) == 1


def test_an_answer_to_an_earlier_turn_is_late() -> None:
    machine = double(has_model=True)
    first, second = (only(turn(machine, turn_id=turn_id), AskModel).ticket for turn_id in "12")
    assert drive(machine, Said(first, "x"), Answered(first, None), AskingFailed(first, "x")) == []
    assert machine.state is State.ASKING
    assert drive(machine, Answered(second, HostedAnswer(say="Yes")))[0] == StopWork()


def test_whoever_called_a_tool_is_asked_again_with_its_result() -> None:
    machine = double(has_function=True)
    ask = only(turn(machine), AskFunction)
    use = only(drive(machine, Answered(ask.ticket, HostedAnswer(tool=USE))), UseTool)
    again = only(drive(machine, ToolAnswered(use.ticket, 404, "no such day")), AskFunction)
    (result,) = again.turn.results
    assert (result.use, result.worked, result.text) == (USE, False, "no such day")
    assert again.turn.number == 1


def test_tools_without_end_are_ended() -> None:
    machine, seen = double(has_function=True), list[DoubleEffect]()
    effects = turn(machine)
    for _ in range(MAX_TOOL_USES + 1):
        ask = only(effects, AskFunction)
        effects = drive(machine, Answered(ask.ticket, HostedAnswer(tool=ToolUse(name="nope"))))
        seen += effects
    assert kinds(seen) == [FindingKind.TOOL_UNKNOWN] * MAX_TOOL_USES + [FindingKind.TOOL_LOOP]
    assert machine.state is State.IDLE


def test_the_call_engine_is_more_patient_than_all_tools_and_answers_of_a_turn() -> None:
    longest_tool = timedelta(minutes=2)
    assert THINK_TIME + MAX_TOOL_USES * longest_tool + (MAX_TOOL_USES + 1) * MODEL_TIMEOUT < REPLY_TIMEOUT


@pytest.mark.parametrize("wrong", [{"say": 5}, {"digits": 1}, {"action": "fly"}, {"tool": "book"}])
def test_an_answer_that_means_nothing_cannot_be_made(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        HostedAnswer(**wrong)


# -- any order ---------------------------------------------------------------------------------------------------

TICKETS = st.integers(0, 12)
ANSWERS = st.one_of(st.none(), st.builds(HostedAnswer, say=st.text(max_size=5), tool=st.sampled_from([None, USE])))
EVENTS = st.one_of(
    st.builds(TurnOpened, st.sampled_from("123"), st.text(max_size=5)),
    st.just(TurnCancelled()),
    st.just(Waited()),
    st.builds(Said, TICKETS, st.text(max_size=5)),
    st.builds(Answered, TICKETS, ANSWERS),
    st.builds(AskingFailed, TICKETS, st.text(max_size=5)),
    st.builds(ToolAnswered, TICKETS, st.sampled_from([200, 500]), st.text(max_size=5)),
    st.builds(ToolFailed, TICKETS, st.text(max_size=5)),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(EVENTS, max_size=30), st.booleans(), st.booleans())
def test_in_any_order_every_reply_has_one_head_one_end_and_belongs_to_the_open_turn(
    events: list[DoubleEvent], function: bool, model: bool
) -> None:
    machine = double(say("a", tool=USE), has_function=function, has_model=model)
    turn_id, open_, headed = "", False, False
    for event in events:
        if isinstance(event, TurnOpened):
            turn_id, open_, headed = event.turn_id, True, False
        open_ = open_ and not isinstance(event, TurnCancelled)
        for effect in machine.handle(event):
            if not isinstance(effect, Reply):
                continue
            assert open_ and effect.event.turn_id == turn_id
            assert headed is not isinstance(effect.event, ReplyStarted)
            headed = True
            open_ = not isinstance(effect.event, ReplyEnded)
        assert (machine.state is State.IDLE) is not open_
