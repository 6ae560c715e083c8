"""Of group 3, what happens on calls: a turn is answered each time that it is asked, as somebody waits for it."""

from __future__ import annotations

from typing import Final

from simulator.conformance.bench import SAID, Bench
from simulator.conformance.case import Trust, case
from simulator.conformance.exchange import Exchange
from simulator.conformance.verdicts import Level, Profile

SILENCE: Final = "The caller asks, and hears nothing: most hang up after two silent turns."


async def _needs_words(bench: Bench) -> None:
    """Skip the case unless the handler has something to say to a plain question; what it says to others is judged."""
    if not (await bench.needs_replies()).reply.acts:
        bench.skip("the handler answers a plain question with silence: see group 5")


def _speaks(bench: Bench, exchange: Exchange, what: str) -> bool:
    """The handler has given a whole reply that does something: a reply of nothing is silence as well."""
    if not bench.answered(exchange, what=what):
        return False
    observed = f"it says {exchange.reply.text!r}" if exchange.reply.acts else "it says and does nothing"
    return bench.must(exchange.reply.acts, f"{what} is answered with more than silence", observed, exchange)


@case(
    "3.10",
    "A repeated turn is spoken again",
    Level.MUST,
    source="voice documentation, replies: only the answer of the request that is open is spoken",
    trust=Trust.INFERRED,
    sent="a caller's question, and the same request again with the same X-Webhook-ID",
    expected="a reply that is spoken, both times",
    why=SILENCE,
    mend="Leave voice turns out of what deduplicates, or keep the reply for each X-Webhook-ID and give it again.",
    profile=Profile.VOICE,
)
async def turn_repeated(bench: Bench) -> None:
    await _needs_words(bench)
    request = bench.signed(await bench.turn())
    if _speaks(bench, await bench.send(request), "the turn"):
        _speaks(bench, await bench.send(request.but(note="the same again")), "the repeated turn")


@case(
    "3.11",
    "The same words in another turn are answered again",
    Level.MUST,
    source="voice documentation, turns: one request for each thing that the caller says",
    trust=Trust.DOCUMENTED,
    sent="two turns of one call with the same words, each an event of its own",
    expected="a reply that is spoken, both times",
    why=SILENCE,
    mend="A call has many turns: compare neither `callId` nor what was said.",
    profile=Profile.VOICE,
)
async def same_words_on_a_call(bench: Bench) -> None:
    await _needs_words(bench)
    call = await bench.call(SAID, SAID)
    for what in ("the first turn", "the second turn"):
        _speaks(bench, await bench.deliver(await call.turn(), note=what), what)
        call.answer(text="One moment, please.")


@case(
    "3.13",
    "A turn that comes after the end of its call crashes nothing",
    Level.SHOULD,
    source="no order is promised between events",
    trust=Trust.INFERRED,
    sent="the first turn of a call, its end, and then its second turn",
    expected="any answer but a crash",
    why="A caller who hangs up while they speak is an alarm at night.",
    mend="Do not rely on what you keep for a call: when it is gone, make it anew from the event.",
    profile=Profile.VOICE,
)
async def turn_after_the_end(bench: Bench) -> None:
    await bench.needs_replies()
    call = await bench.call(SAID, "And the other one?")
    await bench.deliver(await call.turn(), note="the first turn")
    call.answer(text="It was shipped yesterday.")
    late = await call.turn()
    await bench.deliver(await call.ended(), note="the end of the call")
    exchange = await bench.deliver(late, note="its second turn")
    bench.should(not exchange.crashed, "an answer that is no crash", str(exchange), exchange)
