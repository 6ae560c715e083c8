"""Group 6: what callers hear in time, alone and when others call. What interrupts them is in `interruptions`."""

from __future__ import annotations

import asyncio
from typing import Final

from simulator.conformance.bench import Bench
from simulator.conformance.case import Case, Trust, case
from simulator.conformance.cases import interruptions
from simulator.conformance.cases.pace import TRIES, as_good, best, first_words, seconds
from simulator.conformance.cases.utterances import GOODBYE, QUESTION
from simulator.conformance.exchange import Ending, Exchange
from simulator.conformance.verdicts import Level, Profile

CALLERS: Final = 20
UNDER_LOAD: Final = 3  # times the budget for first words, when as many call at once
BRIEF: Final = 1.0  # seconds; a reply that is over sooner need not be streamed
SPREAD: Final = 0.01  # of a reply's time between its first chunk and its last, below which all came at once


@case(
    "6.1",
    "The first words come in time",
    Level.MUST,
    source="voice documentation, timeout: a turn is dropped when the handler has not begun to answer by then",
    trust=Trust.DOCUMENTED,
    sent="a caller's question, up to three times",
    expected="an answer begins within the timeout (MUST), and its first words within the budget (SHOULD)",
    why="After two seconds of silence callers ask whether anybody is there, and interrupt the answer.",
    mend='Stream: send {"text": "One moment.", "interim": true} before you ask the model.',
    profile=Profile.VOICE,
)
async def first_words_in_time(bench: Bench) -> None:
    limit = bench.budgets.first_word
    heard: list[Exchange] = []

    async def try_once() -> float | None:
        exchange = await (bench.deliver(await bench.turn()) if heard else bench.asked())
        heard.append(exchange)
        return first_words(exchange) if exchange.ok else None

    fastest = await best(try_once, limit)
    late = heard[-1].ending is Ending.TIMED_OUT and not heard[-1].pieces
    if not bench.must(not late, f"an answer begins within {bench.budgets.timeout:g} s", heard[-1], heard[-1]):
        return
    if fastest is None:
        bench.skip("there are no words whose time could be taken: see group 5")
    bench.should(fastest <= limit, f"the first words come within {limit:g} s", seconds(fastest), heard[-1])


@case(
    "6.2",
    "A reply has no long gaps",
    Level.MUST,
    source="voice documentation, timeout; callers' patience",
    trust=Trust.INFERRED,
    sent="a caller's question, up to three times",
    expected="no pause as long as the timeout (MUST), nor above the budget (SHOULD), between two chunks",
    why="After some seconds callers believe that the call was lost in the middle of a sentence.",
    mend="Send an interim chunk while something takes long, and close the turn when it takes too long.",
    profile=Profile.VOICE,
)
async def no_long_gaps(bench: Bench) -> None:
    limit = bench.budgets.gap
    heard: list[Exchange] = []

    async def try_once() -> float | None:
        exchange = await (bench.deliver(await bench.turn()) if heard else bench.asked())
        heard.append(exchange)
        return exchange.reply.longest_gap if exchange.ok and exchange.reply.understood else None

    gap = await best(try_once, limit)
    stalled = heard[-1].ending is Ending.TIMED_OUT and bool(heard[-1].pieces)
    if not bench.must(not stalled, f"no pause lasts {bench.budgets.timeout:g} s", heard[-1], heard[-1]):
        return
    if gap is None:
        bench.skip("there is no reply whose gaps could be measured: see 5.1 and 6.1")
    bench.should(gap <= limit, f"no pause between two chunks is longer than {limit:g} s", seconds(gap), heard[-1])


@case(
    "6.3",
    f"{CALLERS} callers at once are answered like one",
    Level.MUST,
    source="plain good sense: calls come when they come",
    trust=Trust.INFERRED,
    sent=f"the first turns of {CALLERS} calls at the same time, up to three times",
    expected=f"whole replies (MUST), the first words within {UNDER_LOAD} times the budget (SHOULD)",
    why="A campaign, or a Monday morning, and callers hear silence: one after the other they hang up.",
    mend="Do not block the event loop or hold a lock while a model answers; give the server enough workers.",
    profile=Profile.VOICE,
)
async def many_callers(bench: Bench) -> None:
    plain = await bench.needs_replies()
    limit = UNDER_LOAD * bench.budgets.first_word
    worst: list[Exchange] = []

    async def try_once() -> float | None:
        turns = await asyncio.gather(*(bench.turn() for _ in range(CALLERS)))
        exchanges = await asyncio.gather(*(bench.deliver(turn) for turn in turns))
        worst.extend(exchange for exchange in exchanges if not as_good(exchange, plain))
        return None if worst else first_words(*exchanges)

    fastest = await best(try_once, limit)
    observed = f"{len(worst)} are not: {worst[0]}" if worst else "all are"
    bench.must(not worst, "every caller gets a whole reply", observed, worst[0] if worst else None)
    if fastest is not None:
        bench.should(fastest <= limit, f"each hears the first words within {limit:g} s", seconds(fastest))


