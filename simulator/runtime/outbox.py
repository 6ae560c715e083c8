"""Payloads on their way to webhook endpoints: first attempts, retries on the clock, tests that somebody awaits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from datetime import datetime

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
from simulator.runtime.pacer import Key, Pacer
from simulator.settings import Settings
from simulator.wire.payloads import render, retold
from simulator.world import webhooks
from simulator.world.world import World

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
            self._attempt(self.owe(notice, endpoint, retryable=True))

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
        self._attempt(delivery)
        return await done

    def fire(self, kind: str, delivery_id: str) -> None:
        """A timer of ours is due: time for the next attempt, or this one took too long."""
        if kind == RETRY:
            self._attempt(self._world.deliveries[delivery_id])
        elif (task := self._attempts.get(delivery_id)) is not None:
            self._late.add(delivery_id)
            task.cancel()

    def headers(self, delivery: Delivery, endpoint: WebhookEndpoint, now: datetime) -> dict[str, str]:
        """The four signed headers, with a fresh timestamp for every attempt."""
        return self._sender.headers_for(delivery, endpoint, time.time(), now, self._world.policies)

    def _key(self, kind: str, delivery_id: str) -> Key:
        return self._world.account_id, kind, delivery_id

    def _attempt(self, delivery: Delivery) -> None:
        now = self._pacer.clock.now()
        endpoint = self._world.endpoints.get(delivery.endpoint_agent_id)
        if endpoint is None:
            gone = Outcome(kind=OutcomeKind.REFUSED, error="not sent: the webhook was deleted")
            self._settle(delivery, gone, now)
            return
        self._pacer.start_timer(self._key(TIMEOUT, delivery.id), endpoint.timeout)
        self._attempts[delivery.id] = self._pacer.track(self._post(delivery, endpoint, now))

    async def _post(self, delivery: Delivery, endpoint: WebhookEndpoint, started: datetime) -> None:
        try:
            outcome = await self._sender.attempt(endpoint.url, self.headers(delivery, endpoint, started), delivery.body)
        except asyncio.CancelledError:
            if delivery.id not in self._late:
                raise
            seconds = endpoint.timeout.total_seconds()
            outcome = Outcome(kind=OutcomeKind.TIMED_OUT, error=f"no answer within {seconds:g} s")
        finally:
            self._attempts.pop(delivery.id, None)
            self._late.discard(delivery.id)
            self._pacer.timers.stop(self._key(TIMEOUT, delivery.id))
        self._settle(delivery, outcome, started)

    def _settle(self, delivery: Delivery, outcome: Outcome, started: datetime) -> None:
        settled = self.record(delivery, outcome, started)
        if settled.next_attempt_at is not None:
            self._pacer.start_timer(self._key(RETRY, delivery.id), settled.next_attempt_at - self._pacer.clock.now())
        elif (waiter := self._waiting.pop(delivery.id, None)) is not None and not waiter.done():
            waiter.set_result(settled)

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
        """The account is emptied: tell those who await a test that there is nothing to await any more."""
        for waiter in self._waiting.values():
            if not waiter.done():
                waiter.set_exception(Conflict("the account was reset while the test was under way: send it again"))
        self._waiting.clear()


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
