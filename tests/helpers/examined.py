"""Handlers that are a function, examined in process: what they were sent, and what became of a case."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.conformance.examine import Options, Target, examine
from simulator.conformance.results import CaseResult, Report
from simulator.conformance.verdicts import Profile
from simulator.testing.account import Account
from simulator.testing.opening import Session
from simulator.testing.options import Options as AccountOptions


@dataclass(frozen=True)
class Sent:
    """What has come to a handler; `account` is where its API is."""

    headers: Mapping[str, str]
    body: bytes
    account: Account

    @property
    def event(self) -> dict[str, Any]:
        """The event; empty for what is none."""
        try:
            event = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return event if isinstance(event, dict) else {}

    @property
    def name(self) -> str:
        """The event's name."""
        return str(self.event.get("event"))

    @property
    def data(self) -> dict[str, Any]:
        """The event's data; empty when it has none."""
        data = self.event.get("data")
        return data if isinstance(data, dict) else {}

    @property
    def is_turn(self) -> bool:
        """Whether a caller waits."""
        return self.name == "agent.message" and self.event.get("channel") == "voice"


Answer = Callable[[Sent], Response | Awaitable[Response]]


def good(sent: Sent) -> Response:
    """What keeps the contract, as far as one can without the API."""
    return JSONResponse({"text": "It was shipped."}) if sent.is_turn else Response()


def answering(status: int, wrong: Callable[[Sent], bool]) -> Answer:
    """A good handler that answers some requests with this status."""
    return lambda sent: Response(status_code=status) if wrong(sent) else good(sent)


@dataclass
class Examined:
    """Plays cases against handlers, each in an account of its own."""

    session: Session
    sent: list[Sent] = field(default_factory=list)  # of the last examination, in order

    def report(self, answer: Answer, *numbers: str, profile: Profile = Profile.ALL) -> Report:
        """Play these cases."""
        self.sent = []
        with self.session.open(AccountOptions()) as account:

            async def webhook(request: Request) -> Response:
                sent = Sent(request.headers, await request.body(), account)
                self.sent.append(sent)
                found = answer(sent)
                return found if isinstance(found, Response) else await found

            app = Starlette(routes=[Route("/webhook", webhook, methods=["POST"])])
            return self.app(app, account, *numbers, profile=profile)

    def app(self, app: Any, account: Account, *numbers: str, profile: Profile = Profile.ALL) -> Report:
        """Play these cases against an application."""
        place = account._place
        target = Target(url=place.mount(app) + "/webhook", secret=account.secret)
        options = Options(numbers=numbers, profile=profile)
        return place.conduct(lambda simulator: examine(simulator, account.api_key, target, options))

    def result(self, answer: Answer, number: str, profile: Profile = Profile.ALL) -> CaseResult:
        """Play one case."""
        return self.report(answer, number, profile=profile).result(number)

    def sent_in(self, number: str, profile: Profile = Profile.ALL) -> list[Sent]:
        """What a case sends to a good handler; what an examination asks once for all cases aside."""
        exchanges = self.result(good, number, profile).exchanges
        sent = self.sent[len(self.sent) - len(exchanges) :]
        return [one for one, at in zip(sent, exchanges, strict=True) if not at.request.note.startswith("a caller: ")]
