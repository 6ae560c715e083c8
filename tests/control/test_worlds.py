from __future__ import annotations

import json
from typing import Any

import pytest

from simulator.clock import ClockMode
from tests.control.test_accounts import at
from tests.helpers.api import bearer
from tests.helpers.asgi import until
from tests.helpers.platform import Platform, platform
from tests.helpers.receiver import Exchange, Receiver, answer

pytestmark = pytest.mark.anyio
CALLER = "+14155550150"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def journal(p: Platform) -> bytes:
    return json.dumps(await p.journal("")).encode()


async def snapshot(p: Platform, name: str = "base", **more: Any) -> Any:
    return await p.post("/_sim/snapshots", {"name": name, **more})


async def restore(p: Platform, name: str = "base") -> Any:
    return await p.post(f"/_sim/snapshots/{name}/restore")


async def go_on(p: Platform, number: str) -> bytes:
    """Use everything that a restore puts back: records, ids to come, time, timers, journal."""
    await p.post("/v1/agents", {"name": "Sales"})
    await p.post("/_sim/messages", {"from": CALLER, "to": number, "body": "hi"})
    await p.post("/_sim/calls", {"from": CALLER, "to": number, "script": ["hello"]})
    await p.post("/_sim/clock/advance", {"seconds": 90})
    await p.post("/v1/numbers", {"areaCode": "415"})
    await p.post("/_sim/clock/run_until_idle")
    return await journal(p)


async def test_after_a_restore_the_same_commands_give_the_same_journal() -> None:
    async with platform(ClockMode.MANUAL) as p:
        agent, number = await p.line("http://127.0.0.1:9/hook")
        await p.post("/_sim/messages", {"from": CALLER, "to": number, "body": "first"})
        await p.post("/_sim/clock/advance", {"seconds": 1})
        taken = await snapshot(p)
        first = await go_on(p, number)
        assert await restore(p) == taken
        assert await go_on(p, number) == first
        await restore(p)
        assert [a["id"] for a in (await p.get("/v1/agents"))["data"]] == [agent]


async def test_time_goes_back_and_whoever_moves_it_stays() -> None:
    async with platform(ClockMode.MANUAL) as p:
        before = await p.get("/_sim/clock")
        await snapshot(p)
        await p.post("/_sim/clock/advance", {"seconds": 3600})
        await p.ask("PUT", "/_sim/clock", json={"mode": "auto", "scale": 3})
        await restore(p)
        after = await p.get("/_sim/clock")
        assert after["now"] == before["now"]
        assert (after["mode"], after["scale"]) == ("auto", 3.0)


async def test_a_retry_that_was_waiting_is_waiting_again() -> None:
    async with Receiver(answer(503)) as hook, platform(ClockMode.MANUAL) as p:
        _, number = await p.line(hook.url)
        await p.post("/_sim/messages", {"from": CALLER, "to": number, "body": "hi"})
        await snapshot(p)
        sent = len(hook.requests)
        for _ in range(3):  # the third one would find what the second had used up
            await p.post("/_sim/clock/run_until_idle")
            deliveries = (await p.get("/v1/webhooks/deliveries"))["data"]
            assert {d["status"] for d in deliveries} == {"failed"}
            await restore(p)
            assert {d["status"] for d in (await p.get("/v1/webhooks/deliveries"))["data"]} == {"pending"}
        assert len(hook.requests) == sent + 3 * 5 * len(deliveries)


HELLO = {"text": "Hello, how can I help?"}


async def mid_call(p: Platform) -> str:
    """A live phone call, a turn into its conversation."""
    hosted = {"voiceMode": "hosted", "systemPrompt": "Be brief", "beginMessage": "Acme, hello!"}
    _, number = await p.line(None, **hosted)
    await p.ask(
        "PUT", "/_sim/hosted", json={"lines": [{"say": f"Line {count}."} for count in range(4)]}
    )  # used in turn
    call = (await p.post("/_sim/calls", {"from": CALLER, "to": number}))["call_id"]
    await p.post("/_sim/clock/advance", {"seconds": 10})
    await p.post(f"/_sim/calls/{call}/say", {"text": "What does it cost?"})
    await p.post("/_sim/clock/advance", {"seconds": 20})
    return str(call)


async def finish(p: Platform, call: str, *said: str) -> list[dict[str, Any]]:
    for words in said:
        await p.post(f"/_sim/calls/{call}/say", {"text": words})
        await p.post("/_sim/clock/advance", {"seconds": 30})
    await p.post(f"/_sim/calls/{call}/hang_up")
    return await p.journal("")


