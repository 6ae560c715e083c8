from __future__ import annotations

import json
import xml.etree.ElementTree as Xml

import pytest
from hypothesis import given, settings

from simulator.conformance.report import as_json, badge
from simulator.conformance.report.telling import told
from simulator.conformance.results import Diagnosis, Report
from simulator.conformance.verdicts import Verdict
from tests.helpers.conformance_reports import REPORTS, a_big_report, a_report, a_result, report_with
from tests.helpers.contrast import contrast

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize(
    ("verdicts", "says"),
    [
        ({}, "90 of 90"),
        ({"1.4": Verdict.NOT_RUN, "7.3": Verdict.INFORMATIONAL}, "88 of 88"),
        ({"3.2": Verdict.FAIL}, "fails 3.2"),
        ({f"3.{n}": Verdict.FAIL for n in range(2, 7)}, "fails 3.2 +4"),
        ({"6.1": Verdict.NON_STRICT, "6.2": Verdict.NON_STRICT}, "88 of 90, non-strict 2"),
        ({"3.2": Verdict.FAIL, "6.2": Verdict.NON_STRICT}, "fails 3.2, non-strict 1"),
    ],
)
def test_a_badge_says_how_many_pass_or_what_fails(verdicts: dict[str, Verdict], says: str) -> None:
    assert badge.message(told(a_big_report(verdicts))) == says


def test_a_badge_for_nothing_claims_nothing() -> None:
    assert badge.message(told(a_report(a_result("1.1", Verdict.NOT_RUN)))) == "not examined"


def test_a_handler_that_takes_nothing_keeps_nothing_though_it_refuses_what_it_has_to() -> None:
    report = a_big_report(diagnosis=Diagnosis(mistake="every event is answered with 401", scheme=""))
    assert badge.message(told(report)) == "takes no event"
    assert badge.COLORS[Verdict.FAIL] in badge.render(report)
    assert json.loads(as_json.render(report))["ok"] is False


def test_a_badge_is_as_wide_as_its_words_and_says_what_it_is() -> None:
    root = Xml.fromstring(badge.render(a_big_report()))
    texts = root.findall(f"{SVG}text")
    assert [text.text for text in texts] == ["AgentPhone contract", "90 of 90"]
    widths = sum(int(text.get("textLength") or 0) for text in texts)
    assert root.get("width") == str(widths + 4 * badge.PAD)
    title = root.find(f"{SVG}title")
    assert title is not None
    assert title.text == "AgentPhone contract: 90 of 90. Keeps the contract: all 90 cases pass (shop)"


@pytest.mark.parametrize("ground", [*badge.COLORS.values(), badge.GROUND])
def test_white_can_be_read_on_every_ground(ground: str) -> None:
    assert contrast("#ffffff", ground) >= 4.5


@settings(max_examples=50)
@given(REPORTS)
def test_any_report_has_a_badge(report: Report) -> None:
    assert int(Xml.fromstring(badge.render(report)).get("width") or 0) < 500


def test_texts_of_a_megabyte_break_nothing() -> None:
    Xml.fromstring(badge.render(report_with("<\x1b\ud800'" * 260_000)))
