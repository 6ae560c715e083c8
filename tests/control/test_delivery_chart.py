from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from simulator.clock import ClockMode
from tests.helpers.platform import Platform, platform
from tests.helpers.receiver import Receiver, answer

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def text(p: Platform, number: str) -> None:
    await p.post("/_sim/messages", {"from": "+14155550151", "to": number, "body": "hi"})
    await p.post("/_sim/clock/advance", {"seconds": 1})


async def drawn(p: Platform, **query: Any) -> str:
    answer = await p.client.get("/_sim/deliveries/chart", params=query)
    assert answer.status_code == 200, answer.text
    expected = {"svg": "image/svg+xml", "text": "text/plain"}[query["as"]]
    assert answer.headers["content-type"].startswith(expected)
    return answer.text


async def test_the_chart_is_data_a_picture_and_text() -> None:
    replies = answer(200), answer(200), answer(503), answer(503), answer(200), answer(200), answer(404)
    async with Receiver(*replies) as handler, platform(ClockMode.MANUAL) as p:
        _, number = await p.line(handler.url)
        await text(p, number)
        await text(p, number)
        await p.post("/_sim/clock/run_until_idle")
        await text(p, number)
        chart = await p.get("/_sim/deliveries/chart")
        assert chart["verdict"] == "6 sent: 2 at first try, 2 late (by up to 5 m), 2 lost."
        assert chart["figures"]["delay_max_seconds"] == 300
        assert [d["end"] for d in chart["deliveries"]] == ["first_try"] * 2 + ["late"] * 2 + ["lost"] * 2
        lost = chart["deliveries"][-1]
        assert lost["reason"] == "the webhook answered 404, which is final"
        assert [(t["how"], t["http_status"]) for t in lost["attempts"]] == [("final", 404)]
        assert chart["outages"] == []
        assert ElementTree.fromstring(await drawn(p, **{"as": "svg"})).get("role") == "img"
        assert "6 sent: 2 at first try" in await drawn(p, **{"as": "text"})
        assert max(map(len, (await drawn(p, **{"as": "text", "columns": 80})).splitlines())) <= 80
        since = lost["created_at"]
        assert (await p.get("/_sim/deliveries/chart", since=since))["figures"]["sent"] == 2


async def test_an_outage_is_seen_and_pending_deliveries_are_shown_as_such() -> None:
    async with Receiver(answer(503)) as handler, platform(ClockMode.MANUAL) as p:
        _, number = await p.line(handler.url)
        await text(p, number)
        await p.post("/_sim/clock/advance", {"seconds": 3600})
        chart = await p.get("/_sim/deliveries/chart")
        assert (chart["figures"]["pending"], chart["figures"]["attempts"]) == (2, 6)
        assert [o["label"] for o in chart["outages"]] == ["no attempt arrived"]
        assert all(d["next_attempt_at"] for d in chart["deliveries"])


async def test_without_deliveries_there_is_an_empty_chart() -> None:
    async with platform(ClockMode.MANUAL) as p:
        assert (await p.get("/_sim/deliveries/chart"))["verdict"] == "Nothing was sent."
        assert "<svg" in await drawn(p, **{"as": "svg"})


@pytest.mark.parametrize("query", [{"as": "png"}, {"since": "yesterday"}, {"columns": 79}])
async def test_questions_of_the_wrong_shape_are_refused(query: dict[str, Any]) -> None:
    async with platform(ClockMode.MANUAL) as p:
        await p.get("/_sim/deliveries/chart", expect=422, **query)
