"""Limits, money and the numbers with a fixed behaviour, as somebody meets them who starts the command."""

from __future__ import annotations

from typing import Any

import pytest
from agentphone import AgentPhone, AgentPhoneError

from tests.helpers.processes import KEY, run_simulator

LIMITS = ("--limit", "numbers=2", "--limit", "balance_cents=1000", "--limit", "rate_limits=documented")


def refused(call: Any, *args: Any, **named: Any) -> AgentPhoneError:
    with pytest.raises(AgentPhoneError) as refusal:
        call(*args, **named)
    return refusal.value


def test_the_sdk_meets_every_limit_that_was_set_on_the_command_line() -> None:
    with run_simulator("--clock", "manual", *LIMITS) as (url, _), AgentPhone(KEY, url) as sdk:
        agent = sdk.agents.create(name="Support")
        number = sdk.numbers.buy(agent_id=agent.id)
        sdk.numbers.buy()
        assert refused(sdk.numbers.buy).status == 409
        assert sdk.usage.get().numbers.remaining == 0
        for _ in range(200):
            sdk.messages.send(number_id=number.id, to_number="+14155550150", body="hi")
        poor = refused(sdk.messages.send, number_id=number.id, to_number="+14155550150", body="hi")
        assert (poor.status, "Insufficient balance" in str(poor)) == (402, True)
        for _ in range(29):
            sdk.agents.create(name="Support")
        busy = refused(sdk.agents.create, name="Support")
        assert (busy.status, "Limit: 30 requests per 60s" in str(busy)) == (429, True)


def test_fictional_numbers_do_what_is_listed() -> None:
    with run_simulator("--clock", "auto") as (url, _), AgentPhone(KEY, url) as sdk:
        agent = sdk.agents.create(name="Support")
        number = sdk.numbers.buy(agent_id=agent.id)
        sdk.webhooks.set("http://127.0.0.1:9/hook")
        placed = [sdk.calls.make(agent.id, f"+121255501{digits}").id for digits in ("02", "03", "04")]
        for digits in ("21", "24", "50"):
            sdk.messages.send(number_id=number.id, to_number=f"+121255501{digits}", body="hi")
        unsure = refused(sdk.messages.send, number_id=number.id, to_number="+12125550125", body="hi")
        assert (unsure.status, "DELIVERY_UNCONFIRMED" in str(unsure)) == (409, True)
        found = sdk.numbers.lookup([f"+121255501{digits}" for digits in ("21", "31", "32", "34", "50")])
        assert [n.line_type for n in found] == ["landline", "mobile", "voip", None, "mobile"]
        assert [n.rcs_enabled for n in found] == [False, True, False, False, False]
        sdk._session.post(f"{url}/_sim/clock/run_until_idle", json={}, timeout=30).raise_for_status()
        assert [sdk.calls.get(call).status for call in placed] == ["busy", "no-answer", "failed"]
        texts = {m.to_number[-2:]: (m.status, m.failure_reason) for m in sdk.numbers.get_messages(number.id).data}
        assert texts["50"] == ("delivered", None)
        assert texts["21"] == ("failed", "the number is a landline and cannot receive texts")
        assert texts["24"][0] == "failed"


def test_a_delayed_text_arrives_when_it_is_time() -> None:
    with run_simulator("--clock", "manual") as (url, _), AgentPhone(KEY, url) as sdk:
        number = sdk.numbers.buy()
        sdk.messages.send(number_id=number.id, to_number="+12125550126", body="hi")
        statuses = []
        for seconds in (599, 1):
            sdk._session.post(f"{url}/_sim/clock/advance", json={"seconds": seconds}, timeout=30).raise_for_status()
            statuses.append(sdk.numbers.get_messages(number.id).data[0].status)
        assert statuses == ["sent", "delivered"]