async def test_a_call_goes_on_from_the_middle_of_a_conversation() -> None:
    async with platform(ClockMode.MANUAL) as p:
        call = await mid_call(p)
        taken = await snapshot(p)
        assert taken["live_calls"] == 1
        one = await finish(p, call, "And in euros?", "Thank you")
        timeline = await p.get(f"/_sim/calls/{call}/timeline")
        await restore(p)
        other = await finish(p, call, "Never mind")
        assert one != other
        assert (await p.get(f"/_sim/calls/{call}/timeline")) != timeline
        await restore(p)
        assert await finish(p, call, "And in euros?", "Thank you") == one
        assert await p.get(f"/_sim/calls/{call}/timeline") == timeline


async def test_a_turn_that_waits_for_time_alone_is_part_of_a_snapshot() -> None:
    # A hosted agent that thinks has a turn open and no request in flight.
    async with platform(ClockMode.MANUAL) as p:
        hosted = {"voiceMode": "hosted", "systemPrompt": "Be brief", "beginMessage": ""}
        _, number = await p.line(None, **hosted)
        call = (await p.post("/_sim/calls", {"from": CALLER, "to": number}))["call_id"]
        await p.post("/_sim/clock/advance", {"seconds": 2})
        await p.post(f"/_sim/calls/{call}/say", {"text": "hi"})
        while not await p.journal("turn.opened"):
            await p.post("/_sim/clock/advance", {"seconds": 0.1})
        assert not await p.journal("turn.closed")
        await snapshot(p)
        one = await finish(p, call, "bye")
        await restore(p)
        assert await finish(p, call, "bye") == one


async def test_a_scripted_thread_goes_on_from_its_step() -> None:
    async with platform(ClockMode.MANUAL) as p:
        _, number = await p.line(None)
        script = [{"text": "hi"}, {"after": 86_400}, {"text": "still there?"}, {"expect_reply": {"within": 60}}]
        thread = (await p.post("/_sim/threads", {"from": CALLER, "to": number, "script": script}))["thread_id"]
        await p.post("/_sim/clock/advance", {"seconds": 60})
        await snapshot(p)
        seen = []
        for _ in range(3):
            await p.post("/_sim/clock/advance", {"seconds": 90_000, "patience": 0})
            seen.append((await p.get(f"/_sim/threads/{thread}"), await journal(p)))
            await restore(p)
        assert seen[0] == seen[1] == seen[2]
        assert seen[0][0]["status"] == "failed"


async def test_a_thread_that_waits_for_a_handler_holds_no_snapshot_up() -> None:
    async with platform(ClockMode.MANUAL) as p:
        _, number = await p.line(None)
        script = [{"text": "hi"}, {"expect_reply": {"within": 60}}]
        body = {"from": CALLER, "to": number, "script": script, "patience": 600}
        thread = (await p.post("/_sim/threads", body))["thread_id"]
        await snapshot(p, patience=0)
        agent = (await p.get("/v1/agents"))["data"][0]["id"]
        for text in ("one", "two"):
            await p.post("/v1/messages", {"agent_id": agent, "to_number": CALLER, "body": text})
            await p.post("/_sim/clock/advance", {"seconds": 10, "patience": 0})
            shown = await p.get(f"/_sim/threads/{thread}")
            assert (shown["status"], shown["texts"][-1]["body"]) == ("done", text)
            await restore(p)


async def test_what_a_handler_did_badly_comes_back_with_the_call() -> None:
    async with Receiver(answer(200, b"[]")) as hook, platform(ClockMode.AUTO) as p:
        _, number = await p.line(hook.url)
        call = await p.post("/_sim/calls", {"from": CALLER, "to": number, "script": ["hi"], "wait": True})
        assert call["findings"]
        await snapshot(p)
        await p.post("/_sim/reset")
        await restore(p)
        assert [f.kind for f in p.runner.telephone.findings(call["call_id"])] == ["reply_not_object"]


@pytest.mark.parametrize("what", ["snapshots", "fork"])
async def test_a_request_in_flight_is_named(what: str) -> None:
    async with Receiver(Exchange.hung_up) as hook, platform(ClockMode.MANUAL) as p:
        _, number = await p.line(hook.url)
        call = (await p.post("/_sim/calls", {"from": CALLER, "to": number, "script": ["hi", {"wait": 60}]}))["call_id"]
        await p.post("/_sim/clock/advance", {"seconds": 5, "patience": 0})
        await hook.received(1)
        body = {"name": "x", "patience": 0} if what == "snapshots" else {"patience": 0}
        refusal = await p.post(f"/_sim/{what}", body, expect=409)
        assert hook.url in refusal["detail"]
        assert f"{call}: " in refusal["detail"] or "del" in refusal["detail"]
        assert "patience" in refusal["detail"]
        assert (await p.get("/_sim/snapshots"))["snapshots"] == []
        await p.post("/_sim/clock/advance", {"seconds": 120, "patience": 0})
        if not p.runner.pacer.in_flight:
            await p.post(f"/_sim/{what}", body)


