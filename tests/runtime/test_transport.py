"""One application, asked over a socket that uvicorn serves and in process: everybody sees the same."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from simulator.domain.webhooks import Outcome
from simulator.errors import UsageError
from simulator.runtime.deliver import Sender, cause_of, network_errors
from simulator.runtime.server import ServerThread
from simulator.runtime.transport import HIGH_WATER, AppTransport, handling

PATIENCE = 10  # real seconds before a test that would hang fails instead
HOST = "handler.localhost"
pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Told:
    """An application that does as it is told and keeps what it saw."""

    script: tuple[tuple[Any, ...], ...] = ()
    seen: list[Any] = field(default_factory=list)
    scope: dict[str, Any] = field(default_factory=dict)
    ended: threading.Event = field(default_factory=threading.Event)

    def tell(self, script: tuple[tuple[Any, ...], ...]) -> None:
        self.script, self.seen, self.ended = script, [], threading.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        if scope["type"] != "http":
            raise RuntimeError("this application knows of no life cycle")
        self.scope = scope
        ended = self.ended
        try:
            return await self._play(receive, send)
        finally:
            ended.set()

    async def _play(self, receive: Any, send: Any) -> Any:
        for what, *details in self.script:
            if what == "send":
                try:
                    await send(details[0])
                except (RuntimeError, ValueError, KeyError) as error:
                    self.seen.append(type(error).__name__ + str(error))
                    raise
            elif what == "receive":
                self.seen.append(await whole(receive))
            elif what == "raise":
                raise ZeroDivisionError("as told")
            elif what == "return":
                return details[0]
            else:
                await asyncio.sleep(0)
        return None


async def whole(receive: Any) -> Any:
    """The body of a request, or the word that nobody listens any more."""
    message = await receive()
    body = message.get("body")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
    return message["type"], body


@dataclass(frozen=True)
class Seen:
    """What came of one request, on our side and on the application's."""

    status: int | None
    kind: str | None
    body: bytes
    error: str | None
    app: tuple[Any, ...]


async def ask(sender: Sender, app: Told, script: tuple[tuple[Any, ...], ...], *, leave: bool = False) -> Seen:
    app.tell(script)
    answer = await sender.open(f"http://{HOST}/hook?a=1%202", {"Content-Type": "text/plain"}, b"question")
    body, error = bytearray(), None
    if isinstance(answer, Outcome):
        status, kind, error = answer.http_status, None, answer.error
    else:
        status, kind = answer.status, answer.headers.get("content-type")
        try:
            while not leave and (piece := await answer.content.readany()):
                body += piece
        except network_errors() as broken:
            error = cause_of(broken)
            body.clear()  # how much of it was read before it broke is a matter of luck over a socket
        if leave or error:
            answer.close()
        else:
            answer.release()
    await asyncio.to_thread(app.ended.wait, PATIENCE)
    return Seen(status, kind, bytes(body), error, tuple(app.seen))


class Pair:
    """The same application, mounted in process and behind a real server."""

    def __init__(self, server: ServerThread, app: Told) -> None:
        self.app = app
        self.in_process = Sender(mounts={HOST: AppTransport(app)})
        self.over_sockets = Sender(mounts={HOST: URL(server.url)})

    async def both(self, *script: tuple[Any, ...], leave: bool = False) -> tuple[Seen, Seen]:
        there = await ask(self.over_sockets, self.app, script, leave=leave)
        return await ask(self.in_process, self.app, script, leave=leave), there

    async def close(self) -> None:
        await self.in_process.close()
        await self.over_sockets.close()


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[ServerThread, Told]]:
    app = Told()
    with ServerThread(app, lifespan="off") as server:
        yield server, app


@pytest.fixture
async def pair(served: tuple[ServerThread, Told]) -> AsyncIterator[Pair]:
    made = Pair(*served)
    yield made
    await made.close()


