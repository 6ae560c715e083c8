from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.helpers.processes import EXPRESS, ROOMY, Api, Handler, run_handler, run_simulator, text, voice

SECRET = "whsec_of_this_test"
NAMES = ("simple_starlette.py", "streaming_fastapi.py", "tools_flask.py", EXPRESS)


@pytest.fixture(scope="module", params=NAMES)
def handler(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Handler]:
    secret_file = tmp_path_factory.mktemp("handler") / "secret"
    secret_file.write_text(f"{SECRET}\n")
    with run_handler(request.param, secret_file, secret=SECRET) as running:
        yield running


def chunks(response: httpx.Response) -> list[dict[str, object]]:
    assert response.status_code == 200
    return [json.loads(line) for line in response.text.splitlines()]


def test_a_turn_is_answered_with_one_final_chunk_at_the_end(handler: Handler) -> None:
    said = chunks(handler.post(voice("Where is order 4521?")))
    assert [chunk.get("interim", False) for chunk in said] == [True] * (len(said) - 1) + [False]
    assert "4521 shipped yesterday" in " ".join(str(chunk["text"]) for chunk in said)


def test_streamed_answers_begin_with_an_interim_chunk_and_say_that_they_are_streams(handler: Handler) -> None:
    response = handler.post(voice("Where is order 4521?"))
    assert response.headers["Content-Type"].startswith("application/x-ndjson")
    assert chunks(response)[0]["interim"] is True


def test_goodbye_hangs_up(handler: Handler) -> None:
    [chunk] = chunks(handler.post(voice("Thank you, goodbye.")))
    assert chunk["hangup"] is True
    assert chunk["text"]


def test_a_call_that_has_just_been_connected_is_greeted(handler: Handler) -> None:
    [chunk] = chunks(handler.post(voice("")))
    assert "hello" in str(chunk["text"])


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Webhook-Signature": ""},
        {"X-Webhook-Signature": "sha256=" + "0" * 64},
        {"X-Webhook-Signature": "sha256=é".encode("latin-1")},
        {"X-Webhook-Timestamp": ""},
        {"X-Webhook-Timestamp": "soon"},
        {"X-Webhook-Timestamp": "-1"},
        {"X-Webhook-Timestamp": "1e9"},
    ],
)
def test_a_request_that_is_not_signed_properly_is_refused(handler: Handler, headers: dict[str, str | bytes]) -> None:
    assert handler.post(voice("hello"), headers=headers).status_code == 401


@pytest.mark.parametrize("age", [600, -600])
def test_a_properly_signed_request_of_another_time_is_refused(handler: Handler, age: float) -> None:
    assert handler.post(voice("hello"), age=age).status_code == 401


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_a_signed_body_that_is_no_event_is_a_bad_request(handler: Handler, body: bytes) -> None:
    assert handler.post(body).status_code == 400


@pytest.mark.parametrize(
    "event",
    [
        {"event": "agent.call_ended", "channel": "voice", "data": {"callId": "call_1", "transcript": []}},
        {"event": "agent.reaction", "channel": "imessage", "data": {"reactionType": "love"}},
        {"event": "something.new", "channel": "pigeon", "data": {}},
        {"event": "agent.message", "channel": "sms", "data": None},
        {"event": "agent.message", "channel": "sms", "test": True, "data": {"message": "hello"}},
        {},
    ],
)
def test_events_without_a_use_are_acknowledged_and_nothing_is_said(handler: Handler, event: dict[str, object]) -> None:
    response = handler.post(event)
    assert (response.status_code, response.content) == (200, b"")


def test_half_a_character_is_no_reason_to_crash(handler: Handler) -> None:
    assert handler.post(text("half \ud83d a smile"), delivery_id="del_half").status_code == 200
    said = chunks(handler.post(voice("Where is \ud83d order 4521?")))
    assert "4521 shipped yesterday" in " ".join(str(chunk["text"]) for chunk in said)


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        ("Please don't call this number again.", {"hangup": True}),
        ("Am I talking to a real person?", {"text": "I am an automated assistant, an AI."}),
        ("I want a real person.", {"action": "transfer"}),
    ],
)
def test_what_is_owed_to_callers_is_not_left_to_the_model(
    handler: Handler, said: str, reply: dict[str, object]
) -> None:
    [chunk] = chunks(handler.post(voice(said)))
    assert {name: chunk.get(name) for name in reply} == reply
    assert chunk["text"]


def test_a_text_that_is_delivered_twice_is_handled_once(handler: Handler) -> None:
    for body, delivery_id in (("first", "del_a"), ("first", "del_a"), ("second", "del_b")):
        response = handler.post(text(body), delivery_id=delivery_id)
        assert (response.status_code, response.content) == (200, b"")
    handler.child.wait_for_line("text from .*: second", 10)
    assert [line for line in handler.child.stdout if "first" in line] == ["text from +14155550150: first"]


def test_a_turn_that_is_delivered_twice_is_answered_twice(handler: Handler) -> None:
    first, second = (handler.post(voice("Where is order 1180?"), delivery_id="voice_1").content for _ in range(2))
    assert first == second != b""


