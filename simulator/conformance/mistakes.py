"""The wrong ways of signing that handlers are known to expect: what differs from the contract, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Final

from simulator.conformance.schemes import (
    CONTRACT,
    SIGNATURE,
    TIMESTAMP,
    Scheme,
    always,
    around,
    body_alone,
    compact_sorted_json,
    decoded,
    id_timestamp_body,
    in_base64,
    python_json,
    slack_content,
    sorted_json,
    stripped,
    timestamp_and_body,
    timestamp_colon_body,
    upper_hex,
)


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that somebody got wrong. `changes` are fields of `Scheme`."""

    name: str  # a few words: what the scheme is called
    says: str  # what the handler does, as the rest of a sentence that begins with "The handler"
    mend: str
    changes: Mapping[str, Any]


RAW: Final = (
    "Verify before you parse, over the bytes of the request (`await request.body()`, `request.get_data()`, "
    "`express.raw()`): written again, the JSON is not the same."
)
WHOLE: Final = "Use the secret as it was handed out, `whsec_` and all, as UTF-8: it is no base64."
SECRET: Final = "Set the variable that the handler reads the secret from, and refuse to start without it."
NAMES: Final = "Read the signature from X-Webhook-Signature and the timestamp from X-Webhook-Timestamp."
CONTENT: Final = 'Compute the HMAC over the value of X-Webhook-Timestamp, ".", and the raw body.'
DIGEST: Final = "Compute HMAC-SHA256, and compare it in lower-case hexadecimal, after `sha256=`."
UNITS: Final = "X-Webhook-Timestamp is in seconds: compare it with the time in seconds."
DIALECT: Final = (
    "AgentPhone signs in a way of its own; a library for another platform's webhooks cannot verify it. Compute "
    '"sha256=" and the hex HMAC-SHA256 of X-Webhook-Timestamp, ".", and the raw body, by the whole secret.'
)


def _header(name: str, *timestamps: str) -> Mistake:
    return Mistake(
        f"header {name}",
        f"reads the signature from {name}, which is never sent",
        NAMES,
        {"signature_header": name, "timestamp_headers": (TIMESTAMP, *timestamps)},
    )


def _key(name: str, says: str, key: Any, mend: str = SECRET) -> Mistake:
    return Mistake(name, says, mend, {"key": key})


UNKEYED: Final = (  # what a secret becomes that nobody has set
    _key("empty secret", "checks with an empty secret: the one that it was given is not read", always("")),
    _key("secret None", 'checks with the secret "None": the one that it was given is not read', always("None")),
    _key(
        "secret undefined",
        'checks with the secret "undefined": the one that it was given is not read',
        always("undefined"),
    ),
)

# The common ones first: that is the order in which they are tried.
MISTAKES: Final[tuple[Mistake, ...]] = (
    Mistake(
        "body only", "verifies a signature over the body alone, without the timestamp", CONTENT, {"content": body_alone}
    ),
    Mistake(
        "re-serialised JSON",
        "verifies the JSON as `json.dumps` writes it, not as it was sent",
        RAW,
        {"form": python_json},
    ),
    _key("secret without whsec_", "takes `whsec_` off the secret", stripped, WHOLE),
    _key("base64-decoded secret", "decodes the secret as base64", decoded, WHOLE),
    Mistake(
        "base64 digest",
        "expects the signature in base64, not in hexadecimal",
        DIGEST,
        {"written": in_base64, "prefix": ""},
    ),
    Mistake(
        "base64 digest after sha256=",
        "expects base64, not hexadecimal, after `sha256=`",
        DIGEST,
        {"written": in_base64, "prefix": "sha256="},
    ),
    Mistake("no sha256=", "expects the signature without `sha256=`", DIGEST, {"prefix": ""}),
    _header("X-Signature", "X-Timestamp"),
    _header("X-AgentPhone-Signature", "X-AgentPhone-Timestamp"),
    _header("X-Hub-Signature-256"),
    _header("Webhook-Signature", "Webhook-Timestamp"),
    Mistake("milliseconds", "takes the timestamp for milliseconds", UNITS, {"per_second": 1000}),
    *UNKEYED,
    _key("secret and newline", "reads the secret with the newline at its end", around("", "\n"), "Strip the secret."),
    _key("quoted secret", "reads the secret with the quotes around it", around('"', '"'), "Take the quotes off."),
    Mistake(
        "re-serialised sorted JSON",
        "verifies the JSON with its keys sorted, not as it was sent",
        RAW,
        {"form": sorted_json},
    ),
    Mistake(
        "re-serialised compact sorted JSON",
        "verifies the JSON compact, with its keys sorted, not as it was sent",
        RAW,
        {"form": compact_sorted_json},
    ),
    Mistake(
        "no dot",
        "verifies the timestamp and the body with nothing between them",
        CONTENT,
        {"content": timestamp_and_body},
    ),
    Mistake(
        "colon",
        "verifies the timestamp and the body with a colon between them",
        CONTENT,
        {"content": timestamp_colon_body},
    ),
    Mistake(
        "delivery id signed",
        "verifies the delivery id in front of the timestamp",
        CONTENT,
        {"content": id_timestamp_body},
    ),
    Mistake("upper-case digest", "expects the signature in capitals", DIGEST, {"written": upper_hex}),
    Mistake("prefix v1=", "expects `v1=` in front of the signature", DIGEST, {"prefix": "v1="}),
    Mistake("SHA-1", "computes the HMAC with SHA-1", DIGEST, {"digest": "sha1", "prefix": "sha1="}),
    Mistake("SHA-512", "computes the HMAC with SHA-512", DIGEST, {"digest": "sha512", "prefix": "sha512="}),
)

