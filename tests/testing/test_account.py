"""The facade's methods, each in both places."""

from __future__ import annotations

import re
import sys
from contextvars import ContextVar
from datetime import timedelta
from typing import Any

import pytest

from simulator.errors import UsageError
from simulator.testing import CALLER, SECRET, Account, Line, Options, Refused, Session
from tests.helpers.apps import Recorded, orders, wsgi
from tests.testing.conftest import Opened

HELLO = "Acme, hello!"


def line(account: Account, app: Any, **agent: Any) -> None:
    account.webhook(app)
    account.number(account.agent("Acme", begin_message=HELLO, **agent), "415")


@pytest.mark.parametrize("app", [Recorded, wsgi], ids=["asgi", "wsgi"])
def test_a_scripted_call_comes_back_whole(account: Account, app: Any) -> None:
    line(account, app())
    call = account.call(["Where is my order?", "Thanks, bye"])
    assert call.said == (HELLO, "You asked: Where is my order? It has shipped.", "Goodbye!")
    assert call.heard == ("Where is my order?", "Thanks, bye")
    assert call.transcript[1] == Line("user", "Where is my order?")
    assert (call.status, call.reason, call.findings) == ("completed", "agent_hangup", ())
    assert call.duration is not None and call.duration > 5
    assert call.first_word is not None and call.first_word < 3
    assert call.timeline["turns"][0]["transcript"] == "Where is my order?"


def test_a_call_needs_no_number_made_first(account: Account) -> None:
    account.webhook(Recorded())
    assert account.call(["bye"]).said == ("Goodbye!",)
    assert len(account.http().get("/v1/numbers").json()["data"]) == 1
    assert account.call(["bye"]).reason == "agent_hangup"
    assert len(account.http().get("/v1/numbers").json()["data"]) == 1


def test_a_call_goes_to_a_number_or_to_an_agents_number(account: Account) -> None:
    account.webhook(Recorded())
    first, second = account.agent("First"), account.agent("Second")
    number = account.number(first)
    account.number(second)
    for to in (number, str(number), first):
        call = account.call(["bye"], to=to)
        placed = account.journal.last("call.placed", call_id=call.id)
        assert placed is not None and placed["to"] == number.phone_number


def test_an_agent_without_a_number_gets_one_when_it_is_called(account: Account) -> None:
    account.webhook(Recorded())
    assert account.call(["bye"], to=account.agent("Late")).said == ("Goodbye!",)


def test_what_the_handler_does_badly_is_found(account: Account) -> None:
    line(account, Recorded(lambda _: None))
    call = account.call(["Hello", "Are you there?"])
    assert (call.said, call.heard) == ((HELLO,), ("Hello", "Are you there?"))
    assert [finding.kind for finding in call.findings] == ["reply_empty", "reply_empty"]
    assert str(call.findings[0]).startswith("reply_empty: ")


def test_a_phone_is_driven_word_by_word(account: Account) -> None:
    line(account, Recorded())
    with account.dial() as phone:
        assert phone.greeting == HELLO
        assert phone.say("Where is it?") == "You asked: Where is it? It has shipped."
        phone.ask("And the other one, the big one?")
        assert phone.barge_in("Never mind!", after=0.5) == "You asked: Never mind! It has shipped."
        assert phone.press("1#") == ""
        assert phone.wait("3s") == ""
        assert not phone.ended
    call = phone.result()
    assert call.reason == "user_hangup"
    assert call.said[2] in "You asked: And the other one"
    assert account.journal.last("digits", party="user") is not None


def test_a_phone_is_put_down_by_the_agent(account: Account) -> None:
    line(account, Recorded())
    phone = account.dial()
    assert phone.say("bye") == "Goodbye!"
    assert phone.ended
    assert phone.hang_up().reason == "agent_hangup"
    with pytest.raises(Refused, match="has ended"):
        phone.say("Are you there?")


def test_time_stands_still_between_the_words_of_a_phone_and_runs_again_after_it(account: Account) -> None:
    line(account, Recorded())
    phone, other = account.dial(), account.dial(from_="+14155550151")
    before = account.clock.now
    assert account.clock.now == before
    assert account.clock.mode == "manual"
    phone.hang_up()
    assert account.clock.mode == "manual"
    other.hang_up()
    assert account.clock.mode == "auto"


def test_a_caller_who_says_nothing_for_ten_minutes_takes_no_time(account: Account) -> None:
    line(account, Recorded(), max_silence_ms=600_000)
    call = account.call([{"wait": 700}, "Are you there?"])
    assert call.reason == "inactivity"
    assert call.duration is not None and 600 < call.duration < 610


def test_a_number_that_nobody_has_cannot_be_dialled_and_leaves_the_clock_alone(account: Account) -> None:
    with pytest.raises(Refused) as refused:
        account.dial(to="+14155550199")
    assert refused.value.status == 404
    assert account.clock.mode == "auto"