def start(status: int = 200, *headers: tuple[bytes, bytes]) -> tuple[Any, ...]:
    return "send", {"type": "http.response.start", "status": status, "headers": headers}


def body(data: bytes = b"", *, more: bool = False) -> tuple[Any, ...]:
    return "send", {"type": "http.response.body", "body": data, "more_body": more}


def length(count: int) -> tuple[bytes, bytes]:
    return b"Content-Length", b"%d" % count


KIND = (b"content-type", b"application/x-ndjson")
STORIES = {
    "an answer": (start(200, KIND), body(b"hello")),
    "an answer in pieces": (start(200, KIND), body(b"one", more=True), ("yield",), body(b"two", more=True), body()),
    "it reads the request first": (("receive",), start(), body(b"x"), ("receive",)),
    "an empty answer": (start(204), body()),
    "a body where none may be": (start(204), body(b"x")),
    "of known length": (start(200, length(5)), body(b"hel", more=True), body(b"lo")),
    "longer than said": (start(200, length(2)), body(b"hello")),
    "shorter than said": (start(200, length(9)), body(b"hello")),
    "said twice": (start(), start()),
    "a body without a head": (body(b"x"),),
    "it goes on after its end": (start(), body(b"x"), body(b"y")),
    "it fails at once": (("raise",),),
    "it fails after its head": (start(), ("raise",)),
    "it fails in the middle": (start(), body(b"x", more=True), ("yield",), ("raise",)),
    "it fails after its end": (start(), body(b"x"), ("raise",)),
    "it says nothing": (("receive",),),
    "it stops after its head": (start(),),
    "it stops in the middle": (start(), body(b"x", more=True)),
    "it returns something": (("return", 7),),
    "it returns something late": (start(), body(b"x", more=True), ("return", 7)),
    "a status that does not exist": (start(1000), body(b"x")),
    "a header that cannot be": (start(200, (b"a b", b"c")), body()),
    "a value that cannot be": (start(200, (b"a", b"b\r\nc: d")), body()),
    "a length that is none": (start(200, (b"content-length", b"five")), body()),
    "chunked by its own word": (start(200, (b"transfer-encoding", b"chunked")), body(b"x", more=True), body(b"y")),
    "an error": (start(503, KIND, (b"retry-after", b"1")), body(b"busy")),
}


@pytest.mark.parametrize("story", STORIES)
async def test_both_ways_everybody_sees_the_same(pair: Pair, story: str) -> None:
    here, there = await pair.both(*STORIES[story])
    assert here == there


DATA = st.binary(max_size=20)
STEP = st.one_of(
    st.builds(body, DATA, more=st.just(True)),
    st.sampled_from([("yield",), ("receive",), ("raise",), ("return", None), ("return", "x"), body(b"end"), start()]),
)
HEAD = st.builds(
    # A length where no body may be makes uvicorn write one all the same, and the next answer unreadable.
    lambda status, lengths: start(status, KIND, *(lengths if status != 204 else [])),
    st.sampled_from([200, 201, 204, 301, 404, 500]),
    st.lists(st.integers(0, 30).map(length), max_size=1),
)


@given(before=st.lists(STEP, max_size=2), head=HEAD, after=st.lists(STEP, max_size=6))
def test_whatever_an_application_does_both_ways_everybody_sees_the_same(
    served: tuple[ServerThread, Told], before: list[Any], head: Any, after: list[Any]
) -> None:
    script = [*before, head, *after]
    receives = [index for index, step in enumerate(script) if step == ("receive",)]
    for index in reversed(receives[1:]):  # a second one waits until the answer is complete, which may be never
        del script[index]

    async def asked() -> tuple[Seen, Seen]:
        pair = Pair(*served)
        try:
            return await pair.both(*script)
        finally:
            await pair.close()

    here, there = asyncio.run(asked())
    assert here == there


