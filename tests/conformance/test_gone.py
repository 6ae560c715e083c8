"""A handler that goes away, or comes back, while it is examined. Nothing waits here: time is the loop's."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from simulator.app import SimulatorApp
from simulator.conformance.bench import Bench
from simulator.conformance.case import Case, Trust, case
from simulator.conformance.examine import CUT, RISES, Examination, Options, Target
from simulator.conformance.results import CaseResult, Report
from simulator.conformance.session import Budgets
from simulator.conformance.verdicts import Level, Verdict
from simulator.domain.webhooks import Outcome, OutcomeKind
from simulator.runtime.deliver import Sender
from simulator.runtime.transport import Answer
from simulator.testing import open_account

REFUSED = Outcome(kind=OutcomeKind.UNREACHABLE, error="connection refused")


async def sound(scope: Any, receive: Any, send: Any) -> None:
    """Say 200 to everything."""
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


async def one_text(bench: Bench) -> None:
    """Send a text that has to be taken."""
    bench.accepted(await bench.deliver(await bench.text()))


async def break_off(bench: Bench) -> None:
    """Send half a text."""
    exchange = await bench.break_off(bench.signed(await bench.text()))
    bench.must(exchange.status is None, "there is no answer", exchange)


def made(number: str, play: Any = one_text) -> Case:
    words = {"source": "documentation", "sent": "a text", "expected": "2xx", "why": "it is lost", "mend": "stay"}
    return case(number, f"rule {number}", Level.MUST, trust=Trust.DOCUMENTED, **words)(play)


FIVE = tuple(made(f"2.{place}") for place in range(1, 6))


class Frail(Sender):
    """A way to a handler that is down from its `falls`th request on, for `down` requests. Hangs instead, if told to."""

    def __init__(self, falls: int, down: float = float("inf"), *, hangs: bool = False) -> None:
        super().__init__()
        self.asked = 0
        self._falls, self._until, self._hangs = falls, falls + down, hangs

    async def open(self, url: str, headers: Mapping[str, str], body: bytes, **how: Any) -> Answer | Outcome:
        self.asked += 1
        if not self._falls <= self.asked < self._until:
            return await super().open(url, headers, body, **how)
        if self._hangs:
            await asyncio.Event().wait()
        return REFUSED


def examined(sender: Frail, cases: Sequence[Case] = FIVE, *, stop_after: str = "") -> Report:
    with open_account() as account:
        url = account._place.mount(sound)

        async def work(app: SimulatorApp) -> Report:
            runner = app.simulator.runner_for(account.api_key)
            assert runner is not None
            sender.mounts = runner.sender.mounts
            target = Target(url=url, secret=account.secret, serves_api=False)
            options = Options(budgets=Budgets(timeout=30))
            examination = Examination(app, account.api_key, target, options, sender=sender, cases=cases, done=done)
            running = asyncio.ensure_future(examination.run())

            def stop() -> None:
                running.cancel()

            stops.append(stop)
            await asyncio.wait([running])
            return examination.report() if running.cancelled() else running.result()

        stops: list[Any] = []

        def done(result: CaseResult) -> None:
            if result.number == stop_after:
                stops[0]()

        return account._place.conduct(work)


def told(report: Report) -> list[tuple[str, Verdict, str]]:
    return [(result.number, result.verdict, result.reason) for result in report.results]


def test_after_a_handler_is_gone_nothing_more_is_sent_and_the_case_is_named() -> None:
    sender = Frail(falls=3)  # the first request looks whether it is there, the second is that of 2.1
    report = examined(sender)
    gone = "the handler is gone since case 2.2: no answer (connection refused)"
    assert told(report) == [
        ("2.1", Verdict.PASS, ""),
        ("2.2", Verdict.FAIL, ""),
        *((number, Verdict.NOT_RUN, gone) for number in ("2.3", "2.4", "2.5")),
    ]
    assert sender.asked == 3 + RISES
    assert not report.ok()


def test_a_handler_that_hangs_is_waited_for_once_more() -> None:
    sender = Frail(falls=3, hangs=True)
    report = examined(sender)
    assert [verdict for _, verdict, _ in told(report)][2:] == [Verdict.NOT_RUN] * 3
    assert sender.asked == 4
    waited = 30  # seconds, on a clock that costs nothing: for the case, and once more to see whether it comes back
    assert waited <= report.results[1].seconds < waited + 2


@pytest.mark.parametrize("down", range(1, 1 + RISES))
def test_a_handler_that_somebody_starts_again_fails_one_case_and_is_examined_on(down: int) -> None:
    report = examined(Frail(falls=3, down=down))
    assert [result.number for result in report.failed] == ["2.2"]
    assert not report.having(Verdict.NOT_RUN)


def test_a_case_that_waits_for_no_answer_says_nothing_about_the_handler() -> None:
    sender = Frail(falls=99)
    report = examined(sender, (made("2.1", break_off), made("2.2")))
    assert {result.verdict for result in report.results} == {Verdict.PASS}
    assert sender.asked == 2


def test_what_is_known_when_a_run_is_cut_short_is_reported() -> None:
    report = examined(Frail(falls=99), stop_after="2.2")
    assert told(report) == [
        ("2.1", Verdict.PASS, ""),
        ("2.2", Verdict.PASS, ""),
        *((number, Verdict.NOT_RUN, CUT) for number in ("2.3", "2.4", "2.5")),
    ]