def test_an_outbound_call_reaches_a_scripted_person(account: Account) -> None:
    line(account, Recorded())
    person = account.person("+14155550177", script=["Who is it?", "bye"])
    agent = account.http().get("/v1/agents").json()["data"][0]["id"]
    asked = {"agentId": agent, "toNumber": person, "initialGreeting": "It is Acme."}
    made = account.http().post("/v1/calls", json=asked).json()
    call = account.call_result(made["id"])
    assert (call.said[0], call.heard) == ("It is Acme.", ("Who is it?", "bye"))


def test_a_person_may_be_busy_and_texts_may_fail(account: Account) -> None:
    line(account, Recorded())
    account.person(CALLER, answer="busy", texts={"status": "failed", "failure_reason": "gone"})
    agent, number = (account.http().get(f"/v1/{kind}").json()["data"][0]["id"] for kind in ("agents", "numbers"))
    call = account.http().post("/v1/calls", json={"agentId": agent, "toNumber": CALLER}).json()
    assert account.call_result(call["id"]).reason == "dial_busy"
    account.http().post("/v1/messages", json={"number_id": number, "to_number": CALLER, "body": "hi"})
    failed = account.journal.last("message.failed")
    assert failed is not None and failed["failure_reason"] == "gone"


def test_a_text_is_delivered_before_the_test_goes_on(account: Account) -> None:
    app = Recorded()
    line(account, app)
    text = account.text("hi", from_="+14155550151")
    assert text.conversation_id.startswith("conv_")
    assert sorted(event["event"] for event in app.events) == ["agent.message", "message.received"]
    assert {event["data"]["message"] for event in app.events} == {"hi"}


def test_a_thread_of_texts_takes_days_and_no_time(account: Account) -> None:
    line(account, Recorded())
    script = ["hi", {"after": 172_800}, "still there?", {"expect_reply": {"within": 10}}]
    thread = account.thread(script, patience=0)
    assert (thread.status, thread.replies) == ("failed", ())
    assert thread.failure is not None and "reply" in thread.failure["expected"]
    assert [text["body"] for text in thread.texts] == ["hi", "still there?"]


def test_a_delivery_that_nobody_takes_is_tried_for_twenty_hours(account: Account) -> None:
    account.webhook("http://127.0.0.1:9/webhook")
    account.text("hi")
    (delivery,) = account.deliveries("agent.message")
    assert (delivery.status, len(delivery.attempts)) == ("failed", 6)
    assert delivery.attempts[0].outcome == "unreachable"
    waited = delivery.attempts[-1].at - delivery.attempts[0].at
    assert round(waited / timedelta(minutes=1)) == 20 * 60 + 35


def test_a_manual_clock_stays_where_it_is_until_it_is_moved(opened: Opened) -> None:
    account = opened(clock="manual")
    account.webhook("http://127.0.0.1:9/webhook")
    account.text("hi")
    assert [len(delivery.attempts) for delivery in account.deliveries("agent.message")] == [1]
    before = account.clock.now
    assert account.clock.advance("5m") - before == timedelta(minutes=5)
    assert [len(delivery.attempts) for delivery in account.deliveries("agent.message")] == [2]
    account.clock.run_until_idle()
    assert [delivery.status for delivery in account.deliveries("agent.message")] == ["failed"]


@pytest.mark.parametrize("length", [90, 90.0, timedelta(seconds=90), "90s", "1.5m"])
def test_lengths_of_time_are_written_in_several_ways(account: Account, length: Any) -> None:
    before = account.clock.now
    assert (account.clock.advance(length) - before).total_seconds() == 90


def test_what_is_no_length_of_time_is_refused(account: Account) -> None:
    with pytest.raises(UsageError, match="write a number and ms, s, m, h or d"):
        account.clock.advance("soon")
    with pytest.raises(Refused, match="seconds"):
        account.clock.advance(-1)


def test_the_clock_can_be_given_to_somebody_else(account: Account) -> None:
    account.clock.set("manual")
    assert account.clock.mode == "manual"


def test_the_secret_is_known_before_the_webhook_is(account: Account, opened: Opened) -> None:
    assert account.secret == SECRET
    assert account.webhook("http://127.0.0.1:9/webhook").secret == SECRET
    minted = opened(webhook_secret=None)
    with pytest.raises(UsageError, match=r"Webhook\.secret"):
        _ = minted.secret
    assert minted.webhook("http://127.0.0.1:9/webhook").secret != SECRET


