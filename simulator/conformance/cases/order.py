"""Of group 3, texts that come late, come in the wrong order, or look like another one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from simulator.conformance.bench import Bench
from simulator.conformance.case import Need, Trust, case
from simulator.conformance.effects import told
from simulator.conformance.events import Event
from simulator.conformance.verdicts import Level, Profile

LATE: Final = timedelta(hours=20)  # the last attempt comes up to twenty-one hours after the first


@case(
    "3.7",
    "Texts that come in the wrong order are all answered",
    Level.MUST,
    source="webhook documentation, retries: those of one event do not hold up the next",
    trust=Trust.INFERRED,
    sent="two texts of one person, the later one first",
    expected="2xx to both, and both are acted on",
    why="After one lost connection, the question that comes late is never answered.",
    mend="Do not compare an event's time with that of the last one; put what you show in order when you show it.",
    profile=Profile.SMS,
    needs=(Need.API,),
)
async def wrong_order(bench: Bench) -> None:
    await bench.needs_effects()
    sender = bench.platform.caller()
    early = _aged(await bench.text("Are you open on Monday?", sender=sender), timedelta(minutes=1))
    late = await bench.text("And on Sunday?", sender=sender)
    await _each_acted_on(bench, {"the later one": late, "the earlier one": early}, Level.SHOULD)


async def _each_acted_on(bench: Bench, events: dict[str, Event], level: Level) -> None:
    """Deliver events of one person, each when everything has come of the one before: all are taken and acted on."""
    for what, event in events.items():
        after = bench.now
        exchange = await bench.deliver(event, note=what)
        bench.accepted(exchange, what=what)
        found = await bench.effects(after, event)
        bench.check(level, bool(found), f"{what} is acted on", f"it leads to {told(found)}", exchange)


@case(
    "3.8",
    "An event that comes twenty hours late is taken",
    Level.MUST,
    source="webhook documentation, retries: the sixth attempt comes after about 21 hours",
    trust=Trust.DOCUMENTED,
    sent="a text that was received twenty hours ago by its `timestamp` and `receivedAt`, signed now",
    expected="2xx, and it is acted on",
    why="After a night's outage every text of that night is refused when it comes at last.",
    mend="Check the age of X-Webhook-Timestamp, which is new on every attempt, not that of the event.",
    profile=Profile.SMS,
)
async def twenty_hours_late(bench: Bench) -> None:
    counted = await bench.shows_effects()
    late, after = _aged(await bench.text(), LATE), bench.now
    exchange = await bench.deliver(late, note="twenty hours old, signed now")
    bench.accepted(exchange)
    if exchange.ok and counted:
        found = await bench.session.first_of(after, late)
        bench.should(bool(found), "it is acted on", f"it leads to {told(found)}", exchange)


def _aged(event: Event, age: timedelta) -> Event:
    """The same text, received so much earlier by what its payload says."""

    def earlier(stamp: str) -> str:
        then = datetime.fromisoformat(stamp) - age
        return then.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    return event.but(data={"receivedAt": earlier(event.data["receivedAt"])}, timestamp=earlier(event.body["timestamp"]))


@case(
    "3.12",
    "The same words in another text are another text",
    Level.MUST,
    source="webhook documentation, retries: duplicates have the same X-Webhook-ID",
    trust=Trust.DOCUMENTED,
    sent="two texts of one person with the same words, each an event of its own",
    expected="2xx to both, and both are acted on",
    why='Who answers "yes" to two questions in a row has answered one.',
    mend="Compare X-Webhook-ID, never sender and words.",
    profile=Profile.SMS,
    needs=(Need.API,),
)
async def same_words(bench: Bench) -> None:
    await bench.needs_effects()
    sender = bench.platform.caller()
    texts = {what: await bench.text(sender=sender) for what in ("the first", "the second")}
    await _each_acted_on(bench, texts, Level.MUST)


@case(
    "3.14",
    "A text of our own is not answered",
    Level.SHOULD,
    source="message events, `direction`: the official chat adapter skips what is outbound",
    trust=Trust.OBSERVED,
    sent='a text with `direction: "outbound"`, from the agent\'s number to a customer',
    expected="2xx, and nothing is asked of the API",
    why="The agent answers itself, for ever, and every message costs.",
    mend='Acknowledge a message whose `direction` is "outbound", and do nothing.',
    profile=Profile.SMS,
)
async def own_text(bench: Bench) -> None:
    counted = await bench.shows_effects()
    text = await bench.text("We are open from nine to six.")
    ours, theirs = text.data["to"], text.data["from"]
    outbound = text.but(data={"direction": "outbound", "from": ours, "to": theirs})
    after = bench.now
    exchange = await bench.deliver(outbound, note="a text of the agent")
    bench.accepted(exchange, Level.SHOULD)
    if counted:
        found = await bench.quiet(after)
        bench.should(not found, "it leads to no API call", f"it leads to {told(found)}", exchange)
