"""Payloads on their way to webhook endpoints: first attempts, retries on the clock, tests that somebody awaits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from simulator.domain.webhooks import (
    Attempt,
    Delivery,
    DeliveryStatus,
    Notice,
    Outcome,
    OutcomeKind,
    WebhookEndpoint,
)
from simulator.engine.delivery import Failed, Retry, plan_next
from simulator.errors import Conflict
from simulator.runtime.deliver import Sender
from simulator.runtime.in_flight import Key
from simulator.runtime.pacer import Pacer
from simulator.settings import Settings
from simulator.wire.payloads import render, retold
from simulator.world import webhooks
from simulator.world.faults import Struck, delivery_subject, strike
from simulator.world.world import World

if TYPE_CHECKING:
    from simulator.engine.events import CallEvent
    from simulator.runtime import faults  # loaded when the first one strikes: it brings half the call engine along

RETRY = "retry"
TIMEOUT = "attempt_timeout"
TIMERS = frozenset({RETRY, TIMEOUT})


class Outbox:
    """Carries out what `engine.delivery` decides."""

    def __init__(self, world: World, pacer: Pacer, sender: Sender, settings: Settings) -> None:
        self._world = world
        self._pacer = pacer
        self._sender = sender
        self._settings = settings
        self._attempts: dict[str, asyncio.Task[None]] = {}
        self._late: set[str] = set()  # cancelled by their timeout, not by a stop
        self._waiting: dict[str, asyncio.Future[Delivery]] = {}
        self._told: tuple[Notice, bytes] | None = None  # the latest notice, and what it looked like

    def notify(self, notices: Iterable[Notice]) -> None:
        """Owe each notice to the endpoint that gets it, and make the first attempt at once."""
        for notice in notices:
            endpoint = webhooks.endpoint_for(self._world, notice.agent_id)
            if endpoint is None:
                self._world.journal.append("delivery.unrouted", self._pacer.clock.now(), event=notice.event_type.value)
                continue
            self.attempt(self.owe(notice, endpoint, retryable=True))

    def owe(self, notice: Notice, endpoint: WebhookEndpoint, *, retryable: bool) -> Delivery:
        """Serialise the payload, once, and record the delivery."""
        self._sender.prepare()
        body = retold(notice, *self._told) if self._told else None
        if body is None:
            body = render(notice, self._world.policies, self._settings.public_url)
        self._told = notice, body
        now = self._pacer.clock.now()
        return webhooks.add_delivery(self._world, notice, endpoint, body, retryable=retryable, now=now)

    async def send_test(self, notice: Notice, endpoint: WebhookEndpoint) -> Delivery:
        """Send one test payload, once, and return the settled delivery."""
        delivery = self.owe(notice, endpoint, retryable=False)
        done: asyncio.Future[Delivery] = asyncio.get_running_loop().create_future()
        self._waiting[delivery.id] = done
        self.attempt(delivery)
        return await done

    def fire(self, kind: str, delivery_id: str) -> None:
        """A timer of ours is due: time for the next attempt, or this one took too long."""
        if kind == RETRY:
            self.attempt(self._world.deliveries[delivery_id])
        elif (task := self._attempts.get(delivery_id)) is not None:
            self._late.add(delivery_id)
            task.cancel()

    def headers(self, delivery: Delivery, endpoint: WebhookEndpoint, now: datetime, age: float = 0) -> dict[str, str]:
        """The four signed headers, with a fresh timestamp for every attempt, or one that is `age` seconds old."""
        then = now - timedelta(seconds=age)
        return self._sender.headers_for(delivery, endpoint, time.time() - age, then, self._world.policies)

    def _letter(self, struck: Struck, delivery: Delivery, endpoint: WebhookEndpoint, now: datetime) -> faults.Letter:
        """The request that is sent for a delivery that a fault has struck."""
        from simulator.runtime import faults

        return faults.write(struck, delivery, endpoint, lambda d, e, age: self.headers(d, e, now, age))

    def _key(self, kind: str, delivery_id: str) -> Key:
        return self._world.account_id, kind, delivery_id

    def attempt(self, delivery: Delivery) -> None:
        """Make the next attempt at a pending delivery now."""
        now = self._pacer.clock.now()
        endpoint = self._world.endpoints.get(delivery.endpoint_agent_id)
        # One that was held back has met its fault already.
        fair = not self._world.faults or self._world.faults.held.pop(delivery.id, ...) is not ...
        if endpoint is None:
            gone = Outcome(kind=OutcomeKind.REFUSED, error="not sent: the webhook was deleted")
            self._settle(delivery, gone, now)
            return
        struck = None if fair else self._struck("delivery", delivery, endpoint, now)
        if struck is not None and struck.fault in ("late", "reorder"):
            self._hold(delivery, struck, endpoint, now)
            return
        if struck is not None:
            from simulator.runtime import faults

            unsent = faults.unsent(struck, self._world.policies)
            if unsent is not None:
                self._settle(delivery, unsent, now)
                return
        self._pacer.start_timer(self._key(TIMEOUT, delivery.id), endpoint.timeout)
        self._attempts[delivery.id] = self._pacer.track(
            self._post(delivery, endpoint, now, struck), f"{delivery.id}: posted to {endpoint.url}"
        )

    async def _post(
        self, delivery: Delivery, endpoint: WebhookEndpoint, started: datetime, struck: Struck | None
    ) -> None:
        letter = gate = None
        try:
            if struck is None:
                headers = self.headers(delivery, endpoint, started)
                outcome = await self._sender.attempt(endpoint.url, headers, delivery.body)
            else:
                from simulator.runtime import faults

                letter = self._letter(struck, delivery, endpoint, started)
                gate = self._send_copies(struck, delivery, endpoint, letter, before=True)
                outcome = await faults.attempt(self._sender, self._pacer, letter, struck, gate)
            await self._pacer.order.turn()
        except asyncio.CancelledError:
            if delivery.id not in self._late:
                raise
            outcome = Outcome(kind=OutcomeKind.TIMED_OUT, error=_no_answer(endpoint))
        finally:
            if gate is not None:
                gate.leave()
            self._attempts.pop(delivery.id, None)
            self._late.discard(delivery.id)
            self._pacer.timers.stop(self._key(TIMEOUT, delivery.id))
        self._settle(delivery, outcome, started)
        if struck is not None and letter is not None:
            self._send_copies(struck, delivery, endpoint, letter, before=False)
        if self._world.faults.held:
            self._let_go(endpoint)

    # -- faults ------------------------------------------------------------------------------------------------

    def _struck(
        self, on: str, delivery: Delivery, endpoint: WebhookEndpoint, now: datetime, **more: int
    ) -> Struck | None:
        subject = {**delivery_subject(self._world, delivery, endpoint), **more}
        about = {"event": subject["event"], "attempt": subject["attempt"], "call_id": delivery.call_id, **more}
        hit = {name: value for name, value in about.items() if value is not None}
        return strike(self._world, on, subject, now, delivery_id=delivery.id, **hit)

    def strike_turn(self, number: int, delivery: Delivery, endpoint: WebhookEndpoint, now: datetime) -> Struck | None:
        """The fault that a voice turn's request meets; `number` is which turn of its call it is."""
        return self._struck("turn", delivery, endpoint, now, turn=number) if self._world.faults else None

    async def post_struck_turn(
        self, struck: Struck, delivery: Delivery, endpoint: WebhookEndpoint, now: datetime,
        turn_id: str, feed: Callable[[CallEvent], None],
    ) -> None:  # fmt: skip
        """POST a voice turn as the fault has it, and feed what comes of its reply."""
        from simulator.runtime import faults

        letter = self._letter(struck, delivery, endpoint, now)
        gate = self._send_copies(struck, delivery, endpoint, letter, before=True)
        try:
            await faults.post_turn(self._sender, self._pacer, letter, struck, turn_id, feed, gate)
        finally:
            if gate is not None:
                gate.leave()
        self._send_copies(struck, delivery, endpoint, letter, before=False)

    def _hold(self, delivery: Delivery, struck: Struck, endpoint: WebhookEndpoint, now: datetime) -> None:
        """Make the attempt later: when its time has come, or once another delivery has overtaken it."""
        delay = struck.span
        self._world.faults.held[delivery.id] = endpoint.id if struck.fault == "reorder" else None
        webhooks.put_off(self._world, delivery.id, now + delay)
        self._wait(delivery.id, delay)

    def _let_go(self, endpoint: WebhookEndpoint) -> None:
        """Something has been sent to `endpoint`: what was held back to be overtaken by it follows."""
        held = self._world.faults.held
        for delivery_id in [d for d, behind in held.items() if behind == endpoint.id]:
            self._pacer.timers.stop(self._key(RETRY, delivery_id))
            self.attempt(self._world.deliveries[delivery_id])

    def _send_copies(
        self, struck: Struck, delivery: Delivery, endpoint: WebhookEndpoint, letter: faults.Letter, *, before: bool
    ) -> faults.Gate | None:
        """Send what a fault sends once more, byte for byte: beside the original (`before` it is sent), or after it."""
        if before and struck.fault == "overlap":
            from simulator.runtime import faults

            gate = faults.Gate()
            self._copy(delivery, endpoint, letter, 1, 1, gate)
            return gate
        if not before and struck.fault == "duplicate":
            self._copy(delivery, endpoint, letter, 1, int(struck["copies"]))
        return None

    def _copy(
        self, delivery: Delivery, endpoint: WebhookEndpoint, letter: faults.Letter, number: int, last: int,
        gate: faults.Gate | None = None,
    ) -> None:  # fmt: skip
        """Send one copy; the next one follows when it has ended. Nothing comes of their answers, but in the journal."""
        tag = f"{delivery.id}~{number}"
        self._pacer.start_timer(self._key(TIMEOUT, tag), endpoint.timeout)
        self._attempts[tag] = self._pacer.track(self._post_copy(delivery, endpoint, letter, number, last, gate))

    async def _post_copy(
        self, delivery: Delivery, endpoint: WebhookEndpoint, letter: faults.Letter, number: int, last: int,
        gate: faults.Gate | None,
    ) -> None:  # fmt: skip
        tag, started = f"{delivery.id}~{number}", self._pacer.clock.now()
        try:
            pieces = None if gate is None else gate.pieces
            outcome = await self._sender.attempt(letter.url, letter.headers, letter.body, pieces)
            await self._pacer.order.turn()
        except asyncio.CancelledError:
            if tag not in self._late:
                raise
            outcome = Outcome(kind=OutcomeKind.TIMED_OUT, error=_no_answer(endpoint))
        finally:
            if gate is not None:
                gate.leave()
            self._attempts.pop(tag, None)
            self._late.discard(tag)
            self._pacer.timers.stop(self._key(TIMEOUT, tag))
        self._world.journal.append(
            "fault.copy", self._pacer.clock.now(), delivery_id=delivery.id, copy=number, sent_at=started,
            outcome=outcome.kind.value, http_status=outcome.http_status, error=outcome.error,
        )  # fmt: skip
        if number < last:
            self._copy(delivery, endpoint, letter, number + 1, last)

    # -- what came of it ---------------------------------------------------------------------------------------

    def _settle(self, delivery: Delivery, outcome: Outcome, started: datetime) -> None:
        settled = self.record(delivery, outcome, started)
        if settled.next_attempt_at is not None:
            self._wait(delivery.id, settled.next_attempt_at - self._pacer.clock.now())
        elif (waiter := self._waiting.pop(delivery.id, None)) is not None and not waiter.done():
            waiter.set_result(settled)

    def _wait(self, delivery_id: str, delay: timedelta) -> None:
        """Make the next attempt after `delay`; nothing may be in flight that lets time move when it ends."""
        self._pacer.start_timer(self._key(RETRY, delivery_id), delay)
        self._pacer.arm()

    def record(self, delivery: Delivery, outcome: Outcome, started: datetime, *, again: bool = False) -> Delivery:
        """Write one finished attempt down. `again`: the engine sends the same voice turn once more by itself."""
        now = self._pacer.clock.now()
        outcome = _timed(outcome, started, now)
        attempt = Attempt(number=len(delivery.attempts) + 1, at=started, outcome=outcome)
        status, due = DeliveryStatus.PENDING, None
        if not again:
            plan = plan_next(delivery, outcome, started, self._world.policies)
            if isinstance(plan, Retry):
                due = max(plan.at, now)
            else:
                status = DeliveryStatus.FAILED if isinstance(plan, Failed) else DeliveryStatus.SUCCESS
        return webhooks.record_attempt(self._world, delivery.id, attempt, status, due)

    def abandon(self) -> None:
        """Nothing is sent any more: tell those who await a test that there is nothing to await."""
        for waiter in self._waiting.values():
            if not waiter.done():
                waiter.set_exception(
                    Conflict(
                        "the account was reset, or the server stopped, while the test was under way: send it again"
                    )
                )
        self._waiting.clear()


def _no_answer(endpoint: WebhookEndpoint) -> str:
    return f"no answer within {endpoint.timeout.total_seconds():g} s"


def _timed(outcome: Outcome, started: datetime, now: datetime) -> Outcome:
    if now == started:  # as it nearly always is where time does not flow
        return outcome
    return Outcome(
        kind=outcome.kind,
        http_status=outcome.http_status,
        error=outcome.error,
        response_body=outcome.response_body,
        duration=now - started,
    )
