"""Group 3: an event may come more than once, late, and out of order.

Here is what comes again. What comes late, or only looks as if it came again, is in `order`; what is said on calls is in
`repeated_turns`.
"""

from __future__ import annotations

import asyncio
from typing import Final

from simulator.conformance.bench import Bench, NotRun
from simulator.conformance.case import Case, Need, Trust, case
from simulator.conformance.cases import order, repeated_turns
from simulator.conformance.effects import done_twice, kinds, told
from simulator.conformance.events import Event
from simulator.conformance.exchange import Exchange, Request
from simulator.conformance.platform import ApiCall
from simulator.conformance.session import EFFECT_PATIENCE
from simulator.conformance.verdicts import Level, Profile
from simulator.runtime.faults import Gate

RETRIES: Final = "webhook documentation, retries: at least once, the same X-Webhook-ID on every attempt"
TWICE: Final = "Retries happen whenever an acknowledgement is late: customers get the same answer two to five times."
LOST: Final = "Nobody ever answers this customer, and the delivery log says that all went well."
SEND: Final = "sendMessage"
EARLIER: Final = 30.0  # seconds before: the first attempt is signed otherwise than the second, and still believed
TRIES: Final = 3
SECOND_WIND: Final = 10.0  # seconds that a handler gets to try again by itself what the API refused


@case(
    "3.1",
    "An exact duplicate is acknowledged",
    Level.MUST,
    source=RETRIES,
    trust=Trust.DOCUMENTED,
    sent="a text, and the same bytes with the same headers again",
    expected="2xx, both times",
    why="The delivery log says that the event failed though it was handled, and 5xx brings it again.",
    mend="Answer 200 to what you know already: it is no conflict and no error.",
)
async def duplicate_acknowledged(bench: Bench) -> None:
    request = bench.signed(await bench.plain())
    bench.accepted(await bench.send(request), what="the first")
    bench.accepted(await bench.send(request.but(note="the same again")), what="the duplicate")


@case(
    "3.2",
    "An exact duplicate is acted on once",
    Level.MUST,
    source=RETRIES,
    trust=Trust.DOCUMENTED,
    sent="a text, and the same bytes with the same headers again",
    expected="what the first leads to, and nothing more",
    why=TWICE,
    mend="Remember X-Webhook-ID before you act, in a store that all processes share, and skip what is known.",
    profile=Profile.SMS,
    needs=(Need.API,),
)
async def duplicate_acts_once(bench: Bench) -> None:
    await bench.needs_effects()

    async def trial() -> None:
        event, after = await bench.text(), bench.now
        request = bench.signed(event)
        await _first_time(bench, event, after, await bench.send(request))
        again = bench.now
        await _nothing_new(bench, event, again, await bench.send(request.but(note="the same again")))

    await bench.surely(trial)


@case(
    "3.3",
    "A retry is acted on once",
    Level.MUST,
    source=RETRIES,
    trust=Trust.DOCUMENTED,
    sent="a text, and its retry: the same X-Webhook-ID and body, signed anew",
    expected="what the first leads to, and nothing more",
    why=TWICE,
    mend="Compare X-Webhook-ID alone: timestamp and signature are others on every attempt.",
    profile=Profile.SMS,
    needs=(Need.API,),
)
async def retry_acts_once(bench: Bench) -> None:
    await bench.needs_effects()

    async def trial() -> None:
        event, after = await bench.text(), bench.now
        first = await bench.send(bench.signed(event, age=EARLIER, note="signed half a minute ago"))
        await _first_time(bench, event, after, first)
        again = bench.now
        await _nothing_new(bench, event, again, await bench.deliver(event, note="its retry, signed now"))

    await bench.surely(trial)


async def _first_time(bench: Bench, event: Event, after: int, exchange: Exchange) -> None:
    """The event has been delivered for the first time: it is taken and acted on, and everything has come of it."""
    bench.accepted(exchange, what="the first")
    first = await bench.effects(after, event)
    bench.must(bool(first), "the first is acted on", f"it leads to {told(first)}", exchange)


async def _nothing_new(bench: Bench, event: Event, again: int, exchange: Exchange) -> None:
    """The event has been delivered again after `again`: nothing more comes of it."""
    second = await bench.quiet(again, event)
    bench.must(not second, "the second leads to no API call", f"it leads to {told(second)}", exchange)


@case(
    "3.4",
    "An event whose first attempt broke off is acted on once",
    Level.MUST,
    source="webhook documentation, retries: after a connection error as well",
    trust=Trust.DOCUMENTED,
    sent="half of a text's request, then a reset of the connection; then all of it",
    expected="2xx to the second, and what one text leads to",
    why=LOST,
    mend="Remember X-Webhook-ID when the whole body is here and verified, not when the headers are.",
    profile=Profile.SMS,
    needs=(Need.API,),
)
async def after_broken_connection(bench: Bench) -> None:
    await bench.needs_effects()

    async def trial() -> None:
        event, after = await bench.text(), bench.now
        await bench.break_off(bench.signed(event, note="half of it, then a reset"))
        whole = await bench.deliver(event, note="all of it")
        bench.accepted(whole, what="the second")
        await _once(bench, event, after, whole)

    await bench.surely(trial)


async def _once(bench: Bench, event: Event, after: int, exchange: Exchange) -> None:
    """The event has come more than once since `after`: what one event leads to comes of it, and no more."""
    seen = await bench.effects(after, event)
    observed = f"it leads to {told(seen)}"
    if bench.must(bool(seen), "it is acted on", observed, exchange):
        bench.must(not done_twice(bench.session.usual, kinds(seen)), "it is acted on once", observed, exchange)