def test_a_webhook_may_be_an_agents_own(account: Account) -> None:
    agent = account.agent("Own")
    webhook = account.webhook("http://127.0.0.1:9/own", agent, timeout=5, context_limit=3)
    shown = account.http().get(f"/v1/agents/{agent.id}/webhook").json()
    assert (webhook.url, shown["timeout"], shown["contextLimit"]) == ("http://127.0.0.1:9/own", 5, 3)


def test_what_is_no_application_is_refused(account: Account) -> None:
    with pytest.raises(UsageError, match="no application"):
        account.webhook(42)


def test_the_journal_is_searched_by_kind_and_content(account: Account) -> None:
    line(account, Recorded())
    account.call(["Where is it?", "bye"])
    opened = account.journal.entries("turn.opened")
    assert [entry["transcript"] for entry in opened] == ["Where is it?", "bye"]
    assert account.journal.entries("turn.opened", transcript="bye") == opened[1:]
    assert account.journal.entries("api.request", body={"name": "Acme"})[0]["path"] == "/v1/agents"
    assert account.journal.last("turn.opened", transcript="never said") is None
    assert [entry["seq"] for entry in account.journal.tail(2)] == [e["seq"] for e in account.journal.entries()[-2:]]
    assert account.journal.tail(0) == []


def test_a_reset_empties_the_account_and_begins_with_the_same_ids(account: Account) -> None:
    agent = account.agent().id
    account.clock.advance("1h")
    began = account.clock.now
    account.reset()
    assert account.clock.now < began
    assert account.agent().id == agent


def test_a_number_that_a_reset_or_a_snapshot_took_away_is_not_called(account: Account) -> None:
    account.snapshot("empty")
    for forget in (account.reset, lambda: account.restore("empty")):
        account.number()
        forget()
        account.webhook(Recorded())
        assert account.call(["bye"]).reason == "agent_hangup"


def test_two_accounts_of_one_seed_have_the_same_ids_and_nothing_else_in_common(opened: Opened) -> None:
    one, other, third = opened(seed=3), opened(seed=3), opened(seed=4)
    assert one.agent().id == other.agent().id != third.agent().id
    one.agent()
    assert len(other.http().get("/v1/agents").json()["data"]) == 1


def test_the_official_clients_work_unmodified(account: Account) -> None:
    agent = account.client().agents.create(name="Support")
    assert account.client().agents.get(agent.id).name == "Support"


def test_a_missing_sdk_is_said_with_the_way_out(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "agentphone", None)
    with pytest.raises(UsageError, match="pip install agentphone"):
        account.client()
    assert account.http().get("/v1/agents").status_code == 200


def test_a_simulator_that_runs_elsewhere_is_used_the_same_way(account: Account) -> None:
    with Account.connect(account.base_url, account.api_key, seed=9) as other:
        other.webhook(Recorded())
        assert other.call(["bye"]).said == ("Goodbye!",)
        assert other.api_key != account.api_key
        key = other.api_key
    assert account.journal.entries("call.placed") == []
    with pytest.raises(Refused) as refused:
        Account.connect(account.base_url, key)
    assert refused.value.status == 401


def test_nobody_to_connect_to_is_said_in_words() -> None:
    with pytest.raises(UsageError, match="no simulator answers at"):
        Account.connect("http://127.0.0.1:9", "sk_live_any")


def test_closing_twice_does_nothing(account: Account) -> None:
    account.close()
    account.close()


def test_an_account_that_the_test_has_closed_itself_is_closed_quietly(account: Account) -> None:
    assert account.http().delete(f"/_sim/accounts/{account.api_key}").status_code == 200
    account.close()


def test_context_variables_of_a_test_are_its_own(account: Account) -> None:
    library = ContextVar("library", default="none")
    seen = []

    def answer(_: Any) -> dict[str, Any]:
        seen.append(library.get())
        return {"text": "Bye", "hangup": True}

    library.set("the test's")
    account.webhook(Recorded(answer))
    account.call(["hello"])
    assert set(seen) == {"none"}


def test_exceptions_of_the_application_are_kept(account: Account) -> None:
    def broken(_: Any) -> None:
        raise ZeroDivisionError("of all things")

    line(account, Recorded(broken))
    call = account.call(["Hello"])
    assert [finding.kind for finding in call.findings] == ["reply_http_error"]
    assert all("ZeroDivisionError: of all things" in text for text in account.errors)
    assert len(account.errors) > 0


def test_requests_and_words_are_asserted(account: Account) -> None:
    line(account, Recorded())
    call = account.call(["Where is my order?", "bye"])
    account.assert_said("has shipped")
    account.assert_said(re.compile("order.*shipped"), call)
    account.assert_requested("POST /v1/agents", name="Acme")
    account.assert_requested("POST /v1/webhooks")
    account.assert_delivered("call.ended", times=1)
    account.assert_delivered("agent.message")
    account.assert_no_findings()
    assert account.wait_for("call.ended", call_id=call.id)["reason"] == "agent_hangup"


