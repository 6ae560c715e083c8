"""Holds what a scenario expects of a thread of texts against the record of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from simulator.scenarios.checks import Check, Piece, count, enough, found_at, nearest, quote, words
from simulator.scenarios.durations import short
from simulator.scenarios.model import TextPart
from simulator.scenarios.record import MessageRecord, TextRecord
from simulator.scenarios.script import match_of
from simulator.scenarios.threads import NoReplyStep, Reply, ReplyStep
from simulator.scenarios.traffic import api_checks, delivery_checks
from simulator.scenarios.wanted import TextExpect


def check_thread(part: TextPart, record: TextRecord, where: str) -> tuple[Check, ...]:
    """Every check of one thread, in the order of the file. Each reply answers one `expect_reply`, in order."""
    began = dict(record.steps)
    waiting = list(record.replies)
    checks: list[Check] = []
    for index, step in enumerate(part.script):
        place = f"{where}.script[{index}]"
        if isinstance(step, ReplyStep | NoReplyStep) and index not in began:
            checks.append(_unreached(place, record))
        elif isinstance(step, ReplyStep):
            checks += _reply(step.expect_reply, waiting, began[index], f"{place}.expect_reply")
        elif isinstance(step, NoReplyStep):
            quiet = step.expect_no_reply.for_
            checks.append(_quiet(quiet, record, began[index], f"{place}.expect_no_reply"))
    if part.expect is not None:
        checks += _whole(part.expect, record, f"{where}.expect")
    return tuple(checks)


def _unreached(where: str, record: TextRecord) -> Check:
    seen = "an earlier step failed"
    return Check(name="step", where=where, ok=False, expected="to get to this step", observed=seen, at=record.ended)


def _reply(wanted: Reply, waiting: list[MessageRecord], began: timedelta, where: str) -> Iterator[Check]:
    """The first reply in time with the words, as the script takes it; else the first in time.

    It and those before it are used up, so that none can answer the next question too.
    """
    timely = [reply for reply in waiting if reply.at <= began + wanted.within]
    fits = (reply for reply in timely if wanted.text is None or match_of(wanted.text).found_in(reply.body))
    reply = next(fits, timely[0] if timely else None)
    late = waiting[0] if waiting and reply is None else None
    yield Check(
        name="expect_reply", where=where, ok=reply is not None, expected=f"a reply within {short(wanted.within)}",
        observed=f"{quote(reply.body)}" if reply else "none",
        nearest=f"{quote(late.body)}, {short(late.at - began)} after this step began" if late else "",
        at=reply.at if reply else began + wanted.within,
    )  # fmt: skip
    if reply is None:
        return
    del waiting[: waiting.index(reply) + 1]
    if wanted.text is not None:
        pieces = [(one.at, one.body) for one in timely]
        ok = match_of(wanted.text).found_in(reply.body)
        near = "" if ok else nearest(wanted.text, pieces)[0]
        yield Check(
            name="text", where=f"{where}.text", ok=ok, expected=f"a reply that {words(wanted.text)}",
            observed=quote(reply.body), nearest=near, at=reply.at,
        )  # fmt: skip


def _quiet(length: timedelta, record: TextRecord, began: timedelta, where: str) -> Check:
    heard = next((reply for reply in record.replies if began <= reply.at <= began + length), None)
    return Check(
        name="expect_no_reply", where=where, ok=heard is None, expected=f"no reply for {short(length)}",
        observed=quote(heard.body) if heard else "none", at=heard.at if heard else began,
    )  # fmt: skip


def _whole(expect: TextExpect, record: TextRecord, where: str) -> Iterator[Check]:
    pieces: list[Piece] = [(reply.at, reply.body) for reply in record.replies]
    listed = ", ".join(quote(body) for _, body in pieces) or "none"
    if expect.replies is not None:
        wanted = f"the number of replies to be {count(expect.replies)}"
        ok = enough(expect.replies, len(pieces))
        seen = f"{len(pieces)} ({listed})" if pieces else "0"
        yield Check(name="replies", where=f"{where}.replies", ok=ok, expected=wanted, observed=seen, at=record.ended)
    if expect.text is not None:
        one = next((piece for piece in pieces if found_at(expect.text, [piece]) is not None), None)
        near, at = ("", record.ended) if one else nearest(expect.text, pieces)
        yield Check(
            name="text", where=f"{where}.text", ok=one is not None, expected=f"a reply that {words(expect.text)}",
            observed=listed, nearest=near, at=one[0] if one else record.ended if at is None else at,
        )  # fmt: skip
    if expect.never_says is not None:
        one = next((piece for piece in pieces if found_at(expect.never_says, [piece]) is not None), None)
        yield Check(
            name="never_says", where=f"{where}.never_says", ok=one is None, at=one[0] if one else record.ended,
            expected=f"no reply that {words(expect.never_says)}", observed=quote(one[1]) if one else listed,
        )  # fmt: skip
    yield from api_checks(expect.api_calls or [], record.api_requests, where)
    yield from delivery_checks(expect.deliveries or [], record.deliveries, where)
