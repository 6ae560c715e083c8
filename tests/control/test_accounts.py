from __future__ import annotations

import gc
import weakref
from collections.abc import AsyncIterator
from typing import Any

import pytest

from simulator.clock import ClockMode
from simulator.runtime.runner import Runner
from simulator.settings import DEFAULT_API_KEY
from tests.helpers.api import bearer
from tests.helpers.platform import Platform, platform
from tests.helpers.receiver import Exchange, Receiver

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def opened(p: Platform, **body: Any) -> tuple[dict[str, Any], Platform]:
    """A new account, and a client of it."""
    account: dict[str, Any] = await p.post("/_sim/accounts", body)
    return account, at(p, account)


def at(p: Platform, account: dict[str, Any]) -> Platform:
    """A client of another account of the same simulator."""
    simulator = p.runner.platform
    assert simulator is not None
    runner = simulator.runner_for(account["api_key"])
    assert runner is not None
    client = type(p.client)(
        transport=p.client._transport, base_url=p.client.base_url, headers=bearer(account["api_key"]), timeout=60
    )
    return Platform(client, runner)


async def test_the_answer_says_everything_about_the_account() -> None:
    async with platform(ClockMode.MANUAL) as p:
        account, q = await opened(
            p,
            api_key="sk_test_1",
            seed=7,
            clock="auto",
            scale=2,
            handler_grace=1.5,
            contract="2026-03",
            policies={"voice_turn_retry": "once"},
            limits={"numbers": 3},
            webhook_secret="whsec_mine",
            start="2027-02-03T04:05:06+01:00",
        )
        assert account["api_key"] == "sk_test_1"
        assert account["account_id"] == q.runner.world.account_id
        assert (account["seed"], account["clock"], account["scale"]) == (7, "auto", 2.0)
        assert account["handler_grace"] == (await q.get("/_sim/clock"))["handler_grace"] == 1.5
        assert account["contract"] == "2026-03"
        assert account["policies"]["voice_turn_retry"] == "once"
        assert account["policies"]["agent_call_ended_event"] == "off"
        assert account["limits"]["numbers"] == 3
        assert account["webhook_secret"] == "whsec_mine"
        assert account["start"] == account["now"] == "2027-02-03T03:05:06.000Z"


async def test_what_is_left_out_is_as_the_server_was_started() -> None:
    async with platform(ClockMode.MANUAL, seed=5) as p:
        account = await p.post("/_sim/accounts")
        assert account["api_key"].startswith("sk_sim_")
        assert (account["clock"], account["contract"], account["start"]) == ("manual", "all", None)
        assert await at(p, account).get("/v1/agents") == await p.get("/v1/agents")


async def test_seeds_are_counted_when_none_is_given() -> None:
    async with platform() as p:
        first, _ = await opened(p)
        await p.post("/_sim/accounts", {"api_key": DEFAULT_API_KEY}, expect=409)
        await p.post("/_sim/accounts", {"contract": "none"}, expect=400)
        second, _ = await opened(p)
        assert (first["seed"], second["seed"]) == (1, 2)
        assert first["account_id"] != second["account_id"]


async def test_the_same_seed_gives_the_same_ids_whatever_the_key() -> None:
    async with platform(ClockMode.MANUAL) as p:
        made = []
        for body in ({"api_key": "one", "seed": 9}, {"api_key": "two", "seed": 9}, {"api_key": "three", "seed": 10}):
            account, q = await opened(p, **body)
            agent, number = await q.line("http://127.0.0.1:9/webhook")
            branch = await q.post("/v1/sub-accounts", {"name": "Branch"})
            inside = await q.ask("POST", "/v1/agents", json={"name": "x"}, headers={"X-Sub-Account-Id": branch["id"]})
            made.append((account["account_id"], agent, number, branch["id"], inside["id"], await q.journal("")))
        assert made[0] == made[1]
        assert not {*made[0][:5]} & {*made[2][:5]}


async def test_accounts_do_not_see_each_other() -> None:
    async with platform(ClockMode.MANUAL) as p:
        _, one = await opened(p, seed=1)
        _, two = await opened(p, seed=1)
        agent, _ = await one.line(None)
        assert (await two.get("/v1/agents"))["data"] == (await p.get("/v1/agents"))["data"] == []
        await two.get(f"/v1/agents/{agent}", expect=404)
        await one.post("/_sim/clock/advance", {"seconds": 60})
        assert two.runner.now() != one.runner.now()


async def test_each_account_follows_its_own_policies() -> None:
    async with platform(ClockMode.AUTO) as p:
        _, older = await opened(p, contract="2026-03", policies={"create_status": "201"})
        await older.ask("POST", "/v1/agents", 201, json={"name": "x"})
        await p.ask("POST", "/v1/agents", 200, json={"name": "x"})
        assert (await older.get("/_sim/health"))["contract"] == "2026-03"
        assert older.runner.sender.policies["create_status"] == "201"
        assert p.runner.sender.policies["create_status"] == "200"


async def test_each_account_has_its_own_secret_and_limits() -> None:
    async with platform(ClockMode.AUTO) as p:
        _, q = await opened(p, webhook_secret="whsec_mine", limits={"numbers": 0})
        assert (await q.post("/v1/webhooks", {"url": "http://127.0.0.1:9/hook"}))["secret"] == "whsec_mine"
        await q.post("/v1/numbers", expect=409)
        await p.post("/v1/numbers")
        await q.post("/_sim/reset")
        await q.post("/v1/numbers", expect=409)


