from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.conformance.report.records import LONGEST, Content
from simulator.conformance.report.telling import (
    FEW,
    MARGIN,
    MOST_BODY,
    MOST_CHECKS,
    MOST_OF_MANY,
    MOST_TEXT,
    SHOWING,
    content,
    told,
    told_case,
    words,
)
from simulator.conformance.results import Report
from simulator.conformance.verdicts import Level, Verdict
from tests.helpers.conformance_reports import (
    REPORTS,
    TEXT,
    a_check,
    a_report,
    a_request,
    a_result,
    a_turn,
    an_exchange,
    report_with,
)

SECRETS = (
    "whsec_abcd0123456789abcdef",
    "Bearer abcd.efgh-0123456789",
    "sk_live_abcd0123456789",
    "https://user:longpassword@shop.example/",
    "https://shop.example/?api_key=0123456789abcdef",
)


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_in_no_part_of_a_report(secret: str) -> None:
    seen = repr(told(report_with(f"see {secret} there")))
    hidden = secret.rpartition("/" if secret.endswith("/") else "=")[2] or "longpassword"
    assert secret not in seen
    assert hidden[-8:] not in seen


def test_a_credential_header_is_hidden_and_a_signature_is_not() -> None:
    request = a_request().but({"Authorization": "abc", "Cookie": "session=1"})
    exchange = told_case(a_result(exchanges=(an_exchange(request=request, headers={"Set-Cookie": "a=b"}),))).exchanges[
        0
    ]
    headers = dict(exchange.request.headers)
    assert (headers["Authorization"], headers["Cookie"]) == ("***", "***")
    assert headers["X-Webhook-Signature"] == request.headers["X-Webhook-Signature"]
    assert exchange.answer.headers == (("Set-Cookie", "***"),)


@pytest.mark.parametrize(
    "command",
    ["--secret hunter2", "--secret=hunter2", "--secret 'hunter2 x'", '--secret "hunter2"', "--secret  hunter2"],
)
def test_the_command_to_repeat_it_has_no_secret(command: str) -> None:
    replay = told(a_report(replay=f"conform URL {command} --json a")).replay
    assert "hunter2" not in replay
    assert replay.endswith(" --json a")


def test_a_secret_file_is_named_in_the_command() -> None:
    assert told(a_report()).replay.endswith("--secret-file secret.txt")
    variable = 'conform URL --secret "$AGENTPHONE_WEBHOOK_SECRET" --strict'
    assert told(a_report(replay=variable)).replay == variable


@pytest.mark.parametrize("where", [MOST_BODY - 12, MOST_BODY - 3, MOST_BODY])
def test_a_secret_across_the_cut_is_not_half_told(where: int) -> None:
    secret = b"whsec_abcd0123456789abcdef"
    kept = content(b"x" * (where - 1) + b" " + secret + b" " * 9 * MARGIN)
    assert kept.data in (b"x" * (where - 1) + b" whsec_abcd***" + b" " * MOST_BODY)[:MOST_BODY]
    assert kept.left_out > 8 * MARGIN


@given(st.binary(max_size=80), st.integers(1, 80))
def test_a_body_is_kept_from_its_beginning_and_what_is_left_out_is_said(body: bytes, most: int) -> None:
    kept = content(body, most)
    if b"=" in body or b":" in body or b"_" in body:
        return  # may look like a secret
    assert body.startswith(kept.data)
    assert kept.left_out == len(body) - len(kept.data)
    assert kept.size == len(body)
    assert most - len(kept.data) < 4 or kept.left_out == 0


@given(st.text(st.characters(exclude_characters="=:_-", exclude_categories=("Cs",)), max_size=40), st.integers(1, 40))
def test_a_text_is_kept_as_text_wherever_it_is_cut(text: str, most: int) -> None:
    kept = content(text.encode(), most)
    assert kept.base64 is None
    assert text.startswith(kept.text or "")


def test_what_is_no_text_is_kept_as_it_is() -> None:
    assert content(b"\xff\x00abc") == Content(base64="/wBhYmM=", size=5)
    assert content(b"\xff\x00abc").data == b"\xff\x00abc"


def test_a_long_text_says_how_much_is_missing() -> None:
    assert words("x" * 1_000_000) == "x" * MOST_TEXT + f"… ({1_000_000 - MOST_TEXT} more characters)"


def test_lone_surrogates_become_escapes() -> None:
    assert words("a\ud800b") == "a\\ud800b"


