from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from rich.console import Console

from simulator.conformance.report import terminal
from simulator.conformance.results import CaseResult, Diagnosis, Report
from simulator.conformance.verdicts import Verdict
from tests.helpers.conformance_reports import (
    REPORTS,
    RESULTS,
    a_big_report,
    a_check,
    a_report,
    a_result,
    an_exchange,
    report_with,
)
from tests.helpers.scenario_strategies import HOSTILE

DIAGNOSIS = Diagnosis(mistake="It signs the JSON again, not the bytes that came.", mend="Sign the raw body.")


def shown(report: Report, *, verbose: bool = False, width: int = 80, encoding: str = "utf-8") -> list[str]:
    raw = io.BytesIO()
    with io.TextIOWrapper(raw, encoding=encoding, newline="\n") as file:
        terminal.show(report, Console(file=file, width=width, color_system=None), verbose=verbose)
        file.flush()
        return raw.getvalue().decode(encoding).splitlines()


def test_a_report_in_which_much_passes_fits_a_screen() -> None:
    verdicts = {"1.4": Verdict.NOT_RUN, "3.2": Verdict.FAIL, "6.1": Verdict.FAIL, "6.2": Verdict.NON_STRICT}
    lines = shown(a_big_report(verdicts, replay="conform URL"))
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert "3 At least once    ✓✗✓✓✓✓✓✓✓✓✓✓  11 of 12" in lines


def test_a_failure_is_told_with_what_was_expected_what_came_and_how_to_mend_it() -> None:
    text = "\n".join(shown(a_report(a_result())))
    assert "✗ 3.2 An exact duplicate is acted on once (3.2)\n" in text
    assert "  expected  the duplicate leads to no API call\n" in text
    assert "  observed  it leads to POST /v1/messages\n" in text
    assert "  mend      Remember X-Webhook-ID before you act" in text


def test_of_many_failures_the_first_are_told_and_the_rest_are_counted() -> None:
    failed = {f"4.{n}": Verdict.FAIL for n in range(1, 13)}
    lines = shown(a_big_report(failed))
    assert sum(line.startswith("✗ 4.") for line in lines) == 5
    assert any(line.strip() == "and 7 more: 4.6, 4.7, 4.8, 4.9, 4.10, 4.11, 4.12" for line in lines)


def test_verbose_tells_all_failures_and_what_went_to_and_fro() -> None:
    failed = {f"4.{n}": Verdict.FAIL for n in range(1, 13)} | {"6.1": Verdict.NON_STRICT}
    lines = shown(a_big_report(failed), verbose=True)
    assert sum(line.startswith("✗ 4.") for line in lines) == 12
    assert "  sent      1 POST: 200, 8 ms" in lines
    assert sum("expected" in line for line in lines) == 13


def test_the_doctor_speaks_before_the_failures() -> None:
    text = "\n".join(shown(a_big_report({"3.2": Verdict.FAIL}, diagnosis=DIAGNOSIS)))
    assert 0 < text.index("It signs the JSON again") < text.index("✗ 3.2")


def test_what_was_not_run_is_told_once_for_each_reason() -> None:
    other = a_result("8.1", Verdict.NOT_RUN, reason="it has no voice")
    report = a_report(a_result("1.4", Verdict.NOT_RUN), a_result("1.9", Verdict.NOT_RUN), other)
    lines = shown(report)
    assert any(line.startswith("  not run   1.4, 1.9: the handler cannot") for line in lines)
    assert "  not run   8.1: it has no voice" in lines
    assert any("Nothing could be examined" in line for line in lines)


def test_of_many_cases_that_were_not_run_the_reason_is_not_lost() -> None:
    left = (a_result(f"4.{n}", Verdict.NOT_RUN, reason="nothing is accepted") for n in range(1, 60))
    assert "  not run   59 cases, 4.1 to 4.59: nothing is accepted" in shown(a_report(*left))


def test_the_command_to_repeat_the_first_failure_is_on_one_line_however_long() -> None:
    lines = shown(a_big_report({"3.2": Verdict.FAIL}, replay="conform " + "x" * 200))
    assert lines[-1] == "again: conform " + "x" * 200 + " --case 3.2"


def test_a_terminal_that_knows_ascii_only_gets_it() -> None:
    lines = shown(a_big_report({"3.2": Verdict.FAIL, "3.3": Verdict.NOT_RUN}, target="é"), encoding="ascii")
    assert any(line.startswith("3 At least once    .F-....") for line in lines)
    assert lines[0].startswith("\\xe9")


@pytest.mark.parametrize(
    ("verdict", "says"),
    [
        (Verdict.PASS, "✓ 3.2  An exact duplicate is acted on once (3.2)"),
        (Verdict.FAIL, "✗ 3.2  An exact duplicate is acted on once (3.2)  it leads to POST /v1/messages"),
    ],
)
def test_a_case_that_is_over_is_a_line(verdict: Verdict, says: str) -> None:
    assert terminal.line(a_result("3.2", verdict)).plain == says


@settings(max_examples=50)
@given(RESULTS)
def test_whatever_was_said_a_case_is_one_line_that_steers_no_terminal(result: CaseResult) -> None:
    line = terminal.line(result).plain
    assert not set("\x1b\x07\x00\r\x9b") & set(line)
    assert line.encode()


@settings(max_examples=50)
@given(REPORTS)
def test_any_report_can_be_shown(report: Report) -> None:
    for verbose in (False, True):
        assert not set("\x1b\x07\x00\r\x9b") & set("".join(shown(report, verbose=verbose, width=40)))


@settings(max_examples=30)
@given(HOSTILE)
def test_whatever_was_said_steers_no_terminal(text: str) -> None:
    lines = shown(report_with(text), verbose=True, encoding="ascii")
    assert not set("\x1b\x07\x00\r\x9b") & set("".join(lines))


def test_texts_of_a_megabyte_do_not_flood_a_terminal() -> None:
    assert len("\n".join(shown(report_with("<\x1b\ud800'" * 260_000)))) < 20_000


def test_what_an_answer_says_is_no_markup() -> None:
    case = a_result(checks=(a_check(observed="[red]x[/] :smile:"),), exchanges=(an_exchange(),))
    assert "  observed  [red]x[/] :smile:" in shown(a_report(case))
