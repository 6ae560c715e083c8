"""The other end of a text: a telephone, a short code, an Apple ID, or several of them in a group."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from simulator.domain.messages import Conversation
from simulator.domain.numbers import PhoneNumber
from simulator.domain.phone import normalise, service_number
from simulator.errors import BadRequest, Forbidden, NotFound
from simulator.world import threads
from simulator.world.world import World

GROUP: Final = "grp_"  # what ids of groups begin with; an address that does is nothing else
LONGEST_ADDRESS: Final = 254  # characters, as in e-mail
SMALLEST_GROUP: Final = 2  # besides our number
LARGEST_GROUP: Final = 32
_SHORT_CODE: Final = re.compile(r"\d{5,6}")
_ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """The other end of a thread: one party, or the members of a group that may have to be opened yet."""

    party: str  # a group's id, or "" until it has one
    members: frozenset[str] | None = None
    conversation: Conversation | None = None

    @property
    def in_group(self) -> bool:
        """Whether there are several."""
        return self.members is not None

    def __str__(self) -> str:
        return self.party or f"a group of {len(self.members or ())}"


def is_address(party: str) -> bool:
    """Whether this is an e-mail address, which on iMessage is an Apple ID."""
    return "@" in party


def is_short_code(party: str) -> bool:
    """Whether these are the five or six digits that companies text from."""
    return _SHORT_CODE.fullmatch(party) is not None


def read(text: str) -> str:
    """Return a party as it is stored: a number in E.164, a short code, or an e-mail address in lower case.

    Raises BadRequest naming what is none of these.
    """
    if is_short_code(text):
        return text
    if not is_address(text):
        return normalise(text)
    if len(text) > LONGEST_ADDRESS or _ADDRESS.fullmatch(text) is None:
        raise BadRequest(f"{text[:LONGEST_ADDRESS]!r} is not an e-mail address: give one like ada@example.com")
    return text.lower()


def recipient(text: str) -> str:
    """Read whom a text goes to, as `read` does. Raises Forbidden for emergency and service numbers."""
    service = service_number(text) if not is_address(text) else None
    if service is not None:
        raise Forbidden(f"{text!r} cannot be texted: {service} is an emergency or service number")
    return read(text)


def group_of(number: PhoneNumber, parties: Iterable[str]) -> frozenset[str]:
    """Check who would be in a group with `number`. Raises BadRequest for a line, a size or a member that cannot be."""
    members = frozenset(parties)
    if not number.imessage:
        raise BadRequest(f"{number.phone_number} has no groups: it is an sms line, and groups need an iMessage number")
    if number.phone_number in members:
        raise BadRequest(f"{number.phone_number} cannot text itself: leave it out of the group's members")
    for member in sorted(members):
        if is_short_code(member):
            raise BadRequest(f"short code {member} cannot be in a group: give phone numbers or e-mail addresses")
    if not SMALLEST_GROUP <= len(members) <= LARGEST_GROUP:
        raise BadRequest(
            f"a group of {len(members)} cannot be: give {SMALLEST_GROUP} to {LARGEST_GROUP} different members "
            "besides the account's number"
        )
    return members


def group_thread(world: World, group_id: str) -> Conversation:
    """Return the conversation of a group. Raises NotFound naming the id."""
    conversation_id = world.group_threads.get(group_id)
    if conversation_id is None:
        raise NotFound(f"group {group_id!r} does not exist in this account")
    return world.conversations[conversation_id]


def rename_group(world: World, conversation_id: str, name: str) -> Conversation:
    """Give a group a name. Raises NotFound, and BadRequest for a blank name or a conversation that is no group."""
    conversation = threads.get_conversation(world, conversation_id)
    if conversation.group is None:
        raise BadRequest(f"{conversation.id} is no group, so it cannot have a name: leave group_name out")
    if not name.strip():
        raise BadRequest(f"a group cannot be called {name!r}: give it a name")
    conversation = replace(conversation, group=replace(conversation.group, name=name))
    world.conversations[conversation.id] = conversation
    return conversation


def check_not_oneself(sender: str, receiver: str) -> None:
    """Raise BadRequest for a text from a number to itself."""
    if sender == receiver:
        raise BadRequest(f"{sender} cannot text itself: give another number")


def named_group(world: World, to_number: str | None) -> Conversation | None:
    """Return the conversation of the group that `to_number` is the id of, or None when it is no such id.

    Raises NotFound for a group that does not exist.
    """
    is_group = to_number is not None and to_number.startswith(GROUP)
    return group_thread(world, to_number) if to_number is not None and is_group else None


def of_sending(
    world: World,
    number: PhoneNumber,
    to_number: str | None,
    recipients: Sequence[str] | None,
    group: Conversation | None,
) -> End:
    """Work out whom a text goes to. Raises BadRequest and Forbidden; nothing is opened yet."""
    if recipients is not None:
        if to_number is not None:
            raise BadRequest("to_number and recipients cannot both be given: a text goes to one party or to a group")
        return _together(world, number, [recipient(one) for one in recipients])
    if to_number is None:
        raise BadRequest("nobody to send to: give to_number, or recipients for a group")
    if group is not None:
        return _known_group(number, group)
    receiver = recipient(to_number)
    check_not_oneself(number.phone_number, receiver)
    return _alone(world, number, receiver)


def of_receiving(
    world: World, number: PhoneNumber, sender: str, group_id: str | None, members: Iterable[str] | None
) -> End:
    """Work out which thread a text from `sender` belongs to. Raises BadRequest and NotFound; nothing is opened yet."""
    if group_id is not None:
        if members is not None:
            raise BadRequest("group_id and the group's participants cannot both be given: one of them says which group")
        end = _known_group(number, group_thread(world, group_id))
        if sender not in (end.members or ()):
            raise BadRequest(f"{sender} cannot text {group_id}: only its members can, {', '.join(end.members or ())}")
        return end
    if members is None:
        return _alone(world, number, sender)
    everybody = {sender, *map(read, members)} - {number.phone_number}
    return _together(world, number, everybody)


def _alone(world: World, number: PhoneNumber, party: str) -> End:
    thread = world.threads.get((number.id, party))
    return End(party=party, conversation=world.conversations[thread] if thread else None)


def _together(world: World, number: PhoneNumber, members: Iterable[str]) -> End:
    together = group_of(number, members)
    thread = world.groups.get((number.id, together))
    if thread is None:
        return End(party="", members=together)
    return _known_group(number, world.conversations[thread])


def _known_group(number: PhoneNumber, conversation: Conversation) -> End:
    group = conversation.group
    if group is None or conversation.number_id != number.id:
        raise BadRequest(
            f"group {conversation.participant} is not one of {number.phone_number}: use {conversation.phone_number}"
        )
    return End(party=group.id, members=frozenset(group.members), conversation=conversation)
