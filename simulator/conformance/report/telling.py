"""From what was found to what is told: secrets are masked, and what would be endless is cut, saying how much of it.

Masking and cutting happen here, once, and nowhere else.
"""

from __future__ import annotations

import base64
import codecs
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Final

from simulator.conformance.exchange import Exchange
from simulator.conformance.report.records import (
    LONGEST,
    CaseRecord,
    CheckRecord,
    Content,
    ExchangeRecord,
    Headers,
    Message,
    Piece,
    Reported,
    ReportRecord,
    Said,
)
from simulator.conformance.results import CaseResult, Diagnosis, Report
from simulator.conformance.verdicts import Check
from simulator.domain.masking import HIDDEN, masked, masked_headers
from simulator.engine.chunks import Chunk

MOST_TEXT: Final = 2_000  # characters of anything said in words
MOST_BODY: Final = 16_384  # bytes of a body ...
MOST_OF_MANY: Final = 4_096  # ... and in a case of many exchanges
FEW: Final = 4  # exchanges that are kept in any case; of the others, those that show what is wrong
SHOWING: Final = 6
MOST_CHECKS: Final = 30  # that hold, and as many that do not
MOST_HEADERS: Final = 64
MOST_VALUE: Final = 1_024  # characters of a header
MOST_PIECES: Final = 100
MOST_CHUNKS: Final = 40
MARGIN: Final = 4_096  # looked at behind a cut, so that a secret which it would halve is seen

_SURROGATE: Final = re.compile("[\ud800-\udfff]")  # cannot be written as UTF-8
# A secret that somebody has typed; the name of a variable that holds one is none.
_SECRET_OPTION: Final = re.compile(r"""(--secret(?: +|=))(?!"\$\w+")(?:'[^']*'|"[^"]*"|\S+)""")


def told(report: Reported) -> ReportRecord:
    """Tell a report. One that is told already stays as it is."""
    if isinstance(report, ReportRecord):
        return report
    return ReportRecord(
        target=words(report.target),
        name=words(report.name),
        version=words(report.version),
        profile=report.profile,
        contract=words(report.contract),
        started_at=words(report.started_at),
        seconds=_seconds(report.seconds),
        adopted=words(report.adopted),
        replay=_SECRET_OPTION.sub(rf"\1{HIDDEN}", words(report.replay)),
        diagnosis=_diagnosis(report),
        notes=tuple(map(words, report.notes)),
        cases=tuple(map(told_case, report.results)),
    )


def _diagnosis(report: Report) -> Diagnosis | None:
    if (found := report.diagnosis) is None:
        return None
    return Diagnosis(
        mistake=words(found.mistake),
        mend=words(found.mend),
        scheme=words(found.scheme),
        evidence=tuple(map(words, found.evidence)),
    )


def told_case(result: CaseResult) -> CaseRecord:
    """Tell one case, with its rule."""
    case = result.case
    checks, places = _checks(result), _kept(result)
    most = MOST_BODY if len(places) <= FEW else MOST_OF_MANY
    return CaseRecord(
        number=words(case.number),
        title=words(case.title),
        level=case.level,
        source=words(case.source),
        trust=case.trust,
        sent=words(case.sent),
        expected=words(case.expected),
        why=words(case.why),
        mend=words(case.mend),
        verdict=result.verdict,
        reason=words(result.reason),
        seconds=_seconds(result.seconds),
        checks=tuple(_check(check, places) for check in checks),
        checks_left_out=len(result.checks) - len(checks),
        notes=tuple(map(words, result.notes)),
        exchanges=tuple(_exchange(place, result.exchanges[place], most) for place in places),
        exchanges_left_out=len(result.exchanges) - len(places),
    )


def _checks(result: CaseResult) -> list[Check]:
    """The checks that are told, in order."""
    kept: list[Check] = []
    seen = {True: 0, False: 0}
    for check in result.checks:
        seen[check.holds] += 1
        if seen[check.holds] <= MOST_CHECKS:
            kept.append(check)
    return kept


