"""What the cases of openness send, and whom they leave in peace; that they catch what they should, the zoo shows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.background import BackgroundTask
from starlette.responses import JSONResponse, Response

from simulator.conformance.cases import ALL
from simulator.conformance.cases.open_events import concerns
from simulator.conformance.cases.open_fields import LONG_ENTRIES, OLDER_DATA
from simulator.conformance.events import Event, compact
from simulator.conformance.platform import ApiCall
from simulator.conformance.verdicts import Profile, Verdict
from simulator.engine.signing import sign
from simulator.testing.opening import Session
from tests.helpers.examined import Answer, Examined, Sent, answering, good

GROUP = [case for case in ALL if case.group == 4]
EVENTS = ("agent.message", "agent.call_ended", "agent.reaction")
PASS, MISS, FAIL = Verdict.PASS, Verdict.NON_STRICT, Verdict.FAIL


@pytest.fixture(scope="module")
def examined() -> Iterator[Examined]:
    session = Session()
    yield Examined(session)
    session.close()


def texts(sent: list[Sent]) -> list[Sent]:
    return [one for one in sent if one.name == "agent.message" and not one.is_turn]


def turns(sent: list[Sent]) -> list[Sent]:
    return [one for one in sent if one.is_turn]


def ends(sent: list[Sent]) -> list[Sent]:
    return [one for one in sent if one.name == "agent.call_ended"]


def test_the_numbers_follow_one_another() -> None:
    assert [case.number for case in GROUP] == [f"4.{place}" for place in range(1, len(GROUP) + 1)]


@pytest.mark.parametrize("number", [case.number for case in GROUP])
def test_every_request_is_signed_and_says_what_it_carries(examined: Examined, number: str) -> None:
    found = examined.sent_in(number)
    assert found
    for sent in found:
        stamp = int(sent.headers["X-Webhook-Timestamp"])
        assert sent.headers["X-Webhook-Signature"] == sign(sent.account.secret, stamp, sent.body)
        assert sent.headers["X-Webhook-Event"] == sent.event["event"]
        assert sent.event["agentId"] is None or len(sent.event["agentId"]) > 8


@pytest.mark.parametrize("number", [case.number for case in GROUP])
def test_no_two_requests_of_a_case_are_the_same_delivery(examined: Examined, number: str) -> None:
    ids = [sent.headers["X-Webhook-ID"] for sent in examined.sent_in(number)]
    assert len(set(ids)) == len(ids)


def test_whoever_only_takes_events_passes_but_for_nothing(examined: Examined) -> None:
    report = examined.report(good, "4")
    assert [(result.number, result.broken) for result in report.results if result.verdict is not PASS] == []


# -- what is sent ------------------------------------------------------------------------------------------------


def test_unknown_events_are_unknown(examined: Examined) -> None:
    assert {sent.name for sent in examined.sent_in("4.1")}.isdisjoint(EVENTS)


def test_the_older_names_are_those_of_the_documentation(examined: Examined) -> None:
    sent = {one.name: one.data for one in examined.sent_in("4.18")}
    assert set(sent) == {"call.started", "call.ended", "message.received", "message.sent"}
    assert sent["message.sent"]["direction"] == "outbound"
    assert sent["message.sent"]["from"] == sent["message.received"]["to"]


def test_new_fields_are_in_all_three_places(examined: Examined) -> None:
    plain, grown = examined.sent_in("4.14"), examined.sent_in("4.3")
    known = (set(plain[0].event), set(plain[0].data), set(plain[0].event["recentHistory"][0]))
    assert [(bool(texts([one])), one.is_turn, bool(ends([one]))) for one in grown] == [
        (True, False, False),
        (False, True, False),
        (False, False, True),
    ]
    for one in grown:
        here = (set(one.event), set(one.data), set(one.event["recentHistory"][0]))
        assert all(new - old for new, old in zip(here, known, strict=True))


def test_nulls_are_where_the_types_allow_them(examined: Examined) -> None:
    text, turn, end, reaction = examined.sent_in("4.4")
    for name in ("contact", "mediaUrl", "conversationId", "numberId"):
        assert text.data[name] is None
    assert [one.event["agentId"] for one in (text, turn, end)] == [None, None, None]
    assert [turn.data["numberId"], end.data["disconnectionReason"], reaction.data["messageBody"]] == [None, None, None]
    assert text.data["from"]
    assert text.data["message"]


def test_absent_fields_are_absent(examined: Examined) -> None:
    bare, older = examined.sent_in("4.5")
    assert {"messageId", "contact", "mediaUrl", "mediaUrls"}.isdisjoint(bare.data)
    assert set(older.data) == set(OLDER_DATA)


def test_history_is_empty_then_missing(examined: Examined) -> None:
    sent = examined.sent_in("4.6")
    assert [one.event.get("recentHistory") for one in sent] == [[], [], None, None]
    assert ["recentHistory" in one.event for one in sent] == [True, True, False, False]


def test_a_long_history_is_long_and_stays_below_the_usual_limit(examined: Examined) -> None:
    for sent in examined.sent_in("4.7"):
        assert len(sent.event["recentHistory"]) == LONG_ENTRIES
        assert 60_000 < len(sent.body) < 100_000


def test_a_ragged_envelope_is_ragged(examined: Examined) -> None:
    roles, holes = examined.sent_in("4.8")
    assert "timestamp" not in roles.event
    assert roles.event["conversationState"] == []
    assert {"role", "content"} == set(roles.event["recentHistory"][0])
    assert holes.event["recentHistory"][:2] == [None, {"role": "agent", "content": None}]


def test_people_write_as_they_do(examined: Examined) -> None:
    (mail,) = examined.sent_in("4.9")
    assert mail.data["from"].endswith("@example.com")
    (picture,) = examined.sent_in("4.10")
    assert (picture.data["message"], len(picture.data["mediaUrls"])) == ("", 1)
    (several,) = examined.sent_in("4.11")
    assert len(several.data["mediaUrls"]) == 4
    (long,) = examined.sent_in("4.14")
    assert len(long.data["message"]) == 10_000


@pytest.mark.parametrize(
    ("number", "characters"),
    [
        ("4.12", "\u200d\U0001f1fa\U0001f1e6\U0001f3fd\ufe0f\u20e3\U000e007f"),
        ("4.13", "שמ\u202e\u202c\u0301\u034f한𝔘"),
        ("4.15", "\x1b\x7f\u2028\u2029\u0085\ufeff\x00\ud83d"),
        ("4.16", "\U0001f1fa\u202e"),
    ],
)
def test_the_characters_arrive(examined: Examined, number: str, characters: str) -> None:
    said = "".join(str(one.data.get("message") or one.data.get("transcript")) for one in examined.sent_in(number))
    assert set(characters) <= set(said)


def test_half_a_surrogate_pair_is_escaped_so_that_the_body_is_utf8(examined: Examined) -> None:
    half = examined.sent_in("4.15")[-1]
    assert b"\\ud83d" in half.body
    assert half.body.decode("utf-8")


def test_groups_come_from_a_member_and_from_the_group(examined: Examined) -> None:
    member, group = examined.sent_in("4.19")
    assert member.data["from"] == member.data["senderIdentifier"]
    assert group.data["from"] == group.data["group"]["groupId"]


def test_calls_end_in_every_way(examined: Examined) -> None:
    rang, failed, never = examined.sent_in("4.20")
    assert [one.data["status"] for one in (rang, failed, never)] == ["no-answer", "failed", "no-answer"]
    assert [one.data["startedAt"] is None for one in (rang, failed, never)] == [False, False, True]
    assert rang.data["transcript"] == []
    assert rang.data["disconnectionReason"] == "dial_no_answer"
    lines, fraction, odd = examined.sent_in("4.21")
    assert len(lines.data["transcript"]) == 300
    assert fraction.data["durationSeconds"] == 44.74
    assert odd.data["userSentiment"] == "Mixed"


def test_turns_come_without_confidence_and_from_everywhere(examined: Examined) -> None:
    without, null, web, outbound = examined.sent_in("4.22")
    assert "confidence" not in without.data
    assert null.data["confidence"] is None
    assert (web.data["direction"], outbound.data["direction"]) == ("web", "outbound")
    assert outbound.data["from"] == web.data["to"]


def test_ids_have_no_prefix_any_more(examined: Examined) -> None:
    for sent in examined.sent_in("4.23"):
        ids = [value for name, value in sent.data.items() if name.endswith("Id") and value]
        assert ids
        assert all(value.startswith("cmp2") for value in ids)
        assert len(set(ids)) == len(ids)


def test_reactions_are_a_tapback_an_emoji_and_of_the_past(examined: Examined) -> None:
    assert [sent.data["reactionType"] for sent in examined.sent_in("4.17")] == ["love", "👍🏽", "Loved"]


def test_who_only_texts_is_asked_no_turn(examined: Examined) -> None:
    numbers = [case.number for case in GROUP if case.profile is Profile.ALL]
    report = examined.report(answering(400, lambda sent: sent.is_turn), *numbers, profile=Profile.SMS)
    assert turns(examined.sent) == []
    assert report.ok(strict=True)


# -- fairness ----------------------------------------------------------------------------------------------------


def body(words: dict[str, str], wrong: Callable[[Sent], bool]) -> Answer:
    return lambda sent: JSONResponse(words) if wrong(sent) else good(sent)


def unknown(sent: Sent) -> bool:
    return sent.name not in EVENTS


def has_files(sent: Sent) -> bool:
    return bool(sent.data.get("mediaUrls"))


@pytest.mark.parametrize(
    ("number", "answer", "verdict"),
    [
        ("4.1", body({"status": "ignored"}, unknown), PASS),
        ("4.1", body({"text": "Hello?"}, unknown), MISS),
        ("4.1", answering(204, unknown), PASS),
        ("4.1", answering(202, unknown), PASS),
        ("4.1", answering(302, unknown), FAIL),
        ("4.1", answering(500, unknown), FAIL),
        ("4.18", answering(400, unknown), MISS),
        ("4.2", answering(422, lambda sent: sent.event.get("channel") == "telegram"), FAIL),
        ("4.3", answering(422, lambda sent: "traceId" in sent.event and sent.is_turn), FAIL),
        ("4.3", answering(422, lambda sent: "carrier" in sent.data and bool(ends([sent]))), FAIL),
        ("4.6", answering(500, lambda sent: "recentHistory" not in sent.event), MISS),
        ("4.6", answering(500, lambda sent: sent.event.get("recentHistory") == []), FAIL),
        ("4.8", answering(500, lambda sent: None in sent.event.get("recentHistory", [])), MISS),
        ("4.8", answering(500, lambda sent: "timestamp" not in sent.event), FAIL),
        ("4.10", answering(502, has_files), MISS),  # it fetches them first, and cannot
        ("4.10", answering(415, has_files), FAIL),
        ("4.10", answering(500, lambda sent: has_files(sent) and not sent.data["message"]), FAIL),
        ("4.11", answering(502, has_files), MISS),
        ("4.11", answering(500, lambda sent: len(sent.data.get("mediaUrls", [])) > 1), FAIL),
        ("4.15", answering(400, lambda sent: "\x00" in str(sent.data.get("message"))), MISS),
        ("4.15", answering(400, lambda sent: b"\\ud83d" in sent.body), MISS),
        ("4.15", answering(400, lambda sent: "\x1b" in str(sent.data.get("message"))), FAIL),
        ("4.20", answering(500, lambda sent: sent.data.get("startedAt", "") is None), MISS),
        ("4.20", answering(500, lambda sent: sent.data.get("transcript") == []), FAIL),
    ],
)
def test_a_verdict_is_fair(examined: Examined, number: str, answer: Answer, verdict: Verdict) -> None:
    assert examined.result(answer, number).verdict is verdict


async def ask(sent: Sent, to: str) -> None:
    async with httpx.AsyncClient(base_url=sent.account.base_url, trust_env=False) as api:
        headers = {"Authorization": f"Bearer {sent.account.api_key}"}
        body = {"number_id": sent.data.get("numberId"), "to_number": to, "body": "We are open."}
        await api.post("/v1/messages", json=body, headers=headers)


def texting(wanted: Callable[[Sent], bool], to: str = "") -> Answer:
    """Answers texts by the API, and these events as well: to whoever sent them, or always to the same number."""

    def answer(sent: Sent) -> Response:
        if not (texts([sent]) or wanted(sent)):
            return good(sent)
        return Response(background=BackgroundTask(ask, sent, (wanted(sent) and to) or str(sent.data.get("from"))))

    return answer


@pytest.mark.parametrize(
    ("number", "answer", "verdict"),
    [
        ("4.1", texting(unknown), FAIL),
        ("4.1", texting(lambda sent: False), PASS),
        ("4.1", texting(unknown, to="+12127369999"), PASS),  # nobody's: the late work of an earlier case
        ("4.18", texting(lambda sent: sent.name == "message.received"), MISS),
    ],
)
def test_what_an_event_leads_to_is_seen_in_the_api(
    examined: Examined, number: str, answer: Answer, verdict: Verdict
) -> None:
    assert examined.result(answer, number).verdict is verdict


DATA = {"from": "+12127360001", "to": "+16025550100", "conversationId": "conv_77", "messageId": "msg_88"}


def event(**data: str) -> Event:
    payload = {"event": "agent.message", "channel": "sms", "data": {**DATA, **data}}
    return Event("del_1", "agent.message", payload, compact(payload))


@pytest.mark.parametrize(
    ("path", "asked", "about"),
    [
        ("/v1/messages", {"to_number": "+12127360001"}, True),
        ("/v1/messages", {"to_number": "12127360001"}, True),
        ("/v1/messages", {"reply_to_message_id": "msg_88"}, True),
        ("/v1/conversations/conv_77", {"metadata": {}}, True),
        ("/v1/messages", {"to_number": "+12127360002", "from_number": "+16025550100"}, False),
        ("/v1/messages", None, False),
    ],
)
def test_an_api_call_is_about_whom_it_names(path: str, asked: object, about: bool) -> None:
    assert concerns(ApiCall(1, "POST", path, 200, asked), event()) is about


def test_of_what_we_sent_the_other_party_is_the_receiver() -> None:
    sent = event(direction="outbound", **{"from": "+16025550100", "to": "+12127360001"})
    assert concerns(ApiCall(1, "POST", "/v1/messages", 200, {"to_number": "+12127360001"}), sent)
    assert not concerns(ApiCall(1, "POST", "/v1/messages", 200, {"from_number": "+16025550100"}), sent)


@given(st.dictionaries(st.sampled_from(["from", "to", "conversationId"]), st.sampled_from(["", None])), st.text())
def test_an_event_without_names_is_what_no_call_is_about(data: dict[str, str], words: str) -> None:
    payload = {"data": {**data, "direction": "inbound"}}
    call = ApiCall(1, "POST", "/v1/messages", 200, {"body": words})
    assert not concerns(call, Event("del_1", "agent.message", payload, json.dumps(payload).encode()))
