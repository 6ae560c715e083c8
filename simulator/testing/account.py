"""`Account`: the value of the fixture. One fresh account of the platform, and everything a test does to and with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from simulator.errors import UsageError
from simulator.runtime.interfaces import Interface, interface_of
from simulator.testing.expecting import Expecting
from simulator.testing.failing import Errors
from simulator.testing.options import Options
from simulator.testing.parts import Clock, Faults, Journal, World
from simulator.testing.phone import Phone
from simulator.testing.places import Connected, Place
from simulator.testing.results import Agent, CallResult, Delivery, Entry, Number, Text, ThreadResult, Webhook

if TYPE_CHECKING:
    import agentphone
    import httpx

    from simulator.conformance.case import Case
    from simulator.testing.aio import Aio
    from simulator.testing.conformance import ConformanceReport

__tracebackhide__ = True  # a failed test should be shown at its own line

CALLER: Final = "+14155550150"  # of the range kept for fiction: it is nobody's, and answers as anybody would
_WORD: Final = re.compile(r"_([a-z0-9])")
LONGEST_CALL: Final = 3600  # real seconds that a call may take; a call in process takes none

Script = Sequence[str | Mapping[str, Any]]
Line = str | Number | Agent | None  # what is dialled: a number, an agent's number; None: the number bought last


class Account(Expecting):
    """One account of a simulator: an empty world of its own, gone when the test ends.

    Whatever is done here returns when the world is at rest again: with the clock on auto, everything that happens by
    itself has then happened. So a test never waits, and never races. The methods block; `aio` has the same ones for
    async tests. What the simulator refuses raises `Refused`, with the status and the reason.
    """

    def __init__(self, place: Place, options: Options) -> None:
        self.options = options
        self.clock = Clock(World(place))
        self.faults = Faults(World(place))
        self.journal = Journal(World(place))
        self.errors = Errors()  # exceptions of the application under test
        self._place = place
        self._world = World(place)
        self._closing = ExitStack()
        self._closing.callback(place.close)
        self._closing.callback(self.errors.close)
        self._phones = 0
        self._mode = ""  # of the clock, before the first phone was taken off the hook
        self._line: Number | None = None
        self._lines: dict[str, Number | None] = {}  # what it was when a snapshot was made

    @classmethod
    def connect(cls, base_url: str, api_key: str, **words: Any) -> Self:
        """Open a fresh account at a simulator that runs already; `api_key` is any key it knows.

        `words` are those of `Options`. Close it, or use it as a context manager. Raises UsageError when nobody answers.
        """
        options = Options.of(words)
        return cls(Connected.open(base_url, api_key, options), options)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Account at {self.base_url}, seed {self.seed}>"

    # -- ways in -----------------------------------------------------------------------------------------------

    @property
    def base_url(self) -> str:
        """Where any client, in any language, finds the platform."""
        return self._place.base_url

    @property
    def api_key(self) -> str:
        """The account's key."""
        return self._place.api_key

    @property
    def seed(self) -> int:
        """Where ids, numbers and secrets come from."""
        return self.options.seed

    @cached_property
    def aio(self) -> Aio:
        """The same methods for async tests: `call = await agentphone.aio.call([…])`."""
        from simulator.testing.aio import Aio

        return Aio(self)

    @property
    def secret(self) -> str:
        """What signs every webhook, known before one is registered: give it to the application's settings.

        The same for all tests, so that an application may read it when it is imported. Raises UsageError where it was
        switched off (`webhook_secret=None`): then each webhook has its own, in `Webhook.secret`.
        """
        if self.options.webhook_secret is None:
            raise UsageError("webhook_secret is None, so each webhook has a secret of its own: see Webhook.secret")
        return self.options.webhook_secret

    def client(self) -> agentphone.AgentPhone:
        """The official SDK's client of this account; closed when the test ends."""
        made = _sdk().AgentPhone(api_key=self.api_key, base_url=self.base_url)
        self._closing.callback(made.close)
        return made

    def async_client(self) -> agentphone.AsyncAgentPhone:
        """The official SDK's async client. Close it on the loop that uses it (`async with`), as its connections are."""
        return _sdk().AsyncAgentPhone(api_key=self.api_key, base_url=self.base_url)

    def http(self) -> httpx.Client:
        """An HTTP client with the base URL and the key; closed when the test ends."""
        import httpx

        headers = {"Authorization": f"Bearer {self.api_key}"}
        made = httpx.Client(base_url=self.base_url, headers=headers, timeout=LONGEST_CALL, trust_env=False)
        self._closing.callback(made.close)
        return made

    # -- what the account has ----------------------------------------------------------------------------------

    def agent(self, /, name: str = "Support", **fields: Any) -> Agent:
        """Create an agent; `fields` are the API's, in snake_case or camelCase (`begin_message`, `voiceMode`)."""
        record = self._world.do("POST", "/v1/agents", {"name": name, **_camel(fields)})
        return Agent(record["id"], record["name"], record)

    def number(self, /, agent: Agent | str | None = None, area_code: str | None = None, **fields: Any) -> Number:
        """Buy a number for an agent; without one, for an agent that is made for it."""
        agent_id = _id(agent) or self.agent().id
        asked = {"agentId": agent_id, "areaCode": area_code, **_camel(fields)}
        bought = self._world.do("POST", "/v1/numbers", {name: v for name, v in asked.items() if v is not None})
        self._line = Number(bought["id"], bought["phoneNumber"], agent_id)
        return self._line

    def person(
        self,
        /,
        number: str = CALLER,
        *,
        script: Script | None = None,
        answer: str = "answered",
        texts: Mapping[str, Any] | None = None,
        text_script: Script | None = None,
        **fields: Any,
    ) -> str:
        """Say who is at a number that the account calls and texts; returns the number.

        `answer`: answered, busy, no_answer, failed, voicemail, screened or screened_out. `script`: what they do on the
        telephone; without one they answer and listen. `texts`: what becomes of texts, `{"status": "failed"}`.
        `text_script`: what they text from the account's next text on. `fields`: ring_seconds, patience_seconds,
        greeting.
        """
        said = {"script": script, "texts": texts, "text_script": text_script}
        given = {name: value for name, value in said.items() if value is not None}
        self._world.do("PUT", f"/_sim/people/{number}", {"answer": answer, **given, **fields})
        return number

    def webhook(
        self,
        target: Any,
        agent: Agent | str | None = None,
        *,
        path: str = "/webhook",
        timeout: int | None = None,
        context_limit: int | None = None,
        interface: Interface = "auto",
    ) -> Webhook:
        """Send events to an application or a URL: those of one agent, or the whole account's.

        An ASGI or WSGI application is served for the test, and gets its events at `path`. `timeout` (whole seconds)
        is how long the platform waits for an answer, `context_limit` how many entries of history it sends along.
        """
        url = target if isinstance(target, str) else self._mounted(target, interface) + path
        asked = {"url": url, "timeout": timeout, "contextLimit": context_limit}
        owner = f"/v1/agents/{_id(agent)}/webhook" if agent is not None else "/v1/webhooks"
        made = self._world.do("POST", owner, {name: value for name, value in asked.items() if value is not None})
        return Webhook(made["url"], made["secret"], made["id"])

    # -- calls and texts ---------------------------------------------------------------------------------------

    def call(self, script: Script, *, to: Line = None, from_: str = CALLER) -> CallResult:
        """Let somebody call the account and play a script; returns the whole call when it is over.

        A step is a text to say, or `{"wait": seconds}`, `{"press": "1#"}`, `{"barge_in": {"say": …, "after": …}}`,
        `{"hear": {"contains": …}}` and the others of `POST /_sim/calls`. `to` is a number or an agent; left out, the
        number bought last, and a new one where there is none. Raises Refused for a script that nobody can play.
        """
        body = {"from": from_, "to": self._dialled(to), "script": list(script), "wait": True, "timeout": LONGEST_CALL}
        made = self._world.do("POST", "/_sim/calls", body)
        return self.call_result(made["call_id"])

    def dial(self, *, to: Line = None, from_: str = CALLER) -> Phone:
        """Call the account with a phone to speak into; returns when the greeting has been heard."""
        number = self._dialled(to)
        self._off_hook()
        try:
            made = self._place.ask("POST", "/_sim/calls", {"from": from_, "to": number})
        except BaseException:
            self._on_hook()
            raise
        return Phone(self._world, made["call_id"], self._on_hook)

    def call_result(self, call_id: str) -> CallResult:
        """A call as it went, in either direction. Raises Refused when there is none of this id."""
        self._world.settle()
        timeline = self._world.read(f"/_sim/calls/{call_id}/timeline")
        return CallResult.of(timeline, self._world.entries("call,speech,finding"))

    def text(self, /, body: str, *, to: Line = None, from_: str = CALLER, **fields: Any) -> Text:
        """Let somebody text the account; `fields`: media_urls, channel, group, reply_to_message_id."""
        said = {"from": from_, "to": self._dialled(to), "body": body, **fields}
        sent = self._world.do("POST", "/_sim/messages", said)
        return Text(sent["message_id"], sent["conversation_id"], sent)

    def thread(self, /, script: Script, *, to: Line = None, from_: str = CALLER, **fields: Any) -> ThreadResult:
        """Let somebody text the account by a script, over days if need be; returns when it has been played.

        A step is `{"text": …}`, `{"after": seconds}`, `{"expect_reply": {"within": seconds}}` and the others of
        `POST /_sim/threads`; a plain string is a text. `fields`: participants, patience.
        """
        steps = [{"text": step} if isinstance(step, str) else step for step in script]
        body = {"from": from_, "to": self._dialled(to), "script": steps, "wait": True, **fields}
        made = self._world.do("POST", "/_sim/threads", {"timeout": LONGEST_CALL, **body})
        return ThreadResult(made["thread_id"], made["status"], tuple(made["texts"]), made["failure"], made)

    def deliveries(self, event: str | None = None) -> list[Delivery]:
        """What was owed to webhooks, oldest first: of one event type, or all."""
        self._world.settle()
        found = Delivery.all_of(self._world.entries("delivery"))
        return [delivery for delivery in found if event in (None, delivery.event)]

    def recent(self) -> list[Entry]:
        """The journal as it is, without waiting for anything: for reports."""
        return self._world.entries()

    # -- conformance -------------------------------------------------------------------------------------------

    def conform(
        self,
        target: Any,
        profile: str = "all",
        *,
        cases: Sequence[Case | str] = (),
        compliance: bool = False,
        path: str = "/webhook",
        interface: Interface = "auto",
        secret: str | None = None,
        rotate: Callable[[str], object] | None = None,
    ) -> ConformanceReport:
        """Examine an application, or a handler that runs at a URL, case by case: `agentphone.conform(app).check()`.

        An ASGI or WSGI application gets events at `path`, signed with `secret` (that of the account, unless given), and
        may use the account's API: what it asks for is counted. `profile`: sms, voice or all. `cases`: numbers ("3.2"),
        groups ("3") or cases; without them, all of the profile. `rotate` gives the handler another secret while it
        runs, where there is a way. An agent and two numbers are left in the account. Raises UsageError.
        """
        from simulator.testing.conformance import conducted, target_of

        url = target if isinstance(target, str) else self._mounted(target, interface) + path
        about = target_of(target, url, secret or self.secret, rotate)
        return conducted(self._place, about, profile=profile, cases=cases, compliance=compliance)

    # -- worlds ------------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Empty the account: world, journal and time start over, with the same seed. What is mounted stays mounted."""
        self._place.ask("POST", "/_sim/reset")
        self._line = None
        self.errors.clear()

    def snapshot(self, name: str = "snapshot") -> str:
        """Keep the world as it is under a name; returns the name."""
        self._world.settle()
        self._place.ask("POST", "/_sim/snapshots", {"name": name})
        self._lines[name] = self._line
        return name

    def restore(self, name: str = "snapshot") -> None:
        """Go back to a snapshot. Raises Refused when there is none of this name."""
        self._world.do("POST", f"/_sim/snapshots/{name}/restore")
        self._line = self._lines.get(name)

    def fork(self, snapshot: str | None = None) -> Account:
        """Another account with a copy of this world, or of a snapshot; what happens in one does not in the other."""
        self._world.settle()
        made = self._place.ask("POST", "/_sim/fork", {} if snapshot is None else {"snapshot": snapshot})
        other = type(self)(self._place.beside(made["api_key"]), self.options)
        other._line = self._line if snapshot is None else self._lines.get(snapshot)
        other._lines = self._lines.copy()
        self._closing.callback(other.close)
        return other

    def diff(self, since: str = "snapshot", until: str | None = None) -> Any:
        """What changed since a snapshot, up to another one or now: the answer of `GET /_sim/diff`."""
        return self._world.see("/_sim/diff", **{"from": since, "to": until})

    def close(self) -> None:
        """Close the account and everything that was opened for it. Done by the fixture. Closing twice does nothing."""
        self._closing.close()

    # -- helpers -----------------------------------------------------------------------------------------------

    def _dialled(self, to: Line) -> str:
        match to:
            case str():
                return to
            case Number():
                return to.phone_number
            case Agent():
                held = self._world.read(f"/v1/agents/{to.id}")["numbers"]
                return str(held[0]["phoneNumber"]) if held else self.number(to).phone_number
            case _:
                return (self._line or self.number()).phone_number

    def _mounted(self, app: Any, interface: Interface) -> str:
        """Serve an application whose exceptions are noted; its base URL."""
        spoken = interface_of(app, interface)
        return self._place.mount(self.errors.watch(app, spoken), interface=spoken)

    def _off_hook(self) -> None:
        """A phone is taken up: from now on time moves as far as its conversation takes it."""
        if not self._phones:
            self._world.settle()
            self._mode = self.clock.mode
            self._place.ask("PUT", "/_sim/clock", {"mode": "manual"})
        self._phones += 1

    def _on_hook(self) -> None:
        """A phone was put down; after the last one, the clock goes on as before, and comes to rest."""
        self._phones -= 1
        if not self._phones:
            self._world.do("PUT", "/_sim/clock", {"mode": self._mode})


def _id(agent: Agent | str | None) -> str | None:
    return agent.id if isinstance(agent, Agent) else agent


def _camel(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The API's spelling of a body's fields; what is in camelCase already stays."""
    return {_WORD.sub(lambda found: found[1].upper(), name): value for name, value in fields.items()}


def _sdk() -> Any:
    try:
        import agentphone as sdk
    except ImportError:
        raise UsageError(
            "the official SDK is not installed: pip install agentphone (or use http(), which needs nothing)"
        ) from None
    return sdk
