"""Fault rules are part of the world: they go along with snapshots, forks and files, counts included."""

from __future__ import annotations

import json

import pytest

from simulator.clock import ClockMode
from tests.control.test_accounts import at
from tests.control.test_files import exported, imported
from tests.control.test_worlds import CALLER, journal, restore, snapshot
from tests.helpers.platform import Platform, platform

pytestmark = pytest.mark.anyio
RULE = {"on": "delivery", "fault": "status", "status": 503, "times": 2, "skip": 1}
LATE = {"on": "delivery", "fault": "late", "seconds": 60}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def go_on(p: Platform, number: str) -> bytes:
    for _ in range(3):
        await p.post("/_sim/messages", {"from": CALLER, "to": number, "body": "hi"})
        await p.post("/_sim/clock/advance", {"seconds": 90})
    return await journal(p)


@pytest.mark.parametrize("rule", [RULE, LATE])
async def test_rules_and_what_they_hold_back_go_along(rule: dict[str, object]) -> None:
    async with platform(ClockMode.MANUAL) as p:
        _, number = await p.line("http://127.0.0.1:9/hook")
        await p.post("/_sim/faults", rule)
        await p.post("/_sim/messages", {"from": CALLER, "to": number, "body": "first"})
        await snapshot(p)
        fork = at(p, await p.post("/_sim/fork"))
        carried = at(p, await p.post("/_sim/accounts"))
        await imported(carried, await exported(p))
        assert await carried.get("/_sim/faults") == await p.get("/_sim/faults")
        first = await go_on(p, number)
        assert await go_on(fork, number) == first
        await restore(p)
        assert await go_on(p, number) == first
        entries = [e for e in json.loads(first) if e["seq"] > carried.runner.world.journal.dropped]
        assert json.loads(await go_on(carried, number)) == entries


async def test_a_rule_that_nobody_could_have_made_is_refused() -> None:
    from simulator.state.codec import Unreadable
    from simulator.state.layout import world_of, written

    async with platform(ClockMode.MANUAL) as p:
        await p.post("/_sim/faults", RULE)
        text = json.loads(json.dumps(written(p.runner.world)))
        for field, wrong in (("fault", "flood"), ("parameters", {}), ("skip", -1), ("match", {"colour": "red"})):
            spec = dict(text["faults"]["rules"][0][0]["spec"])
            damaged = json.loads(json.dumps(text))
            damaged["faults"]["rules"][0][0]["spec"] = {**spec, field: wrong}
            with pytest.raises(Unreadable, match=r"^faults\.rules"):
                world_of(damaged, 100)


async def test_an_answer_that_is_held_back_is_no_part_of_a_snapshot() -> None:
    import asyncio

    from tests.helpers.asgi import until

    async with platform(ClockMode.MANUAL) as p:
        await p.post("/_sim/faults", {"on": "api", "fault": "latency", "seconds": 60})
        waiting = asyncio.ensure_future(p.client.get("/v1/agents"))
        await until(lambda: len(p.runner.pacer.timers) == 1)
        taken = await snapshot(p, patience=0)
        assert taken["timers"] == 0
        await p.post("/_sim/clock/advance", {"seconds": 60})
        assert (await waiting).status_code == 200
