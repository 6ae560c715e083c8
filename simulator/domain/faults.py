"""Everything that can be made to go wrong on purpose: data. How a rule about it is written is in `fault_rules`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from simulator.domain.messages import Channel
from simulator.domain.webhooks import EventType
from simulator.domain.words import did_you_mean

MOST_RULES: Final = 1000  # of one account; each is looked at for every request that it is on
MOST_TIMES: Final = 1_000_000
LONGEST: Final = 366 * 86_400.0  # seconds
LONGEST_TEXT: Final = 500  # characters

# Where a rule may be on.
API, DELIVERY, TURN, CARRIER, STREAM = "api", "delivery", "turn", "carrier", "stream"

_JSON_TYPES: Final[Mapping[str, str]] = {"number": "number", "integer": "integer", "text": "string", "word": "string"}
_NAMES: Final[Mapping[str, str]] = {"number": "a number", "integer": "a whole number", "text": "text", "word": "text"}


class Value(NamedTuple):
    """A parameter, or something to match: what may stand behind its name."""

    name: str
    about: str
    type: str  # "number", "integer", "text", or "word": one of `choices`
    low: float = 0
    high: float = LONGEST
    choices: tuple[str, ...] = ()
    default: Any = None
    required: bool = False

    def problem(self, value: Any) -> str | None:
        """Say why `value` cannot stand here, or None."""
        if not self._is_typed(value):
            return f"{self.name} is {_NAMES[self.type]}, not {value!r}"
        if self.choices:
            return None if value in self.choices else f"{self.name} {value!r}: {did_you_mean(value, self.choices)}"
        if self.type == "text":
            fits = 0 < len(value) <= LONGEST_TEXT and bool(value.strip())
            return None if fits else f"{self.name} is blank, or longer than {LONGEST_TEXT} characters"
        if self.low <= value <= self.high:
            return None
        return f"{self.name} is from {self.low:g} to {self.high:g}, not {value}"

    def _is_typed(self, value: Any) -> bool:
        match self.type:
            case "number":
                return isinstance(value, int | float) and not isinstance(value, bool)
            case "integer":
                return isinstance(value, int) and not isinstance(value, bool)
        return isinstance(value, str)

    def schema(self) -> dict[str, Any]:
        """The same as a JSON schema."""
        made: dict[str, Any] = {"type": _JSON_TYPES[self.type]}
        if self.choices:
            return made | {"enum": list(self.choices)}
        return made if self.type == "text" else made | {"minimum": self.low, "maximum": self.high}


class FaultKind(NamedTuple):
    """One thing that can be made to go wrong."""

    on: str
    name: str
    about: str
    parameters: tuple[Value, ...] = ()
    match: tuple[Value, ...] = ()

    @property
    def defaults(self) -> dict[str, Any]:
        """The parameters that have a value when none is given."""
        return {p.name: p.default for p in self.parameters if p.default is not None}


# -- what can be matched -----------------------------------------------------------------------------------------

_TEXT_CHANNELS: Final = tuple(channel.value for channel in Channel if channel is not Channel.VOICE)
ROUTE: Final = Value("route", "`POST /v1/messages`, `/v1/agents/{agent_id}`, `GET /v1/calls/*`, `/v1/**`.", "text")
OPERATION: Final = Value("operation", "An operation's id, such as `sendMessage`.", "text")
EVENT: Final = Value("event", "An event type.", "word", choices=tuple(event.value for event in EventType))
CHANNEL: Final = Value("channel", "A channel.", "word", choices=tuple(channel.value for channel in Channel))
AGENT: Final = Value("agent", "An agent's id or name.", "text")
URL: Final = Value("url", "The webhook's URL; `*` stands for anything.", "text")
NUMBER: Final = Value("number", "Either party's number.", "text")
ATTEMPT: Final = Value("attempt", "Which attempt of the delivery, from 1.", "integer", 1, 6)
NTH_TURN: Final = Value("turn", "Which turn of the call, from 1.", "integer", 1, MOST_TIMES)
CALL: Final = Value("call", "A call's id.", "text")
FROM: Final = Value("from", "The number that texts or calls.", "text")
TO: Final = Value("to", "The number that is texted or called.", "text")
TEXT_CHANNEL: Final = Value("channel", "How the text goes out.", "word", choices=_TEXT_CHANNELS)

# -- parameters --------------------------------------------------------------------------------------------------

NONE, DONE = "none", "done"
EFFECT: Final = Value(
    "effect",
    "`none`: before the operation has taken effect; `done`: afterwards, so that only its answer is lost.",
    "word",
    choices=(NONE, DONE),
    default=NONE,
)
_FIRST: Final = Value("seconds", "Simulated seconds until then.", "number", default=0)
_CODE: Final = Value("code", "A word for programs.", "text")


def _seconds(about: str, default: float | None = None) -> Value:
    return Value("seconds", about, "number", default=default, required=default is None)


_SENT: Final = (
    FaultKind("", "bad_signature", "The signature is one of another secret."),
    FaultKind("", "missing_signature", "The signature's header is left out."),
    FaultKind(
        "", "stale_timestamp", "Signed properly, with a timestamp of long ago.",
        (_seconds("How old.", 600.0),),
    ),
    FaultKind("", "tampered_body", "The body was changed after it was signed; it is JSON all the same."),
    FaultKind("", "malformed_json", "Half of the body, signed properly."),
    FaultKind(
        "", "duplicate", "Sent again, byte for byte, once it has been answered.",
        (Value("copies", "How many more.", "integer", 1, 100, default=1),),
    ),
    FaultKind("", "overlap", "Sent twice at once, byte for byte: each is complete before either can be answered."),
    FaultKind("", "late", "First sent that much later.", (_seconds("Simulated seconds."),)),
    FaultKind("", "reset", "The connection is reset in the middle of the body."),
    FaultKind(
        "", "slow_send", "The body dribbles.",
        (
            _seconds("Simulated seconds that it takes."),
            Value("pieces", "How many it comes in.", "integer", 2, 1000, default=4),
        ),
    ),
    FaultKind("", "refuse", "Nothing is sent, as if nobody listened there."),
    FaultKind(
        "", "status", "Nothing is sent, as if the handler had answered this.",
        (Value("status", "An HTTP status.", "integer", 200, 599, required=True),),
    ),
)  # fmt: skip


def _on(on: str, match: tuple[Value, ...], *kinds: FaultKind) -> tuple[FaultKind, ...]:
    return tuple(kind._replace(on=on, match=kind.match or match) for kind in kinds)


KINDS: Final = (
    *_on(
        API, (ROUTE, OPERATION),
        FaultKind(
            "", "status", "An error is answered.",
            (
                Value("status", "An HTTP status.", "integer", 400, 599, required=True),
                _CODE,
                Value("message", "What the error says.", "text"),
                Value("retry_after", "The header Retry-After, in seconds.", "integer", 0, 86_400),
                _FIRST,
                EFFECT,
            ),
        ),
        FaultKind("", "latency", "The answer takes its time.", (_seconds("Simulated seconds."), EFFECT)),
        FaultKind("", "reset", "The connection is reset instead of an answer.", (_FIRST, EFFECT)),
        FaultKind("", "truncate", "The head is whole; after half of the body the connection breaks.", (_FIRST,)),
    ),
    *_on(
        DELIVERY, (EVENT, CHANNEL, AGENT, URL, NUMBER, ATTEMPT),
        *_SENT,
        FaultKind(
            "", "reorder", "Held back until the next delivery to the same webhook has been sent.",
            (_seconds("Simulated seconds that it is held at most.", 60.0),),
        ),
    ),
    *_on(
        TURN, (AGENT, NUMBER, URL, CALL, NTH_TURN, ATTEMPT),
        *_SENT,
        FaultKind(
            "", "cut", "The reply breaks off.",
            (Value("after_bytes", "How much of it arrives.", "integer", 0, MOST_TIMES, default=0),),
        ),
        FaultKind(
            "", "stall", "The reply stops coming for a while.",
            (
                Value("after_bytes", "How much of it comes first.", "integer", 0, MOST_TIMES, default=0),
                _seconds("Simulated seconds."),
            ),
        ),
        FaultKind("", "drop_final", "The chunk that would have ended the reply never comes."),
        FaultKind(
            "", "garble", "A line of the reply is broken JSON.",
            (Value("line", "Which, from 1.", "integer", 1, 10_000, default=1),),
        ),
        FaultKind("", "split", "Every byte of the reply is a piece of its own."),
    ),
    *_on(
        CARRIER, (FROM, TO),
        FaultKind(
            "", "undelivered", "The text fails.",
            (Value("reason", "What the carrier says.", "text", default="the carrier could not deliver it"), _CODE),
            (FROM, TO, TEXT_CHANNEL),
        ),
        FaultKind(
            "", "delayed", "What becomes of the text shows that much later.",
            (_seconds("Simulated seconds."),), (FROM, TO, TEXT_CHANNEL),
        ),
        FaultKind("", "failed", "A call of ours does not get through."),
        FaultKind("", "busy", "Whoever we call is on the phone."),
        FaultKind("", "no_answer", "Whoever we call lets it ring."),
    ),
    *_on(
        STREAM, (AGENT, NUMBER, CALL),
        FaultKind(
            "", "cut", "The stream breaks off.",
            (Value("after_events", "How many events arrive.", "integer", 0, MOST_TIMES, default=0),),
        ),
        FaultKind("", "silent", "There is no heartbeat."),
    ),
)  # fmt: skip

PLACES: Final = tuple(dict.fromkeys(kind.on for kind in KINDS))
NAMES: Final = tuple(dict.fromkeys(kind.name for kind in KINDS))
PARAMETERS: Final = tuple(dict.fromkeys(p.name for kind in KINDS for p in kind.parameters))
MATCHES: Final = tuple(dict.fromkeys(m.name for kind in KINDS for m in kind.match))

# How often a rule fires; the same for every kind.
COUNTING: Final = (
    Value("times", "How many times; absent: for ever.", "integer", 1, MOST_TIMES),
    Value("skip", "How many that match are spared first.", "integer", 0, MOST_TIMES, default=0),
    Value("probability", "How likely each time, drawn from the account's seed.", "number", 0, 1, default=1.0),
    Value("expires_in", "Simulated seconds after which it is over.", "number", 0),
)
