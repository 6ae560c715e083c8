from __future__ import annotations

from typing import Any

import pytest

from simulator.conformance.attack.laws import LAWS, Breach, Observed, breaches
from simulator.conformance.attack.plan import AFTERWARDS, BargeIn, Call, FaultGroup, Plan, Say, Text, Thread
from simulator.conformance.attack.strategies import DELIVERY_FAULTS, PLAIN, TURN_FAULTS
from simulator.domain.findings import FindingKind
from simulator.scenarios.record import CallRecord, DeliveryRecord, FindingRecord, TextRecord, TurnRecord
from tests.helpers.records import a_call, a_turn, s

ASKED = Plan(calls=(Call(steps=(Say(PLAIN[0], plain=True), BargeIn(0.5, "No, wait"))),))
TEXTED = Plan(threads=(Thread(texts=(Text(words="hello"),)),))
CUT = next(fault for fault in TURN_FAULTS if fault.name == "cut")
LOST = Plan(calls=ASKED.calls, faults=(CUT,), policies=(("voice_turn_retry", "once"),))
SILENT: dict[str, Any] = {"first_word": None, "heard_text": "", "said_text": "", "chunks": ()}


def found(kind: FindingKind) -> FindingRecord:
    return FindingRecord(kind=kind.value, message="so it was (at 127.0.0.1:4711)", at=s(5))


def turn(*kinds: FindingKind, **more: Any) -> TurnRecord:
    return a_turn(findings=tuple(map(found, kinds)), **more)


def delivery(status: str = "success", attempts: int = 1, http_status: int | None = 200) -> DeliveryRecord:
    return DeliveryRecord(
        id="del_1", event="agent.message", status=status, attempts=attempts, at=s(0), http_status=http_status
    )


def thread(*deliveries: DeliveryRecord) -> TextRecord:
    return TextRecord(from_number="+14155550150", to_number="+14155550100", ended=s(9), deliveries=deliveries)


def judged(plan: Plan, *calls: CallRecord, **more: Any) -> list[Breach]:
    return list(breaches(plan, Observed(calls={f"calls[{i}]": call for i, call in enumerate(calls)}, **more)))


def test_a_conversation_that_went_well_breaks_nothing() -> None:
    assert judged(ASKED, a_call(a_turn(), deliveries=(delivery(),)), threads={"texts[0]": thread(delivery())}) == []


@pytest.mark.parametrize(
    ("kind", "law"),
    [
        (FindingKind.MISSING_FINAL, "whole-replies"),
        (FindingKind.REPLY_NOT_JSON, "whole-replies"),
        (FindingKind.REPLY_EMPTY, "whole-replies"),
        (FindingKind.REPLY_HTTP_ERROR, "no-errors"),
        (FindingKind.REPLY_UNREACHABLE, "no-errors"),
        (FindingKind.REPLY_BROKEN, "no-errors"),
        (FindingKind.REPLY_TIMED_OUT, "in-time"),
        (FindingKind.REPLY_STALLED, "in-time"),
    ],
)
def test_a_finding_breaks_the_law_it_belongs_to(kind: FindingKind, law: str) -> None:
    (breach,) = judged(ASKED, a_call(turn(kind)))
    assert (breach.law.name, breach.kind, breach.part, breach.turn, breach.step) == (
        law,
        kind.value,
        "calls[0]",
        1,
        (0,),
    )


def test_where_a_connection_broke_the_port_is_not_told() -> None:
    # It would make two reports of one seed differ.
    (breach,) = judged(ASKED, a_call(turn(FindingKind.REPLY_UNREACHABLE)))
    assert "4711" not in breach.observed


@pytest.mark.parametrize("kind", [FindingKind.REPLY_UNREACHABLE, FindingKind.REPLY_BROKEN])
def test_what_a_plan_breaks_off_itself_is_nobodys_fault(kind: FindingKind) -> None:
    assert judged(LOST, a_call(turn(kind, how="failed", **SILENT))) == []


def test_what_comes_of_a_reply_that_was_cut_is_nobodys_fault_either() -> None:
    assert judged(LOST, a_call(turn(FindingKind.REPLY_BROKEN, FindingKind.CHUNK_NOT_JSON))) == []


def test_a_plan_that_breaks_connections_excuses_nothing_else() -> None:
    (breach,) = judged(LOST, a_call(turn(FindingKind.MISSING_FINAL)))
    assert breach.law.name == "whole-replies"


@pytest.mark.parametrize("kinds", [(), (FindingKind.REPLY_EMPTY,), (FindingKind.NOTHING_TO_SAY,)])
def test_a_turn_that_is_asked_again_must_be_answered_again(kinds: tuple[FindingKind, ...]) -> None:
    (breach,) = judged(LOST, a_call(turn(FindingKind.REPLY_UNREACHABLE, *kinds, **SILENT)))
    assert breach.law.name == "asked-again"


def test_a_plain_question_must_not_be_met_with_silence() -> None:
    (breach,) = judged(ASKED, a_call(turn(**SILENT)))
    assert (breach.law.name, breach.kind) == ("answered", "silence")


@pytest.mark.parametrize(
    "heard",
    [
        {"step": (1,), "transcript": "No, wait"},  # not a question that anybody must have an answer to
        {"step": None, "transcript": ""},  # nobody has spoken yet
        {"transcript": "something else, said before"},
        {"how": "interrupted"},  # the caller did not wait
        {"how": "cancelled"},
        {"action": "transfer"},
        {"digits": "1"},
    ],
)
def test_silence_is_right_where_nothing_has_to_be_said(heard: dict[str, Any]) -> None:
    assert judged(ASKED, a_call(turn(**(SILENT | heard)))) == []


@pytest.mark.parametrize(
    ("seen", "struck", "fine"),
    [
        (delivery(), 0, True),
        (delivery(attempts=2), 1, True),
        (delivery(attempts=2), 0, False),
        (delivery(attempts=3), 1, False),
        (delivery("failed", 1, 404), 0, False),
        (delivery("failed", 6, 500), 1, False),
        (delivery("pending", 0, None), 0, False),
    ],
)
def test_an_event_is_acknowledged_by_the_first_attempt_that_arrives(
    seen: DeliveryRecord, struck: int, fine: bool
) -> None:
    found = judged(TEXTED, threads={"texts[0]": thread(seen)}, struck={"del_1": struck})
    assert [breach.law.name for breach in found] == ([] if fine else ["acknowledged"])


def test_what_fails_in_the_last_question_is_that_the_handler_does_not_live() -> None:
    for record in (a_call(turn(FindingKind.REPLY_HTTP_ERROR)), a_call(turn(**SILENT)), thread(delivery("failed"))):
        (breach,) = judged(ASKED, afterwards=record)
        assert (breach.law.name, breach.part) == ("alive", AFTERWARDS)


def test_a_conversation_that_never_ends_is_a_breach_of_its_own() -> None:
    (breach,) = judged(ASKED, error="nothing has happened for 150 s")
    assert (breach.law.name, breach.part) == ("comes-to-an-end", "")


def test_laws_have_names_of_their_own_and_say_how_to_keep_them() -> None:
    assert len({law.name for law in LAWS}) == len(LAWS)
    assert all(law.title and law.source and law.mend.endswith(".") for law in LAWS)


def test_a_connection_is_broken_once_so_that_everything_else_can_be_judged() -> None:
    losses = [fault for fault in (*TURN_FAULTS, *DELIVERY_FAULTS) if fault.group is FaultGroup.LOSSES]
    assert losses
    assert all(("times", 1) in fault.parameters for fault in losses)