@case(
    "6.4",
    f"{CALLERS} texts at once are acknowledged in time",
    Level.SHOULD,
    source="webhook documentation, timeout: 5 seconds is the shortest that can be set",
    trust=Trust.DOCUMENTED,
    sent=f"{CALLERS} texts at the same time, up to three times",
    expected="2xx for each within the budget",
    why="Whatever is acknowledged too late comes again, when the handler has most to do.",
    mend="Acknowledge first, work later, and let no event wait for another.",
    profile=Profile.SMS,
)
async def many_texts(bench: Bench) -> None:
    limit = bench.budgets.acknowledge
    refused: list[Exchange] = []

    async def try_once() -> float | None:
        texts = await asyncio.gather(*(bench.text() for _ in range(CALLERS)))
        exchanges = await asyncio.gather(*(bench.deliver(text) for text in texts))
        refused.extend(exchange for exchange in exchanges if not exchange.ok)
        return None if refused else max(exchange.ended_at for exchange in exchanges)

    slowest = await best(try_once, limit)
    observed = f"{len(refused)} are not: {refused[0]}" if refused else "all are"
    bench.should(not refused, "every text is answered with 2xx", observed, refused[0] if refused else None)
    if slowest is not None:
        bench.should(slowest <= limit, f"each is acknowledged within {limit:g} s", seconds(slowest))


@case(
    "6.5",
    "A reply ends with its last words",
    Level.SHOULD,
    source="voice documentation, streamed replies: the final chunk closes the turn",
    trust=Trust.INFERRED,
    sent="a caller's question, up to three times",
    expected="the answer is over within the budget for gaps after its final chunk",
    why="What a handler does after the last words, before the stream ends, is lost whenever the caller speaks again.",
    mend="Save and send what remains in the background, once the response is complete.",
    profile=Profile.VOICE,
)
async def ends_with_the_last_words(bench: Bench) -> None:
    await bench.needs_replies()
    limit = bench.budgets.gap
    heard: list[Exchange] = []

    async def try_once() -> float | None:
        exchange = await (bench.deliver(await bench.turn()) if heard else bench.asked())
        heard.append(exchange)
        closed = [at for at, chunk in exchange.reply.chunks if not chunk.interim]
        return exchange.ended_at - closed[0] if closed else None

    after = await best(try_once, limit)
    if after is None:
        bench.skip("no final chunk comes: see 5.4")
    bench.should(after <= limit, f"it is over {limit:g} s after the final chunk at most", seconds(after), heard[-1])


@case(
    "6.10",
    "A stream begins before it is complete",
    Level.SHOULD,
    source="voice documentation, streamed replies: speech begins with the first chunk",
    trust=Trust.DOCUMENTED,
    sent="a caller's question, up to three times",
    expected="the first chunk well before the last, when the reply takes longer than a second",
    why="A stream that something holds back until it is complete is as slow as its last word.",
    mend="Look for buffering: a framework that collects the body, a proxy, compression, a print without flush.",
    profile=Profile.VOICE,
)
async def streams_begin_early(bench: Bench) -> None:
    plain = await bench.needs_replies()
    if len(plain.reply.chunks) < 2:
        bench.skip("the handler does not stream: its reply is one object")
    seen: list[str] = []
    early = False
    for again in range(TRIES):
        exchange = await (bench.deliver(await bench.turn()) if again else bench.asked())
        times = [at for at, _ in exchange.reply.chunks] or [0.0]
        seen.append(f"the first of {len(times)} chunks at {times[0]:.2f} s, the last at {times[-1]:.2f} s")
        early = times[-1] <= BRIEF or times[-1] - times[0] > SPREAD * times[-1]
        if early:
            break
    bench.should(early, "the first chunk comes well before the last", "; ".join(seen))


@case(
    "6.11",
    "Callers get their own answers",
    Level.MUST,
    source="plain good sense: calls are strangers to each other",
    trust=Trust.INFERRED,
    sent="a question and a farewell, alone, and then two of each at the same time",
    expected="the same answers as alone",
    why="Somebody hears what is another's: an address, an order, a goodbye in the middle of a sentence.",
    mend="Keep what belongs to a turn in local variables, and what belongs to a call under its callId.",
    profile=Profile.VOICE,
)
async def nobody_gets_anothers_answer(bench: Bench) -> None:
    await bench.needs_replies()
    alone = {}
    for words in (QUESTION, GOODBYE):
        once, again = await bench.asked(words), await bench.deliver(await bench.turn(words), note="once more, alone")
        if once.reply.text != again.reply.text:
            bench.skip("the handler answers the same words differently, so nobody can say whose answer is whose")
        alone[words] = once.reply.text
    if len(set(alone.values())) < len(alone):
        bench.skip("the handler answers everything alike, so nobody can say whose answer is whose")
    said = [QUESTION, GOODBYE] * 2
    turns = await asyncio.gather(*(bench.turn(words) for words in said))
    exchanges = await asyncio.gather(
        *(bench.deliver(turn, note=f"at the same time: {words}") for turn, words in zip(turns, said, strict=True))
    )
    for words, exchange in zip(said, exchanges, strict=True):
        text = exchange.reply.text
        bench.must(text == alone[words], f"{words!r} is answered with {alone[words]!r}", f"it says {text!r}", exchange)


ALONE: Final = (first_words_in_time, no_long_gaps, many_callers, many_texts, ends_with_the_last_words)
CASES: Final[tuple[Case, ...]] = (
    *ALONE,
    *interruptions.CASES[:-1],
    streams_begin_early,
    nobody_gets_anothers_answer,
    *interruptions.CASES[-1:],
)
