"""`/_sim/threads`, and people who answer texts by a script."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Any

import pytest

from simulator.clock import ClockMode
from tests.helpers.platform import Platform, platform
from tests.helpers.webhook_receiver import Receiver

pytestmark = pytest.mark.anyio
PERSON, OTHER = "+14155552671", "+14155552672"
HI: dict[str, Any] = {"text": "hi"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def apple(p: Platform) -> tuple[str, str]:
    agent = (await p.post("/v1/agents", {"name": "Support"}))["id"]
    return agent, (await p.post("/v1/numbers", {"type": "imessage", "agentId": agent}))["phoneNumber"]


async def start(p: Platform, to: str, *script: Any, expect: int = 200, **more: Any) -> Any:
    return await p.post("/_sim/threads", {"from": PERSON, "to": to, "script": list(script), **more}, expect)


async def until_idle(p: Platform, thread: Any) -> Any:
    await p.post("/_sim/clock/run_until_idle")
    return await p.get(f"/_sim/threads/{thread['thread_id']}")


async def test_a_thread_is_told_as_far_as_it_has_come() -> None:
    async with platform(ClockMode.MANUAL) as p:
        _, number = await p.line(None)
        thread = await start(p, number, HI, {"after": 60}, {"repeat": {"times": 2, "steps": [{"text": "again"}]}})
        assert thread == await p.get(f"/_sim/threads/{thread['thread_id']}")
        assert (thread["status"], thread["ended_at"], thread["from"], thread["to"]) == (
            "running", None, PERSON, number,
        )  # fmt: skip
        assert [step["verb"] for step in thread["steps"]] == ["text", "after"]
        thread = await until_idle(p, thread)
        assert (thread["status"], thread["ended_at"]) == ("done", "2026-01-05T15:01:00.000Z")
        assert [(step["step"], step["verb"]) for step in thread["steps"]][2:] == [
            ([2, 0, 0], "text"),
            ([2, 1, 0], "text"),
        ]


async def test_a_thread_between_texts_does_not_hold_time() -> None:
    async with platform() as p:
        _, number = await p.line(None)
        thread = await start(p, number, {"after": 365 * 86_400}, HI, wait=True)
        assert (thread["status"], thread["ended_at"][:10]) == ("done", "2027-01-05")


@pytest.mark.parametrize("clock", [ClockMode.AUTO, ClockMode.MANUAL])
async def test_time_stays_with_the_handler_no_longer_than_it_is_told_to(clock: ClockMode) -> None:
    async with platform(clock) as p:
        _, number = await p.line(None)
        thread = await start(p, number, HI, {"expect_reply": {"within": 86_400}}, wait=True, patience=0.05)
        assert (thread["status"], thread["failure"]["heard"]) == ("failed", "nothing")
        assert thread["ended_at"] == thread["failure"]["at"] == "2026-01-06T15:00:00.000Z"


async def test_time_stays_with_the_handler_until_it_has_answered() -> None:
    async with platform(ClockMode.MANUAL) as p:
        agent, number = await p.line(None)
        await start(p, number, HI, {"expect_reply": {"within": 60}})
        assert (await p.get("/_sim/clock"))["in_flight"] == 1
        await p.post("/v1/messages", {"agent_id": agent, "to_number": PERSON, "body": "hello"})
        assert await p.runner.pacer.settle(timedelta(seconds=5))  # of the ten that it would stay
        assert (await p.get("/_sim/clock"))["in_flight"] == 0


async def test_nobody_waits_for_texts_when_the_server_stops() -> None:
    async with platform(ClockMode.MANUAL) as p:
        _, number = await p.line(None)
        await start(p, number, HI, {"expect_reply": {"within": 60}})
        began = time.monotonic()
        await p.runner.stop()
        assert time.monotonic() - began < 3  # of the ten seconds that it would stay, and the five that a stop takes


async def test_a_sub_account_that_is_deleted_takes_its_threads_along() -> None:
    async with platform(ClockMode.MANUAL) as p:
        sub = (await p.post("/v1/sub-accounts", {"name": "Branch"}))["id"]
        p.client.headers["X-Sub-Account-Id"] = sub
        _, number = await p.line(None)
        await start(p, number, {"after": 60}, HI)
        del p.client.headers["X-Sub-Account-Id"]
        assert (await p.get("/_sim/clock"))["timers"] == 1
        await p.ask("DELETE", f"/v1/sub-accounts/{sub}")
        assert (await p.get("/_sim/clock"))["timers"] == 0


async def test_a_text_in_time_is_the_expected_reply() -> None:
    async with platform() as p:
        agent, number = await p.line(None)
        thread = await start(p, number, HI, {"expect_reply": {"within": 86_400, "text": {"contains": "HELLO"}}})
        await p.post("/v1/messages", {"agent_id": agent, "to_number": OTHER, "body": "hello"})
        await p.post("/v1/messages", {"agent_id": agent, "to_number": PERSON, "body": "hello"})
        thread = await until_idle(p, thread)
        assert (thread["status"], [text["by"] for text in thread["texts"]]) == ("done", ["person", "agent"])


async def test_a_reply_that_failed_on_the_way_is_none() -> None:
    async with platform(ClockMode.MANUAL) as p:
        agent, number = await p.line(None)
        thread = await start(p, number, HI, {"expect_reply": {"within": 60}}, patience=0)
        await p.ask("PUT", f"/_sim/people/{PERSON}", json={"texts": {"status": "failed"}})
        sent = await p.post("/v1/messages", {"agent_id": agent, "to_number": PERSON, "body": "hello"})
        await p.post("/_sim/clock/advance", {"seconds": 5})
        assert (await p.get(f"/_sim/threads/{thread['thread_id']}"))["status"] == "running"
        await p.post(f"/_sim/messages/{sent['id']}/status", {"status": "delivered"})  # after all
        assert (await p.get(f"/_sim/threads/{thread['thread_id']}"))["status"] == "done"


async def test_a_group_is_texted_and_answers_come_back_to_it() -> None:
    with Receiver() as hook:
        async with platform() as p:
            agent, number = await apple(p)
            await p.post("/v1/webhooks", {"url": hook.url})
            script = [HI, {"expect_reply": {"within": 60}}, {"react": "love"}]
            thread = await start(p, number, *script, participants=[OTHER, "ada@example.com"])
            assert thread["participants"] == [PERSON, OTHER, "ada@example.com"]
            group = (await p.get(f"/v1/conversations/{thread['conversation_id']}"))["participant"]
            await p.post("/v1/messages", {"agent_id": agent, "to_number": group, "body": "hello all"})
            assert (await until_idle(p, thread))["status"] == "done"
            (told,) = hook.of("agent.reaction")
            assert told.json["data"]["fromNumber"] == PERSON


async def test_every_member_with_a_script_answers_the_groups_first_text() -> None:
    async with platform() as p:
        agent, _ = await apple(p)
        for one in (PERSON, OTHER):
            await p.ask(
                "PUT", f"/_sim/people/{one}", json={"text_script": [{"after": 172_800}, {"text": f"yes, {one}"}]}
            )
        sent = await p.post("/v1/messages", {"agent_id": agent, "recipients": [PERSON, OTHER], "body": "Dinner?"})
        await p.post("/_sim/clock/run_until_idle")
        rows = (await p.get(f"/v1/conversations/{sent['conversation_id']}"))["messages"]
        assert sorted(row["body"] for row in rows) == ["Dinner?", f"yes, {PERSON}", f"yes, {OTHER}"]


async def test_a_new_script_answers_the_next_text() -> None:
    async with platform() as p:
        agent, _ = await p.line(None)
        for word in ("one", "two"):
            put = await p.ask("PUT", f"/_sim/people/{PERSON}", json={"text_script": [{"text": word}]})
            assert put["text_steps"] == 1
            await p.post("/v1/messages", {"agent_id": agent, "to_number": PERSON, "body": "Hello"})
            await p.post("/_sim/clock/run_until_idle")
        assert [entry["body"] for entry in await p.journal("thread.sent")] == ["one", "two"]


async def test_what_cannot_be_sent_fails_the_thread_with_the_reason() -> None:
    async with platform() as p:
        _, number = await p.line(None)
        thread = await start(p, number, {"text": "hi", "channel": "imessage"})
        assert thread["failure"]["step"] == [0]
        assert "gets no iMessage" in thread["failure"]["heard"]
        sms = await start(p, number, HI, {"react": "love"})
        assert sms["failure"]["expected"] == "a reply to react to"


async def test_a_reset_tells_who_waits() -> None:
    async with platform(ClockMode.SYSTEM) as p:
        _, number = await p.line(None)
        waiting = asyncio.create_task(start(p, number, {"after": 3600}, HI, wait=True, expect=409))
        await p.get("/_sim/journal", kind="thread.step", wait=10)
        await p.post("/_sim/reset")
        assert "was reset while thread_" in (await waiting)["detail"]
        assert (await p.get("/_sim/clock"))["timers"] == 0


@pytest.mark.parametrize(
    ("script", "status", "says"),
    [
        ([], 422, "script"),
        (["hi"], 422, "script"),
        ([{}], 422, "exactly one of text, after"),
        ([{"text": "hi", "after": 1}], 422, "exactly one of text, after"),
        ([{"after": 1, "channel": "sms"}], 422, "channel can go with text only"),
        ([{"after": -1}], 422, "after"),
        ([{"when": [{"hears": {"contains": "a"}}]}], 422, "hears with then"),
        ([{"text": ""}], 400, "script[0]: an empty text needs media"),
        ([HI, {"expect_reply": {"within": 1, "text": {"matches": "("}}}], 400, "script[1]: '(' is not a regular"),
        ([{"when": [{"else": [HI]}, {"else": [HI]}]}], 400, "script[0]: else must be the last"),
        ([{"when": [{"else": [HI]}]}], 400, "script[0]: a branch needs at least one case"),
        ([{"repeat": {"times": 2, "steps": [{"react": " "}]}}], 400, "script[0].repeat.steps[0]: a blank reaction"),
        ([{"repeat": {"times": 1000, "steps": [HI] * 11}}], 400, "script: a thread of 11000 steps"),
    ],
)
async def test_a_script_that_cannot_be_is_refused_at_its_place(script: list[Any], status: int, says: str) -> None:
    async with platform() as p:
        _, number = await p.line(None)
        assert says in str(await start(p, number, *script, expect=status))
        assert await p.journal("thread") == []


async def test_every_way_to_go_on_is_read() -> None:
    async with platform() as p:
        _, number = await p.line(None)
        ways = [
            {"hears": {"one_of": ["yes"]}, "then": [HI]},
            {"else": [{"text": "", "media": ["https://a.example/b.jpg"]}]},
        ]
        thread = await start(p, number, {"when": ways}, {"expect_no_reply": {"for": 60}}, wait=True, patience=0)
        assert (thread["status"], thread["texts"][0]["channel"]) == ("done", "mms")
        assert [step["step"] for step in thread["steps"]] == [[0], [0, 1, 0], [1]]