def _kept(result: CaseResult) -> list[int]:
    """The indexes of the exchanges that are told: the first few, and those that show what is wrong."""
    count = len(result.exchanges)
    showing = [c.exchange for c in result.broken if c.exchange is not None and FEW <= c.exchange < count]
    return sorted({*range(min(FEW, count)), *list(dict.fromkeys(showing))[:SHOWING]})


def _check(check: Check, places: Sequence[int]) -> CheckRecord:
    place = places.index(check.exchange) if check.exchange in places else None
    return CheckRecord(
        level=check.level,
        holds=check.holds,
        expected=words(check.expected),
        observed=words(check.observed),
        exchange=place,
    )


def _exchange(index: int, exchange: Exchange, most: int) -> ExchangeRecord:
    request, pieces = exchange.request, exchange.pieces
    chunks = _said(exchange)
    return ExchangeRecord(
        place=index + 1,
        note=words(request.note),
        method=words(request.method),
        request=Message(headers=_headers(request.headers), content=content(request.body, most)),
        answer=Message(headers=_headers(exchange.headers), content=content(exchange.body, most)),
        status=None if exchange.status is None else max(0, exchange.status),
        ending=exchange.ending,
        error=None if exchange.error is None else words(exchange.error),
        started_at=_seconds(exchange.started_at),
        head_at=None if exchange.head_at is None else _seconds(exchange.head_at),
        pieces=tuple(Piece(at=_seconds(at), size=len(piece)) for at, piece in pieces[:MOST_PIECES]),
        more_pieces=max(0, len(pieces) - MOST_PIECES),
        chunks=tuple(chunks[:MOST_CHUNKS]),
        more_chunks=max(0, len(chunks) - MOST_CHUNKS),
        ended_at=_seconds(exchange.ended_at),
    )


def _said(exchange: Exchange) -> list[Said]:
    """The chunks of the answer to a voice turn; whatever else was asked, an answer has none."""
    if exchange.status is None or not _is_turn(exchange.request.body):
        return []
    return [Said(at=_seconds(at), interim=c.interim, words=words(_spoken(c))) for at, c in exchange.reply.chunks]


def _is_turn(body: bytes) -> bool:
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(event, dict) and event.get("channel") == "voice" and event.get("event") == "agent.message"


def _spoken(chunk: Chunk) -> str:
    acts = (
        f"[presses {chunk.digits}]" if chunk.digits else "",
        "[transfers]" if chunk.transfer else "",
        "[hangs up]" if chunk.hangup else "",
    )
    return " ".join(filter(None, (chunk.text, *acts)))


def _headers(headers: Mapping[str, str]) -> Headers:
    """Headers in order. Each is masked alone: a mapping of many values may have a name more than once."""
    first = list(headers.items())[:MOST_HEADERS]
    hidden = (next(iter(masked_headers({name: value[: MOST_VALUE + MARGIN]}).items())) for name, value in first)
    return tuple((words(name, MOST_VALUE), words(value, MOST_VALUE)) for name, value in hidden)


def content(body: bytes, most: int = MOST_BODY) -> Content:
    """Tell a body: its first `most` bytes, without what looks like a secret."""
    window = body[: most + MARGIN]
    seen = masked(window.decode("latin-1")).encode("latin-1")
    kept, left_out = seen[:most], len(body) - len(window) + max(0, len(seen) - most)
    if not kept:
        return Content(size=len(body))
    try:
        # Cut in the middle of a character, a text is a text still, without that character.
        text = codecs.getincrementaldecoder("utf-8")().decode(kept, final=not left_out)
    except ValueError:
        return Content(base64=base64.b64encode(kept).decode(), size=len(body), left_out=left_out)
    return Content(text=text, size=len(body), left_out=left_out + len(kept) - len(text.encode()))


def words(text: str, most: int = MOST_TEXT) -> str:
    """Tell a text: its first `most` characters, without what looks like a secret."""
    seen = masked(_writable(text[: most + MARGIN]))
    if len(text) <= most + MARGIN and len(seen) <= most:
        return seen
    return f"{seen[:most]}… ({len(text) - most} more characters)"


def _writable(text: str) -> str:
    """Lone surrogates as visible escapes."""
    return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _seconds(length: float) -> float:
    return round(min(max(length, 0.0), LONGEST), 6) if math.isfinite(length) else 0.0
