from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from simulator.conformance.verdicts import Verdict
from tests.helpers.examining import examine_one, sound, verdict, wrong
from tests.helpers.zoo import examined, load

Handler: Any = sound().Handler


def test_the_sound_handler_passes_everything() -> None:
    report = examine_one(Handler, "3")
    assert {result.number: result.verdict for result in report.results if result.verdict is not Verdict.PASS} == {}
    assert [result.number for result in report.results] == [f"3.{place}" for place in range(1, 15)]


def test_a_duplicate_is_the_same_to_the_byte_and_a_retry_is_signed_anew() -> None:
    report = examine_one(Handler, "3.2", "3.3", "3.9")
    first, second = (exchange.request for exchange in report.result("3.2").exchanges)
    assert (first.headers, first.body) == (second.headers, second.body)
    for number in ("3.3", "3.9"):
        first, second = (exchange.request for exchange in report.result(number).exchanges)
        assert first.headers["X-Webhook-ID"] == second.headers["X-Webhook-ID"]
        assert first.headers["X-Webhook-Signature"] != second.headers["X-Webhook-Signature"]
        assert first.body == second.body


def test_a_voice_reply_that_is_kept_and_given_again_is_as_good_as_a_new_one() -> None:
    class Replaying(Handler):  # type: ignore[misc]
        async def take(self, event: dict[str, Any], delivery_id: str) -> Any:
            if event.get("event") != "agent.message" or event.get("channel") != "voice":
                return await super().take(event, delivery_id)
            return JSONResponse({"text": f"It was shipped yesterday, {delivery_id}."})

    assert verdict(Replaying, "3.10") is Verdict.PASS


def test_a_copy_that_is_sent_away_while_the_other_is_worked_on_is_taken_once() -> None:
    class Busy(Handler):  # type: ignore[misc]
        def __init__(self, wiring: Any) -> None:
            super().__init__(wiring)
            self.working: set[str] = set()

        async def text(self, event: dict[str, Any], delivery_id: str) -> Any:
            self.working.add(delivery_id)
            await asyncio.sleep(0.2)
            self.working.discard(delivery_id)
            return await super().text(event, delivery_id)

        async def take(self, event: dict[str, Any], delivery_id: str) -> Any:
            if delivery_id in self.working:
                return Response("being worked on", status_code=409)
            return await super().take(event, delivery_id)

    report = examine_one(Busy, "3.6")
    assert report.result("3.6").verdict is Verdict.PASS
    assert sorted(exchange.status or 0 for exchange in report.result("3.6").exchanges) == [200, 409]


def test_two_copies_are_both_there_before_either_is_answered() -> None:
    class Watching(Handler):  # type: ignore[misc]
        inside = most = 0

        async def webhook(self, request: Request) -> Response:
            Watching.inside += 1
            Watching.most = max(Watching.most, Watching.inside)
            try:
                return await super().webhook(request)  # type: ignore[no-any-return]
            finally:
                Watching.inside -= 1

    assert verdict(Watching, "3.6") is Verdict.PASS
    assert Watching.most == 2


def test_a_typing_indicator_for_each_copy_is_not_the_work_done_twice() -> None:
    class Typing(Handler):  # type: ignore[misc]
        async def take(self, event: dict[str, Any], delivery_id: str) -> Any:
            conversation = event["data"].get("conversationId")
            if event["event"] == "agent.message" and event["channel"] == "sms":
                await self.post(f"/v1/conversations/{conversation}/typing", {})
            return await super().take(event, delivery_id)

    assert verdict(Typing, "3.6") is Verdict.PASS


def test_work_that_the_handler_tries_again_by_itself_was_not_lost() -> None:
    report = examine_one(Handler, "3.5")
    assert [check.observed for check in report.result("3.5").checks] == ["the work is done"]
    assert len(report.result("3.5").exchanges) == 1


