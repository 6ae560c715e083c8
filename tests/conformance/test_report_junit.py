from __future__ import annotations

import xml.etree.ElementTree as Xml

from hypothesis import given, settings

from simulator.conformance.report import junit
from simulator.conformance.report.texts import visible
from simulator.conformance.results import Diagnosis, Report
from simulator.conformance.verdicts import Verdict
from tests.helpers.conformance_reports import REPORTS, a_big_report, a_check, a_report, a_result, report_with
from tests.helpers.scenario_strategies import HOSTILE


def parsed(report: Report) -> Xml.Element:
    return Xml.fromstring(junit.render(report).encode())


def test_there_is_a_suite_for_each_group_and_a_test_for_each_case() -> None:
    root = parsed(a_big_report({"3.2": Verdict.FAIL, "1.4": Verdict.NOT_RUN, "6.1": Verdict.NON_STRICT}))
    assert [root.get(name) for name in ("tests", "failures", "errors", "skipped")] == ["90", "1", "0", "1"]
    assert [suite.get("name") for suite in root][:3] == ["1 Authenticity", "2 Acknowledgement", "3 At least once"]
    assert [suite.get("failures") for suite in root] == ["0", "0", "1", "0", "0", "0", "0", "0"]


def test_a_failure_says_what_was_expected_what_came_and_how_to_see_it_again() -> None:
    failure = parsed(a_report(a_result(checks=(a_check(), a_check(holds=True, expected="not this"))))).find(
        ".//failure"
    )
    assert failure is not None
    assert (
        failure.get("message") == "expected the duplicate leads to no API call, observed it leads to POST /v1/messages"
    )
    told = failure.text or ""
    assert "to mend it: Remember X-Webhook-ID" in told
    assert told.endswith("--secret-file secret.txt --case 3.2")


def test_what_is_not_strict_passes_with_a_note() -> None:
    test = parsed(a_report(a_result("6.1", Verdict.NON_STRICT)))[0].find("testcase")
    assert test is not None
    assert [child.tag for child in test] == ["system-out"]
    assert (test[0].text or "").startswith("non-strict\nexpected the duplicate")


def test_what_was_not_run_is_skipped_with_the_reason() -> None:
    skipped = parsed(a_report(a_result("1.4", Verdict.NOT_RUN))).find(".//skipped")
    assert skipped is not None
    assert "give --secret-file" in (skipped.get("message") or "")


def test_what_was_only_observed_is_told() -> None:
    out = parsed(a_report(a_result("7.3", Verdict.INFORMATIONAL, notes=("it sends Server: x",)))).find(".//system-out")
    assert out is not None
    assert out.text == "it sends Server: x"


def test_the_doctor_is_heard() -> None:
    root = parsed(a_report(a_result(), diagnosis=Diagnosis(mistake="It signs the body only.")))
    assert root.find(".//property[@name='doctor'][@value='It signs the body only.']") is not None


@settings(max_examples=50)
@given(HOSTILE)
def test_whatever_was_said_the_xml_can_be_parsed(text: str) -> None:
    failure = parsed(report_with(text)).find(".//failure")
    assert failure is not None
    assert visible(text) in (failure.text or "")


@settings(max_examples=50)
@given(REPORTS)
def test_any_report_can_be_written(report: Report) -> None:
    assert parsed(report).get("tests") == str(len(report.results))
