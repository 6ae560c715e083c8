from __future__ import annotations

import re

import pytest
from hypothesis import given, settings

from simulator.conformance.report import page
from simulator.conformance.report.look import css
from simulator.conformance.report.telling import MOST_BODY
from simulator.conformance.report.texts import visible
from simulator.conformance.results import Diagnosis, Report
from simulator.conformance.verdicts import Verdict
from tests.helpers.conformance_reports import (
    REPORTS,
    a_big_report,
    a_check,
    a_report,
    a_result,
    a_turn,
    an_exchange,
    report_with,
)
from tests.helpers.contrast import contrast
from tests.helpers.scenario_strategies import HOSTILE
from tests.helpers.strict_html import Page

OURS = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "footer", "section", "nav", "details"),
    *("summary", "h1", "h2", "h3", "h4", "p", "span", "div", "dl", "dt", "dd", "ul", "ol", "li", "a", "b", "strong"),
    *("code", "pre", "table", "thead", "tbody", "tr", "th", "td", "svg", "g", "rect", "line", "circle", "text"),
}
# Text on what it stands on, in both schemes.
PAIRS = (
    *(("ink", ground) for ground in ("page", "card", "lane", "ok-bar", "lax-bar", "bad-bar", "info-bar", "skip-bar")),
    *(("soft", ground) for ground in ("page", "card", "lane")),
    *(("ok", "card"), ("ok", "ok-bar"), ("lax", "card"), ("lax", "lax-bar"), ("bad", "card"), ("bad", "bad-bar")),
    *(("info", "card"), ("info", "info-bar"), ("skip", "card"), ("skip", "skip-bar"), ("handler", "card")),
)


def check_page(html: str) -> Page:
    read = Page(html)
    assert read.tags <= OURS
    assert not [
        name for _, attrs in read.elements for name in attrs if name.startswith("on") or name in ("src", "style")
    ]
    ids = read.having("id")
    assert len(set(ids)) == len(ids)
    assert {link.removeprefix("#") for link in read.having("href")} <= set(ids)
    html.encode()
    return read


@settings(max_examples=30)
@given(HOSTILE)
def test_whatever_was_said_the_page_holds_our_elements_only(text: str) -> None:
    check_page(page.render(report_with(text)))


@settings(max_examples=50)
@given(REPORTS)
def test_any_report_can_be_drawn(report: Report) -> None:
    check_page(page.render(report))


def test_what_was_said_stands_on_the_page_with_every_byte_to_be_seen() -> None:
    read = check_page(page.render(report_with("<b>&\x1b\u202e", raw=b"<b>\x00\xff\xe2\x80\xae\r\n")))
    assert "<b>&\\x1b\\u202e" in read.text
    assert "<b>\\x00\\xff\\u202e\\x0d\n" in read.text
    assert not set("\x1b\x00\r\u202e") & set(read.text)


def test_a_page_loads_nothing() -> None:
    html = page.render(a_big_report())
    assert any(policy.startswith("default-src 'none';") for policy in Page(html).having("content"))
    assert not re.search(r"url\(|@import|<script|<link|<img", html)


def test_what_fails_is_open_and_first_and_what_passes_is_folded() -> None:
    read = check_page(
        page.render(a_big_report({"3.2": Verdict.FAIL, "2.1": Verdict.NON_STRICT, "1.4": Verdict.NOT_RUN}))
    )
    cases = [attrs for tag, attrs in read.elements if tag == "details" and attrs.get("id")]
    assert [attrs["id"] for attrs in cases[:3]] == ["case-3.2", "case-2.1", "case-1.1"]
    assert cases[-1]["id"] == "case-1.4"
    assert ["open" in attrs for attrs in cases[:3]] == [True, False, False]
    assert len(cases) == 90


def test_every_case_has_a_cell_that_says_its_verdict_in_words() -> None:
    read = check_page(page.render(a_big_report({"3.2": Verdict.FAIL})))
    cells = [attrs for tag, attrs in read.elements if tag == "a" and attrs.get("class", "").startswith("cell")]
    assert len(cells) == 90
    assert [cell["title"] for cell in cells if "fail" in cell["class"]] == [
        "3.2 An exact duplicate is acted on once (3.2): fail"
    ]


def test_a_case_is_told_whole() -> None:
    broken = a_check(expected="it is acted on once", observed="it is acted on twice", exchange=1)
    first, second = an_exchange(), an_exchange(b"thank you", at=1.5)
    read = check_page(
        page.render(a_report(a_result(checks=(broken,), exchanges=(first, second), notes=("it is slow",))))
    )
    for words in (
        "it is acted on once", "it is acted on twice", "exchange 2", "thank you", "X-Webhook-Signature", "it is slow",
        "Remember X-Webhook-ID", "customers get the same answer", "webhook documentation, retries", "documented",
        "MUST", "--secret-file secret.txt --case 3.2",
    ):  # fmt: skip
        assert words in read.text
    exchanges = [attrs for tag, attrs in read.elements if tag == "details" and "exchange" in attrs["class"].split()]
    assert ["open" in attrs for attrs in exchanges] == [False, True]


