"""What the zoo does not show of the cases about replies: where a rule begins, and whom it leaves in peace."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.responses import JSONResponse, PlainTextResponse, Response

from simulator.conformance.cases import ALL
from simulator.conformance.cases.reply_fields import _MARKDOWN, _TAG
from simulator.conformance.verdicts import Verdict
from simulator.testing.opening import Session
from tests.helpers.told import Event, Told, streamed


@pytest.fixture(scope="module")
def told() -> Iterator[Told]:
    session = Session()
    yield Told(session)
    session.close()


PASS, MISS, FAIL, NOT_RUN = Verdict.PASS, Verdict.NON_STRICT, Verdict.FAIL, Verdict.NOT_RUN
GROUP = tuple(case.number for case in ALL if case.group == 5)


def json_answer(**fields: Any) -> Callable[[Event], Response]:
    return lambda _event: JSONResponse(fields)


def raw(body: bytes, kind: str = "application/json", status: int = 200, **headers: str) -> Callable[[Event], Response]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _event: Response(body, status_code=status, media_type=kind, headers=sent)


def stream(*lines: str | bytes | float, kind: str = "application/x-ndjson") -> Callable[[Event], Response]:
    return lambda _event: streamed(*lines, kind=kind)


HELLO = '{"text": "Hello."}'
WAIT = '{"text": "One moment.", "interim": true}'


@pytest.mark.parametrize(
    "answer",
    [
        json_answer(text="It was shipped."),
        stream(WAIT, HELLO),
        stream(WAIT, "", " ", HELLO),
        stream(HELLO),
        raw(b'{"text":"a"}'),
    ],
    ids=["object", "stream", "blank lines", "stream of one", "compact"],
)
def test_a_plain_good_reply_passes_the_whole_group(told: Told, answer: Callable[[Event], Response]) -> None:
    report = told.report(answer, "5")
    assert [result.number for result in report.having(MISS, FAIL)] == []
    assert [result.number for result in report.having(NOT_RUN)] == []


@pytest.mark.parametrize(
    ("number", "answer", "verdict"),
    [
        ("5.1", raw(b"", status=204), FAIL),
        ("5.1", raw(b"   "), FAIL),
        ("5.1", raw(b"true"), FAIL),
        ("5.1", raw(b'{"text": "Hello."', "text/plain"), FAIL),
        ("5.1", raw(HELLO.encode(), status=201), PASS),
        ("5.1", raw(HELLO.encode(), status=302), FAIL),
        ("5.1", raw(HELLO.encode(), status=500), FAIL),
        ("5.1", raw(b'{"message": "Hello."}'), PASS),  # 5.20's matter
        ("5.1", stream(WAIT), PASS),  # 5.4's matter
        ("5.2", raw(HELLO.encode(), "application/json; charset=utf-8"), PASS),
        ("5.2", raw(HELLO.encode(), "Application/JSON"), PASS),
        ("5.2", raw(HELLO.encode(), "text/plain"), MISS),
        ("5.2", raw(HELLO.encode(), "text/html; charset=utf-8"), MISS),
        ("5.2", stream(WAIT, HELLO, kind="application/x-ndjson; charset=utf-8"), PASS),
        ("5.2", stream(WAIT, HELLO, kind="application/jsonl"), PASS),
        ("5.2", stream(WAIT, HELLO, kind="text/event-stream"), MISS),
        ("5.2", raw(WAIT.encode()), MISS),
        ("5.3", stream(WAIT, "[" + HELLO + "]"), FAIL),
        ("5.3", stream(WAIT, "Hello.", HELLO), FAIL),
        ("5.3", stream(WAIT, "[DONE]", HELLO), FAIL),
        ("5.3", raw(json.dumps({"text": "Hello."}, indent=2).encode()), PASS),
        ("5.4", stream(WAIT, WAIT), FAIL),
        ("5.4", stream(WAIT, '{"text": ""}'), PASS),
        ("5.5", stream(WAIT, HELLO, HELLO), MISS),
        ("5.5", stream(WAIT, HELLO, "", "  "), PASS),
        ("5.6", json_answer(text=""), MISS),
        ("5.6", json_answer(text="  "), MISS),
        ("5.6", json_answer(action="transfer"), PASS),
        ("5.6", json_answer(digits="0"), PASS),
        ("5.8", json_answer(text=["Hello."]), FAIL),
        ("5.8", json_answer(text="Hello.", hangup=0), FAIL),
        ("5.8", json_answer(text="Hello.", hangup=None, action=None, digits=None), PASS),
        ("5.8", stream('{"text": "One moment.", "interim": "true"}'), FAIL),
        ("5.8", json_answer(text="Hello.", voice=4), PASS),  # no field of this contract
        ("5.9", json_answer(digits="1", dtmf="2"), FAIL),
        ("5.9", json_answer(digits="1", press_digit="1"), MISS),
        ("5.9", json_answer(digits="1", press_digit=None), PASS),
        ("5.9", json_answer(dtmf="*12#"), PASS),
        ("5.9", json_answer(text="Hello.", digits=""), PASS),
        ("5.9", json_answer(digits="1w2"), FAIL),
        ("5.10", json_answer(text="Hello.", action="hangup"), PASS),
        ("5.10", json_answer(text="Hello.", action="Transfer"), FAIL),
        ("5.10", json_answer(text="Hello.", action=""), FAIL),
        ("5.11", stream('{"text": "Bye.", "interim": true, "hangup": true}', HELLO), MISS),
        ("5.17", raw(b"\xef\xbb\xbf" + HELLO.encode()), MISS),
        ("5.17", raw('{"text": "Grüße \ufffd"}'.encode()), MISS),
        ("5.17", raw(b'{"text": "\\ud83c"}'), MISS),
        ("5.17", raw('{"text": "Grüße 🌍"}'.encode(), "application/json; charset=UTF-8"), PASS),
        ("5.17", raw(HELLO.encode(), "application/json; charset=iso-8859-1"), MISS),
        ("5.17", raw('{"text": "Grüße"}'.encode("latin-1")), FAIL),
        ("5.17", raw(HELLO.encode("utf-16")), FAIL),
        ("5.18", json_answer(text="so " * 340_000), PASS),
        ("5.18", json_answer(text="so " * 360_000), FAIL),
        ("5.18", stream(json.dumps({"text": "so " * 22_000})), FAIL),
        ("5.18", stream(*[b'{"text": "so"}' * 1_000] * 3_000), FAIL),
        ("5.19", raw(HELLO.encode(), content_encoding="br"), MISS),
        ("5.19", raw(HELLO.encode(), content_encoding="identity"), PASS),
        ("5.20", json_answer(), FAIL),
        ("5.20", json_answer(text=None), FAIL),
        ("5.20", json_answer(response="Hello.", text="Hello."), PASS),
        ("5.20", stream('{"type": "start", "interim": true}', HELLO), MISS),
        ("5.20", json_answer(text=""), PASS),
    ],
)
def test_where_a_rule_begins(told: Told, number: str, answer: Callable[[Event], Response], verdict: Verdict) -> None:
    result = told.result(answer, number)
    assert result.verdict is verdict, (result.broken, result.reason)


@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        (raw(b"", status=500), {"5.1"}),
        (raw(b""), {"5.1"}),
        (raw(HELLO.encode("utf-16")), {"5.17"}),
        (json_answer(message="Hello."), {"5.20"}),
        (stream("Hello."), {"5.3"}),
        (stream(json.dumps({"text": "so " * 22_000})), {"5.18"}),
        (stream(WAIT), {"5.4", "5.11"}),  # the farewell is a turn that stays open as well
        (json_answer(text=1), {"5.8"}),
    ],
)
def test_a_mistake_fails_its_own_case(told: Told, answer: Callable[[Event], Response], failed: set[str]) -> None:
    assert {result.number for result in told.report(answer, *GROUP).failed} == failed


def test_an_alias_of_the_content_type_is_told(told: Told) -> None:
    result = told.result(stream(WAIT, HELLO, kind="application/ndjson"), "5.2")
    assert "application/ndjson" in result.notes[0]


@pytest.mark.parametrize(
    "text", ["<speak>Hello.</speak>", 'One <break time="1s"/> moment', "</say>", "<b>no</b>", "a <prosody rate='slow'>"]
)
def test_tags_are_found(text: str) -> None:
    assert _TAG.search(text)


@pytest.mark.parametrize("text", ["3 < 5 and 7 > 2", "it costs <5 dollars>", "I <3 you", "a<b", "x -> y", "5 <", ""])
def test_what_is_no_tag_is_not(text: str) -> None:
    assert _TAG.search(text) is None


@pytest.mark.parametrize(
    "text", ["**Order**", "```json", "## Prices", "We have:\n- tea\n- milk", "see [here](https://a.example)", "* one"]
)
def test_markdown_is_found(text: str) -> None:
    assert _MARKDOWN.search(text)


@pytest.mark.parametrize(
    "text",
    ["press * and #", "2 * 3", "ten - or so", "a well-known thing", "#1 in the country", "it is [sic]", "5 ** 2"],
)
def test_what_is_no_markdown_is_not(text: str) -> None:
    assert _MARKDOWN.search(text) is None


# -- which event is a turn -------------------------------------------------------------------------------------


def saying_nothing(_event: Event) -> Response:
    return Response()


@pytest.mark.parametrize(
    ("other", "ended", "rest"),
    [
        (saying_nothing, PASS, PASS),
        (lambda _: PlainTextResponse("OK"), PASS, PASS),
        (lambda _: JSONResponse({"status": "ok", "message": "received"}), PASS, PASS),
        (lambda _: JSONResponse({"text": ""}), PASS, PASS),
        (lambda _: JSONResponse({"text": "Hello."}), FAIL, MISS),
        (lambda _: streamed(WAIT), FAIL, MISS),
        (lambda event: Response(status_code=200 if event["event"] == "agent.message" else 400), PASS, PASS),
    ],
)
def test_acknowledgements_hold_no_words(
    told: Told, other: Callable[[Event], Response], ended: Verdict, rest: Verdict
) -> None:
    report = told.report(json_answer(text="Hello."), "5.14", "5.15", other=other)
    assert (report.result("5.14").verdict, report.result("5.15").verdict) == (ended, rest)


def test_the_turn_at_connect_has_no_words_and_no_history(told: Told) -> None:
    seen: list[Event] = []

    def turn(event: Event) -> Response:
        seen.append(event)
        return JSONResponse({"text": "Hello."})

    assert told.result(turn, "5.12").verdict is PASS
    assert [event["data"]["transcript"] for event in seen[1:]] == ["", None]
    assert all(event["recentHistory"] == [] and event["data"]["callId"] for event in seen[1:])


@pytest.mark.parametrize(
    ("empty", "null", "verdict"),
    [("Hello.", "Hello.", PASS), ("", "", MISS), ("Hello.", None, MISS), (None, "Hello.", FAIL)],
)
def test_how_the_turn_at_connect_is_judged(told: Told, empty: str | None, null: str | None, verdict: Verdict) -> None:
    def turn(event: Event) -> Response:
        transcript = event["data"]["transcript"]
        text = {"": empty, None: null}.get(transcript, "It was shipped.")
        return Response(status_code=500) if text is None else JSONResponse({"text": text})

    assert told.result(turn, "5.12").verdict is verdict


def test_the_turns_of_a_call_grow_a_history_of_what_was_heard(told: Told) -> None:
    seen: list[Event] = []

    def turn(event: Event) -> Response:
        seen.append(event)
        return JSONResponse({"text": f"Answer {len(seen)}."})

    assert told.result(turn, "5.16").verdict is PASS
    asked, *turns = seen  # the plain question comes first
    assert len({event["data"]["callId"] for event in turns}) == 1
    assert asked["data"]["callId"] != turns[0]["data"]["callId"]
    heard = [[entry["content"] for entry in event["recentHistory"]] for event in turns]
    assert [len(said) for said in heard] == [1, 3, 5]
    assert [said[-1] for said in heard] == [event["data"]["transcript"] for event in turns]
    assert heard[2][1::2] == ["Answer 2.", "Answer 3."]


def test_a_handler_that_always_hangs_up_is_still_asked_three_times(told: Told) -> None:
    result = told.result(json_answer(text="Goodbye.", hangup=True), "5.16")
    assert (result.verdict, len(result.exchanges)) == (PASS, 4)


@pytest.mark.parametrize(("lowest", "verdict"), [(0.0, PASS), (0.05, FAIL), (0.5, FAIL)])
def test_every_confidence_is_answered(told: Told, lowest: float, verdict: Verdict) -> None:
    def turn(event: Event) -> Response:
        sure = event["data"]["confidence"]
        return Response(status_code=422) if sure is not None and sure < lowest else JSONResponse({"text": "Hello."})

    assert told.result(turn, "5.13").verdict is verdict


def test_a_reply_that_drips_for_ever_is_listened_to_once(told: Told) -> None:
    drips: list[str | bytes | float] = [20.0, WAIT]
    result = told.result(stream(*drips * 10), "5.18")
    assert (result.verdict, len(result.exchanges)) == (FAIL, 1)
    assert "had not ended" in result.broken[0].observed


def test_an_object_that_says_nothing_is_no_answer(told: Told) -> None:
    def turn(event: Event) -> Response:
        hardly = event["data"]["confidence"] == 0
        return JSONResponse({"status": "ok"} if hardly else {"text": "Hello."})

    assert told.result(turn, "5.13").verdict is FAIL


def test_the_same_words_are_said_once_for_all_cases(told: Told) -> None:
    said: list[str] = []

    def turn(event: Event) -> Response:
        said.append(event["data"]["transcript"])
        return JSONResponse({"text": "Hello."})

    report = told.report(turn, "5.1", "5.3", "5.8", "5.20", "5.9")
    assert len(said) == len(set(said))
    assert all(result.exchanges for result in report.results)
