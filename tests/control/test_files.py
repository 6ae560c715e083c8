from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.app import operations
from simulator.clock import ClockMode
from simulator.control import files
from tests.control.test_accounts import at
from tests.control.test_worlds import mid_call
from tests.helpers.platform import Platform, platform
from tests.helpers.receiver import Exchange, Receiver, answer

pytestmark = pytest.mark.anyio
CALLER = "+14155550150"
# What is about the simulator or the moment, not the world.
ASIDE = ("/_sim/health", "/_sim/snapshots", "/_sim/diff", "/_sim/export", "/_sim/journal", "/v1/location")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def exported(p: Platform, **query: Any) -> str:
    answer = await p.client.get("/_sim/export", params=query)
    assert answer.status_code == 200, answer.text
    return answer.text


async def imported(p: Platform, text: str | bytes, expect: int = 200) -> Any:
    return await p.ask("POST", "/_sim/import", expect, content=text)


async def every_answer(p: Platform, sub_account: str | None = None) -> dict[str, Any]:
    """What every GET says, of every record there is."""
    runner = p.runner if sub_account is None else p.runner.scoped(sub_account)
    world = runner.world
    headers = {} if sub_account is None else {"X-Sub-Account-Id": sub_account}
    ids = {
        "agent_id": world.agents,
        "number_id": world.numbers,
        "contact_id": world.contacts,
        "call_id": [call.id for call in world.calls.values() if not call.live],
        "conversation_id": world.conversations,
        "trunk_id": world.trunks,
        "connection_id": world.whatsapp_connections,
        "thread_id": world.text_threads,
    }
    answers = {}
    for operation in operations():
        path = operation.path
        if operation.method != "GET" or operation.public or path.startswith(ASIDE) or path.endswith("/stream"):
            continue
        if path.endswith("/export") or (path.startswith("/_sim/calls") and path.endswith("/timeline")):
            continue  # these are made from the journal
        if sub_account is not None and not operation.scoped:
            continue
        name = path.partition("{")[2].partition("}")[0]
        for each in ids[name] if name else ("",):
            url = path.replace("{" + name + "}", each)
            answer = await p.client.get(url, params={"limit": 100, "area_code": "415"}, headers=headers)
            assert answer.status_code < 500, answer.text
            answers[url] = (answer.status_code, answer.text)
    return answers


VERBS = (
    *("agent", "number", "text", "send", "group", "call", "person", "contact", "branch", "advance", "hook", "trunk"),
    *("register", "hosted", "limits", "thread", "release", "delete"),
)
ACTIONS = st.lists(st.tuples(st.sampled_from(VERBS), st.integers(0, 3)), max_size=12)


async def act(p: Platform, actions: list[tuple[str, int]]) -> list[tuple[int, str]]:
    """Do things over the API; what cannot be done is refused. Gives the answers, ids and all."""
    made = []
    for verb, which in actions:
        world = p.runner.world
        agent = [*world.agents, "agt_none"][which % (len(world.agents) + 1)]
        number = [*world.numbers.values(), None][which % (len(world.numbers) + 1)]
        line, phone = number.phone_number if number else "+14155550199", f"+1415555015{which}"
        method, path, body = {
            "agent": ("POST", "/v1/agents", {"name": f"Agent {which}"}),
            "number": ("POST", "/v1/numbers", {"areaCode": "415", "agentId": agent} if world.agents else {}),
            "text": ("POST", "/_sim/messages", {"from": phone, "to": line, "body": "hi €"}),
            "send": ("POST", "/v1/messages", {"agent_id": agent, "to_number": phone, "body": "hello"}),
            "group": (
                "POST",
                "/_sim/messages",
                {"from": phone, "to": line, "body": "x", "group": {"participants": []}},
            ),
            "call": ("POST", "/_sim/calls", {"from": phone, "to": line, "script": ["hello"], "wait": True}),
            "person": ("PUT", f"/_sim/people/{phone}", {"script": ["hi", {"repeat": {"times": 2, "steps": ["x"]}}]}),
            "contact": ("POST", "/v1/contacts", {"phoneNumber": phone, "name": "Ada"}),
            "branch": ("POST", "/v1/sub-accounts", {"name": "Branch"}),
            "advance": ("POST", "/_sim/clock/advance", {"seconds": 10.5 ** (which + 1)}),
            "hook": ("POST", "/v1/webhooks", {"url": "http://127.0.0.1:9/hook"}),
            "trunk": ("POST", "/v1/sip-trunks", {}),
            "register": ("POST", "/_sim/registration", {"decision": "advance"}),
            "hosted": ("PUT", "/_sim/hosted", {"lines": ["Hello!", "Bye"]}),
            "limits": ("PUT", "/_sim/limits", {"balance_cents": 500 * which, "numbers": 9}),
            "thread": ("POST", "/_sim/threads", {"from": phone, "to": line, "script": [{"text": "hi"}]}),
            "release": ("DELETE", f"/v1/numbers/{number.id if number else 'num_none'}", None),
            "delete": ("DELETE", f"/v1/agents/{agent}", None),
        }[verb]
        answer = await p.client.request(method, path, json=body)
        assert answer.status_code < 500, answer.text
        made.append((answer.status_code, answer.text))
        assert not await p.runner.pacer.let_land(p.runner.settings.real_patience)
    return made


