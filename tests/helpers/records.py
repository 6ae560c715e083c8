"""Records of calls and threads, with defaults, and one run that has a bit of everything in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from simulator.scenarios.expectations import check_call
from simulator.scenarios.loader import load
from simulator.scenarios.record import (
    CallRecord,
    ChunkRecord,
    FindingRecord,
    Gap,
    KeysRecord,
    MessageRecord,
    SpeechRecord,
    TextRecord,
    TurnRecord,
    Who,
)
from simulator.scenarios.results import CallResult, RunResult, ScenarioResult, TextResult
from simulator.scenarios.thread_expectations import check_thread

STARTED: Final = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
CALLER: Final = "+14155550150"
OURS: Final = "+14155550100"


def s(seconds: float) -> timedelta:
    """Seconds, as a length of time."""
    return timedelta(seconds=seconds)


def spoke(who: Who, at: float, length: float, text: str, heard: str | None = None, **more: Any) -> SpeechRecord:
    """Some speech; `heard` when it was cut off."""
    return SpeechRecord(
        who=who,
        at=s(at),
        length=s(length),
        said=text,
        heard=text if heard is None else heard,
        cut=heard is not None,
        **more,
    )


def a_turn(number: int = 1, opened: float = 5, **more: Any) -> TurnRecord:
    """One turn, by default a simple answer after 0.3 s."""
    usual = {
        "closed": s(opened + 0.4),
        "transcript": "Where is my order 4521?",
        "step": (0,),
        "said_text": "It has shipped.",
        "heard_text": "It has shipped.",
        "chunks": (ChunkRecord(at=s(opened + 0.3), text="It has shipped."),),
        "first_word": s(1.0),
        "first_byte": s(0.3),
        "final_chunk": s(0.3),
    }
    return TurnRecord(number=number, opened=s(opened), **(usual | more))


def a_call(*turns: TurnRecord, **more: Any) -> CallRecord:
    """One call; what is heard of the agent is what its turns say."""
    spoken = [
        spoke(Who.AGENT, t.opened.total_seconds() + 0.3, 1.2, t.heard_text, turn=t.number)
        for t in turns
        if t.heard_text
    ]
    usual = {
        "id": "call_1",
        "from_number": CALLER,
        "to_number": OURS,
        "answered": s(0),
        "ended": s(30),
        "reason": "user_hangup",
        "speech": tuple(spoken),
        "turns": turns,
        "steps": tuple((t.step, t.opened) for t in turns if t.step is not None),
        "findings": tuple(finding for t in turns for finding in t.findings),
    }
    return CallRecord(**(usual | more))


BUSY_CALL: Final = CallRecord(
    id="call_7",
    from_number=CALLER,
    to_number=OURS,
    answered=s(2),
    ended=s(61.2),
    reason="user_hangup",
    greeting="Acme orders, hello. What can I do for you?",
    speech=(
        spoke(Who.AGENT, 2, 3.6, "Acme orders, hello. What can I do for you?"),
        spoke(Who.CALLER, 5.8, 2.0, "Where is my order 4521?", turn=1, confidence=0.95),
        spoke(Who.AGENT, 8.74, 2.0, "Let me look that up.", turn=1),
        spoke(
            Who.AGENT,
            11.9,
            2.4,
            "Order 4521 shipped yesterday and arrives on Thursday. Is there anything else?",
            "Order 4521 shipped yesterday and",
            turn=1,
        ),
        spoke(Who.CALLER, 12.6, 0.4, "uh-huh", over=True, backchannel=True),
        spoke(Who.CALLER, 14.0, 1.6, "actually, cancel it please", turn=2, over=True, confidence=0.91),
        spoke(Who.AGENT, 17.1, 2.8, "I'm sorry, I can only look orders up.", turn=2),
        spoke(Who.CALLER, 21.0, 2.4, "Then give me a human, NOW", turn=3, confidence=0.62),
        spoke(Who.AGENT, 57.0, 2.6, "我帮您转接同事，请稍等。", turn=4),
    ),
    keys=(KeysRecord(who=Who.CALLER, at=s(55.1), digits="1#", length=s(0.4), turn=4),),
    turns=(
        a_turn(
            1,
            8.5,
            closed=s(14.3),
            step=(0,),
            first_word=s(0.94),
            first_byte=s(0.2),
            final_chunk=s(2.2),
            said_text="Let me look that up. Order 4521 shipped yesterday and arrives on Thursday. Anything else?",
            heard_text="Let me look that up. Order 4521 shipped yesterday and",
            how="interrupted",
            chunks=(
                ChunkRecord(at=s(8.7), text="Let me look that up.", interim=True),
                ChunkRecord(at=s(11.9), text="Order 4521 shipped yesterday and arrives on Thursday.", interim=True),
                ChunkRecord(at=s(12.4), text="Is there anything else?"),
            ),
            gaps=(Gap(at=s(10.74), length=s(1.16)),),
        ),
        a_turn(
            2,
            16.3,
            closed=s(17.0),
            transcript="actually, cancel it please",
            step=(2,),
            first_word=s(1.5),
            overrun=s(0.3),
            said_text="I'm sorry, I can only look orders up.",
            heard_text="I'm sorry, I can only look orders up.",
            first_byte=s(0.6),
            final_chunk=s(0.65),
            chunks=(ChunkRecord(at=s(16.9), text="I'm sorry, I can only look orders up."),),
        ),
        a_turn(
            3,
            24.1,
            closed=s(54.1),
            transcript="Then give me a human, NOW",
            step=(3,),
            first_word=None,
            first_byte=None,
            final_chunk=None,
            said_text="",
            heard_text="",
            chunks=(),
            how="timed_out",
            gaps=(Gap(at=s(23.4), length=s(30.7)),),
            findings=(
                FindingRecord(kind="reply_timed_out", message="no byte of the reply came within 30 s", at=s(54.1)),
            ),
        ),
        a_turn(
            4,
            56.1,
            closed=s(57.0),
            transcript="1#",
            step=(4,),
            first_word=s(1.5),
            first_byte=s(0.7),
            final_chunk=s(0.8),
            said_text="我帮您转接同事，请稍等。",
            heard_text="我帮您转接同事，请稍等。",
            chunks=(ChunkRecord(at=s(56.9), text="我帮您转接同事，请稍等。"),),
        ),
    ),
    findings=(FindingRecord(kind="reply_timed_out", message="no byte of the reply came within 30 s", at=s(54.1)),),
    steps=(((0,), s(5.8)), ((1,), s(12.6)), ((2,), s(14.0)), ((3,), s(21)), ((4,), s(55.1))),
)

STORY: Final = """
name: an impatient caller
description: Asks, talks over the answer, wants a human, and is kept waiting.
tags: [support, barge-in]
calls:
  - name: the order
    script:
      - say: Where is my order 4521?
        expect: {text: {contains: delivered}, first_word_within: 1s}
      - backchannel: {after: 700ms, say: uh-huh}
      - barge_in: {after: 5s, say: "actually, cancel it please"}
        expect: {overrun_within: 350ms}
      - say: Then give me a human, NOW
        expect: {action: transfer, first_word_within: 2s}
      - press: "1#"
      - hang_up
    expect: {reason: user_hangup, no_gap_over: 3s, findings: none}