@pytest.mark.parametrize(
    ("body", "status", "why"),
    [
        ({"api_key": ""}, 422, "at least 1"),
        ({"api_key": "with space"}, 422, "pattern"),
        ({"api_key": "clé"}, 422, "pattern"),
        ({"api_key": "k" * 201}, 422, "at most 200"),
        ({"api_key": DEFAULT_API_KEY}, 409, "has an account already"),
        ({"seed": 2**60}, 422, "less than or equal"),
        ({"clock": "sundial"}, 422, "pattern"),
        ({"scale": 0}, 422, "greater than 0"),
        ({"contract": "1999"}, 400, "contract '1999' does not exist"),
        ({"policies": {"nonsense": "on"}}, 400, "policy 'nonsense' does not exist"),
        ({"policies": {"voice_turn_retry": "thrice"}}, 400, "cannot be 'thrice'"),
        ({"limits": {"numbers": -1}}, 422, "greater than or equal"),
        ({"start": "yesterday"}, 400, "is no instant"),
        ({"start": "2027-02-03T04:05:06"}, 400, "time zone"),
        ({"start": "9500-02-03T04:05:06Z"}, 400, "from 1971 to 8000"),
        ({"start": "0001-01-01T00:00:00+23:00"}, 400, "from 1971"),
        ({"webhook_secret": ""}, 422, "at least 1"),
        ({"kex": "k"}, 422, "Extra inputs"),
    ],
)
async def test_a_refused_account_says_why(body: dict[str, Any], status: int, why: str) -> None:
    async with platform() as p:
        refusal = await p.post("/_sim/accounts", body, expect=status)
        assert why in str(refusal["detail"])
        assert list(p.runner.platform.accounts()) == [p.runner]  # type: ignore[union-attr]


async def test_no_more_accounts_are_open_than_allowed() -> None:
    async with platform(max_accounts=2) as p:
        account, _ = await opened(p)
        refusal = await p.post("/_sim/accounts", expect=409)
        assert "2 accounts are open" in refusal["detail"]
        assert "Settings.max_accounts" in refusal["detail"]
        await p.post("/_sim/fork", expect=409)
        code = await p.post("/v0/agent/sign-up", {"human_email": "ada@example.com"})
        otp = (await p.get("/_sim/verifications"))["verifications"][0]["code"]
        proof = {"verification_id": code["verification_id"], "otp_code": otp}
        assert "max_accounts" in (await p.post("/v0/agent/verify", proof, expect=409))["detail"]
        await p.ask("DELETE", f"/_sim/accounts/{account['api_key']}")
        await p.post("/v0/agent/verify", proof)


async def test_a_closed_account_is_unknown_and_its_key_is_free_again() -> None:
    async with platform() as p:
        account, q = await opened(p, api_key="sk_mine")
        await q.line(None)
        assert await p.ask("DELETE", "/_sim/accounts/sk_mine") == {"status": "closed"}
        await q.get("/v1/agents", expect=401)
        await p.ask("DELETE", "/_sim/accounts/sk_mine", 404)
        _, again = await opened(p, api_key="sk_mine", seed=account["seed"])
        assert (await again.get("/v1/agents"))["data"] == []


async def test_an_account_may_close_itself() -> None:
    async with platform() as p:
        _, q = await opened(p, api_key="sk_mine")
        await q.ask("DELETE", "/_sim/accounts/sk_mine")
        await q.get("/v1/agents", expect=401)


async def test_the_servers_own_account_cannot_be_closed() -> None:
    async with platform() as p:
        refusal = await p.ask("DELETE", f"/_sim/accounts/{DEFAULT_API_KEY}", 409)
        assert "POST /_sim/reset empties it" in refusal["detail"]
        await p.get("/v1/agents")


async def test_closing_ends_what_is_under_way_and_disturbs_nobody() -> None:
    async with Receiver(Exchange.hung_up) as hook, platform(ClockMode.SYSTEM) as p:
        _, q = await opened(p, api_key="sk_mine")
        _, number = await q.line(hook.url)
        await p.line(None)
        await q.post("/_sim/calls", {"from": "+14155550150", "to": number, "script": ["hello", {"wait": 60}]})
        await q.post("/_sim/messages", {"from": "+14155550150", "to": number, "body": "hi"})
        await hook.received(1)
        runner = q.runner
        assert runner.pacer.in_flight
        await p.ask("DELETE", "/_sim/accounts/sk_mine")
        assert (runner.pacer.in_flight, len(runner.pacer.timers)) == (0, 0)
        assert not runner.telephone.switchboard.live
        assert runner.closing
        assert len((await p.get("/v1/agents"))["data"]) == 1


async def test_a_request_whose_account_was_closed_while_it_arrived_is_refused() -> None:
    async with platform() as p:
        account, q = await opened(p)

        async def body() -> AsyncIterator[bytes]:
            yield b'{"name": '
            await p.ask("DELETE", f"/_sim/accounts/{account['api_key']}")
            yield b'"late"}'

        late = await q.client.post("/v1/agents", content=body())
        assert (late.status_code, q.runner.world.agents) == (401, {})
        assert account["api_key"] not in late.text


async def test_closing_frees_everything() -> None:
    async with platform(ClockMode.MANUAL) as p:
        account, q = await opened(p, api_key="sk_mine")
        _, number = await q.line(None)
        await q.post("/_sim/calls", {"from": "+14155550150", "to": number})
        await q.post("/_sim/snapshots", {"name": "base"})
        gone: weakref.ref[Runner] = weakref.ref(q.runner)
        world = weakref.ref(q.runner.world.journal)
        await p.ask("DELETE", f"/_sim/accounts/{account['api_key']}")
        del q
        gc.collect()
        assert gone() is None
        assert world() is None
