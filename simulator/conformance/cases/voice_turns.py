"""Group 5, which event is a turn: the strange ones are answered, and what is none is not."""

from __future__ import annotations

from typing import Final

from simulator.conformance.bench import Bench
from simulator.conformance.case import Case, Trust, case
from simulator.conformance.events import Event
from simulator.conformance.exchange import Exchange
from simulator.conformance.platform import Call
from simulator.conformance.verdicts import Level, Profile


def go_on(call: Call, exchange: Exchange) -> None:
    """Let the caller hear a handler's answer, or some words instead of one that would end the call or leave it open."""
    reply = exchange.reply
    ends = any(chunk.hangup or chunk.transfer for _, chunk in reply.chunks)
    if exchange.ok and reply.text and reply.final is not None and not ends:
        call.answer(exchange)
    else:
        call.answer(text="One moment.")


@case(
    "5.12",
    "The turn at connect, in which nobody has spoken, is answered",
    Level.MUST,
    source="users' handlers that greet on an empty first transcript; it is not documented",
    trust=Trust.OBSERVED,
    sent="a first turn whose transcript is empty, and one whose transcript is null",
    expected="2xx with a legal reply; a greeting, if no `beginMessage` is set",
    why="Without it the call begins with silence, or with an apology for not having understood.",
    mend="Greet when `transcript` is empty, before any model is asked.",
    profile=Profile.VOICE,
)
async def connect_is_answered(bench: Bench) -> None:
    await bench.needs_replies()
    empty = await bench.deliver(_connect(await bench.turn(), ""), note="the transcript is empty")
    if bench.answered(empty):
        bench.should(empty.reply.acts, "the caller is greeted", f"it says {empty.reply.text!r}", empty)
    null = await bench.deliver(_connect(await bench.turn(), None), note="the transcript is null")
    bench.answered(null, Level.SHOULD, "a turn whose transcript is null")


def _connect(turn: Event, transcript: str | None) -> Event:
    """What a turn would have been if nobody had spoken yet."""
    return turn.but(data={"transcript": transcript, "confidence": None}, recentHistory=[])


@case(
    "5.13",
    "A turn that was hardly understood is answered",
    Level.MUST,
    source="voice documentation, turns: confidence",
    trust=Trust.DOCUMENTED,
    sent="turns with confidence 0.1, 0, and null",
    expected="2xx with a legal reply; asking to repeat it is one",
    why="A refused turn is silence, where the caller waits for at least a question.",
    mend="Ask the caller to say it again, in a reply like any other.",
    profile=Profile.VOICE,
)
async def low_confidence_is_answered(bench: Bench) -> None:
    await bench.needs_replies()
    for confidence in (0.1, 0, None):
        turn = (await bench.turn()).but(data={"confidence": confidence})
        bench.answered(await bench.deliver(turn, note=f"confidence {confidence}"))


@case(
    "5.14",
    "The end of a call is not answered like a turn",
    Level.MUST,
    source="webhook documentation, agent.call_ended: the answer's body is ignored",
    trust=Trust.DOCUMENTED,
    sent="an agent.call_ended event",
    expected="an answer without words",
    why="Nobody hears them: each call that ends costs a model's answer, made from a transcript that is a list.",
    mend="Look at `event` before you look at `channel`: a turn is an agent.message.",
    profile=Profile.VOICE,
)
async def end_is_no_turn(bench: Bench) -> None:
    _speechless(bench, await bench.deliver(await bench.call_ended()), Level.MUST)


@case(
    "5.15",
    "Nothing but a turn is answered with words",
    Level.SHOULD,
    source="webhook documentation, replies: the body of an answer is used for voice turns only",
    trust=Trust.DOCUMENTED,
    sent="a text, a reaction, and an event on the voice channel that does not exist yet",
    expected="answers without words",
    why="Words in an acknowledgement are sent to nobody: the person who wrote gets no answer.",
    mend="Answer a text with POST /v1/messages, and acknowledge every event that you do not know.",
    profile=Profile.VOICE,
)
async def only_turns_are_answered(bench: Bench) -> None:
    new = (await bench.turn()).but(event="agent.call_quality")
    _speechless(bench, await bench.deliver(new, note="an event that does not exist yet"), Level.SHOULD)
    text = await bench.text(channel="imessage")
    _speechless(bench, await bench.deliver(text, note="a text"), Level.SHOULD)
    reaction = await bench.platform.reaction(to=text)
    _speechless(bench, await bench.deliver(reaction, note="a reaction to it"), Level.SHOULD)


def _speechless(bench: Bench, exchange: Exchange, level: Level) -> None:
    said = exchange.reply.text
    observed = f"it says {said!r}" if said else exchange
    bench.check(level, not said, "there are no words in the answer", str(observed), exchange)


@case(
    "5.16",
    "Every turn of a call is answered",
    Level.MUST,
    source="voice documentation, turns: recentHistory, which ends with what was just said",
    trust=Trust.DOCUMENTED,
    sent="three turns of one call, each after the answer to the one before, with what was said in recentHistory",
    expected="2xx with a legal reply, three times",
    why="A conversation that works for one turn is an answering machine.",
    mend="Read entries of recentHistory as they come, with `content` null or missing, and do not deduplicate turns.",
    profile=Profile.VOICE,
)
async def every_turn_is_answered(bench: Bench) -> None:
    await bench.needs_replies()
    call = await bench.call("Where is my order 4521?", "And when will it be here?", "Can somebody else sign for it?")
    for place in ("first", "second", "third"):
        exchange = await bench.deliver(await call.turn(), note=f"the {place} turn")
        bench.answered(exchange, what=f"the {place} turn")
        go_on(call, exchange)


CASES: Final[tuple[Case, ...]] = (
    connect_is_answered,
    low_confidence_is_answered,
    end_is_no_turn,
    only_turns_are_answered,
    every_turn_is_answered,
)
