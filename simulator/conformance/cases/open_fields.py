"""Group 4, the second part: fields that are new, null, absent, or of another shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from simulator.conformance.bench import Bench
from simulator.conformance.case import Case, Trust, case
from simulator.conformance.cases.open_events import spoken_to, taken
from simulator.conformance.events import Event
from simulator.conformance.verdicts import Level, Profile

Entry = Mapping[str, Any]

# What texts had before they had ids, contacts and pictures.
OLDER: Final = ("event", "channel", "timestamp", "agentId", "data", "conversationState", "recentHistory")
OLDER_DATA: Final = ("conversationId", "numberId", "from", "to", "message", "direction", "receivedAt")

LONG_ENTRIES: Final = 50  # the most that a webhook can ask for
LONG_ENTRY: Final = 1_200  # characters; a long iMessage


@case(
    "4.3",
    "Unknown fields are passed over",
    Level.MUST,
    source="messages have gained ids, contacts, pictures and replies from one version of the documentation to the next",
    trust=Trust.OBSERVED,
    sent="a text, a turn and an end of a call with new fields at the top, in `data` and in the entries of history",
    expected="2xx, and a whole reply to the turn",
    why="A schema that forbids extra fields refuses every event from the day on which the platform adds one.",
    mend="Let the schema ignore what it does not know: extra='ignore' in pydantic, no .strict() in zod.",
)
async def unknown_fields(bench: Bench) -> None:
    await taken(bench, ("a text with new fields", grown(await bench.plain())))
    await spoken_to(bench, ("a turn with new fields", grown))
    await taken(bench, ("an end of a call with new fields", grown(await bench.call_ended())))


def grown(event: Event) -> Event:
    """The event as a later version of the platform might send it."""
    history = [{**entry, "edited": False, "reactions": [{"type": "love"}]} for entry in history_of(event)]
    data = {"carrier": {"name": "Example Mobile", "country": "US"}, "spamScore": 0.02, "tags": ["new"]}
    return event.but(
        data=data, traceId="4bf92f3577b34da6", apiVersion=7, account={"id": "acct_1"}, recentHistory=history
    )


@case(
    "4.4",
    "Optional fields may be null",
    Level.MUST,
    source="the types of the official SDKs and adapters, which allow null for these fields",
    trust=Trust.DOCUMENTED,
    sent="a text, a turn, an end of a call and a reaction with null wherever the types allow it",
    expected="2xx, and a whole reply to the turn",
    why="People who are no contact, or lines without a conversation yet, are refused for good.",
    mend="Declare these fields as optional, and read them with a default.",
)
async def null_fields(bench: Bench) -> None:
    nothing = {"contact": None, "mediaUrl": None, "conversationId": None, "numberId": None}
    text = (await bench.plain()).but(data=nothing, agentId=None, conversationState=None)
    await taken(bench, ("a text with nulls", text))
    bare = partial(Event.but, data={"numberId": None}, agentId=None, conversationState=None)
    await spoken_to(bench, ("a turn with nulls", bare))
    unknown = dict.fromkeys(
        ("contact", "numberId", "disconnectionReason", "summary", "userSentiment", "callSuccessful")
    )
    ended = (await bench.call_ended()).but(data=unknown, agentId=None)
    reaction = await bench.platform.reaction(to=await bench.text(channel="imessage"))
    gone = dict.fromkeys(("conversationId", "numberId", "messageBody", "messageMediaUrl"))
    await taken(bench, ("an end of a call with nulls", ended), ("a reaction with nulls", reaction.but(data=gone)))


@case(
    "4.5",
    "Optional fields may be absent",
    Level.MUST,
    source="texts as older versions of the documentation show them, and as users saw them come in June 2026",
    trust=Trust.OBSERVED,
    sent="a text without messageId, contact, mediaUrl and mediaUrls, and one with nothing that may be left out",
    expected="2xx",
    why="A missing key that is read without a default is a 500: six tries, then the text is lost.",
    mend="Read optional fields with a default, and take the message's id from X-Webhook-ID when `data` has none.",
)
async def absent_fields(bench: Bench) -> None:
    text = await bench.plain()
    added = tuple(f"data.{name}" for name in text.data if name not in OLDER_DATA)
    older = text.but(without=(*added, *(name for name in text.body if name not in OLDER)))
    bare = (await bench.plain()).but(without=("data.messageId", "data.contact", "data.mediaUrl", "data.mediaUrls"))
    await taken(bench, ("a text without ids, contact and pictures", bare), ("a text of the older kind", older))


@case(
    "4.6",
    "A conversation may have no history",
    Level.MUST,
    source="webhook documentation, contextLimit: 0 sends no history",
    trust=Trust.DOCUMENTED,
    sent="a text and a turn with an empty `recentHistory`, and both without the field",
    expected="2xx, and whole replies to the turns; without the field this is a SHOULD",
    why="Whoever takes the last entry for what was just said crashes on everybody's first message.",
    mend="Read what was said from `data`; use `recentHistory` as context only, with an empty list as its default.",
)
async def no_history(bench: Bench) -> None:
    await taken(bench, ("a text with an empty history", (await bench.plain()).but(recentHistory=[])))
    await spoken_to(bench, ("a turn with an empty history", partial(Event.but, recentHistory=[])))
    without = partial(Event.but, without=("recentHistory",))
    await taken(bench, ("a text without a history", without(await bench.plain())), level=Level.SHOULD)
    await spoken_to(bench, ("a turn without a history", without), level=Level.SHOULD)


@case(
    "4.7",
    "A history of fifty long entries is taken",
    Level.MUST,
    source="webhook documentation, contextLimit: up to 50",
    trust=Trust.DOCUMENTED,
    sent=f"a text and a turn with {LONG_ENTRIES} entries of {LONG_ENTRY:,} characters",
    expected="2xx, and a whole reply to the turn",
    why="The customers who have written most are the first that the agent does not answer any more.",
    mend="Cut the history to what the model takes before you build the prompt, and raise the body limit above 100 KB.",
)
async def long_history(bench: Bench) -> None:
    await taken(bench, ("a text with a long history", well_known(await bench.plain())))
    await spoken_to(bench, ("a turn with a long history", well_known))


def well_known(event: Event) -> Event:
    """The event after a conversation in which much has been said."""
    words = "I have waited for my order since Monday, and nobody could tell me where it is. "
    long = (words * (LONG_ENTRY // len(words) + 1))[:LONG_ENTRY]
    history = [
        {
            "content": long,
            "direction": "outbound" if number % 2 else "inbound",
            "channel": event.channel,
            "at": f"2026-01-05T14:{number:02d}:00.000Z",
            "messageId": None if event.channel == "voice" else f"msg_{number:020d}",
        }
        for number in range(LONG_ENTRIES)
    ]
    return event.but(recentHistory=history)


@case(
    "4.8",
    "A turn may have a ragged envelope",
    Level.MUST,
    source="a user's fix after live calls, and the founder's own handler, which reads both forms of history",
    trust=Trust.OBSERVED,
    sent="a turn without `timestamp`, with [] as its state, with history in {role, content}; one with null entries",
    expected="whole replies; with null entries this is a SHOULD",
    why="The caller hears nothing: a turn that is refused is not sent again.",
    mend="Require nothing of a turn but `data`, and pass over entries of history that you cannot read.",
    profile=Profile.VOICE,
)
async def ragged_envelope(bench: Bench) -> None:
    await bench.needs_replies()
    roles = [{"role": "agent", "content": "Acme, hello."}, {"role": "user", "content": "Where is my order?"}]
    await spoken_to(bench, ("a turn without a timestamp, its history by roles", lambda turn: ragged(turn, roles)))
    holes = [None, {"role": "agent", "content": None}]
    torn = ("a turn with null entries in its history", lambda turn: ragged(turn, [*holes, *history_of(turn)]))
    await spoken_to(bench, torn, level=Level.SHOULD)


def ragged(turn: Event, history: Sequence[Entry | None]) -> Event:
    """The turn as users have seen turns come."""
    return turn.but(without=("timestamp",), conversationState=[], recentHistory=history)


def history_of(event: Event) -> list[Entry]:
    """The entries of an event's history."""
    history = event.body.get("recentHistory")
    return [entry for entry in history if isinstance(entry, dict)] if isinstance(history, list) else []


CASES: Final[tuple[Case, ...]] = (
    unknown_fields,
    null_fields,
    absent_fields,
    no_history,
    long_history,
    ragged_envelope,
)
