"""A world in a thread of this process, on an event loop of virtual time, with the application under test beside it.

No sockets, no waiting: what the application sleeps costs nothing, its timeouts and ours are in one order, and the same
test gives the same journal each time, the one that it gives over sockets as well.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from simulator.clock import ClockMode
from simulator.errors import Refused, UsageError
from simulator.runtime.hosts import is_loopback
from simulator.runtime.interfaces import Interface, as_asgi
from simulator.runtime.transport import AppTransport, handling
from simulator.runtime.virtual import VirtualLoop, mind_anyio, wait_really
from simulator.settings import Settings
from simulator.testing.asking import Straight, on_loop
from simulator.testing.places import HANDLER_HOST
from simulator.testing.threads import Threads

if TYPE_CHECKING:
    from simulator.app import SimulatorApp
    from simulator.testing.asking import Message
    from simulator.testing.front import Front
    from simulator.testing.options import Options

__tracebackhide__ = True  # a failed test should be shown at its own line

T = TypeVar("T")

SHUTDOWN: Final = 10.0  # real seconds that an application has to shut down
DOOR: Final = "sk_sim_door"  # the key of the account that every simulator begins with; nobody uses this one
LONE_URL: Final = "http://127.0.0.1"  # of a place without a front: nobody can connect there


class InProcess:
    """The place of one account on a loop of its own; see `Place`. `front` lets HTTP clients in by their keys."""

    def __init__(self, settings: Settings, front: Front | None = None) -> None:
        from simulator.app import build_app, build_simulator

        self.api_key = settings.api_keys[0]
        self.base_url = LONE_URL if front is None else front.url
        # The account is opened as accounts of a server are: its ids follow from the seed, whatever its key.
        self._settings = settings
        self.simulator = build_simulator(replace(settings, api_keys=(DOOR,)))
        self.app: SimulatorApp = build_app(self.simulator)
        self.loop = VirtualLoop()
        self._front = front
        self._apps: dict[str, AppTransport] = {}
        self._executors: list[Executor] = []
        self._working = 0  # operations of ours under way, for which time passes
        self._end: asyncio.Future[None] = self.loop.create_future()
        self._main: asyncio.Task[None] | None = None
        self._asker = _Asker(self, self.api_key)
        self.loop.wanted = self._wanted
        self.loop.minded = self._minded
        self.loop.call_soon(self._begin)  # before anything that is asked: nobody has to wait until it has been done
        self._threads = Threads() if front is None else front.threads
        self._work = self._threads.run(self._run)
        if front is not None:
            front.add(self)

    @classmethod
    def open(cls, front: Front, api_key: str, options: Options) -> Self:
        """Open an account for a test."""
        return cls(settings_of(api_key, options), front)

    def has(self, api_key: str) -> bool:
        """Whether an account of this place has the key. May be asked from any thread."""
        return api_key == self.api_key or self.simulator.has(api_key)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """See `Place`."""
        return self._asker.ask(method, path, body)

    def mount(self, app: Any, *, host: str = HANDLER_HOST, interface: Interface = "auto") -> str:
        """See `Place`."""
        if not is_loopback(host.partition(":")[0]):
            raise UsageError(f"{host!r} is not this machine: mount under a name like {HANDLER_HOST}")
        self._do(self._mount(as_asgi(app, interface), host))
        return f"http://{host}"

    def conduct(self, work: Callable[[SimulatorApp], Coroutine[Any, Any, T]]) -> T:
        """See `Place`. Time passes meanwhile as `work` needs it."""
        self.check_thread("this")
        return self._do(work(self.app))

    def beside(self, api_key: str) -> Beside:
        """See `Place`."""
        return Beside(self, api_key)

    def close(self) -> None:
        """See `Place`. Raises UsageError when the application did not shut down properly."""
        if self.closed:
            return
        if self._front is not None:
            self._front.remove(self)
        over = on_loop(self._finish(), self.loop)
        self._work.join()
        if self._front is None:
            self._threads.stop()
        for executor in self._executors:
            executor.shutdown(wait=False, cancel_futures=True)
        over.result(0)  # the loop has ended, so it is known

    @property
    def closed(self) -> bool:
        """Whether the loop has ended."""
        return self._work.done

    # -- on the loop -------------------------------------------------------------------------------------------

    def _run(self) -> None:
        with contextlib.closing(self.loop), contextlib.suppress(asyncio.CancelledError):
            self.loop.run_until_complete(self._live())

    def _begin(self) -> None:
        self.simulator.open(self._settings, self.api_key)

    async def _live(self) -> None:
        # The loop runs until this task has ended: anyio ties its worker threads to it.
        self._main = asyncio.current_task()
        await self._end

    async def _finish(self) -> None:
        self._working += 1
        try:
            await self._shut()
        finally:
            self._working -= 1
            self._end.cancel()

    def _wanted(self) -> bool:
        return self._working > 0 or self.simulator.wanted or self._at_work()

    def _minded(self) -> bool:
        return self._working > 0 or self.simulator.in_flight > 0 or self._at_work()

    def _at_work(self) -> bool:
        return any(app.at_work for app in self._apps.values())

    async def _mount(self, app: Any, host: str) -> None:
        await mind_anyio()
        mounted = AppTransport(app)
        await mounted.start()
        before = self._apps.pop(host, None)
        self._apps[host] = self.simulator.mounts[host] = mounted
        if isinstance(executor := getattr(app, "executor", None), Executor):
            self._executors.append(executor)
        if before is not None:
            await before.stop()

    async def _shut(self) -> None:
        """Drop what is under way, and let the applications shut down."""
        self.simulator.begin_shutdown()
        for runner in self.simulator.runners():
            runner.hang_up_all()
        await self.simulator.stop(timedelta())
        stopping = [asyncio.ensure_future(app.stop()) for app in self._apps.values()]
        if stopping:
            await wait_really([asyncio.gather(*stopping, return_exceptions=True)], SHUTDOWN)
        ours = (asyncio.current_task(), self._main)
        left = [task for task in asyncio.all_tasks() if task not in ours and task not in stopping]
        for task in (*left, *stopping):
            task.cancel()
        await asyncio.gather(*left, *stopping, return_exceptions=True)
        await self.loop.shutdown_asyncgens()
        for task in stopping:
            if task.cancelled():
                raise UsageError(f"the application did not shut down within {SHUTDOWN:g} s")
            task.result()

    # -- between the threads -----------------------------------------------------------------------------------

    def check_thread(self, what: str) -> None:
        """Raise UsageError on the loop's own thread, which would wait for itself."""
        if threading.get_ident() == self._work.thread:
            raise UsageError(
                f"{what} would wait for ever: it was asked on the event loop that answers it. Ask from the test, "
                "from a plain `def` endpoint, or with an asynchronous client"
            )

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something on the loop, while time passes as it needs."""

        async def doing() -> T:
            self._working += 1
            try:
                return await work
            finally:
                self._working -= 1

        return on_loop(doing(), self.loop).result()


class _Asker:
    """Asks a place as the owner of a key.

    A test is let in when everything has happened that happens by itself; the application under test, for which
    everybody waits, as soon as the loop has nothing else to do.
    """

    def __init__(self, place: InProcess, api_key: str) -> None:
        self._place = place
        self._eager = Straight(place.app, place.loop, place.base_url, api_key)
        self._patient = Straight(self._when_quiet, place.loop, place.base_url, api_key)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        self._place.check_thread(f"{method} {path}")
        return (self._eager if handling.get() else self._patient).ask(method, path, body)

    async def _when_quiet(self, scope: Message, receive: Any, send: Any) -> None:
        await self._place.loop.quiet(patient=True)
        await self._place.app(scope, receive, send)


class Beside:
    """Another account of the same simulator, which exists already."""

    def __init__(self, home: InProcess, api_key: str) -> None:
        self._home = home
        self.base_url = home.base_url
        self.api_key = api_key
        self._asker = _Asker(home, api_key)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """See `Place`."""
        return self._asker.ask(method, path, body)

    def mount(self, app: Any, *, host: str = HANDLER_HOST, interface: Interface = "auto") -> str:
        """See `Place`; the application is then there for every account of the simulator."""
        return self._home.mount(app, host=host, interface=interface)

    def conduct(self, work: Callable[[SimulatorApp], Coroutine[Any, Any, T]]) -> T:
        """See `Place`."""
        return self._home.conduct(work)

    def beside(self, api_key: str) -> Beside:
        """See `Place`."""
        return self._home.beside(api_key)

    def close(self) -> None:
        """See `Place`."""
        if not self._home.closed:
            try:
                self._home.ask("DELETE", f"/_sim/accounts/{self.api_key}")
            except Refused as refused:
                if refused.status != HTTPStatus.NOT_FOUND:  # the test has done so itself
                    raise


def settings_of(api_key: str, options: Options) -> Settings:
    """What a test's words mean for its account."""
    from simulator.domain.limits import Limits
    from simulator.domain.policy import Policies

    start = datetime.fromisoformat(options.start) if isinstance(options.start, str) else options.start
    return Settings(
        api_keys=(api_key,),
        clock=ClockMode(options.clock),
        handler_grace=timedelta(seconds=options.handler_grace),
        limits=Limits(**options.limits),
        policies=Policies(options.contract, options.policies),
        scale=options.scale,
        seed=options.seed,
        start=start,
        webhook_secret=options.webhook_secret,
    )
