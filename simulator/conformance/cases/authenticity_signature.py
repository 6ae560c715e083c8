"""Group 1: signatures that have to be refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from simulator.conformance.bench import Bench
from simulator.conformance.case import Case, Trust, case
from simulator.conformance.cases.refusals import STALE, again, now, refuses, taken
from simulator.conformance.schemes import (
    always,
    as_sent,
    body_alone,
    compact_json,
    python_json,
    spoilt,
    whole,
)
from simulator.conformance.verdicts import Level, Profile

SIGNATURES: Final = "webhook documentation, signatures"
SUNDAY: Final = "Are you open on Sunday?"
ANYBODY: Final = "Whoever finds the URL can make the agent speak, text and spend."
COMPARE: Final = (
    "Compare the whole signature with the one you compute, in constant time, and answer 401 when they differ."
)


def unusual(body: Mapping[str, Any]) -> bytes:
    """The same JSON as nobody writes it: other blanks, another order, and an escape where none is needed."""
    turned = {key: body[key] for key in reversed(list(body))}
    return json.dumps(turned, indent=1, separators=(" ,", " : ")).replace(SUNDAY, "\\u0041" + SUNDAY[1:]).encode()


@case(
    "1.3",
    "A wrong signature is refused",
    Level.MUST,
    source=SIGNATURES,
    trust=Trust.DOCUMENTED,
    sent="a text whose signature is all zeros, and one whose signature differs in one place",
    expected="401 or 403",
    why=ANYBODY,
    mend="Compare the signature with the one you compute, in constant time, and answer 401 when they differ.",
)
async def wrong_signature(bench: Bench) -> None:
    scheme = taken(bench)
    zeros = scheme.forged(lambda digest: "0" * len(digest))
    await refuses(
        bench,
        bench.signed(await bench.plain(), scheme=zeros, note="an event signed with zeros"),
        bench.signed(await bench.plain(), scheme=scheme.forged(spoilt), note="an event with one wrong digit"),
    )


@case(
    "1.4",
    "A missing signature is refused",
    Level.MUST,
    source=SIGNATURES,
    trust=Trust.DOCUMENTED,
    sent="a text without a signature header, and one without a timestamp as well",
    expected="401 or 403",
    why=f"{ANYBODY} Nothing has to be forged for it.",
    mend="Refuse what has no signature before anything else; do not verify only `if signature`.",
)
async def missing_signature(bench: Bench) -> None:
    scheme = taken(bench)
    nothing = dict.fromkeys((scheme.signature_header or "", *scheme.timestamp_headers))
    request = bench.signed(await bench.plain(), scheme=scheme)
    await refuses(
        bench,
        request.but({scheme.signature_header or "": None}, note="an event without a signature"),
        bench.signed(await bench.plain(), scheme=scheme).but(nothing, note="an event without signature and timestamp"),
    )


@case(
    "1.5",
    "An empty signature is refused",
    Level.MUST,
    source=SIGNATURES,
    trust=Trust.DOCUMENTED,
    sent="a text whose signature is empty, and one whose signature is the prefix alone",
    expected="401 or 403",
    why=f"{ANYBODY} An empty text is a prefix of every signature, and false where it is asked for in an `if`.",
    mend=COMPARE,
)
async def empty_signature(bench: Bench) -> None:
    scheme = taken(bench)
    await refuses(
        bench,
        bench.signed(await bench.plain(), scheme=scheme).but(
            {scheme.signature_header or "": ""}, note="an event with an empty signature"
        ),
        bench.signed(await bench.plain(), scheme=scheme.forged(lambda _: ""), note="an event with an empty digest"),
    )


@case(
    "1.6",
    "Half a signature is refused",
    Level.MUST,
    source=SIGNATURES,
    trust=Trust.DOCUMENTED,
    sent="a text with the first half of its signature, and one with its first digit",
    expected="401 or 403",
    why="Where a prefix is enough, one digit can be guessed in sixteen tries.",
    mend=COMPARE,
)
async def half_signature(bench: Bench) -> None:
    scheme = taken(bench)
    half = scheme.forged(lambda digest: digest[: len(digest) // 2])
    await refuses(
        bench,
        bench.signed(await bench.plain(), scheme=half, note="an event with half a signature"),
        bench.signed(await bench.plain(), scheme=scheme.forged(lambda it: it[:1]), note="an event with one digit"),
    )


@case(
    "1.7",
    "A signature with something after it is refused",
    Level.MUST,
    source=SIGNATURES,
    trust=Trust.DOCUMENTED,
    sent="a text whose signature is right, and goes on",
    expected="401 or 403",
    why="Whoever compares only as much as they have, compares nothing when that is little.",
    mend=COMPARE,
)
async def long_signature(bench: Bench) -> None:
    longer = taken(bench).forged(lambda digest: digest + "00")
    await refuses(bench, bench.signed(await bench.plain(), scheme=longer, note="an event whose signature goes on"))


@case(
    "1.11",
    "A signature over the body alone is refused",
    Level.MUST,
    source="webhook documentation, signatures: the timestamp is signed; the oldest documentation had the body alone",
    trust=Trust.DOCUMENTED,
    sent="a text signed over its body, without the timestamp",
    expected="401 or 403",
    why="A recorded request stays good for ever: its timestamp can be written anew.",
    mend='Compute the HMAC over the value of X-Webhook-Timestamp, ".", and the raw body, and over nothing else.',
)
async def body_alone_signed(bench: Bench) -> None:
    scheme = replace(taken(bench), content=body_alone)
    await refuses(bench, bench.signed(await bench.plain(), scheme=scheme, note="an event signed without its timestamp"))


@case(
    "1.13",
    "A signature over JSON that was written again is refused",
    Level.MUST,
    source="webhook documentation, signatures: the raw body is signed",
    trust=Trust.DOCUMENTED,
    sent="a text in JSON that is laid out unusually, signed over the same JSON as serialisers write it",
    expected="401 or 403",
    why="What is verified is not what was sent: one of two equal keys, or a number, may differ between the two.",
    mend="Verify before you parse, over the bytes as they came.",
)
async def written_again(bench: Bench) -> None:
    event = await bench.plain(SUNDAY)
    event = event.written(unusual(event.body))
    forms = dict.fromkeys((compact_json, python_json, taken(bench).form))
    schemes = [replace(taken(bench), form=form) for form in forms if form is not as_sent]
    note = "a text whose JSON was written again to be signed"
    await refuses(
        bench,
        *(bench.signed(again(event, at), scheme=scheme, note=note) for at, scheme in enumerate(schemes)),
    )


@case(
    "1.21",
    "An old signature under a new timestamp is refused",
    Level.MUST,
    source="webhook documentation, signatures: the timestamp is signed",
    trust=Trust.DOCUMENTED,
    sent="a text with the signature of ten minutes ago and the timestamp of now",
    expected="401 or 403",
    why="A recorded request stays good for ever: its timestamp can be written anew.",
    mend="Compute the HMAC over the very value of the header whose age you check.",
)
async def old_signature_new_timestamp(bench: Bench) -> None:
    scheme = taken(bench)
    fresh = dict.fromkeys(scheme.timestamp_headers, str(now(bench) * scheme.per_second))
    request = bench.signed(await bench.plain(), scheme=scheme, age=STALE)
    await refuses(bench, request.but(fresh, note="an event with an old signature and a new timestamp"))


@case(
    "1.23",
    "A body that was changed is refused",
    Level.MUST,
    source=SIGNATURES,
    trust=Trust.DOCUMENTED,
    sent="a text of which one character was changed after it was signed",
    expected="401 or 403",
    why="Whoever is on the way can order nine where the customer ordered one.",
    mend="Compute the HMAC over the whole raw body.",
)
async def changed_body(bench: Bench) -> None:
    request = bench.signed(await bench.plain("Please send 1 of them."), scheme=taken(bench))
    changed = request.body.replace(b"send 1 of", b"send 9 of")
    await refuses(bench, request.but(body=changed, note="an event that was changed on the way"))


@case(
    "1.24",
    "A signature by another secret is refused",
    Level.MUST,
    source=SIGNATURES,
    trust=Trust.DOCUMENTED,
    sent="a text that is signed correctly, with a secret that the handler has never seen",
    expected="401 or 403",
    why="A signature that is only looked at for its form keeps nobody out.",
    mend=COMPARE,
)
async def other_secret(bench: Bench) -> None:
    scheme = replace(taken(bench), key=whole)
    request = bench.signed(
        await bench.plain(), scheme=scheme, secret="whsec_of_somebody_else", note="an event signed with another secret"
    )
    await refuses(bench, request)


@case(
    "1.25",
    "A signature by no secret is refused",
    Level.MUST,
    source=SIGNATURES,
    trust=Trust.INFERRED,
    sent="texts that are signed with what a variable holds that nobody has set: nothing, None, undefined",
    expected="401 or 403",
    why="Where the secret is missing, everybody can sign.",
    mend="Refuse to start without a secret; do not fall back on an empty one.",
)
async def no_secret(bench: Bench) -> None:
    keys = {"an empty secret": "", 'the secret "None"': "None", 'the secret "undefined"': "undefined"}
    requests = [
        bench.signed(
            await bench.plain(), scheme=replace(taken(bench), key=always(key)), note=f"an event signed with {name}"
        )
        for name, key in keys.items()
    ]
    await refuses(bench, *requests)


@case(
    "1.26",
    "A forged voice turn is refused",
    Level.MUST,
    source="webhook documentation, signatures: every event is signed in the same way",
    trust=Trust.DOCUMENTED,
    sent="a caller's question with a wrong signature, and one with none",
    expected="401 or 403",
    why="Whoever finds the URL can ask the agent, and hears what it tells its callers.",
    mend="Verify before you look at the channel: turns are signed as texts are.",
    profile=Profile.VOICE,
)
async def forged_turn(bench: Bench) -> None:
    scheme, turn = taken(bench), await bench.turn()
    unsigned = bench.signed(again(turn, 2), scheme=scheme)
    await refuses(
        bench,
        bench.signed(turn, scheme=scheme.forged(spoilt), note="a turn with a wrong signature"),
        unsigned.but({scheme.signature_header or "": None}, note="a turn without a signature"),
        control=bench.signed(again(turn, 3), scheme=bench.session.scheme, note="a good turn, for comparison"),
    )


@case(
    "1.27",
    "A forged end of a call is refused",
    Level.MUST,
    source="webhook documentation, signatures: every event is signed in the same way",
    trust=Trust.DOCUMENTED,
    sent="an agent.call_ended with a wrong signature, and one with none",
    expected="401 or 403",
    why="Whoever finds the URL can put summaries and bookings into the customer's records.",
    mend="Verify before you look at the event's name.",
    profile=Profile.VOICE,
)
async def forged_end(bench: Bench) -> None:
    scheme = taken(bench)
    unsigned = bench.signed(await bench.call_ended(), scheme=scheme)
    await refuses(
        bench,
        bench.signed(await bench.call_ended(), scheme=scheme.forged(spoilt), note="an end with a wrong signature"),
        unsigned.but({scheme.signature_header or "": None}, note="an end without a signature"),
    )


CASES: Final[tuple[Case, ...]] = (
    *(wrong_signature, missing_signature, empty_signature, half_signature, long_signature, body_alone_signed),
    *(written_again, old_signature_new_timestamp, changed_body, other_secret, no_secret, forged_turn, forged_end),
)
