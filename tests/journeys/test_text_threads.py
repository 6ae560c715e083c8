"""People who text by a script, over days, with a real sample handler that answers through the API."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from agentphone import AgentPhone

from simulator.clock import ClockMode
from tests.helpers.api import under
from tests.helpers.live_server import Live, Outside, live_server
from tests.helpers.processes import run_handler

PERSON: Final = "+14155552671"
ORDER: Final = {"text": "Where is my order 4521?"}
DAY: Final = 86_400


@dataclass(frozen=True)
class Desk:
    """The account's side by the official SDK, the world outside by `/_sim`, and a number between them."""

    sdk: AgentPhone
    outside: Outside
    agent_id: str
    number: str

    def thread(self, *script: Any, **more: Any) -> Any:
        """Somebody texts by a script; the thread when it has ended."""
        return self.outside.send("POST", "/_sim/threads", self.by(*script, wait=True, **more))

    def by(self, *script: Any, **more: Any) -> dict[str, Any]:
        return {"from": PERSON, "to": self.number, "script": list(script), **more}

    def people(self, *script: Any) -> None:
        """Somebody answers the account's first text by a script."""
        self.outside.send("PUT", f"/_sim/people/{PERSON}", {"text_script": list(script)})

    def only_thread(self) -> Any:
        (begun,) = self.outside.send("GET", "/_sim/journal", kind="thread.started")["entries"]
        return self.outside.send("GET", f"/_sim/threads/{begun['thread_id']}")


@pytest.fixture(scope="module")
def server() -> Iterator[Live]:
    with live_server() as running:
        yield running


@contextmanager
def desk_at(server: Live, folder: Path) -> Iterator[Desk]:
    """An account whose texts the smallest sample handler answers, as a process of its own."""
    key, secret = server.new_key(), folder / "secret"
    env = {"AGENTPHONE_BASE_URL": server.url, "AGENTPHONE_API_KEY": key}
    with (
        run_handler("simple_starlette.py", secret, env=env) as handler,
        AgentPhone(key, server.url) as sdk,
        Outside(server.url, key) as outside,
    ):
        secret.write_text(str(sdk.webhooks.set(url=handler.url).secret))
        agent = sdk.agents.create(name="Support")
        number = sdk.numbers.buy(agent_id=agent.id)
        yield Desk(sdk, outside, agent.id, number.phone_number)


@pytest.fixture
def desk(server: Live, tmp_path: Path) -> Iterator[Desk]:
    with desk_at(server, tmp_path) as made:
        yield made


def bodies(thread: Any) -> list[tuple[str, str]]:
    return [(text["by"], text["body"]) for text in thread["texts"]]


def test_a_thread_of_days_takes_moments(desk: Desk) -> None:
    began = time.monotonic()
    thread = desk.thread(
        ORDER, {"expect_reply": {"within": 10, "text": {"contains": "shipped"}}},
        {"after": 2 * DAY}, {"text": "And 1180?"}, {"expect_reply": {"within": 10, "text": {"contains": "packed"}}},
    )  # fmt: skip
    assert (thread["status"], thread["failure"]) == ("done", None)
    assert [by for by, _ in bodies(thread)] == ["person", "agent"] * 2
    assert thread["ended_at"][:10] == "2026-01-07"
    assert [step["step"] for step in thread["steps"]] == [[0], [1], [2], [3], [4]]
    assert all(1 <= text["delay_seconds"] < 8 for text in thread["texts"] if text["by"] == "agent")
    assert time.monotonic() - began < 8  # the handler's own time, twice


def test_the_texts_are_those_of_the_account(desk: Desk) -> None:
    thread = desk.thread(ORDER, {"expect_reply": {"within": 10}})
    messages = desk.sdk.conversations.get(thread["conversation_id"]).messages
    assert [message.id for message in messages] == [text["message_id"] for text in thread["texts"]]
    assert [text["status"] for text in thread["texts"]] == ["received", "delivered"]