@pytest.mark.parametrize("late", [(), (body(b"x", more=True), body(b"y")), (("raise",),), (("return", 7),)])
async def test_an_application_hears_that_nobody_listens_and_goes_on(pair: Pair, late: tuple[Any, ...]) -> None:
    script = (start(), body(b"x", more=True), ("receive",), ("receive",), *late)
    here, there = await pair.both(*script, leave=True)
    assert here == there
    assert here.app[1] == ("http.disconnect", None)


async def test_the_application_gets_the_same_scope(pair: Pair) -> None:
    scopes = []
    for sender in (pair.in_process, pair.over_sockets):
        await ask(sender, pair.app, (start(), body()))
        scopes.append(dict(pair.app.scope))
    here, there = scopes
    for scope in scopes:
        for varying in ("server", "client"):
            host, port = scope.pop(varying)
            assert (host, type(port)) == ("127.0.0.1", int)
        scope["headers"] = sorted(name_and_value for name_and_value in scope["headers"] if agreed(name_and_value))
    assert here == there


def agreed(header: tuple[bytes, bytes]) -> bool:
    """Our own client asks for no compression unless told otherwise; without sockets there is nothing to compress."""
    return header[0] not in (b"accept-encoding", b"user-agent")


async def test_the_name_of_the_application_is_its_host_both_ways(pair: Pair) -> None:
    for sender in (pair.in_process, pair.over_sockets):
        await ask(sender, pair.app, (start(), body()))
        assert (b"host", HOST.encode()) in list(pair.app.scope["headers"])


async def test_another_port_or_scheme_of_the_name_is_somewhere_else(pair: Pair) -> None:
    for url in (f"http://{HOST}:1/", f"https://{HOST}/"):
        assert isinstance(await pair.in_process.open(url, {}, b""), Outcome)


# -- what uvicorn cannot be asked ------------------------------------------------------------------------------


