from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from simulator.domain.messages import Channel
from simulator.domain.webhooks import (
    Attempt,
    Delivery,
    DeliveryStatus,
    EventType,
    Outcome,
    OutcomeKind,
    WebhookEndpoint,
)
from simulator.wire.webhooks import DeliveryOut, WebhookIn, WebhookOut, WebhookTestOut, success_rate

AT = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)


def delivery(*attempts: Attempt, **fields: Any) -> Delivery:
    return Delivery(
        id="del_1",
        endpoint_id="wh_1",
        endpoint_agent_id=None,
        agent_id="agt_1",
        event_type=EventType.AGENT_MESSAGE,
        channel=Channel.SMS,
        body=b"{}",
        created_at=AT,
        sequence=1,
        message_id="msg_1",
        attempts=attempts,
        **fields,
    )


def tried(kind: OutcomeKind, **fields: Any) -> Attempt:
    outcome = Outcome(kind=kind, duration=timedelta(milliseconds=12.6), **fields)
    return Attempt(number=1, at=AT + timedelta(seconds=1), outcome=outcome)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, (10, timedelta(seconds=30))),
        ({"contextLimit": None, "timeout": None}, (10, timedelta(seconds=30))),
        ({"contextLimit": 0, "timeout": 5}, (0, timedelta(seconds=5))),
        ({"contextLimit": 50, "timeout": 120}, (50, timedelta(seconds=120))),
    ],
)
def test_what_is_left_out_has_the_documented_default(fields: dict[str, Any], expected: tuple[int, timedelta]) -> None:
    body = WebhookIn.model_validate({"url": "http://a.test", **fields})
    assert (body.entries, body.patience) == expected


@pytest.mark.parametrize(
    "fields",
    [
        {"url": None},
        {"url": 1},
        {"contextLimit": -1},
        {"contextLimit": 51},
        {"timeout": 4},
        {"timeout": 121},
        {"timeout": "30"},
        {"timeout": True},
    ],
)
def test_an_endpoint_of_the_wrong_shape_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        WebhookIn.model_validate({"url": "http://a.test", **fields})


def test_an_endpoint_is_shown_with_its_secret() -> None:
    endpoint = WebhookEndpoint(id="wh_1", url="http://a.test", secret="whsec_1", created_at=AT)
    assert WebhookOut.of(endpoint).model_dump(by_alias=True) == {
        "id": "wh_1",
        "url": "http://a.test",
        "secret": "whsec_1",
        "status": "active",
        "contextLimit": 10,
        "timeout": 30,
        "createdAt": "2026-01-05T15:00:00.000Z",
    }


def test_a_delivery_that_waits_has_no_attempt_to_show() -> None:
    shown = DeliveryOut.of(delivery(next_attempt_at=AT)).model_dump(by_alias=True)
    assert len(shown) == 17
    assert (shown["status"], shown["attemptCount"], shown["success"]) == ("pending", 0, False)
    assert (shown["httpStatus"], shown["lastAttemptAt"], shown["responseMs"]) == (None, None, None)
    assert shown["nextRetryAt"] == shown["createdAt"] == shown["deliveredAt"] == "2026-01-05T15:00:00.000Z"


def test_a_delivery_is_told_in_the_words_of_both_generations() -> None:
    accepted = tried(OutcomeKind.ACCEPTED, http_status=200, response_body="OK")
    shown = DeliveryOut.of(delivery(accepted, status=DeliveryStatus.SUCCESS)).model_dump(by_alias=True)
    assert shown["eventType"] == shown["event"] == "agent.message"
    assert shown["httpStatus"] == shown["statusCode"] == 200
    assert shown["lastAttemptAt"] == shown["deliveredAt"] == "2026-01-05T15:00:01.000Z"
    assert (shown["success"], shown["errorMessage"], shown["responseMs"]) == (True, None, 13)


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (tried(OutcomeKind.REJECTED, http_status=500), "HTTP 500"),
        (tried(OutcomeKind.UNREACHABLE, error="connection refused"), "connection refused"),
        (tried(OutcomeKind.TIMED_OUT), "timed_out"),
    ],
)
def test_a_failure_always_has_a_message(attempt: Attempt, message: str) -> None:
    failed = delivery(attempt, status=DeliveryStatus.FAILED)
    assert DeliveryOut.of(failed).error_message == message
    shown = WebhookTestOut.of(failed).model_dump(by_alias=True)
    assert shown["error"] == shown["errorMessage"] == message
    assert shown["success"] is False


def test_a_test_is_told_in_both_vocabularies() -> None:
    done = delivery(tried(OutcomeKind.ACCEPTED, http_status=204), status=DeliveryStatus.SUCCESS)
    assert WebhookTestOut.of(done).model_dump(by_alias=True) == {
        "success": True,
        "statusCode": 204,
        "httpStatus": 204,
        "responseMs": 13,
        "error": None,
        "errorMessage": None,
    }


@pytest.mark.parametrize(
    ("success", "total", "unit", "expected"),
    [(0, 0, "percent", 0.0), (2, 3, "percent", 66.67), (2, 3, "fraction", 0.6667), (3, 3, "percent", 100.0)],
)
def test_the_success_rate_follows_the_policy(success: int, total: int, unit: str, expected: float) -> None:
    assert success_rate(success, total, unit) == expected
