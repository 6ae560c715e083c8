"""What is known about anybody's number: its line type and what the phone there can do.

First what a test has said, then the account's own numbers, then what fictional numbers are documented to be, then the
numbering plan. In North America landlines and mobiles share their number ranges; here such a number is a mobile, as
everybody in the simulation gets texts. A mobile is an iPhone unless a test says otherwise.
"""

from __future__ import annotations

from typing import Final

from simulator.domain import magic
from simulator.domain.devices import LINE_TYPES, Device
from simulator.domain.phone import line_type_of, normalise, region_of
from simulator.errors import BadRequest
from simulator.world import numbers
from simulator.world.world import World

MOST: Final = 25  # numbers in one look-up


def put(
    world: World, number: str, *, line_type: str | None = "mobile", imessage: bool | None = None, rcs: bool = False
) -> Device:
    """Say what is on a line from now on; `imessage` None is an iPhone when it is a mobile.

    Raises BadRequest for an unknown line type, or for a line that could not do what is said of it.
    """
    e164 = normalise(number)
    if line_type is not None and line_type not in LINE_TYPES:
        raise BadRequest(f"a line cannot be of type {line_type!r}: choose one of {', '.join(LINE_TYPES)}, or null")
    if line_type != "mobile" and (imessage or rcs):
        raise BadRequest(f"a line of type {line_type!r} can have neither iMessage nor RCS: only a mobile can")
    device = Device(
        number=e164,
        line_type=line_type,
        country=region_of(e164),
        imessage=line_type == "mobile" if imessage is None else imessage,
        rcs=rcs,
    )
    world.devices[e164] = device
    return device


def find(world: World, e164: str) -> Device:
    """Return what is known about an E.164 number."""
    said = world.devices.get(e164)
    if said is not None:
        return said
    own = numbers.find_active(world, e164)
    if own is not None:
        line_type: str | None = "mobile" if own.imessage else "voip"
    else:
        documented = magic.find(e164)
        line_type = documented.line_type if documented else line_type_of(e164)
    return Device(
        number=e164,
        line_type=line_type,
        country=region_of(e164),
        imessage=line_type == "mobile",
        rcs=own is None and magic.rcs_enabled(e164),
    )


def look_up(world: World, wanted: list[str]) -> list[Device]:
    """Return what is known about each number, in their order. Raises BadRequest for none, too many, or no number."""
    if not 1 <= len(wanted) <= MOST:
        raise BadRequest(f"{len(wanted)} numbers cannot be looked up at once: give 1 to {MOST}, separated by commas")
    return [find(world, normalise(number)) for number in wanted]


def capabilities(world: World, number: str) -> Device:
    """Return what can be sent to a number. Raises BadRequest without an iMessage line, which alone can find out."""
    e164 = normalise(number)
    if not any(world.numbers[number_id].imessage for number_id in world.active_numbers):
        raise BadRequest(
            f"capabilities of {e164} cannot be found out: the account has no active iMessage number; "
            'buy one with type "imessage"'
        )
    return find(world, e164)
