"""The world that a scenario begins in, made through the API as a customer makes it, and what its names stand for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simulator.domain.phone import is_e164
from simulator.scenarios.model import AgentSetup, PersonSetup, Scenario, WebhookSetup
from simulator.scenarios.sim_steps import in_seconds, sim_script
from simulator.scenarios.stage import Customer
from simulator.scenarios.steps import Step


class Setting:
    """A scenario's world once it exists."""

    def __init__(
        self, scenario: Scenario, customer: Customer, handler: str, faults: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        """`faults` are those of the whole run; they are looked at before the scenario's own."""
        self._world = scenario.world
        self._faults = [*faults, *map(in_seconds, scenario.faults)]
        self._customer = customer
        self._handler = handler
        self.agents: dict[str, str] = {}  # agent ids by name
        self._numbers: dict[str, str] = {}  # E.164 by the name of an agent, a number or a person
        self._number_ids: dict[str, str] = {}  # by the name of a number
        self._owners: dict[str, str] = {}  # agent names by the name of a number
        self._people = {person.name or person.number: person for person in scenario.world.people}

    async def make(self) -> None:
        """Create all of it. Raises Refused when the platform does not take something."""
        await self._customer.ask("POST", "/v1/webhooks", self._webhook(self._world.webhook))
        for agent in self._world.agents:
            await self._make_agent(agent)
        for number in self._world.numbers:
            await self._make_number(number.name, number.agent, number.area_code, number.country)
        for agent in self._world.agents:
            if agent.name not in self._numbers:
                await self._make_number(None, agent.name)
        for person in self._world.people:
            self._numbers[person.name or person.number] = person.number
            await self.register(person.number, person)
        for contact in self._world.contacts:
            await self._customer.ask("POST", "/v1/contacts", contact.model_dump(by_alias=True, exclude_none=True))
        for fault in self._faults:
            await self._customer.ask("POST", "/_sim/faults", fault)

    def _webhook(self, webhook: WebhookSetup) -> dict[str, Any]:
        return {"url": self._handler, **webhook.model_dump(by_alias=True, exclude_none=True)}

    async def _make_agent(self, agent: AgentSetup) -> None:
        body = agent.model_dump(by_alias=True, exclude_unset=True, exclude={"webhook", "hosted"}, mode="json")
        made = await self._customer.ask("POST", "/v1/agents", {"name": agent.name, **body})
        self.agents[agent.name] = made["id"]
        if agent.hosted is not None:
            lines = {"lines": in_seconds(agent.hosted)}
            await self._customer.ask("PUT", f"/_sim/agents/{made['id']}/script", lines)
        if agent.webhook is not None:
            await self._customer.ask("POST", f"/v1/agents/{made['id']}/webhook", self._webhook(agent.webhook))

    async def _make_number(
        self, name: str | None, agent: str | None, area_code: str | None = None, country: str = "US"
    ) -> None:
        body: dict[str, Any] = {"country": country}
        if area_code is not None:
            body["areaCode"] = area_code
        if agent is not None:
            body["agentId"] = self.agents[agent]
        made = await self._customer.ask("POST", "/v1/numbers", body)
        if agent is not None:
            self._numbers.setdefault(agent, made["phoneNumber"])
        if name is not None:
            self._numbers[name], self._number_ids[name] = made["phoneNumber"], made["id"]
            if agent is not None:
                self._owners[name] = agent

    async def register(
        self, number: str, person: PersonSetup | None, script: list[Step] | None = None, answer: str | None = None
    ) -> None:
        """Say who answers at a number; `script` and `answer` go before the person's own."""
        body: dict[str, Any] = {"answer": answer or (person.answer if person else "answered")}
        if person is not None and person.ring is not None:
            body["ring_seconds"] = person.ring.total_seconds()
        if person is not None and person.greeting is not None and body["answer"] == "voicemail":
            body["greeting"] = person.greeting
        steps = script if script is not None else person.script if person else None
        if steps is not None:
            body["script"] = sim_script(steps)
        await self._customer.ask("PUT", f"/_sim/people/{number}", body)

    def person(self, name: str) -> PersonSetup | None:
        """Somebody by their name or number; None for a number that the file says nothing about."""
        known = self._people.get(name)
        return known or next((person for person in self._people.values() if person.number == name), None)

    def number(self, name: str | None) -> str:
        """The number that a name stands for; of the only agent, when there is no name."""
        if name is None:
            return self._numbers[self._world.agents[0].name]
        return name if is_e164(name) else self._numbers[name]

    def caller(self, name: str) -> dict[str, str]:
        """The agent (and the number, when it was named) that places a call."""
        if name in self.agents:
            return {"agentId": self.agents[name]}
        owner = self._owners.get(name, self._world.agents[0].name)
        return {"agentId": self.agents[owner], "fromNumberId": self._number_ids[name]}
