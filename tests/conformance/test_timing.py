"""What the zoo does not show of the cases about timing: limits, tries, and whom they leave in peace."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response, StreamingResponse

from simulator.conformance.cases import ALL
from simulator.conformance.cases.pace import TRIES, as_good, best, first_words
from simulator.conformance.exchange import Ending, Exchange, Request
from simulator.conformance.verdicts import Verdict
from simulator.testing.opening import Session
from tests.helpers.told import STREAM, Event, Told, streamed

PASS, MISS, FAIL, NOT_RUN = Verdict.PASS, Verdict.NON_STRICT, Verdict.FAIL, Verdict.NOT_RUN
GROUP = tuple(case.number for case in ALL if case.group == 6)
HELLO = '{"text": "Hello."}'
WAIT = '{"text": "One moment.", "interim": true}'


@pytest.fixture(scope="module")
def told() -> Iterator[Told]:
    session = Session()
    yield Told(session)
    session.close()


def stream(*lines: str | bytes | float) -> Callable[[Event], Response]:
    return lambda _event: streamed(*lines)


def after(seconds: float, body: str = HELLO) -> Callable[[Event], Any]:
    """An answer in one object, of which not even the head comes before that time."""

    async def turn(_event: Event) -> Response:
        await asyncio.sleep(seconds)
        return Response(body, media_type="application/json")

    return turn


def in_order(*answers: Callable[[Event], Any]) -> Callable[[Event], Any]:
    """Answers one turn after the other, and all that follow like the last."""
    left = list(answers)

    def turn(event: Event) -> Any:
        answer = left.pop(0) if len(left) > 1 else left[0]
        return answer(event)

    return turn


# -- how tries are judged --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("times", "found", "tries"),
    [
        ([1.0], 1.0, 1),
        ([2.0], 2.0, 1),
        ([3.0, 1.0], 1.0, 2),
        ([9.0, 8.0, 7.0], 7.0, 3),
        ([3.0, 5.0, 4.0, 1.0], 3.0, 3),
        ([None, 1.0], None, 1),
        ([3.0, None, 1.0], None, 2),
    ],
)
def test_the_best_of_some_tries_counts(times: list[float | None], found: float | None, tries: int) -> None:
    left = iter(times)
    made: list[float | None] = []

    async def measure() -> float | None:
        made.append(next(left))
        return made[-1]

    assert asyncio.run(best(measure, 2.0)) == found
    assert len(made) == tries <= TRIES


def reply(*pieces: tuple[float, str], status: int = 200, ending: Ending = Ending.COMPLETE) -> Exchange:
    return Exchange(
        request=Request({}, b""),
        status=status,
        headers={"Content-Type": STREAM},
        pieces=[(at, line.encode() + b"\n") for at, line in pieces],
        ending=ending,
    )


def test_the_first_words_of_some_are_those_of_the_last() -> None:
    soon, late, silent = reply((0.1, HELLO)), reply((0.1, '{"text": "", "interim": true}'), (5.0, HELLO)), reply()
    assert first_words(soon, late) == 5.0
    assert first_words(soon, silent) is None


@pytest.mark.parametrize(
    ("exchange", "plain", "good"),
    [
        (reply((0.0, HELLO)), reply((0.0, HELLO)), True),
        (reply((0.0, WAIT)), reply((0.0, HELLO)), False),
        (reply((0.0, WAIT)), reply((0.0, WAIT)), True),  # no worse than alone
        (reply((0.0, HELLO), status=503), reply((0.0, HELLO)), False),
        (reply((0.0, HELLO), ending=Ending.BROKEN), reply((0.0, HELLO)), False),
        (reply((0.0, "{}")), reply((0.0, HELLO)), False),
        (reply(), reply((0.0, WAIT)), False),
    ],
)
def test_what_is_as_good_as_the_answer_to_one_caller(exchange: Exchange, plain: Exchange, good: bool) -> None:
    assert as_good(exchange, plain) is good


# -- alone -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "turn", "verdict"),
    [
        ("6.1", after(2.0), PASS),
        ("6.1", after(2.1), MISS),
        ("6.1", after(29.9), MISS),
        ("6.1", after(30.1), FAIL),
        ("6.1", stream(WAIT, 29.0, HELLO), PASS),
        ("6.1", stream('{"text": "", "interim": true}', 2.1, HELLO), MISS),  # silence is no word
        ("6.1", stream(b"", 30.1, HELLO), FAIL),
        ("6.1", after(0.0, '{"text": ""}'), NOT_RUN),
        ("6.1", after(0.0, "Hello."), NOT_RUN),
        ("6.1", in_order(after(9.0), after(9.0), after(0.1)), PASS),
        ("6.1", in_order(after(9.0), after(9.0), after(9.0), after(0.1)), MISS),
        ("6.2", stream(WAIT, 4.0, HELLO), PASS),
        ("6.2", stream(WAIT, 4.1, HELLO), MISS),
        ("6.2", stream(WAIT, 2.5, b" \n", 2.5, HELLO), MISS),  # blank lines are not heard
        ("6.2", stream(WAIT, 30.1, HELLO), FAIL),
        ("6.2", stream(9.0, WAIT, HELLO), PASS),  # 6.1's matter
        ("6.2", after(9.0), PASS),
        ("6.2", after(31.0), NOT_RUN),
        ("6.2", in_order(stream(WAIT, 9.0, HELLO), stream(WAIT, HELLO)), PASS),
        ("6.5", stream(WAIT, HELLO, 4.0, b"\n"), PASS),
        ("6.5", stream(WAIT, HELLO, 4.1, b"\n"), MISS),
        ("6.5", stream(WAIT), NOT_RUN),
        ("6.10", stream(WAIT, 1.0, HELLO), PASS),
        ("6.10", stream(0.9, WAIT, HELLO), PASS),
        ("6.10", stream(1.1, WAIT, HELLO), MISS),
        ("6.10", stream(1.1, WAIT, 0.1, HELLO), PASS),
        ("6.10", after(1.1), NOT_RUN),
    ],
)
def test_where_a_limit_is(told: Told, number: str, turn: Callable[[Event], Any], verdict: Verdict) -> None:
    result = told.result(turn, number)
    assert result.verdict is verdict, (result.broken, result.reason)


def test_a_handler_that_never_answers_is_asked_once(told: Told) -> None:
    result = told.result(after(31.0), "6.1")
    assert (result.verdict, len(result.exchanges)) == (FAIL, 1)


def test_a_good_handler_that_does_not_stream_passes(told: Told) -> None:
    report = told.report(after(0.3), *GROUP)
    assert [result.number for result in report.having(MISS, FAIL)] == []
    assert {result.number for result in report.having(NOT_RUN)} == {"6.10", "6.11"}


# -- among others ----------------------------------------------------------------------------------------------


def test_callers_come_at_the_same_time(told: Told) -> None:
    here: list[int] = []

    async def turn(_event: Event) -> Response:
        here.append(len(here) - sum(gone))
        await asyncio.sleep(0.5)
        gone.append(1)
        return Response(HELLO, media_type="application/json")

    gone: list[int] = []
    assert told.result(turn, "6.3").verdict is PASS
    assert max(here) == 19


@pytest.mark.parametrize(
    ("broken", "verdict"), [(Response(status_code=503), FAIL), (Response("{}"), FAIL), (Response(HELLO), PASS)]
)
def test_each_of_twenty_callers_counts(told: Told, broken: Response, verdict: Verdict) -> None:
    turns: list[Event] = []

    def turn(event: Event) -> Response:
        turns.append(event)
        return broken if len(turns) == 15 else JSONResponse({"text": "Hello."})

    assert told.result(turn, "6.3").verdict is verdict


@pytest.mark.parametrize(("seconds", "verdict"), [(5.0, PASS), (5.1, MISS)])
def test_twenty_texts_are_acknowledged_by_the_budget(told: Told, seconds: float, verdict: Verdict) -> None:
    texts: list[Event] = []

    async def text(event: Event) -> Response:
        texts.append(event)
        if len(texts) > 1:  # the first is how the handler is looked at
            await asyncio.sleep(seconds)
        return Response()

    assert told.result(stream(HELLO), "6.4", other=text).verdict is verdict


def test_a_refused_text_among_twenty_is_no_acknowledgement(told: Told) -> None:
    texts: list[Event] = []

    def text(event: Event) -> Response:
        texts.append(event)
        return Response(status_code=503 if len(texts) == 9 else 200)

    assert told.result(stream(HELLO), "6.4", other=text).verdict is MISS


def echo(event: Event) -> Response:
    return JSONResponse({"text": f"You said: {event['data']['transcript']}"})


def test_who_answers_everything_alike_cannot_mix_anything_up(told: Told) -> None:
    assert told.result(echo, "6.11").verdict is PASS
    assert "alike" in told.result(stream(HELLO), "6.11").reason


def test_who_never_says_the_same_twice_cannot_be_compared(told: Told) -> None:
    said: list[Event] = []

    def turn(event: Event) -> Response:
        said.append(event)
        return JSONResponse({"text": f"Answer {len(said)}."})

    assert "differently" in told.result(turn, "6.11").reason


# -- interrupted -----------------------------------------------------------------------------------------------


class Watched:
    """Streams, and takes down how each reply went and what it was about."""

    def __init__(self, *, thinking: float = 0.0) -> None:
        self.events: list[Event] = []
        self.whole: list[str] = []
        self.broken: list[str] = []
        self._thinking = thinking

    async def __call__(self, event: Event) -> Response:
        self.events.append(event)
        if self._thinking:
            try:
                await asyncio.sleep(self._thinking)
            except asyncio.CancelledError:
                self.broken.append("thinking")
                raise
        return StreamingResponse(self._chunks(event["data"]["transcript"]), media_type=STREAM)

    async def _chunks(self, said: str) -> Any:
        whole = False
        try:
            yield WAIT + "\n"
            await asyncio.sleep(0.2)
            yield HELLO + "\n"
            whole = True
        finally:
            (self.whole if whole else self.broken).append(said)


def test_a_reply_is_broken_off_and_the_same_call_goes_on(told: Told) -> None:
    handler = Watched()
    assert told.result(handler, "6.6").verdict is PASS
    plain, first, second = handler.events
    assert handler.broken == [first["data"]["transcript"]]
    assert handler.whole == [plain["data"]["transcript"], second["data"]["transcript"]]
    assert first["data"]["callId"] == second["data"]["callId"]
    assert [entry["direction"] for entry in second["recentHistory"]] == ["inbound", "outbound", "inbound"]


def test_a_reply_is_broken_off_before_its_first_byte(told: Told) -> None:
    handler = Watched(thinking=1.0)
    result = told.result(handler, "6.7")
    assert result.verdict is PASS
    left = result.exchanges[1]
    assert (left.ending, left.status, left.ended_at) == (Ending.LEFT, None, 0.5)
    assert len(handler.whole) == 2


def test_a_caller_who_hangs_up_is_followed_by_the_end_of_the_call(told: Told) -> None:
    handler, ends = Watched(), []

    def other(event: Event) -> Response:
        ends.append(event)
        return Response()

    assert told.result(handler, "6.8", other=other).verdict is PASS
    _, first, new = handler.events
    ended = ends[-1]
    assert (ended["event"], ended["data"]["callId"]) == ("agent.call_ended", first["data"]["callId"])
    assert new["data"]["callId"] != first["data"]["callId"]
    assert len(handler.broken) == 1


def test_the_end_of_an_interrupted_call_has_to_be_taken(told: Told) -> None:
    def other(event: Event) -> Response:
        return Response(status_code=500 if event["event"] == "agent.call_ended" else 200)

    assert told.result(Watched(), "6.8", other=other).verdict is FAIL


def test_two_turns_of_one_call_overlap(told: Told) -> None:
    handler = Watched()
    result = told.result(handler, "6.9")
    assert result.verdict is PASS
    _, former, later = result.exchanges
    assert former.started_at <= later.started_at < former.started_at + former.ended_at
    assert len(handler.whole) == 3
    assert len({event["data"]["callId"] for event in handler.events[1:]}) == 1


def test_a_turn_of_a_handler_that_does_not_stream_is_overlapped_as_well(told: Told) -> None:
    result = told.result(after(0.4), "6.9")
    _, former, later = result.exchanges
    assert result.verdict is PASS
    assert later.started_at - former.started_at == pytest.approx(0.2)


def test_a_turn_that_replaces_the_former_one_is_fine(told: Told) -> None:
    current: dict[str, asyncio.Event] = {}

    async def turn(event: Event) -> Response:
        call_id = event["data"]["callId"]
        if call_id in current:
            current.pop(call_id).set()
        mine = current.setdefault(call_id, asyncio.Event())

        async def chunks() -> Any:
            yield WAIT + "\n"
            try:
                async with asyncio.timeout(1.5):
                    await mine.wait()
            except TimeoutError:
                yield HELLO + "\n"

        return StreamingResponse(chunks(), media_type=STREAM)

    assert told.result(turn, "6.9").verdict is PASS


def test_ten_replies_are_broken_off(told: Told) -> None:
    handler = Watched()
    assert told.result(handler, "6.12").verdict is PASS
    assert (len(handler.broken), len(handler.whole)) == (10, 2)


def test_a_handler_that_is_poorer_after_interruptions_is_found(told: Told) -> None:
    handler = Watched()

    async def turn(event: Event) -> Response:
        if len(handler.broken) >= 10:
            return streamed(WAIT)
        return await handler(event)

    assert told.result(turn, "6.12").verdict is MISS
