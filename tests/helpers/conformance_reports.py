"""Reports of examinations as builders make them, and strategies for reports in which anything stands anywhere."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from simulator.conformance.bench import Bench
from simulator.conformance.case import GROUPS, Case, Trust
from simulator.conformance.exchange import Ending, Exchange, Request
from simulator.conformance.results import CaseResult, Diagnosis, Report
from simulator.conformance.verdicts import Check, Level, Profile, Verdict
from tests.helpers.scenario_strategies import HOSTILE

WORDS = "An exact duplicate is acted on once"
VOICE = {"event": "agent.message", "channel": "voice", "data": {"transcript": "Where is my order 4521?"}}
TEXT = {"event": "agent.message", "channel": "sms", "data": {"message": "Are you open on Monday?"}}
SIZES = (14, 12, 12, 13, 14, 9, 10, 6)  # cases of each group of a big report


async def _nothing(bench: Bench) -> None:
    """Play nothing: these cases are told, never played."""


def a_case(number: str = "3.2", **changes: Any) -> Case:
    parts: dict[str, Any] = {
        "number": number, "title": WORDS, "level": Level.MUST, "source": "webhook documentation, retries",
        "trust": Trust.DOCUMENTED, "sent": "a text, and the same bytes with the same headers again",
        "expected": "what the first leads to, and nothing more",
        "why": "Retries happen whenever an acknowledgement is late: customers get the same answer two to five times.",
        "mend": "Remember X-Webhook-ID before you act, in a store that all processes share, and skip what is known.",
        "play": _nothing,
    }  # fmt: skip
    return Case(**(parts | changes))


def a_request(body: bytes = json.dumps(TEXT).encode(), **changes: Any) -> Request:
    headers = {
        "Content-Type": "application/json",
        "X-Webhook-ID": "whd_7Yk2",
        "X-Webhook-Event": "agent.message",
        "X-Webhook-Timestamp": "1795880000",
        "X-Webhook-Signature": "sha256=" + "ab" * 32,
    }
    return Request(**({"headers": headers, "body": body} | changes))


def an_exchange(body: bytes = b"", *, at: float = 0.0, took: float = 0.008, **changes: Any) -> Exchange:
    parts: dict[str, Any] = {
        "request": a_request(), "status": 200, "headers": {"Content-Type": "text/plain; charset=utf-8"},
        "head_at": took, "pieces": [(took, body)] if body else [], "ended_at": took, "started_at": at,
    }  # fmt: skip
    return Exchange(**(parts | changes))


def a_turn(*chunks: tuple[float, dict[str, Any]], at: float = 0.0, **changes: Any) -> Exchange:
    """A streamed answer to a voice turn."""
    pieces = [(moment, json.dumps(chunk).encode() + b"\n") for moment, chunk in chunks]
    last = pieces[-1][0] if pieces else 0.01
    parts: dict[str, Any] = {
        "request": a_request(json.dumps(VOICE).encode(), note="a caller's question"),
        "headers": {"Content-Type": "application/x-ndjson"}, "head_at": 0.009, "pieces": pieces,
    }  # fmt: skip
    return an_exchange(at=at, took=last + 0.001, **(parts | changes))


def a_check(
    *,
    holds: bool = False,
    level: Level = Level.MUST,
    exchange: int | None = 0,
    expected: str = "the duplicate leads to no API call",
    observed: str = "it leads to POST /v1/messages",
) -> Check:
    return Check(level, holds, expected, observed, exchange)


def a_result(number: str = "3.2", verdict: Verdict = Verdict.FAIL, **changes: Any) -> CaseResult:
    level = changes.pop("level", Level.SHOULD if verdict is Verdict.NON_STRICT else Level.MUST)
    title = changes.pop("title", f"{WORDS} ({number})")
    holds = verdict not in (Verdict.FAIL, Verdict.NON_STRICT)
    played: dict[str, Any] = {"checks": (a_check(holds=holds, level=level),), "exchanges": (an_exchange(),)}
    if verdict is Verdict.NOT_RUN:
        played = {"reason": "the handler cannot be given another secret while it runs: give --secret-file"}
    return CaseResult(
        case=a_case(number, level=level, title=title), verdict=verdict, **({"seconds": 0.03} | played | changes)
    )


def a_report(*results: CaseResult, **changes: Any) -> Report:
    parts: dict[str, Any] = {
        "target": "http://127.0.0.1:3000/webhook", "name": "shop", "version": "0.4.0", "profile": Profile.ALL,
        "contract": "2026-07", "started_at": "2026-11-28T15:04:05Z", "seconds": 5.21, "results": results,
        "replay": "agentphone-simulator conform http://127.0.0.1:3000/webhook --secret-file secret.txt",
    }  # fmt: skip
    return Report(**(parts | changes))


def a_big_report(verdicts: dict[str, Verdict] | None = None, **changes: Any) -> Report:
    """All groups full; every case passes unless `verdicts` says otherwise."""
    numbers = [f"{group}.{place}" for group, size in zip(GROUPS, SIZES, strict=True) for place in range(1, size + 1)]
    return a_report(*(a_result(number, (verdicts or {}).get(number, Verdict.PASS)) for number in numbers), **changes)


def report_with(text: str, raw: bytes | None = None) -> Report:
    """A report in which everything that a handler or a user can say is `text`."""
    body = text.encode("utf-8", "surrogatepass") if raw is None else raw
    request = a_request(body, headers={text: text, "X-Webhook-ID": text}, method=text, note=text)
    broken = an_exchange(body, request=request, headers={text: text}, ending=Ending.BROKEN, error=text)
    none = an_exchange(request=request, status=None, head_at=None, ending=Ending.BROKEN, error=text)
    turn = a_turn((0.02, {"text": text, "interim": True}), (0.05, {"text": text, "hangup": True}))
    checks = tuple(
        a_check(holds=holds, level=level, exchange=place, expected=text, observed=text)
        for holds in (True, False)
        for level, place in ((Level.MUST, 0), (Level.SHOULD, 1), (Level.MAY, None))
    )
    results = [
        a_result(
            f"{number}.1",
            verdict,
            checks=checks,
            exchanges=(broken, none, turn),
            notes=(text,),
            reason=text,
            title=text,
        )
        for number, verdict in enumerate(Verdict, 1)
    ]
    diagnosis = Diagnosis(mistake=text, mend=text, scheme=text, evidence=(text,))
    return a_report(
        *results, target=text, name=text, version=text, contract=text, started_at=text, diagnosis=diagnosis,
        adopted=text, replay=text, notes=(text,),
    )  # fmt: skip


ANY_SECONDS = st.floats() | st.sampled_from([0.0, 1e-9, 0.001, 3.0, 1e12])
ANY_BYTES = st.binary(max_size=60) | st.text(max_size=40).map(lambda text: text.encode("utf-8", "surrogatepass"))
REQUESTS = st.builds(
    Request,
    headers=st.dictionaries(HOSTILE, HOSTILE, max_size=3),
    body=ANY_BYTES | st.just(json.dumps(VOICE).encode()),
    method=HOSTILE,
    note=HOSTILE,
)
EXCHANGES = st.builds(
    Exchange,
    request=REQUESTS,
    status=st.none() | st.integers(100, 599),
    headers=st.dictionaries(HOSTILE, HOSTILE, max_size=3),
    head_at=st.none() | ANY_SECONDS,
    pieces=st.lists(st.tuples(ANY_SECONDS, ANY_BYTES), max_size=4),
    ended_at=ANY_SECONDS,
    ending=st.sampled_from(Ending),
    error=st.none() | HOSTILE,
    started_at=ANY_SECONDS,
)
CHECKS = st.builds(
    Check,
    level=st.sampled_from(Level),
    holds=st.booleans(),
    expected=HOSTILE,
    observed=HOSTILE,
    exchange=st.none() | st.integers(-1, 9),
)
RESULTS = st.builds(
    CaseResult,
    case=st.builds(a_case, st.sampled_from(["1.1", "1.2", "3.2", "3.10", "8.9", "9.1", "x"]), title=HOSTILE),
    verdict=st.sampled_from(Verdict),
    checks=st.lists(CHECKS, max_size=3).map(tuple),
    exchanges=st.lists(EXCHANGES, max_size=8).map(tuple),
    notes=st.lists(HOSTILE, max_size=2).map(tuple),
    reason=HOSTILE,
    seconds=ANY_SECONDS,
)
REPORTS = st.builds(
    a_report,
    target=HOSTILE,
    name=HOSTILE,
    contract=HOSTILE,
    started_at=HOSTILE,
    replay=HOSTILE,
    seconds=ANY_SECONDS,
    profile=st.sampled_from(Profile),
    results=st.lists(RESULTS, max_size=4, unique_by=lambda result: result.number).map(tuple),
    diagnosis=st.none() | st.builds(Diagnosis, mistake=HOSTILE, mend=HOSTILE, scheme=HOSTILE),
)
