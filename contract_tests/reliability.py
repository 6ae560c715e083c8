"""What a reliable simulator owes, in plain lists: what handlers got, what went wrong, and what must come of it."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Iterable, Mapping, MutableMapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from simulator.domain.webhooks import Attempt, Delivery, DeliveryStatus, OutcomeKind
from simulator.runtime.outbox import RETRY, TIMEOUT
from simulator.runtime.runner import Runner
from simulator.world.journal import Journal
from simulator.world.world import World

LADDER: Final = (0, 5 * 60, 30 * 60, 2 * 3600, 6 * 3600, 12 * 3600)  # seconds before each attempt, as documented
UNSENT: Final = ("refuse", "status", "reset")  # nobody gets a whole request under these faults
HOLDING: Final = ("late", "reorder")
UNSIGNED: Final = ("bad_signature", "missing_signature", "tampered_body")
UNREADABLE: Final = ("tampered_body", "malformed_json")

# How handlers behave, and what is made to go wrong. `UNHURRIED` is what nobody should wait for in real time.
WAYS_TO_ANSWER: Final = (200, 200, 204, 302, 404, 408, 429, 500, 503, "hang", "slow", "break", "down")
DELIVERY_FAULTS: Final[tuple[dict[str, Any], ...]] = (
    *({"fault": name} for name in ("bad_signature", "missing_signature", "stale_timestamp", "tampered_body")),
    *({"fault": name} for name in ("malformed_json", "overlap", "reset", "refuse", "duplicate")),
    {"fault": "duplicate", "copies": 2},
    {"fault": "late", "seconds": 400},
    {"fault": "slow_send", "seconds": 2},
    {"fault": "reorder", "seconds": 90},
    *({"fault": "status", "status": status} for status in (200, 404, 503)),
)
TURN_FAULTS: Final[tuple[dict[str, Any], ...]] = (
    *({"fault": name} for name in ("cut", "drop_final", "garble", "split", "reset", "duplicate", "bad_signature")),
    {"fault": "stall", "seconds": 3},
)
API_FAULTS: Final[tuple[dict[str, Any], ...]] = (
    {"fault": "status", "status": 503, "effect": "done"},
    {"fault": "status", "status": 429},
    {"fault": "latency", "seconds": 40},
    {"fault": "reset"},
    {"fault": "truncate"},
)
CARRIER_FAULTS: Final[tuple[dict[str, Any], ...]] = ({"fault": "delayed", "seconds": 3600}, {"fault": "busy"})
PLACES: Final = {"delivery": DELIVERY_FAULTS, "turn": TURN_FAULTS, "api": API_FAULTS, "carrier": CARRIER_FAULTS}
MISHAPS: Final = tuple([{"on": on, **fault} for fault in faults] for on, faults in PLACES.items())
UNHURRIED: Final = ("hang", "slow", "down", "slow_send", "stall")

SAID: Final = re.compile(rb"word-([a-z]+)-")  # everything that an account is told has its tag in it


@dataclass(frozen=True)
class Receipt:
    """One whole request that a handler got."""

    delivery_id: str
    body: bytes
    signed: bool


@dataclass
class Book:
    """What should be true of one account. `words` are the tags that it may know: its own, and those it is a copy of."""

    tag: str
    key: str
    secret: str
    words: frozenset[str]
    agent: str = ""
    number: str = ""
    received: list[Receipt] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)  # by delivery: connections that nobody took
    faults: list[Mapping[str, Any]] = field(default_factory=list)  # those that have met a delivery
    owed_texts: list[str] = field(default_factory=list)  # messages, each of which somebody has to be told
    owed_calls: list[str] = field(default_factory=list)
    blurred: Counter[str] = field(default_factory=Counter)  # by delivery: restarts that have interrupted it
    seen: int = 0  # the last journal entry that was looked at
    lossy: bool = False  # the journal has dropped entries before anybody looked

    def copy(self, tag: str, key: str) -> Book:
        """The book of an account that goes on by itself from here."""
        twin = deepcopy(self)
        twin.tag, twin.key, twin.words = tag, key, self.words | {tag}
        return twin

    def count(self, delivery_id: str, kinds: Iterable[str]) -> int:
        """How many faults of these kinds a delivery has met."""
        return sum(1 for f in self.faults if f["delivery_id"] == delivery_id and f["fault"] in kinds)

    def copies(self, delivery_id: str) -> int:
        """How many requests more than attempts were to be sent."""
        met = [f for f in self.faults if f["delivery_id"] == delivery_id]
        return sum(int(f["parameters"].get("copies", 1)) for f in met if f["fault"] in ("duplicate", "overlap"))


class Handler:
    """The application under test, which is at `/TAG` for every account and behaves as its `mood` says."""

    def __init__(self) -> None:
        self.mood: str | int = 200
        self.books: dict[str, Book] = {}  # by tag; of accounts that are open
        self.strays: list[str] = []  # what came for nobody

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            raise RuntimeError("there is nothing to start")
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return  # half a request is none
            body += message.get("body", b"")
            more = message.get("more_body", False)
        self.take(scope["path"], {k.decode().lower(): v.decode() for k, v in scope["headers"]}, body)
        await self._answer(receive, send)

    async def _answer(self, receive: Any, send: Any) -> None:
        mood = self.mood
        if mood == "hang":
            await receive()  # until the other side gives up
            return
        if mood == "slow":
            await asyncio.sleep(20)
        status = mood if isinstance(mood, int) else 200
        answer = b'{"text": "Thank you."}'
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        if mood == "break":
            raise ConnectionResetError("the handler died")
        await send({"type": "http.response.body", "body": answer})

    def take(self, path: str, headers: Mapping[str, str], body: bytes) -> None:
        """Write down one whole request."""
        delivery_id = headers["x-webhook-id"]
        book = self.books.get(path.strip("/"))
        if book is None:
            self.strays.append(f"{delivery_id} to {path}")
            return
        content = headers["x-webhook-timestamp"].encode() + b"." + body
        wanted = "sha256=" + hmac.new(book.secret.encode(), content, hashlib.sha256).hexdigest()
        signed = headers.get("x-webhook-signature") == wanted
        book.received.append(Receipt(delivery_id, body, signed))

    def refuse(self, path: str, headers: Mapping[str, str]) -> None:
        """Nobody listens. Raises what a client gets then."""
        book = self.books.get(path.strip("/"))
        if book is None:
            self.strays.append(f"{headers['X-Webhook-ID']} to {path}")
        else:
            book.refused[headers["X-Webhook-ID"]] += 1
        raise ConnectionRefusedError("nobody listens")


def check_received(book: Book, deliveries: Mapping[str, Delivery]) -> None:
    """What a handler got is what it was owed: the same bytes each time, properly signed, unless a fault spoilt them."""
    odd: Counter[str] = Counter()
    unsigned: Counter[str] = Counter()
    for receipt in book.received:
        delivery = deliveries.get(receipt.delivery_id)
        assert delivery is not None, f"{book.tag} got {receipt.delivery_id}, which it is not owed"
        odd[delivery.id] += receipt.body != delivery.body
        unsigned[delivery.id] += not receipt.signed
        heard = {word.decode() for word in SAID.findall(receipt.body)}
        assert heard <= book.words, f"{book.tag} was told of {heard - book.words}"
    if not book.lossy:
        for name in odd:
            assert odd[name] <= book.count(name, UNREADABLE), f"{name} came with different bodies"
            assert unsigned[name] <= book.count(name, UNSIGNED), f"{name} was badly signed"


def check_history(book: Book, delivery: Delivery) -> None:
    """The attempts so far were made at the documented times, no more of them than are documented, and none after the
    one that settled it."""
    attempts = delivery.attempts
    assert [a.number for a in attempts] == list(range(1, len(attempts) + 1))
    assert len(attempts) <= (len(LADDER) if delivery.retryable else 1), f"{delivery.id}: {len(attempts)} attempts"
    due = delivery.created_at
    for attempt in attempts:
        late = attempt.at - due
        held = [
            f for f in book.faults if f["delivery_id"] == delivery.id and f.get("attempt") == attempt.number
            and f["fault"] in HOLDING
        ]  # fmt: skip
        most = sum(f["parameters"]["seconds"] for f in held)
        if not book.lossy and delivery.id not in book.blurred:
            assert timedelta() <= late <= timedelta(seconds=most), (
                f"{delivery.id}: attempt {attempt.number} {late} late"
            )
        if attempt.number < len(LADDER):
            due = attempt.at + timedelta(seconds=LADDER[attempt.number])
        assert not accepted(attempt) or attempt is attempts[-1], f"{delivery.id} was tried again after a success"
    if delivery.status is DeliveryStatus.PENDING:
        return
    assert attempts, f"{delivery.id} is {delivery.status.value} without an attempt"
    last = attempts[-1].outcome
    success = accepted(attempts[-1])
    assert (delivery.status is DeliveryStatus.SUCCESS) == success, delivery
    if not success and delivery.retryable and len(attempts) < len(LADDER):
        final = last.kind is OutcomeKind.REFUSED or (
            last.kind is OutcomeKind.REJECTED and (last.http_status or 0) < 500
        )
        assert final, f"{delivery.id} was given up after {len(attempts)} attempts: {last}"


def accepted(attempt: Attempt) -> bool:
    """Whether a whole answer of the 2xx kind came; one that breaks off after such a status is none."""
    outcome = attempt.outcome
    return outcome.kind in (OutcomeKind.ACCEPTED, OutcomeKind.REJECTED) and 200 <= (outcome.http_status or 0) < 300


def check_requests(book: Book, delivery: Delivery) -> None:
    """A settled delivery was received as often as it was tried, and copies only where a fault made some."""
    if book.lossy:
        return
    name = delivery.id
    got = sum(1 for r in book.received if r.delivery_id == name)
    reached = len(delivery.attempts) - book.count(name, UNSENT) - book.refused[name]
    withdrawn = sum(1 for a in delivery.attempts if a.outcome.kind is OutcomeKind.REFUSED)
    most = reached + book.copies(name) - withdrawn + book.blurred[name]
    least = most - book.blurred[name] * (1 + book.copies(name))
    assert least <= got <= most, f"{name} was received {got} times: {least} to {most} expected; {delivery.attempts}"


def check_owed(book: Book, deliveries: Iterable[Delivery]) -> None:
    """Everybody who has to be told of something has been owed it."""
    told = Counter((d.message_id or d.call_id, d.event_type.value) for d in deliveries if d.turn_id is None)
    for message_id in book.owed_texts:
        assert told[message_id, "agent.message"] == 1, (
            f"{message_id} was told {told[message_id, 'agent.message']} times"
        )
    for call_id in book.owed_calls:
        ended = told[call_id, "agent.call_ended"] + told[call_id, "call.ended"]
        assert ended >= 1, f"nobody is told that {call_id} has ended"


def check_pending(runner: Runner) -> None:
    """What is pending will be tried when it says so; nothing else will; and what is in flight has its timeout."""
    account, flying = runner.world.account_id, set(runner.outbox._attempts)
    pending = {
        d.id: d.next_attempt_at
        for d in runner.world.deliveries.values()
        if d.status is DeliveryStatus.PENDING and d.turn_id is None and d.id not in flying
    }
    timers = {key: due for due, key in runner.pacer.timers}
    assert {key[2]: due for key, due in timers.items() if key[:2] == (account, RETRY)} == pending
    assert {key[2] for key in timers if key[:2] == (account, TIMEOUT)} == flying


def check_words(book: Book, world: World) -> None:
    """An account knows nothing that others were told."""
    texts = [*(m.body for m in world.messages.values()), *(a.name for a in world.agents.values())]
    texts += [*(c.name for c in world.contacts.values())]
    texts += [u.text for call in world.calls.values() for u in call.utterances]
    heard = {word.decode() for word in SAID.findall("\n".join(text or "" for text in texts).encode())}
    assert heard <= book.words, f"{book.tag} knows {heard - book.words}"


def check_journal(journal: Journal, limit: int) -> None:
    """It is a ring that counts what it has dropped."""
    assert len(journal) <= limit
    assert len(journal) + journal.dropped == journal.last_seq


def fingerprint(runner: Runner) -> object:
    """Something that changes with whatever happens in an account."""
    world = runner.world
    faults = dict(world.faults.counts), dict(world.faults.held)
    time = runner.now(), list(runner.pacer.timers)
    return time, faults, world.journal.last_seq, world.entropy.used, list(runner.snapshots)


def check_idle(book: Book, runner: Runner) -> None:
    """Nothing is left of what was under way, and everything has come of it that had to."""
    pacer, outbox, world = runner.pacer, runner.outbox, runner.world
    assert not list(pacer.timers)
    left = (pacer.in_flight, pacer._sleepers, outbox._attempts, outbox._late, outbox._waiting, world.faults.held)
    assert not any(left), left
    assert not world.live_calls
    assert not runner.waiting
    for delivery in world.deliveries.values():
        assert delivery.status is not DeliveryStatus.PENDING, delivery
        check_history(book, delivery)
        if delivery.turn_id is None:
            check_requests(book, delivery)
    check_received(book, world.deliveries)
    check_owed(book, world.deliveries.values())
