"""One account's truth: maps of frozen records by id, and the few indexes that keep look-ups cheap.

Three rules hold in this room:

1. Whatever is indexed is written through a `store_…` method below, so that records and indexes never disagree.
2. The maps hold immutable values only. Copying the maps is a snapshot.
3. The modules beside this one check everything first and write afterwards; a refused command changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING

from simulator.domain.limits import Limits
from simulator.domain.numbers import NumberStatus
from simulator.engine.faults import Faults
from simulator.errors import NotFound
from simulator.world.entropy import Entropy
from simulator.world.journal import Journal
from simulator.world.tally import Tally

if TYPE_CHECKING:
    from simulator.domain.accounts import SubAccount
    from simulator.domain.agents import Agent
    from simulator.domain.calls import Call
    from simulator.domain.cards import ContactCard
    from simulator.domain.contacts import Contact
    from simulator.domain.devices import Device
    from simulator.domain.feedback import Feedback
    from simulator.domain.findings import Finding
    from simulator.domain.locations import SharedLocation
    from simulator.domain.messages import Conversation, Message
    from simulator.domain.money import Entry
    from simulator.domain.numbers import PhoneNumber
    from simulator.domain.policy import Policies
    from simulator.domain.registration import Registration
    from simulator.domain.text_threads import TextThread
    from simulator.domain.trunks import SipTrunk
    from simulator.domain.verification import SignUp, Verification
    from simulator.domain.webhooks import Delivery, WebhookEndpoint
    from simulator.domain.whatsapp import MessageTemplate, WhatsAppConnection
    from simulator.engine.hosted_events import Line
    from simulator.engine.thread_script import ThreadStep
    from simulator.world.limits import Window
    from simulator.world.people import Person
    from simulator.world.texters import Pair


class Chain:
    """Ids grouped under a key and read from the newest back, as two flat maps.

    A list per key would have to be copied for every snapshot, and a tuple per key for every message.
    """

    __slots__ = ("last", "previous")

    def __init__(self) -> None:
        self.last: dict[str, str] = {}
        self.previous: dict[str, str | None] = {}

    def copy(self) -> Chain:
        """The same ids, on their own."""
        made = Chain()
        made.last, made.previous = self.last.copy(), self.previous.copy()
        return made

    def add(self, key: str, record_id: str) -> None:
        """Put the newest id under `key`."""
        self.previous[record_id] = self.last.get(key)
        self.last[key] = record_id

    def newest_first(self, key: str) -> Iterator[str]:
        """Walk the ids under `key`, newest first."""
        record_id = self.last.get(key)
        while record_id is not None:
            yield record_id
            record_id = self.previous[record_id]


class World:
    """The records of one account. Maps keep the order of creation."""

    def __init__(self, *, account_id: str, seed: int, policies: Policies, journal: Journal) -> None:
        self.account_id = account_id
        self.policies = policies
        self.journal = journal
        self.entropy = Entropy(seed)
        self.recording_since: datetime | None = None  # when the recording add-on was switched on
        self.locating_since: datetime | None = None  # a refresh of locations is under way
        self.sequence = 0  # counts messages, deliveries and attachments; settles what came first

        self.agents: dict[str, Agent] = {}
        self.numbers: dict[str, PhoneNumber] = {}
        self.calls: dict[str, Call] = {}
        self.conversations: dict[str, Conversation] = {}
        self.messages: dict[str, Message] = {}
        self.deliveries: dict[str, Delivery] = {}
        self.endpoints: dict[str | None, WebhookEndpoint] = {}  # None: the account's own
        self.people: dict[str, Person] = {}  # by E.164 number
        self.sub_accounts: dict[str, SubAccount] = {}  # an account's only: they have none of their own
        self.contacts: dict[str, Contact] = {}
        self.cards: dict[str, ContactCard] = {}  # by number id
        self.devices: dict[str, Device] = {}  # by E.164 number, where a test has said what is there
        self.locations: dict[str, SharedLocation] = {}  # by E.164 number
        self.feedback: dict[str, Feedback] = {}
        self.registrations: dict[str, Registration] = {}  # the last one counts
        self.trunks: dict[str, SipTrunk] = {}
        self.verifications: dict[str, Verification] = {}
        self.sign_ups: dict[str, SignUp] = {}  # the first account's only
        self.whatsapp_connections: dict[str, WhatsAppConnection] = {}
        self.message_templates: dict[str, MessageTemplate] = {}
        self.hosted_lines: dict[str | None, tuple[Line, ...]] = {}  # by agent id; None: for agents without their own
        self.sold_out: dict[str, None] = {}  # countries and area codes that have no numbers to sell

        self.contact_ids: dict[str, str] = {}  # by E.164 number
        self.number_ids: dict[str, str] = {}  # by E.164 number; released numbers stay, so none is sold twice
        self.active_numbers: dict[str, None] = {}  # ids in order of purchase
        self.agent_numbers: dict[str, tuple[str, ...]] = {}  # number ids in order of attachment
        self.live_calls: dict[str, None] = {}
        self.web_calls: dict[str, str] = {}  # call ids by access token, used or not
        self.threads: dict[tuple[str, str], str] = {}  # (number id, other party or group id) -> conversation id
        self.groups: dict[tuple[str, frozenset[str]], str] = {}  # (number id, members) -> conversation id
        self.group_threads: dict[str, str] = {}  # group id -> conversation id
        self.opted_out: dict[tuple[str, str], None] = {}  # (number id, who told it to STOP)
        self.text_threads: dict[str, TextThread] = {}  # of people who text by a script
        self.begun: dict[tuple[Pair, str], tuple[ThreadStep, ...]] = {}  # the script that somebody last answered by
        self.findings: dict[str, tuple[Finding, ...]] = {}  # by call id: what the handler did badly
        self.texters: dict[Pair, tuple[str, ...]] = {}  # each one's last thread, by who is in it
        self.recent_conversations: dict[str, None] = {}  # ids, least recent activity first
        self.conversation_messages = Chain()
        self.number_messages = Chain()

        self.tally = Tally()
        self.faults = Faults()
        self.limits = Limits()
        self.webhook_secret: str | None = None  # signs for every endpoint; None: each registration makes one
        self.ledger: dict[str, Entry] = {}
        self.windows: dict[tuple[str, int], Window] = {}  # (operation, seconds) -> requests so far
        self.first_texts: dict[tuple[str, date], int] = {}  # (number id, UTC day) -> people texted first

    def next_sequence(self) -> int:
        """Count one more thing that happened in this account."""
        self.sequence += 1
        return self.sequence

    def require_agent(self, agent_id: str) -> Agent:
        """Return an agent. Raises NotFound naming the id."""
        agent = self.agents.get(agent_id)
        if agent is None:
            raise NotFound(f"agent {agent_id!r} does not exist in this account")
        return agent

    def store_agent(self, agent: Agent) -> Agent:
        """Write an agent down, new or changed."""
        self.agents[agent.id] = agent
        return agent

    def store_number(self, number: PhoneNumber) -> PhoneNumber:
        """Write a number down, new or changed, and keep its agent's list of numbers."""
        before = self.numbers.get(number.id)
        self.numbers[number.id] = number
        self.number_ids[number.phone_number] = number.id
        if number.status is NumberStatus.ACTIVE:
            self.active_numbers[number.id] = None
        else:
            self.active_numbers.pop(number.id, None)
        owner = before.agent_id if before else None
        if owner != number.agent_id:
            if owner is not None:
                self.agent_numbers[owner] = tuple(n for n in self.agent_numbers[owner] if n != number.id)
            if number.agent_id is not None:
                self.agent_numbers[number.agent_id] = (*self.agent_numbers.get(number.agent_id, ()), number.id)
        return number

    def store_contact(self, contact: Contact) -> Contact:
        """Write a contact down, new or changed, and find it by its number from now on."""
        before = self.contacts.get(contact.id)
        if before is not None:
            del self.contact_ids[before.phone_number]
        self.contacts[contact.id] = contact
        self.contact_ids[contact.phone_number] = contact.id
        return contact

    def forget_contact(self, contact: Contact) -> Contact:
        """Drop a contact."""
        del self.contacts[contact.id]
        del self.contact_ids[contact.phone_number]
        return contact

    def store_call(self, call: Call) -> Call:
        """Write a call down, new or changed, and keep the list of live ones."""
        self.tally.call(self.calls.get(call.id), call)
        self.calls[call.id] = call
        if call.live:
            self.live_calls[call.id] = None
        else:
            self.live_calls.pop(call.id, None)
        if call.access_token is not None:
            self.web_calls[call.access_token] = call.id
        return call

    def store_message(self, message: Message, conversation: Conversation) -> tuple[Message, Conversation]:
        """Write a new message down together with its conversation, which becomes the most recently active one."""
        self.tally.message(message)
        self.messages[message.id] = message
        self.conversation_messages.add(conversation.id, message.id)
        self.number_messages.add(message.number_id, message.id)
        self.conversations[conversation.id] = conversation
        self.threads[conversation.number_id, conversation.participant] = conversation.id
        if conversation.group is not None:
            self.groups[conversation.number_id, frozenset(conversation.group.members)] = conversation.id
            self.group_threads[conversation.group.id] = conversation.id
        self.recent_conversations.pop(conversation.id, None)
        self.recent_conversations[conversation.id] = None
        return message, conversation

    def store_text_thread(self, thread: TextThread) -> TextThread:
        """Write a scripted thread down, new or changed; a new one takes the place of the same person's before it."""
        if thread.id not in self.text_threads:
            pair = thread.number_id, thread.members
            before = (self.text_threads[thread_id] for thread_id in self.texters.get(pair, ()))
            others = (other.id for other in before if other.from_number != thread.from_number)
            self.texters[pair] = (*others, thread.id)
        self.text_threads[thread.id] = thread
        return thread

    def store_delivery(self, delivery: Delivery) -> Delivery:
        """Write a delivery down, new or changed."""
        self.tally.delivery(self.deliveries.get(delivery.id), delivery)
        self.deliveries[delivery.id] = delivery
        return delivery

    def forget_agent(self, agent_id: str) -> None:
        """Drop an agent, its webhook endpoint and its list of numbers."""
        del self.agents[agent_id]
        self.endpoints.pop(agent_id, None)
        self.hosted_lines.pop(agent_id, None)
        self.agent_numbers.pop(agent_id, None)