def test_the_first_exchanges_are_kept_and_those_that_show_what_is_wrong() -> None:
    exchanges = tuple(an_exchange(b"%d" % index) for index in range(200))
    checks = (a_check(holds=True, exchange=50), a_check(exchange=77), a_check(exchange=199), a_check(exchange=1))
    case = told_case(a_result(exchanges=exchanges, checks=checks))
    assert [exchange.place for exchange in case.exchanges] == [1, 2, 3, 4, 78, 200]
    assert [check.exchange for check in case.checks] == [None, 4, 5, 1]
    assert case.exchanges[4].answer.content.text == "77"
    assert case.exchanges_left_out == 194


def test_of_many_exchanges_that_show_what_is_wrong_a_few_are_kept() -> None:
    exchanges = tuple(an_exchange() for _ in range(200))
    case = told_case(a_result(exchanges=exchanges, checks=tuple(a_check(exchange=n) for n in range(200))))
    assert len(case.exchanges) == FEW + SHOWING


def test_bodies_of_a_case_with_many_exchanges_are_cut_shorter() -> None:
    big = an_exchange(b"x" * 100_000)
    few, many = (told_case(a_result(exchanges=(big,) * n, checks=(a_check(exchange=n - 1),))) for n in (2, 9))
    assert len(few.exchanges[0].answer.content.data) == MOST_BODY
    assert len(many.exchanges[0].answer.content.data) == MOST_OF_MANY


def test_of_hundreds_of_checks_some_are_kept_and_none_that_fails_is_lost_among_those_that_hold() -> None:
    checks = (*(a_check(holds=True) for _ in range(300)), a_check(observed="the last"))
    case = told_case(a_result(checks=checks))
    assert [check.observed for check in case.broken] == ["the last"]
    assert len(case.checks) + case.checks_left_out == 301
    assert len(case.checks) == MOST_CHECKS + 1


def test_an_index_that_no_exchange_has_is_no_place() -> None:
    assert told_case(a_result(checks=(a_check(exchange=5),))).checks[0].exchange is None


def test_the_chunks_of_a_turn_are_told_with_their_words_and_moments() -> None:
    turn = a_turn((0.02, {"text": "One moment.", "interim": True}), (0.4, {"text": "Bye!", "hangup": True}))
    said = told_case(a_result(exchanges=(turn,))).exchanges[0].chunks
    assert [(chunk.at, chunk.interim, chunk.words) for chunk in said] == [
        (0.02, True, "One moment."),
        (0.4, False, "Bye! [hangs up]"),
    ]


def test_the_answer_to_a_text_has_no_chunks() -> None:
    answer = a_turn((0.02, {"text": "One moment."}), request=a_request(json.dumps(TEXT).encode()))
    assert told_case(a_result(exchanges=(answer,))).exchanges[0].chunks == ()


def test_an_answer_in_thousands_of_pieces_is_told_in_a_few() -> None:
    turn = a_turn(*((n / 1000, {"text": f"{n}", "interim": True}) for n in range(3000)))
    exchange = told_case(a_result(exchanges=(turn,))).exchanges[0]
    assert len(exchange.pieces) + exchange.more_pieces == 3000
    assert len(exchange.chunks) + exchange.more_chunks == 3000
    assert len(exchange.pieces) < 200
    assert len(exchange.chunks) < 200


@pytest.mark.parametrize(("seconds", "is_told"), [(float("nan"), 0), (float("inf"), 0), (-1, 0), (1e300, LONGEST)])
def test_a_length_that_is_none_does_no_harm(seconds: float, is_told: float) -> None:
    assert told(a_report(seconds=seconds)).seconds == is_told


@settings(max_examples=30)
@given(REPORTS)
def test_what_is_told_already_stays_as_it_is(report: Report) -> None:
    record = told(report)
    assert told(record) is record


def test_numbers_are_sorted_as_people_sort_them() -> None:
    cases = [told_case(a_result(number)) for number in ("3.10", "x", "3.2", "10.1", "3.1")]
    assert [case.number for case in sorted(cases, key=lambda case: case.order)] == ["3.1", "3.2", "3.10", "10.1", "x"]


def test_what_a_report_rests_on_is_what_was_judged() -> None:
    results = [a_result(f"1.{n}", verdict) for n, verdict in enumerate(Verdict, 1)]
    record = told(a_report(*results, a_result("2.1", Verdict.PASS, level=Level.SHOULD)))
    assert record.played == 4
