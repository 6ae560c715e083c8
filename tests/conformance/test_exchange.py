from __future__ import annotations

from typing import Any

import pytest
from multidict import CIMultiDict

from simulator.conformance.exchange import Ending, Exchange, Request

REQUEST = Request({"Content-Type": "application/json", "X-Webhook-ID": "del_1"}, b"{}")


def answer(status: int | None = 200, body: bytes = b"", ending: Ending = Ending.COMPLETE, **more: Any) -> Exchange:
    pieces = [(0.1, body)] if body else []
    return Exchange(request=REQUEST, status=status, pieces=pieces, ending=ending, **more)


def test_a_header_is_replaced_whatever_its_case_and_written_as_it_is_given() -> None:
    changed = REQUEST.but({"x-webhook-id": "del_2"})
    assert dict(changed.headers) == {"Content-Type": "application/json", "x-webhook-id": "del_2"}


def test_a_header_that_is_none_is_left_out() -> None:
    assert dict(REQUEST.but({"CONTENT-TYPE": None}).headers) == {"X-Webhook-ID": "del_1"}


def test_a_changed_request_leaves_the_first_as_it_was() -> None:
    changed = REQUEST.but({"Extra": "1"}, body=b"[]", method="PUT", note="another")
    assert (changed.body, changed.method, changed.note) == (b"[]", "PUT", "another")
    assert (REQUEST.body, REQUEST.method, "Extra" in REQUEST.headers) == (b"{}", "POST", False)


@pytest.mark.parametrize(
    ("exchange", "complete", "ok", "refused", "crashed"),
    [
        (answer(200), True, True, False, False),
        (answer(204), True, True, False, False),
        (answer(299), True, True, False, False),
        (answer(199), True, False, False, False),
        (answer(302), True, False, False, False),
        (answer(400), True, False, True, False),
        (answer(499), True, False, True, False),
        (answer(500), True, False, False, True),
        (answer(200, ending=Ending.BROKEN), False, False, False, True),
        (answer(200, ending=Ending.TIMED_OUT), False, False, False, True),
        (answer(200, ending=Ending.TOO_LONG), False, False, False, True),
        (answer(401, ending=Ending.LEFT), False, False, False, True),
        (answer(None), False, False, False, True),
        (answer(None, ending=Ending.BROKEN), False, False, False, True),
    ],
)
def test_how_an_exchange_is_judged(exchange: Exchange, complete: bool, ok: bool, refused: bool, crashed: bool) -> None:
    assert exchange.complete is complete
    assert (exchange.ok, exchange.refused, exchange.crashed) == (ok, refused, crashed)


def test_the_reply_is_read_by_its_content_type_whatever_the_case_of_the_name() -> None:
    lines = b'{"text": "One.", "interim": true}\n{"text": "Two."}\n'
    headers = CIMultiDict({"content-type": "application/x-ndjson"})
    reply = answer(body=lines, headers=headers).reply
    assert (reply.text, reply.problems) == ("One. Two.", ())


def test_without_an_answer_there_is_no_reply() -> None:
    assert answer(None, ending=Ending.TIMED_OUT).reply.chunks == ()


@pytest.mark.parametrize(
    ("exchange", "words"),
    [
        (answer(204), "204 without a body"),
        (answer(200, b"ok"), "200 'ok'"),
        (answer(200, b"\xffok"), "200 '\ufffdok'"),
        (answer(None, ending=Ending.BROKEN, error="connection refused"), "no answer (connection refused)"),
        (answer(None, ending=Ending.TIMED_OUT), "no answer (timed out)"),
        (answer(200, b"ok", ending=Ending.LEFT), "200 'ok', then left"),
        (answer(200, ending=Ending.BROKEN, error="connection reset"), "200 without a body, then connection reset"),
    ],
)
def test_what_was_observed_in_a_few_words(exchange: Exchange, words: str) -> None:
    assert str(exchange) == words


def test_a_long_body_is_shown_by_its_beginning() -> None:
    assert str(answer(200, b"x" * 500)) == "200 '" + "x" * 120 + "'…"
