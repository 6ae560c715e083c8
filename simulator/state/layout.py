"""What of a world is written down, and how it is put together again: records only.

Indexes and counts are not written. They come about as records are stored, in the order in which they were made, so a
file cannot say one thing in a record and another in an index.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final

from simulator.domain.accounts import SubAccount
from simulator.domain.agents import Agent
from simulator.domain.calls import Call
from simulator.domain.cards import ContactCard
from simulator.domain.contacts import Contact
from simulator.domain.devices import Device
from simulator.domain.fault_rules import FaultRule, FaultSpec
from simulator.domain.feedback import Feedback
from simulator.domain.findings import Finding
from simulator.domain.limits import Limits
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
from simulator.engine.faults import Count
from simulator.engine.hosted_events import Line
from simulator.errors import UnknownPolicy, UsageError
from simulator.state.codec import Unreadable, codec, decode, encode
from simulator.world import calls
from simulator.world.journal import Journal
from simulator.world.limits import Window
from simulator.world.people import Person
from simulator.world.world import World

# Maps of records that hold their own key, with the name of the field that it is in.
RECORDS: Final[Mapping[str, tuple[type, str]]] = {
    "agents": (Agent, "id"),
    "numbers": (PhoneNumber, "id"),
    "contacts": (Contact, "id"),
    "calls": (Call, "id"),
    "conversations": (Conversation, "id"),
    "messages": (Message, "id"),
    "deliveries": (Delivery, "id"),
    "endpoints": (WebhookEndpoint, "agent_id"),
    "people": (Person, "number"),
    "sub_accounts": (SubAccount, "id"),
    "devices": (Device, "number"),
    "locations": (SharedLocation, "number"),
    "feedback": (Feedback, "id"),
    "registrations": (Registration, "id"),
    "trunks": (SipTrunk, "id"),
    "verifications": (Verification, "id"),
    "sign_ups": (SignUp, "id"),
    "whatsapp_connections": (WhatsAppConnection, "id"),
    "message_templates": (MessageTemplate, "id"),
    "text_threads": (TextThread, "id"),
    "ledger": (Entry, "id"),
}
# Maps whose keys say something that their values do not: the types of both.
PAIRS: Final[Mapping[str, tuple[Any, Any]]] = {
    "cards": (str, ContactCard),
    "hosted_lines": (str | None, tuple[Line, ...]),
    "sold_out": (str, None),
    "opted_out": (tuple[str, str], None),
    "windows": (tuple[str, int], Window),
    "first_texts": (tuple[str, date], int),
}
SCALARS: Final[Mapping[str, Any]] = {
    "recording_since": datetime | None,
    "locating_since": datetime | None,
    "sequence": int,
    "limits": Limits,
    "webhook_secret": str | None,
}
# Written in their own way, by `written`.
APART: Final = ("account_id", "policies", "journal", "entropy", "findings", "begun", "faults")
# Not written: made again from the records.
MADE_AGAIN: Final = (
    *("contact_ids", "number_ids", "active_numbers", "agent_numbers", "live_calls", "web_calls", "threads"),
    *(
        "groups",
        "group_threads",
        "texters",
        "recent_conversations",
        "conversation_messages",
        "number_messages",
        "tally",
    ),
)
# Fields that name records of another map; None names nothing.
NAMED: Final = (
    ("numbers", "agent_id", "agents"),
    ("endpoints", "agent_id", "agents"),
    ("calls", "number_id", "numbers"),
    ("conversations", "number_id", "numbers"),
    ("messages", "number_id", "numbers"),
    ("messages", "conversation_id", "conversations"),
    ("messages", "reply_to_message_id", "messages"),
    ("deliveries", "message_id", "messages"),
    ("deliveries", "call_id", "calls"),
    ("text_threads", "number_id", "numbers"),
    ("text_threads", "conversation_id", "conversations"),
    ("message_templates", "connection_id", "whatsapp_connections"),
)
UNIQUE: Final = (("numbers", "phone_number"), ("contacts", "phone_number"))

Records = dict[str, dict[Any, Any]]


def written(world: World) -> dict[str, Any]:
    """Give a world as JSON. Its journal stays behind; how many entries it had does not."""
    text: dict[str, Any] = {
        "account_id": world.account_id,
        "policies": policies_text(world.policies),
        "seed": str(world.entropy.seed),  # as a text: JSON numbers of many programs are too small for it
        "ids_made": world.entropy.used,
        "journal_entries": world.journal.last_seq,
    }
    text |= {name: encode(kind, getattr(world, name)) for name, kind in SCALARS.items()}
    for name, (kind, _) in RECORDS.items():
        write = codec(kind).encode
        text[name] = [write(record) for record in getattr(world, name).values()]
    for name, (key, kind) in PAIRS.items():
        text[name] = [
            encode(key, each) if kind is None else [encode(key, each), encode(kind, value)]
            for each, value in getattr(world, name).items()
        ]
    text["findings"] = [encode(Finding, finding) for found in world.findings.values() for finding in found]
    text["faults"] = {
        "rules": [
            [encode(FaultRule, rule), encode(Count, world.faults.counts[rule.id])]
            for rule in world.faults.rules.values()
        ],
        "held": [[delivery, endpoint] for delivery, endpoint in world.faults.held.items()],
    }
    # Whoever has answered by an earlier script than their present one has not answered yet.
    text["begun"] = [
        [number_id, sorted(members), member]
        for ((number_id, members), member), steps in world.begun.items()
        if member in world.people and world.people[member].text_steps is steps
    ]
    return text


def policies_text(policies: Policies) -> dict[str, Any]:
    """Give policies as JSON: a contract, and what is not as it says."""
    usual = dict(Policies(policies.contract).items())
    return {
        "contract": policies.contract,
        "overrides": {name: value for name, value in policies.items() if usual[name] != value},
    }


def policies_of(value: Any) -> Policies:
    """Read policies. Raises Unreadable."""
    found = fields_of(value, ("contract", "overrides"))
    overrides = decode(Mapping[str, str], found["overrides"])
    try:
        return Policies(decode(str, found["contract"]), overrides)
    except UnknownPolicy as error:
        raise Unreadable(str(error)) from None


def world_of(value: Any, journal_limit: int) -> World:
    """Put a world together again. Raises Unreadable naming the place of what is wrong."""
    own = ("account_id", "policies", "seed", "ids_made", "journal_entries", "findings", "begun", "faults")
    text = fields_of(value, (*own, *SCALARS, *RECORDS, *PAIRS))
    world = World(
        account_id=_at("account_id", str, text),
        seed=seed_of(text["seed"]),
        policies=_inside("policies", lambda: policies_of(text["policies"])),
        journal=Journal(journal_limit),
    )
    world.journal.go_on(_count("journal_entries", text["journal_entries"]))
    used = _at("ids_made", Mapping[str, int], text)
    world.entropy.go_on({name: _count(f"ids_made.{name}", made) for name, made in used.items()})
    for name, kind in SCALARS.items():
        setattr(world, name, _at(name, kind, text))
    records = {name: _records(name, text[name]) for name in RECORDS}
    _check(records)
    _store(world, records)
    for name, (key, kind) in PAIRS.items():
        setattr(world, name, dict(_pairs(name, key, kind, text[name])))
    for finding in _at("findings", tuple[Finding, ...], text):
        if finding.call_id not in world.calls:
            raise Unreadable(f"call {finding.call_id!r} does not exist", ("findings",))
        calls.add_finding(world, finding)
    _inside("faults", lambda: _break(world, text["faults"]))
    _begin(world, _at("begun", tuple[tuple[str, frozenset[str], str], ...], text))
    _check_pairs(world)
    return world


def seed_of(value: Any) -> int:
    """Read a seed: a whole number, written as a text. Raises Unreadable."""
    if not isinstance(value, str) or not value.removeprefix("-").isdecimal() or not value.isascii() or len(value) > 40:
        raise Unreadable("should be a whole number, written as a text", ("seed",))
    return int(value)


def _count(name: str, value: Any) -> int:
    if type(value) is not int or value < 0:
        raise Unreadable("should be a whole number from 0", (name,))
    return value


def fields_of(value: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """Check that an object has exactly these fields. Raises Unreadable."""
    if not isinstance(value, dict):
        raise Unreadable("should be an object")
    if unknown := sorted(value.keys() - set(names)):
        raise Unreadable(f"{unknown[0]!r} is nothing that this version knows")
    if missing := [name for name in names if name not in value]:
        raise Unreadable(f"{', '.join(missing)} is missing")
    return value


def _inside(name: str, read: Callable[[], Any]) -> Any:
    try:
        return read()
    except Unreadable as error:
        raise error.inside(name) from None


def _at(name: str, kind: Any, text: Mapping[str, Any]) -> Any:
    return _inside(name, lambda: decode(kind, text[name]))


def _records(name: str, value: Any) -> dict[Any, Any]:
    kind, key = RECORDS[name]
    found: dict[Any, Any] = {}
    every: Any = tuple[kind, ...]  # type: ignore[valid-type]
    for record in _inside(name, lambda: decode(every, value)):
        if getattr(record, key) in found:
            raise Unreadable(f"{getattr(record, key)!r} is there twice", (name,))
        found[getattr(record, key)] = record
    return found


def _pairs(name: str, key: Any, kind: Any, value: Any) -> Iterator[tuple[Any, Any]]:
    whole = tuple[key, ...] if kind is None else tuple[tuple[key, kind], ...]
    for pair in _inside(name, lambda: decode(whole, value)):
        yield (pair, None) if kind is None else pair


def _check(records: Records) -> None:
    for name, field, other in NAMED:
        for key, record in records[name].items():
            wanted = getattr(record, field)
            invented = isinstance(record, Delivery) and record.test  # the text of a test was never stored
            if wanted is not None and wanted not in records[other] and not invented:
                raise Unreadable(f"{field} {wanted!r} is not in {other}", (name, str(key)))
    for name, field in UNIQUE:
        values = [getattr(record, field) for record in records[name].values()]
        if len(set(values)) < len(values):
            raise Unreadable(f"two of them have the same {field}", (name,))
    for connection in records["whatsapp_connections"].values():
        if lost := [number for number in connection.number_ids if number not in records["numbers"]]:
            raise Unreadable(f"number_ids {lost[0]!r} is not in numbers", ("whatsapp_connections", connection.id))
    empty = records["conversations"].keys() - {message.conversation_id for message in records["messages"].values()}
    if empty:
        raise Unreadable(f"{min(empty)} has no messages", ("conversations",))


def _check_pairs(world: World) -> None:
    places: dict[str, tuple[Iterable[Any], Mapping[str, Any]]] = {
        "cards": (world.cards, world.numbers),
        "hosted_lines": ([key for key in world.hosted_lines if key is not None], world.agents),
        "opted_out": ([number for number, _ in world.opted_out], world.numbers),
        "first_texts": ([number for number, _ in world.first_texts], world.numbers),
    }
    for name, (keys, there) in places.items():
        if lost := [key for key in keys if key not in there]:
            raise Unreadable(f"{lost[0]!r} does not exist", (name,))


def _store(world: World, records: Records) -> None:
    for agent in records["agents"].values():
        world.store_agent(agent)
    for number in records["numbers"].values():
        world.store_number(replace(number, agent_id=None))
    for number in sorted(records["numbers"].values(), key=lambda number: number.attached_at):
        world.store_number(number)
    for contact in records["contacts"].values():
        world.store_contact(contact)
    for call in records["calls"].values():
        world.store_call(call)
    for message in records["messages"].values():
        world.store_message(message, records["conversations"][message.conversation_id])
    for thread in records["text_threads"].values():
        world.store_text_thread(thread)
    for delivery in records["deliveries"].values():
        world.store_delivery(delivery)
    stored = {"agents", "numbers", "contacts", "calls", "conversations", "messages", "text_threads", "deliveries"}
    for name in RECORDS.keys() - stored:
        setattr(world, name, records[name])


def _break(world: World, value: Any) -> None:
    """Let go wrong what is to go wrong."""
    text = fields_of(value, ("rules", "held"))
    for rule, count in decode(tuple[tuple[FaultRule, Count], ...], text["rules"]):
        _check_rule(rule)
        if rule.id in world.faults.rules:
            raise Unreadable(f"{rule.id!r} is there twice", ("rules",))
        world.faults.add(rule)
        world.faults.counts[rule.id] = count
    for delivery_id, endpoint_id in decode(tuple[tuple[str, str | None], ...], text["held"]):
        if delivery_id not in world.deliveries:
            raise Unreadable(f"delivery {delivery_id!r} does not exist", ("held",))
        world.faults.held[delivery_id] = endpoint_id


def _check_rule(rule: FaultRule) -> None:
    """Raise Unreadable for a rule that nobody could have made."""
    spec = rule.spec
    words: dict[str, Any] = {name: getattr(spec, name) for name in ("on", "fault", "match", "times", "skip")}
    seconds = None if spec.expires_in is None else spec.expires_in.total_seconds()
    try:
        made = FaultSpec.of({**words, **spec.parameters, "probability": spec.probability, "expires_in": seconds})
    except UsageError as error:
        raise Unreadable(str(error), ("rules", rule.id)) from None
    if made != spec:
        raise Unreadable("it is not written as rules are", ("rules", rule.id))


def _begin(world: World, begun: tuple[tuple[str, frozenset[str], str], ...]) -> None:
    for number_id, members, member in begun:
        person = world.people.get(member)
        if person is None or person.text_steps is None:
            raise Unreadable(f"{member!r} has no script", ("begun",))
        world.begun[(number_id, members), member] = person.text_steps
