# ruff: noqa: E501 - a table of mistakes reads best with one to a line
from __future__ import annotations

from typing import Any

import pytest

from simulator.clock import ClockMode
from simulator.domain.fault_rules import FaultSpec
from simulator.domain.faults import MOST_RULES
from tests.helpers.platform import Platform, platform

pytestmark = pytest.mark.anyio
RULE = {"on": "api", "fault": "status", "status": 503, "match": {"route": "POST /v1/agents"}}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def rules(p: Platform) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await p.get("/_sim/faults"))["faults"]
    return found


async def test_a_rule_is_shown_with_what_it_has_met() -> None:
    async with platform(ClockMode.MANUAL) as p:
        made = await p.post("/_sim/faults", {**RULE, "times": 2, "skip": 1, "expires_in": 60, "retry_after": 5})
        assert made == {
            "id": made["id"], "on": "api", "fault": "status", "match": {"route": "POST /v1/agents"},
            "times": 2, "skip": 1, "probability": 1.0, "expires_at": "2026-01-05T15:01:00.000Z",
            "seen": 0, "fired": 0, "state": "active",
            "status": 503, "retry_after": 5, "effect": "none", "seconds": 0,
        }  # fmt: skip
        assert made["id"].startswith("flt_")
        for expect in (200, 503, 503, 200):
            await p.post("/v1/agents", {"name": "A"}, expect)
        assert await rules(p) == [{**made, "seen": 4, "fired": 2, "state": "spent"}]


async def test_a_rule_expires_on_the_simulated_clock_and_that_is_told_when_somebody_looks() -> None:
    async with platform(ClockMode.MANUAL) as p:
        made = await p.post("/_sim/faults", {**RULE, "expires_in": 60})
        assert (await p.get("/_sim/clock"))["timers"] == 0  # nothing to wait for
        await p.post("/_sim/clock/advance", {"seconds": 60})
        assert [rule["state"] for rule in await rules(p)] == ["expired"]
        (told,) = await p.journal("fault")
        assert (told["kind"], told["rule_id"], told["fired"]) == ("fault.expired", made["id"], 0)
        assert told["expires_at"] == "2026-01-05T15:01:00+00:00"
        await p.post("/v1/agents", {"name": "A"})


async def test_an_idle_clock_does_not_jump_to_an_expiry() -> None:
    async with platform() as p:
        await p.post("/_sim/faults", {**RULE, "expires_in": 60})
        await p.post("/v1/agents", {"name": "A"}, 503)


async def test_rules_are_deleted_one_by_one_or_all_at_once() -> None:
    async with platform() as p:
        first, second, third = [(await p.post("/_sim/faults", RULE))["id"] for _ in range(3)]
        await p.post("/v1/agents", {"name": "A"}, 503)
        assert (await p.ask("DELETE", f"/_sim/faults/{first}"))["fired"] == 1
        await p.ask("DELETE", f"/_sim/faults/{first}", 404)
        assert [rule["id"] for rule in (await p.ask("DELETE", "/_sim/faults"))["faults"]] == [second, third]
        assert await rules(p) == []
        await p.post("/v1/agents", {"name": "A"})


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"on": "delivry", "fault": "late"}, 422, "there is no 'delivry': did you mean 'delivery'?"),
        ({"on": "delivery", "fault": "lat", "seconds": 1}, 422, "there is no 'lat': did you mean 'late'?"),
        ({"on": "api", "fault": "late", "seconds": 1}, 422, "there is no fault 'late' on api"),
        ({"on": "api", "fault": "latency"}, 422, "latency on api needs seconds"),
        ({"on": "api", "fault": "latency", "secnds": 1}, 422, "there is no field 'secnds': did you mean 'seconds'?"),
        ({"on": "api", "fault": "latency", "seconds": 1, "copies": 1}, 422, "latency on api has no 'copies'"),
        ({"on": "api", "fault": "latency", "seconds": "1"}, 422, "Input should be a valid number"),
        ({"on": "api", "fault": "reset", "match": {"rout": "x"}}, 422, "there is no match 'rout': did you mean 'route'?"),
        ({"on": "api", "fault": "reset", "match": {"event": "agent.message"}}, 422, "reset on api cannot match 'event'"),
        ({"on": "api", "fault": "reset", "times": 0}, 422, "greater than or equal to 1"),
        ({"on": "api", "fault": "reset", "probability": 1.5}, 422, "less than or equal to 1"),
        ({"on": "api", "fault": "reset", "match": {"route": "POST /v1/mesages"}}, 400, "did you mean 'POST /v1/messages'?"),
        ({"on": "api", "fault": "reset", "match": {"route": "/_sim/reset"}}, 400, "no operation is on the route"),
        ({"on": "api", "fault": "reset", "match": {"operation": "sendMesage"}}, 400, "did you mean 'sendMessage'?"),
        ({"on": "carrier", "fault": "busy", "match": {"to": "nobody"}}, 400, "'nobody' is not a phone number"),
    ],
)  # fmt: skip
async def test_a_rule_that_cannot_be_is_refused_and_changes_nothing(body: Any, status: int, said: str) -> None:
    async with platform() as p:
        refused = await p.post("/_sim/faults", body, status)
        assert said in str(refused["detail"]), refused
        assert await rules(p) == []


async def test_there_are_only_so_many_rules() -> None:
    async with platform() as p:
        for _ in range(MOST_RULES):
            await p.post("/_sim/faults", {"on": "stream", "fault": "silent"})
        refused = await p.post("/_sim/faults", {"on": "stream", "fault": "silent"}, 409)
        assert f"{MOST_RULES} fault rules are there already" in refused["detail"]


async def test_a_reset_brings_back_the_rules_of_the_settings_and_no_others() -> None:
    start = FaultSpec.of({"on": "api", "fault": "status", "status": 500, "times": 1})
    async with platform(faults=(start,)) as p:
        await p.post("/_sim/faults", RULE)
        await p.get("/v1/agents", 500)
        assert [rule["fired"] for rule in await rules(p)] == [1, 0]
        await p.ask("DELETE", "/_sim/faults")
        await p.post("/_sim/reset")
        assert [(rule["status"], rule["fired"]) for rule in await rules(p)] == [(500, 0)]


async def test_a_sub_account_has_rules_of_its_own() -> None:
    async with platform() as p:
        inside = {"X-Sub-Account-Id": (await p.post("/v1/sub-accounts", {"name": "Branch"}))["id"]}
        await p.ask("POST", "/_sim/faults", json=RULE, headers=inside)
        await p.post("/v1/agents", {"name": "A"})
        await p.ask("POST", "/v1/agents", 503, json={"name": "A"}, headers=inside)
        assert await rules(p) == []


async def test_ids_of_rules_come_from_the_seed_and_shift_no_others() -> None:
    async def story(faults: int) -> tuple[list[str], str]:
        async with platform(seed=3) as p:
            ids = [(await p.post("/_sim/faults", {"on": "stream", "fault": "silent"}))["id"] for _ in range(faults)]
            return ids, (await p.post("/v1/agents", {"name": "A"}))["id"]

    (one, agent), (two, same) = await story(1), await story(2)
    assert (two[0], same) == (one[0], agent)
