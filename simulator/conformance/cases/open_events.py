"""Group 4, the first part: events and channels that nobody has heard of yet, or hears of no longer."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Final

from simulator.conformance.bench import Bench, NotRun
from simulator.conformance.case import Case, Trust, case
from simulator.conformance.events import Event
from simulator.conformance.platform import ApiCall
from simulator.conformance.verdicts import Level

Change = Callable[[Event], Event]


async def taken(bench: Bench, *variants: tuple[str, Event], level: Level = Level.MUST) -> None:
    """Deliver each variant; it is acknowledged. A turn is one as well, so answers are not looked at.

    A handler that works before it acknowledges may use what stands in the event. It is not to blame for what the API
    says to ids that we have made up, or taken away.
    """
    for what, event in variants:
        after = bench.now
        exchange = await bench.deliver(event, note=what)
        denied = (
            [call for call in bench.session.calls(after, event) if not call.done] if bench.session.serves_api else []
        )
        if denied and not exchange.ok:
            bench.note(f"{what} is answered with {exchange}, after {denied[0]}: not judged")
        else:
            bench.accepted(exchange, level, what)


async def spoken_to(bench: Bench, *variants: tuple[str, Change], level: Level = Level.MUST) -> None:
    """Deliver the first turn of a call for each variant, changed in its way; each has a reply."""
    for what, change in variants if await speaks(bench) else ():
        exchange = await bench.deliver(change(await bench.turn()), note=what)
        bench.answered(exchange, level, what)


async def speaks(bench: Bench) -> bool:
    """Whether turns can be judged: the handler is for calls, and answers a plain question with what can be spoken."""
    if not bench.session.voice:
        return False
    try:
        await bench.needs_replies()
    except NotRun as unspoken:
        bench.note(f"no turn is sent: {unspoken}")
        return False
    return True


@case(
    "4.1",
    "An unknown event is acknowledged and leads to nothing",
    Level.MUST,
    source="the list of events has grown in every version of the webhook documentation",
    trust=Trust.OBSERVED,
    sent="`agent.message_edited` on sms and `agent.call_held` on voice, events that do not exist yet",
    expected="2xx, no words, no API call",
    why="A 4xx loses the event for ever, a 5xx has it sent six times; a handler that answers it texts people unasked.",
    mend="Look at `event` first, handle the names that you know, and answer 200 to all others.",
)
async def unknown_event(bench: Bench) -> None:
    watched = await counts(bench)
    after = bench.now
    edited = (await bench.text()).but(event="agent.message_edited")
    held = (await bench.turn()).but(event="agent.call_held")
    await _acknowledged(bench, (edited, held), Level.MUST)
    if watched:
        await _nothing_follows(bench, after, (edited, held), Level.MUST)


@case(
    "4.2",
    "A text on an unknown channel is taken",
    Level.MUST,
    source="the list of channels has grown from sms to mms, imessage, whatsapp and rcs",
    trust=Trust.OBSERVED,
    sent="a text whose `channel` is telegram",
    expected="2xx",
    why="The day the platform adds a channel, everybody who writes on it is ignored: a 4xx is never sent again.",
    mend="Treat every channel but voice as text; do not list the channels in a schema.",
)
async def unknown_channel(bench: Bench) -> None:
    text = await bench.text()
    own = {"channel": "telegram"} if "channel" in text.data else {}
    await taken(bench, ("a text by telegram", text.but(channel="telegram", data=own)))


@case(
    "4.18",
    "Events by their older names are acknowledged and not answered",
    Level.SHOULD,
    source="older versions of the documentation list call.started, call.ended, message.received and message.sent",
    trust=Trust.INFERRED,
    sent="the four, as they would come beside `agent.message` and `agent.call_ended`",
    expected="2xx, no words, no API call",
    why="Whoever answers both names answers twice, and whoever answers `message.sent` answers themselves.",
    mend="Handle the names that start with `agent.`, and answer 200 to all others.",
)
async def legacy_events(bench: Bench) -> None:
    watched = await counts(bench)
    after = bench.now
    call = await bench.call()
    started = (await call.turn()).but(
        event="call.started", data={"status": "in-progress"}, without=("data.transcript",)
    )
    call.answer(text="It was shipped yesterday.")
    ended = (await call.ended()).but(event="call.ended")
    received = (await bench.text()).but(event="message.received")
    sent = await bench.text("We are open from nine to six.")
    ways = {"from": sent.data.get("to"), "to": sent.data.get("from"), "direction": "outbound"}
    events = (started, ended, received, sent.but(event="message.sent", data=ways))
    await _acknowledged(bench, events, Level.SHOULD)
    if watched:
        await _nothing_follows(bench, after, events, Level.SHOULD)


async def counts(bench: Bench) -> bool:
    """Whether what an event leads to can be seen; the rest of a case is judged without it as well."""
    if not bench.session.serves_api:
        return False
    try:
        await bench.needs_effects()
    except NotRun:
        return False
    return True


async def _acknowledged(bench: Bench, events: Sequence[Event], level: Level) -> None:
    for event in events:
        exchange = await bench.deliver(event, note=event.name)
        if bench.accepted(exchange, level, event.name) and bench.session.voice:
            observed = f"it says {exchange.reply.text!r}" if exchange.reply.acts else "none"
            bench.should(not exchange.reply.acts, f"no words for {event.name}", observed, exchange)


async def _nothing_follows(bench: Bench, after: int, events: Sequence[Event], level: Level) -> None:
    """What is about somebody else is the late work of an earlier case."""
    calls = await bench.quiet(after)
    found = [str(call) for call in calls if any(concerns(call, event) for event in events)]
    bench.check(level, not found, "they lead to no API call", ", ".join(found) or "none")


def concerns(call: ApiCall, event: Event) -> bool:
    """Whether an API call names the other party of an event, or what the event is about."""
    told = f"{call.path} {json.dumps(call.body)}"
    names = {str(event.data.get(name) or "") for name in ("from", "to", "conversationId", "callId", "messageId")}
    ours = event.data.get("from" if event.data.get("direction") == "outbound" else "to")
    return any(name.removeprefix("+") in told for name in names - {"", ours})


CASES: Final[tuple[Case, ...]] = (unknown_event, unknown_channel, legacy_events)
