"""The dispatcher over a real world and a runner that only notes what it was asked to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import httpx

from simulator import api
from simulator.domain.calls import Call, DisconnectionReason
from simulator.domain.messages import Message
from simulator.domain.numbers import PhoneNumber
from simulator.domain.policy import Policies
from simulator.domain.webhooks import Attempt, Delivery, DeliveryStatus, Notice, Outcome, OutcomeKind, WebhookEndpoint
from simulator.serving.dispatch import Dispatcher
from simulator.serving.operation import Operation
from simulator.serving.table import Table
from simulator.settings import DEFAULT_API_KEY, Settings
from simulator.world import accounts, calls, webhooks
from simulator.world.journal import Journal
from simulator.world.world import World

if TYPE_CHECKING:
    from simulator.runtime.runner import Runner

START = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
HOOK = "http://127.0.0.1:9000/webhook"
PERSON = "+14155550150"


class FakeRunner:
    """Has a world and a clock that stands still; calls never progress unless a test waits for them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.policies = settings.policies
        self.instant = START
        self.world = World(
            account_id="acct_1", seed=settings.seed, policies=settings.policies, journal=Journal(settings.journal_limit)
        )
        self.world.limits = settings.limits
        self.children: dict[str, FakeRunner] = {}
        self.started: list[Call] = []
        self.expiring: list[PhoneNumber] = []
        self.handed_over: list[Message] = []
        self.locating = 0
        self.platform = None
        self.api_key = DEFAULT_API_KEY
        self.closed = False
        self.sub_account_id: str | None = None
        self.reviewed: list[object] = []  # registrations and templates whose review was begun
        self.notices: list[Notice] = []
        self.tested: list[tuple[Notice, WebhookEndpoint]] = []
        self.waits: list[tuple[str, float]] = []
        self.outcome = Outcome(kind=OutcomeKind.ACCEPTED, http_status=200, duration=timedelta(milliseconds=12))

    def now(self) -> datetime:
        return self.instant

    def restless(self, *, test: bool) -> bool:
        return False

    def scoped(self, sub_account_id: str) -> FakeRunner:
        accounts.get(self.world, sub_account_id)
        if sub_account_id not in self.children:
            child = self.children[sub_account_id] = FakeRunner(self.settings)
            child.sub_account_id = sub_account_id
        return self.children[sub_account_id]

    def close_sub_account(self, sub_account_id: str) -> None:
        self.children.pop(sub_account_id, None)

    @property
    def telephone(self) -> FakeRunner:
        return self

    def start_call(self, call: Call, **_: Any) -> None:
        self.started.append(call)

    @property
    def chores(self) -> FakeRunner:
        return self

    def await_registration(self, registration: Any) -> None:
        self.reviewed.append(registration)

    def await_template(self, template: Any) -> None:
        self.reviewed.append(template)

    def await_expiry(self, number: PhoneNumber) -> None:
        self.expiring.append(number)

    def locate(self) -> None:
        self.locating += 1

    def await_delivery(self, message: Message) -> None:
        self.handed_over.append(message)

    def notify(self, notices: Iterable[Notice]) -> None:
        self.notices.extend(notices)

    def find_call(self, call_id: str) -> Call | None:
        return self.world.calls.get(call_id)

    async def wait_for_call(self, call_id: str, real_timeout: float, gone: Any = None) -> Call:
        self.waits.append((call_id, real_timeout))
        if self.world.calls[call_id].live:
            calls.connect(self.world, call_id, self.instant)
            calls.finish(self.world, call_id, DisconnectionReason.USER_HANGUP, self.instant + timedelta(seconds=42))
        return self.world.calls[call_id]

    async def send_test(self, notice: Notice, endpoint: WebhookEndpoint) -> Delivery:
        self.tested.append((notice, endpoint))
        delivery = webhooks.add_delivery(self.world, notice, endpoint, b"{}", retryable=False, now=self.instant)
        accepted = self.outcome.kind is OutcomeKind.ACCEPTED
        status = DeliveryStatus.SUCCESS if accepted else DeliveryStatus.FAILED
        attempt = Attempt(number=1, at=self.instant, outcome=self.outcome)
        return webhooks.record_attempt(self.world, delivery.id, attempt, status, None)


class Api:
    """A client of a dispatcher. Asks with the default key unless told otherwise."""

    def __init__(self, operations: Iterable[Operation] | None = None, **settings: Any) -> None:
        self.settings = Settings(**settings)
        self.runners = {key: FakeRunner(self.settings) for key in self.settings.api_keys}
        self.runner = self.runners[self.settings.api_keys[0]]
        self.world = self.runner.world
        find = cast("Callable[[str], Runner | None]", self.runners.get)
        table = Table(api.RESOURCES) if operations is None else Table.of(operations)
        self.dispatcher = Dispatcher(table, runner_for=find, settings=self.settings)
        self.headers = {"Authorization": f"Bearer {self.settings.api_keys[0]}"}

    async def send(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **options: Any
    ) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.dispatcher)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8787") as client:
            return await client.request(method, path, headers=self.headers if headers is None else headers, **options)

    async def ask(self, method: str, path: str, body: Any = None, *, expect: int = 200, **options: Any) -> Any:
        answer = await self.send(method, path, **({} if body is None else {"json": body}), **options)
        assert answer.status_code == expect, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def get(self, path: str, expect: int = 200, **params: Any) -> Any:
        return await self.ask("GET", path, expect=expect, params=params)

    async def post(self, path: str, body: Any = None, expect: int = 200) -> Any:
        return await self.ask("POST", path, body, expect=expect)

    async def patch(self, path: str, body: Any = None, expect: int = 200) -> Any:
        return await self.ask("PATCH", path, body, expect=expect)

    async def delete(self, path: str, expect: int = 200) -> Any:
        return await self.ask("DELETE", path, expect=expect)

    async def line(self, **fields: Any) -> tuple[str, str]:
        """An agent with a number: the ids of both."""
        agent = await self.post("/v1/agents", {"name": "Support", **fields})
        number = await self.post("/v1/numbers", {"agentId": agent["id"]})
        return agent["id"], number["id"]


def platform_operations() -> tuple[Operation, ...]:
    """Every operation under `/v1` and its relatives."""
    return Table(api.RESOURCES).operations()


def under(**policies: str) -> Policies:
    """The default contract with some switches set."""
    return Policies("all", policies)


def bearer(key: str = DEFAULT_API_KEY) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}
