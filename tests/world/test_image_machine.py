"""Images against the plainest model there is: the list of commands that a world was given, played again.

Whatever is kept, put back or forked in whatever order, a world is what its own commands make of an empty one: records,
indexes, counts, ids to come, and the journal.
"""

from __future__ import annotations

import itertools
import json
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from simulator.state.layout import world_of, written
from simulator.world.images import copy_of
from simulator.world.world import World
from tests.helpers.commands import COMMANDS, Command, play
from tests.helpers.world import make_world, snapshot

NAMES = st.sampled_from(["a", "b"])


def everything(world: World) -> dict[str, Any]:
    """All that can be told of a world."""
    return {**snapshot(world), "policies": dict(world.policies.items()), "entries": world.journal.since()}


def played(commands: list[Command]) -> World:
    world = make_world()
    play(world, commands)
    return world


class Branch:
    """A world and its history."""

    def __init__(self, world: World, commands: list[Command]) -> None:
        self.world = world
        self.commands = commands

    def copy(self) -> Branch:
        return Branch(copy_of(self.world), list(self.commands))


class ImageMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.branches = [Branch(make_world(), [])]
        self.images: dict[str, Branch] = {}

    @rule(which=st.integers(0, 2), commands=st.lists(COMMANDS, min_size=1, max_size=6))
    def go_on(self, which: int, commands: list[Command]) -> None:
        branch = self.branches[which % len(self.branches)]
        play(branch.world, commands, since=len(branch.commands))
        branch.commands += commands

    @rule(which=st.integers(0, 2), name=NAMES)
    def keep(self, which: int, name: str) -> None:
        self.images[name] = self.branches[which % len(self.branches)].copy()

    @rule(which=st.integers(0, 2), name=NAMES)
    def put_back(self, which: int, name: str) -> None:
        if name in self.images:
            self.branches[which % len(self.branches)] = self.images[name].copy()

    @rule(which=st.integers(0, 2))
    def fork(self, which: int) -> None:
        if len(self.branches) < 3:
            self.branches.append(self.branches[which % len(self.branches)].copy())

    @invariant()
    def every_world_is_what_its_commands_make_of_an_empty_one(self) -> None:
        for branch in (*self.branches, *self.images.values()):
            assert everything(branch.world) == everything(played(branch.commands))


ImageMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=12, deadline=None)
test_images_agree_with_histories = ImageMachine.TestCase


def test_calls_of_an_agent_that_is_gone_count_for_nobody() -> None:
    # Found by the machine below: they were counted for the agent while it was there.
    commands = [("agent", 0, 0), ("number", 0, 0), ("attach", 0, 0), ("ring", 0, 0), ("forget agent", 0, 0)]
    world = played(commands)
    assert kept(world_of(json.loads(json.dumps(written(world))), 10_000)) == kept(world)


class FileMachine(RuleBasedStateMachine):
    """The same for what is written down: a world that was read again goes on as the one that was written."""

    def __init__(self) -> None:
        super().__init__()
        self.world = make_world()
        self.read = make_world()
        self.count = 0

    @rule(commands=st.lists(COMMANDS, min_size=1, max_size=8))
    def go_on(self, commands: list[Command]) -> None:
        for world in (self.world, self.read):
            play(world, commands, since=self.count)
        self.count += len(commands)

    @rule()
    def write_and_read(self) -> None:
        self.read = world_of(json.loads(json.dumps(written(self.read))), 10_000)

    @invariant()
    def both_are_the_same(self) -> None:
        assert kept(self.read) == kept(self.world)


def kept(world: World) -> dict[str, Any]:
    """All that a file keeps, in a form in which nothing that means the same differs."""
    state = {**snapshot(world), "policies": dict(world.policies.items())}
    state["agent_numbers"] = {agent: numbers for agent, numbers in world.agent_numbers.items() if numbers}
    state["begun"] = {
        key: steps
        for key, steps in world.begun.items()
        if key[1] in world.people and world.people[key[1]].text_steps is steps
    }
    tally = world.tally
    counts = (dict(tally.numbers), tally.deliveries.sums, {status: n for status, n in tally.outcomes.items() if n})
    state["tally"] = (amounts(world), *counts)
    for name in ("number_ids", "contact_ids", "threads", "groups", "group_threads", "texters", "web_calls"):
        state[name] = dict(getattr(world, name))  # in no order
    state["findings"] = dict(world.findings)
    return state


def amounts(world: World) -> dict[tuple[object, str], list[tuple[object, int]]]:
    """What was counted when; agents that are gone are one, as in the account's usage."""
    found: dict[tuple[object, str], list[tuple[object, int]]] = {}
    activities = [("whole", world.tally.whole)]
    activities += [(agent if agent in world.agents else "gone", each) for agent, each in world.tally.agents.items()]
    for agent, activity in activities:
        for name in activity.__slots__:
            series = getattr(activity, name)
            each = [now - before for before, now in itertools.pairwise((0, *series.sums))]
            found.setdefault((agent, name), []).extend(zip(series.times, each, strict=True))
    return {key: sorted(counted) for key, counted in found.items() if counted}  # type: ignore[type-var]


FileMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=12, deadline=None)
test_what_is_read_goes_on_as_what_was_written = FileMachine.TestCase