def test_a_reply_that_does_not_come_fails_the_thread(desk: Desk) -> None:
    thread = desk.thread(
        ORDER, {"expect_reply": {"within": 3 * DAY, "text": {"contains": "sorry"}}}, {"text": "never"}, patience=0.5
    )
    failure = thread["failure"]
    assert (thread["status"], failure["step"], thread["ended_at"][:10]) == ("failed", [1], "2026-01-08")
    assert failure["expected"] == "a reply within 259200 s that contains 'sorry'"
    assert "4521 shipped yesterday" in failure["heard"]
    assert "never" not in str(bodies(thread))


@pytest.mark.parametrize(("reply", "told"), [("shipped", "thanks"), ("lost", "hm")])
def test_a_thread_goes_on_as_the_reply_asks(desk: Desk, reply: str, told: str) -> None:
    ways = [{"hears": {"contains": reply}, "then": [{"text": "thanks"}]}, {"else": [{"text": "hm"}]}]
    thread = desk.thread(ORDER, {"expect_reply": {"within": 10}}, {"when": ways})
    assert bodies(thread)[-1] == ("person", told)


def test_a_campaign_is_answered_after_days(desk: Desk) -> None:
    desk.people(
        {"after": 2 * DAY}, {"text": "Where is 4521?"}, {"expect_reply": {"within": 10}},
        {"after": 5 * DAY}, {"text": "And 1180?"}, {"expect_reply": {"within": 10}},
    )  # fmt: skip
    desk.sdk.messages.send(agent_id=desk.agent_id, to_number=PERSON, body="Our sale begins. Reply STOP to opt out.")
    desk.outside.settle()
    thread = desk.only_thread()
    assert thread["status"] == "done"
    assert [by for by, _ in bodies(thread)] == ["agent", "person", "agent", "person", "agent"]
    assert [text["at"][:10] for text in thread["texts"]] == [*["2026-01-05"], *["2026-01-07"] * 2, *["2026-01-12"] * 2]


def test_a_script_is_used_for_the_first_text_only(desk: Desk) -> None:
    desk.people({"text": "Not me"})
    for _ in range(2):
        desk.sdk.messages.send(agent_id=desk.agent_id, to_number=PERSON, body="Hello?")
        desk.outside.settle()
    assert bodies(desk.only_thread()).count(("person", "Not me")) == 1


STOPPING: Final = (
    ORDER, {"expect_reply": {"within": 10}}, {"after": 3600}, {"text": "STOP"}, {"expect_no_reply": {"for": 3600}},
)  # fmt: skip


@pytest.mark.parametrize(("policy", "status"), [("on", "done"), ("off", "failed")])
def test_stop_means_stop_where_somebody_sees_to_it(policy: str, status: str, tmp_path: Path) -> None:
    with live_server(policies=under(carrier_opt_out=policy)) as server, desk_at(server, tmp_path) as desk:
        thread = desk.thread(*STOPPING)
        assert thread["status"] == status
        assert [by for by, _ in bodies(thread)].count("agent") == (1 if policy == "on" else 2)
        sent = desk.sdk.conversations.get(thread["conversation_id"]).messages
        assert len(sent) == 4  # the handler did answer STOP, and by policy the carrier kept it


def test_by_policy_help_is_answered_at_once_and_the_handler_still_told(tmp_path: Path) -> None:
    with live_server(policies=under(carrier_help="on")) as server, desk_at(server, tmp_path) as desk:
        thread = desk.thread(
            {"text": "help"}, {"expect_reply": {"within": 0, "text": {"contains": "STOP"}}},
            {"expect_reply": {"within": 10, "text": {"contains": "number"}}},
        )  # fmt: skip
        assert [by for by, _ in bodies(thread)] == ["person", "carrier", "agent"]
        assert (thread["texts"][1]["message_id"], thread["texts"][1]["delay_seconds"]) == (None, 0)
        assert len(desk.sdk.conversations.get(thread["conversation_id"]).messages) == 2


def test_waiting_moves_a_manual_clock(tmp_path: Path) -> None:
    with live_server(ClockMode.MANUAL) as server, desk_at(server, tmp_path) as desk:
        thread = desk.thread(ORDER, {"expect_reply": {"within": 10}}, {"after": DAY}, {"text": "Thanks"})
        assert (thread["status"], thread["ended_at"]) == ("done", "2026-01-06T15:00:01.000Z")