SVIX: Final = {
    "key": decoded,
    "content": id_timestamp_body,
    "written": in_base64,
    "prefix": "v1,",
}

DIALECTS: Final[tuple[Mistake, ...]] = (
    Mistake(
        "Svix",
        "verifies as Svix signs: svix-id, svix-timestamp, svix-signature",
        DIALECT,
        {
            **SVIX,
            "signature_header": "svix-signature",
            "timestamp_headers": ("svix-timestamp", TIMESTAMP),
            "id_headers": ("svix-id",),
        },
    ),
    Mistake(
        "Standard Webhooks",
        "verifies by Standard Webhooks: webhook-id, webhook-timestamp, webhook-signature",
        DIALECT,
        {
            **SVIX,
            "signature_header": "webhook-signature",
            "timestamp_headers": ("webhook-timestamp", TIMESTAMP),
            "id_headers": ("webhook-id",),
        },
    ),
    Mistake(
        "Stripe",
        "verifies as Stripe signs: t=…,v1=… in Stripe-Signature",
        DIALECT,
        {"prefix": "t={timestamp},v1=", "signature_header": "Stripe-Signature"},
    ),
    Mistake(
        "Stripe's form",
        "expects the signature as Stripe writes it: t=…,v1=…",
        DIALECT,
        {"prefix": "t={timestamp},v1=", "signature_header": SIGNATURE},
    ),
    Mistake(
        "Slack",
        "verifies as Slack signs: X-Slack-Signature over v0:timestamp:body",
        DIALECT,
        {
            "content": slack_content,
            "prefix": "v0=",
            "signature_header": "X-Slack-Signature",
            "timestamp_headers": ("X-Slack-Request-Timestamp", TIMESTAMP),
        },
    ),
)

# Nothing is signed, and still it is taken: the last resort of a run that would otherwise end here.
UNSIGNED: Final = Scheme(
    name="unsigned",
    mistake="The handler takes requests without a signature.",
    mend=f"Refuse what has no signature. {CONTENT} {DIGEST}",
    signature_header=None,
)


def scheme_with(*mistakes: Mistake) -> Scheme:
    """The contract with these mistakes in it; none changes what another does."""
    changes: dict[str, Any] = {}
    for mistake in mistakes:
        changes |= mistake.changes
    return replace(
        CONTRACT,
        name=" + ".join(mistake.name for mistake in mistakes),
        mistake=f"The handler {', and '.join(mistake.says for mistake in mistakes)}.",
        mend=" ".join(dict.fromkeys(mistake.mend for mistake in mistakes)),
        **changes,
    )


def singles() -> Iterator[Scheme]:
    """Every scheme with one mistake, and other platforms' whole ways of signing."""
    for mistake in (*MISTAKES, *DIALECTS):
        yield scheme_with(mistake)


def pairs() -> Iterator[Scheme]:
    """Every scheme with two mistakes that have nothing to do with each other, the common ones first."""
    both = [pair for pair in combinations(enumerate(MISTAKES), 2) if not pair[0][1].changes.keys() & pair[1][1].changes]
    for (_, one), (_, other) in sorted(both, key=lambda pair: pair[0][0] + pair[1][0]):
        yield scheme_with(one, other)