async def test_a_request_in_flight_settles_first() -> None:
    async with Receiver(answer(200, b'{"text": "Hello!"}')) as hook, platform(ClockMode.SYSTEM) as p:
        _, number = await p.line(hook.url)
        await p.post("/_sim/messages", {"from": CALLER, "to": number, "body": "hi"})
        assert p.runner.pacer.in_flight
        await snapshot(p)
        image = p.runner.snapshots["base"]
        assert {d.status.value for d in image.whole.world.deliveries.values()} == {"success"}


async def test_restoring_ends_without_ceremony_what_was_live() -> None:
    async with Receiver(Exchange.hung_up) as hook, platform(ClockMode.MANUAL) as p:
        _, number = await p.line(hook.url)
        await snapshot(p)
        await p.post("/_sim/calls", {"from": CALLER, "to": number})
        await p.post("/_sim/clock/advance", {"seconds": 5, "patience": 0})
        await restore(p)
        assert (await p.get("/_sim/clock"))["in_flight"] == 0
        assert (await p.get("/v1/calls"))["data"] == []
        assert await p.journal("call") == []


async def test_a_snapshot_can_be_listed_replaced_and_dropped() -> None:
    async with platform(ClockMode.MANUAL) as p:
        assert await p.get("/_sim/snapshots") == {"snapshots": []}
        first = await snapshot(p, "a")
        await p.line(None)
        second = await snapshot(p, "b")
        assert first["records"] == 0 < second["records"]
        assert first["next"] < second["next"]
        assert (await p.get("/_sim/snapshots"))["snapshots"] == [first, second]
        again = await snapshot(p, "a")
        assert again == {**second, "name": "a"}
        assert (await p.get("/_sim/snapshots"))["snapshots"] == [second, again]
        await p.ask("DELETE", "/_sim/snapshots/b")
        assert (await p.get("/_sim/snapshots"))["snapshots"] == [again]
        refusal = await p.post("/_sim/snapshots/b/restore", expect=404)
        assert refusal["detail"] == "snapshot 'b' does not exist in this account: there are a"
        await p.ask("DELETE", "/_sim/snapshots/b", 404)


async def test_snapshots_are_bounded_and_named_soberly() -> None:
    async with platform(ClockMode.MANUAL, max_snapshots=1) as p:
        await snapshot(p, "a")
        await snapshot(p, "a")
        refusal = await p.post("/_sim/snapshots", {"name": "b"}, expect=409)
        assert "Settings.max_snapshots" in refusal["detail"]
        assert "stands for the account" in (await p.post("/_sim/snapshots", {"name": "now"}, expect=400))["detail"]
        for name in ("", "a/b", "-x", "ü", "x" * 101):
            await p.post("/_sim/snapshots", {"name": name}, expect=422)


async def test_snapshots_survive_a_reset_and_stay_with_their_account() -> None:
    async with platform(ClockMode.MANUAL) as p:
        await p.line(None)
        await snapshot(p)
        await p.post("/_sim/reset")
        assert (await p.get("/v1/agents"))["data"] == []
        await restore(p)
        assert len((await p.get("/v1/agents"))["data"]) == 1
        other = at(p, await p.post("/_sim/accounts"))
        await other.post("/_sim/snapshots/base/restore", expect=404)


async def test_a_fork_goes_on_by_itself_and_alike() -> None:
    async with platform(ClockMode.MANUAL) as p:
        _, number = await p.line("http://127.0.0.1:9/hook")
        await p.post("/_sim/messages", {"from": CALLER, "to": number, "body": "first"})
        await p.post("/_sim/clock/advance", {"seconds": 1})
        await snapshot(p)
        fork = await p.post("/_sim/fork", {"api_key": "sk_fork"})
        assert (fork["api_key"], fork["account_id"]) == ("sk_fork", p.runner.world.account_id)
        q = at(p, fork)
        assert await journal(q) == await journal(p)
        await q.post("/v1/agents", {"name": "only here"})
        assert len(p.runner.world.agents) == 1
        await restore(q)
        assert await go_on(q, number) == await go_on(p, number)
        for account in (p, q):
            await account.post("/_sim/reset")
            await account.line(None)
        assert await journal(q) == await journal(p)


async def test_a_fork_from_the_middle_of_a_call() -> None:
    async with platform(ClockMode.MANUAL) as p:
        call = await mid_call(p)
        q = at(p, await p.post("/_sim/fork"))
        one = await finish(p, call, "And in euros?")
        assert q.runner.world.calls[call].live
        assert await finish(q, call, "And in euros?") == one


