"""Fictional numbers with a fixed behaviour: `+1 NPA 555 01xx`, any area code; the last two digits choose it.

The range 555-0100 to 555-0199 belongs to nobody in any area code, so a mistake here never rings at a stranger's.
00, 01, 23, 43 and 50 to 99 are ordinary for good: people who answer and listen, and texts that arrive. The other
digits that the table leaves out are ordinary today.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from simulator.domain.messages import NOT_TAKEN, MessageStatus, TextOutcome

RING: Final = timedelta(seconds=2)  # about one ring: long enough to be seen, short enough not to annoy
REACTION: Final = timedelta(milliseconds=200)  # nobody puts a phone down in no time
FOREVER: Final = timedelta(hours=24)  # longer than any call lasts
INTERRUPTIONS: Final = 20  # enough for any handler to show what it does; then the call can come to an end
INTERRUPTED_AFTER: Final = timedelta(seconds=1)
_FICTIONAL: Final = re.compile(r"\+1[2-9]\d\d55501(\d\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Magic:
    """What a fictional number does when it is called, texted or looked up; what is not set is ordinary.

    `says` is said one after the other, each once the agent has finished; then the line stays open for `stays`.
    `interrupts` is said over the agent, `INTERRUPTIONS` times, each time `INTERRUPTED_AFTER` of an answer was heard.
    `greeting` is what a machine says that answers (`answer` voicemail). `patience` is how long after picking up they
    put the phone down, whatever is going on.
    """

    digits: str  # the last two
    name: str
    about: str
    answer: str = "answered"
    ring: timedelta = RING
    says: tuple[str, ...] | None = None  # None: listens for as long as the call lasts
    stays: timedelta = timedelta()
    interrupts: str | None = None
    greeting: str | None = None
    patience: timedelta | None = None
    text: TextOutcome | None = None
    line_type: str | None = "mobile"
    rcs: bool = False


def _failed(reason: str, code: str) -> TextOutcome:
    return TextOutcome(status=MessageStatus.FAILED, failure_reason=reason, code=code)


NUMBERS: Final[tuple[Magic, ...]] = (
    Magic(digits="02", name="busy", about="Calls: busy.", answer="busy"),
    Magic(
        digits="03",
        name="no answer",
        about="Calls: rings for 30 seconds, and nobody answers.",
        answer="no_answer",
        ring=timedelta(seconds=30),
    ),
    Magic(digits="04", name="call fails", about="Calls: the carrier cannot connect them.", answer="failed"),
    Magic(
        digits="05",
        name="voicemail",
        about="Calls: after 20 seconds a machine answers, says its greeting, beeps and records; after ten seconds of "
        "silence it hangs up. With a `voicemailMessage` the agent leaves that; without one the machine is a caller.",
        answer="voicemail",
        ring=timedelta(seconds=20),
        greeting="You have reached the voicemail of this number. Please leave a message after the tone.",
    ),
    Magic(
        digits="06",
        name="silent",
        about="Calls: answers, and says nothing until the other side hangs up.",
        says=(),
        stays=FOREVER,
    ),
    Magic(digits="07", name="hangs up at once", about="Calls: answers, and hangs up at once.", patience=REACTION),
    Magic(
        digits="08",
        name="hangs up mid-sentence",
        about="Calls: hangs up three seconds after answering, whoever is speaking.",
        patience=timedelta(seconds=3),
    ),
    Magic(
        digits="09",
        name="rings long",
        about="Calls: rings for 25 seconds, then answers and listens.",
        ring=timedelta(seconds=25),
    ),
    Magic(
        digits="10",
        name="speaks first",
        about="Calls: says “Hello?”, then listens.",
        says=("Hello?",),
        stays=FOREVER,
    ),
    Magic(
        digits="11",
        name="phone menu",
        about="Calls: a machine asks for a key, and hangs up after 30 seconds of silence.",
        says=("For sales, press 1. For support, press 2.",),
        stays=timedelta(seconds=30),
    ),
    Magic(
        digits="12",
        name="talks over you",
        about="Calls: answers, and speaks over whatever the agent says, one second into it, 20 times; then listens.",
        interrupts="No, wait, listen to me.",
        stays=FOREVER,
    ),
    Magic(
        digits="20",
        name="opted out",
        about="Texts: fail, the recipient has opted out.",
        text=_failed("the recipient has opted out of texts", "OPTED_OUT"),
    ),
    Magic(
        digits="21",
        name="landline",
        about="Texts: fail, the number is a landline. Look-up: landline.",
        text=_failed("the number is a landline and cannot receive texts", "LANDLINE"),
        line_type="landline",
    ),
    Magic(
        digits="22",
        name="undelivered",
        about="Texts: are taken, then fail at the carrier.",
        text=_failed("the carrier could not deliver the text", "UNDELIVERED"),
    ),
    Magic(
        digits="24",
        name="unreachable",
        about="Texts: fail, the phone cannot be reached.",
        text=_failed("the phone is switched off or out of reach", "UNREACHABLE"),
    ),
    Magic(
        digits="25",
        name="delivery unconfirmed",
        about="Texts: 409 `DELIVERY_UNCONFIRMED`; it may have been sent, so do not repeat it.",
        text=TextOutcome(status=MessageStatus.SENT, code="DELIVERY_UNCONFIRMED"),
    ),
    Magic(
        digits="26",
        name="delayed",
        about="Texts: arrive ten minutes later.",
        text=TextOutcome(status=MessageStatus.DELIVERED, delay=timedelta(minutes=10)),
    ),
    Magic(
        digits="27",
        name="filtered",
        about="Texts: are taken, then blocked by the carrier's spam filter.",
        text=_failed("the carrier's spam filter blocked the text", "CARRIER_FILTERED"),
    ),
    Magic(
        digits="28",
        name="carrier error",
        about="Texts: 502 `CARRIER_ERROR`, the carrier does not take them; nothing was sent.",
        text=_failed("the carrier does not take texts for this number", NOT_TAKEN),
    ),
    Magic(digits="30", name="mobile", about="Look-up: mobile."),
    Magic(digits="31", name="mobile with RCS", about="Look-up: mobile, RCS enabled.", rcs=True),
    Magic(digits="32", name="VoIP", about="Look-up: VoIP.", line_type="voip"),
    Magic(digits="33", name="toll-free", about="Look-up: toll-free.", line_type="toll_free"),
    Magic(
        digits="34",
        name="not in service",
        about="Calls and texts fail. Look-up: no line type.",
        answer="failed",
        text=_failed("the number is not in service", "NOT_IN_SERVICE"),
        line_type=None,
    ),
)
_BY_DIGITS: Final[Mapping[str, Magic]] = {magic.digits: magic for magic in NUMBERS}


def find(number: str) -> Magic | None:
    """Return what an E.164 number is documented to do, or None when it is an ordinary one."""
    fictional = _FICTIONAL.fullmatch(number)
    return _BY_DIGITS.get(fictional[1]) if fictional else None


def is_fictional(number: str) -> bool:
    """Whether an E.164 number is in the range that belongs to nobody."""
    return _FICTIONAL.fullmatch(number) is not None


def line_type(number: str) -> str | None:
    """Return the line type of a fictional number: an ordinary one is a mobile. None for a number not in service."""
    magic = find(number)
    return "mobile" if magic is None else magic.line_type


def rcs_enabled(number: str) -> bool:
    """Whether a fictional number can receive RCS."""
    magic = find(number)
    return magic is not None and magic.rcs