def test_a_retry_that_is_skipped_as_known_after_its_work_failed_is_lost() -> None:
    report = examined(load("claims_before_work"), ["3.5"])
    assert wrong(report, "3.5") == ["the retry is worked off"]
    assert [exchange.status for exchange in report.result("3.5").exchanges] == [500, 200]


def test_an_event_that_is_refused_when_the_api_fails_is_lost_as_well() -> None:
    report = examined(load("fails_without_api"), ["3.5"])
    assert wrong(report, "3.5") == ["2xx or 5xx: anything else is not tried again"]


def test_a_handler_that_thanks_nobody_after_a_call_passes() -> None:
    class Silent(Handler):  # type: ignore[misc]
        async def call_ended(self, event: dict[str, Any], delivery_id: str) -> Response:
            return Response()

    result = examine_one(Silent, "3.9").result("3.9")
    assert result.verdict is Verdict.PASS
    assert result.notes == ("the end of a call leads to nothing",)


def test_a_handler_that_calls_somebody_else_after_a_call_is_caught_when_it_does_so_twice() -> None:
    class Reporting(Handler):  # type: ignore[misc]
        def first_time(self, delivery_id: str) -> bool:
            return True

        async def call_ended(self, event: dict[str, Any], delivery_id: str) -> Response:
            told = {"to_number": "+14155550199", "body": f"{event['data']['from']} has called."}
            return Response(background=BackgroundTask(self.post, "/v1/messages", told))

    assert verdict(Reporting, "3.9") is Verdict.FAIL


def test_a_handler_that_takes_late_events_and_leaves_them_is_not_strict() -> None:
    class Choosy(Handler):  # type: ignore[misc]
        newest = datetime.min.replace(tzinfo=UTC)

        async def text(self, event: dict[str, Any], delivery_id: str) -> Any:
            at = datetime.fromisoformat(event["timestamp"])
            self.newest = max(self.newest, at)
            if at < self.newest - timedelta(hours=19, minutes=59):
                return Response()
            return await super().text(event, delivery_id)

    assert wrong(examine_one(Choosy, "3.8"), "3.8") == ["it is acted on"]
    assert verdict(Choosy, "3.8") is Verdict.NON_STRICT


def test_silence_in_the_right_form_is_silence_all_the_same() -> None:
    class Once(Handler):  # type: ignore[misc]
        turns: ClassVar[set[str]] = set()

        async def take(self, event: dict[str, Any], delivery_id: str) -> Any:
            if delivery_id in self.turns:
                return JSONResponse({"text": ""})
            if event["event"] == "agent.message" and event["channel"] == "voice":
                self.turns.add(delivery_id)
            return await super().take(event, delivery_id)

    report = examine_one(Once, "3.10")
    assert wrong(report, "3.10") == ["the repeated turn is answered with more than silence"]


def test_who_is_silent_anyway_is_judged_elsewhere() -> None:
    class Mute(Handler):  # type: ignore[misc]
        async def turn(self, event: dict[str, Any]) -> Response:
            return JSONResponse({"text": ""})

    class Broken(Handler):  # type: ignore[misc]
        async def turn(self, event: dict[str, Any]) -> Response:
            return Response(status_code=500)

    assert {result.verdict for result in examine_one(Mute, "3.10", "3.11").results} == {Verdict.NOT_RUN}
    assert {result.verdict for result in examine_one(Broken, "3.10", "3.11", "3.13").results} == {Verdict.NOT_RUN}


def test_an_outbound_text_looks_as_one_that_the_agent_has_sent() -> None:
    seen: dict[str, dict[str, Any]] = {}

    class Keeping(Handler):  # type: ignore[misc]
        async def text(self, event: dict[str, Any], delivery_id: str) -> Any:
            seen[event["data"]["direction"]] = event["data"]
            return await super().text(event, delivery_id)

    assert verdict(Keeping, "3.14") is Verdict.PASS
    assert seen["outbound"]["from"] == seen["inbound"]["to"]
    assert seen["outbound"]["to"] not in (seen["inbound"]["to"], seen["inbound"]["from"])
