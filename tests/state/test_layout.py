from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from simulator.domain.cards import ContactCard
from simulator.domain.devices import Device
from simulator.state.codec import Unreadable
from simulator.state.layout import APART, MADE_AGAIN, PAIRS, RECORDS, SCALARS, world_of, written
from simulator.world import agents, notices, webhooks
from simulator.world.world import World
from tests.helpers.commands import VERBS, play
from tests.helpers.world import CALLER, NOW, make_world, new_agent, new_number
from tests.world.test_image_machine import kept

ENDS = ("forget agent", "forget contact", "release", "detach", "limits", "pay")
# Everything that can be done, and leaves something behind, three times.
ALL = [(verb, number, number + 1) for number in range(3) for verb in VERBS if verb not in ENDS]


def full_world() -> World:
    world = make_world("2026-03", carrier_opt_out="on")
    first = [("number", 0, 0), ("agent", 0, 0), ("attach", 0, 0), ("endpoint", 0, 0)]
    play(world, [*first, *ALL, ("stop", 0, 0), ("limits", 0, 0), ("pay", 0, 0)])
    number = next(iter(world.numbers))
    world.cards[number] = ContactCard(display_name="Acme")
    world.devices[CALLER] = Device(number=CALLER, line_type=None, country="US", imessage=False, rcs=True)
    world.first_texts[number, NOW.date()] = 2
    return world


def text() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(written(full_world())))
    return found


def test_every_attribute_of_a_world_has_its_place() -> None:
    # A new attribute belongs into one of these tables: written down, or made again from what is.
    tables = (RECORDS, PAIRS, SCALARS, APART, MADE_AGAIN)
    assert sorted(name for table in tables for name in table) == sorted(vars(make_world()))


def test_there_is_one_of_everything_in_the_test() -> None:
    world = full_world()
    empty = {name for name in (*RECORDS, *PAIRS, "findings", "begun") if not getattr(world, name)}
    assert empty == set()


def test_what_is_written_is_read_as_it_was() -> None:
    world = full_world()
    read = world_of(text(), 100)
    assert kept(read) == kept(world)
    assert written(read) == written(world)
    assert (read.journal.last_seq, read.journal.limit, len(read.journal)) == (world.journal.last_seq, 100, 0)


def test_a_test_delivery_is_about_a_text_that_nobody_stored() -> None:
    world = full_world()
    endpoint = next(iter(world.endpoints.values()))
    notice = notices.for_test(world, endpoint, agent_id=None, now=NOW)
    made = webhooks.add_delivery(world, notice, endpoint, b"{}", retryable=False, now=NOW)
    read = world_of(json.loads(json.dumps(written(world))), 100)
    assert read.deliveries[made.id] == made


def test_an_agents_numbers_stay_in_the_order_in_which_they_were_attached() -> None:
    world = make_world()
    agent = new_agent(world)
    bought = [new_number(world).id for _ in range(5)]
    order = [bought[place] for place in (3, 0, 4, 1, 2)]
    for number in order:
        agents.attach(world, agent.id, number)
    read = world_of(json.loads(json.dumps(written(world))), 100)
    assert [number.id for number in agents.numbers_of(read, agent.id)] == order


def remove(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda t: t.pop(name) and None


def put(value: Any, *path: Any) -> Callable[[dict[str, Any]], None]:
    def change(t: Any) -> None:
        for step in path[:-1]:
            t = t[step]
        t[path[-1]] = value

    return change


def again(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda t: t[name].append(copy.deepcopy(t[name][0]))


WRONG: tuple[tuple[Callable[[dict[str, Any]], None], str], ...] = (
    (remove("agents"), "^agents is missing"),
    (put(1, "surprise"), "^'surprise' is nothing that this version knows"),
    (put(5, "seed"), "^seed: should be a whole number, written as a text"),
    (put("1.5", "seed"), "^seed: "),
    (put("9" * 5000, "seed"), "^seed: "),
    (put(-1, "journal_entries"), "^journal_entries: should be a whole number from 0"),
    (put(-1, "ids_made", "agent"), r"^ids_made\.agent: should be a whole number from 0"),
    (put("1999", "policies", "contract"), "^policies: contract '1999' does not exist"),
    (put({"x": "y"}, "policies", "overrides"), "^policies: policy 'x' does not exist"),
    (put([], "policies"), "^policies: should be an object"),
    (put("x", "agents", 0, "max_silence"), r"^agents\.\[0\]\.max_silence: should be a number"),
    (again("agents"), "^agents: 'agt_.*' is there twice"),
    (again("endpoints"), "^endpoints: .* is there twice"),
    (put("agt_x", "numbers", 0, "agent_id"), r"^numbers\.num_.*: agent_id 'agt_x' is not in agents"),
    (put("num_x", "messages", 0, "number_id"), r"^messages\.msg_.*: number_id 'num_x' is not in numbers"),
    (put("conv_x", "messages", 0, "conversation_id"), "is not in conversations"),
    (put([], "messages"), "is not in messages|has no messages"),
    (put("call_x", "findings", 0, "call_id"), "^findings: call 'call_x' does not exist"),
    (put([["num_x", "+14155550150"]], "opted_out"), "^opted_out: 'num_x' does not exist"),
    (put([["agt_x", []]], "hosted_lines"), "^hosted_lines: 'agt_x' does not exist"),
    (put([["num_x", {}]], "cards"), "^cards: 'num_x' does not exist"),
    (put([["num_x", [], "+19"]], "begun"), r"^begun: '\+19' has no script"),
    (put([[1]], "windows"), r"^windows\.\[0\]: should be an array of 2"),
    (put(-3, "limits", "numbers"), "^limits: limit numbers cannot be -3"),
    (put(["num_x"], "whatsapp_connections", 0, "number_ids"), "'num_x' is not in numbers"),
)


@pytest.mark.parametrize(("change", "why"), WRONG)
def test_what_disagrees_with_itself_is_refused(change: Callable[[dict[str, Any]], None], why: str) -> None:
    wrong = text()
    change(wrong)
    with pytest.raises(Unreadable, match=why):
        world_of(wrong, 100)


def test_two_records_of_one_telephone_number_are_refused() -> None:
    wrong = text()
    wrong["numbers"][1]["phone_number"] = wrong["numbers"][0]["phone_number"]
    with pytest.raises(Unreadable, match=r"^numbers: two of them have the same phone_number"):
        world_of(wrong, 100)


@pytest.mark.parametrize("value", [None, [], "x", 5, {}])
def test_what_is_no_world_is_refused(value: Any) -> None:
    with pytest.raises(Unreadable):
        world_of(value, 100)