def test_an_assertion_that_fails_says_what_came_nearest(account: Account) -> None:
    line(account, Recorded(orders))
    account.call(["Where is my order?", "bye"])
    with pytest.raises(AssertionError, match="has shipped"):
        account.assert_said("has shippd")
    with pytest.raises(AssertionError, match="/v1/agents"):
        account.assert_requested("POST /v1/agent")
    with pytest.raises(AssertionError, match="expected"):
        account.assert_delivered("call.ended", times=2)
    with pytest.raises(UsageError, match="POST /v1/messages"):
        account.assert_requested("/v1/agents")


def test_an_event_that_no_webhook_accepted_was_not_delivered(account: Account) -> None:
    account.webhook("http://127.0.0.1:9/webhook")
    account.text("hi")
    with pytest.raises(AssertionError, match="failed"):
        account.assert_delivered("agent.message")


def test_a_path_may_leave_its_ids_open(account: Account) -> None:
    agent = account.agent().id
    account.http().get(f"/v1/agents/{agent}")
    account.assert_requested("GET /v1/agents/{agent_id}")
    with pytest.raises(AssertionError):
        account.assert_requested("GET /v1/calls/{call_id}")


def test_waiting_moves_time_no_further_than_needed(opened: Opened) -> None:
    account = opened(clock="manual")
    account.webhook("http://127.0.0.1:9/webhook")
    account.text("hi")
    before = account.clock.now
    account.wait_for("delivery.attempt", within="1h", attempt=2)
    assert account.clock.now - before == timedelta(minutes=5)


def test_a_snapshot_is_gone_back_to_as_often_as_one_likes(account: Account) -> None:
    account.agent("Kept")
    account.snapshot("before")
    made = [account.agent("Once").id]
    account.restore("before")
    made.append(account.agent("Again").id)
    names = [agent["name"] for agent in account.http().get("/v1/agents").json()["data"]]
    assert sorted(names) == ["Again", "Kept"]
    assert made[0] == made[1]
    with pytest.raises(Refused):
        account.restore("never taken")


def test_a_fork_goes_its_own_way(account: Account) -> None:
    account.webhook(Recorded())
    account.number()
    other = account.fork()
    assert other.call(["bye"]).said == ("Goodbye!",)
    assert account.journal.entries("call.placed") == []
    assert other.api_key != account.api_key


def test_a_diff_says_what_changed(account: Account) -> None:
    account.snapshot()
    agent = account.agent("New")
    assert account.diff()["kinds"]["agents"]["added"] == [agent.id]


def test_faults_are_added_listed_and_cleared(account: Account) -> None:
    rule = account.faults.add("api", "status", status=503, times=1)
    assert [shown["id"] for shown in account.faults.list()] == [rule["id"]]
    assert account.http().get("/v1/agents").status_code == 503
    assert account.http().get("/v1/agents").status_code == 200
    account.faults.clear()
    assert account.faults.list() == []


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_async_tests_call_it_directly_or_await_it(account: Account) -> None:
    line(account, Recorded())
    assert account.call(["bye"]).reason == "agent_hangup"
    assert (await account.aio.call(["bye"], from_="+14155550151")).said == (HELLO, "Goodbye!")
    phone = await account.aio.dial()
    assert await account.aio.run(phone.say, "Where is it?") == "You asked: Where is it? It has shipped."
    await account.aio.run(phone.hang_up)
    client = account.async_client()
    assert (await client.agents.list()).data[0].name == "Acme"
    await client.close()


def told(account: Account) -> list[dict[str, Any]]:
    """A story with everything in it that takes time, and all that the journal says of it."""
    line(account, Recorded())
    account.call(["Where is my order?", {"wait": 3}, {"barge_in": {"say": "bye", "after": 0.2}}])
    with account.dial() as phone:
        phone.say("Where is it?")
        phone.wait("2s")
    account.text("hi")
    account.webhook("http://127.0.0.1:9/nobody")
    account.text("hi again")
    return [dict(entry) for entry in account.journal.entries()]


def test_the_same_test_gives_the_same_journal_in_process_and_over_sockets(session: Session) -> None:
    stories = []
    for sockets in (False, True):
        with session.open(Options(seed=11, sockets=sockets)) as account:
            stories.append(told(account))
    assert stories[0] == stories[1]
    assert len(stories[0]) > 100


def test_what_is_dialled_goes_back_with_the_world(account: Account) -> None:
    line(account, Recorded())
    account.snapshot("before")
    account.text("hello")
    told = account.journal.entries()
    account.number()
    account.restore("before")
    account.text("hello")
    assert account.journal.entries() == told
    account.number()
    with account.fork("before") as other:
        other.text("hello")
        assert other.journal.entries() == told
