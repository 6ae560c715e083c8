from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import yaml

from simulator.scenarios.loader import load
from tests.helpers.platform import Platform, platform
from tests.helpers.receiver import Receiver, Reply, answer

pytestmark = pytest.mark.anyio
CALLER, CALLEE = "+14155550150", "+14155550161"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def says(text: str, **more: Any) -> Reply:
    return answer(200, json.dumps({"text": text, **more}).encode())


@pytest.fixture
async def p() -> AsyncIterator[Platform]:
    async with platform() as p:
        yield p


async def dialled(p: Platform, script: list[Any], **agent: Any) -> dict[str, Any]:
    async with Receiver(says("It has shipped.")) as handler:
        _, number = await p.line(handler.url, **agent)
        call: dict[str, Any] = await p.post(
            "/_sim/calls", {"from": CALLER, "to": number, "script": script, "wait": True}
        )
        await p.runner.pacer.settle(p.runner.settings.real_patience)
    return call


async def test_the_timeline_says_what_was_heard_and_when(p: Platform) -> None:
    call = await dialled(p, ["Where is it?", {"wait": 2}, "Thanks"], beginMessage="Acme!")
    heard = await p.get(f"/_sim/calls/{call['call_id']}/timeline")
    assert [sound["text"] for sound in heard["sounds"]] == [
        "Acme!",
        "Where is it?",
        *["It has shipped."],
        "Thanks",
        "It has shipped.",
    ]
    assert [turn["transcript"] for turn in heard["turns"]] == ["Where is it?", "Thanks"]
    first = heard["turns"][0]
    assert first["first_word_seconds"] >= 0.7  # the pause that ends an utterance is part of it
    assert first["longest_gap_seconds"] == first["gaps"][0]["seconds"] == first["first_word_seconds"]
    assert (heard["greeting_seconds"], heard["complete"], heard["status"]) == (0, True, "completed")


async def test_the_answer_of_a_call_that_was_waited_for_has_its_timeline(p: Platform) -> None:
    call = await dialled(p, ["Where is it?"])
    assert call["timeline"] == await p.get(f"/_sim/calls/{call['call_id']}/timeline")


async def test_the_journal_keeps_the_measures_of_a_call_that_has_ended(p: Platform) -> None:
    script = ["Where is it?", {"barge_in": {"say": "Stop", "after": 0.5}}]
    heard = (await dialled(p, script, beginMessage="Acme!"))["timeline"]
    (kept,) = await p.journal("call.heard")
    assert (kept["turns"], kept["greeting"], kept["overruns"]) == (2, 0, [0.2])
    assert kept["first_words"] == [turn["first_word_seconds"] for turn in heard["turns"]]
    assert kept["gaps"] == [gap["seconds"] for turn in heard["turns"] for gap in turn["gaps"]]
    assert kept["talk_ratio"] == heard["talk_ratio"]


async def test_the_measures_of_a_whole_call_are_those_of_its_parts(p: Platform) -> None:
    heard = (await dialled(p, ["Where is it?", "And now?", "Thanks"]))["timeline"]
    waits = sorted(turn["first_word_seconds"] for turn in heard["turns"])
    assert heard["first_word_seconds"] == {"p50": waits[1], "p90": waits[2], "p99": waits[2]}
    assert heard["handler_seconds"]["p99"] == max(turn["final_chunk_seconds"] for turn in heard["turns"])
    assert heard["agent_seconds"] == pytest.approx(sum(turn["spoken_seconds"] for turn in heard["turns"]))
    talked = heard["agent_seconds"] + heard["remote_seconds"]
    assert heard["talk_ratio"] == pytest.approx(heard["agent_seconds"] / talked)


async def test_an_interruption_has_the_overrun_that_the_agents_settings_say(p: Platform) -> None:
    async with Receiver(says("word " * 30)) as handler:
        _, number = await p.line(handler.url)
        script = ["Hi", {"barge_in": {"after": 1, "say": "stop it please"}}, {"hang_up": True}]
        dial = {"from": CALLER, "to": number, "script": script, "wait": True}
        heard = (await p.post("/_sim/calls", dial))["timeline"]
    assert heard["turns"][0]["overrun_seconds"] == 0.2  # to the microsecond: timers fire at their own deadlines
    assert heard["overrun_seconds"] == {"p50": 0.2, "p90": 0.2, "p99": 0.2}


async def test_a_call_that_nobody_answered_has_an_empty_timeline(p: Platform) -> None:
    agent, _ = await p.line("http://127.0.0.1:1/never")
    call = await p.post("/v1/calls", {"waitForCompletion": True, "agentId": agent, "toNumber": "+14155550102"})
    heard = await p.get(f"/_sim/calls/{call['id']}/timeline")
    assert (heard["connected_at"], heard["turns"], heard["sounds"], heard["talk_ratio"]) == (None, [], [], None)
    assert heard["first_word_seconds"] is heard["gap_seconds"] is heard["handler_seconds"] is None


async def test_a_live_call_has_a_timeline_as_far_as_it_has_come(p: Platform) -> None:
    _, number = await p.line(None, beginMessage="Acme!")
    call = await p.post("/_sim/calls", {"from": CALLER, "to": number})
    heard = await p.get(f"/_sim/calls/{call['call_id']}/timeline")
    assert (heard["status"], heard["ended_at"], heard["complete"]) == ("in-progress", None, True)


