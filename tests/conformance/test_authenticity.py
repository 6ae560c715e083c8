from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from simulator.app import build_app, build_simulator
from simulator.conformance.cases import authenticity
from simulator.conformance.cases.authenticity_signature import SUNDAY, unusual
from simulator.conformance.examine import Options, Target, examine
from simulator.conformance.results import Report
from simulator.conformance.schemes import compact_json, compact_sorted_json, python_json, sorted_json
from simulator.conformance.verdicts import Level, Verdict
from simulator.engine.signing import verify
from simulator.runtime.server import ServerThread
from simulator.settings import Settings
from tests.helpers.judging import judge
from tests.helpers.zoo import load, names

KEY = "ap_live_of_the_examiner"
SECRET = "whsec_of_the_examiner"
INFORMATIONAL = {"1.8", "1.9", "1.10"}


def handler(**wiring: Any) -> Callable[[str], Any]:
    """The sound handler, told of no API."""
    sound = load("sound").module
    return lambda secret: sound.Handler(sound.Wiring(secret=secret, **wiring)).app


def broken(name: str) -> Callable[[str], Any]:
    animal, sound = load(name), load("sound").module
    return lambda secret: animal.module.Broken(sound.Wiring(secret=secret)).app


def refusing(status: int) -> Callable[[str], Any]:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": status, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    return lambda _secret: app


def verdicts(report: Report, *numbers: str) -> list[Verdict]:
    return [report.result(number).verdict for number in numbers]


def test_the_numbers_of_the_group_are_consecutive() -> None:
    assert [case.number for case in authenticity.CASES] == [f"1.{number}" for number in range(1, 30)]


def test_every_case_that_judges_is_failed_or_missed_by_some_handler() -> None:
    caught = {number for name in names() for animal in [load(name)] for number in animal.fails | animal.misses}
    judging = {case.number for case in authenticity.CASES if case.level is not Level.MAY}
    assert judging <= caught
    assert {case.number for case in authenticity.CASES} - judging == INFORMATIONAL


@pytest.mark.parametrize("status", [401, 404, 500])
def test_refusals_of_a_handler_that_refuses_everything_prove_nothing(status: int) -> None:
    report = judge(refusing(status), "1")
    assert {result.number for result in report.failed} == {"1.1", "1.2"}
    others = [result for result in report.results if result.number not in ("1.1", "1.2", "1.29")]
    assert {result.verdict for result in others} == {Verdict.NOT_RUN}
    assert all("1.1" in result.reason for result in others)


def test_refusals_prove_nothing_where_the_secret_is_not_known() -> None:
    report = judge(lambda _secret: handler()("whsec_that_nobody_told"), "1", secret_known=False)
    assert {result.verdict for result in report.results} == {Verdict.NOT_RUN}
    assert "--secret" in report.result("1.3").reason


def test_a_handler_that_takes_everything_is_caught_without_a_secret() -> None:
    report = judge(broken("accepts_anybody"), "1", secret_known=False)
    wrong = load("accepts_anybody")
    assert {result.number for result in report.failed} == {it for it in wrong.fails if it.startswith("1.")}
    assert report.result("1.1").verdict is Verdict.NOT_RUN


def test_what_a_handler_takes_wrongly_fails_though_it_takes_nothing_else() -> None:
    def make(secret: str) -> Any:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                signature = dict(scope["headers"]).get(b"x-webhook-signature", b"")
                status = 200 if signature == b"sha256=" + b"0" * 64 else 401
                await send({"type": "http.response.start", "status": status, "headers": []})
                await send({"type": "http.response.body", "body": b""})

        return app

    assert verdicts(judge(make, "1"), "1.1", "1.3", "1.4") == [Verdict.FAIL, Verdict.FAIL, Verdict.NOT_RUN]


def test_forged_turns_prove_nothing_where_good_ones_are_refused() -> None:
    sound = load("sound").module

    class NoVoice(sound.Handler):  # type: ignore[misc, name-defined]
        async def turn(self, event: dict[str, Any]) -> Any:
            return sound.Response(status_code=403)

    report = judge(lambda secret: NoVoice(sound.Wiring(secret=secret)).app, "1")
    assert {result.number for result in report.failed} == {"1.2"}
    assert verdicts(report, "1.22", "1.26", "1.27") == [Verdict.NOT_RUN, Verdict.NOT_RUN, Verdict.PASS]


