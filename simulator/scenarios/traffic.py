"""Expectations about what went over the wire: requests to `/v1`, events to the webhook endpoint."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from simulator.scenarios.checks import Check, count, enough, words
from simulator.scenarios.record import ApiRecord, DeliveryRecord
from simulator.scenarios.script import match_of
from simulator.scenarios.wanted import ApiCall, Between, DeliveryWanted

AT_LEAST_ONCE: Final = Between(at_least=1)
MAX_DIFFERENCES: Final = 2  # a request that differs in more has nothing to do with the one that is expected


def api_checks(wanted: Sequence[ApiCall], seen: Sequence[ApiRecord], where: str) -> Iterator[Check]:
    """One check for each kind of request that is expected."""
    for index, call in enumerate(wanted):
        fitting = [request for request in seen if not _differences(call, request)]
        times = AT_LEAST_ONCE if call.times is None else call.times
        ok = enough(times, len(fitting))
        near, at = ("", None) if ok or fitting else _nearest_request(call, seen)
        made = ", ".join(f"{r.method} {r.path} ({r.status})" for r in fitting) or "none"
        yield Check(
            name="api_calls", where=f"{where}.api_calls[{index}]", ok=ok, nearest=near,
            expected=f"{call.method} {call.path}{_conditions(call)}, {count(times)} times",
            observed=f"{len(fitting)} ({made})" if fitting else "none", at=fitting[0].at if fitting else at,
        )  # fmt: skip


def _conditions(call: ApiCall) -> str:
    status = "" if call.status is None else f" answered {call.status}"
    body = "" if call.body is None else f" with a body that {words(call.body)}"
    return status + body


def _differences(call: ApiCall, request: ApiRecord) -> list[str]:
    """Say in what a request differs from what is expected; empty when it fits."""
    differences = []
    if call.method != request.method:
        differences.append(f"the method is {request.method}")
    if not same_path(call.path, request.path):
        differences.append(f"the path is {request.path}")
    if call.status is not None and call.status != request.status:
        differences.append(f"the status is {request.status}")
    if call.body is not None and not match_of(call.body).found_in(request.body):
        differences.append("the body is different")
    return differences


def same_path(pattern: str, path: str) -> bool:
    """Whether a path fits; `*` stands for one part of it, and the query doesn't count."""
    wanted, parts = pattern.split("/"), path.partition("?")[0].split("/")
    return len(wanted) == len(parts) and all(w in ("*", p) for w, p in zip(wanted, parts, strict=True))


def _nearest_request(call: ApiCall, seen: Sequence[ApiRecord]) -> tuple[str, timedelta | None]:
    """The request that differs in the fewest things, and in what."""
    best = min(seen, default=None, key=lambda request: len(_differences(call, request)))
    if best is None or len(_differences(call, best)) > MAX_DIFFERENCES:
        return "", None
    return f"{best.method} {best.path} ({best.status}): {', '.join(_differences(call, best))}", best.at


def delivery_checks(wanted: Sequence[DeliveryWanted], seen: Sequence[DeliveryRecord], where: str) -> Iterator[Check]:
    """One check for each kind of event that is expected."""
    for index, delivery in enumerate(wanted):
        same = [d for d in seen if d.event == delivery.event]
        fitting = [d for d in same if _settled(delivery, d)]
        times = AT_LEAST_ONCE if delivery.times is None else delivery.times
        attempts = "" if delivery.attempts is None else f" after {count(delivery.attempts)} attempts"
        stray = next((d for d in same if d not in fitting), None)
        listed = ", ".join(f"{d.event} {d.status} after {d.attempts}" for d in same)
        others = ", ".join(sorted({d.event for d in seen} - {delivery.event}))
        yield Check(
            name="deliveries", where=f"{where}.deliveries[{index}]",
            ok=stray is None and enough(times, len(fitting)),
            expected=f"{delivery.event} {delivery.status}{attempts}, {count(times)} times",
            observed=listed or "none", nearest=f"there were {others}" if others and not same else "",
            at=(stray or same[0]).at if same else None,
        )  # fmt: skip


def _settled(wanted: DeliveryWanted, seen: DeliveryRecord) -> bool:
    return wanted.status == seen.status and (wanted.attempts is None or enough(wanted.attempts, seen.attempts))
