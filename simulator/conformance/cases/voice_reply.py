"""Group 5: what a handler says is something that the platform can speak. Here: the shape of a reply.

Each kind of mistake is one case's, so that a handler with one mistake fails one case. The others of the group:
`reply_fields` (what stands in a reply), `reply_bytes` (how it is written), `voice_turns` (which event is a turn).
"""

from __future__ import annotations

from typing import Final

from simulator.conformance.bench import Bench
from simulator.conformance.case import Case, Trust, case
from simulator.conformance.cases import reply_bytes, reply_fields, voice_turns
from simulator.conformance.cases.utterances import ANGRY, EVERYDAY, LISTING, QUESTION, answers, came, free_of
from simulator.conformance.exchange import Ending
from simulator.conformance.verdicts import Level, Profile
from simulator.domain.findings import FindingKind
from simulator.engine.replies import NDJSON_TYPES

JSON: Final = "application/json"
STREAM: Final = "application/x-ndjson"


@case(
    "5.1",
    "A turn is answered with a JSON object or NDJSON",
    Level.MUST,
    source="voice documentation, replies",
    trust=Trust.DOCUMENTED,
    sent="a caller's question",
    expected="2xx, and one JSON object, or one per line of application/x-ndjson",
    why="Anything else is not spoken: the caller hears silence.",
    mend='Answer with {"text": "…"}, or stream such objects as application/x-ndjson.',
    profile=Profile.VOICE,
)
async def reply_is_spoken(bench: Bench) -> None:
    exchange = await bench.asked()
    if exchange.ending is Ending.TIMED_OUT:
        bench.skip("no answer came in time: see 6.1 and 6.2")
    if bench.must(came(exchange), "the turn is answered with 2xx", exchange, exchange):
        wrong = {FindingKind.REPLY_EMPTY, FindingKind.REPLY_NOT_JSON, FindingKind.REPLY_NOT_OBJECT}
        free_of(bench, exchange, wrong, "the answer is a JSON object, or NDJSON")


@case(
    "5.2",
    "The content type says what the reply is",
    Level.SHOULD,
    source="voice documentation, replies: application/json for one object, application/x-ndjson for a stream",
    trust=Trust.DOCUMENTED,
    sent="a caller's question",
    expected="application/json with one object, application/x-ndjson with one per line",
    why="A stream under another name is spoken when all of it is there: the caller waits for the last word.",
    mend="Set Content-Type: application/x-ndjson on streams, and application/json on single objects.",
    profile=Profile.VOICE,
)
async def content_type_fits(bench: Bench) -> None:
    exchange = await bench.needs_replies()
    given = exchange.headers.get("Content-Type", "")
    kind = given.partition(";")[0].strip().lower()
    wrong = {FindingKind.REPLY_WRONG_TYPE, FindingKind.INTERIM_IN_JSON}
    if free_of(bench, exchange, wrong, f"a stream is sent as {STREAM}", Level.SHOULD) and kind not in NDJSON_TYPES:
        bench.should(kind == JSON, f"one object is sent as {JSON}", f"it is sent as {given!r}", exchange)
    if kind in NDJSON_TYPES and kind != STREAM:
        bench.note(f"the stream is sent as {kind}; the documentation knows {STREAM} only")


@case(
    "5.3",
    "Each line of a stream is one JSON object",
    Level.MUST,
    source="voice documentation, streamed replies",
    trust=Trust.DOCUMENTED,
    sent="a question, one that invites a list, and an angry one",
    expected="every line parses, and is an object",
    why="A line that cannot be read is not spoken; what was in it is lost.",
    mend="Write json.dumps(chunk) and a newline for each chunk: no indentation, no `data:`, no list around them.",
    profile=Profile.VOICE,
)
async def lines_are_objects(bench: Bench) -> None:
    for exchange in await answers(bench, QUESTION, LISTING, ANGRY):
        wrong = {FindingKind.CHUNK_NOT_JSON, FindingKind.CHUNK_NOT_OBJECT}
        free_of(bench, exchange, wrong, "every line is a JSON object")


@case(
    "5.4",
    "Every turn is closed by a final chunk",
    Level.MUST,
    source="voice documentation, streamed replies: the first object without `interim` closes the turn",
    trust=Trust.DOCUMENTED,
    sent="a question, something unclear, numbers, an angry caller, German, Japanese, and the same words for minutes",
    expected="2xx with an object that is not `interim`, each time",
    why="Without a final chunk the platform waits for more until its timeout, and the caller with it.",
    mend='Send the last chunk without `interim`, whatever fails before it; {"text": ""} will do.',
    profile=Profile.VOICE,
)
async def turns_are_closed(bench: Bench) -> None:
    await bench.needs_replies()
    long = (await bench.turn()).but(data={"transcript": " ".join([ANGRY] * 60)})
    exchanges = [await bench.asked(words) for words in EVERYDAY]
    exchanges.append(await bench.deliver(long, note="a caller who does not stop"))
    for exchange in exchanges:
        observed = exchange if exchange.reply.final is None else f"it ends with {exchange.reply.final.text!r}"
        bench.must(exchange.ok and exchange.reply.final is not None, "the turn is closed", observed, exchange)


@case(
    "5.5",
    "Nothing follows the final chunk",
    Level.SHOULD,
    source="voice documentation, streamed replies: the first object without `interim` closes the turn",
    trust=Trust.INFERRED,
    sent="a question, one that invites a list, and an angry one",
    expected="only the last object has no `interim: true`",
    why="What comes after the turn is closed is not spoken: the caller hears the first sentence only.",
    mend="Hold each chunk back until the next is there: all but the last are `interim: true`.",
    profile=Profile.VOICE,
)
async def nothing_after_the_end(bench: Bench) -> None:
    for exchange in await answers(bench, QUESTION, LISTING, ANGRY):
        after = {FindingKind.TEXT_AFTER_FINAL}
        free_of(bench, exchange, after, "the reply ends with its final chunk", Level.SHOULD)


@case(
    "5.6",
    "A plain question is not met with silence",
    Level.SHOULD,
    source="plain good sense: an empty text is a legal way to say nothing",
    trust=Trust.INFERRED,
    sent="a caller's question",
    expected="words, or something that is done",
    why="Callers take silence for a dead line, and hang up.",
    mend="Say something when nothing comes to mind: that you did not understand, or that you will look it up.",
    profile=Profile.VOICE,
)
async def questions_are_answered(bench: Bench) -> None:
    exchange = await bench.needs_replies()
    reply = exchange.reply
    bench.should(reply.acts, "the caller hears something", f"it says {reply.text!r}", exchange)


SHAPES: Final = (
    reply_is_spoken,
    content_type_fits,
    lines_are_objects,
    turns_are_closed,
    nothing_after_the_end,
    questions_are_answered,
)


def _place(one: Case) -> int:
    return int(one.number.partition(".")[2])


CASES: Final[tuple[Case, ...]] = tuple(
    sorted((*SHAPES, *reply_fields.CASES, *voice_turns.CASES, *reply_bytes.CASES), key=_place)
)
