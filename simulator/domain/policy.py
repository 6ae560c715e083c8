"""One named switch per behaviour that the sources dispute: data, no code paths.

A contract is a named set of policy values. `--contract` chooses one, `--policy name=value` overrides a single switch.
Trust marks: doc (official text), off (official code), usr-live (users who watched the live service), usr (users' code),
inf (our inference).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from simulator.errors import UnknownPolicy


@dataclass(frozen=True, slots=True)
class Policy:
    """A switch: its values, the default first."""

    name: str
    values: tuple[str, ...]
    about: str
    source: str
    trust: str

    @property
    def default(self) -> str:
        """The value of the contract `all`."""
        return self.values[0]


POLICIES: Final[tuple[Policy, ...]] = (
    Policy(
        "call_started_event",
        ("inbound", "all", "off"),
        "Which calls send `call.started` when they connect.",
        "documented contract, event table",
        "doc",
    ),
    Policy("call_ended_event", ("on", "off"), "Whether calls send `call.ended`.", "documented contract", "doc"),
    Policy(
        "agent_call_ended_event",
        ("on", "off"),
        "Whether calls send `agent.call_ended`.",
        "newest docs",
        "doc",
    ),
    Policy(
        "message_received_event",
        ("on", "off"),
        "Whether inbound texts send `message.received` next to `agent.message`.",
        "documented contract",
        "doc",
    ),
    Policy(
        "message_sent_event",
        ("on", "off"),
        "Whether outbound texts send `message.sent`.",
        "documented contract",
        "doc",
    ),
    Policy(
        "agent_reaction_event",
        ("on", "off"),
        "Whether a reaction to a text sends `agent.reaction`.",
        "newest docs",
        "doc",
    ),
    Policy(
        "reaction_names",
        ("present", "past"),
        "`reactionType` of a tapback in events: `love`, `like` … or `Loved`, `Liked` …",
        "newest docs / older docs",
        "doc",
    ),
    Policy(
        "emoji_reactions",
        ("on", "off"),
        "Whether texts can be reacted to with any emoji, or with the six tapbacks only.",
        "published OpenAPI / Python SDK",
        "doc",
    ),
    Policy(
        "group_sender",
        ("group", "member"),
        "`from` of an inbound group text: the group's id, to which a reply goes, or the member named in "
        "`senderIdentifier`.",
        "silence of the docs",
        "inf",
    ),
    Policy(
        "carrier_opt_out",
        ("off", "on"),
        "Whether STOP by SMS makes later SMS to that person fail, until they text START.",
        "silence of the docs",
        "inf",
    ),
    Policy(
        "carrier_help",
        ("off", "on"),
        "Whether HELP by SMS is answered at once by somebody between the two parties; the handler is told too.",
        "silence of the docs; carriers ask senders of campaigns for it",
        "inf",
    ),
    Policy(
        "empty_transcript_on_connect",
        ("off", "on"),
        "A call that connects without a greeting opens a turn with an empty transcript.",
        "several users' handlers",
        "usr-live",
    ),
    Policy(
        "voice_envelope",
        ("full", "ragged"),
        "Ragged: voice payloads without `timestamp`, with `conversationState: []` and null history entries.",
        "a user's live fix",
        "usr",
    ),
    Policy(
        "voice_turn_retry",
        ("never", "once"),
        "Whether a failed voice turn is sent again, with the same id.",
        "silence of the docs",
        "inf",
    ),
    Policy(
        "missing_final",
        ("reopen", "wait_timeout"),
        "A stream that ended without a final chunk: listen at once, or wait out the webhook timeout first.",
        "a user's commit",
        "usr",
    ),
    Policy(
        "malformed_line",
        ("skip", "end_turn"),
        "A line that is not a JSON object: skip it, or end the turn.",
        "silence of the docs",
        "inf",
    ),
    Policy(
        "overlapping_turns",
        ("cancel", "overlap"),
        "The request of a reply that the remote party interrupts: closed, or left running while its words are dropped.",
        "comments in users' code / a vendor's sample",
        "off",
    ),
    Policy(
        "voicemail_without_message",
        ("talk", "hang_up"),
        "A machine answers and the agent has no `voicemailMessage`: talk to it as to a person, or end the call.",
        "silence of the docs; an empty message switches detection off",
        "inf",
    ),
    Policy(
        "history_includes_current",
        ("on", "off"),
        "Whether `recentHistory` ends with the message or utterance being delivered.",
        "older docs' examples",
        "doc",
    ),
    Policy(
        "caller_dtmf",
        ("ignored", "turn"),
        "Keys pressed by the remote party: not delivered, or delivered as a turn whose transcript is the digits.",
        "open question of users",
        "inf",
    ),
    Policy(
        "no_webhook_call",
        ("fail", "silence"),
        "A webhook-mode call with no webhook set: fails at once, or connects and stays silent after the greeting.",
        "skill 0.5 / documented contract",
        "doc",
    ),
    Policy("success_status", ("any_2xx", "only_200"), "Which answers count as delivered.", "docs say 200", "inf"),
    Policy("timeout_like_status", ("retry", "fail"), "Whether 408 and 429 are tried again.", "silence", "inf"),
    Policy(
        "retry_on",
        ("transient", "any_failure"),
        "Any_failure also retries 3xx and 4xx answers.",
        "newest docs / older docs",
        "doc",
    ),
    Policy(
        "signature_clock",
        ("wall", "simulated"),
        "Which time the signature header carries.",
        "real handlers check five minutes of wall time",
        "doc",
    ),
    Policy(
        "signature_content",
        ("timestamp_body", "body"),
        "What is signed; `body` is the oldest documentation.",
        "newest docs / oldest docs",
        "off",
    ),
    Policy(
        "create_status",
        ("200", "201"),
        "The status of a successful create.",
        "newest docs / older docs",
        "doc",
    ),
    Policy(
        "ringing_status",
        ("in-progress", "ringing"),
        "What a call that still rings says of itself.",
        "documented contract / MCP client",
        "doc",
    ),
    Policy(
        "hosted_without_prompt",
        ("accept", "refuse"),
        "A hosted agent without `systemPrompt`: accepted or 400.",
        "published OpenAPI / documented contract",
        "doc",
    ),
    Policy(
        "number_countries",
        ("any", "us_ca"),
        "Which countries numbers can be bought in.",
        "MCP client / documented contract",
        "doc",
    ),
    Policy(
        "end_reply",
        ("call", "ending"),
        "What ending a call answers: the call as it was, or the call with the status `ending`.",
        "published OpenAPI / reference text",
        "doc",
    ),
    Policy(
        "recording_addon",
        ("included", "required"),
        "Whether calls are recorded at once, or only after the recording add-on was switched on.",
        "a test wants recordings / documented contract",
        "inf",
    ),
    Policy(
        "success_rate",
        ("percent", "fraction"),
        "`successRate` as 0-100 or 0-1.",
        "the Python SDK prints a %",
        "off",
    ),
    Policy(
        "number_limit_counts",
        ("held", "ever_bought"),
        "The limit on numbers (when it is on): numbers held, refused with 409; or all ever bought, with 400.",
        "newest docs / older docs",
        "doc",
    ),
    Policy(
        "rate_limit_era",
        ("per_minute", "per_hour"),
        "Which published table of rate limits counts (when they are on).",
        "newest docs / older docs",
        "doc",
    ),
    Policy(
        "too_many_calls_status",
        ("409", "429"),
        "The status of a call refused because too many are live.",
        "newest docs name both",
        "doc",
    ),
    Policy(
        "carrier_error_code",
        ("CARRIER_ERROR", "TWILIO_ERROR"),
        "The code of a 502, when the carrier does not take a text.",
        "newest docs / older docs",
        "doc",
    ),
    Policy(
        "agent_deliveries_shape",
        ("array", "object"),
        "An agent's deliveries: a bare array (the SDKs), or the account's object with `items` and `data` (MCP client).",
        "published OpenAPI / MCP client",
        "off",
    ),
    Policy(
        "usage_period",
        ("optional", "required"),
        "Usage by agent without `period`: the month, or 422.",
        "Python SDK / published OpenAPI",
        "off",
    ),
    Policy(
        "registration_gate",
        ("off", "on"),
        "Whether SMS from a US or Canadian number is refused with 403 until a 10DLC registration is approved.",
        "newest docs / a test wants to text at once",
        "doc",
    ),
    Policy(
        "registration_fields",
        ("common", "strict"),
        "What a 10DLC registration needs: what all sources ask for, or all that any of them asks for.",
        "published OpenAPI / Python SDK",
        "doc",
    ),
)

_BY_NAME: Final[Mapping[str, Policy]] = {p.name: p for p in POLICIES}

CONTRACTS: Final[Mapping[str, Mapping[str, str]]] = {
    "all": {},
    "2026-03": {
        "agent_call_ended_event": "off",
        "agent_reaction_event": "off",
        "no_webhook_call": "silence",
        "hosted_without_prompt": "refuse",
        "number_countries": "us_ca",
        "number_limit_counts": "ever_bought",
        "rate_limit_era": "per_hour",
        "carrier_error_code": "TWILIO_ERROR",
    },
    "2026-07": {
        "call_started_event": "off",
        "call_ended_event": "off",
        "message_received_event": "off",
        "message_sent_event": "off",
    },
    "observed": {
        "call_started_event": "off",
        "call_ended_event": "off",
        "message_received_event": "off",
        "message_sent_event": "off",
        "empty_transcript_on_connect": "on",
        "voice_envelope": "ragged",
        "missing_final": "wait_timeout",
    },
}


class Policies:
    """The chosen value of every switch: `policies["missing_final"] == "reopen"`. Immutable and hashable."""

    __slots__ = ("_values", "contract")

    def __init__(self, contract: str = "all", overrides: Mapping[str, str] | None = None) -> None:
        if contract not in CONTRACTS:
            raise UnknownPolicy(f"contract {contract!r} does not exist: choose one of {', '.join(CONTRACTS)}")
        values = {p.name: p.default for p in POLICIES} | dict(CONTRACTS[contract])
        for name, value in (overrides or {}).items():
            values[name] = _checked(name, value)
        self.contract = contract
        self._values: Mapping[str, str] = values

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def on(self, name: str) -> bool:
        """Whether an on/off switch is on."""
        return self._values[name] == "on"

    def items(self) -> Iterable[tuple[str, str]]:
        """Every switch with its value, in the order of `POLICIES`."""
        return self._values.items()


def _checked(name: str, value: str) -> str:
    policy = _BY_NAME.get(name)
    if policy is None:
        raise UnknownPolicy(f"policy {name!r} does not exist: choose one of {', '.join(_BY_NAME)}")
    if value not in policy.values:
        raise UnknownPolicy(f"policy {name} cannot be {value!r}: choose one of {', '.join(policy.values)}")
    return value
