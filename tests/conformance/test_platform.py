"""The platform of an examination makes real events, holds turns, and leaves its account as it was."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import pytest

from simulator.app import SimulatorApp
from simulator.conformance.events import Event
from simulator.conformance.exchange import Exchange, Request
from simulator.conformance.intake import PATIENCE, SILENCE, Intake
from simulator.conformance.platform import Platform
from simulator.errors import UsageError
from simulator.scenarios.stage import Refused
from simulator.testing.account import Account
from simulator.testing.opening import Session
from simulator.testing.options import Options

T = TypeVar("T")
Work = Callable[[Platform], Awaitable[T]]


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    found = Session()
    yield found
    found.close()


@pytest.fixture
def account(session: Session) -> Iterator[Account]:
    with session.open(Options()) as opened:
        yield opened


def on(account: Account, work: Work[T]) -> T:
    """Do something with an open platform, and close it."""

    async def conducted(app: SimulatorApp) -> T:
        platform = Platform(app, account.api_key)
        await platform.open()
        try:
            return await work(platform)
        finally:
            await platform.close()

    return account._place.conduct(conducted)


# -- events --------------------------------------------------------------------------------------------------------


def test_a_text_is_the_event_of_that_text(account: Account) -> None:
    async def work(platform: Platform) -> tuple[Event, Event, dict[str, str]]:
        return await platform.text("One"), await platform.text("Two"), platform.numbers

    one, two, numbers = on(account, work)
    assert (one.data["message"], two.data["message"]) == ("One", "Two")
    assert (one.name, one.channel, one.data["to"]) == ("agent.message", "sms", numbers["sms"])
    assert one.data["from"] != two.data["from"]
    assert one.id != two.id
    assert json.loads(one.raw) == one.body


def test_pictures_and_channels_choose_the_line(account: Account) -> None:
    async def work(platform: Platform) -> tuple[Event, Event, dict[str, str]]:
        media = await platform.text("", media=["https://files.example.com/a.jpg"])
        return media, await platform.text("Hi", channel="imessage", sender="ann@example.com"), platform.numbers

    media, mail, numbers = on(account, work)
    assert (media.channel, media.data["mediaUrls"]) == ("mms", ["https://files.example.com/a.jpg"])
    assert (mail.channel, mail.data["from"], mail.data["to"]) == ("imessage", "ann@example.com", numbers["imessage"])


def test_a_reaction_names_what_it_is_about(account: Account) -> None:
    async def work(platform: Platform) -> tuple[Event, Event]:
        text = await platform.text("Hi", channel="imessage")
        return text, await platform.reaction("👍🏽", to=text)

    text, reaction = on(account, work)
    assert reaction.name == "agent.reaction"
    assert reaction.data["messageId"] == text.data["messageId"]
    assert (reaction.data["reactionType"], reaction.data["fromNumber"]) == ("👍🏽", text.data["from"])


def test_the_agents_ids_are_known_to_the_api(account: Account) -> None:
    async def work(platform: Platform) -> tuple[Any, Event]:
        event = await platform.text()
        found = await platform.ask("GET", f"/v1/conversations/{event.data['conversationId']}")
        return found, event

    found, event = on(account, work)
    assert found["id"] == event.data["conversationId"]


def test_callers_are_never_the_same(account: Account) -> None:
    async def work(platform: Platform) -> list[str]:
        return [platform.caller() for _ in range(100)]

    callers = on(account, work)
    assert len(set(callers)) == 100
    assert all(caller.startswith("+1212") and len(caller) == 12 for caller in callers)


def test_what_the_simulator_refuses_is_told(account: Account) -> None:
    async def work(platform: Platform) -> None:
        await platform.text("x" * 20_001)

    with pytest.raises(Refused, match="body"):
        on(account, work)


# -- calls ---------------------------------------------------------------------------------------------------------


def test_a_call_goes_on_when_its_turn_is_answered(account: Account) -> None:
    async def work(platform: Platform) -> list[Event]:
        call = await platform.call("Hello?", "Thanks.")
        first = await call.turn()
        call.answer(text="Acme, hello.")
        return [first, await call.turn(), await call.ended()]

    first, second, end = on(account, work)
    assert (first.data["transcript"], second.data["transcript"]) == ("Hello?", "Thanks.")
    assert first.data["callId"] == second.data["callId"] == end.data["callId"]
    assert "Acme, hello." in [entry["content"] for entry in second.body["recentHistory"]]
    said = [(line["role"], line["content"]) for line in end.data["transcript"]]
    assert said == [("user", "Hello?"), ("agent", "Acme, hello."), ("user", "Thanks.")]


def test_the_caller_hears_what_the_handler_answered(account: Account) -> None:
    headers = {"Content-Type": "application/x-ndjson"}
    pieces = [(0.1, b'{"text": "One moment.", "interim": true}\n'), (0.2, b'{"text": "Shipped."}\n')]
    exchange = Exchange(request=Request({}, b""), status=200, headers=headers, pieces=pieces)

    async def work(platform: Platform) -> Event:
        call = await platform.call("Where is it?", "Thanks.")
        await call.turn()
        call.answer(exchange)
        await call.turn()
        return await call.ended()

    contents = [line["content"] for line in on(account, work).data["transcript"]]
    assert contents == ["Where is it?", "One moment.", "Shipped.", "Thanks."]


def test_an_answer_needs_a_turn(account: Account) -> None:
    async def work(platform: Platform) -> None:
        (await platform.call("Hello?")).answer(text="Too early")

    with pytest.raises(UsageError, match="waits for no answer"):
        on(account, work)


def test_hanging_up_lets_a_held_turn_go_and_may_be_repeated(account: Account) -> None:
    async def work(platform: Platform) -> Event:
        call = await platform.call("Hello?")
        await call.turn()
        await call.hang_up()
        await call.hang_up()
        return await call.ended()

    assert on(account, work).data["disconnectionReason"] == "user_hangup"


def test_calls_do_not_take_each_others_turns(account: Account) -> None:
    async def work(platform: Platform) -> list[tuple[str, Any]]:
        one, two = await platform.call("First"), await platform.call("Second")
        later, earlier = await two.turn(), await one.turn()
        return [(later.data["transcript"], two.id == later.data["callId"]), (earlier.data["transcript"], True)]

    assert on(account, work) == [("Second", True), ("First", True)]


def test_a_cleared_case_leaves_no_live_call_and_no_event(account: Account) -> None:
    async def work(platform: Platform) -> tuple[list[str], bool]:
        for _ in range(2):
            await (await platform.call("Hello?")).turn()
        await platform.text()
        await platform.clear()
        calls = await platform.ask("GET", "/v1/calls")
        text = await platform.text("Next")
        return [call["status"] for call in calls["data"]], text.data["message"] == "Next"

    assert on(account, work) == (["completed", "completed"], True)


# -- what the handler does -----------------------------------------------------------------------------------------


def test_only_the_handlers_changes_count(account: Account) -> None:
    http = account.http()

    async def work(platform: Platform) -> tuple[list[str], list[Any], int]:
        event = await platform.text()
        after = platform.seq
        body = {"number_id": event.data["numberId"], "to_number": event.data["from"], "body": "Hi"}
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, lambda: http.get("/v1/agents"))
        await loop.run_in_executor(None, lambda: http.post("/v1/messages", json=body))
        await loop.run_in_executor(None, lambda: http.post("/v1/messages", json={}))
        await platform.ask("POST", "/v1/contacts", {"phoneNumber": platform.caller(), "name": "Ann"})
        calls = platform.api_calls(after)
        first = calls[0]
        early = platform.api_calls(after, until=first.seq)
        return [str(call) for call in calls], [first.body["body"], len(early)], len(platform.api_calls(platform.seq))

    told, first, later = on(account, work)
    assert told == ["POST /v1/messages → 200", "POST /v1/messages → 422"]
    assert first == ["Hi", 1]
    assert later == 0


def test_news_come_with_the_journal_and_not_without(account: Account) -> None:
    async def work(platform: Platform) -> list[bool]:
        waiting = asyncio.ensure_future(platform.news(5))
        await asyncio.sleep(0)
        await platform.text()
        told = [await waiting]
        while told[-1] and len(told) < 100:  # what the text leads to is told as well
            told.append(await platform.news(5))
        return [told[0], told[-1]]

    assert on(account, work) == [True, False]


# -- before and after ----------------------------------------------------------------------------------------------


def test_the_clock_is_as_it_was(account: Account) -> None:
    account._place.ask("PUT", "/_sim/clock", {"mode": "manual", "handler_grace": 7})

    async def work(platform: Platform) -> str:
        return str((await platform.ask("GET", "/_sim/clock"))["mode"])

    assert on(account, work) == "auto"
    clock = account._place.ask("GET", "/_sim/clock")
    assert (clock["mode"], clock["handler_grace"]) == ("manual", 7)


def test_a_closed_platform_hears_nothing_more(account: Account) -> None:
    async def conducted(app: SimulatorApp) -> tuple[set[str], set[str]]:
        platform = Platform(app, account.api_key)
        before = set(platform.runner.sender.mounts)
        await platform.open()
        await (await platform.call("Hello?")).turn()
        await platform.close()
        return before, set(platform.runner.sender.mounts)

    before, after = account._place.conduct(conducted)
    assert before == after
    calls = account._place.ask("GET", "/v1/calls")["data"]
    assert [call["status"] for call in calls] == ["completed"]


def test_an_unknown_account_is_no_place_for_an_examination(account: Account) -> None:
    async def conducted(app: SimulatorApp) -> None:
        Platform(app, "sk_live_unknown")

    with pytest.raises(UsageError, match="does not know the API key"):
        account._place.conduct(conducted)


# -- the intake ----------------------------------------------------------------------------------------------------


def message(name: str, **data: Any) -> tuple[dict[str, Any], bytes]:
    body = json.dumps({"event": name, "channel": "voice" if "transcript" in data else "sms", "data": data}).encode()
    headers = [(b"x-webhook-id", b"del_1"), (b"x-webhook-event", name.encode())]
    return {"type": "http", "headers": headers}, body


async def post(intake: Intake, name: str, **data: Any) -> list[dict[str, Any]]:
    """Post an event in two pieces; what is answered."""
    scope, body = message(name, **data)
    pieces: list[dict[str, Any]] = [{"body": body[:7], "more_body": True}, {"body": body[7:]}]
    answered: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", **pieces.pop(0)}

    async def send(message: Any) -> None:
        answered.append(message)

    await intake(scope, receive, send)
    return answered


def anything(_event: Event) -> bool:
    return True


def in_process(account: Account, work: Callable[[Intake], Awaitable[T]]) -> T:
    async def conducted(_app: SimulatorApp) -> T:
        return await work(Intake())

    return account._place.conduct(conducted)


def test_an_event_is_acknowledged_at_once_and_a_turn_when_it_is_answered(account: Account) -> None:
    async def work(intake: Intake) -> tuple[Any, bool, Any]:
        text = await post(intake, "agent.message", message="Hi")
        turn = asyncio.ensure_future(post(intake, "agent.message", transcript="Hello?"))
        arrived = await intake.next(lambda event: event.channel == "voice", "turn")
        held = not turn.done()
        assert arrived.answer is not None
        arrived.answer.set_result(("text/plain", SILENCE))
        return text, held, await turn

    text, held, turn = in_process(account, work)
    assert [part.get("status") or part["body"] for part in text] == [200, b""]
    assert held
    assert turn[0]["headers"] == [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(SILENCE))]
    assert turn[1]["body"] == SILENCE


def test_events_are_given_in_order_and_once(account: Account) -> None:
    async def work(intake: Intake) -> list[str]:
        for words in ("one", "two", "three"):
            await post(intake, "agent.message", message=words)
        last = await intake.next(lambda event: event.data["message"] == "three", "text")
        return [last.event.data["message"], *[(await intake.next(anything, "")).event.data["message"] for _ in "12"]]

    assert in_process(account, work) == ["three", "one", "two"]


def test_an_event_that_does_not_come_is_named(account: Account) -> None:
    async def work(intake: Intake) -> float:
        began = asyncio.get_running_loop().time()
        with pytest.raises(UsageError, match="sent no reaction within 20 s"):
            await intake.next(anything, "reaction")
        return asyncio.get_running_loop().time() - began

    assert in_process(account, work) == pytest.approx(PATIENCE)


def test_what_is_let_go_is_forgotten_and_held_turns_end_their_calls(account: Account) -> None:
    async def work(intake: Intake) -> tuple[Any, bool]:
        turn = asyncio.ensure_future(post(intake, "agent.message", transcript="Hello?"))
        await intake.next(anything, "turn")
        await post(intake, "agent.message", message="Hi")
        intake.let_go()
        answered = await turn
        with pytest.raises(UsageError):
            await intake.next(anything, "text")
        return json.loads(answered[1]["body"]), True

    assert in_process(account, work) == ({"text": "", "hangup": True}, True)


def test_what_is_no_request_is_left_alone(account: Account) -> None:
    async def work(intake: Intake) -> list[Any]:
        asked: list[Any] = []

        async def never(*given: Any) -> Any:
            asked.append(given)

        await intake({"type": "lifespan"}, never, never)
        return asked

    assert in_process(account, work) == []
