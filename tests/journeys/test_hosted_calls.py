"""Calls of hosted agents: the double of the built-in model, its tools, and what the account is told."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from simulator.clock import ClockMode
from simulator.domain.hosted import HostedAnswer, HostedTurn, ToolUse
from simulator.domain.limits import Limits
from tests.helpers.platform import Platform, platform
from tests.helpers.receiver import Exchange, Receiver, answer

pytestmark = pytest.mark.anyio
CALLER, CALLEE, DESK = "+14155550150", "+14155550161", "+14155550177"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def hosted_line(p: Platform, lines: list[Any] | None = None, **agent: Any) -> tuple[str, str]:
    """A hosted agent with a number, and what it says: (agent id, phone number)."""
    made, number = await p.line(None, voiceMode="hosted", systemPrompt="Sell pears", **agent)
    if lines is not None:
        await p.ask("PUT", f"/_sim/agents/{made}/script", json={"lines": lines})
    return made, number


async def dial(p: Platform, number: str, *script: Any) -> Any:
    return await p.post("/_sim/calls", {"from": CALLER, "to": number, "script": list(script), "wait": True})


def rows(call: Any) -> list[tuple[str, str | None]]:
    return [(row["transcript"], row["response"]) for row in call["call"]["transcripts"]]


def tool(server: Receiver, **more: Any) -> dict[str, Any]:
    return {"name": "book", "description": "Books", "url": server.url, **more}


async def test_a_hosted_call_needs_no_webhook_and_speaks_for_itself() -> None:
    async with platform() as p:
        _, number = await hosted_line(p)
        call = await dial(p, number, "Two pears")
        assert rows(call) == [
            ("Hello, this is the simulated voice of Support.", None),
            ("Two pears", "This is the simulated voice of Support. I was told: Sell pears I heard: Two pears"),
        ]
        assert (call["disconnection_reason"], call["findings"]) == ("user_hangup", [])


async def test_an_account_hears_of_a_hosted_call_when_it_is_over_and_pays_its_price() -> None:
    async with Receiver(answer(200)) as hook, platform(limits=Limits.of([("balance_cents", "1000")])) as p:
        _, number = await hosted_line(p, [{"say": "Bye {{agent_name}}", "action": "hangup"}])
        await p.post("/v1/webhooks", {"url": hook.url})
        call = await dial(p, number, "Hello")
        await p.post("/_sim/clock/run_until_idle")
        sent = {(body := json.loads(request.body))["event"]: body["data"] for request in hook.requests}
        assert set(sent) == {"call.started", "call.ended", "agent.call_ended"}
        assert [(t["role"], t["content"]) for t in sent["agent.call_ended"]["transcript"]][-1] == (
            "agent",
            "Bye Support",
        )
        assert call["disconnection_reason"] == "agent_hangup"
        assert [e.item for e in p.runner.world.ledger.values() if e.about == call["call_id"]] == ["voice_hosted"]


async def test_a_script_answers_by_what_was_heard_and_in_order() -> None:
    async with platform() as p:
        lines = ["One.", {"when": {"contains": "price"}, "say": "Five euros."}, {"say": "Two.", "digits": "12#"}]
        _, number = await hosted_line(p, lines, beginMessage="Hi {{who}}")
        call = await dial(p, number, "So", "The price?", "And?")
        assert [row[1] for row in rows(call)[1:]] == ["One.", "Five euros.", "Two."]
        assert rows(call)[0][0] == "Hi {{who}}"
        assert [finding["kind"] for finding in call["findings"]] == ["variable_unknown"]
        assert [e["digits"] for e in await p.journal("digits")] == ["12#"]


async def test_a_tool_is_really_called_and_its_result_is_spoken() -> None:
    async with Receiver(answer(200, b'{"slot": "ten"}')) as server, platform() as p:
        tools = [tool(server, headers={"X-Who": "{{from_number}}"}, executionMessage="One second.")]
        line = {"tool": {"name": "book", "arguments": {"said": "{{heard}}"}}, "say": "Come at {{result.slot}}."}
        _, number = await hosted_line(p, [line], customTools=tools)
        call = await dial(p, number, "Monday")
        assert rows(call)[-1] == ("Monday", "One second. Come at ten.")
        (request,) = server.requests
        assert (request.method, json.loads(request.body)) == ("POST", {"said": "Monday"})
        assert (request.header("X-Who"), request.header("Content-Type")) == (CALLER, "application/json")
        (called, answered) = await p.journal("tool")
        assert (called["body"], answered["answer"]) == ('{"said": "Monday"}', '{"slot": "ten"}')


async def test_a_get_tool_has_its_arguments_in_the_query_and_the_path() -> None:
    async with Receiver(answer(200, b"sunny")) as server, platform() as p:
        get = tool(server, method="GET", url=f"{server.url}/{{city}}/now?a=1")
        arguments = {"city": "Bad Ems", "days": [1, 2]}
        _, number = await hosted_line(p, [{"tool": {"name": "book", "arguments": arguments}}], customTools=[get])
        assert rows(await dial(p, number, "Weather?"))[-1][1] == "sunny"
        (request,) = server.requests
        assert request.method == "GET"
        assert request.path.endswith("/Bad%20Ems/now?a=1&days=1&days=2")
        assert request.body == b""


async def test_a_tool_outside_this_machine_is_refused() -> None:
    async with platform() as p:
        away = {"name": "book", "description": "", "url": "http://10.1.2.3/book"}
        _, number = await hosted_line(p, [{"say": "ok", "tool": {"name": "book"}}], customTools=[away])
        call = await dial(p, number, "Go")
        assert rows(call)[-1][1] == "I am sorry, book did not work."
        (finding,) = call["findings"]
        assert (finding["kind"], "--allow-host 10.1.2.3" in finding["message"]) == ("tool_failed", True)


async def never(exchange: Exchange) -> None:
    await exchange.hung_up()


async def test_a_slow_tool_is_given_up_on_simulated_time() -> None:
    async with Receiver(never) as server, platform(ClockMode.MANUAL) as p:
        slow = tool(server, timeoutMs=2000)
        _, number = await hosted_line(p, [{"say": "ok", "tool": {"name": "book"}}], customTools=[slow])
        call = await p.post("/_sim/calls", {"from": CALLER, "to": number, "script": ["Go"]})
        await p.post("/_sim/clock/advance", {"seconds": 30, "patience": 0.1})
        kinds = [entry["finding"] for entry in await p.journal("finding")]
        shown = await p.get(f"/v1/calls/{call['call_id']}")
        assert (kinds, len(server.requests)) == (["tool_timed_out"], 1)
        assert shown["transcripts"][-1]["response"] == "I am sorry, book did not work."


async def test_a_caller_may_interrupt_a_hosted_agent_and_a_tool_at_work() -> None:
    async with Receiver(never, answer(200, b"late")) as server, platform() as p:
        long = "I could talk about pears for a very long time, because there are so many of them in the world."
        tool(server, executionMessage="I am looking that up now.")
        lines = [long, {"tool": {"name": "book"}, "say": "x"}, "Fine."]
        _, number = await hosted_line(
            p, lines, customTools=[tool(server, executionMessage="I am looking that up now.")]
        )
        barge = {"barge_in": {"after": 1, "say": "Stop it now please"}}
        call = await dial(p, number, "Pears?", barge, barge)
        heard = [row[1] for row in rows(call)[1:]]
        assert heard[0] is not None
        assert long.startswith(heard[0])
        assert heard[0] != long
        assert (heard[1] or "").startswith("I am looking")
        assert heard[2] == "Fine."
        ended = [entry["how"] for entry in await p.journal("turn.closed")]
        assert ended == ["final", "interrupted", "final"]


async def test_a_prompt_makes_one_call_hosted() -> None:
    async with Receiver(answer(200, b'{"text": "webhook"}')) as hook, platform() as p:
        agent, _ = await p.line(hook.url)
        await p.ask("PUT", "/_sim/hosted", json={"lines": ["From the double, {{name}}"]})
        await p.ask("PUT", f"/_sim/people/{CALLEE}", json={"script": ["Hello"]})
        body = {"agentId": agent, "toNumber": CALLEE, "waitForCompletion": True, "initialGreeting": ""}
        hosted = await p.post("/v1/calls", {**body, "systemPrompt": "Sell", "variables": {"name": "Ann"}})
        plain = await p.post("/v1/calls", body)
        assert [t["response"] for t in hosted["transcripts"]] == ["From the double, Ann"]
        assert [t["response"] for t in plain["transcripts"]] == ["webhook"]


async def test_a_live_call_keeps_its_mode_when_the_agent_changes() -> None:
    async with Receiver(answer(200, b'{"text": "webhook"}')) as hook, platform(ClockMode.MANUAL) as p:
        agent, number = await hosted_line(p, ["One.", "Two."])
        await p.post("/v1/webhooks", {"url": hook.url})
        script = ["a", {"wait": 20}, "b"]
        await p.post("/_sim/calls", {"from": CALLER, "to": number, "script": script})
        await p.post("/_sim/clock/advance", {"seconds": 10})
        changed = await p.ask("PATCH", f"/v1/agents/{agent}", json={"voiceMode": "webhook"})
        await p.post("/_sim/clock/run_until_idle")
        later = await dial(p, number, "c")
        assert (changed["systemPrompt"], changed["beginMessage"]) == (None, None)
        (first,) = [c for c in (await p.get("/v1/calls"))["data"] if c["id"] != later["call_id"]]
        assert [t["response"] for t in first["transcripts"]][1:] == ["One.", "Two."]
        assert [row[1] for row in rows(later)] == ["webhook"]


async def test_a_hosted_agent_transfers_and_leaves_messages() -> None:
    async with platform() as p:
        lines = [{"say": "I put you through.", "action": "transfer"}]
        agent, number = await hosted_line(p, lines, transferNumber=DESK, voicemailMessage="Call {{agent_name}} back")
        assert (await dial(p, number, "A person!"))["disconnection_reason"] == "call_transfer"
        await p.ask("PUT", f"/_sim/people/{CALLEE}", json={"answer": "voicemail"})
        call = await p.post("/v1/calls", {"agentId": agent, "toNumber": CALLEE, "waitForCompletion": True})
        assert call["disconnectionReason"] == "voicemail_reached"
        assert call["lastTranscriptSnippet"] == "Call Support back"


async def test_a_web_call_of_a_hosted_agent_is_answered_by_the_double() -> None:
    async with platform() as p:
        agent = await p.post("/v1/agents", {"name": "Shop", "voiceMode": "hosted", "beginMessage": "Hi {{cart}}"})
        web = await p.post("/v1/calls/web", {"agentId": agent["id"], "variables": {"cart": "seven"}})
        await p.ask("PUT", f"/_sim/agents/{agent['id']}/script", json={"lines": ["Five euros."]})
        body = {"access_token": web["accessToken"], "script": ["Order"], "wait": True}
        joined = await p.post("/_sim/calls/web/join", body)
        assert rows(joined) == [("Hi seven", None), ("Order", "Five euros.")]


def sell(turn: HostedTurn) -> HostedAnswer | str | None:
    """Ask a tool once, say what it answered, and fail on the third turn."""
    if turn.number == 3:
        raise KeyError(turn.heard)
    if turn.number == 2:
        return None
    if not turn.results:
        return HostedAnswer(tool=ToolUse(name="book", arguments={"day": turn.heard}))
    return f"{turn.variables['agent_name']}: {turn.results[0].text}"


async def test_a_python_function_may_answer_for_hosted_agents() -> None:
    async with Receiver(answer(200, b"booked")) as server, platform(hosted=sell) as p:
        _, number = await hosted_line(p, customTools=[tool(server)])
        call = await dial(p, number, "Monday", "hm", "boom")
        said = [row[1] or "" for row in rows(call)[1:]]
        assert said[0] == "Support: booked"
        assert [text.startswith("This is the simulated voice") for text in said] == [False, True, True]
        (finding,) = call["findings"]
        assert (finding["kind"], finding["turn_id"]) == ("hosted_failed", "3")


def event(delta: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": delta}]}).encode() + b"\n\n"


async def model(exchange: Exchange) -> None:
    """A fake model: calls a tool, streams what it answered, and then hangs up in one plain object."""
    sent = json.loads(exchange.request.body)
    told = sent["messages"]
    if told[-1]["role"] == "tool":
        await exchange.head(200, {"Content-Type": "text/event-stream"})
        for piece in ("I see. ", "You got ", told[-1]["content"]):
            await exchange.piece(event({"content": piece}))
        await exchange.piece(b"data: [DONE]\n\n")
        await exchange.end()
        return
    name, arguments = ("end_call", "{}") if told[-1]["content"] == "Bye" else ("book", '{"day": "Monday"}')
    call = {"id": "c", "type": "function", "function": {"name": name, "arguments": arguments}}
    whole = {"choices": [{"message": {"content": "Well", "tool_calls": [call]}}]}
    await answer(200, json.dumps(whole).encode(), {"Content-Type": "application/json"})(exchange)


async def test_an_openai_compatible_url_may_answer_for_hosted_agents() -> None:
    async with (
        Receiver(answer(200, b"ten")) as server,
        Receiver(model) as fake,
        platform(hosted_url=fake.url.rsplit("/", 1)[0] + "/v1", hosted_model="m") as p,
    ):
        _, number = await hosted_line(p, customTools=[tool(server)])
        call = await dial(p, number, "Monday", "Bye")
        assert [row[1] for row in rows(call)[1:]] == ["Well I see. You got ten", "Well"]
        assert (call["disconnection_reason"], call["findings"]) == ("agent_hangup", [])
        sent = json.loads(fake.requests[0].body)
        assert (fake.requests[0].path, sent["model"], sent["stream"]) == ("/v1/chat/completions", "m", True)
        told = [(message["role"], message["content"]) for message in sent["messages"]]
        hello = ("assistant", "Hello, this is the simulated voice of Support.")
        assert told == [("system", "Sell pears"), hello, ("user", "Monday")]
        assert [t["function"]["name"] for t in sent["tools"]][-1] == "book"
        assert json.loads(server.requests[0].body) == {"day": "Monday"}


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (answer(500, b"busy"), "it answered 500: busy"),
        (answer(200, b"<html>"), "not JSON"),
        (answer(200, b'{"ok": 1}'), "OpenAI-compatible"),
        (lambda exchange: asyncio.to_thread(exchange.reset), "connection"),
    ],
)
async def test_a_model_that_does_not_answer_is_a_finding(reply: Any, why: str) -> None:
    async with Receiver(reply) as fake, platform(hosted_url=fake.url) as p:
        _, number = await hosted_line(p)
        call = await dial(p, number, "Hello")
        (finding,) = call["findings"]
        assert (finding["kind"], why in finding["message"]) == ("hosted_failed", True)
        assert (rows(call)[-1][1] or "").startswith("This is the simulated voice")


async def test_a_model_outside_this_machine_is_not_asked() -> None:
    async with platform(hosted_url="http://10.1.2.3/v1") as p:
        _, number = await hosted_line(p)
        (finding,) = (await dial(p, number, "Hello"))["findings"]
        assert "--allow-host 10.1.2.3" in finding["message"]


async def test_scripts_belong_to_an_account_or_a_sub_account() -> None:
    async with platform() as p:
        sub = (await p.post("/v1/sub-accounts", {"name": "Sub"}))["id"]
        scope = {"headers": {"X-Sub-Account-Id": sub}}
        agent = (await p.ask("POST", "/v1/agents", json={"name": "S", "voiceMode": "hosted"}, **scope))["id"]
        await p.ask("PUT", f"/_sim/agents/{agent}/script", 404, json={"lines": ["x"]})
        put = await p.ask("PUT", f"/_sim/agents/{agent}/script", json={"lines": ["From the sub"]}, **scope)
        assert put == {"agent_id": agent, "lines": 1}
        number = await p.ask("POST", "/v1/numbers", json={"agentId": agent}, **scope)
        body = {"from": CALLER, "to": number["phoneNumber"], "script": ["Hi"], "wait": True}
        assert rows(await p.ask("POST", "/_sim/calls", json=body, **scope))[-1][1] == "From the sub"
        assert (await p.ask("PUT", f"/_sim/agents/{agent}/script", json={"lines": []}, **scope))["lines"] == 0
        assert (rows(await p.ask("POST", "/_sim/calls", json=body, **scope))[-1][1] or "").startswith("This is")


@pytest.mark.parametrize(
    "line",
    [{}, "", " ", {"say": ""}, {"action": "fly"}, {"digits": "x"}, {"tool": {}}, {"say": "a", "nope": 1},
     {"say": "a", "when": {}}, {"when": {"contains": "a"}}],
)  # fmt: skip
async def test_a_line_that_means_nothing_is_refused(line: Any) -> None:
    async with platform() as p:
        await p.ask("PUT", "/_sim/hosted", 422, json={"lines": ["fine", line]})
        bad = {"say": "a", "when": {"matches": "("}}
        await p.ask("PUT", "/_sim/hosted", 400, json={"lines": ["fine", bad]})
        assert p.runner.world.hosted_lines == {}