@case(
    "3.5",
    "An event whose work failed is worked off in the end",
    Level.MUST,
    source="webhook documentation, retries: 5xx is tried again",
    trust=Trust.DOCUMENTED,
    sent="a text, for which the API fails once with 503; its retry if it was not acknowledged",
    expected="the work is done: after the retry if it was answered with 5xx, by itself if it was acknowledged",
    why=LOST,
    mend="Give X-Webhook-ID back when the work fails, then answer 5xx; or acknowledge, and try again yourself.",
    profile=Profile.SMS,
    needs=(Need.API,),
)
async def work_failed(bench: Bench) -> None:
    await bench.needs_effects()
    event, after, first = await _struck(bench)

    async def finished() -> bool:
        return await bench.session.until(
            lambda: any(call.done and call.operation == _work(bench) for call in bench.session.calls(after, event)),
            SECOND_WIND,
        )

    if first.ok:
        done = await finished()
        observed = "the work is done" if done else "it was acknowledged, and the work was never done"
        bench.should(done, "the handler tries again by itself", observed, first)
    elif bench.must(first.crashed, "2xx or 5xx: anything else is not tried again", str(first), first):
        retry = await bench.deliver(event, note="the retry, when the API is there again")
        bench.accepted(retry, what="the retry")
        done = await finished()
        bench.must(done, "the retry is worked off", "it is" if done else "the work was never done", retry)


def _work(bench: Bench) -> str:
    """The operation that a text is answered with: to send one, or what the handler does most."""
    usual = bench.session.usual
    return SEND if SEND in usual else usual.most_common(1)[0][0]


async def _struck(bench: Bench) -> tuple[Event, int, Exchange]:
    """A text whose work has met an error of the API; where it begins in the journal, and how it was answered.

    What is still done for an earlier text may meet the error instead; then it is another text's turn.
    """
    operation = _work(bench)
    for _ in range(TRIES):
        event, after = await bench.text(), bench.now

        def tried(after: int = after, event: Event = event) -> list[ApiCall]:
            return [call for call in bench.session.calls(after, event) if call.operation == operation]

        async with bench.failing_api(match={"operation": operation}, times=1):
            exchange = await bench.deliver(event, note=f"while {operation} fails once")
            await bench.session.until(lambda: bool(tried()), EFFECT_PATIENCE)
        if any(not call.done for call in tried()):
            return event, after, exchange
    raise NotRun(f"no text leads to a {operation} that could fail")


@case(
    "3.6",
    "Two copies at the same time are acted on once",
    Level.MUST,
    source=RETRIES,
    trust=Trust.INFERRED,
    sent="a text twice, so that both requests are complete at the same moment",
    expected="2xx to at least one, and what one text leads to",
    why=TWICE,
    mend="Look and remember in one step (INSERT … ON CONFLICT DO NOTHING, SET NX), with no await in between.",
    profile=Profile.SMS,
    needs=(Need.API,),
)
async def two_at_once(bench: Bench) -> None:
    await bench.needs_effects()

    async def trial() -> None:
        event, after = await bench.text(), bench.now
        exchanges = await _at_once(bench, bench.signed(event, note="one of two at once"))
        answers = " and ".join(str(exchange) for exchange in exchanges)
        taken = any(exchange.ok for exchange in exchanges)
        bench.must(taken, "one of them is answered with 2xx", answers, exchanges[0])
        await _once(bench, event, after, exchanges[1])

    await bench.surely(trial)


async def _at_once(bench: Bench, request: Request) -> tuple[Exchange, Exchange]:
    """Send a request twice; neither is complete before the other."""
    gate = Gate()

    async def one() -> Exchange:
        try:
            return await bench.send(request, pieces=gate.pieces)
        finally:
            gate.leave()

    return await asyncio.gather(one(), one())


@case(
    "3.9",
    "The end of a call is acted on once",
    Level.MUST,
    source=RETRIES,
    trust=Trust.DOCUMENTED,
    sent="`agent.call_ended`, and its retry",
    expected="what the first leads to, and nothing more",
    why="The customer is called back, or thanked, two to five times.",
    mend="Deduplicate `agent.call_ended` by X-Webhook-ID as you do with texts.",
    profile=Profile.VOICE,
    needs=(Need.API,),
)
async def end_acts_once(bench: Bench) -> None:
    async def trial() -> None:
        event, after = await bench.call_ended(), bench.now
        first = await bench.send(bench.signed(event, age=EARLIER, note="the end of a call, signed half a minute ago"))
        bench.accepted(first, what="the first")
        bench.note(f"the end of a call leads to {told(await bench.quiet(after, event))}")
        again = bench.now
        await _nothing_new(bench, event, again, await bench.deliver(event, note="its retry, signed now"))

    await bench.surely(trial)


CASES: Final[tuple[Case, ...]] = (
    duplicate_acknowledged,
    duplicate_acts_once,
    retry_acts_once,
    after_broken_connection,
    work_failed,
    two_at_once,
    order.wrong_order,
    order.twenty_hours_late,
    end_acts_once,
    repeated_turns.turn_repeated,
    repeated_turns.same_words_on_a_call,
    order.same_words,
    repeated_turns.turn_after_the_end,
    order.own_text,
)
