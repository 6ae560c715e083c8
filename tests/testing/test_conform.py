from __future__ import annotations

import unittest
from pathlib import Path
from typing import Any

import anyio
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.conformance.case import Case, Need, Trust
from simulator.conformance.results import CaseResult, Diagnosis
from simulator.conformance.verdicts import Check, Level, Profile, Verdict
from simulator.errors import UsageError
from simulator.testing import Account, ConformanceReport, cases, open_account
from simulator.testing.conformance import told
from simulator.testing.hosting import serve
from tests.helpers import zoo
from tests.helpers.processes import KEY, run_simulator
from tests.testing.conftest import Opened

WANTED = ("1.1", "1.3", "3.2", "5.1")  # of each kind: about a signature, about what is done, about what is said

# -- a report, and what it says --------------------------------------------------------------------------------------


async def nothing(_bench: Any) -> None:
    """Play nothing."""


def case_of(number: str, level: Level = Level.MUST) -> Case:
    words = {"source": "documentation", "sent": "a text", "expected": "2xx"}
    about = {"why": "it is lost", "mend": "answer 200", "title": f"rule {number}"}
    return Case(number=number, level=level, trust=Trust.DOCUMENTED, play=nothing, **words, **about)


def result_of(number: str, verdict: Verdict, *checks: Check, reason: str = "") -> CaseResult:
    return CaseResult(case=case_of(number), verdict=verdict, checks=checks, reason=reason)


def report_of(*results: CaseResult, diagnosis: Diagnosis | None = None) -> ConformanceReport:
    about = {"target": "app at http://x/", "name": "app", "version": "1", "contract": "all", "started_at": "2026"}
    return ConformanceReport(profile=Profile.ALL, seconds=1.0, results=results, diagnosis=diagnosis, **about)


BROKEN = Check(Level.MUST, False, "2xx", "500 \x1b[2J")
MISSED = Check(Level.SHOULD, False, "at once", "after 4 s")
HOLDS = Check(Level.MUST, True, "an answer", "an answer")
FAILED = result_of("2.1", Verdict.FAIL, BROKEN, MISSED, HOLDS)
LATE = result_of("2.2", Verdict.NON_STRICT, MISSED)
PASSED = result_of("2.3", Verdict.PASS, HOLDS)
LOOKED = result_of("2.4", Verdict.INFORMATIONAL)
SKIPPED = result_of("1.1", Verdict.NOT_RUN, reason="no secret")


def test_a_broken_rule_is_told_with_what_was_expected_and_observed_and_how_to_mend_it() -> None:
    with pytest.raises(AssertionError) as failure:
        report_of(FAILED, PASSED, SKIPPED).check()
    assert str(failure.value).splitlines() == [
        "app breaks 1 of 2 cases",
        "",
        "2.1 rule 2.1 (MUST)",
        "    expected  2xx",
        "    observed  500 \\x1b[2J",
        "    why       it is lost",
        "    mend      answer 200",
    ]


def test_what_a_handler_only_should_do_fails_a_strict_check_alone() -> None:
    report = report_of(LATE, PASSED)
    assert report.check() is report
    with pytest.raises(AssertionError, match="observed  after 4 s"):
        report.check(strict=True)


@pytest.mark.parametrize("results", [(PASSED,), (LOOKED,), (PASSED, LOOKED, SKIPPED)])
def test_a_report_without_anything_broken_is_handed_on(results: tuple[CaseResult, ...]) -> None:
    report = report_of(*results)
    assert report.check(strict=True) is report


def test_where_nothing_could_be_played_the_test_is_skipped_with_the_reasons() -> None:
    with pytest.raises(unittest.SkipTest, match=r"^1\.1: no secret$"):
        report_of(SKIPPED).check()


def test_a_handler_that_takes_no_event_fails_although_nothing_was_played() -> None:
    refusing = Diagnosis(mistake="it wants another secret", mend="give it this one", scheme="")
    try:
        report_of(SKIPPED, diagnosis=refusing).check()
    except unittest.SkipTest as skipped:
        pytest.fail(f"skipped: {skipped}")
    except AssertionError as failure:
        said = str(failure).splitlines()
    assert said[0] == "app takes no event, however it is signed"
    assert said[2:] == ["    signature it wants another secret", "    mend      give it this one"]


def test_a_handler_with_a_signature_of_its_own_passes_where_that_does_not_matter() -> None:
    assert report_of(PASSED, diagnosis=Diagnosis(mistake="it signs the body alone", scheme="body")).check()


def test_of_many_broken_rules_the_first_ten_are_told_and_the_others_named() -> None:
    text = told(report_of(*(result_of(f"7.{number}", Verdict.FAIL, BROKEN) for number in range(1, 14))))
    assert text.startswith("app breaks 13 of 13 cases")
    assert text.count("expected  ") == 10
    assert text.endswith("and 3 more: 7.11, 7.12, 7.13")


# -- the cases -------------------------------------------------------------------------------------------------------