texts:
  - script: [{text: "hi"}, {expect_reply: {within: 10s}}, {after: 2d}, {text: STOP}, {expect_no_reply: {for: 1m}}]
"""
THREAD: Final = TextRecord(
    from_number=CALLER,
    to_number=OURS,
    ended=s(172_900),
    messages=(
        MessageRecord(by=Who.CALLER, at=s(0), body="hi"),
        MessageRecord(by=Who.AGENT, at=s(0.4), body="I can look up an order for you. What is its number?"),
        MessageRecord(by=Who.CALLER, at=s(172_800), body="STOP"),
    ),
    steps=((0, s(0)), (1, s(0)), (2, s(0.4)), (3, s(172_800)), (4, s(172_800))),
)


def busy_run() -> RunResult:
    """A run of two scenarios, one of which fails."""
    scenario = load(STORY)
    call, text = scenario.calls[0], scenario.texts[0]
    results = CallResult(
        where="calls[0]", name="the order", record=BUSY_CALL, checks=check_call(call, BUSY_CALL, "calls[0]")
    )
    thread = TextResult(
        where="texts[0]", name="two days later", record=THREAD, checks=check_thread(text, THREAD, "texts[0]")
    )
    first = ScenarioResult(
        file="impatient.yaml",
        name=scenario.name,
        description=scenario.description or "",
        tags=tuple(scenario.tags),
        calls=(results,),
        texts=(thread,),
        real_seconds=0.031,
    )
    quick = a_call(a_turn(1, 5), a_turn(2, 12, step=(1,), first_word=s(0.8)))
    second = ScenarioResult(
        file="quick.yaml",
        name="a quick one",
        real_seconds=0.004,
        calls=(CallResult(where="calls[0]", name="call 1", record=quick),),
    )
    return RunResult(
        handler="http://127.0.0.1:3000/webhook",
        started=STARTED,
        version="0.1.0",
        scenarios=(first, second),
        real_seconds=0.04,
    )
