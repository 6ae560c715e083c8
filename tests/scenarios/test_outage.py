"""The long outage on a stage in the test's own loop: real requests, simulated days."""

from __future__ import annotations

import hmac
from datetime import timedelta
from hashlib import sha256
from itertools import pairwise
from typing import Any, Final

import pytest

from simulator.clock import ClockMode
from simulator.errors import UsageError
from simulator.scenarios.outage import Aftermath, Plan, play
from simulator.scenarios.reports.ladder_records import End, How
from simulator.scenarios.stage import Stage
from simulator.settings import Settings
from tests.helpers.receiver import Exchange, Receiver, answer

pytestmark = pytest.mark.anyio
HOUR: Final = timedelta(hours=1)
DAY: Final = 24 * HOUR
SECRET: Final = "whsec_of_the_test"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def played(handler: str | None = None, **plan: Any) -> Aftermath:
    settings = Settings(clock=ClockMode.MANUAL, webhook_secret=SECRET)
    return await play(Stage(), Plan(**{"down": DAY, "does": "refused", **plan}), settings, handler)


def ends(aftermath: Aftermath) -> dict[End, int]:
    return {end: sum(delivery.end is end for delivery in aftermath.owed) for end in End}


@pytest.mark.parametrize(
    ("does", "how", "error"),
    [
        ("refused", How.REFUSED, "connection refused"),
        ("timeout", How.TIMED_OUT, "no answer within 30 s"),
        (503, How.ERROR, "the webhook answered 503"),
    ],
)
async def test_only_what_had_its_whole_ladder_in_the_outage_is_lost(does: int | str, how: How, error: str) -> None:
    aftermath = await played(does=does)
    lost = [delivery for delivery in aftermath.owed if delivery.end is End.LOST]
    assert {delivery.created - aftermath.outage.begin for delivery in lost} == {n * HOUR for n in range(4)}
    assert {t.how for delivery in lost for t in delivery.tries} == {how}
    assert {delivery.reason for delivery in lost} == {f"all 6 attempts failed: {error}"}
    assert ends(aftermath) == {End.FIRST_TRY: 10, End.LATE: 40, End.LOST: 8, End.PENDING: 0}


async def test_a_final_answer_loses_everything_at_once() -> None:
    aftermath = await played(does=410, down=3 * HOUR)
    assert ends(aftermath) == {End.FIRST_TRY: 10, End.LATE: 0, End.LOST: 6, End.PENDING: 0}


async def test_what_is_due_when_the_handler_is_back_arrives() -> None:
    # The sixth attempt of the first text in the outage is due at the instant in which the handler is back.
    aftermath = await played(down=timedelta(hours=20, minutes=35))
    assert ends(aftermath)[End.LOST] == 0
    aftermath = await played(down=timedelta(hours=20, minutes=36))
    assert ends(aftermath)[End.LOST] == 2


async def test_a_handler_that_hangs_drops_its_connections_when_it_is_started_anew() -> None:
    aftermath = await played(does="timeout", down=timedelta(hours=1, seconds=10))
    last = [d for d in aftermath.owed if d.created == aftermath.outage.end - timedelta(seconds=10)]
    assert {d.end for d in last} == {End.LATE}
    assert {d.tries[0].how for d in last} == {How.REFUSED}


async def test_what_comes_late_really_arrives_signed_and_in_the_order_that_is_reported() -> None:
    async with Receiver(answer(204)) as handler:
        aftermath = await played(handler.url, down=6 * HOUR)
    came = [request.header("X-Webhook-ID") for request in handler.requests]
    assert sorted(map(str, came)) == sorted(delivery.id for delivery in aftermath.owed)
    told = [delivery.arrived for delivery in aftermath.arrived]
    by_id = {delivery.id: delivery.arrived for delivery in aftermath.owed}
    assert [by_id[str(name)] for name in came] == told
    assert aftermath.overtaken
    for request in handler.requests:
        stamp = (request.header("X-Webhook-Timestamp") or "").encode()
        digest = hmac.new(SECRET.encode(), stamp + b"." + request.body, sha256).hexdigest()
        assert request.header("X-Webhook-Signature") == f"sha256={digest}"


async def test_voice_turns_of_the_outage_are_lost_at_once_and_calls_end() -> None:
    async def speaks(exchange: Exchange) -> None:
        await answer(200, b'{"text": "Hello"}')(exchange)

    async with Receiver(speaks) as handler:
        aftermath = await played(handler.url, texts_every=None, calls_every=2 * HOUR, down=6 * HOUR)
    turns = [d for d in aftermath.owed if d.event == "agent.message"]
    assert {turn.end for turn in turns} == {End.FIRST_TRY, End.LOST}
    lost = [turn for turn in turns if turn.end is End.LOST]
    assert all(turn.reason == "it is sent only once: connection refused" for turn in lost)
    ended = [d for d in aftermath.owed if d.event == "call.ended"]
    assert len(ended) == 8
    assert End.LATE in {d.end for d in ended}


async def test_the_same_seed_gives_the_same_report() -> None:
    first, second = await played(down=HOUR), await played(down=HOUR)
    assert first.as_json() == second.as_json()
    assert first.as_json()["order_of_arrival"]


def test_events_come_before_during_and_after_the_outage() -> None:
    plan = Plan(down=DAY, does=503, texts_every=HOUR, calls_every=6 * HOUR)
    texts = [at for at, what in plan.events() if what == "text"]
    assert (texts[0], texts[-1], len(texts)) == (timedelta(), 28 * HOUR, 29)
    assert {later - earlier for earlier, later in pairwise(texts)} == {HOUR}
    assert sum(what == "call" for _, what in plan.events()) == 5
    assert plan.lead == 2 * HOUR


@pytest.mark.parametrize(
    ("plan", "told"),
    [
        ({"texts_every": None}, "nothing is sent"),
        ({"texts_every": timedelta()}, "never ends"),
        ({"texts_every": timedelta(seconds=1)}, "2,000 at most"),
    ],
)
def test_plans_that_make_no_sense_are_refused(plan: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        Plan(**{"down": DAY, "does": 503, **plan})
