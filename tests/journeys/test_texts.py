"""What becomes of texts, over a whole simulator and a real handler's socket."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.clock import ClockMode
from tests.helpers.api import under
from tests.helpers.platform import Platform, platform
from tests.helpers.webhook_receiver import Receiver

pytestmark = pytest.mark.anyio
PERSON, OTHER = "+14155550150", "+14155550151"
OPTED_OUT, LANDLINE, UNCONFIRMED = "+14155550120", "+14155550121", "+14155550125"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def send(p: Platform, agent: str, to: str = PERSON, expect: int = 200, **more: Any) -> Any:
    return await p.post("/v1/messages", {"agent_id": agent, "to_number": to, "body": "hi", **more}, expect)


async def apple(p: Platform, webhook: str) -> tuple[str, str]:
    """An agent with an iMessage number and the account's webhook: (agent id, phone number)."""
    agent = (await p.post("/v1/agents", {"name": "Support"}))["id"]
    number = await p.post("/v1/numbers", {"type": "imessage", "agentId": agent})
    await p.post("/v1/webhooks", {"url": webhook})
    return agent, number["phoneNumber"]


async def texts(p: Platform) -> list[dict[str, Any]]:
    """Every text of the account's latest number, oldest first."""
    number = (await p.get("/v1/numbers"))["data"][0]["id"]
    rows: list[dict[str, Any]] = (await p.get(f"/v1/numbers/{number}/messages"))["data"]
    return rows[::-1]


async def test_a_text_is_sent_at_once_and_delivered_a_second_later() -> None:
    async with platform(ClockMode.MANUAL) as p:
        agent, _ = await p.line(None)
        sent = await send(p, agent)
        assert (sent["status"], [t["status"] for t in await texts(p)]) == ("sent", ["sent"])
        await p.post("/_sim/clock/advance", {"seconds": 1})
        assert [t["status"] for t in await texts(p)] == ["delivered"]
        (row,) = (await p.get(f"/v1/conversations/{sent['conversation_id']}"))["messages"]
        assert (row["deliveredAt"], row["deliveredChannel"]) == ("2026-01-05T15:00:01.000Z", "sms")


async def test_a_failure_is_seen_where_texts_are_listed() -> None:
    async with platform(ClockMode.MANUAL) as p:
        agent, _ = await p.line(None)
        for number in (OPTED_OUT, LANDLINE):
            assert (await send(p, agent, number))["status"] == "sent"
        await p.post("/_sim/clock/run_until_idle")
        listed = [(t["toNumber"], t["status"], bool(t["failureReason"])) for t in await texts(p)]
        assert listed == [(OPTED_OUT, "failed", True), (LANDLINE, "failed", True)]
        failed = (await p.get("/v1/conversations"))["data"][0]["id"]
        (row,) = (await p.get(f"/v1/conversations/{failed}/messages"))["data"]
        assert (row["errorCode"], row["deliveredAt"]) == ("LANDLINE", None)
        assert len(await p.journal("message.failed")) == 2


async def test_nobody_ever_hears_of_an_unconfirmed_text() -> None:
    async with platform(ClockMode.MANUAL) as p:
        agent, _ = await p.line(None)
        refused = await send(p, agent, UNCONFIRMED, 409)
        assert refused["error"]["code"] == "DELIVERY_UNCONFIRMED"
        assert (await p.get("/_sim/clock"))["timers"] == 0
        assert [t["status"] for t in await texts(p)] == ["sent"]


async def test_a_forced_status_is_not_overruled_by_the_carrier() -> None:
    async with platform(ClockMode.MANUAL) as p:
        agent, _ = await p.line(None)
        sent = await send(p, agent)
        path = f"/_sim/messages/{sent['id']}/status"
        forced = await p.post(path, {"status": "failed", "failure_reason": "no route", "error_code": "X"})
        assert (forced["status"], forced["failure_reason"], forced["error_code"]) == ("failed", "no route", "X")
        await p.post("/_sim/clock/run_until_idle")
        assert [(t["status"], t["failureReason"]) for t in await texts(p)] == [("failed", "no route")]
        await p.post(path, {"status": "read"}, 400)
        await p.post(path, {"status": "delivered", "error_code": "X"}, 422)
        await p.post("/_sim/messages/msg_x/status", {"status": "delivered"}, 404)
        assert (await p.post(path, {"status": "delivered"}))["failure_reason"] is None


async def test_an_imessage_can_be_read() -> None:
    async with platform(ClockMode.MANUAL) as p:
        agent, _ = await apple(p, "http://127.0.0.1:9/")
        sent = await send(p, agent)
        read = await p.post(f"/_sim/messages/{sent['id']}/status", {"status": "read"})
        assert (read["status"], read["read_at"]) == ("delivered", "2026-01-05T15:00:00.000Z")
        (row,) = (await p.get(f"/v1/conversations/{sent['conversation_id']}"))["messages"]
        assert (row["readAt"], row["deliveredChannel"]) == (read["read_at"], "imessage")


