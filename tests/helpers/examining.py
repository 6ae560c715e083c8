"""Handlers that a test makes up, examined in process: a verdict on each, and how fair it is."""

from __future__ import annotations

from types import ModuleType
from typing import Any, cast

from simulator.conformance.case import Play, Trust, case
from simulator.conformance.examine import Target, examine
from simulator.conformance.results import CaseResult, Report
from simulator.conformance.verdicts import Level, Verdict
from simulator.testing import open_account
from tests.helpers.zoo import Animal, examined, load


def sound() -> Any:
    """The module of the handler that keeps the contract; `Handler` is what others are made of."""
    return load("sound").module


def examine_one(kind: type[Any], *numbers: str) -> Report:
    """Play cases against a handler."""
    module = ModuleType(kind.__name__)
    module.Broken = kind  # type: ignore[attr-defined]
    return examined(Animal(kind.__name__, cast(ModuleType, module), "", frozenset(), frozenset(), ""), numbers)


def played(kind: type[Any], play: Play, *, sockets: bool = False) -> CaseResult:
    """What becomes of a case that a test makes up."""
    words = dict.fromkeys(("source", "sent", "expected", "why", "mend"), "")
    made = case("9.1", "A test's own", Level.MUST, trust=Trust.INFERRED, **words)(play)
    with open_account(sockets=sockets) as account:
        wiring = sound().Wiring(secret=account.secret, base_url=account.base_url, api_key=account.api_key)
        place = account._place
        url = place.mount(kind(wiring).app) + "/webhook"
        target = Target(url=url, secret=account.secret)
        (result,) = place.conduct(lambda app: examine(app, account.api_key, target, cases=(made,))).results
    return result


def verdict(kind: type[Any], number: str) -> Verdict:
    """The verdict of one case on a handler."""
    return examine_one(kind, number).result(number).verdict


def wrong(report: Report, number: str) -> list[str]:
    """What was expected in vain."""
    return [check.expected for check in report.result(number).broken]
