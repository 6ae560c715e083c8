"""The report for build servers: JUnit XML. One suite per scenario, one case per check."""

from __future__ import annotations

import xml.etree.ElementTree as Xml  # written here, never read
from datetime import UTC

from simulator.scenarios.checks import Check
from simulator.scenarios.reports.texts import printable
from simulator.scenarios.results import RunResult, ScenarioResult


def render(run: RunResult) -> str:
    """Write a run as JUnit XML. Control characters, which XML cannot hold, become visible escapes."""
    root = Xml.Element("testsuites", name="agentphone-simulator", time=f"{run.real_seconds:.3f}")
    for scenario in run.scenarios:
        root.append(_suite(scenario, run))
    for file in run.not_run:
        suite = Xml.SubElement(
            root, "testsuite", name=printable(file), tests="1", failures="0", errors="0", skipped="1"
        )
        Xml.SubElement(_case(suite, file, "not run"), "skipped", message="a scenario before it failed")
    for attribute, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        root.set(attribute, str(len(root.findall(f".//{tag}"))))
    Xml.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + Xml.tostring(root, encoding="unicode") + "\n"


def _suite(scenario: ScenarioResult, run: RunResult) -> Xml.Element:
    name = scenario.name if scenario.round == 1 else f"{scenario.name} (round {scenario.round})"
    suite = Xml.Element("testsuite", name=printable(name), file=printable(scenario.file))
    suite.set("timestamp", run.started.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"))
    suite.set("time", f"{scenario.real_seconds:.3f}")
    properties = Xml.SubElement(suite, "properties")
    for key, value in (("handler", run.handler), ("seed", str(scenario.seed)), ("tags", " ".join(scenario.tags))):
        Xml.SubElement(properties, "property", name=key, value=printable(value))
    for check in scenario.checks:
        _check(suite, scenario, check)
    if scenario.error is not None:
        error = Xml.SubElement(_case(suite, name, "runs to its end"), "error", message=printable(scenario.error))
        error.text = printable(scenario.error)
    elif not scenario.checks:
        _case(suite, name, "runs to its end")
    tags = (("tests", "testcase"), ("failures", "failure"), ("errors", "error"))
    for attribute, tag in (*tags, ("skipped", "skipped")):
        suite.set(attribute, str(len(suite.findall(f".//{tag}"))))
    return suite


def _check(suite: Xml.Element, scenario: ScenarioResult, check: Check) -> None:
    case = _case(suite, scenario.name, f"{check.where}: {check.expected}")
    if not check.ok:
        failure = Xml.SubElement(case, "failure", message=printable(f"{check.name}: observed {check.observed}"))
        failure.set("type", printable(check.name))
        failure.text = printable(f"{scenario.file}: {check}")


def _case(suite: Xml.Element, class_name: str, name: str) -> Xml.Element:
    return Xml.SubElement(suite, "testcase", classname=printable(class_name), name=printable(name))
