"""Group 7, the first part: what no platform should send is answered all the same, and nothing is left behind."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from simulator.conformance.bench import Bench
from simulator.conformance.case import Case, Trust, case
from simulator.conformance.cases import connections
from simulator.conformance.cases.open_events import speaks
from simulator.conformance.events import Event, compact
from simulator.conformance.exchange import Ending, Exchange
from simulator.conformance.schemes import SIGNATURE
from simulator.conformance.verdicts import Level

DEEP: Final = 5_000  # levels; parsers that recurse stop at a thousand or so
BIG: Final = 1_000_000  # bytes; many frameworks stop at 100 KB unless they are told
NOT_OBJECTS: Final = (b"[]", b'"agent.message"', b"42", b"null")
WRONG_DATA: Final = (None, "text", ["text"])
WRONG_TYPES: Final[Mapping[str, Any]] = {"message": 42, "from": ["+12125550100"], "mediaUrls": "none"}

# What an answer gives away: stack traces of common languages, and where the code lies. A script's path alone may be
# that of a page, so it counts with a line number only.
TELLTALE: Final = {
    "a stack trace": re.compile(
        r"Traceback \(most recent call last\)|^\s+File \"[^\"]+\", line \d+|^goroutine \d+ \[|Exception in thread"
        r"|^\s+at .+(?::\d+:\d+\)?|\.(?:java|kt):\d+\)|:line \d+)\s*$|\b[\w./-]+\.rb:\d+:in ",
        re.MULTILINE,
    ),
    "a path of the code": re.compile(
        r"(?<![\w.])(?:/(?:home|Users|usr|srv|opt|app|var|workspace|tmp|root)/|[A-Z]:\\)[\w./\\@-]+"
        r"\.(?:(?:py|rb|go|rs|ts|tsx|java|kt|cs)\b|(?:js|mjs|cjs|php)(?::\d+| on line \d+))"
        r"|\b(?:site-packages|node_modules)[/\\]"
    ),
}


async def endured(bench: Bench, *variants: tuple[str, Event]) -> None:
    """Deliver what is no event. Each is answered, with 4xx or 2xx, and a plain text is taken afterwards.

    A 4xx is best, as it is not tried again. A handler that acknowledges before it reads may say 2xx as well.
    """
    for what, event in variants:
        unshaken(bench, await bench.deliver(event, note=what), what)
    await bench.lives()


def unshaken(bench: Bench, exchange: Exchange, what: str, wanted: str = "4xx or 2xx") -> None:
    """The handler has managed an answer."""
    bench.should(not exchange.crashed, f"{what} is answered with {wanted}", exchange, exchange)


@case(
    "7.1",
    "Broken JSON does no harm",
    Level.MUST,
    source="good sense: what cannot be read will not be readable the next time",
    trust=Trust.INFERRED,
    sent="the first half of an event, correctly signed",
    expected="4xx (a SHOULD; 2xx will do), and a plain text is taken afterwards",
    why="A 5xx says that it may work later, so the same broken body comes back six times.",
    mend="Catch what the JSON parser raises, and answer 400.",
)
async def broken_json(bench: Bench) -> None:
    event = await bench.plain()
    await endured(bench, ("half an event", event.written(event.raw[: len(event.raw) // 2])))


@case(
    "7.2",
    "JSON that is no object does no harm",
    Level.MUST,
    source="good sense",
    trust=Trust.INFERRED,
    sent="an array, a string, a number and null, correctly signed",
    expected="4xx (a SHOULD; 2xx will do), and a plain text is taken afterwards",
    why="A 5xx says that it may work later, so the same body comes back six times.",
    mend="See whether the body is an object before you read fields, and answer 400 when it is not.",
)
async def no_object(bench: Bench) -> None:
    event = await bench.plain()
    await endured(bench, *((f"the body {raw.decode()}", event.written(raw)) for raw in NOT_OBJECTS))


@case(
    "7.3",
    "An event without data does no harm",
    Level.MUST,
    source="good sense",
    trust=Trust.INFERRED,
    sent="a text whose `data` is missing, null, a string, and an array",
    expected="4xx (a SHOULD; 2xx will do), and a plain text is taken afterwards",
    why="A 5xx says that it may work later, so the same body comes back six times.",
    mend="See whether `data` is an object before you read fields, and answer 400 when it is not.",
)
async def no_data(bench: Bench) -> None:
    event = await bench.plain()
    variants = [(f"data is {json.dumps(wrong)}", compact({**event.body, "data": wrong})) for wrong in WRONG_DATA]
    missing = ("data is missing", event.but(without=("data",)))
    await endured(bench, missing, *((what, event.written(raw)) for what, raw in variants))


@case(
    "7.4",
    "Fields of the wrong type do no harm",
    Level.MUST,
    source="a user's handler that met a list where it expected a transcript",
    trust=Trust.OBSERVED,
    sent="texts with a number as message, lists as sender, strings as history; a turn with a list as transcript",
    expected="4xx or 2xx (a SHOULD), and a plain text is taken afterwards",
    why="An exception in the middle of the work leaves it half done, and brings the event back six times.",
    mend="Validate what you use, or convert it with a default; answer 400 for what you cannot use.",
)
async def wrong_types(bench: Bench) -> None:
    texts = [
        (f"{name} is {wrong!r}", (await bench.plain()).but(data={name: wrong})) for name, wrong in WRONG_TYPES.items()
    ]
    history = ("recentHistory is a string", (await bench.plain()).but(recentHistory="earlier"))
    lines = [{"role": "user", "content": "Hello?"}]
    turn = [("the transcript is a list", (await bench.turn()).but(data={"transcript": lines}))]
    await endured(bench, *texts, history, *(turn if await speaks(bench) else []))


@case(
    "7.5",
    "An empty body does no harm",
    Level.MUST,
    source="good sense",
    trust=Trust.INFERRED,
    sent="nothing, correctly signed",
    expected="4xx (a SHOULD; 2xx will do), and a plain text is taken afterwards",
    why="Health checks and proxies send empty bodies; each is an error in the log, and may be more.",
    mend="Catch what the JSON parser raises, and answer 400.",
)
async def empty_body(bench: Bench) -> None:
    await endured(bench, ("an empty body", (await bench.plain()).written(b"")))


@case(
    "7.6",
    "A body that is not UTF-8 does no harm",
    Level.MUST,
    source="JSON is UTF-8 (RFC 8259)",
    trust=Trust.INFERRED,
    sent="a text with a Latin-1 byte in its words, and one in UTF-16, both correctly signed",
    expected="4xx or 2xx (a SHOULD), and a plain text is taken afterwards",
    why="A 5xx says that it may work later, so the same body comes back six times.",
    mend="Verify the signature over the raw bytes, and decode inside the `try` that catches broken JSON.",
)
async def not_utf8(bench: Bench) -> None:
    event = await bench.plain("caf_")
    latin, wide = event.raw.replace(b"caf_", b"caf\xe9"), json.dumps(dict(event.body)).encode("utf-16")
    await endured(bench, ("a Latin-1 byte", event.written(latin)), ("UTF-16", event.written(wide)))


@case(
    "7.7",
    "Deeply nested JSON does no harm",
    Level.MUST,
    source="good sense: parsers that recurse have a limit",
    trust=Trust.INFERRED,
    sent=f"an event with an unknown field that is nested {DEEP:,} deep, correctly signed",
    expected="4xx or 2xx (a SHOULD), and a plain text is taken afterwards",
    why="The parser's own error is not the one that is caught for broken JSON; in some languages it ends the process.",
    mend="Catch RecursionError, or what your parser raises, beside the error for broken JSON, and answer 400.",
)
async def deep_json(bench: Bench) -> None:
    event = await bench.plain()
    deep = b'{"nested":%s%s,%s' % (b"[" * DEEP, b"]" * DEEP, event.raw[1:])
    await endured(bench, ("an unknown field, nested deep", event.written(deep)))


@case(
    "7.8",
    "The content type may be written otherwise",
    Level.MUST,
    source="HTTP: a media type may carry parameters, and its case means nothing (RFC 9110, section 8.3)",
    trust=Trust.INFERRED,
    sent="texts as application/json; charset=utf-8 and as Application/JSON; other types, and none",
    expected="2xx for both; for the others anything but 5xx, which is a SHOULD",
    why="A comparison with == refuses every event as soon as a proxy or a new version adds a charset.",
    mend="Compare the part before the semicolon, without case; answer 415 for types that you do not read.",
)
async def content_types(bench: Bench) -> None:
    for same in ("application/json; charset=utf-8", "Application/JSON"):
        request = bench.signed(await bench.plain(), note=same).but({"Content-Type": same})
        bench.accepted(await bench.send(request), what=f"a text as {same}")
    for other in ("text/plain", "application/cloudevents+json", "application/x-www-form-urlencoded", None):
        request = bench.signed(await bench.plain(), note=other or "no content type").but({"Content-Type": other})
        exchange = await bench.send(request)
        unshaken(bench, exchange, request.note)
        if not exchange.ok:
            bench.note(f"{request.note} is refused: {exchange}")
    await bench.lives()


@case(
    "7.9",
    "A megabyte does no harm",
    Level.MUST,
    source="good sense; history and transcripts have no documented limit",
    trust=Trust.INFERRED,
    sent=f"an event of {BIG:,} bytes, correctly signed",
    expected="413 or 2xx (a SHOULD), and a plain text is taken afterwards",
    why="A handler that falls over a long transcript gets it five times more, and falls each time.",
    mend="Set the limit of the framework to a few megabytes, and let it answer 413 above that.",
)
async def big_body(bench: Bench) -> None:
    event = await bench.plain()
    big = event.but(data={"attachment": "x" * (BIG - len(event.raw))})
    exchange = await bench.deliver(big, note="a megabyte")
    if exchange.ending is Ending.BROKEN and exchange.status is None:
        # A server that answers 413 early hangs up while we still write: its answer may be lost with the connection.
        bench.note(f"the connection was closed without an answer: {exchange.error}")
    else:
        unshaken(bench, exchange, "a megabyte", "413 or 2xx")
    await bench.lives()


@case(
    "7.15",
    "Refusals give nothing away",
    Level.SHOULD,
    source="good sense: what an error page shows, everybody can see who finds the URL",
    trust=Trust.INFERRED,
    sent="a wrong signature, and bodies that cannot be read: broken, empty, no object, no data, nested deep",
    expected="answers without a stack trace, a path of the code, or the secret",
    why="Traces tell strangers which versions run and where; a secret in one lets them sign whatever they like.",
    mend="Switch debug pages off, and answer errors with a status and one sentence of your own.",
)
async def quiet_refusals(bench: Bench) -> None:
    event = await bench.plain()
    bodies = (event.raw[:-9], b"", b"[]", compact({**event.body, "data": None}), b"[" * DEEP)
    requests = [bench.signed(event.written(raw), note=f"{len(raw)} bytes: {raw[:24]!r}") for raw in bodies]
    requests.append(bench.signed(event, note="a wrong signature").but({SIGNATURE: "sha256=" + "0" * 64}))
    for request in requests:
        exchange = await bench.send(request)
        told = ", ".join(given_away(exchange, bench.session.secret)) or "nothing"
        bench.should(told == "nothing", "the answer gives nothing away", f"it shows {told}", exchange)


def given_away(exchange: Exchange, secret: str) -> Iterator[str]:
    """What an answer shows that it should not."""
    head = "\n".join(f"{name}: {value}" for name, value in exchange.headers.items())
    shown = f"{head}\n\n{exchange.body.decode('utf-8', 'replace')}".replace("\\n", "\n").replace('\\"', '"')
    for what, pattern in TELLTALE.items():
        if pattern.search(shown):
            yield what
    if secret and secret in shown:
        yield "the secret"


CASES: Final[tuple[Case, ...]] = tuple(
    sorted(
        (
            broken_json,
            no_object,
            no_data,
            wrong_types,
            empty_body,
            not_utf8,
            deep_json,
            content_types,
            big_body,
            quiet_refusals,
            *connections.CASES,
        ),
        key=lambda case: int(case.number.partition(".")[2]),
    )
)
