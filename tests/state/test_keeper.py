from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from simulator.app import build_app, build_simulator
from simulator.clock import ClockMode, Timers
from simulator.domain.limits import Limits
from simulator.domain.policy import Policies
from simulator.runtime.images import AccountImage, Identity, WorldImage
from simulator.runtime.simulator import Simulator
from simulator.settings import DEFAULT_API_KEY, Settings
from simulator.state.file import StateFile
from simulator.state.keeper import Keeper, Saved, saved_of, saved_text, started, woken
from simulator.world.world import World
from tests.helpers.world import NOW, after, make_world, new_agent

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def image(world: World | None = None, **more: Any) -> AccountImage:
    world = world or make_world()
    more = {"settings": Settings(clock=ClockMode.MANUAL), "now": NOW, "timers": Timers()} | more
    return AccountImage(identity=Identity(world.account_id, 7), whole=WorldImage(world), **more)


class Broken(StateFile):
    """A disk that is full for a while."""

    def __init__(self, path: Path, times: int) -> None:
        super().__init__(path)
        self.left = times
        self.tried = asyncio.Event()
        self.loop = asyncio.get_running_loop()

    def write(self, text: str) -> None:
        self.loop.call_soon_threadsafe(self.tried.set)
        if self.left:
            self.left -= 1
            raise OSError(28, "No space left on device")
        super().write(text)


async def kept_once(path: Path, simulator: Simulator, name: str) -> None:
    """Run a kept simulator for as long as it takes to make an agent."""
    with StateFile(path) as file:
        text = file.read()
        keeper = Keeper(file, None if text is None else saved_of(text, simulator.settings))
        app = build_app(simulator, keeper)
        async with app.router.lifespan_context(app):
            runner = simulator.runner_for(DEFAULT_API_KEY)
            assert runner is not None
            new_agent(runner.world, name, now=runner.now())
            keeper.touch()


async def test_what_a_simulator_held_the_next_one_holds(tmp_path: Path) -> None:
    simulators = [build_simulator(Settings(clock=ClockMode.MANUAL)) for _ in range(3)]
    for simulator, name in zip(simulators, "abc", strict=True):
        await kept_once(tmp_path / "a.json", simulator, name)
    last = simulators[-1].runner_for(DEFAULT_API_KEY)
    assert last is not None
    assert [agent.name for agent in last.world.agents.values()] == ["a", "b", "c"]
    saved = saved_of((tmp_path / "a.json").read_bytes(), Settings())
    assert len(saved.accounts[DEFAULT_API_KEY].whole.world.agents) == 3


async def test_a_disk_that_is_full_is_tried_again_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    simulator = build_simulator(Settings(clock=ClockMode.MANUAL))
    with Broken(tmp_path / "a.json", times=1) as file:
        keeper = Keeper(file)
        keeper.begin(simulator)
        await file.tried.wait()
        keeper.finish(await keeper.end(simulator))
        assert keeper.failure is None
        assert file.read() is not None
    assert "could not be saved" in caplog.text


async def test_a_last_write_that_fails_is_kept_for_whoever_stops_the_server(tmp_path: Path) -> None:
    simulator = build_simulator(Settings(clock=ClockMode.MANUAL))
    with Broken(tmp_path / "a.json", times=9) as file:
        keeper = Keeper(file)
        keeper.begin(simulator)
        keeper.finish(await keeper.end(simulator))
        assert keeper.failure is not None
        assert "No space left on device" in keeper.failure


def test_seeds_go_on() -> None:
    simulator = Simulator()
    assert [simulator.next_seed(), simulator.next_seed()] == [1, 2]
    saved = saved_of(saved_text(Saved({}, simulator.upcoming_seed)).encode(), Settings())
    other = Simulator()
    other.go_on(saved.next_seed)
    assert other.next_seed() == 3


def test_an_account_of_the_server_is_run_as_the_command_line_says_now() -> None:
    world = make_world()
    world.limits, world.webhook_secret = Limits(numbers=3, concurrent_calls=2), "whsec_old"
    before = image(world, settings=Settings(seed=4, limits=Limits(numbers=3), webhook_secret="whsec_old"))
    now = Settings(seed=9, scale=2, policies=Policies("2026-03"), limits=Limits(numbers=5))
    after = started(before, now)
    assert (after.settings.seed, after.settings.scale, after.settings.policies) == (9, 2, now.policies)
    assert after.whole.world.policies is now.policies
    assert after.whole.world.limits == Limits(numbers=5, concurrent_calls=2)
    assert after.whole.world.webhook_secret == after.settings.webhook_secret == "whsec_old"
    assert world.limits == Limits(numbers=3, concurrent_calls=2)
    assert after.identity == before.identity


def test_on_a_system_clock_what_was_due_meanwhile_is_due_now() -> None:
    timers: Timers[Any] = Timers()
    future = datetime.now(UTC) + timedelta(days=1)
    for name, due in (("b", after(hours=2)), ("a", after(hours=1)), ("c", future)):
        timers.start(("acct_test", "expiry", name), due)
    slept = image(settings=Settings(clock=ClockMode.SYSTEM), timers=timers)
    found = woken(slept)
    assert found.now > NOW + timedelta(days=100)
    assert [(key[2], due) for due, key in found.timers] == [("a", found.now), ("b", found.now), ("c", future)]


def test_every_other_clock_is_where_it_was() -> None:
    for settings in (Settings(clock=ClockMode.MANUAL), Settings(clock=ClockMode.AUTO), Settings(start=NOW)):
        asleep = image(settings=settings)
        assert woken(asleep) is asleep


def test_a_system_clock_that_was_ahead_stays_ahead() -> None:
    ahead = datetime.now(UTC) + timedelta(days=400)
    assert woken(image(settings=Settings(clock=ClockMode.SYSTEM), now=ahead)).now == ahead
