"""The signature on webhook requests, judged by the published vectors and by the official SDK's own verifier."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from agentphone.webhook import WebhookVerificationError, construct_event, verify_webhook
from hypothesis import given
from hypothesis import strategies as st

from simulator.domain.calls import Direction
from simulator.domain.messages import Channel, Message, MessageStatus
from simulator.domain.policy import Policies
from simulator.domain.webhooks import Delivery, EventType, Notice, WebhookEndpoint
from simulator.engine.signing import sign, verify
from simulator.runtime.deliver import Sender
from simulator.wire.payloads import render

FOLDER = Path(__file__).parent.parent / "fixtures" / "signatures"
FILES = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))]
VECTORS = [vector for file in FILES for vector in file["vectors"]]
NOW = datetime(2026, 1, 5, 15, tzinfo=UTC)

secrets = st.text(min_size=1, max_size=80, alphabet=st.characters(exclude_categories=["Cs"]))
seconds = st.integers(0, 4_102_444_800)


def body_of(vector: dict[str, Any]) -> bytes:
    return bytes.fromhex(vector["body_hex"]) if "body_hex" in vector else vector["body"].encode()


def accepted_by_the_sdk(body: bytes, signature: str, secret: str, timestamp: str) -> bool:
    try:
        verify_webhook(body, signature, secret, timestamp, tolerance=None)
    except (WebhookVerificationError, TypeError):  # TypeError: it compares text, and refuses letters outside ASCII
        return False
    return True


def test_there_are_vectors_and_each_file_names_its_source() -> None:
    assert len(VECTORS) >= 12
    assert all(file["source"] and file["trust"] in ("doc", "off", "usr-live", "usr", "inf") for file in FILES)


@pytest.mark.parametrize("vector", VECTORS, ids=[f"{v['content']}: {v['note']}" for v in VECTORS])
def test_we_sign_as_the_vectors_do(vector: dict[str, Any]) -> None:
    made = sign(vector["secret"], vector["timestamp"], body_of(vector), content=vector["content"])
    assert made == vector["signature"]


@pytest.mark.parametrize("vector", [v for v in VECTORS if v["content"] == "timestamp_body"], ids=lambda v: v["note"])
def test_the_sdk_accepts_the_vectors(vector: dict[str, Any]) -> None:
    assert accepted_by_the_sdk(body_of(vector), vector["signature"], vector["secret"], str(vector["timestamp"]))


@given(secrets, seconds, st.binary(max_size=300))
def test_the_sdk_accepts_what_we_sign(secret: str, timestamp: int, body: bytes) -> None:
    assert accepted_by_the_sdk(body, sign(secret, timestamp, body), secret, str(timestamp))


@given(secrets, seconds, st.binary(min_size=1, max_size=300), st.data())
def test_the_sdk_and_we_reject_a_change_of_any_byte_of_the_body(
    secret: str, timestamp: int, body: bytes, data: st.DataObject
) -> None:
    place, flip = data.draw(st.integers(0, len(body) - 1)), data.draw(st.integers(1, 255))
    changed = body[:place] + bytes([body[place] ^ flip]) + body[place + 1 :]
    signature = sign(secret, timestamp, body)
    assert not accepted_by_the_sdk(changed, signature, secret, str(timestamp))
    assert not verify(secret, timestamp, changed, signature)


@given(secrets, seconds, st.binary(max_size=100), st.data())
def test_the_sdk_and_we_reject_a_change_of_any_letter_of_a_header(
    secret: str, timestamp: int, body: bytes, data: st.DataObject
) -> None:
    headers = {"timestamp": str(timestamp), "signature": sign(secret, timestamp, body)}
    name = data.draw(st.sampled_from(sorted(headers)))
    place = data.draw(st.integers(0, len(headers[name]) - 1))
    letter = data.draw(st.characters(min_codepoint=32, max_codepoint=126).filter(lambda c: c != headers[name][place]))
    headers[name] = headers[name][:place] + letter + headers[name][place + 1 :]
    assert not accepted_by_the_sdk(body, headers["signature"], secret, headers["timestamp"])
    assert not verify(secret, headers["timestamp"], body, headers["signature"])


@given(st.text(max_size=80), st.text(max_size=20), st.binary(max_size=50))
def test_garbage_in_the_headers_is_rejected_and_never_an_error(signature: str, timestamp: str, body: bytes) -> None:
    assert not verify("whsec_x", timestamp, body, signature, now=time.time())


def test_the_sdk_reads_an_event_from_the_headers_and_body_that_are_sent() -> None:
    message = Message(
        id="msg_1",
        conversation_id="conv_1",
        number_id="num_1",
        agent_id="agt_1",
        direction=Direction.INBOUND,
        channel=Channel.SMS,
        from_number="+14155550123",
        to_number="+12025550143",
        body="Привет 👋",
        at=NOW,
        sequence=1,
        status=MessageStatus.RECEIVED,
    )
    notice = Notice(
        event_type=EventType.AGENT_MESSAGE, at=NOW, agent_id="agt_1", channel=Channel.SMS, message=message, test=True
    )
    endpoint = WebhookEndpoint(id="wh_1", url="http://127.0.0.1/", secret="whsec_one", created_at=NOW)
    delivery = Delivery(
        id="del_msg_1_num_1",
        endpoint_id=endpoint.id,
        endpoint_agent_id=None,
        agent_id="agt_1",
        event_type=notice.event_type,
        channel=notice.channel,
        body=render(notice, Policies()),
        created_at=NOW,
        sequence=1,
    )
    headers = Sender.headers_for(delivery, endpoint, time.time(), NOW, Policies())
    event = construct_event(
        delivery.body, headers["X-Webhook-Signature"], endpoint.secret, headers["X-Webhook-Timestamp"]
    )
    assert (event.event, event.channel, event.agent_id, event.test) == ("agent.message", "sms", "agt_1", True)
    assert (event.data.message, event.data.message_id) == ("Привет 👋", "msg_1")
    with pytest.raises(WebhookVerificationError):  # simulated time is not what a real handler's clock says
        old = Sender.headers_for(
            delivery, endpoint, time.time(), NOW, Policies(overrides={"signature_clock": "simulated"})
        )
        verify_webhook(delivery.body, old["X-Webhook-Signature"], endpoint.secret, old["X-Webhook-Timestamp"])
