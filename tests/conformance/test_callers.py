from __future__ import annotations

from simulator.app import SimulatorApp
from simulator.conformance.platform import Platform
from simulator.testing import open_account


def callers(seed: int) -> list[str]:
    with open_account(seed=seed) as account:

        async def some(app: SimulatorApp) -> list[str]:
            platform = Platform(app, account.api_key)
            return [platform.caller() for _ in range(3)]

        return account._place.conduct(some)


def test_runs_have_callers_of_their_own_and_repeat_with_their_seed() -> None:
    first, second = callers(1), callers(2)
    assert len({*first, *second}) == 6
    assert callers(1) == first
