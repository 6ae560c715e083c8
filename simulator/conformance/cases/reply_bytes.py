"""Group 5, how a reply is written: as UTF-8, not too long, not packed."""

from __future__ import annotations

import re
from typing import Final

from simulator.conformance.bench import Bench
from simulator.conformance.case import Case, Trust, case
from simulator.conformance.cases.utterances import GERMAN, JAPANESE, LISTING, QUESTION, answers, free_of, utf8
from simulator.conformance.exchange import Ending, Exchange
from simulator.conformance.verdicts import Level, Profile
from simulator.domain.findings import FindingKind
from simulator.engine.replies import MAX_LINE, MAX_REPLY

BOM: Final = b"\xef\xbb\xbf"
BROKEN: Final = "\ufffd"
_CHARSET: Final = re.compile(r';\s*charset\s*=\s*"?([^";\s]*)', re.IGNORECASE)


@case(
    "5.17",
    "A reply is UTF-8",
    Level.MUST,
    source="RFC 8259, 8.1: JSON between systems is UTF-8, without a byte order mark",
    trust=Trust.DOCUMENTED,
    sent="a question in English, in German, in Japanese",
    expected="UTF-8 without a byte order mark or broken characters, called nothing else",
    why="What cannot be decoded is not spoken, and a broken character is read out as whatever it became.",
    mend='Encode as UTF-8, also on machines whose default is another: body.encode("utf-8").',
    profile=Profile.VOICE,
)
async def reply_is_utf8(bench: Bench) -> None:
    for exchange in await answers(bench, QUESTION, GERMAN, JAPANESE):
        if bench.must(utf8(exchange), "the body is UTF-8", exchange, exchange):
            marked = exchange.body.startswith(BOM)
            bench.should(not marked, "there is no byte order mark", exchange, exchange)
            text = exchange.reply.text
            bench.should(BROKEN not in text, "no character is broken", f"it says {text!r}", exchange)
        charset = _charset(exchange)
        bench.should(charset in ("", "utf-8", "utf8"), "its charset is called utf-8, if any", charset, exchange)


def _charset(exchange: Exchange) -> str:
    found = _CHARSET.search(exchange.headers.get("Content-Type", ""))
    return found[1].lower() if found else ""


@case(
    "5.18",
    "A reply can be spoken in an hour",
    Level.MUST,
    source="plain good sense: a line of 64 KiB is more than an hour of speech",
    trust=Trust.INFERRED,
    sent="a question, and one that invites a list",
    expected=f"no line of more than {MAX_LINE // 1024} KiB, no reply of more than {MAX_REPLY // 1024} KiB",
    why="A line without end is a newline that was forgotten: nothing of it is spoken before it is there.",
    mend="End every chunk with a newline, and make each a sentence or two.",
    profile=Profile.VOICE,
)
async def reply_is_short(bench: Bench) -> None:
    for words in (QUESTION, LISTING):
        (exchange,) = await answers(bench, words)
        ends = exchange.ending is not Ending.TOO_LONG
        observed = f"{len(exchange.body)} bytes came" + ("" if ends else f", {exchange.error}")
        if not bench.must(ends, "the reply ends", observed, exchange):
            return
        free_of(bench, exchange, {FindingKind.REPLY_TOO_LONG}, "neither a line nor the reply is too long")


@case(
    "5.19",
    "A reply is not compressed",
    Level.SHOULD,
    source="RFC 9110, 12.5.3: the platform accepts `identity` only",
    trust=Trust.INFERRED,
    sent="a question, with Accept-Encoding: identity",
    expected="no Content-Encoding",
    why="Packing keeps the first words back until a block is full, and who did not ask for it cannot unpack it.",
    mend="Leave webhooks out of the compression, or let it look at Accept-Encoding.",
    profile=Profile.VOICE,
)
async def reply_is_not_packed(bench: Bench) -> None:
    for exchange in await answers(bench, QUESTION):
        coding = exchange.headers.get("Content-Encoding", "identity")
        bench.should(coding.strip().lower() == "identity", "it is sent as it is", f"it is sent as {coding}", exchange)


CASES: Final[tuple[Case, ...]] = (reply_is_utf8, reply_is_short, reply_is_not_packed)
