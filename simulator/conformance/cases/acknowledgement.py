"""Group 2: what has come is acknowledged, soon and in few words, whatever else goes wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from simulator.conformance.bench import Bench
from simulator.conformance.case import Case, Need, Trust, case
from simulator.conformance.effects import told
from simulator.conformance.events import Event
from simulator.conformance.exchange import Exchange, Request
from simulator.conformance.verdicts import Level, Profile

CHANNELS: Final = ("sms", "mms", "imessage", "whatsapp", "rcs")
OK: Final = 200
NOT_IMPLEMENTED: Final = 501  # what simple servers say to a method that they do not know: an answer, no crash
SMALL: Final = 65_536  # bytes
TRIES: Final = 3
API_TAKES: Final = 3.0  # seconds; less than any webhook's timeout, more than a handler needs to acknowledge

ACKNOWLEDGE: Final = "webhook documentation, responses: answer 200 as soon as the event is received"
RETRIED: Final = "What is not acknowledged is delivered again, up to six times in 21 hours, and counts as failed."


@case(
    "2.1",
    "Texts of every channel are acknowledged",
    Level.MUST,
    source=ACKNOWLEDGE,
    trust=Trust.DOCUMENTED,
    sent="a text by sms, mms, imessage, whatsapp and rcs",
    expected="2xx",
    why=RETRIED,
    mend="Answer 200 to every event that you have verified, whatever its channel, and work afterwards.",
    profile=Profile.SMS,
)
async def text(bench: Bench) -> None:
    for channel in CHANNELS:
        event = (await bench.text()).but(channel=channel)
        bench.accepted(await bench.deliver(event, note=f"a text by {channel}"), what=f"a text by {channel}")


@case(
    "2.2",
    "The end of a call is acknowledged",
    Level.MUST,
    source=ACKNOWLEDGE,
    trust=Trust.DOCUMENTED,
    sent="`agent.call_ended` of a call that was answered",
    expected="2xx",
    why=RETRIED,
    mend="Look at `event` before anything else, and answer 200 to `agent.call_ended`.",
    profile=Profile.VOICE,
)
async def end_of_call(bench: Bench) -> None:
    bench.accepted(await bench.deliver(await bench.call_ended()))


@case(
    "2.3",
    "A reaction is acknowledged",
    Level.MUST,
    source=ACKNOWLEDGE,
    trust=Trust.DOCUMENTED,
    sent="`agent.reaction`: somebody loves a message; it has no `from` and no `message`",
    expected="2xx",
    why=RETRIED,
    mend="Answer 200 to `agent.reaction`, even if you do nothing with it; it has `fromNumber` instead of `from`.",
    profile=Profile.SMS,
)
async def reaction(bench: Bench) -> None:
    message = await bench.text(channel="imessage")
    bench.accepted(await bench.deliver(await bench.platform.reaction(to=message)))


@case(
    "2.4",
    "A test event is acknowledged",
    Level.MUST,
    source="webhook documentation, testing: a sample event, signed like any other",
    trust=Trust.DOCUMENTED,
    sent="what `POST /v1/agents/{id}/webhook/test` sends: a text with `test: true`",
    expected="2xx",
    why="The dashboard's test button says that the webhook does not work, and nobody knows why.",
    mend="Answer 200 to an event with `test: true`; its sender and its conversation need not exist.",
)
async def test_event(bench: Bench) -> None:
    bench.accepted(await bench.deliver(await _test_event(bench)))


async def _test_event(bench: Bench) -> Event:
    platform = bench.platform
    await platform.ask("POST", f"/v1/agents/{platform.agent_id}/webhook/test")
    arrived = await platform.intake.next(lambda event: event.body.get("test") is True, "test event")
    return arrived.event


@case(
    "2.5",
    "Events are acknowledged soon",
    Level.MUST,
    source="webhook documentation, timeout: 30 seconds unless the webhook sets 5 to 120",
    trust=Trust.DOCUMENTED,
    sent="a text, and the end of a call",
    expected="an answer within the timeout, better within the shortest one that there is",
    why="A late acknowledgement is none: the event comes again while the first is still worked on.",
    mend="Acknowledge first, then work: in a background task, a queue, or a thread.",
)
async def soon(bench: Bench) -> None:
    await _soon(bench, bench.plain, "an event")
    if bench.session.voice:
        await _soon(bench, bench.call_ended, "the end of a call")


async def _soon(bench: Bench, make: Callable[[], Awaitable[Event]], what: str) -> None:
    """The best of a few tries counts against the shorter limit: a machine that is busy for a moment is no mistake."""
    wanted, limit = bench.budgets.acknowledge, bench.budgets.timeout
    best: Exchange | None = None
    for _ in range(TRIES):
        exchange = await bench.deliver(await make(), note=what)
        if best is None or exchange.ended_at < best.ended_at:
            best = exchange
        if best.ended_at <= wanted:
            break
    assert best is not None
    observed = f"it takes {best.ended_at:.1f} s" if best.status is not None else str(best)
    if bench.must(best.status is not None and best.ended_at < limit, f"{what}: within {limit:g} s", observed, best):
        bench.should(best.ended_at <= wanted, f"{what}: within {wanted:g} s", observed, best)


@case(
    "2.6",
    "Events are not redirected",
    Level.MUST,
    source="webhook documentation, responses; the platform follows no redirect",
    trust=Trust.INFERRED,
    sent="a text, and the end of a call",
    expected="an answer, not the address of another one",
    why="3xx is no acknowledgement, and the event goes nowhere: often for a missing slash, or http instead of https.",
    mend="Register the URL that answers in the end, and pass work on inside your own application.",
)
async def no_redirect(bench: Bench) -> None:
    for exchange in await _deliveries(bench):
        away = 300 <= (exchange.status or 0) <= 399
        where = f" to {exchange.headers.get('Location', 'nowhere')}" if away else ""
        bench.must(not away, "no redirect", f"{exchange}{where}", exchange)


@case(
    "2.7",
    "The acknowledgement is exactly 200",
    Level.SHOULD,
    source="webhook documentation, responses: it always says 200, never 2xx",
    trust=Trust.DOCUMENTED,
    sent="a text, and the end of a call",
    expected="200",
    why="That 201, 202 and 204 count as well is likely, and promised nowhere.",
    mend="Answer 200.",
)
async def exactly_200(bench: Bench) -> None:
    for exchange in await _deliveries(bench):
        if exchange.ok:  # what is no acknowledgement at all is another case's business
            bench.should(exchange.status == OK, "200", str(exchange), exchange)


async def _deliveries(bench: Bench) -> list[Exchange]:
    """A text, and for handlers that answer calls the end of one."""
    exchanges = [await bench.deliver(await bench.plain(), note="a plain event")]
    if bench.session.voice:
        exchanges.append(await bench.deliver(await bench.call_ended(), note="the end of a call"))
    return exchanges


def _harmless(method: str) -> Callable[[Bench], Awaitable[None]]:
    async def play(bench: Bench) -> None:
        counted, after = await bench.shows_effects(), bench.now
        exchange = await bench.send(Request({}, b"", method, note=f"{method}, with nothing in it"))
        crashed = exchange.crashed and exchange.status != NOT_IMPLEMENTED
        bench.should(not crashed, "an answer that is no crash", str(exchange), exchange)
        if counted:
            asked = await bench.quiet(after)
            bench.should(not asked, "nothing is done", told(asked), exchange)

    return play


get_is_harmless = case(
    "2.8",
    "A GET does no harm",
    Level.SHOULD,
    source="plain good sense: browsers, uptime monitors and crawlers visit every public URL",
    trust=Trust.INFERRED,
    sent="a GET without a body and without a signature",
    expected="any answer but a crash, such as 405, and no effect",
    why="Crashes that are none fill the log and wake people up.",
    mend="Let the route take POST alone, or answer GET with a word.",
)(_harmless("GET"))

head_is_harmless = case(
    "2.9",
    "A HEAD does no harm",
    Level.SHOULD,
    source="plain good sense: uptime monitors ask with HEAD",
    trust=Trust.INFERRED,
    sent="a HEAD without a signature",
    expected="any answer but a crash, such as 405, and no effect",
    why="Crashes that are none fill the log and wake people up.",
    mend="Let the route take POST alone; where frameworks add HEAD to GET, the function must not read a body.",
)(_harmless("HEAD"))


@case(
    "2.10",
    "The acknowledgement is short",
    Level.SHOULD,
    source="delivery records, `responseBody`: the start of the answer is kept, and nothing is done with it",
    trust=Trust.INFERRED,
    sent="a text",
    expected=f"a whole answer of less than {SMALL} bytes",
    why="It is cut off and thrown away; what is long is often the whole conversation, which ends up in a log.",
    mend='Answer {"ok": true}, or nothing. An answer to the sender goes through POST /v1/messages.',
)
async def short(bench: Bench) -> None:
    exchange = await bench.deliver(await bench.plain())
    size = len(exchange.body)
    ended = exchange.complete
    observed = f"{size} bytes" + ("" if ended else f", then {exchange.error or exchange.ending}")
    bench.should(ended and size < SMALL, f"a whole answer of less than {SMALL} bytes", observed, exchange)


@case(
    "2.11",
    "An event that comes while the API is down is not lost",
    Level.MUST,
    source="webhook documentation, retries: 5xx and timeouts are tried again, 4xx is not",
    trust=Trust.DOCUMENTED,
    sent="a text, while the API answers everything with 503; then, if it was not acknowledged, its retry",
    expected="2xx at once, or 5xx and then 2xx to the retry",
    why="When the platform has a bad minute, every text of that minute is lost.",
    mend="Acknowledge before you ask the API for anything, or answer 5xx when it fails; never 4xx.",
    profile=Profile.SMS,
    needs=(Need.API,),
)
async def api_is_down(bench: Bench) -> None:
    await bench.needs_effects()
    event = await bench.text()
    async with bench.failing_api():
        first = await bench.deliver(event, note="while the API answers 503")
    if first.ok:
        bench.must(True, "it is acknowledged, or will be tried again", str(first), first)
        return
    if bench.must(first.crashed, "it is acknowledged, or will be tried again", str(first), first):
        bench.accepted(await bench.deliver(event, note="the retry, when the API is there again"), what="the retry")


@case(
    "2.12",
    "The acknowledgement does not wait for the API",
    Level.SHOULD,
    source="webhook documentation, best practices: answer first, work afterwards",
    trust=Trust.DOCUMENTED,
    sent=f"a text, while the API takes {API_TAKES:g} seconds for everything",
    expected="2xx before the API has answered",
    why="Slow minutes of the API become timeouts, and every timeout is a duplicate.",
    mend="Acknowledge first, then ask the API: in a background task, a queue, or a thread.",
    profile=Profile.SMS,
    needs=(Need.API,),
)
async def api_is_slow(bench: Bench) -> None:
    await bench.needs_effects()
    event, after = await bench.text(), bench.now
    async with bench.slow_api(API_TAKES):
        exchange = await bench.deliver(event, note="while the API is slow")
        waited = bench.session.calls(after, event)
    observed = f"{exchange}, after {exchange.ended_at:.1f} s and {told(waited)}"
    bench.should(not waited, "an answer before the API's", observed, exchange)


CASES: Final[tuple[Case, ...]] = (
    text,
    end_of_call,
    reaction,
    test_event,
    soon,
    no_redirect,
    exactly_200,
    get_is_harmless,
    head_is_harmless,
    short,
    api_is_down,
    api_is_slow,
)
