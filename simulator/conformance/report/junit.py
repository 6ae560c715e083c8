"""The report for build servers: JUnit XML. A suite for each group, a test for each case."""

from __future__ import annotations

import xml.etree.ElementTree as Xml  # written here, never read

from simulator.conformance.report.records import CaseRecord, CheckRecord, Reported, ReportRecord
from simulator.conformance.report.summary import groups
from simulator.conformance.report.telling import told
from simulator.conformance.report.texts import visible
from simulator.conformance.verdicts import Verdict

COUNTED = (("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped"))


def render(report: Reported) -> str:
    """Write a report as JUnit XML. Control characters, which XML cannot hold, become visible escapes."""
    record = told(report)
    root = Xml.Element("testsuites", name="agentphone-simulator conform", time=f"{record.seconds:.3f}")
    for name, members in groups(record):
        root.append(_suite(name, members, record))
    _count(root)
    Xml.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + Xml.tostring(root, encoding="unicode") + "\n"


def _suite(name: str, members: tuple[CaseRecord, ...], record: ReportRecord) -> Xml.Element:
    suite = Xml.Element("testsuite", name=name, time=f"{sum(case.seconds for case in members):.3f}")
    suite.set("timestamp", visible(record.started_at.removesuffix("Z")))
    properties = Xml.SubElement(suite, "properties")
    facts = (
        ("target", record.target),
        ("profile", record.profile.value),
        ("contract", record.contract),
        ("version", record.version),
        ("doctor", record.diagnosis.mistake if record.diagnosis else ""),
    )
    for key, value in facts:
        if value:
            Xml.SubElement(properties, "property", name=key, value=visible(value))
    for case in members:
        _case(suite, name, case, record)
    _count(suite)
    return suite


def _case(suite: Xml.Element, group: str, case: CaseRecord, record: ReportRecord) -> None:
    test = Xml.SubElement(suite, "testcase", classname=group, name=visible(f"{case.number} {case.title}"))
    test.set("time", f"{case.seconds:.3f}")
    if case.verdict is Verdict.FAIL:
        failure = Xml.SubElement(test, "failure", type=case.level.value)
        failure.set("message", visible("; ".join(map(_compared, case.broken))))
        failure.text = visible(_told(case, record))
    elif case.verdict is Verdict.NOT_RUN:
        Xml.SubElement(test, "skipped", message=visible(case.reason))
    elif case.verdict is Verdict.NON_STRICT:
        Xml.SubElement(test, "system-out").text = visible(f"non-strict\n{_told(case, record)}")
    elif case.notes:
        Xml.SubElement(test, "system-out").text = visible("\n".join(case.notes))


def _told(case: CaseRecord, record: ReportRecord) -> str:
    lines = [*map(_compared, case.broken), f"why it matters: {case.why}", f"to mend it: {case.mend}"]
    return "\n".join([*lines, *([f"again: {record.again(case)}"] if record.replay else [])])


def _compared(check: CheckRecord) -> str:
    return f"expected {check.expected}, observed {check.observed}"


def _count(element: Xml.Element) -> None:
    for attribute, tag in COUNTED:
        element.set(attribute, str(len(element.findall(f".//{tag}"))))
