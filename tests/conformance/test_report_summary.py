from __future__ import annotations

import io

import pytest
from rich.console import Console

from simulator.conformance.report import page, terminal
from simulator.conformance.report.summary import headline, passes, refuses
from simulator.conformance.report.telling import told
from simulator.conformance.results import Diagnosis
from simulator.conformance.verdicts import Verdict
from tests.helpers.conformance_reports import a_report, a_result

NOT_RUN = a_result("1.1", Verdict.NOT_RUN, checks=(), exchanges=(), reason="the secret is not known")


@pytest.mark.parametrize(
    ("mistake", "refused", "words"),
    [
        ("The handler answers 404.", True, "Takes no event, however it is signed"),
        ("", False, "Nothing could be examined"),  # its secret was not known, so it was right to refuse
    ],
)
def test_a_handler_that_takes_nothing_is_blamed_only_when_there_is_a_mistake(
    mistake: str, refused: bool, words: str
) -> None:
    report = told(a_report(NOT_RUN, diagnosis=Diagnosis(mistake=mistake, mend="Give --secret.", scheme="")))
    assert refuses(report) is refused
    assert headline(report) == words
    assert not passes(report)


def test_what_to_do_is_said_even_when_nobody_is_to_blame() -> None:
    report = a_report(NOT_RUN, diagnosis=Diagnosis(mistake="", mend="Give --secret.", scheme=""))
    out = io.StringIO()
    terminal.show(report, Console(file=out, width=80))
    assert "Give --secret." in out.getvalue()
    assert "Give --secret." in page.render(report)


def test_a_handler_is_all_right_when_something_was_run_and_nothing_was_broken() -> None:
    looked = a_result("1.8", Verdict.INFORMATIONAL)
    lax, failed = a_result("2.7", Verdict.NON_STRICT), a_result("3.2", Verdict.FAIL)
    assert a_report(looked).ok()
    assert a_report(looked, lax).ok() and not a_report(looked, lax).ok(strict=True)
    assert not a_report(looked, failed).ok()
    assert not a_report(NOT_RUN).ok()
    assert not a_report(looked, diagnosis=Diagnosis(mistake="", scheme="")).ok()
