"""Group 4, the fourth part: events that a handler knows, of a kind that it may not have met."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from simulator.conformance.bench import Bench
from simulator.conformance.case import Case, Trust, case
from simulator.conformance.cases.open_events import spoken_to, taken
from simulator.conformance.events import Event
from simulator.conformance.verdicts import Level, Profile

LINES: Final = 300
CUID: Final = "cmp2x7k0v0000{:04d}l80f3q9r1tz"  # as ids of the live service have looked


@case(
    "4.17",
    "Any reaction is acknowledged",
    Level.MUST,
    source="webhook documentation, agent.reaction: newer lines allow any emoji, older text uses the past tense",
    trust=Trust.DOCUMENTED,
    sent="reactions: love, an emoji with a skin tone, and `Loved`",
    expected="2xx",
    why="A reaction is the smallest thing that somebody can do, and takes the handler down six times.",
    mend="Treat reactionType as any string; `agent.reaction` has fromNumber, and no `from`.",
)
async def reactions(bench: Bench) -> None:
    for kind in ("love", "👍🏽"):
        event = await bench.platform.reaction(kind, to=await bench.text(channel="imessage"))
        await taken(bench, (f"the reaction {kind}", event))
    past = await bench.platform.reaction(to=await bench.text(channel="imessage"))
    await taken(bench, ("the reaction Loved", past.but(data={"reactionType": "Loved"})))


@case(
    "4.19",
    "A message of a group is taken",
    Level.MUST,
    source="the official Python SDK reads `group` and `senderIdentifier`",
    trust=Trust.OBSERVED,
    sent="an iMessage of a group, once from the member's number and once from the group's id",
    expected="2xx",
    why="As soon as the agent is added to a group, each of its messages is refused, or tried six times.",
    mend="Take `senderIdentifier` as the person and `from` as the place to answer to, whatever it looks like.",
    profile=Profile.SMS,
)
async def group_message(bench: Bench) -> None:
    others = [bench.platform.caller(), bench.platform.caller()]
    for what, field in (("member's number", "senderIdentifier"), ("group's id", "groupId")):
        event = await bench.text("Are we on for eight?", channel="imessage", group={"participants": others})
        sender = {**event.data, **event.data.get("group", {})}.get(field)
        names = {name: sender for name in ("from", "from_", "fromNumber") if name in event.data}
        await taken(bench, (f"a message of a group, from the {what}", event.but(data=names)))


@case(
    "4.20",
    "The end of a call that nobody answered is acknowledged",
    Level.MUST,
    source="users' handlers, which have a branch for calls that end as no-answer, busy or failed",
    trust=Trust.INFERRED,
    sent="ends of outbound calls that nobody answered, that failed, and that never started (startedAt is null)",
    expected="2xx; with startedAt null this is a SHOULD",
    why="Exactly the calls that went wrong leave no trace: the handler crashes on the empty transcript.",
    mend="Expect an empty transcript and null times, and look at `status` before you summarise.",
)
async def unanswered_call(bench: Bench) -> None:
    rang = _missed(await bench.call_ended(), "no-answer", "dial_no_answer")
    failed = _missed(await bench.call_ended(), "failed", "dial_failed")
    never = _missed(await bench.call_ended(), "no-answer", "dial_no_answer")
    await taken(bench, ("an end of a call that nobody answered", rang), ("an end of a call that failed", failed))
    nothing = {"startedAt": None, "durationSeconds": None}
    await taken(bench, ("an end of a call that never started", never.but(data=nothing)), level=Level.SHOULD)


def _missed(event: Event, status: str, reason: str) -> Event:
    """The end of a call of ours that nobody took."""
    nothing: Mapping[str, Any] = {"durationSeconds": 0, "transcript": []}
    return outbound(event).but(data={**nothing, "status": status, "disconnectionReason": reason})


@case(
    "4.21",
    "The end of any other call is acknowledged",
    Level.MUST,
    source="call_ended documentation: the whole transcript; users have met fractions of seconds and other reasons",
    trust=Trust.OBSERVED,
    sent=f"an end with {LINES} lines of transcript, one that took 44.74 s, one with an unknown reason and sentiment",
    expected="2xx",
    why="The longest and the strangest calls are those that one wants to read about, and those are lost.",
    mend="Read durationSeconds as a number, reasons and sentiments as strings, and store before you summarise.",
)
async def unusual_ends(bench: Bench) -> None:
    lines = [{"role": ("agent", "user")[n % 2], "content": f"Line {n} of what was said."} for n in range(LINES)]
    odd = {"disconnectionReason": "error_llm_websocket_lost", "userSentiment": "Mixed", "callSuccessful": True}
    variants: tuple[tuple[str, Mapping[str, Any]], ...] = (
        (f"an end with {LINES} lines", {"transcript": lines}),
        ("an end after 44.74 s", {"durationSeconds": 44.74}),
        ("an end for an unknown reason", odd),
    )
    for what, data in variants:
        await taken(bench, (what, (await bench.call_ended()).but(data=data)))


@case(
    "4.22",
    "A turn needs no confidence, and may have any direction",
    Level.MUST,
    source="newer SDKs read no confidence; calls are inbound, outbound or web",
    trust=Trust.OBSERVED,
    sent="turns without confidence, with null for it, of an outbound call and of a web call",
    expected="a whole reply to each",
    why="All calls fall silent when a field goes away that the handler only wanted to log.",
    mend="Read `confidence` with a default or not at all, and `direction` as any string.",
    profile=Profile.VOICE,
)
async def confidence_and_direction(bench: Bench) -> None:
    await bench.needs_replies()
    await spoken_to(
        bench,
        ("a turn without confidence", partial(Event.but, without=("data.confidence",))),
        ("a turn with null for confidence", partial(Event.but, data={"confidence": None})),
        ("a turn of a web call", partial(Event.but, data={"direction": "web"})),
        ("a turn of an outbound call", outbound),
    )


def outbound(event: Event) -> Event:
    """The event, had we called them."""
    return event.but(data={"direction": "outbound", "from": event.data.get("to"), "to": event.data.get("from")})


@case(
    "4.23",
    "Ids may have any shape",
    Level.MUST,
    source="users have met ids without prefixes in the live service, and two generations of prefixes",
    trust=Trust.OBSERVED,
    sent="a text, a turn and an end of a call whose ids look like cmp2x7k0v00001l80f3q9r1tz",
    expected="2xx, and a whole reply to the turn",
    why="A pattern for ids refuses everything from the day on which their form changes.",
    mend="Treat ids as opaque strings; give the columns room for at least 64 characters.",
)
async def other_ids(bench: Bench) -> None:
    await taken(bench, ("a text with other ids", _other(await bench.plain())))
    await spoken_to(bench, ("a turn with other ids", _other))
    await taken(bench, ("an end of a call with other ids", _other(await bench.call_ended())))


def _other(event: Event) -> Event:
    """The same event under other ids; they are its own, so that nobody takes it for one that was seen."""
    own = int(event.data.get("from", "0").removeprefix("+")) % 1_000
    ids = [name for name in ("id", "messageId", "conversationId", "numberId", "callId") if event.data.get(name)]
    data = {name: CUID.format(own * 10 + place) for place, name in enumerate(ids)}
    if "id" in data and "messageId" in data:
        data["id"] = data["messageId"]
    prefix = "voice_" if event.channel == "voice" else "del_"
    return event.but(data=data, agentId=CUID.format(9_999)).renamed(f"{prefix}{CUID.format(own * 10)}")


CASES: Final[tuple[Case, ...]] = (
    reactions,
    group_message,
    unanswered_call,
    unusual_ends,
    confidence_and_direction,
    other_ids,
)