def test_a_handler_that_refuses_with_another_status_is_not_strict() -> None:
    sound = load("sound").module

    class Hidden(sound.Handler):  # type: ignore[misc, name-defined]
        def verify(self, headers: Any, body: bytes) -> None:
            try:
                super().verify(headers, body)
            except sound.Refused as refused:
                raise sound.Refused(404, refused.why) from None

    result = judge(lambda secret: Hidden(sound.Wiring(secret=secret)).app, "1.28").result("1.28")
    assert result.verdict is Verdict.NON_STRICT
    assert len(result.broken) == 4


@pytest.mark.parametrize("name", ["sound", "secret_at_startup"])
def test_the_secret_is_the_old_one_again_after_a_rotation(name: str, tmp_path: Path) -> None:
    animal, sound = load(name), load("sound").module
    kept = tmp_path / "secret.txt"
    seen: list[str] = []

    def make(secret: str) -> Any:
        kept.write_text(secret)
        seen.append(secret)
        return getattr(animal.module, "Broken", sound.Handler)(sound.Wiring(secret_file=kept)).app

    def rotate(secret: str) -> None:
        seen.append(secret)
        kept.write_text(secret)

    report = judge(make, "1.29", "5.1", rotate=rotate)
    first, other, last = seen
    assert first == last == kept.read_text() != other
    assert verdicts(report, "1.29", "5.1") == [Verdict.PASS if name == "sound" else Verdict.NON_STRICT, Verdict.PASS]


def test_the_secret_is_put_back_even_when_the_case_breaks_off(tmp_path: Path) -> None:
    kept = tmp_path / "secret.txt"

    def make(secret: str) -> Any:
        kept.write_text(secret)

        async def app(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "http":
                return
            if kept.read_text() != secret:  # waits for ever as soon as it has been rotated
                await asyncio.Event().wait()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})

        return app

    report = judge(make, "1.29", rotate=kept.write_text)
    assert report.result("1.29").verdict is Verdict.NON_STRICT
    assert kept.read_text().startswith("whsec_0agentphone")


def test_an_unusual_layout_is_the_same_json_and_nobody_writes_it_so() -> None:
    body = {"event": "agent.message", "data": {"message": SUNDAY, "mediaUrls": []}, "recentHistory": []}
    raw = unusual(body)
    assert json.loads(raw) == body
    forms = {form(raw) for form in (compact_json, python_json, sorted_json, compact_sorted_json)}
    assert len(forms) == 4
    assert raw not in forms and b"\\u0041re" in raw


# -- a server that keeps the case of header names ---------------------------------------------------------------------


@contextmanager
def keeping_case(*, exactly: bool) -> Iterator[str]:
    """A handler that looks headers up as they are written on the wire (`exactly`), or without regard to case."""

    class Hook(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers: Any = dict(self.headers.items()) if exactly else self.headers
            stamp, signature = headers.get("X-Webhook-Timestamp", ""), headers.get("X-Webhook-Signature", "")
            self.send_response(200 if verify(SECRET, stamp, body, signature) else 401)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(("exactly", "fate"), [(True, "refused"), (False, "taken")])
def test_header_names_in_lower_case_are_told_of(exactly: bool, fate: str) -> None:
    app = build_app(build_simulator(Settings(api_keys=(KEY,))))
    with ServerThread(app) as server, keeping_case(exactly=exactly) as url:
        work = examine(app, KEY, Target(url=url, secret=SECRET), Options(numbers=("1.1", "1.8", "1.9", "1.10")))
        report = asyncio.run_coroutine_threadsafe(work, server.loop).result()
    assert verdicts(report, "1.1", "1.8") == [Verdict.PASS, Verdict.INFORMATIONAL]
    assert report.result("1.8").notes == (f"a request whose header names are in lower case is {fate}",)
    assert report.result("1.9").notes == ("a signature in capitals is refused",)
    assert report.result("1.10").notes == ("a signature without `sha256=` is refused",)
