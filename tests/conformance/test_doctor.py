from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.app import SimulatorApp, build_app, build_simulator
from simulator.conformance.cases import ALL
from simulator.conformance.examine import Options, Target, examine
from simulator.conformance.results import CaseResult, Diagnosis, Report
from simulator.conformance.symptoms import SYMPTOMS, conclude, symptoms
from simulator.conformance.verdicts import Check, Level, Verdict
from simulator.runtime.server import ServerThread
from simulator.settings import Settings
from tests.helpers.judging import judge
from tests.helpers.zoo import examined, load

KEY = "ap_live_of_the_doctor"
Scope = MutableMapping[str, Any]
Send = Callable[[Scope], Awaitable[None]]

# What handlers of the zoo are told: the beginning of the diagnosis, and the way of signing that is adopted for them.
NAMED = {
    "accepts_anybody": ("The handler takes whatever is sent", "contract"),
    "no_secret_no_check": ("The handler takes whatever is sent", "contract"),
    "empty_secret": ("The handler checks with an empty secret", "empty secret"),
    "unsigned_is_fine": ("The handler verifies a signature only where there is one", "contract"),
    "body_only": ("The handler verifies a signature over the body alone, without the timestamp.", "body only"),
    "body_only_as_well": ("The handler takes a signature over the body alone as well", "contract"),
    "reserialises": ("The handler verifies the JSON as `json.dumps` writes it", "re-serialised JSON"),
    "reserialises_compact": ("The handler parses the JSON and verifies it as it writes it again", "contract"),
    "wrong_header_name": (
        "The handler reads the signature from X-AgentPhone-Signature",
        "header X-AgentPhone-Signature",
    ),
    "stripped_prefix": ("The handler takes `whsec_` off the secret", "secret without whsec_"),
    "base64_secret": ("The handler decodes the secret as base64", "base64-decoded secret"),
    "svix_copy": ("The handler verifies as Svix signs", "Svix"),
    "github_copy": (
        "The handler verifies a signature over the body alone, without the timestamp, and reads the signature from "
        "X-Hub-Signature-256",
        "body only + header X-Hub-Signature-256",
    ),
    "milliseconds": ("The handler takes the timestamp for milliseconds", "milliseconds"),
    "no_freshness_check": ("The handler has no freshness check", "contract"),
    "missing_timestamp_is_fine": ("The handler skips the freshness check where the timestamp is missing", "contract"),
    "float_timestamp": ("The handler's freshness check lets NaN or the like through", "contract"),
    "only_old_is_stale": ("The handler refuses what is too old, but not what is from the future", "contract"),
    "prefix_compare": ("The handler compares only as much of the signature as is sent", "contract"),
    "secret_at_startup": ("The handler reads its secret once", "contract"),
    "voice_unchecked": ("The handler does not verify voice turns", "contract"),
    "call_ended_unchecked": ("The handler does not verify agent.call_ended", "contract"),
    "crashes_on_bad_signature": ("The handler fails on a signature that it should refuse", "contract"),
    "strict_tolerance": ("The handler allows less than five minutes", "contract"),
}


def answering(status: int, **headers: str) -> Callable[[str], Any]:
    """An application that answers everything alike."""

    async def app(scope: Scope, receive: Any, send: Send) -> None:
        if scope["type"] == "http":
            fields = [(name.encode(), value.encode()) for name, value in headers.items()]
            await send({"type": "http.response.start", "status": status, "headers": fields})
            await send({"type": "http.response.body", "body": b""})

    return lambda _secret: app


def diagnosed(report: Report) -> Diagnosis:
    assert report.diagnosis is not None
    return report.diagnosis


@pytest.mark.parametrize("name", NAMED)
def test_the_mistake_of_a_broken_handler_is_named(name: str) -> None:
    mistake, adopted = NAMED[name]
    report = examined(load(name), ["1"])
    found = diagnosed(report)
    assert found.mistake.startswith(mistake)
    assert (report.adopted, found.scheme) == (adopted, adopted)
    assert found.mend
    assert found.evidence


def test_a_sound_handler_has_no_diagnosis() -> None:
    report = examined(load("sound"), ["1"])
    assert (report.diagnosis, report.adopted) == (None, "contract")


@pytest.mark.parametrize("name", ["github_copy", "reserialises", "empty_secret"])
def test_the_other_groups_go_on_with_the_scheme_that_was_adopted(name: str) -> None:
    report = examined(load(name), ["1.1", "3.2", "5.1"])
    assert [result.verdict for result in report.results] == [Verdict.FAIL, Verdict.PASS, Verdict.PASS]


