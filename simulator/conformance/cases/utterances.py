"""What callers say in the cases about replies, and how an answer is searched for one family of mistakes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from simulator.conformance.bench import SAID, Bench
from simulator.conformance.exchange import Ending, Exchange
from simulator.conformance.verdicts import Level
from simulator.domain.findings import FindingKind

QUESTION: Final = SAID
LISTING: Final = "What do you sell, and what does each thing cost?"
UNCLEAR: Final = "Uhm, well, the, the thing, you know."
NUMBERS: Final = "It is 4 5 2 1, no, sorry, 4 5 1 2, and 17.50 dollars were taken twice."
ANGRY: Final = "This is the third bloody time I call. What the hell is wrong with you?"
GERMAN: Final = "Guten Tag, hier ist Jürgen Müller aus Köln. Öffnen Sie morgen um fünf?"
JAPANESE: Final = "注文した商品はいつ届きますか。"
GOODBYE: Final = "Thanks, that was all. Goodbye."
HUMAN: Final = "I want to talk to a human."
MENU: Final = "Welcome to Globex. For sales, press 1. For support, press 2."

# What anybody may say, and no handler should stumble over.
EVERYDAY: Final = (QUESTION, UNCLEAR, NUMBERS, ANGRY, GERMAN, JAPANESE)

NOT_JSON: Final = frozenset({FindingKind.REPLY_NOT_JSON, FindingKind.CHUNK_NOT_JSON})


async def answers(bench: Bench, *said: str) -> list[Exchange]:
    """What the handler answers to each of these. Skips the case when it does not answer a plain question at all."""
    plain = await bench.asked()
    if not came(plain):
        bench.skip("a plain question is not answered with 2xx: see 5.1 and 6.1")
    return [await bench.asked(words) for words in said]


def came(exchange: Exchange) -> bool:
    """Whether there is an answer with 2xx that has ended by itself, or of which more came than anybody reads."""
    taken = 200 <= (exchange.status or 0) <= 299
    return taken and exchange.ending in (Ending.COMPLETE, Ending.TOO_LONG)


def utf8(exchange: Exchange) -> bool:
    """Whether the body can be read as the text that JSON is."""
    try:
        exchange.body.decode()
    except UnicodeDecodeError:
        return False
    return True


def free_of(
    bench: Bench, exchange: Exchange, kinds: Collection[FindingKind], expected: str, level: Level = Level.MUST
) -> bool:
    """Compare: none of these mistakes is in the answer. What cannot be decoded is case 5.17's matter alone."""
    judged = frozenset(kinds) if utf8(exchange) else frozenset(kinds) - NOT_JSON
    wrong = "; ".join(problem.message for problem in exchange.reply.problems if problem.kind in judged)
    return bench.check(level, not wrong, expected, wrong or str(exchange), exchange)