def test_history_with_holes_does_no_harm(handler: Handler) -> None:
    history = [None, {"role": "agent", "content": None}, {"content": "order 4521"}, 7]
    assert chunks(handler.post(voice("When will it arrive?", history=history)))[-1]["text"]


@pytest.mark.parametrize("name", ["streaming_fastapi.py", EXPRESS])
def test_the_history_tells_what_the_talk_is_about(name: str, tmp_path: Path) -> None:
    earlier = [
        {"content": "Where is order 4521?", "direction": "inbound", "channel": "voice"},
        {"content": "It has shipped.", "direction": "outbound", "channel": "voice"},
    ]
    (tmp_path / "secret").write_text(SECRET)
    with run_handler(name, tmp_path / "secret", secret=SECRET) as running:
        said = chunks(running.post(voice("When will it arrive?", history=earlier)))
        assert "Order 4521" in str(said[1]["text"])


@pytest.mark.parametrize("name", ["streaming_fastapi.py", "tools_flask.py", EXPRESS])
def test_the_last_chunk_is_final_even_when_the_model_fails(name: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    with run_handler(name, tmp_path / "secret", secret=SECRET) as running:
        said = chunks(running.post(voice("Does 4521 overload you?")))
        assert len(said) == 2
        assert "interim" not in said[-1]
        assert str(said[-1]["text"]).startswith("Sorry")


@pytest.fixture(scope="module")
def simple() -> Iterator[Handler]:
    with run_handler("simple_starlette.py", None, secret=SECRET, env={"AGENTPHONE_WEBHOOK_SECRET": SECRET}) as running:
        yield running


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        ("I want to speak to a human", {"text": "I'll put you through to a colleague.", "action": "transfer"}),
        ("For billing press 2, for sales press 3", {"digits": "2"}),
        ("Hello", {"text": "I can look up an order for you. What is its number?"}),
    ],
)
def test_the_simple_handler_acts_on_what_it_hears(said: str, reply: dict[str, str], simple: Handler) -> None:
    assert simple.post(voice(said)).json() == reply


@pytest.mark.parametrize("name", NAMES)
def test_the_secret_may_come_from_the_environment(name: str) -> None:
    with run_handler(name, None, secret=SECRET, env={"AGENTPHONE_WEBHOOK_SECRET": SECRET}) as running:
        assert running.post(voice("Hello")).status_code == 200
        assert running.post(voice("Hello"), headers={"X-Webhook-Signature": "sha256="}).status_code == 401


@pytest.mark.parametrize("name", NAMES)
def test_a_handler_without_a_secret_says_that_it_checks_nothing(name: str) -> None:
    with run_handler(name, None) as running:
        assert running.post(voice("Hello"), headers={"X-Webhook-Signature": ""}).status_code == 200
    assert "no secret: signatures are not checked (pass --secret-file)" in running.child.stderr


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_accepted_until_the_secret_is_there_and_then_at_once(name: str, tmp_path: Path) -> None:
    with run_handler(name, tmp_path / "secret", secret=SECRET) as running:
        assert running.post(voice("Hello")).status_code == 401
        (tmp_path / "secret").write_text(SECRET)
        assert running.post(voice("Hello")).status_code == 200


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with run_simulator("--clock", "auto") as (url, _):
        yield Api(url)


@pytest.mark.parametrize("name", NAMES)
def test_a_scripted_call_is_answered_from_the_first_word_to_the_last(name: str, tmp_path: Path, api: Api) -> None:
    agent = api.post("/v1/agents", {"name": name, "beginMessage": "Acme, hello!"})["id"]
    number = api.post("/v1/numbers", {"areaCode": "415", "agentId": agent})["phoneNumber"]
    with run_handler(name, tmp_path / "secret") as handler:
        webhook = api.post(f"/v1/agents/{agent}/webhook", {"url": handler.url, **ROOMY})
        (tmp_path / "secret").write_text(webhook["secret"])
        script = ["Where is order 4521?", "Thank you, goodbye."]
        call = api.post("/_sim/calls", {"from": "+14155550150", "to": number, "script": script, "wait": True})
    assert (call["disconnection_reason"], call["findings"]) == ("agent_hangup", [])
    greeting, question, goodbye = call["call"]["transcripts"]
    assert greeting["transcript"] == "Acme, hello!"
    assert "4521 shipped yesterday" in question["response"]
    assert goodbye["response"] == "Thanks for calling. Goodbye!"


def test_a_handler_with_the_wrong_secret_answers_nothing_and_is_found_out(tmp_path: Path, api: Api) -> None:
    agent = api.post("/v1/agents", {"name": "Wrong"})["id"]
    number = api.post("/v1/numbers", {"areaCode": "415", "agentId": agent})["phoneNumber"]
    (tmp_path / "secret").write_text("whsec_of_last_week")
    with run_handler("simple_starlette.py", tmp_path / "secret") as handler:
        api.post(f"/v1/agents/{agent}/webhook", {"url": handler.url, **ROOMY})
        call = api.post("/_sim/calls", {"from": "+14155550150", "to": number, "script": ["Hello"], "wait": True})
    assert [finding["kind"] for finding in call["findings"]] == ["reply_http_error"]
    assert "401" in call["findings"][0]["message"]