@settings(max_examples=25, deadline=None)
@given(first=ACTIONS, then=ACTIONS)
@pytest.mark.parametrize("contract", ["all", "2026-03"])
def test_an_imported_world_answers_as_the_exported_one_and_goes_on_alike(
    first: list[tuple[str, int]], then: list[tuple[str, int]], contract: str
) -> None:
    async def story() -> None:
        async with platform(ClockMode.MANUAL) as p:
            one = at(p, await p.post("/_sim/accounts", {"seed": 5, "contract": contract}))
            other = at(p, await p.post("/_sim/accounts", {"seed": 6}))
            await act(one, first)
            text = await exported(one)
            await imported(other, text)
            for branch in (None, *one.runner.world.sub_accounts):
                assert await every_answer(other, branch) == await every_answer(one, branch)
            assert await act(other, then) == await act(one, then)
            assert await every_answer(other) == await every_answer(one)
            assert (
                json.loads(await exported(other))["world"]["world"] == json.loads(await exported(one))["world"]["world"]
            )

    import asyncio

    asyncio.run(story())


async def test_an_import_replaces_everything_but_the_key_and_who_moves_time() -> None:
    async with platform(ClockMode.MANUAL) as p:
        await p.line(None)
        await p.post("/_sim/clock/advance", {"seconds": 60})
        text = await exported(p)
        opened = {"api_key": "sk_mine", "seed": 9, "clock": "system", "contract": "2026-03", "webhook_secret": "w"}
        q = at(p, await p.post("/_sim/accounts", opened))
        await q.post("/v1/agents", {"name": "gone"})
        shown = await imported(q, text)
        assert (shown["api_key"], shown["clock"]) == ("sk_mine", "system")
        assert (shown["seed"], shown["contract"], shown["webhook_secret"]) == (0, "all", None)
        assert shown["account_id"] == p.runner.world.account_id
        assert q.runner.now() >= p.runner.now()
        assert [a["name"] for a in (await q.get("/v1/agents"))["data"]] == ["Support"]
        await q.post("/_sim/reset")
        await p.post("/_sim/reset")
        assert (await q.post("/v1/agents", {"name": "x"}))["id"] == (await p.post("/v1/agents", {"name": "x"}))["id"]


async def test_a_live_call_of_a_file_has_failed_and_its_end_is_told() -> None:
    async with platform(ClockMode.MANUAL) as p:
        call = await mid_call(p)
        await p.post("/v1/webhooks", {"url": "http://127.0.0.1:9/hook"})
        said = (await p.get(f"/v1/calls/{call}"))["transcripts"]
        text = await exported(p)
        assert p.runner.world.calls[call].live
        await imported(p, text)
        ended = await p.get(f"/v1/calls/{call}")
        assert (ended["status"], ended["disconnectionReason"]) == ("failed", "error_unknown")
        assert ended["transcripts"] == said
        events = {d.event_type.value for d in p.runner.world.deliveries.values() if d.call_id == call}
        assert {"call.ended", "agent.call_ended"} <= events
        await p.post(f"/_sim/calls/{call}/say", {"text": "hello?"}, expect=409)


async def test_a_script_under_way_has_failed_with_the_reason() -> None:
    async with platform(ClockMode.MANUAL) as p:
        _, number = await p.line(None)
        script = [{"text": "hi"}, {"after": 60}, {"text": "again"}]
        thread = (await p.post("/_sim/threads", {"from": CALLER, "to": number, "script": script}))["thread_id"]
        await imported(p, await exported(p))
        shown = await p.get(f"/_sim/threads/{thread}")
        assert shown["status"] == "failed"
        assert "stopped" in str(shown["failure"])
        await p.post("/_sim/clock/run_until_idle")


async def test_timers_of_records_go_on() -> None:
    async with Receiver(answer(503), answer(503), answer(200)) as hook, platform(ClockMode.MANUAL) as p:
        agent, number = await p.line(hook.url)
        await p.post("/_sim/messages", {"from": CALLER, "to": number, "body": "hi"})
        await p.runner.pacer.let_land(p.runner.settings.real_patience)
        sent = await p.post("/v1/messages", {"agent_id": agent, "to_number": CALLER, "body": "hello"})
        await imported(p, await exported(p))
        assert len(p.runner.pacer.timers) >= 2
        await p.post("/_sim/clock/run_until_idle")
        assert {d.status.value for d in p.runner.world.deliveries.values()} == {"success"}
        assert p.runner.world.messages[sent["id"]].status.value == "delivered"


