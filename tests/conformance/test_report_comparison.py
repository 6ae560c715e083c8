from __future__ import annotations

import io

from hypothesis import given, settings
from rich.console import Console

from simulator.conformance.report import comparison
from simulator.conformance.report.telling import told
from simulator.conformance.results import Report
from simulator.conformance.verdicts import Profile, Verdict
from tests.helpers.conformance_reports import REPORTS, a_big_report, a_report, a_result, report_with
from tests.helpers.strict_html import Page


def rendered(*reports: Report) -> Page:
    read = Page(comparison.render(reports))
    assert {"script", "img", "link", "iframe"}.isdisjoint(read.tags)
    assert {link.removeprefix("#") for link in read.having("href")} <= set(read.having("id"))
    return read


def shown(*reports: Report, width: int = 80, encoding: str = "utf-8") -> str:
    raw = io.BytesIO()
    with io.TextIOWrapper(raw, encoding=encoding, newline="\n") as file:
        comparison.show(reports, Console(file=file, width=width, color_system=None))
        file.flush()
        return raw.getvalue().decode(encoding)


def test_rows_are_all_cases_of_all_reports_in_order() -> None:
    rows = comparison.rows([told(a_report(a_result("3.10"), a_result("1.1"))), told(a_report(a_result("3.2")))])
    assert [row.case.number for row in rows] == ["1.1", "3.2", "3.10"]
    assert [[cell is not None for cell in row.cells] for row in rows] == [[True, False], [False, True], [True, False]]


def test_handlers_differ_where_both_were_judged_and_not_alike() -> None:
    one = told(a_report(*(a_result(f"1.{n}", verdict) for n, verdict in enumerate(Verdict, 1))))
    other = told(a_report(*(a_result(f"1.{n}", Verdict.PASS) for n in range(1, 6))))
    assert [row.differs for row in comparison.rows([one, other])] == [False, True, True, False, False]


def test_a_page_has_a_column_for_each_handler_and_tells_the_differences() -> None:
    shop, flask = a_big_report({"3.2": Verdict.FAIL}), a_big_report(name="flask")
    read = rendered(shop, flask)
    assert "2 handlers, 90 cases, 1 difference" in read.text
    assert "≠ differs" in read.text
    assert "expected the duplicate leads to no API call; observed it leads to POST /v1/messages" in read.text
    assert [name for name in read.having("title") if name.startswith("http")] == [shop.target, flask.target]
    assert read.having("class").count("differs") == 1


def test_reports_that_cannot_be_compared_in_all_say_so() -> None:
    old = a_report(a_result("1.1"), version="0.3.9", profile=Profile.SMS)
    read = rendered(a_report(a_result("1.2")), old)
    assert "different versions of the simulator: 0.4.0, 0.3.9." in read.text
    assert "different profiles: all, sms." in read.text
    assert "different sets of cases." in read.text
    assert read.having("title").count("not in this report") == 2


def test_reports_that_are_alike_say_nothing_of_it() -> None:
    assert comparison.unlike([told(a_report(a_result())), told(a_report(a_result()))]) == []


def test_a_rule_that_got_another_title_shows_both() -> None:
    read = rendered(a_report(a_result("1.1", title="As it was")), a_report(a_result("1.1", title="As it is")))
    assert "As it was (also: As it is)" in read.text


def test_a_terminal_shows_only_the_cases_that_differ() -> None:
    told_ = shown(
        a_big_report({"3.2": Verdict.FAIL, "6.1": Verdict.NON_STRICT}), a_big_report(name="flask")
    ).splitlines()
    assert [line for line in told_ if "An exact duplicate" in line] == [
        " ✗  ✓  3.2 An exact duplicate is acted on once (3.2)",
        " ≈  ✓  6.1 An exact duplicate is acted on once (6.1)",
    ]
    assert "88 cases without a difference" in told_[-1]
    assert max(map(len, told_)) <= 80


def test_a_terminal_that_knows_ascii_only_gets_it() -> None:
    told_ = shown(a_report(a_result("1.1")), a_report(a_result("1.1", Verdict.PASS), name="é"), encoding="ascii")
    assert " F  .  1.1 An exact" in told_
    assert "\\xe9" in told_


@settings(max_examples=40)
@given(REPORTS, REPORTS)
def test_any_reports_can_be_compared(one: Report, other: Report) -> None:
    rendered(one, other, one)
    assert not set("\x1b\x00\x07") & set(shown(one, other))


def test_texts_of_a_megabyte_break_nothing() -> None:
    assert len(comparison.render([report_with("<\x1b\ud800'" * 260_000)] * 3)) < 1_500_000
