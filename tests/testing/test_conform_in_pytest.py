"""Conformance as users of the fixture meet it: whole pytest runs in processes of their own."""

from __future__ import annotations

import pytest

from tests.test_pytest_plugin import ROOT
from tests.test_pytest_plugin import project as project  # a fixture, used by its name

pytest_plugins = ["pytester"]

ZOO = ROOT / "fixtures" / "handlers" / "broken"
PREAMBLE = f"""
import sys
import pytest
from simulator.testing import cases
sys.path.insert(0, {str(ZOO)!r})
import accepts_anybody, sound

def build(kind, agentphone):
    wiring = sound.Wiring(secret=agentphone.secret, base_url=agentphone.base_url, api_key=agentphone.api_key)
    return kind(wiring).app
"""

WHOLE = """
def test_sound(agentphone):
    agentphone.conform(build(sound.Handler, agentphone), cases=["1.3", "3.2", "5.1"]).check(strict=True)

def test_broken(agentphone):
    agentphone.conform(build(accepts_anybody.Broken, agentphone), cases=["1.3", "5.1"]).check()
"""

EACH = """
@pytest.mark.parametrize("case", [case for case in cases("voice") if case.number in ("1.3", "5.1")], ids=str)
def test_case(agentphone, case):
    agentphone.conform(build(accepts_anybody.Broken, agentphone), cases=[case]).check()
"""

UNABLE = """
from simulator.conformance.results import CaseResult
from simulator.conformance.verdicts import Verdict
from simulator.testing import ConformanceReport

def test_nothing_to_see(agentphone):
    report = agentphone.conform(build(sound.Handler, agentphone), cases=["1.3"])
    left = CaseResult(case=report.result("1.3").case, verdict=Verdict.NOT_RUN, reason="the moon is not full")
    words = {name: getattr(report, name) for name in ("target", "name", "version", "profile", "contract")}
    ConformanceReport(**words, started_at="", seconds=0.0, results=(left,)).check()
"""


def run(project: pytest.Pytester, tests: str, *options: str) -> pytest.RunResult:
    project.makepyfile(test_contract=PREAMBLE + tests)
    return project.runpytest_subprocess("-p", "no:randomly", "-n0", *options)


@pytest.mark.parametrize("options", [(), ("--agentphone-sockets",)])
def test_a_red_case_says_what_is_wrong_and_how_to_mend_it(project: pytest.Pytester, options: tuple[str, ...]) -> None:
    result = run(project, WHOLE, *options)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *Starlette breaks 1 of 2 cases",
            "E *1.3 A wrong signature is refused (MUST)",
            "E *expected  *is refused, with 401 or 403",
            "E *observed  200 without a body",
            "E *mend *constant time*",
            "*repeat with: pytest test_contract.py::test_broken --agentphone-seed=*",
        ]
    )
    result.stdout.no_fnmatch_line("*simulator/testing/*: AssertionError")  # it is shown at the test's own line


def test_each_case_can_be_a_test_of_its_own(project: pytest.Pytester) -> None:
    result = run(project, EACH, "-v")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*::test_case?1.3? FAILED*", "*::test_case?5.1? PASSED*"])


def test_what_cannot_be_played_is_a_skipped_test(project: pytest.Pytester) -> None:
    result = run(project, UNABLE, "-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*1.3: the moon is not full"])
