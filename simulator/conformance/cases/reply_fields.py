"""Group 5, what stands in a reply: the words, and what is to be done."""

from __future__ import annotations

import json
import re
from typing import Final

from simulator.conformance.bench import Bench
from simulator.conformance.case import Case, Trust, case
from simulator.conformance.cases.utterances import (
    ANGRY,
    GERMAN,
    GOODBYE,
    HUMAN,
    LISTING,
    MENU,
    NUMBERS,
    QUESTION,
    answers,
    free_of,
)
from simulator.conformance.verdicts import Level, Profile
from simulator.domain.findings import FindingKind
from simulator.engine.chunks import Chunk

KEY_NAMES: Final = ("digits", "press_digit", "dtmf")

# Read out, or swallowed, but never meant: <break time="1s"/>, </speak>; a price "< 5" is neither.
_TAG: Final = re.compile(r"</?[A-Za-z][\w:.-]*(?:\s[^<>]*)?/?>")
_MARKDOWN: Final = re.compile(r"\*\*\S|```|^#{1,6} \S|^\s*[-*•] \S|\]\(\w+:", re.MULTILINE)


@case(
    "5.7",
    "What is spoken is plain text",
    Level.SHOULD,
    source="voice documentation, replies: tool-call markup is taken out; neither SSML nor Markdown is mentioned",
    trust=Trust.INFERRED,
    sent="a question, one that invites a list, and an angry one",
    expected="no tool calls, no tags, no Markdown",
    why="Voices read out tags and asterisks, and whatever the platform takes out leaves a hole.",
    mend="Tell the model that it is on the telephone, and strip what it writes in spite of that.",
    profile=Profile.VOICE,
)
async def plain_text(bench: Bench) -> None:
    for exchange in await answers(bench, QUESTION, LISTING, ANGRY):
        free_of(bench, exchange, {FindingKind.MARKUP_STRIPPED}, "there is no tool call in the words", Level.SHOULD)
        text = "\n".join(chunk.text for _, chunk in exchange.reply.chunks)
        for what, pattern in (("tag", _TAG), ("Markdown", _MARKDOWN)):
            found = pattern.search(text)
            observed = f"{found[0].strip()!r} in {text[:120]!r}" if found else f"{text[:120]!r}"
            bench.should(found is None, f"there is no {what} in the words", observed, exchange)


@case(
    "5.8",
    "Every field has the type that it is documented with",
    Level.MUST,
    source="voice documentation, replies: text, digits and action are strings, interim and hangup are booleans",
    trust=Trust.DOCUMENTED,
    sent="questions, a farewell, a wish to talk to a human, an answering machine's menu",
    expected="no field of another type",
    why="A field of another type is ignored: the call is not ended, the word not spoken.",
    mend='Write {"hangup": true}, not "true" or 1, and make `text` a string even when it is a number.',
    profile=Profile.VOICE,
)
async def types_are_right(bench: Bench) -> None:
    for exchange in await answers(bench, QUESTION, NUMBERS, GERMAN, GOODBYE, HUMAN, MENU):
        free_of(bench, exchange, {FindingKind.FIELD_WRONG_TYPE}, "every field has its type")


@case(
    "5.9",
    "Keys to be pressed are 0-9, * and #, and given once",
    Level.MUST,
    source="voice documentation, replies: digits, with press_digit and dtmf as other names for it",
    trust=Trust.DOCUMENTED,
    sent="an answering machine's menu: press 1, press 2",
    expected="`digits` that a telephone has, if any, under one name",
    why="Other characters are not pressed, and which of two names wins is written nowhere: the menu begins again.",
    mend='Give {"digits": "1"}, and leave the other names out.',
    profile=Profile.VOICE,
)
async def keys_exist(bench: Bench) -> None:
    for exchange in await answers(bench, MENU, NUMBERS):
        wrong = {FindingKind.DIGITS_INVALID, FindingKind.DIGITS_CONFLICT}
        free_of(bench, exchange, wrong, "the keys can be pressed, and are the same under every name")
        twice = [names for _, chunk in exchange.reply.chunks if len(names := _key_names(chunk)) > 1]
        observed = "; ".join(" and ".join(names) for names in twice) or "none is"
        bench.should(not twice, "no keys are given under two names", observed, exchange)


