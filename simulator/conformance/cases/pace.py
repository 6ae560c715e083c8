"""How long a reply takes. Of some tries the best is judged: a loaded machine is not the handler's mistake."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from simulator.conformance.exchange import Exchange

TRIES: Final = 3

Measure = Callable[[], Awaitable[float | None]]  # seconds; None: there is nothing to measure


async def best(measure: Measure, limit: float) -> float | None:
    """The shortest time of up to three tries: the first that is within the limit ends them."""
    found: list[float] = []
    while len(found) < TRIES:
        seconds = await measure()
        if seconds is None:
            return None
        found.append(seconds)
        if seconds <= limit:
            break
    return min(found)


def as_good(exchange: Exchange, plain: Exchange) -> bool:
    """Whether an answer is as whole as the one to a plain question: it came, it is understood, it closes the turn."""
    closed = exchange.reply.final is not None or plain.reply.final is None
    return exchange.ok and exchange.reply.understood and closed


def first_words(*exchanges: Exchange) -> float | None:
    """When the last of some callers hears the first word; None when one of them hears none."""
    times = [exchange.reply.first_word_at for exchange in exchanges]
    return max((at for at in times if at is not None), default=None) if None not in times else None


def until_words(exchange: Exchange) -> bool:
    """For `Prober.send`: hang up when the first piece of the answer is here."""
    return bool(exchange.pieces)


def seconds(value: float | None) -> str:
    """A time in words."""
    return "there is nothing to be heard" if value is None else f"{value:.2f} s"
