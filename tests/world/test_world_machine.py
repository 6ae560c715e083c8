"""The world against a model made of plain lists: whatever is done in whatever order, they agree."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from simulator.domain.calls import DisconnectionReason
from simulator.domain.messages import Conversation, Message
from simulator.errors import ApiError
from simulator.world import agents, calls, carrier, numbers, reactions, threads
from tests.helpers.world import (
    after,
    dial_in,
    make_world,
    new_agent,
    new_endpoint,
    new_number,
    text_group,
    text_in,
    text_out,
)

PARTIES = st.sampled_from(["+14155550150", "+14155550151"])
MEMBERS = ["+14155550150", "+14155550151", "ada@example.com"]


@dataclass
class Model:
    """What should be true, without any index."""

    agents: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)  # numbers, in order of purchase
    released: list[str] = field(default_factory=list)
    attached: list[tuple[str, str]] = field(default_factory=list)  # (agent, number), in order of attachment
    apple: set[str] = field(default_factory=set)  # numbers that speak iMessage
    texts: list[tuple[str, str, str]] = field(default_factory=list)  # (number, other party or members, message)
    groups: dict[tuple[str, str], str] = field(default_factory=dict)  # (number, members) -> group id
    reactions: dict[str, dict[str, str]] = field(default_factory=dict)  # message -> party -> reaction
    statuses: dict[str, str] = field(default_factory=dict)  # message -> what became of it
    live: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)

    def owner(self, number: str) -> str | None:
        return next((agent for agent, n in self.attached if n == number), None)

    def let_go(self, number: str) -> None:
        self.attached = [pair for pair in self.attached if pair[1] != number]


class WorldMachine(RuleBasedStateMachine):
    agent_ids: Bundle[str] = Bundle("agent_ids")
    number_ids: Bundle[str] = Bundle("number_ids")
    call_ids: Bundle[str] = Bundle("call_ids")

    def __init__(self) -> None:
        super().__init__()
        self.world = make_world()
        new_endpoint(self.world)
        self.model = Model()
        self.seconds = 0

    def now(self) -> datetime:
        self.seconds += 1
        return after(seconds=self.seconds)

    @rule(target=agent_ids)
    def create_agent(self) -> str:
        agent = new_agent(self.world, now=self.now())
        self.model.agents.append(agent.id)
        return agent.id

    @rule(agent=consumes(agent_ids))
    def delete_agent(self, agent: str) -> None:
        _, left = agents.delete(self.world, agent, self.now())
        assert list(left) == [n for a, n in self.model.attached if a == agent]
        self.model.agents.remove(agent)
        self.model.attached = [pair for pair in self.model.attached if pair[0] != agent]

    @rule(target=number_ids, kind=st.sampled_from(["sms", "imessage"]))
    def buy_number(self, kind: str) -> str:
        number = new_number(self.world, type=kind, now=self.now())
        self.model.held.append(number.id)
        if kind == "imessage":
            self.model.apple.add(number.id)
        return number.id

    @rule(number=number_ids)
    def release_number(self, number: str) -> None:
        if self.refused(lambda: numbers.release(self.world, number, self.now()), number in self.model.released):
            return
        self.model.held.remove(number)
        self.model.released.append(number)
        self.model.let_go(number)

    @rule(agent=agent_ids, number=number_ids)
    def attach_number(self, agent: str, number: str) -> None:
        if self.refused(lambda: agents.attach(self.world, agent, number), number in self.model.released):
            return
        if self.model.owner(number) != agent:
            self.model.let_go(number)
            self.model.attached.append((agent, number))

    @rule(agent=agent_ids, number=number_ids)
    def detach_number(self, agent: str, number: str) -> None:
        if not self.refused(lambda: agents.detach(self.world, agent, number), self.model.owner(number) != agent):
            self.model.let_go(number)

    @rule(number=number_ids, party=PARTIES, inbound=st.booleans())
    def text(self, number: str, party: str, inbound: bool) -> None:
        record = self.world.numbers[number]
        exchange = text_in if inbound else text_out
        made: list[str] = []

        def command() -> None:
            made.append(exchange(self.world, record, "x", party, now=self.now())[0].id)

        if not self.refused(command, number in self.model.released):
            self._texted(number, party, made[0], inbound)

    @rule(number=number_ids, members=st.sets(st.sampled_from(MEMBERS), min_size=1), inbound=st.booleans())
    def text_a_group(self, number: str, members: set[str], inbound: bool) -> None:
        record = self.world.numbers[number]
        made: list[tuple[Message, Conversation]] = []

        def command() -> None:
            if inbound:
                sender, *others = sorted(members)
                made.append(text_in(self.world, record, "x", sender, members=others, now=self.now()))
            else:
                made.append(text_group(self.world, record, *members, body="x", now=self.now()))

        impossible = number in self.model.released or number not in self.model.apple or len(members) < 2
        if not self.refused(command, impossible):
            message, conversation = made[0]
            group = self.model.groups.setdefault((number, ",".join(sorted(members))), conversation.participant)
            assert group == conversation.participant
            self._texted(number, group, message.id, inbound)

    def _texted(self, number: str, party: str, message: str, inbound: bool) -> None:
        self.model.texts.append((number, party, message))
        self.model.statuses[message] = "received" if inbound else "sent"

    @rule(data=st.data(), kind=st.sampled_from(["love", "👍"]), ours=st.booleans())
    def react(self, data: st.DataObject, kind: str, ours: bool) -> None:
        if not self.model.texts:
            return
        number, party, message = data.draw(st.sampled_from(self.model.texts))
        members = next((m for (n, m), g in self.model.groups.items() if (n, g) == (number, party)), party)
        who = self.world.numbers[number].phone_number if ours else data.draw(st.sampled_from(members.split(",")))

        def command() -> None:
            if ours:
                reactions.send(self.world, message, kind, self.now())
            else:
                reactions.receive(self.world, message, kind, self.now(), from_number=who)

        impossible = number not in self.model.apple or (ours and number in self.model.released)
        if not self.refused(command, impossible):
            before = self.model.reactions.setdefault(message, {})
            before.pop(who, None)
            before[who] = kind

    @rule()
    def carriers_speak(self) -> None:
        now = self.now()
        for message, status in self.model.statuses.items():
            carrier.settle(self.world, message, now)
            self.model.statuses[message] = "delivered" if status == "sent" else status

    @rule(target=call_ids, number=number_ids, party=PARTIES)
    def ring(self, number: str, party: str) -> str:
        made: list[str] = []

        def command() -> None:
            made.append(dial_in(self.world, self.world.numbers[number], party, now=self.now()).id)

        if not self.refused(command, self.model.owner(number) is None):
            self.model.live.append(made[0])
        return made[0] if made else "call_refused"

    @rule(call=call_ids)
    def hang_up(self, call: str) -> None:
        def command() -> None:
            calls.finish(self.world, call, DisconnectionReason.USER_HANGUP, self.now())

        if not self.refused(command, call not in self.model.live):
            self.model.live.remove(call)
            self.model.ended.append(call)

    def refused(self, command: object, expected: bool) -> bool:
        assert callable(command)
        try:
            command()
        except ApiError:
            assert expected
            return True
        assert not expected
        return False

    @invariant()
    def agents_and_their_numbers_agree(self) -> None:
        assert [a.id for a in agents.listing(self.world)] == self.model.agents[::-1]
        for agent in self.model.agents:
            expected = [n for a, n in self.model.attached if a == agent]
            assert [n.id for n in agents.numbers_of(self.world, agent)] == expected
        assert set(self.world.agent_numbers) <= set(self.model.agents)

    @invariant()
    def numbers_agree(self) -> None:
        assert [n.id for n in numbers.listing(self.world)] == self.model.held[::-1]
        for number in self.world.numbers.values():
            assert number.agent_id == self.model.owner(number.id)
            found = numbers.find_active(self.world, number.phone_number)
            assert (found == number) == (number.id in self.model.held)

    @invariant()
    def calls_agree(self) -> None:
        assert list(self.world.live_calls) == self.model.live
        assert {c.id for c in calls.listing(self.world)} == {*self.model.live, *self.model.ended}

    @invariant()
    def what_people_did_to_texts_agrees(self) -> None:
        for message in self.world.messages.values():
            expected = self.model.reactions.get(message.id, {})
            assert [(r.from_number, r.kind) for r in message.reactions] == list(expected.items())
            assert message.status == self.model.statuses[message.id]

    @invariant()
    def groups_agree(self) -> None:
        found = {
            (c.number_id, ",".join(c.group.members)): c.group.id for c in self.world.conversations.values() if c.group
        }
        assert found == self.model.groups
        assert len(set(found.values())) == len(found)

    @invariant()
    def texts_agree(self) -> None:
        for number in self.world.numbers:
            expected = [m for n, _, m in self.model.texts if n == number]
            assert [m.id for m in threads.for_number(self.world, number)] == expected[::-1]
        recent = list(dict.fromkeys((n, p) for n, p, _ in reversed(self.model.texts)))
        found = threads.conversations(self.world)
        assert [(c.number_id, c.participant) for c in found] == recent
        for conversation in found:
            pair = (conversation.number_id, conversation.participant)
            expected = [m for n, p, m in self.model.texts if (n, p) == pair]
            assert [m.id for m in threads.messages_of(self.world, conversation.id, 99)] == expected
            assert conversation.message_count == len(expected)


WorldMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
test_the_world_agrees_with_a_model_of_plain_lists = WorldMachine.TestCase