def test_a_turn_is_drawn_with_its_words() -> None:
    turn = a_turn((0.02, {"text": "One moment.", "interim": True}), (0.4, {"text": "Done."}))
    read = check_page(page.render(a_report(a_result(exchanges=(turn,)))))
    assert "○ interim 20 ms: One moment." in read.text
    assert "● final 400 ms: Done." in read.text
    assert [attrs["class"] for tag, attrs in read.elements if tag == "circle"] == ["chunk interim", "chunk final"]


def test_what_happens_in_one_instant_is_not_drawn() -> None:
    still = (an_exchange(took=0.0), an_exchange(took=0.0))
    assert "svg" not in check_page(page.render(a_report(a_result(exchanges=still)))).tags
    assert "svg" in check_page(page.render(a_report(a_result()))).tags


def test_a_handler_is_called_by_its_name_too() -> None:
    assert "the handler shop, http://127.0.0.1:3000/webhook" in check_page(page.render(a_report())).text


def test_the_doctor_is_heard_before_the_cases() -> None:
    diagnosis = Diagnosis(mistake="It signs the body only.", mend="Sign the timestamp, too.", evidence=("401",))
    text = check_page(page.render(a_big_report(diagnosis=diagnosis))).text
    assert text.index("It signs the body only.") < text.index("Every case")
    assert "Sign the timestamp, too." in text


def test_what_was_not_run_is_told_by_reason() -> None:
    text = check_page(page.render(a_big_report({"1.4": Verdict.NOT_RUN, "8.1": Verdict.NOT_RUN}))).text
    assert text.count("the handler cannot be given another secret") == 3  # once for both, and in each
    assert text.index("What passes") < text.index("What was not run")


@pytest.mark.parametrize(
    ("verdicts", "says"),
    [
        ({}, "Keeps the contract: all 90 cases pass"),
        ({"3.2": Verdict.FAIL}, "Breaks the contract: 1 of 90 cases fails"),
        ({"3.2": Verdict.NON_STRICT}, "Keeps the contract, but not strictly: 1 of 90 cases could be better"),
        ({"3.2": Verdict.NOT_RUN}, "Keeps the contract: all 89 cases pass"),
    ],
)
def test_the_verdict_is_one_sentence(verdicts: dict[str, Verdict], says: str) -> None:
    assert says in check_page(page.render(a_big_report(verdicts))).text


def test_nothing_played_is_no_success() -> None:
    assert "Nothing could be examined" in check_page(page.render(a_report(a_result("1.1", Verdict.NOT_RUN)))).text


def test_a_page_stays_small_whatever_was_sent() -> None:
    noisy = tuple(an_exchange(b"x" * 1_000_000, at=n / 10) for n in range(200))
    checks = tuple(a_check(exchange=n) for n in range(200))
    html = page.render(a_report(*(a_result(f"7.{n}", exchanges=noisy, checks=checks) for n in range(1, 11))))
    assert len(html) < 1_000_000
    assert "and 190 exchanges more" in html


def test_a_body_that_is_cut_says_so() -> None:
    html = page.render(a_report(a_result(exchanges=(an_exchange(b"x" * (MOST_BODY + 2_048)),))))
    assert "2.0 KiB of 18.0 KiB are left out here" in html


def test_texts_of_a_megabyte_break_nothing() -> None:
    html = page.render(report_with("<\x1b\ud800'" * 260_000))
    check_page(html)
    assert len(html) < 2_500_000


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), PAIRS)
def test_words_can_be_read_on_what_they_stand_on(scheme: str, ink: str, ground: str) -> None:
    colors = dict(palette(scheme))
    assert contrast(colors[ink], colors[ground]) >= 4.5


def palette(scheme: str) -> list[tuple[str, str]]:
    """The colours of a scheme: what the last of its rules say."""
    dark = "".join(re.findall(r"@media \(prefers-color-scheme: dark\) \{(.*?)\n\}", css(), re.DOTALL))
    light = re.sub(r"@media \(prefers-color-scheme: dark\) \{.*?\n\}", "", css(), flags=re.DOTALL)
    return re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", light + (dark if scheme == "dark" else ""))


def test_invisible_characters_are_shown() -> None:
    assert visible("a\u200bb\ufeff\x07\n") == "a\\u200bb\\ufeff\\x07\n"