def _key_names(chunk: Chunk) -> list[str]:
    fields = json.loads(chunk.raw)
    return [name for name in KEY_NAMES if fields.get(name) is not None]


@case(
    "5.10",
    "An action is transfer or hangup",
    Level.MUST,
    source="voice documentation, replies: action",
    trust=Trust.DOCUMENTED,
    sent='"I want to talk to a human", a farewell, and an angry caller',
    expected="no other `action`",
    why="An action that does not exist is ignored: the caller hears that they are put through, and nothing happens.",
    mend='Answer with {"text": "…", "action": "transfer"}.',
    profile=Profile.VOICE,
)
async def actions_exist(bench: Bench) -> None:
    for exchange in await answers(bench, HUMAN, GOODBYE, ANGRY):
        free_of(bench, exchange, {FindingKind.ACTION_UNKNOWN}, "the action exists")


@case(
    "5.11",
    "A farewell closes the turn",
    Level.MUST,
    source="voice documentation, replies: hangup",
    trust=Trust.DOCUMENTED,
    sent='"Thanks, that was all. Goodbye."',
    expected="2xx with an object that is not `interim`; if it hangs up, that one does",
    why="A farewell that leaves the turn open keeps a line busy, and paid for, until the timeout.",
    mend='Answer with {"text": "Goodbye!", "hangup": true}, as the last chunk.',
    profile=Profile.VOICE,
)
async def farewell_closes(bench: Bench) -> None:
    await bench.needs_replies()
    exchange = await bench.asked(GOODBYE)
    reply = exchange.reply
    observed = exchange if reply.final is None else f"it ends with {reply.final.text!r}"
    bench.must(exchange.ok and reply.final is not None, "the turn is closed", observed, exchange)
    early = [chunk for _, chunk in reply.chunks if chunk.interim and chunk.hangup]
    bench.should(not early, "no interim chunk hangs up", f"{len(early)} do", exchange)


@case(
    "5.20",
    "A reply has fields that the platform knows",
    Level.MUST,
    source="voice documentation, replies: text, interim, hangup, action, digits",
    trust=Trust.DOCUMENTED,
    sent="a caller's question, and a farewell",
    expected="something to say or to do, under its documented name",
    why='{"message": "…"} and {"response": "…"} say nothing: the caller hears silence.',
    mend="Call what is spoken `text`.",
    profile=Profile.VOICE,
)
async def names_are_known(bench: Bench) -> None:
    for exchange in await answers(bench, QUESTION, GOODBYE):
        level = Level.SHOULD if exchange.reply.acts else Level.MUST
        free_of(bench, exchange, {FindingKind.NOTHING_TO_SAY}, "every object has a field that is known", level)


@case(
    "5.21",
    "What the handler does when asked for a human, and at the end",
    Level.MAY,
    source="voice documentation, replies: text, digits and actions may stand together or alone",
    trust=Trust.DOCUMENTED,
    sent='"I want to talk to a human", a farewell, an answering machine\'s menu',
    expected="whatever the handler likes: it is told, and judged by nobody",
    why="Somebody who is transferred or cut off without a word believes that the line broke.",
    mend="Say what you are about to do in the same object.",
    profile=Profile.VOICE,
)
async def deeds(bench: Bench) -> None:
    for words, exchange in zip((HUMAN, GOODBYE, MENU), await answers(bench, HUMAN, GOODBYE, MENU), strict=True):
        done = [_told(chunk) for _, chunk in exchange.reply.chunks]
        bench.note(f"{words!r}: {', then '.join(done) or exchange}")


def _told(chunk: Chunk) -> str:
    deeds = [
        repr(chunk.text) if chunk.text else "",
        f"presses {chunk.digits}" if chunk.digits else "",
        "transfers" if chunk.transfer else "",
        "hangs up" if chunk.hangup else "",
    ]
    return " and ".join(filter(None, deeds)) or "nothing"


CASES: Final[tuple[Case, ...]] = (
    plain_text,
    types_are_right,
    keys_exist,
    actions_exist,
    farewell_closes,
    names_are_known,
    deeds,
)
