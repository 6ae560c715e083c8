from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.responses import Response

from simulator.conformance.verdicts import Verdict
from tests.helpers.examining import examine_one, sound, verdict, wrong
from tests.helpers.zoo import examined, load

Handler: Any = sound().Handler


def test_the_sound_handler_passes_everything() -> None:
    report = examine_one(Handler, "2")
    assert {result.number: result.verdict for result in report.results if result.verdict is not Verdict.PASS} == {}
    assert len(report.results) == 12


def test_a_turn_of_bad_luck_is_not_a_slow_handler() -> None:
    class SlowOnce(Handler):  # type: ignore[misc]
        texts = 0

        async def text(self, event: dict[str, Any], delivery_id: str) -> Any:
            self.texts += 1
            if self.texts == 2:  # the first one shows that the handler is there
                await asyncio.sleep(6)
            return await super().text(event, delivery_id)

    report = examine_one(SlowOnce, "2.5")
    assert report.result("2.5").verdict is Verdict.PASS
    assert [round(exchange.ended_at) for exchange in report.result("2.5").exchanges] == [6, 0, 0]


def test_a_handler_that_answers_in_time_but_not_soon_is_not_strict() -> None:
    report = examined(load("slow_acknowledgement"), ["2.5"])
    assert wrong(report, "2.5") == ["an event: within 5 s"]


def test_an_answer_after_the_timeout_is_told_as_none() -> None:
    report = examined(load("never_acknowledges"), ["2.5"])
    assert wrong(report, "2.5") == ["the end of a call: within 30 s"]
    assert "nothing came for 30 s" in report.result("2.5").broken[0].observed


def test_a_redirect_is_told_with_where_it_leads() -> None:
    report = examined(load("redirects"), ["2.6"])
    assert [check.observed for check in report.result("2.6").broken] == ["307 without a body to /webhook/calls"]


@pytest.mark.parametrize("status", [501, 405, 404, 200])
def test_whatever_answers_a_get_is_no_crash(status: int) -> None:
    class Shy(Handler):  # type: ignore[misc]
        def __init__(self, wiring: Any) -> None:
            super().__init__(wiring)

            async def answer(_request: Any) -> Response:
                return Response(status_code=status)

            self.app.router.add_route("/webhook", answer, methods=["GET", "HEAD"])

    report = examine_one(Shy, "2.8", "2.9")
    assert [result.verdict for result in report.results] == [Verdict.PASS, Verdict.PASS]


def test_a_get_that_sends_a_text_is_caught() -> None:
    class Eager(Handler):  # type: ignore[misc]
        def __init__(self, wiring: Any) -> None:
            super().__init__(wiring)

            async def answer(_request: Any) -> Response:
                await self.post("/v1/messages", {"to_number": "+14155550199", "body": "Somebody is here."})
                return Response()

            self.app.router.add_route("/webhook", answer, methods=["GET"])

    report = examine_one(Eager, "2.8")
    assert wrong(report, "2.8") == ["nothing is done"]
    assert "POST /v1/messages" in report.result("2.8").broken[0].observed


def test_500_and_then_a_taken_retry_lose_nothing() -> None:
    class Honest(Handler):  # type: ignore[misc]
        async def text(self, event: dict[str, Any], delivery_id: str) -> Any:
            response = await super().text(event, delivery_id)
            work, response.background = response.background, None
            if work is not None:
                await work()
            return response if delivery_id in self.seen else Response(status_code=500)

        async def post(self, path: str, body: dict[str, Any]) -> bool:
            return bool(await self.ask(path, body) < 400)

    report = examine_one(Honest, "2.11", "3.5")
    assert [result.verdict for result in report.results] == [Verdict.PASS, Verdict.PASS]
    assert [str(exchange.status) for exchange in report.result("2.11").exchanges] == ["500", "200"]


def test_who_answers_every_retry_with_500_is_caught() -> None:
    class Stuck(Handler):  # type: ignore[misc]
        broken = False

        async def text(self, event: dict[str, Any], delivery_id: str) -> Response:
            number, to = event["data"]["numberId"], event["data"]["from"]
            asked = await self.ask("/v1/messages", {"number_id": number, "to_number": to, "body": "Hello."})
            self.broken = self.broken or asked >= 400
            self.release(delivery_id)
            return Response(status_code=500 if self.broken else 200)

    report = examine_one(Stuck, "2.11")
    assert wrong(report, "2.11") == ["the retry is answered with 2xx"]


def test_a_handler_that_asks_the_api_for_nothing_is_not_judged_by_what_it_asks() -> None:
    class Quiet(Handler):  # type: ignore[misc]
        async def text(self, event: dict[str, Any], delivery_id: str) -> Response:
            return Response()

    report = examine_one(Quiet, "2.11", "2.12", "2.8")
    assert [report.result(number).verdict for number in ("2.11", "2.12")] == [Verdict.NOT_RUN, Verdict.NOT_RUN]
    assert "asks the API for nothing" in report.result("2.11").reason
    assert report.result("2.8").verdict is Verdict.PASS


def test_204_is_as_good_as_no_acknowledgement_only_by_the_letter() -> None:
    class NoContent(Handler):  # type: ignore[misc]
        async def text(self, event: dict[str, Any], delivery_id: str) -> Response:
            response = await super().text(event, delivery_id)
            return Response(status_code=204, background=response.background)

    assert verdict(NoContent, "2.1") is Verdict.PASS
    assert verdict(NoContent, "2.7") is Verdict.NON_STRICT
