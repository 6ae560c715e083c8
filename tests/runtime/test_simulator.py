from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from simulator.clock import ClockMode
from simulator.errors import Conflict
from simulator.runtime.simulator import Simulator
from simulator.settings import DEFAULT_API_KEY, DEFAULT_START, Settings
from simulator.world import accounts
from simulator.world.journal import Entry

pytestmark = pytest.mark.anyio


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    made = Simulator(Settings(clock=ClockMode.MANUAL))
    yield made
    await made.stop()


async def test_an_account_opened_later_begins_at_the_instant_given(simulator: Simulator) -> None:
    later = DEFAULT_START.replace(year=2027)
    opened = simulator.open_account("sk_live_new", later)
    assert simulator.runner_for("sk_live_new") is opened
    assert opened.now() == later
    first = simulator.runner_for(DEFAULT_API_KEY)
    assert first is not None
    assert first.now() == DEFAULT_START


@pytest.mark.parametrize("used", [True, False])
async def test_a_key_has_one_account(simulator: Simulator, used: bool) -> None:
    if used:
        simulator.runner_for(DEFAULT_API_KEY)
    with pytest.raises(Conflict, match="account already"):
        simulator.open_account(DEFAULT_API_KEY, DEFAULT_START)
    simulator.open_account("sk_live_new", DEFAULT_START)
    with pytest.raises(Conflict, match="account already"):
        simulator.open_account("sk_live_new", DEFAULT_START)


async def test_every_account_in_use_is_followed_by_its_sub_accounts(simulator: Simulator) -> None:
    first, second = simulator.runner_for(DEFAULT_API_KEY), simulator.open_account("sk_live_new", DEFAULT_START)
    assert first is not None
    branch = first.scoped(accounts.create(first.world, "Branch", first.now()).id)
    assert list(simulator.runners()) == [first, branch, second]


async def passes() -> None:
    """Let everything happen that can happen at once."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_long_poll_looks_at_no_entry_twice(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = simulator.runner_for(DEFAULT_API_KEY)
    assert runner is not None
    journal = runner.world.journal
    asked: list[int] = []
    read = journal.since

    def since(after: int, kind: str | None, limit: int) -> list[Entry]:
        asked.append(after)
        return read(after, kind, limit)

    monkeypatch.setattr(journal, "since", since)
    poll = asyncio.create_task(runner.journal_since(0, "wanted", 10, 10))
    for kind in ("other", "other", "other", "wanted"):
        await passes()
        journal.append(kind, runner.now())
    assert [entry.seq for entry in await poll] == [4]
    assert asked == [0, 0, 1, 2, 3]  # at first there is nothing


async def test_a_long_poll_goes_on_after_a_reset_as_if_nothing_had_been_seen(simulator: Simulator) -> None:
    runner = simulator.runner_for(DEFAULT_API_KEY)
    assert runner is not None
    for _ in range(5):
        runner.world.journal.append("other", runner.now())
    poll = asyncio.create_task(runner.journal_since(0, "wanted", 10, 10))
    await passes()
    await runner.reset()
    runner.world.journal.append("wanted", runner.now())
    assert [entry.seq for entry in await poll] == [1]
