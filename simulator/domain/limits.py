"""What an account may do at most: data. Every limit is off until somebody sets it.

A limit is a whole number, "documented" (the platform's own figure, where one is known), or None: off. Its name is the
same in `Settings.limits`, after `serve --limit`, and in `/_sim/limits`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Final, Literal, NamedTuple

from simulator.errors import UsageError

DOCUMENTED: Final = "documented"
OFF: Final = "off"
LARGEST: Final = 10**12  # far beyond anything that is counted here, and exact as a JSON number

Limit = int | Literal["documented"] | None


class LimitKind(NamedTuple):
    """A limit in words."""

    name: str
    about: str
    documented: str | None  # what "documented" stands for; None: the sources give no figure


KINDS: Final = (
    LimitKind(
        "numbers",
        "Numbers that the account may have.",
        "10 held at once, or 5 ever bought (policy `number_limit_counts`)",
    ),
    LimitKind(
        "balance_cents",
        "Money to begin with, in US cents. Set: the price list is charged, and what cannot be paid answers 402.",
        "500, the credit of a new account",
    ),
    LimitKind(
        "rate_limits",
        "Requests per route and window. A number: that many on every limited route, whatever its documented figure.",
        "the published table, per minute or per hour (policy `rate_limit_era`)",
    ),
    LimitKind("concurrent_calls", "Calls that may be live at once.", None),
    LimitKind(
        "daily_new_contacts",
        "People whom an iMessage number may text first, per UTC day.",
        "50",
    ),
)
_KINDS: Final[Mapping[str, LimitKind]] = {kind.name: kind for kind in KINDS}

# What "documented" stands for, where it is one figure.
NUMBERS_HELD: Final = 10
NUMBERS_EVER: Final = 5
OPENING_CREDIT: Final = 500  # cents
NEW_CONTACTS: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of one account. Raises UsageError for a value that a limit cannot have."""

    numbers: Limit = None
    balance_cents: Limit = None
    rate_limits: Limit = None
    concurrent_calls: Limit = None
    daily_new_contacts: Limit = None

    def __post_init__(self) -> None:
        for field in fields(self):
            _check(_KINDS[field.name], getattr(self, field.name))

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> Limits:
        """Read limits as they are written on a command line. Raises UsageError naming what is wrong."""
        return cls(**{name: _read(name, text) for name, text in pairs})


def _read(name: str, text: str) -> Limit:
    if name not in _KINDS:
        raise UsageError(f"limit {name!r} does not exist: choose one of {', '.join(_KINDS)}")
    if text == OFF:
        return None
    if text == DOCUMENTED:
        return DOCUMENTED
    if not text.isascii() or not text.isdigit() or len(text) > len(str(LARGEST)):
        raise UsageError(f"limit {name} cannot be {text!r}: give {_choices(_KINDS[name])}")
    return int(text)


def _check(kind: LimitKind, value: Limit) -> None:
    whole = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST
    named = value == DOCUMENTED and kind.documented is not None
    if value is not None and not whole and not named:
        raise UsageError(f"limit {kind.name} cannot be {value!r}: give {_choices(kind)}")


def _choices(kind: LimitKind) -> str:
    documented = f", {DOCUMENTED!r}" if kind.documented else ""
    return f"a whole number from 0 to {LARGEST}{documented} or {OFF!r} (None in Python, null in JSON)"


class Rate(NamedTuple):
    """At most `limit` requests in `seconds` seconds."""

    limit: int
    seconds: int


MINUTE: Final = 60
HOUR: Final = 3600
DAY: Final = 86_400

# By operation. A route that is not named is not limited, unless the table has a row for all others ("*").
PER_MINUTE: Final[Mapping[str, tuple[Rate, ...]]] = {
    "agentSignUp": (Rate(10, MINUTE),),
    "agentVerify": (Rate(20, MINUTE),),
    "createNumber": (Rate(20, MINUTE),),
    "deleteNumber": (Rate(60, MINUTE),),
    "lookupNumbers": (Rate(30, MINUTE),),
    "createOutboundCall": (Rate(120, MINUTE),),
    "createWebCall": (Rate(30, MINUTE),),
    "createAgent": (Rate(30, MINUTE),),
    "updateAgent": (Rate(20, MINUTE),),
    "deleteAgent": (Rate(30, MINUTE),),
    "createOrUpdateWebhook": (Rate(10, MINUTE),),
    "testWebhook": (Rate(10, MINUTE),),
    "getContactCapabilities": (Rate(60, MINUTE), Rate(1000, DAY)),
    "sendVerification": (Rate(60, MINUTE),),
    "checkVerification": (Rate(120, MINUTE),),
}
PER_HOUR: Final[Mapping[str, tuple[Rate, ...]]] = {
    "createNumber": (Rate(5, HOUR),),
    "deleteNumber": (Rate(10, HOUR),),
    "createOrUpdateWebhook": (Rate(100, HOUR),),
    "testWebhook": (Rate(60, HOUR),),
    "listNumbers": (Rate(1000, MINUTE),),
    "getMessages": (Rate(100, MINUTE),),
    "listConversations": (Rate(100, MINUTE),),
    "*": (Rate(100, MINUTE),),
}
RATES: Final[Mapping[str, Mapping[str, tuple[Rate, ...]]]] = {"per_minute": PER_MINUTE, "per_hour": PER_HOUR}