@pytest.mark.parametrize("what", ["timeline", "export"])
async def test_an_unknown_call_is_not_found(p: Platform, what: str) -> None:
    assert "call_nope" in (await p.get(f"/_sim/calls/call_nope/{what}", 404))["detail"]


async def test_a_timeline_whose_beginning_is_forgotten_says_so_and_cannot_be_exported() -> None:
    async with platform(journal_limit=20) as p:
        call = await dialled(p, ["Where is it?", "Thanks"])
        assert not (await p.get(f"/_sim/calls/{call['call_id']}/timeline"))["complete"]
        refused = await p.get(f"/_sim/calls/{call['call_id']}/export", 409)
        assert "the journal has forgotten how" in refused["detail"]


async def exported(p: Platform, call_id: str, **query: str) -> str:
    done = await p.client.get(f"/_sim/calls/{call_id}/export", params=query)
    assert done.status_code == 200, done.text
    assert done.headers["content-type"] == "text/plain; charset=utf-8"
    return done.text


async def test_an_exported_scenario_loads_and_holds_the_agents_settings(p: Platform) -> None:
    call = await dialled(p, ["Where is it?", {"press": "1"}], beginMessage="Acme!", voiceSpeed=1.5, maxSilenceMs=20_000)
    text = await exported(p, call["call_id"])
    assert load(text.encode(), "call.yaml", {}).calls[0].script is not None
    agent = yaml.safe_load(text)["world"]["agents"][0]
    assert agent == {
        "name": "Agent", "voiceMode": "webhook", "maxSilenceMs": 20_000, "voiceSpeed": 1.5, "beginMessage": "Acme!",
    }  # fmt: skip


async def test_a_call_is_exported_as_a_test_and_as_commands(p: Platform) -> None:
    call = await dialled(p, ["Where is it?"], voiceSpeed=1.5)
    test = await exported(p, call["call_id"], **{"as": "pytest"})
    compile(test, "test.py", "exec")
    assert "'voiceSpeed': 1.5" in test
    assert "Where is it?" in await exported(p, call["call_id"], **{"as": "curl"})
    await p.get(f"/_sim/calls/{call['call_id']}/export", 422, **{"as": "poem"})


async def test_the_greeting_of_a_machine_is_no_step_of_the_person(p: Platform) -> None:
    async with Receiver(says("ok")) as handler:
        agent, _ = await p.line(handler.url, voicemailMessage="Please call Acme back.")
        await p.ask("PUT", f"/_sim/people/{CALLEE}", json={"answer": "voicemail", "greeting": "Not here. Beep?"})
        call = await p.post("/v1/calls", {"waitForCompletion": True, "agentId": agent, "toNumber": CALLEE})
        scenario = yaml.safe_load(await exported(p, call["id"]))
        heard = await p.get(f"/_sim/calls/{call['id']}/timeline")
    (part,) = scenario["calls"]
    assert [sound["text"] for sound in heard["sounds"]] == ["Not here. Beep?", "Please call Acme back."]
    assert call["disconnectionReason"] == "voicemail_reached"
    assert (part["from"], part["to"]) == ("Agent", CALLEE)
    assert scenario["world"]["people"] == [{"number": CALLEE, "answer": "voicemail", "greeting": "Not here. Beep?"}]
    assert not any("say" in step or "barge_in" in step for step in part["script"])


async def test_a_web_call_is_exported_as_a_call_from_somebody(p: Platform) -> None:
    async with Receiver(says("It has shipped.")) as handler:
        agent, _ = await p.line(handler.url)
        made = await p.post("/v1/calls/web", {"agentId": agent})
        join = {"access_token": made["accessToken"], "script": ["Where is it?"], "wait": True}
        call = await p.post("/_sim/calls/web/join", join)
    (part,) = load(await exported(p, call["call_id"])).calls
    assert (part.from_, part.to) == (CALLER, "Agent")
    assert call["timeline"]["turns"][0]["transcript"] == "Where is it?"


async def test_what_the_request_asked_for_is_exported_with_its_braces(p: Platform) -> None:
    async with Receiver(says("ok")) as handler:
        agent, _ = await p.line(handler.url)
        asked = {"callScreeningIdentity": "Acme {{dental}}"}
        dial = {"agentId": agent, "toNumber": "+14155550107", "waitForCompletion": True}
        call = await p.post("/v1/calls", dial | asked)
        scenario = await exported(p, call["id"])
        assert yaml.safe_load(scenario)["calls"][0]["request"] == asked
        assert load(scenario).calls[0].request.call_screening_identity == "Acme {{dental}}"  # type: ignore[union-attr]
        assert "'Acme {{dental}}'" in await exported(p, call["id"], **{"as": "pytest"})


async def test_somebody_talks_over_everything_and_is_heard_to(p: Platform) -> None:
    async with Receiver(says("word " * 30)) as handler:
        agent, _ = await p.line(handler.url, maxSilenceMs=10_000)
        dial = {"agentId": agent, "toNumber": "+14155550112", "waitForCompletion": True}
        call = await p.post("/v1/calls", dial)
    heard = await p.get(f"/_sim/calls/{call['id']}/timeline")
    assert len([turn for turn in heard["turns"] if turn["how"] == "final"]) >= 20
    assert heard["overrun_seconds"]["p50"] == heard["overrun_seconds"]["p99"] == 0.2
    assert call["disconnectionReason"] == "inactivity"