def test_a_handler_that_remembers_deliveries_before_it_verifies_them_does_not_mislead() -> None:
    wrong, sound = load("base64_secret").module, load("sound").module

    class Hasty(wrong.Broken):  # type: ignore[misc, name-defined]
        def verify(self, headers: Any, body: bytes) -> None:
            if self.first_time(headers["X-Webhook-ID"]):
                super().verify(headers, body)

    assert judge(lambda secret: Hasty(sound.Wiring(secret=secret)).app, "1.1").adopted == "base64-decoded secret"


@pytest.mark.parametrize(
    ("status", "headers", "mistake"),
    [
        (404, {}, "The handler answers 404: is the path right?"),
        (405, {}, "The handler answers 405: it takes no POST at this path."),
        (429, {}, "The handler answers 429: it limits how fast it is asked."),
        (308, {"location": "/webhook/"}, "The handler redirects to /webhook/: the platform follows no redirect."),
        (401, {}, "The handler refuses a correctly signed delivery, and whatever else is known to be expected."),
        (500, {}, "The handler answers 500, whatever it is sent"),
        (422, {}, "The handler answers 422, whatever it is sent"),
    ],
)
def test_a_handler_that_refuses_everything_is_told_why(status: int, headers: dict[str, str], mistake: str) -> None:
    report = judge(answering(status, **headers), "1.1", "3.2")
    assert diagnosed(report).mistake.startswith(mistake)
    assert diagnosed(report).scheme == ""
    assert report.adopted == "contract"
    assert [result.verdict for result in report.results] == [Verdict.FAIL, Verdict.NOT_RUN]


def test_an_event_that_fails_behind_the_signature_is_no_question_of_signatures() -> None:
    found = diagnosed(judge(by_signature(good=500, bad=401), "1.1"))
    assert found.mistake.startswith("The handler takes the signature, and then answers the event with 500")


def test_a_comparison_that_is_the_wrong_way_round_is_named() -> None:
    report = judge(by_signature(good=401, bad=200), "1.1", "1.3")
    assert "the wrong way round" in diagnosed(report).mistake
    assert [result.verdict for result in report.results] == [Verdict.FAIL, Verdict.FAIL]


@pytest.mark.parametrize(
    ("known", "mistake"),
    [
        (True, "The handler takes requests without a signature, and refuses correctly signed ones."),
        (False, "The handler takes requests without a signature."),
    ],
)
def test_a_handler_that_takes_only_unsigned_requests_is_examined_with_those(known: bool, mistake: str) -> None:
    app = by_signature(good=401, bad=401, unsigned=200)
    report = judge(app, "1.3", "1.4", "1.14", "1.28", "5.1", secret_known=known)
    assert (report.adopted, diagnosed(report).mistake) == ("unsigned", mistake)
    verdicts = {result.number: result.verdict for result in report.results}
    assert verdicts.pop("1.4") is Verdict.FAIL
    assert {verdicts.pop(number) for number in ("1.3", "1.14", "1.28")} == {Verdict.NOT_RUN}
    assert not any("takes no event" in result.reason for result in report.results)


def by_signature(*, good: int, bad: int, unsigned: int = 401) -> Callable[[str], Any]:
    """An application that verifies as the contract says, and answers with these statuses."""
    from simulator.engine.signing import verify

    def make(secret: str) -> Any:
        async def app(scope: Scope, receive: Any, send: Send) -> None:
            if scope["type"] != "http":
                return
            headers = {name.decode(): value.decode() for name, value in scope["headers"]}
            body = (await receive())["body"]
            given, stamp = headers.get("x-webhook-signature"), headers["x-webhook-timestamp"]
            status = unsigned if given is None else good if verify(secret, stamp, body, given) else bad
            await send({"type": "http.response.start", "status": status, "headers": []})
            await send({"type": "http.response.body", "body": b""})

        return app

    return make


def test_an_unknown_secret_is_no_mistake() -> None:
    report = judge(by_signature(good=401, bad=401), "1", secret_known=False)
    found = diagnosed(report)
    assert (found.mistake, found.scheme) == ("", "")
    assert "--secret" in found.mend
    assert {result.verdict for result in report.results} == {Verdict.NOT_RUN}


def test_a_secret_that_nobody_set_is_found_without_knowing_any() -> None:
    def make(_secret: str) -> Any:
        return by_signature(good=200, bad=401)("")

    report = judge(make, "1.25", secret_known=False)
    assert (report.adopted, report.result("1.25").verdict) == ("empty secret", Verdict.FAIL)


