"""Group 6, callers who do not let the agent finish: the platform hangs up on the reply, and asks for the next one."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Final

from simulator.conformance.bench import Bench
from simulator.conformance.case import Case, Trust, case
from simulator.conformance.cases.pace import as_good, best, first_words, seconds, until_words
from simulator.conformance.cases.voice_turns import go_on
from simulator.conformance.events import Event
from simulator.conformance.exchange import Exchange
from simulator.conformance.platform import Call
from simulator.conformance.verdicts import Level, Profile

FIRST: Final = "Where is my order 4521?"
SECOND: Final = "No, wait. I meant 4512."
INTERRUPTIONS: Final = 10
PERCEPTIBLE: Final = 0.1  # seconds of thinking that can be interrupted
BREATH: Final = 0.2  # seconds; nobody says the next sentence sooner, and a server hears of a hang-up meanwhile
SOON: Final = 0.25  # seconds after which a second turn comes at the latest, while the first is still being answered


def _mid_thought(plain: Exchange) -> dict[str, Any]:
    """How to hang up before the first byte of a reply: half-way to it, or as soon as there is an answer at all."""
    thinking = plain.head_at or 0.0
    return {"leave_after": thinking / 2 if thinking > PERCEPTIBLE else None, "until": lambda _: True}


def _mid_reply(plain: Exchange) -> dict[str, Any]:
    """How to hang up when the reply has begun; while the handler thinks, if that is when it does everything."""
    whole_at_once = len(plain.pieces) <= 1
    return _mid_thought(plain) if whole_at_once else {"until": until_words}


def _told(begun: asyncio.Event, exchange: Exchange) -> bool:
    """For `Prober.send`: say when the first piece of the answer is here, and read on."""
    if exchange.pieces:
        begun.set()
    return False


async def _next_turn(call: Call, heard: Exchange) -> Event:
    """What the caller says after as much of a reply as they have heard."""
    go_on(call, heard)
    turn = await call.turn()
    await asyncio.sleep(BREATH)
    return turn


@case(
    "6.6",
    "After an interruption the next turn is answered",
    Level.MUST,
    source="users' handlers that treat a dropped connection as an interruption; it is not documented",
    trust=Trust.OBSERVED,
    sent="a turn, on whose reply we hang up after its first piece, and the next turn of the call",
    expected="the next turn is answered as any other",
    why="Callers interrupt all the time. A handler that is lost then leaves them on a dead line.",
    mend="Release locks and give back workers in `finally`, and treat a broken connection as nothing special.",
    profile=Profile.VOICE,
)
async def interrupted_in_mid_reply(bench: Bench) -> None:
    plain = await bench.needs_replies()
    call = await bench.call(FIRST, SECOND)
    left = await bench.deliver(await call.turn(), note="we hang up after the first piece", **_mid_reply(plain))
    after = await bench.deliver(await _next_turn(call, left), note="the next turn of the call")
    bench.answered(after, what="the next turn")


@case(
    "6.7",
    "After an interruption before the first word the next turn is answered",
    Level.MUST,
    source="users' handlers that treat a dropped connection as an interruption; it is not documented",
    trust=Trust.OBSERVED,
    sent="a turn, on which we hang up before the reply begins, and the next turn of the call",
    expected="the next turn is answered as any other",
    why='"Hello? Are you there?" is what callers say while a model thinks.',
    mend="Let nothing that belongs to a call depend on a reply being sent to its end.",
    profile=Profile.VOICE,
)
async def interrupted_before_the_first_word(bench: Bench) -> None:
    plain = await bench.needs_replies()
    call = await bench.call(FIRST, SECOND)
    left = await bench.deliver(await call.turn(), note="we hang up before the reply begins", **_mid_thought(plain))
    after = await bench.deliver(await _next_turn(call, left), note="the next turn of the call")
    bench.answered(after, what="the next turn")


@case(
    "6.8",
    "A caller who hangs up in mid-reply leaves nothing behind",
    Level.MUST,
    source="webhook documentation, agent.call_ended; it comes whatever state a turn is in",
    trust=Trust.INFERRED,
    sent="a turn, on whose reply we hang up, the end of that call, and a new call",
    expected="the end is acknowledged, and the new call is answered",
    why="Most calls end like this. What each leaves behind adds up until nobody is answered.",
    mend="End what belongs to a call when its agent.call_ended comes, without waiting for its last reply.",
    profile=Profile.VOICE,
)
async def hangs_up_in_mid_reply(bench: Bench) -> None:
    plain = await bench.needs_replies()
    call = await bench.call(FIRST)
    await bench.deliver(await call.turn(), note="we hang up after the first piece", **_mid_reply(plain))
    end = await bench.deliver(await call.ended(), note="the end of that call")
    bench.accepted(end, what="the end of the call")
    bench.answered(await bench.deliver(await bench.turn(), note="a new call"), what="the first turn of a new call")


@case(
    "6.9",
    "A turn is answered while the one before still is",
    Level.MUST,
    source="users' handlers that speak of overlapping turns; it is not documented",
    trust=Trust.OBSERVED,
    sent="a turn, and the next one of the same call before the first reply is complete, up to three times",
    expected="the second is answered (MUST), without waiting for the first (SHOULD)",
    why="Somebody who interrupts hears the old answer to its end, or nothing at all.",
    mend="Let a new turn of a call replace the former one; do not let it queue behind a lock, and do not refuse it.",
    profile=Profile.VOICE,
)
async def turns_overlap(bench: Bench) -> None:
    plain = await bench.needs_replies()
    limit = max(bench.budgets.first_word, 2 * (first_words(plain) or 0.0))
    heard: list[Exchange] = []

    async def try_once() -> float | None:
        call = await bench.call(FIRST, SECOND)
        first = await call.turn()
        call.answer(text="One moment.")
        second = await call.turn()
        call.answer(text="One moment.")
        begun = asyncio.Event()
        former = asyncio.create_task(bench.deliver(first, note="a turn", until=lambda it: _told(begun, it)))
        with suppress(TimeoutError):
            async with asyncio.timeout(min(plain.ended_at / 2, SOON)):
                await begun.wait()
        heard.append(await bench.deliver(second, note="the next turn, before the first is answered"))
        await former
        return first_words(heard[-1]) if as_good(heard[-1], plain) else None

    fastest = await best(try_once, limit)
    if bench.answered(heard[-1], what="the second turn") and fastest is not None:
        expected = f"its first words come within {limit:g} s"
        bench.should(fastest <= limit, expected, seconds(fastest), heard[-1])


@case(
    "6.12",
    f"{INTERRUPTIONS} interruptions leave the handler as fast as it was",
    Level.SHOULD,
    source="plain good sense",
    trust=Trust.INFERRED,
    sent=f"the first turns of {INTERRUPTIONS} calls, on whose replies we hang up, and a plain question",
    expected="a reply that is as whole as before, and not slower by more than the budget for first words",
    why="A worker, a connection or a task that each interruption leaks is gone by noon.",
    mend="Close what a reply has opened in `finally`, and cancel what works for a caller who is gone.",
    profile=Profile.VOICE,
)
async def many_interruptions(bench: Bench) -> None:
    plain = await bench.needs_replies()
    limit = (first_words(plain) or 0.0) + bench.budgets.first_word
    turns = await asyncio.gather(*(bench.turn() for _ in range(INTERRUPTIONS)))
    for turn in turns:
        await bench.deliver(turn, note="we hang up after the first piece", **_mid_reply(plain))
    heard: list[Exchange] = []

    async def try_once() -> float | None:
        heard.append(await bench.deliver(await bench.turn(), note="afterwards"))
        return first_words(heard[-1]) if as_good(heard[-1], plain) else None

    fastest = await best(try_once, limit)
    whole = as_good(heard[-1], plain)
    if bench.should(whole, "a plain question is answered as before", heard[-1], heard[-1]) and fastest is not None:
        bench.should(fastest <= limit, f"its first words come within {limit:g} s", seconds(fastest), heard[-1])


CASES: Final[tuple[Case, ...]] = (
    interrupted_in_mid_reply,
    interrupted_before_the_first_word,
    hangs_up_in_mid_reply,
    turns_overlap,
    many_interruptions,
)
