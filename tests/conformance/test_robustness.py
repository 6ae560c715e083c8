"""What the cases of robustness send, where a rule begins, and whom it leaves in peace."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.background import BackgroundTask
from starlette.responses import Response

from simulator.conformance.cases import ALL
from simulator.conformance.cases.connections import (
    ABANDONED,
    AT_ONCE,
    LATER,
    MANY,
    ONE_BY_ONE,
    OVERLOADED,
    RESETS,
    again,
    crawl,
)
from simulator.conformance.cases.robustness import BIG, given_away
from simulator.conformance.events import Event, compact
from simulator.conformance.exchange import Ending, Exchange, Request
from simulator.conformance.results import CaseResult
from simulator.conformance.verdicts import Profile, Verdict
from simulator.engine.signing import sign
from simulator.testing.opening import Session
from simulator.testing.options import Options
from tests.helpers.examined import Answer, Examined, Sent, answering, good

GROUP = [case for case in ALL if case.group == 7]
PASS, MISS, FAIL, NOT_RUN = Verdict.PASS, Verdict.NON_STRICT, Verdict.FAIL, Verdict.NOT_RUN
BODIES = ("7.1", "7.2", "7.3", "7.4", "7.5", "7.6", "7.7", "7.9")

Asgi = Callable[[Any, Any, Any], Any]


@pytest.fixture(scope="module")
def examined() -> Iterator[Examined]:
    session = Session()
    yield Examined(session)
    session.close()


def read(sent: Sent) -> bool:
    """Whether a strict parser would take it."""
    return bool(sent.data) and len(sent.body) < BIG


def test_the_numbers_follow_one_another() -> None:
    assert [case.number for case in GROUP] == [f"7.{place}" for place in range(1, len(GROUP) + 1)]


def test_whoever_takes_everything_passes(examined: Examined) -> None:
    report = examined.report(good, "7")
    assert [(result.number, result.broken) for result in report.results if result.verdict is not PASS] == []


def test_whoever_refuses_what_cannot_be_read_passes(examined: Examined) -> None:
    report = examined.report(answering(400, lambda sent: not read(sent)), "7")
    assert [(result.number, result.broken) for result in report.results if result.verdict is not PASS] == []


@pytest.mark.parametrize("number", BODIES)
def test_broken_bodies_are_signed_as_good_ones_are(examined: Examined, number: str) -> None:
    for sent in examined.sent_in(number):
        stamp = int(sent.headers["X-Webhook-Timestamp"])
        assert sent.headers["X-Webhook-Signature"] == sign(sent.account.secret, stamp, sent.body)


@pytest.mark.parametrize("number", sorted(set(BODIES) - {"7.4"}))
def test_a_crash_over_a_broken_body_is_not_strict(examined: Examined, number: str) -> None:
    assert examined.result(answering(500, lambda sent: not read(sent)), number).verdict is MISS


def dying(sent_first: Callable[[Sent], bool]) -> Answer:
    """A handler that answers nobody any more after it has met something."""
    met: list[Sent] = []

    def answer(sent: Sent) -> Response:
        if met or sent_first(sent):
            met.append(sent)
            return Response(status_code=500)
        return good(sent)

    return answer


@pytest.mark.parametrize("number", sorted(set(BODIES) - {"7.4"}))
def test_who_does_not_live_through_it_fails(examined: Examined, number: str) -> None:
    assert examined.result(dying(lambda sent: not read(sent)), number).verdict is FAIL


@pytest.mark.parametrize(
    ("field", "verdict"), [("message", MISS), ("from", MISS), ("mediaUrls", MISS), ("transcript", MISS), ("to", PASS)]
)
def test_each_wrong_type_is_met(examined: Examined, field: str, verdict: Verdict) -> None:
    right = {"message": str, "from": str, "mediaUrls": list, "transcript": str, "to": str}[field]
    answer = answering(500, lambda sent: not isinstance(sent.data.get(field, right()), right))
    assert examined.result(answer, "7.4").verdict is verdict


def test_who_only_texts_gets_no_transcript_of_a_wrong_type(examined: Examined) -> None:
    answer = answering(500, lambda sent: not isinstance(sent.data.get("transcript", ""), str))
    assert examined.result(answer, "7.4", Profile.SMS).verdict is PASS


def of_type(*kinds: str) -> Callable[[Sent], bool]:
    return lambda sent: sent.headers.get("Content-Type", "none") in kinds


def repeated(sent: Sent) -> bool:
    return sent.headers["X-Webhook-ID"].endswith(("_30", "_31"))


@pytest.mark.parametrize(
    ("number", "answer", "verdict"),
    [
        ("7.8", answering(415, of_type("text/plain", "application/cloudevents+json", "none")), PASS),
        ("7.8", answering(415, of_type("application/json; charset=utf-8")), FAIL),
        ("7.8", answering(415, of_type("Application/JSON")), FAIL),
        ("7.8", answering(500, of_type("none")), MISS),
        ("7.8", answering(500, of_type("application/x-www-form-urlencoded")), MISS),
        ("7.9", answering(413, lambda sent: len(sent.body) >= BIG), PASS),
        ("7.12", answering(429, repeated), MISS),
        ("7.12", answering(403, repeated), FAIL),
        ("7.12", answering(503, repeated), FAIL),
        ("7.13", answering(429, repeated), MISS),
        ("7.13", answering(503, repeated), MISS),
        ("7.13", answering(401, repeated), FAIL),
        ("7.13", answering(500, repeated), FAIL),
        ("7.14", answering(400, lambda sent: "cookie" in sent.headers), FAIL),
        ("7.14", answering(400, lambda sent: "traceparent" in sent.headers), FAIL),
    ],
)
def test_a_verdict_is_fair(examined: Examined, number: str, answer: Answer, verdict: Verdict) -> None:
    assert examined.result(answer, number).verdict is verdict


def test_what_is_refused_for_its_type_is_told_and_not_judged(examined: Examined) -> None:
    result = examined.result(answering(415, of_type("text/plain")), "7.8")
    assert [note.partition(":")[0] for note in result.notes] == ["text/plain is refused"]


# -- connections ---------------------------------------------------------------------------------------------------


def raw(examined: Examined, app: Asgi, number: str) -> CaseResult:
    with examined.session.open(Options()) as account:
        return examined.app(app, account, number).result(number)


async def whole(receive: Any) -> bytes | None:
    """The body; None when the client hangs up before its end."""
    body: bytes = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


async def ok(send: Any, status: int = 200) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


class Raw:
    """An ASGI application that counts what comes, and answers what comes whole."""

    def __init__(self) -> None:
        self.whole = 0
        self.broken = 0
        self.most = 0  # at once
        self._now = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        self._now += 1
        self.most = max(self.most, self._now)
        body = await whole(receive)
        self._now -= 1
        self.whole += body is not None
        self.broken += body is None
        if body is not None:
            await ok(send)


def test_resets_break_off_and_the_last_text_is_whole(examined: Examined) -> None:
    app = Raw()
    assert raw(examined, app, "7.10").verdict is PASS
    assert (app.broken, app.whole) == (RESETS, 2)  # the first is the examination's own


def test_half_requests_are_held_together_and_all_abandoned(examined: Examined) -> None:
    app = Raw()
    result = raw(examined, app, "7.17")
    assert result.verdict is PASS
    assert result.seconds < 1  # they are abandoned, and not waited for
    assert app.broken == ABANDONED
    assert app.most == ABANDONED + 1


def test_who_lets_nobody_past_a_half_request_is_not_strict(examined: Examined) -> None:
    lock = asyncio.Lock()
    inner = Raw()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        async with lock:
            await inner(scope, receive, send)

    assert raw(examined, app, "7.17").verdict is MISS


def test_a_place_that_is_given_back_late_is_no_loss(examined: Examined) -> None:
    inner, places = Raw(), [ABANDONED]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        if not places[0]:
            await ok(send, 503)
            return
        places[0] -= 1
        await inner(scope, receive, send)
        await asyncio.sleep(0.5)
        places[0] += 1

    result = raw(examined, app, "7.17")
    assert result.verdict is MISS  # the text that came while all places were taken
    assert [check.expected for check in result.broken] == [
        "a text while 50 requests are held open is answered with 2xx"
    ]


def test_a_connection_that_closes_over_a_megabyte_may_have_been_an_early_413(examined: Examined) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> object:
        body = await whole(receive) if scope["type"] == "http" else None
        if body is not None and len(body) >= BIG:
            return "this closes the connection"
        if body is not None:
            await ok(send)
        return None

    result = raw(examined, app, "7.9")
    assert result.verdict is PASS
    assert result.notes == ("the connection was closed without an answer: connection closed before an answer",)


@given(st.text(min_size=1))
def test_a_crawling_body_is_whole_and_cut_inside_of_characters(text: str) -> None:
    body = text.encode("utf-8", "replace")

    async def pieces() -> list[bytes]:
        return [piece async for piece in crawl(body)]

    found = _without_pauses(pieces)
    assert b"".join(found) == body
    assert len(found) == 1 + sum(1 for character in body.decode() if ord(character) > 127)
    assert all(piece[0] & 0xC0 == 0x80 for piece in found[1:])


def _without_pauses(work: Callable[[], Any]) -> Any:
    from simulator.runtime.virtual import VirtualLoop

    loop = VirtualLoop()
    try:
        return loop.run_until_complete(work())
    finally:
        loop.close()


# -- many ----------------------------------------------------------------------------------------------------------


def test_one_after_the_other_are_of_one_person_and_all_different(examined: Examined) -> None:
    sent = [one for one in examined.sent_in("7.12") if one.name == "agent.reaction"][1:]
    assert len(sent) == ONE_BY_ONE
    assert len({one.data["fromNumber"] for one in sent}) == 1
    assert len({one.headers["X-Webhook-ID"] for one in sent}) == ONE_BY_ONE


def test_many_are_of_many_people_and_a_tenth_are_texts(examined: Examined) -> None:
    examined.result(good, "7.13")
    names = Counter(sent.name for sent in examined.sent)
    people = {sent.data.get("fromNumber") or sent.data.get("from") for sent in examined.sent}
    assert names["agent.reaction"] == MANY * 9 // 10 + 1
    assert len(people) > MANY


def test_so_many_are_under_way_at_once(examined: Examined) -> None:
    under_way, most = [0], [0]

    async def answer(sent: Sent) -> Response:
        under_way[0] += 1
        most[0] = max(most[0], under_way[0])
        await asyncio.sleep(0.01)
        under_way[0] -= 1
        return good(sent)

    assert examined.result(answer, "7.13").verdict is PASS
    assert most[0] == AT_ONCE


def slow_after(requests: int, seconds: float) -> Answer:
    """A handler that handles one at a time, each for so long, after its first few."""
    lock, count = asyncio.Lock(), [0]

    async def answer(sent: Sent) -> Response:
        count[0] += 1
        if count[0] > requests:
            async with lock:
                await asyncio.sleep(seconds)
        return good(sent)

    return answer


@pytest.mark.parametrize(("seconds", "verdict"), [(0.2, PASS), (0.3, MISS), (1.0, MISS)])
def test_a_queue_in_front_of_the_acknowledgement_is_not_strict(
    examined: Examined, seconds: float, verdict: Verdict
) -> None:
    assert examined.result(slow_after(10, seconds), "7.13").verdict is verdict


def test_a_handler_that_is_very_slow_is_not_kept_busy_for_ever(examined: Examined) -> None:
    result = examined.result(slow_after(10, 1.0), "7.13")
    assert result.notes
    assert "were not sent" in result.notes[0]
    assert result.seconds < 150


def test_a_machine_that_was_busy_once_flips_no_verdict(examined: Examined) -> None:
    count = [0]

    async def answer(sent: Sent) -> Response:
        count[0] += 1
        if count[0] == 100:
            await asyncio.sleep(9)
        return good(sent)

    assert examined.result(answer, "7.13").verdict is PASS


async def ask(sent: Sent) -> None:
    async with httpx.AsyncClient(base_url=sent.account.base_url, trust_env=False) as api:
        headers = {"Authorization": f"Bearer {sent.account.api_key}"}
        body = {"number_id": sent.data["numberId"], "to_number": sent.data["from"], "body": "We are open."}
        await api.post("/v1/messages", json=body, headers=headers)


def texting(forgets: Callable[[int], bool]) -> Answer:
    """Answers texts by the API, but for some, by their place among all texts."""
    count = [0]

    def answer(sent: Sent) -> Response:
        if sent.name != "agent.message":
            return Response()
        count[0] += 1
        return Response(background=None if forgets(count[0]) else BackgroundTask(ask, sent))

    return answer


@pytest.mark.parametrize(
    ("forgets", "verdict"),
    [(lambda place: False, PASS), (lambda place: place == 12, FAIL), (lambda place: place > 12, FAIL)],
    ids=["none", "one", "all but the first"],
)
def test_a_text_that_is_taken_and_forgotten_is_lost(
    examined: Examined, forgets: Callable[[int], bool], verdict: Verdict
) -> None:
    assert examined.result(texting(forgets), "7.13").verdict is verdict


REACTION = {"messageId": "msg_1", "fromNumber": "+12127360001", "reactionType": "love"}
TEXT = {"messageId": "msg_1", "from": "+12127360001", "message": "Hello"}


@pytest.mark.parametrize(("data", "field"), [(REACTION, "fromNumber"), (TEXT, "from")], ids=["a reaction", "a text"])
def test_one_more_event_has_its_own_ids_and_its_sender(data: dict[str, str], field: str) -> None:
    event = Event("del_1", "agent.x", {"data": data}, compact({"data": data}))
    one, other = again(event, 1), again(event, 2, "+12127360002")
    assert (one.id, one.data["messageId"]) == ("del_1_1", "msg_1_1")
    assert (other.id, other.data["messageId"]) == ("del_1_2", "msg_1_2")
    assert (one.data[field], other.data[field]) == ("+12127360001", "+12127360002")
    assert set(one.data) == set(other.data) == set(data)


def test_only_what_is_tried_again_is_put_off() -> None:
    assert LATER < OVERLOADED
    assert {400, 401, 403, 404, 409, 422, 500}.isdisjoint(OVERLOADED)


# -- the API is down -----------------------------------------------------------------------------------------------


def asking(statuses: list[int], hang: bool = False) -> Answer:
    """Asks the API each time; may hang when it gets no answer."""

    async def answer(sent: Sent) -> Response:
        async with httpx.AsyncClient(base_url=sent.account.base_url, trust_env=False) as api:
            headers = {"Authorization": f"Bearer {sent.account.api_key}"}
            statuses.append((await api.get("/v1/contacts", headers=headers)).status_code)
        if hang and statuses[-1] == 503:
            await asyncio.sleep(1_000)
        return good(sent)

    return answer


@pytest.mark.parametrize("hang", [False, True])
def test_the_api_is_down_in_the_turn_only(examined: Examined, hang: bool) -> None:
    statuses: list[int] = []
    report = examined.report(asking(statuses, hang), "7.16", "7.17")
    assert report.result("7.16").verdict is (FAIL if hang else PASS)
    assert report.result("7.17").verdict is PASS
    assert Counter(statuses) == {200: len(statuses) - 1, 503: 1}


# -- what refusals give away ---------------------------------------------------------------------------------------


def answered(body: bytes, **headers: str) -> Exchange:
    request = Request({}, b"")
    return Exchange(request=request, status=500, headers=headers, pieces=[(0.0, body)], ending=Ending.COMPLETE)


@pytest.mark.parametrize(
    "body",
    [
        '{"stack":"Error: x\\n    at handler (server.js:3:7)\\n"}',
        'Traceback (most recent call last):\n  File "/srv/shop/app.py", line 3, in f\nKeyError: 1',
        '{"detail": "Traceback (most recent call last):\\n  File \\"app.py\\", line 3"}',
        "TypeError: x is not a function\n    at handler (/app/server.js:10:5)\n    at next (node:internal:3:1)",
        "<pre>Error: boom<br>\n &nbsp; at /home/me/shop/index.js:3:7</pre>",
        '{"stack":"Error: x\\n    at Object.<anonymous> (C:\\\\shop\\\\index.ts:3:7)"}',
        "java.lang.NullPointerException\n\tat com.acme.Hook.take(Hook.java:42)",
        "   at Acme.Hook.Take(String body) in C:\\src\\Hook.cs:line 12",
        "/usr/src/app/hook.rb:12:in `take': undefined method",
        "panic: runtime error\ngoroutine 1 [running]:\nmain.main()",
        "PHP Fatal error: Uncaught Error in /var/www/html/hook.php on line 3",
        'cannot import name x from "/opt/venv/lib/python3.11/site-packages/x/__init__.py"',
    ],
)
def test_traces_and_paths_are_seen(body: str) -> None:
    assert list(given_away(answered(body.encode()), "whsec_s"))


@pytest.mark.parametrize(
    "body",
    [
        "",
        "the body is not JSON",
        '{"detail":[{"loc":["body","data"],"msg":"field required","type":"value_error.missing"}]}',
        '{"error":{"message":"Expecting value: line 1 column 1 (char 0)","code":"bad_json"}}',
        "<html><head><script src='/app/main.js'></script></head><body>Not found</body></html>",
        "see https://example.com/app/hooks.py for help",
        "Please be here\n   at 10:30, or call us",
        "Unexpected token < in JSON at position 0",
        "\xff\xfe\x00",
    ],
)
def test_plain_refusals_give_nothing_away(body: str) -> None:
    assert list(given_away(answered(body.encode("utf-8")), "whsec_s")) == []


def test_the_secret_is_seen_in_bodies_and_headers() -> None:
    assert list(given_away(answered(b"expected whsec_s"), "whsec_s")) == ["the secret"]
    assert list(given_away(answered(b"", **{"X-Debug": "key=whsec_s"}), "whsec_s")) == ["the secret"]
    assert list(given_away(answered(b"anything"), "")) == []


@pytest.mark.parametrize("body", [b"", b"[]"])
def test_each_refusal_is_looked_at(examined: Examined, body: bytes) -> None:
    def answer(sent: Sent) -> Response:
        return Response(b"Traceback (most recent call last):", 400) if sent.body == body else good(sent)

    assert examined.result(answer, "7.15").verdict is MISS
