"""Group 1: nobody but the platform is believed, and the platform always is. Here is what has to be taken.

What has to be refused is in `authenticity_signature` and `authenticity_time`.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Final

from simulator.conformance.bench import Bench
from simulator.conformance.case import Case, Need, Trust, case
from simulator.conformance.cases import authenticity_signature as wrong
from simulator.conformance.cases import authenticity_time as time
from simulator.conformance.cases.refusals import STALE, needs_proof, needs_taking, taken
from simulator.conformance.exchange import Ending, Request
from simulator.conformance.schemes import CONTRACT, SECRET_PREFIX, as_sent, lower_hex, spoilt, upper_hex
from simulator.conformance.verdicts import Level, Profile

SIGNATURES: Final = "webhook documentation, signatures"
REFUSALS: Final = (400, 401, 403)


@case(
    "1.1",
    "A correctly signed event is taken",
    Level.MUST,
    source="webhook documentation, signatures: HMAC-SHA256 of timestamp, a dot, and the raw body",
    trust=Trust.DOCUMENTED,
    sent="a text, signed as the platform signs",
    expected="2xx",
    why="A handler that refuses the platform's own events gets none of them; each is tried six times, then lost.",
    mend='Compute HMAC-SHA256 with the whole secret over the timestamp header, ".", and the body\'s raw bytes.',
    needs=(Need.SECRET,),
)
async def good_signature(bench: Bench) -> None:
    bench.accepted(await bench.deliver(await bench.plain()))


@case(
    "1.2",
    "A correctly signed voice turn is taken",
    Level.MUST,
    source="webhook documentation, signatures: every event is signed in the same way",
    trust=Trust.DOCUMENTED,
    sent="a caller's question, signed as the platform signs",
    expected="2xx",
    why="The caller hears nothing, and the turn is not sent again.",
    mend="Verify turns as you verify texts: with the same secret, over the raw body.",
    profile=Profile.VOICE,
    needs=(Need.SECRET,),
)
async def good_turn(bench: Bench) -> None:
    exchange = await bench.deliver(await bench.turn())
    if exchange.ending is Ending.TIMED_OUT:
        bench.skip("no whole answer came in time, whatever it would have been: see 6.1 and 6.2")
    bench.accepted(exchange, what="the turn")


@case(
    "1.8",
    "Header names are read whatever their case",
    Level.MAY,
    source="RFC 9110, field names; HTTP/2 and many proxies write them in lower case",
    trust=Trust.INFERRED,
    sent="a good text, all of whose header names are in lower case",
    expected="2xx",
    why="A proxy that is put in front of the handler one day makes it refuse everything.",
    mend="Look headers up without regard to case, or in lower case if the gateway writes them so.",
    needs=(Need.SECRET,),
)
async def lower_case_names(bench: Bench) -> None:
    needs_taking(bench)
    request = bench.signed(await bench.plain(), scheme=taken(bench), note="header names in lower case")
    exchange = await bench.send(replace(request, headers={name.lower(): it for name, it in request.headers.items()}))
    bench.note(f"a request whose header names are in lower case is {_fate(exchange.ok)}")


@case(
    "1.9",
    "An upper-case digest is taken, or not",
    Level.MAY,
    source="webhook documentation, signatures: the platform writes lower case",
    trust=Trust.DOCUMENTED,
    sent="a good text whose digest is in capitals",
    expected="either",
    why="Nothing is lost either way: the platform never writes capitals.",
    mend="Nothing has to be done.",
    needs=(Need.SECRET,),
)
async def upper_case_digest(bench: Bench) -> None:
    needs_taking(bench)
    if taken(bench).written is not lower_hex:
        bench.skip("the handler expects something else than a lower-case digest")
    scheme = replace(taken(bench), written=upper_hex)
    exchange = await bench.send(bench.signed(await bench.plain(), scheme=scheme, note="the digest in capitals"))
    bench.note(f"a signature in capitals is {_fate(exchange.ok)}")


@case(
    "1.10",
    "A digest without `sha256=` is taken, or not",
    Level.MAY,
    source="webhook documentation, signatures: the platform writes `sha256=` in front",
    trust=Trust.DOCUMENTED,
    sent="a good text whose signature is the bare digest",
    expected="either",
    why="Nothing is lost either way: the platform always writes the prefix.",
    mend="Nothing has to be done.",
    needs=(Need.SECRET,),
)
async def bare_digest(bench: Bench) -> None:
    needs_taking(bench)
    if taken(bench).prefix != CONTRACT.prefix:
        bench.skip("the handler expects no `sha256=`: see case 1.1")
    scheme = replace(taken(bench), prefix="")
    exchange = await bench.send(bench.signed(await bench.plain(), scheme=scheme, note="the bare digest"))
    bench.note(f"a signature without `sha256=` is {_fate(exchange.ok)}")


@case(
    "1.12",
    "The raw bytes of the body are what is verified",
    Level.MUST,
    source="webhook documentation, signatures: the raw body is signed",
    trust=Trust.DOCUMENTED,
    sent="a text in JSON that is laid out unusually, signed over these very bytes",
    expected="2xx",
    why="Whoever parses first and verifies what they write again refuses every event that is written otherwise: "
    "that may be those with an emoji, and all of them once the platform's serialiser changes.",
    mend="Verify before you parse, over the bytes as they came (`await request.body()`, `request.get_data()`, "
    "`express.raw()`).",
    needs=(Need.SECRET,),
)
async def raw_bytes_count(bench: Bench) -> None:
    needs_taking(bench)
    event = await bench.plain(wrong.SUNDAY)
    request = bench.signed(
        event.written(wrong.unusual(event.body)),
        scheme=replace(taken(bench), form=as_sent),
        note="JSON that is laid out unusually",
    )
    bench.accepted(await bench.send(request), what="an event whose raw bytes are signed")


@case(
    "1.28",
    "What is not believed is answered with 401 or 403",
    Level.MUST,
    source="webhook documentation, retries: a 5xx is tried again, a 4xx is not",
    trust=Trust.DOCUMENTED,
    sent="a text with a wrong signature, with none, with one in another form, and with an old one",
    expected="401 or 403 (or 400); never 5xx",
    why="A handler that fails where it should refuse is sent the same event six times in twenty hours, and fills its "
    "error log for anybody who asks.",
    mend="Compare with what takes any input (`hmac.compare_digest` of bytes; `timingSafeEqual` needs equal lengths), "
    "and answer 401.",
)
async def refuses_politely(bench: Bench) -> None:
    scheme = taken(bench)
    requests: list[Request] = [
        bench.signed(await bench.plain(), scheme=scheme.forged(spoilt), note="a wrong signature"),
        bench.signed(await bench.plain(), scheme=scheme).but({scheme.signature_header or "": None}, note="unsigned"),
        bench.signed(await bench.plain(), scheme=scheme.forged(lambda _: "unknown"), note="a signature of other form"),
        bench.signed(await bench.plain(), scheme=scheme, age=STALE, note="an old signature"),
    ]
    refused = 0
    for request in requests:
        exchange = await bench.send(request)
        if exchange.ok:
            continue
        refused += 1
        bench.must(not exchange.crashed, f"{request.note} does not make the handler fail", exchange, exchange)
        if not exchange.crashed:
            fits = exchange.status in REFUSALS
            bench.should(fits, f"{request.note} is answered with 401 or 403", exchange, exchange)
    needs_proof(bench)
    if not refused:
        bench.skip("the handler refuses none of them: see cases 1.3, 1.4 and 1.14")


@case(
    "1.29",
    "A new secret is taken, and the old one is not",
    Level.SHOULD,
    source="webhook documentation: whoever registers the webhook again gets another secret, and the old one is void",
    trust=Trust.DOCUMENTED,
    sent="after the secret has changed: a text signed with the new one, and a text signed with the old one",
    expected="2xx for the new, 401 for the old",
    why="Until somebody restarts the handler, every event is refused, and whoever has the old secret is believed.",
    mend="Read the secret where it is kept whenever you verify, or restart as part of the rotation.",
    needs=(Need.SECRET, Need.ROTATION),
)
async def secret_can_change(bench: Bench) -> None:
    needs_taking(bench)
    session, scheme = bench.session, taken(bench)
    if session.rotate is None:
        bench.skip("there is no way to change the handler's secret")
    other = SECRET_PREFIX + sha256(session.secret.encode()).hexdigest()
    session.rotate(other)
    try:
        new = bench.signed(await bench.plain(), scheme=scheme, secret=other, note="signed with the new secret")
        bench.accepted(await bench.send(new), Level.SHOULD, "a text signed with the new secret")
        old = bench.signed(await bench.plain(), scheme=scheme, note="signed with the old secret")
        bench.refused(await bench.send(old), Level.SHOULD, "a text signed with the old secret")
    finally:
        session.rotate(session.secret)


def _fate(taken: bool) -> str:
    return "taken" if taken else "refused"


CASES: Final[tuple[Case, ...]] = tuple(
    sorted(
        (
            *(good_signature, good_turn, lower_case_names, upper_case_digest, bare_digest, raw_bytes_count),
            *(refuses_politely, secret_can_change),
            *wrong.CASES,
            *time.CASES,
        ),
        key=lambda case: int(case.number.partition(".")[2]),
    )
)
