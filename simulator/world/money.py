"""The account's money: checked before a command writes anything, charged once it is done.

Without `limits.balance_cents` nothing costs anything and nothing is written down. Money can run out while a call goes
on, and people text and call in without asking first: then the balance falls below zero, and what costs money is refused
until somebody sets it anew. A number is paid for once, when it is bought; its monthly renewal is not simulated.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from simulator.domain.calls import Call
from simulator.domain.limits import DOCUMENTED, OPENING_CREDIT, Limit
from simulator.domain.messages import Channel
from simulator.domain.money import CENT, DOLLAR, PRICES, SHORTEST_CALL, Entry, Item, price_of_call, seconds_begun
from simulator.domain.segments import segments
from simulator.errors import PaymentRequired
from simulator.world import limits
from simulator.world.world import World

CODE: Final = "INSUFFICIENT_BALANCE"
STRONG_DENOISING: Final = "noise-and-background-speech-cancellation"
PAID_TEXTS: Final = frozenset({Channel.SMS, Channel.MMS})  # the sources name no price for the other channels


def balance(world: World) -> int | None:
    """What is left, in micro-dollars; None where nothing costs anything."""
    opening = world.limits.balance_cents
    if opening is None:
        return None
    last = next(reversed(world.ledger.values()), None)
    if last is not None:
        return last.balance
    return (OPENING_CREDIT if opening == DOCUMENTED else int(opening)) * CENT


def fill(world: World, cents: Limit, now: datetime) -> None:
    """Set the balance to so many cents ("documented": the credit of a new account); None ends all charging."""
    before = balance(world) or 0
    limits.change(world, now, balance_cents=cents)
    if cents is not None:
        after = (OPENING_CREDIT if cents == DOCUMENTED else int(cents)) * CENT
        _write(world, None, 1, after - before, after, now, None)


def require(world: World, item: Item, quantity: int = 1) -> None:
    """Refuse what the balance does not cover: 402. Call it before anything is written."""
    if world.limits.balance_cents is not None:
        _require(world, PRICES[item].amount * quantity, item.value.replace("_", " "))


def charge(world: World, item: Item, now: datetime, quantity: int = 1, about: str | None = None) -> None:
    """Take the price of what has just been done; `about` is its id."""
    left = balance(world)
    if left is not None and quantity:
        amount = PRICES[item].amount * quantity
        _write(world, item, quantity, -amount, left - amount, now, about)


def require_call(world: World) -> None:
    """Refuse to place a call that not even its shortest length is covered of: 402."""
    if world.limits.balance_cents is not None:
        _require(world, SHORTEST_CALL, "call")


def charge_call(world: World, call: Call, now: datetime) -> None:
    """Take the price of a call that has ended; one that nobody answered is free."""
    left = balance(world)
    if left is None or not call.duration:
        return
    agent = world.agents.get(call.agent_id) if call.agent_id else None
    strong = agent is not None and agent.denoising_mode == STRONG_DENOISING
    amount = price_of_call(call.duration, hosted=call.hosted, strong_denoising=strong)
    item = Item.VOICE_HOSTED if call.hosted else Item.VOICE_WEBHOOK
    _write(world, item, seconds_begun(call.duration), -amount, left - amount, now, call.id)


def require_text(world: World, channel: Channel, body: str, recipients: int = 1) -> None:
    """Refuse to send a text that the balance does not cover: 402."""
    if world.limits.balance_cents is not None and channel in PAID_TEXTS:
        require(world, Item.SMS_SEGMENT, billed_segments(body) * recipients)


def charge_text(
    world: World, channel: Channel, body: str, now: datetime, about: str | None = None, recipients: int = 1
) -> None:
    """Take the price of a text, sent or received."""
    if world.limits.balance_cents is not None and channel in PAID_TEXTS:
        charge(world, Item.SMS_SEGMENT, now, billed_segments(body) * recipients, about)


def billed_segments(body: str) -> int:
    """Count the segments that are paid for: a picture without words is one."""
    return max(1, segments(body))


def _require(world: World, amount: int, what: str) -> None:
    left = balance(world)
    if left is not None and left < amount:
        raise PaymentRequired(
            f"Insufficient balance: {what} needs ${amount / DOLLAR:.4g} and ${left / DOLLAR:.4f} is left. Add credit; "
            "in the simulator, with PUT /_sim/limits",
            code=CODE,
            type="billing_error",
        )


def _write(
    world: World, item: Item | None, quantity: int, amount: int, after: int, now: datetime, about: str | None
) -> None:
    entry = Entry(
        id=world.entropy.new_id("ledger_entry"),
        at=now,
        item=item,
        quantity=quantity,
        amount=amount,
        balance=after,
        about=about,
    )
    world.ledger[entry.id] = entry
    world.journal.append(
        "money.charged" if item else "money.balance_set",
        now,
        item=item.value if item else None,
        amount_cents=amount / CENT,
        balance_cents=after / CENT,
        about=about,
    )