async def test_several_pictures_by_imessage_are_several_deliveries() -> None:
    with Receiver() as hook:
        async with platform() as p:
            _, number = await apple(p, hook.url)
            pictures = [f"https://files.example.com/{n}.jpg" for n in range(3)]
            came = await p.post("/_sim/messages", {"from": PERSON, "to": number, "media_urls": pictures})
            await p.post("/_sim/clock/run_until_idle")
            told = sorted((r.json["data"] for r in hook.of("agent.message")), key=lambda data: str(data["mediaUrl"]))
            assert [(d["messageId"], d["mediaUrl"], d["mediaUrls"]) for d in told] == [
                (message, url, [url]) for message, url in zip(came["message_ids"], pictures, strict=True)
            ]
            assert came["message_id"] == came["message_ids"][0]


async def test_an_mms_is_one_delivery_however_many_pictures_it_has() -> None:
    with Receiver() as hook:
        async with platform() as p:
            _, number = await p.line(hook.url)
            pictures = ["https://files.example.com/a.jpg", "https://files.example.com/b.jpg"]
            await p.post("/_sim/messages", {"from": PERSON, "to": number, "media_urls": pictures})
            await p.post("/_sim/clock/run_until_idle")
            (told,) = hook.of("agent.message")
            assert (told.json["channel"], told.json["data"]["mediaUrls"]) == ("mms", pictures)


async def test_a_group_text_comes_in_with_its_sender_and_the_group() -> None:
    with Receiver() as hook:
        async with platform() as p:
            _, number = await apple(p, hook.url)
            await p.ask("POST", "/v1/contacts", 201, json={"phoneNumber": PERSON, "name": "Ann"})
            group = {"participants": [OTHER, "bob@example.com"], "name": "Team"}
            came = await p.post("/_sim/messages", {"from": PERSON, "to": number, "body": "Hi all", "group": group})
            await p.post("/_sim/clock/run_until_idle")
            data = hook.of("agent.message")[0].json["data"]
            assert (data["from"], data["senderIdentifier"], data["contact"]["name"]) == (
                came["group_id"],
                PERSON,
                "Ann",
            )
            assert (data["group"]["groupId"], data["group"]["groupName"]) == (came["group_id"], "Team")
            names = [(one["identifier"], one["name"]) for one in data["group"]["participants"]]
            assert names == [(PERSON, "Ann"), (OTHER, None), ("bob@example.com", None)]


@pytest.mark.parametrize(
    "group", [{}, {"name": "Team"}, {"id": "grp_1", "participants": [OTHER]}, {"participants": []}, {"color": "red"}]
)
async def test_a_group_is_named_by_its_id_or_by_its_members(group: dict[str, Any]) -> None:
    async with platform() as p:
        _, number = await apple(p, "http://127.0.0.1:9/")
        await p.post("/_sim/messages", {"from": PERSON, "to": number, "body": "x", "group": group}, 422)


@pytest.mark.parametrize(("policy", "names"), [("present", "love"), ("past", "Loved")])
async def test_a_reaction_reaches_the_handler(policy: str, names: str) -> None:
    with Receiver() as hook:
        async with platform(policies=under(reaction_names=policy)) as p:
            agent, _ = await apple(p, hook.url)
            sent = await send(p, agent)
            made = await p.post(f"/_sim/messages/{sent['id']}/reactions", {"reaction": "love"})
            await p.post("/_sim/clock/run_until_idle")
            (told,) = hook.of("agent.reaction")
            assert (told.json["agentId"], told.json["channel"]) == (agent, "imessage")
            assert (
                told.json["data"].items()
                >= {
                    "messageId": sent["id"],
                    "messageBody": "hi",
                    "reactionType": names,
                    "fromNumber": PERSON,
                    "direction": "inbound",
                }.items()
            )
            assert made["reaction_type"] == "love"


async def test_an_impossible_reaction_changes_nothing() -> None:
    async with platform() as p:
        agent, _ = await p.line(None)
        sent = await send(p, agent)
        path = f"/_sim/messages/{sent['id']}/reactions"
        assert "it is sms" in (await p.post(path, {"reaction": "love"}, 400))["detail"]
        await p.post(path, {}, 422)
        await p.post("/_sim/messages/msg_x/reactions", {"reaction": "love"}, 404)
        assert await p.journal("reaction.") == []


async def test_by_policy_stop_is_heeded_until_start() -> None:
    async with platform(policies=under(carrier_opt_out="on")) as p:
        agent, number = await p.line(None)
        for word in ("STOP", "START"):
            await p.post("/_sim/messages", {"from": PERSON, "to": number, "body": word})
            await send(p, agent)
            await p.post("/_sim/clock/run_until_idle")
        assert [t["status"] for t in await texts(p)] == ["received", "failed", "received", "delivered"]