def test_cases_are_those_of_a_profile_and_a_group() -> None:
    assert {case.number for case in cases()} >= set(WANTED)
    assert {case.profile for case in cases("voice")} == {Profile.ALL, Profile.VOICE}
    assert Profile.VOICE not in {case.profile for case in cases("sms")}
    assert {case.group for case in cases(group=3)} == {3}
    assert all(not case.asked_for for case in cases())


@pytest.mark.parametrize(("word", "said"), [({"profile": "fax"}, "choose one of sms"), ({"group": 9}, "1, 2, 3")])
def test_a_profile_or_a_group_that_does_not_exist_is_a_usage_error(word: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        cases(**word)


# -- examinations ----------------------------------------------------------------------------------------------------


def handler(account: Account, tmp_path: Path, name: str = zoo.SOUND) -> Any:
    return zoo.wired(zoo.load(name), account, tmp_path / "secret")


def test_a_sound_application_keeps_the_contract_in_either_place(account: Account, tmp_path: Path) -> None:
    report = account.conform(handler(account, tmp_path), cases=WANTED).check(strict=True)
    assert [result.number for result in report.results] == list(WANTED)
    assert {result.verdict for result in report.results} == {Verdict.PASS}


def test_a_broken_application_does_not(account: Account, tmp_path: Path) -> None:
    report = account.conform(handler(account, tmp_path, "accepts_anybody"), cases=["1.1", "1.3", "5.1"])
    assert [result.number for result in report.failed] == ["1.3"]
    with pytest.raises(AssertionError, match=r"1\.3 A wrong signature is refused"):
        report.check()


def test_cases_may_be_given_as_they_are(account: Account, tmp_path: Path) -> None:
    wanted = [case for case in cases("voice") if case.number == "5.1"]
    assert account.conform(handler(account, tmp_path), "voice", cases=wanted).counts == {Verdict.PASS: 1}


def test_a_wsgi_application_is_examined_as_well(account: Account) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "application/json")])
        return [b'{"text": "Hello!"}']

    report = account.conform(app, cases=["5.1"])
    assert (report.name, report.counts) == ("app", {Verdict.PASS: 1})


def test_the_account_is_of_use_afterwards(account: Account, tmp_path: Path) -> None:
    app = handler(account, tmp_path)
    account.conform(app, cases=["3", "5.1"])
    # What was on its way when the webhook went is tried once more, and not for a day.
    assert max(len(delivery.attempts) for delivery in account.deliveries()) <= 2
    account.webhook(app)
    assert account.call(["Goodbye!"]).said == ("Goodbye!",)
    assert account.clock.mode == "auto"


def test_what_the_application_raises_is_noted() -> None:
    async def webhook(_request: Request) -> Response:
        raise ZeroDivisionError("of all things")

    app = Starlette(routes=[Route("/hook", webhook, methods=["POST"])])
    with open_account() as account:
        assert not account.conform(app, cases=["5.1"], path="/hook").ok()
        assert any("of all things" in text for text in account.errors)


def test_a_case_that_needs_what_is_not_there_skips_its_test(account: Account, tmp_path: Path) -> None:
    rotating = [case for case in cases() if Need.ROTATION in case.needs]
    if not rotating:
        pytest.skip("no case changes the secret")
    with pytest.raises(unittest.SkipTest, match="another secret"):
        account.conform(handler(account, tmp_path), cases=rotating[:1]).check()
    app = handler(account, tmp_path)
    report = account.conform(app, cases=rotating[:1], rotate=(tmp_path / "secret").write_text)
    assert report.counts == {Verdict.PASS: 1}


def test_unknown_cases_are_a_usage_error_before_anything_is_sent(account: Account) -> None:
    with pytest.raises(UsageError, match=r"no case '12\.1'"):
        account.conform(Starlette(), cases=["12.1"])


def test_a_handler_that_runs_somewhere_is_examined_where_it_is(account: Account, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("whsec_of_its_own")
    sound = zoo.load(zoo.SOUND).module
    app = sound.Handler(sound.Wiring(secret="whsec_of_its_own", base_url=account.base_url, api_key=account.api_key)).app
    served = serve(app)
    try:
        url = f"{served.url}/webhook"
        report = account.conform(url, cases=WANTED, secret="whsec_of_its_own")
        assert (report.target, report.counts) == (url, {Verdict.PASS: len(WANTED)})
        assert not account.conform(url, cases=["1.1"]).ok()
    finally:
        served.stop()


@pytest.mark.parametrize("url", ["nonsense", "http://me:pass@127.0.0.1/", "http://127.0.0.1/#here"])
def test_what_is_no_url_of_a_handler_is_a_usage_error(account: Account, url: str) -> None:
    with pytest.raises(UsageError):
        account.conform(url)


def test_a_simulator_in_another_process_cannot_examine() -> None:
    said = "is another process: use the fixture, or open_account"
    with run_simulator() as (url, _), Account.connect(url, KEY) as account, pytest.raises(UsageError, match=said):
        account.conform(Starlette())


@pytest.mark.anyio
async def test_async_tests_await_it(opened: Opened, tmp_path: Path) -> None:
    account = await anyio.to_thread.run_sync(opened)
    report = await account.aio.conform(handler(account, tmp_path), cases=["5.1"])
    assert isinstance(report, ConformanceReport)
    assert report.check().ok()
