"""The account for async tests: the same methods, awaited in a worker thread while the test's own loop goes on."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Concatenate, ParamSpec, TypeVar

from simulator.testing.account import Account

P = ParamSpec("P")
R = TypeVar("R")


def _in_thread(
    method: Callable[Concatenate[Account, P], R],
) -> Callable[Concatenate[Aio, P], Coroutine[Any, Any, R]]:
    async def run(self: Aio, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return await _apart(partial(method, self._account, *args, **kwargs))

    run.__doc__ = f"See `Account.{method.__name__}`."
    return run


async def _apart(work: Callable[[], R]) -> R:
    from anyio import to_thread

    return await to_thread.run_sync(work)


class Aio:
    """The methods of an account that take their time, to be awaited on asyncio or trio.

    `run` does the same for any other: `await agentphone.aio.run(phone.say, "hello")`.
    """

    def __init__(self, account: Account) -> None:
        self._account = account

    agent = _in_thread(Account.agent)
    number = _in_thread(Account.number)
    person = _in_thread(Account.person)
    webhook = _in_thread(Account.webhook)
    call = _in_thread(Account.call)
    call_result = _in_thread(Account.call_result)
    dial = _in_thread(Account.dial)
    text = _in_thread(Account.text)
    thread = _in_thread(Account.thread)
    deliveries = _in_thread(Account.deliveries)
    conform = _in_thread(Account.conform)
    reset = _in_thread(Account.reset)
    snapshot = _in_thread(Account.snapshot)
    restore = _in_thread(Account.restore)
    fork = _in_thread(Account.fork)
    diff = _in_thread(Account.diff)
    wait_for = _in_thread(Account.wait_for)
    assert_delivered = _in_thread(Account.assert_delivered)
    assert_requested = _in_thread(Account.assert_requested)
    assert_said = _in_thread(Account.assert_said)
    assert_no_findings = _in_thread(Account.assert_no_findings)

    async def run(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call anything that blocks in a worker thread."""
        return await _apart(partial(function, *args, **kwargs))