async def test_a_delivery_that_was_in_flight_is_attempted_again() -> None:
    from simulator.state.accounts import account_of, account_text

    async with Receiver(Exchange.hung_up, Exchange.hung_up, answer(200)) as hook, platform(ClockMode.MANUAL) as p:
        _, number = await p.line(hook.url)
        await p.post("/_sim/messages", {"from": CALLER, "to": number, "body": "hi"})
        await hook.received(2)
        image = account_of(json.loads(json.dumps(account_text(p.runner.image(records_only=True)))), p.runner.settings)
        await p.runner.load(image)
        await hook.received(4)
        await p.runner.pacer.let_land(p.runner.settings.real_patience)
        deliveries = p.runner.world.deliveries.values()
        assert {(d.status.value, len(d.attempts)) for d in deliveries} == {("success", 1)}
        assert len({request.header("X-Webhook-ID") for request in hook.requests}) == 2


async def test_a_voice_turn_that_was_in_flight_is_owed_to_nobody() -> None:
    from simulator.state.accounts import account_of, account_text

    async with Receiver(Exchange.hung_up) as hook, platform(ClockMode.MANUAL) as p:
        _, number = await p.line(hook.url)
        await p.ask("PATCH", f"/v1/agents/{next(iter(p.runner.world.agents))}", json={"beginMessage": ""})
        await p.post("/_sim/calls", {"from": CALLER, "to": number, "script": ["hello", {"wait": 60}]})
        while not await p.journal("turn.opened"):
            await p.post("/_sim/clock/advance", {"seconds": 1, "patience": 0})
        image = account_of(json.loads(json.dumps(account_text(p.runner.image(records_only=True)))), p.runner.settings)
        await p.runner.load(image)
        (turn,) = [d for d in p.runner.world.deliveries.values() if d.turn_id is not None]
        assert turn.status.value == "failed"
        assert "stopped" in str(turn.attempts[0].outcome.error)


async def test_a_request_in_flight_holds_an_export_up() -> None:
    async with Receiver(Exchange.hung_up) as hook, platform(ClockMode.MANUAL) as p:
        _, number = await p.line(hook.url)
        await p.post("/_sim/messages", {"from": CALLER, "to": number, "body": "hi"})
        refusal = await p.get("/_sim/export", expect=409, patience=0)
        assert hook.url in refusal["detail"]


async def test_a_refused_document_says_why_and_changes_nothing() -> None:
    async with platform(ClockMode.MANUAL) as p:
        await p.line(None)
        text = await exported(p)
        before = p.runner.world
        for wrong, why in (
            (b"", "it is not JSON"),
            (b"\xff", "it is not JSON"),
            (text[:-100], "not JSON, or not all of it"),
            (text.replace("Support", "Sales"), "its checksum is another"),
            (text.replace('"version": 1', '"version": 99'), "update it"),
            (b"[]", "it does not say so"),
            (b'{"format": "x"}', "its format is"),
        ):
            refusal = await imported(p, wrong, expect=400)
            assert refusal["detail"].startswith("this world cannot be imported: ")
            assert why in refusal["detail"]
        assert p.runner.world is before
        await p.post("/v1/agents", {"name": "still here"})


async def test_a_document_may_be_larger_than_other_bodies_and_is_bounded() -> None:
    async with platform(ClockMode.MANUAL, max_body=2000) as p:
        for _ in range(5):
            await p.line(None)
        text = await exported(p)
        assert len(text) > 2000
        await imported(p, text)
        too_long = files.LARGEST + 1
        answer = await p.client.post("/_sim/import", content=b"x", headers={"Content-Length": str(too_long)})
        assert answer.status_code == 413
        assert "limit of" in answer.text


async def test_a_snapshot_of_an_imported_world_can_be_restored() -> None:
    async with platform(ClockMode.MANUAL) as p:
        await p.line(None)
        await p.post("/_sim/snapshots", {"name": "mine"})
        q = at(p, await p.post("/_sim/accounts", {"contract": "2026-03"}))
        await imported(p, await exported(q))
        assert (p.runner.policies.contract, p.runner.sender.policies.contract) == ("2026-03", "2026-03")
        await p.post("/_sim/snapshots/mine/restore")
        assert (p.runner.policies.contract, p.runner.sender.policies.contract) == ("all", "all")
        assert len((await p.get("/v1/agents"))["data"]) == 1