def test_a_handler_that_takes_its_time_to_refuse_is_not_asked_for_ever() -> None:
    async def app(scope: Scope, receive: Any, send: Send) -> None:
        if scope["type"] == "http":
            await asyncio.sleep(3)  # simulated
            await send({"type": "http.response.start", "status": 401, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    found = diagnosed(judge(lambda _secret: app, "1.1"))
    assert found.evidence[-1] == "in 7 other ways, and without a signature: refused"


def test_a_handler_that_limits_how_fast_it_is_asked_is_left_alone() -> None:
    statuses = [401] * 5

    async def app(scope: Scope, receive: Any, send: Send) -> None:
        if scope["type"] == "http":
            status = statuses.pop() if statuses else 429
            await send({"type": "http.response.start", "status": status, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    found = diagnosed(judge(lambda _secret: app, "3.2"))
    assert found.mistake == "The handler answers 429: it limits how fast it is asked."
    assert found.evidence[-1] == "in 4 other ways, and without a signature: refused"


# -- over sockets ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def serving() -> Iterator[tuple[SimulatorApp, ServerThread]]:
    app = build_app(build_simulator(Settings(api_keys=(KEY,))))
    with ServerThread(app) as server:
        yield app, server


def at(serving: tuple[SimulatorApp, ServerThread], url: str) -> Diagnosis:
    app, server = serving
    work = examine(app, KEY, Target(url=url, secret="whsec_x"), Options(numbers=("1.1",)))
    return diagnosed(asyncio.run_coroutine_threadsafe(work, server.loop).result())


def test_a_port_where_nobody_listens_is_named(serving: tuple[SimulatorApp, ServerThread]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert at(serving, f"http://127.0.0.1:{port}/hook").mistake == f"Nothing listens at http://127.0.0.1:{port}/hook."


def test_https_where_http_is_spoken_is_named(serving: tuple[SimulatorApp, ServerThread]) -> None:
    url = serving[1].url.replace("http:", "https:")
    assert at(serving, url).mistake.startswith(f"No TLS connection can be made to {url}")


def test_a_connection_that_closes_without_an_answer_is_named(serving: tuple[SimulatorApp, ServerThread]) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"}")
        writer.close()

    async def start() -> asyncio.Server:
        return await asyncio.start_server(hang_up, "127.0.0.1", 0)

    loop = serving[1].loop
    server = asyncio.run_coroutine_threadsafe(start(), loop).result()
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    found = at(serving, url)
    loop.call_soon_threadsafe(server.close)
    assert found.mistake.startswith(f"There is no whole answer from {url}: connection closed")


# -- at the end --------------------------------------------------------------------------------------------------------

BY_NUMBER = {case.number: case for case in ALL if case.group == 1}


def result(number: str, verdict: Verdict = Verdict.FAIL) -> CaseResult:
    check = Check(Level.MUST, verdict is Verdict.PASS, f"what {number} expects", f"what {number} observes")
    return CaseResult(case=BY_NUMBER[number], verdict=verdict, checks=(check,))


def test_what_the_doctor_saw_first_goes_before_what_cases_show() -> None:
    first = Diagnosis(mistake="The handler answers 404.")
    assert conclude(first, [result("1.14")]) is first


def test_only_what_was_not_passed_is_a_symptom() -> None:
    assert conclude(None, [result(number, Verdict.PASS) for number in BY_NUMBER]) is None
    assert conclude(None, [result(number, Verdict.NOT_RUN) for number in BY_NUMBER]) is None
    assert conclude(None, []) is None


def test_two_mistakes_are_both_named_with_their_evidence() -> None:
    found = conclude(None, [result("1.15"), result("1.7")])
    assert found is not None
    assert found.mistake == "The handler compares only the beginning of a signature."
    assert found.evidence == (
        "1.7: expected that what 1.7 expects; observed what 1.7 observes",
        "also: The handler refuses what is too old, but not what is from the future.",
    )


def test_a_refusal_of_another_kind_is_no_failure() -> None:
    assert [it.mistake for it in symptoms([result("1.28", Verdict.NON_STRICT)])] == [
        "The handler refuses otherwise than with 401 or 403."
    ]
    assert [it.mistake for it in symptoms([result("1.28")])] == [
        "The handler fails on a signature that it should refuse."
    ]


@given(st.sets(st.sampled_from(sorted(BY_NUMBER))))
def test_every_case_that_was_not_passed_is_explained(numbers: set[str]) -> None:
    told = {number for it in symptoms([result(number) for number in numbers]) for number in (*it.shown, *it.explains)}
    unnamed = {"1.1", "1.8", "1.9", "1.10"}  # the doctor's own, and those that nobody judges
    assert numbers - told - unnamed == set()


@given(st.sets(st.sampled_from(sorted(BY_NUMBER))))
def test_no_symptom_is_told_that_another_explains(numbers: set[str]) -> None:
    found = symptoms([result(number) for number in numbers])
    for place, earlier in enumerate(found):
        assert numbers.issuperset(earlier.shown)
        for later in found[place + 1 :]:
            assert not {*earlier.shown, *earlier.explains} & {*later.shown}


def test_symptoms_are_about_cases_that_exist() -> None:
    for symptom in SYMPTOMS:
        assert {*symptom.shown, *symptom.explains} <= BY_NUMBER.keys()
        assert symptom.mistake.startswith("The handler")
        assert symptom.mistake.endswith(".")