async def test_a_piece_is_here_when_it_was_sent_and_not_later() -> None:
    gates = [asyncio.Event() for _ in range(3)]

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for gate in gates:
            await gate.wait()
            await send({"type": "http.response.body", "body": b"piece", "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    answer = await AppTransport(app).open("POST", URL(f"http://{HOST}/"), {}, b"")
    for gate in gates:
        gate.set()
        assert await answer.content.readany() == b"piece"
    assert await answer.content.readany() == b""


async def test_an_application_that_sends_faster_than_anybody_reads_has_to_wait() -> None:
    sent = 0

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        nonlocal sent
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(10):
            await send({"type": "http.response.body", "body": b"x" * HIGH_WATER, "more_body": True})
            sent += 1

    answer = await AppTransport(app).open("POST", URL(f"http://{HOST}/"), {}, b"")
    for _ in range(20):
        await asyncio.sleep(0)
    assert sent == 2
    assert len(await answer.content.read(10)) == 10
    answer.close()
    for _ in range(20):
        await asyncio.sleep(0)
    assert sent == 10


async def test_an_answer_that_was_read_to_its_end_is_not_left_although_the_application_has_not_ended_it() -> None:
    seen: list[str] = []
    go = asyncio.Event()

    async def app(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": [length(2)]})
        await send({"type": "http.response.body", "body": b"ok", "more_body": True})
        heard = asyncio.ensure_future(receive())
        await go.wait()
        seen.append("left" if heard.done() else "still there")
        await send({"type": "http.response.body", "body": b""})
        seen.append((await heard)["type"])

    answer = await AppTransport(app).open("POST", URL(f"http://{HOST}/"), {}, b"")
    assert [await answer.content.readany(), await answer.content.readany()] == [b"ok", b""]
    assert answer.content.at_eof()
    answer.release()
    for _ in range(5):
        await asyncio.sleep(0)
    go.set()
    for _ in range(5):
        await asyncio.sleep(0)
    assert seen == ["still there", "http.disconnect"]


async def test_whoever_gives_up_before_the_answer_is_heard_to_leave() -> None:
    heard: list[str] = []

    async def app(_scope: Any, receive: Any, _send: Any) -> None:
        await receive()
        heard.append((await receive())["type"])

    transport = AppTransport(app)
    asking = asyncio.ensure_future(transport.open("POST", URL(f"http://{HOST}/"), {}, b""))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    asking.cancel()
    for _ in range(10):
        await asyncio.sleep(0)
    assert (heard, transport.at_work) == (["http.disconnect"], False)


async def test_what_an_application_does_after_its_answer_goes_on() -> None:
    done: list[bool] = []
    go = asyncio.Event()

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})
        await go.wait()
        done.append(handling.get())

    transport = AppTransport(app)
    answer = await transport.open("POST", URL(f"http://{HOST}/"), {}, b"")
    assert await answer.content.readany() == b"ok"
    answer.release()
    assert (transport.at_work, handling.get()) == (True, False)
    go.set()
    for _ in range(5):
        await asyncio.sleep(0)
    assert (done, transport.at_work) == ([True], False)


# -- the application's life ------------------------------------------------------------------------------------


class Living:
    """An application with a life cycle that does as it is told."""

    def __init__(self, *, startup: str = "complete", shutdown: str = "complete", fails: bool = False) -> None:
        self.outcomes = {"startup": startup, "shutdown": shutdown}
        self.fails = fails
        self.seen: list[str] = []
        self.state: dict[str, Any] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            self.state = scope["state"]
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        while True:
            phase = (await receive())["type"].removeprefix("lifespan.")
            self.seen.append(phase)
            scope["state"]["pool"] = "open"
            if self.fails:
                raise RuntimeError("no database")
            await send({"type": f"lifespan.{phase}.{self.outcomes[phase]}", "message": "no database"})
            if phase == "shutdown":
                return


async def test_an_application_starts_keeps_its_state_and_shuts_down() -> None:
    app = Living()
    transport = AppTransport(app)
    await transport.start()
    (await transport.open("POST", URL(f"http://{HOST}/"), {}, b"")).release()
    await transport.stop()
    assert (app.seen, app.state) == (["startup", "shutdown"], {"pool": "open"})


async def test_an_application_that_cannot_start_says_why() -> None:
    with pytest.raises(UsageError, match="did not start: no database"):
        await AppTransport(Living(startup="failed")).start()


async def test_an_application_that_cannot_shut_down_says_why() -> None:
    transport = AppTransport(Living(shutdown="failed"))
    await transport.start()
    with pytest.raises(UsageError, match="did not shut down: no database"):
        await transport.stop()


async def test_an_application_that_knows_of_no_life_cycle_is_served_all_the_same() -> None:
    transport = AppTransport(Living(fails=True))
    await transport.start()
    (await transport.open("POST", URL(f"http://{HOST}/"), {}, b"")).release()
    await transport.stop()


async def test_what_an_application_still_does_is_cancelled_when_it_stops() -> None:
    ended: list[str] = []

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            raise RuntimeError("no life cycle")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    transport = AppTransport(app)
    await transport.start()
    answer = await transport.open("POST", URL(f"http://{HOST}/"), {}, b"")
    await transport.stop()
    assert (ended, transport.at_work) == (["cancelled"], False)
    with pytest.raises(ConnectionError):
        await answer.content.readany()


async def test_an_answer_at_the_moment_at_which_somebody_gives_up_is_nobodys(caplog: pytest.LogCaptureFixture) -> None:
    go = asyncio.Event()

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await go.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"late"})

    transport = AppTransport(app)
    asking = asyncio.ensure_future(transport.open("POST", URL(f"http://{HOST}/"), {}, b""))
    for _ in range(3):  # until the application waits
        await asyncio.sleep(0)
    go.set()
    asking.cancel()  # the application is woken before whoever asked
    with pytest.raises(asyncio.CancelledError):
        await asking
    await asyncio.sleep(0)
    assert not transport.at_work and caplog.records == []
