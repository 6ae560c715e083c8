"""What an account should look like after a list of commands, kept in plain dicts.

Knows the documented rules and nothing of how the simulator is built. A command that may be refused answers with the
statuses it may be refused with, empty when it must succeed; the caller then tells the model what was made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from contract_tests.facts import SHAPES

AGENT_DEFAULTS: Final = {
    f.name: f.spec["default"] for f in SHAPES["CreateAgentRequest"].fields.values() if "default" in f.spec
}
NULL_WHEN_EMPTY: Final = ("transferNumber", "voicemailMessage")
NOT_GIVEN: Final = (
    "description",
    "systemPrompt",
    "beginMessage",
    "transferNumber",
    "voicemailMessage",
    "callScreeningIdentity",
    "callScreeningPurpose",
)

OK: Final[frozenset[int]] = frozenset()
ACCOUNT: Final = "account"  # whose webhook it is, when it is no agent's


@dataclass
class Agent:
    id: str
    shown: dict[str, Any]
    numbers: list[str] = field(default_factory=list)
    hook: Mapping[str, Any] | None = None


@dataclass
class Number:
    id: str
    phone: str
    agent: str | None
    imessage: bool = False
    released: bool = False
    texts: list[str] = field(default_factory=list)


@dataclass
class Call:
    id: str
    agent: str | None
    number: str
    direction: str
    hosted: bool = False
    status: str = "in-progress"


@dataclass
class Thread:
    id: str
    number: str
    participant: str
    agent: str | None
    bodies: list[tuple[str, str]] = field(default_factory=list)  # (direction, body), oldest first


class Model:
    """One account."""

    def __init__(self) -> None:
        self.agents: dict[str, Agent] = {}
        self.numbers: dict[str, Number] = {}
        self.calls: dict[str, Call] = {}
        self.threads: dict[tuple[str, str | frozenset[str]], Thread] = {}  # by our number, and the others
        self.activity: list[str] = []  # thread ids, least recent first
        self.hook: Mapping[str, Any] | None = None
        self.owed: Counter[tuple[str, str]] = Counter()  # deliveries, by whose webhook and event type
        self.secrets: set[str] = set()  # every endpoint secret there ever was
        self.dead: list[str] = []  # ids of deleted agents
        self.contacts: dict[str, dict[str, Any]] = {}
        self.sub_accounts: dict[str, str] = {}  # names by id

    # -- questions -----------------------------------------------------------------------------------------------

    def active(self) -> list[Number]:
        return [n for n in self.numbers.values() if not n.released]

    def live(self) -> list[Call]:
        return [c for c in self.calls.values() if c.status == "in-progress"]

    def calls_where(self, **wanted: object) -> list[str]:
        """Ids of the calls whose fields have these values, newest first."""
        found = [c.id for c in self.calls.values() if wanted.items() <= vars(c).items()]
        return found[::-1]

    def conversations_of(self, agent_id: str) -> list[str]:
        """Ids of the agent's conversations, most recent activity first."""
        theirs = {t.id for t in self.threads.values() if t.agent == agent_id}
        return [thread_id for thread_id in reversed(self.activity) if thread_id in theirs]

    def own_webhook(self, agent_id: str | None) -> Mapping[str, Any] | None:
        """The webhook set for the agent itself, or for the account (None)."""
        return self.agents[agent_id].hook if agent_id else self.hook

    def endpoint(self, agent_id: str | None) -> Mapping[str, Any] | None:
        """The webhook that events about an agent go to, or None."""
        agent = self.agents.get(agent_id) if agent_id else None
        return agent.hook if agent and agent.hook else self.hook

    def events(self) -> Counter[str]:
        """Deliveries by event type."""
        counts: Counter[str] = Counter()
        for (_, event), count in self.owed.items():
            counts[event] += count
        return counts

    def owe(self, agent_id: str | None, *events: str) -> None:
        """Exactly one webhook gets an event about an agent: its own, else the account's, if there is one."""
        agent = self.agents.get(agent_id) if agent_id else None
        if agent and agent.hook:
            self.owed.update((agent.id, event) for event in events)
        elif self.hook:
            self.owed.update((ACCOUNT, event) for event in events)

    def newest_first(self) -> Iterator[tuple[str, list[str]]]:
        """What the four plain lists should show."""
        yield "/v1/agents", list(reversed(self.agents))
        yield "/v1/numbers", [n.id for n in reversed(self.active())]
        yield "/v1/calls", list(reversed(self.calls))
        yield "/v1/conversations", list(reversed(self.activity))
        yield "/v1/contacts", list(reversed(self.contacts))
        yield "/v1/sub-accounts", list(reversed(self.sub_accounts))

    # -- agents --------------------------------------------------------------------------------------------------

    def make_agent(self, agent_id: str, body: Mapping[str, Any]) -> None:
        shown = dict.fromkeys(NOT_GIVEN) | AGENT_DEFAULTS | dict(body)
        self.agents[agent_id] = Agent(agent_id, _emptied(shown))

    def patch_agent(self, agent_id: str, changes: Mapping[str, Any]) -> frozenset[int]:
        if agent_id not in self.agents:
            return frozenset({404})
        shown = self.agents[agent_id].shown
        if shown["voiceMode"] == "hosted" and changes.get("voiceMode") == "webhook":
            shown.update(systemPrompt=None, beginMessage=None)
        shown.update(_emptied(dict(changes)))
        return OK

    def delete_agent(self, agent_id: str) -> list[str] | None:
        """The ids of the numbers it leaves behind, or None when there is no such agent."""
        agent = self.agents.pop(agent_id, None)
        if agent is None:
            return None
        self.dead.append(agent_id)
        for record in [*self.numbers.values(), *self.calls.values(), *self.threads.values()]:
            if record.agent == agent_id:
                record.agent = None
        return agent.numbers

    # -- numbers -------------------------------------------------------------------------------------------------

    def buy(self, number_id: str, phone: str, agent_id: str | None, imessage: bool = False) -> None:
        self.numbers[number_id] = Number(number_id, phone, agent_id, imessage)
        if agent_id:
            self.agents[agent_id].numbers.append(number_id)

    def attach(self, agent_id: str, number_id: str) -> frozenset[int]:
        if agent_id not in self.agents:
            return frozenset({404})
        number = self.numbers[number_id]
        if number.released:
            return frozenset({400})
        if number.agent != agent_id:
            self._take_away(number)
            number.agent = agent_id
            self.agents[agent_id].numbers.append(number_id)
        return OK

    def detach(self, agent_id: str, number_id: str) -> frozenset[int]:
        if agent_id not in self.agents:
            return frozenset({404})
        number = self.numbers[number_id]
        if number.agent != agent_id:
            return frozenset({400, 404})
        self._take_away(number)
        return OK

    def release(self, number_id: str) -> frozenset[int]:
        number = self.numbers[number_id]
        if number.released:
            return frozenset({400})
        self._take_away(number)
        number.released = True
        return OK

    def _take_away(self, number: Number) -> None:
        if number.agent:
            self.agents[number.agent].numbers.remove(number.id)
        number.agent = None

    # -- webhooks ------------------------------------------------------------------------------------------------

    def must_exist(self, agent_id: str | None) -> frozenset[int]:
        """Why a command that may name an agent must be refused."""
        return frozenset({404}) if agent_id and agent_id not in self.agents else OK

    def set_webhook(self, agent_id: str | None, hook: Mapping[str, Any] | None) -> None:
        if hook is not None:
            self.secrets.add(hook["secret"])
        if agent_id:
            self.agents[agent_id].hook = hook
        else:
            self.hook = hook

    # -- calls ---------------------------------------------------------------------------------------------------

    def may_call(self, agent_id: str, number_id: str | None) -> frozenset[int]:
        """Why this outbound call must be refused; with two reasons, either status will do."""
        agent = self.agents.get(agent_id)
        if agent is None:
            return frozenset({404})
        why = set()
        if not agent.numbers or (number_id and number_id not in agent.numbers):
            why.add(400)
        if self.endpoint(agent_id) is None and agent.shown["voiceMode"] != "hosted":
            why.add(400)
        return frozenset(why)

    def may_be_called(self, number_id: str) -> frozenset[int]:
        """Why dialling this number must be refused."""
        number = self.numbers[number_id]
        if number.released:
            return frozenset({404})
        if number.agent is None:
            return frozenset({400})
        return OK

    def start_call(self, call_id: str, number_id: str, direction: str) -> None:
        agent_id = self.numbers[number_id].agent
        hosted = agent_id is not None and self.agents[agent_id].shown["voiceMode"] == "hosted"
        self.calls[call_id] = Call(call_id, agent_id, number_id, direction, hosted)

    def end_every_call(self) -> None:
        """Time has passed until nothing was left to happen: the silence ended every call.

        Nobody was there to answer for a webhook-mode agent whose webhook was gone by then: that call failed.
        """
        for call in self.live():
            call.status = "completed" if call.hosted or self.endpoint(call.agent) else "failed"
            started = ["call.started"] if call.direction == "inbound" else []
            self.owe(call.agent, *started, "call.ended", "agent.call_ended")

    # -- texts ---------------------------------------------------------------------------------------------------

    def text(
        self,
        number_id: str,
        others: str | frozenset[str],
        direction: str,
        body: str,
        ids: tuple[str, str],
        participant: str,
    ) -> None:
        """A text went one way or the other; `ids` are the message's and the conversation's.

        `others` is a person or the people of a group, `participant` what the conversation calls them.
        """
        number = self.numbers[number_id]
        message_id, thread_id = ids
        number.texts.append(message_id)
        thread = self.threads.setdefault((number_id, others), Thread(thread_id, number_id, participant, number.agent))
        assert thread.id == thread_id, "one conversation per pair of our number and the others"
        assert thread.participant == participant
        thread.agent = number.agent  # it follows the number to whoever has it now
        thread.bodies.append((direction, body))
        if thread_id in self.activity:
            self.activity.remove(thread_id)
        self.activity.append(thread_id)
        agent = self.agents.get(number.agent) if number.agent else None
        heard = ["agent.message"] if agent is None or agent.shown["enableMessaging"] else []
        self.owe(number.agent, *([*heard, "message.received"] if direction == "inbound" else ["message.sent"]))

    def may_send(self, number_id: str | None) -> frozenset[int]:
        """Why nothing can be sent from this number, or without one."""
        if number_id is None:
            return frozenset({400, 404})
        return frozenset({400, 404}) if self.numbers[number_id].released else OK

    def may_send_to_group(self, number_id: str) -> frozenset[int]:
        """Why this number cannot text several people at once: it is released, or not an iMessage line."""
        number = self.numbers[number_id]
        return frozenset({400}) if number.released or not number.imessage else OK

    def sender(self, agent_id: str) -> str | None:
        """The number that an agent texts from, or None when it has none."""
        agent = self.agents.get(agent_id)
        return agent.numbers[0] if agent and agent.numbers else None

    # -- contacts ------------------------------------------------------------------------------------------------

    def may_be_added(self, phone: str, besides: str | None = None) -> frozenset[int]:
        """Why nobody else can have this number: somebody has it already."""
        known = any(c["phoneNumber"] == phone for contact_id, c in self.contacts.items() if contact_id != besides)
        return frozenset({409}) if known else OK

    def may_change(self, contact_id: str, phone: str) -> frozenset[int]:
        """Why a contact cannot be given this number."""
        return self.may_be_added(phone, contact_id) if contact_id in self.contacts else frozenset({404})


def _emptied(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: None if name in NULL_WHEN_EMPTY and value == "" else value for name, value in fields.items()}