async def test_a_fork_of_a_snapshot_leaves_the_account_alone() -> None:
    async with platform(ClockMode.MANUAL) as p:
        await snapshot(p)
        await p.line(None)
        q = at(p, await p.post("/_sim/fork", {"snapshot": "base"}))
        assert (await q.get("/v1/agents"))["data"] == []
        assert len((await p.get("/v1/agents"))["data"]) == 1
        await p.post("/_sim/fork", {"snapshot": "nothing"}, expect=404)
        await p.post("/_sim/fork", {"api_key": q.runner.api_key}, expect=409)


async def test_sub_accounts_come_along() -> None:
    async with platform(ClockMode.MANUAL) as p:
        branch, late = [(await p.post("/v1/sub-accounts", {"name": name}))["id"] for name in ("Branch", "Late")]

        async def agent(q: Platform, account: str) -> str:
            made = await q.ask("POST", "/v1/agents", json={"name": "x"}, headers={"X-Sub-Account-Id": account})
            return str(made["id"])

        before = await agent(p, branch)
        await snapshot(p)
        q = at(p, await p.post("/_sim/fork"))
        made = [await agent(p, branch), await agent(p, late)]
        assert len({before, *made, (await p.post("/v1/agents", {"name": "x"}))["id"]}) == 4
        assert [await agent(q, branch), await agent(q, late)] == made
        await restore(p)
        assert [await agent(p, branch), await agent(p, late)] == made
        seen = await p.ask("GET", "/v1/agents", headers={"X-Sub-Account-Id": branch})
        assert {a["id"] for a in seen["data"]} == {before, made[0]}


async def test_a_recording_is_the_one_of_the_account_that_asks() -> None:
    async with platform(ClockMode.MANUAL) as p:
        await p.post("/credits/recording/enable")
        call = await mid_call(p)
        q = at(p, await p.post("/_sim/fork"))
        await finish(p, call)
        await finish(q, call, "a few more words")
        sizes = [len((await account.client.get(f"/v1/calls/{call}/recording")).content) for account in (p, q)]
        assert sizes[0] < sizes[1]


async def test_a_difference_is_readable() -> None:
    async with platform(ClockMode.MANUAL) as p:
        agent, _ = await p.line(None)
        branch = (await p.post("/v1/sub-accounts", {"name": "Branch"}))["id"]
        await snapshot(p, "before")
        await p.ask("PATCH", f"/v1/agents/{agent}", json={"name": "Sales"})
        made = (await p.post("/v1/agents", {"name": "New"}))["id"]
        inside = {"X-Sub-Account-Id": branch}
        other = (await p.ask("POST", "/v1/agents", json={"name": "Inside"}, headers=inside))["id"]
        await p.post("/_sim/clock/advance", {"seconds": 90})
        await snapshot(p, "after")
        shown = await p.get("/_sim/diff", **{"from": "before"})
        name = {"field": "name", "before": "Support", "after": "Sales"}
        assert shown["kinds"] == {
            "agents": {"added": [made], "removed": [], "changed": [{"id": agent, "fields": [name]}]}
        }
        assert shown["sub_accounts"] == {branch: {"agents": {"added": [other], "removed": [], "changed": []}}}
        assert (shown["from"], shown["to"], shown["seconds"]) == ("before", "now", 90.0)
        assert shown["text"].splitlines() == [
            "before -> now: 90 s of simulated time",
            "agents",
            f"  + {made}",
            f"  ~ {agent}",
            '      name: "Support" -> "Sales"',
            f"sub-account {branch}",
            "agents",
            f"  + {other}",
        ]
        back = await p.get("/_sim/diff", **{"from": "after", "to": "before"})
        assert back["kinds"]["agents"]["removed"] == [made]
        same = await p.get("/_sim/diff", **{"from": "after", "to": "now"})
        assert (same["kinds"], same["text"]) == ({}, "after -> now: 0 s of simulated time, and nothing else")
        await p.get("/_sim/diff", expect=404, **{"from": "nothing"})
        await p.get("/_sim/diff", expect=422)


async def test_whoever_waits_is_told_of_a_restore() -> None:
    import asyncio

    async with platform(ClockMode.SYSTEM) as p:
        _, number = await p.line(None)
        await snapshot(p)
        body = {"from": CALLER, "to": number, "script": [{"wait": 600}], "wait": True}
        waiting = asyncio.ensure_future(p.client.post("/_sim/calls", json=body, headers=bearer()))
        await until(lambda: bool(p.runner.world.live_calls))
        await restore(p)
        answered = await waiting
        assert answered.status_code in (404, 409)
