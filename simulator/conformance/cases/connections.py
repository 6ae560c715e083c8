"""Group 7, the second part: connections that break, crawl, come by the hundred, or lead nowhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from typing import Final

from simulator.conformance.bench import Bench
from simulator.conformance.case import Case, Need, Trust, case
from simulator.conformance.cases.open_events import concerns, counts
from simulator.conformance.events import Event
from simulator.conformance.exchange import Ending, Exchange
from simulator.conformance.schemes import ID
from simulator.conformance.verdicts import Level, Profile

RESETS: Final = 3
ONE_BY_ONE: Final = 50
MANY: Final = 200
AT_ONCE: Final = 20
ENOUGH: Final = 60.0  # seconds after which no more of the many are sent to a handler that is slow
TRIES: Final = 3
WORKING: Final = 10.0  # seconds without an API call about one more text, after which no other is expected
RECOVERY: Final = (0.1, 1.0, 5.0)  # seconds that a handler gets to notice that clients are gone
EVERY: Final = 10  # so many are reactions for each that is a text: a text may cost its handler a model's answer
ABANDONED: Final = 50
BETWEEN: Final = 0.005  # seconds between pieces of a body, or requests: enough for each to arrive by itself
CRAWLING: Final = "Crawling: é ש 한 👩‍👦 🇺🇦."
COOKIE: Final = 4_000  # bytes
LATER: Final = frozenset({408, 425, 429})  # 4xx that mean: try again later
OVERLOADED: Final = LATER | {502, 503, 504, None}  # None: no answer at all
UNUSUAL: Final = {
    "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "tracestate": "vendor=opaque,other=1",
    "baggage": "account=acct_1,region=us-east-1",
    "Cookie": "session=" + "a" * COOKIE,
    "Forwarded": 'for="[2001:db8::1]";proto=https',
    "X-Forwarded-For": "203.0.113.7, 198.51.100.2",
    "X-Webhook-Attempt": "1",
    "Prefer": "",
}


@case(
    "7.10",
    "Connections that break off leave nothing behind",
    Level.MUST,
    source="good sense: networks break, and the platform tries again after a connection error",
    trust=Trust.INFERRED,
    sent=f"half a request and a reset, {RESETS} times, then a plain text",
    expected="2xx for the text",
    why="One bad minute of the network, and the handler answers nobody until it is restarted.",
    mend="Release locks and buffers in `finally`, and keep nothing of a request outside of it.",
)
async def resets(bench: Bench) -> None:
    for _ in range(RESETS):
        await bench.break_off(bench.signed(await bench.plain(), note="half a request, then a reset"))
        await asyncio.sleep(BETWEEN)  # in process a reset comes at the end of the moment
    await bench.lives()


@case(
    "7.11",
    "A body that comes in pieces is taken",
    Level.MUST,
    source="TCP and HTTP promise no boundaries",
    trust=Trust.INFERRED,
    sent="a text whose bytes come slowly, in pieces that are cut inside of characters",
    expected="2xx",
    why="Long events are refused, and short ones now and then: a signature over the first piece never matches.",
    mend="Read the body to its end as bytes, verify those, and decode them afterwards.",
)
async def slow_body(bench: Bench) -> None:
    bench.accepted(
        await bench.deliver(await bench.plain(CRAWLING), pieces=crawl, note="in pieces, slowly"),
        what="an event in pieces",
    )


async def crawl(body: bytes) -> AsyncIterator[bytes]:
    """Cut in the middle of each character that has more than one byte, with a pause before each piece but the first."""
    begin = 0
    for place, byte in enumerate(body):
        if byte & 0xC0 == 0x80 and body[place - 1] >= 0xC0:  # the second byte of a character
            yield body[begin:place]
            begin = place
            await asyncio.sleep(BETWEEN)
    yield body[begin:]


@case(
    "7.12",
    "Fifty requests one after the other are taken",
    Level.MUST,
    source="good sense: one conversation may send as many within minutes; platforms keep connections alive",
    trust=Trust.INFERRED,
    sent=f"{ONE_BY_ONE} reactions of one person, one after the other on kept-alive connections",
    expected="2xx for each; 429 is not strict",
    why="Something is used up with each request, and after a while the handler takes no more; or it refuses a person.",
    mend="Give back what a request takes; limit what people can cost you, not what the platform may deliver.",
)
async def one_by_one(bench: Bench) -> None:
    first = await _cheap(bench)
    exchanges: list[Exchange] = []
    for event in (again(first, number) for number in range(ONE_BY_ONE)):
        exchanges.append(await bench.deliver(event, note=f"one of {ONE_BY_ONE}"))
        if exchanges[-1].ending is Ending.TIMED_OUT:
            break  # the others would be no better, and take as long
    all_taken(bench, exchanges, LATER)
    await bench.lives()


@case(
    "7.13",
    "Two hundred requests, twenty at once, are taken",
    Level.MUST,
    source="good sense: a campaign's answers come together",
    trust=Trust.INFERRED,
    sent=f"{MANY} events, {AT_ONCE} at a time: reactions, and a text among every {EVERY}",
    expected="2xx for each within five seconds (a SHOULD: 503 is tried again), no other 4xx, and no text forgotten",
    why="The busiest minute of the year is the one in which customers are not answered.",
    mend="Acknowledge first and work in a queue; keep nothing of a request in shared variables.",
)
async def at_once(bench: Bench) -> None:
    first, watched = await _cheap(bench), await _can_be_watched(bench)
    texts = [await bench.plain() for _ in range(MANY // EVERY)]
    others = [again(first, n, bench.platform.caller()) for n in range(MANY - len(texts))]
    waiting = [text for n, text in enumerate(texts) for text in (text, *others[n :: len(texts)])]
    after = bench.now
    exchanges = await _together(bench, waiting)
    if waiting:
        bench.note(f"{len(waiting)} events were not sent, as the others took more than {ENOUGH:g} s")
    all_taken(bench, exchanges, OVERLOADED)
    taken = {exchange.request.headers[ID] for exchange in exchanges if exchange.ok}
    if watched and (todo := [text for text in texts if text.id in taken]):
        lost = await not_acted_on(bench, after, todo)
        told = f"{len(lost)} of {len(todo)} led to nothing" if lost else f"all {len(todo)} did"
        bench.must(not lost, "every text that was taken leads to an API call", told)
    await _in_time(bench, first, exchanges)
    await bench.lives()


async def _in_time(bench: Bench, first: Event, exchanges: Sequence[Exchange]) -> None:
    """So many at once are acknowledged soon enough; whoever was slow gets as many again, as the machine may be busy."""
    budget = bench.budgets.acknowledge
    slowest = _slowest(exchanges)
    for turn in range(1, TRIES):
        if slowest.ended_at > budget:
            more = [again(first, MANY * turn + n, bench.platform.caller()) for n in range(AT_ONCE)]
            slowest = min(slowest, _slowest(await _together(bench, more)), key=lambda exchange: exchange.ended_at)
    took = f"the slowest took {slowest.ended_at:.2f} s"
    bench.should(slowest.ended_at <= budget, f"{AT_ONCE} at once are answered within {budget:g} s", took, slowest)


async def _together(bench: Bench, waiting: list[Event]) -> list[Exchange]:
    """Deliver these events, so many at a time, and take each off the list; stop when that has taken long enough."""
    loop = asyncio.get_running_loop()
    until, exchanges = loop.time() + ENOUGH, list[Exchange]()

    async def keep_on() -> None:
        while waiting and loop.time() < until:
            exchanges.append(await bench.deliver(waiting.pop(), note=f"one of many, {AT_ONCE} at once"))

    await asyncio.gather(*(keep_on() for _ in range(AT_ONCE)))
    return exchanges


def _slowest(exchanges: Sequence[Exchange]) -> Exchange:
    return max(exchanges, key=lambda exchange: exchange.ended_at)


async def _cheap(bench: Bench) -> Event:
    """An event that costs its handler little: a reaction, if one is taken, and a text otherwise."""
    text = await bench.text(channel="imessage")
    reaction = await bench.platform.reaction(to=text)
    return reaction if (await bench.deliver(reaction, note="a reaction, to see whether it is taken")).ok else text


async def _can_be_watched(bench: Bench) -> bool:
    """Whether a text leads to an API call that says which text it is about."""
    if not await counts(bench):
        return False
    text, after = await bench.text(), bench.now
    await bench.deliver(text, note="a text, to see what it leads to")
    return not await not_acted_on(bench, after, [text])


async def not_acted_on(bench: Bench, after: int, events: Sequence[Event]) -> list[Event]:
    """The events that lead to no API call; waits until there is none, or nothing has happened for a while."""
    loop = asyncio.get_running_loop()
    missing, until = list(events), loop.time() + WORKING
    while missing and (left := until - loop.time()) > 0:
        calls = bench.platform.api_calls(after)
        found = [event for event in missing if any(concerns(call, event) for call in calls)]
        if found:
            missing, until = [event for event in missing if event not in found], loop.time() + WORKING
        elif missing:
            await bench.platform.news(left)
    return missing


def again(event: Event, number: int, sender: str | None = None) -> Event:
    """One more event like this one, under ids of its own, and by somebody else where they are given."""
    known = {"messageId": f"{event.data.get('messageId')}_{number}"} | dict.fromkeys(("from", "fromNumber"), sender)
    data = {name: value for name, value in known.items() if name in event.data and value is not None}
    return event.but(data=data).renamed(f"{event.id}_{number}")


def all_taken(bench: Bench, exchanges: Sequence[Exchange], later: Collection[int | None]) -> None:
    """Everything is taken. What is put off, with one of the statuses `later`, is sent again: that is not strict."""
    missed = [exchange for exchange in exchanges if not exchange.ok]
    lost = [exchange for exchange in missed if (exchange.status if exchange.complete else None) not in later]
    worst = next(iter(lost or missed), None)
    told = f"{len(missed)} of {len(exchanges)} are not, the first {worst}" if worst else f"all {len(exchanges)} are"
    bench.must(not lost, "all are answered with 2xx, or put off", told, worst)
    bench.should(not missed, "all are answered with 2xx", told, worst)


@case(
    "7.14",
    "Headers that nobody expects are passed over",
    Level.MUST,
    source="HTTP: unknown fields are ignored (RFC 9110, section 5.1); tunnels and proxies add theirs",
    trust=Trust.INFERRED,
    sent=f"a text with trace headers, forwarding headers, an empty header and a cookie of {COOKIE:,} bytes",
    expected="2xx",
    why="The handler works by itself, and fails behind the first tunnel, proxy or tracer.",
    mend="Read the headers that you need, and no others.",
)
async def unusual_headers(bench: Bench) -> None:
    request = bench.signed(await bench.plain(), note="with unusual headers").but(UNUSUAL)
    bench.accepted(await bench.send(request), what="a text with unusual headers")


@case(
    "7.16",
    "While the API is down, callers are answered",
    Level.MUST,
    source="voice documentation: what is not answered in time is silence",
    trust=Trust.INFERRED,
    sent="a turn while every API request of the handler is answered with 503",
    expected="a whole reply",
    why="A contact that cannot be looked up for a minute takes every call down with it.",
    mend="Catch what the API raises during a turn, and speak without what you wanted to know.",
    profile=Profile.VOICE,
    needs=(Need.API,),
)
async def api_down(bench: Bench) -> None:
    await bench.needs_replies()
    rule = {"on": "api", "fault": "status", "status": 503, "match": {"route": "/v1/**"}}
    turn = await bench.turn()
    fault = await bench.platform.ask("POST", "/_sim/faults", rule)
    try:
        exchange = await bench.deliver(turn, note="a turn while the API is down")
    finally:
        await bench.platform.ask("DELETE", f"/_sim/faults/{fault['id']}")
    bench.answered(exchange, what="a turn while the API is down")


@case(
    "7.17",
    "Abandoned requests do not use the handler up",
    Level.MUST,
    source="good sense: networks break without saying so",
    trust=Trust.INFERRED,
    sent=f"{ABANDONED} halves of requests, held open; a text; then all of them are abandoned, and another text comes",
    expected="2xx for both texts; for the first, within five seconds, this is a SHOULD",
    why="Connections that lead nowhere pile up until there is no place left for one that does.",
    mend="Set a read timeout, more workers than one, and give back what a request took when its client is gone.",
)
async def abandoned(bench: Bench) -> None:
    half = bench.signed(await bench.plain(), note="half a request, held open")
    sent = asyncio.Semaphore(0)

    async def stall(body: bytes) -> AsyncIterator[bytes]:
        yield body[: len(body) // 2]
        sent.release()
        await asyncio.Event().wait()  # until it is abandoned

    held = [asyncio.ensure_future(bench.send(half, pieces=stall)) for _ in range(ABANDONED)]
    try:
        for request in held:
            request.add_done_callback(lambda _: sent.release())  # it was not even let in
        for _ in held:
            await sent.acquire()
        text = bench.signed(await bench.plain(), note=f"a text, while {ABANDONED} requests are held open")
        meanwhile = await bench.send(text, leave_after=bench.budgets.acknowledge)
    finally:
        for request in held:
            request.cancel()
        await asyncio.gather(*held, return_exceptions=True)
    bench.accepted(meanwhile, Level.SHOULD, f"a text while {ABANDONED} requests are held open")
    bench.accepted(await _when_they_are_gone(bench), what="a text when they are abandoned")


async def _when_they_are_gone(bench: Bench) -> Exchange:
    """A text; put off until the handler has noticed that others hung up, it is sent again a few times."""
    for pause in RECOVERY:
        exchange = await bench.deliver(await bench.plain(), note="a text, when they are abandoned")
        if exchange.ok:
            return exchange
        await asyncio.sleep(pause)
    return await bench.deliver(await bench.plain(), note="a text, when they have been gone for a while")


CASES: Final[tuple[Case, ...]] = (
    resets,
    slow_body,
    one_by_one,
    at_once,
    unusual_headers,
    api_down,
    abandoned,
)
