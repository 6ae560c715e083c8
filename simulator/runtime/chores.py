"""What becomes of records as time passes: texts arrive, numbers expire, reviews end, phones are found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

from simulator.domain.locations import LOCATING
from simulator.domain.messages import Message, MessageStatus
from simulator.domain.numbers import NumberStatus, PhoneNumber
from simulator.domain.registration import CampaignStatus, Registration
from simulator.domain.whatsapp import TEMPLATE_REVIEW, MessageTemplate, TemplateStatus
from simulator.runtime.pacer import Pacer
from simulator.world import carrier, locations, numbers, templates
from simulator.world import registration as registrations
from simulator.world.world import World

# Kinds of timers.
HANDOVER: Final = "handover"  # of a text to its recipient's carrier
EXPIRY: Final = "expiry"  # of a number
REFRESH: Final = "refresh"  # of everybody's location
REGISTRATION: Final = "registration"  # a stage of it
TEMPLATE: Final = "template"  # its review


class Chores:
    """One account's appointments. What was decided or deleted before its time has come is left alone."""

    def __init__(
        self, world: World, pacer: Pacer, *, sent: Callable[[Message], None], arrived: Callable[[Message], None]
    ) -> None:
        self._world = world
        self._pacer = pacer
        self._sent = sent  # told about a text on its way
        self._arrived = arrived  # and about one that got there
        self._due: Mapping[str, Callable[[str], object]] = {
            HANDOVER: self._settle,
            EXPIRY: self._expire,
            REFRESH: self._find_everybody,
            REGISTRATION: self._end_stage,
            TEMPLATE: self._approve_template,
        }

    def await_delivery(self, message: Message) -> None:
        """Let the carrier say, a moment later, what became of a text that was just sent."""
        message = carrier.hand_over(self._world, message.id, self._pacer.clock.now())
        self._plan(HANDOVER, message.id, carrier.delivery_time(self._world, message))
        self._sent(message)

    def await_expiry(self, number: PhoneNumber) -> None:
        """Release the number by itself at its `expires_at`, if it has one; replaces an earlier expiry."""
        until = number.expires_at
        self._plan(EXPIRY, number.id, None if until is None else until - self._pacer.clock.now())

    def await_registration(self, registration: Registration) -> None:
        """Let the registration's current stage take its time; a decided one waits for nothing more."""
        self._plan(REGISTRATION, registration.id, registrations.stage_length(registration))

    def await_template(self, template: MessageTemplate) -> None:
        """Let the review of a new template take its time. Left alone, every review ends well."""
        self._plan(TEMPLATE, template.id, TEMPLATE_REVIEW)

    def locate(self) -> None:
        """Ask every phone that shares its location where it is; the answers come in a while."""
        self._plan(REFRESH, "locations", LOCATING)

    def fire(self, kind: str, record_id: str) -> None:
        """The time has come."""
        self._due[kind](record_id)

    def _plan(self, kind: str, record_id: str, delay: timedelta | None) -> None:
        key = (self._world.account_id, kind, record_id)
        if delay is None:
            self._pacer.timers.stop(key)
        else:
            self._pacer.start_timer(key, delay)
        self._pacer.arm()

    def _settle(self, message_id: str) -> None:
        before = self._world.messages[message_id].status
        message = carrier.settle(self._world, message_id, self._pacer.clock.now())
        if message.status is MessageStatus.DELIVERED and before is not MessageStatus.DELIVERED:
            self._arrived(message)

    def _expire(self, number_id: str) -> None:
        number, now = self._world.numbers[number_id], self._pacer.clock.now()
        if number.status is NumberStatus.ACTIVE:
            numbers.release(self._world, number_id, now)
            self._world.journal.append("number.expired", now, number_id=number_id, phone_number=number.phone_number)

    def _find_everybody(self, _what: str) -> None:
        locations.find_everybody(self._world, self._pacer.clock.now())

    def _end_stage(self, registration_id: str) -> None:
        current = registrations.current(self._world)
        if current is not None and current.id == registration_id and current.status is CampaignStatus.PENDING:
            self.await_registration(registrations.advance(self._world, self._pacer.clock.now()))

    def _approve_template(self, template_id: str) -> None:
        template = self._world.message_templates.get(template_id)
        if template is not None and template.status is TemplateStatus.PENDING:
            templates.decide(self._world, template_id, approved=True, now=self._pacer.clock.now())
