"""Whatever is thrown at one simulator in whatever order: nothing owed is lost, doubled, leaked or left behind.

Accounts with the same seed, and so with the same ids, live beside each other. Each is told things in words of its own,
by which they are known wherever they turn up.
"""

from __future__ import annotations

import json
import logging
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from itertools import product
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from contract_tests.reliability import (
    MISHAPS,
    UNHURRIED,
    WAYS_TO_ANSWER,
    Book,
    check_history,
    check_idle,
    check_journal,
    check_pending,
    check_received,
    check_words,
    fingerprint,
)
from contract_tests.stages import DOOR, SocketStage, Stage, VirtualStage

TAGS: Final = tuple("".join(pair) for pair in product(string.ascii_lowercase, repeat=2))
PEOPLE: Final = ("+14155552671", "+12125552672")
MOST_ACCOUNTS: Final = 3
SMALL: Final = 64  # entries of a journal that has to drop most of what it is told
MINUTE, HOUR, DAY = 60, 3600, 86_400
WHO = st.integers(0, 11)
MOODS = st.sampled_from(WAYS_TO_ANSWER)
SPANS = st.sampled_from([1, 29, 3 * MINUTE, 5 * MINUTE, 31 * MINUTE, 2 * HOUR, 13 * HOUR, DAY, 3 * DAY])
FAULTS = st.one_of([st.sampled_from(faults) for faults in (MISHAPS[0], MISHAPS[0], *MISHAPS)])  # mostly of deliveries
TIMES = st.one_of(st.none(), st.integers(1, 4))
READS: Final = (
    *("/v1/agents", "/v1/numbers", "/v1/contacts", "/v1/calls", "/v1/conversations", "/v1/webhooks", "/v1/usage"),
    *("/v1/webhooks/deliveries?limit=100", "/_sim/faults", "/_sim/clock", "/_sim/limits"),
)


@dataclass
class Kept:
    """A snapshot as it should be: what every GET answers, and the book of that moment."""

    reads: list[bytes]
    journal: bytes
    book: Book


class ReliabilityMachine(RuleBasedStateMachine):
    stage_of: Callable[..., Stage] = VirtualStage
    journal_limit = 100_000

    def __init__(self) -> None:
        super().__init__()
        self.stage = type(self).stage_of(journal_limit=self.journal_limit)
        self.handler = self.stage.handler
        self.books: list[Book] = []
        self.kept: dict[str, dict[str, Kept]] = {}  # by API key and name
        self.made = 0
        self.asked: set[str] = set()  # keys that something was asked of since the last look
        self.prints: dict[str, object] = {}

    # -- asking ------------------------------------------------------------------------------------------------

    def ask(self, book: Book, method: str, path: str, body: Any = None, *fine: int) -> Any:
        """Ask in the name of an account; the JSON that is answered, or None where the answer waits or was refused."""
        self.asked.add(book.key)
        answer = self.stage.ask(book.key, method, path, body)
        if answer is None:
            return None
        status, raw = answer
        if status in fine:
            return None
        assert status in (HTTPStatus.OK, HTTPStatus.CREATED), f"{method} {path} {body}: {status} {raw!r}"
        return json.loads(raw)

    def read(self, book: Book, path: str) -> bytes:
        self.asked.add(book.key)
        answer = self.stage.ask(book.key, "GET", path)
        assert answer is not None
        assert answer[0] == HTTPStatus.OK, f"GET {path}: {answer}"
        return answer[1]

    def reads(self, book: Book) -> list[bytes]:
        return [self.read(book, path) for path in READS]

    def word(self, book: Book) -> str:
        self.made += 1
        return f"word-{book.tag}-{self.made}"

    def one(self, who: int) -> Book:
        return self.books[who % len(self.books)]

    # -- accounts ----------------------------------------------------------------------------------------------

    @initialize()
    def open_two(self) -> None:
        self.open_account()
        self.open_account()

    def enter(self, book: Book) -> None:
        """An account is there: from now on its handler is told at an address of its own."""
        self.books.append(book)
        self.handler.books[book.tag] = book
        self.kept.setdefault(book.key, {})
        self.ask(book, "POST", "/v1/webhooks", {"url": f"{self.stage.base_url}/{book.tag}"})

    def new_names(self) -> tuple[str, str]:
        self.made += 1
        return TAGS[self.made % len(TAGS)], f"sk_reliable_{self.made}"

    @precondition(lambda self: len(self.books) < MOST_ACCOUNTS)
    @rule()
    def open_account(self) -> None:
        tag, key = self.new_names()
        book = Book(tag, key, f"whsec_{tag}", frozenset({tag}))
        opened = {"api_key": key, "seed": 7, "clock": "manual", "webhook_secret": book.secret}
        status, raw = self.stage.ask(DOOR, "POST", "/_sim/accounts", opened) or (0, b"")
        assert status == HTTPStatus.OK, raw
        self.enter(book)
        book.agent = self.ask(book, "POST", "/v1/agents", {"name": self.word(book)})["id"]
        number = self.ask(book, "POST", "/v1/numbers", {"areaCode": "415", "agentId": book.agent})
        book.number = number["phoneNumber"]
        assert (book.agent, book.number) == (self.books[0].agent, self.books[0].number) or len(self.books[0].words) > 1

    @precondition(lambda self: len(self.books) > 1)
    @rule(who=WHO)
    def close_account(self, who: int) -> None:
        book = self.one(who)
        status, raw = self.stage.ask(DOOR, "DELETE", f"/_sim/accounts/{book.key}") or (0, b"")
        assert status == HTTPStatus.OK, raw
        self.books.remove(book)
        del self.handler.books[book.tag], self.kept[book.key]
        assert (self.stage.ask(book.key, "GET", "/v1/agents") or (0,))[0] == HTTPStatus.UNAUTHORIZED

    @precondition(lambda self: len(self.books) < MOST_ACCOUNTS)
    @rule(who=WHO, from_snapshot=st.booleans())
    def fork(self, who: int, *, from_snapshot: bool) -> None:
        source = self.one(who)
        tag, key = self.new_names()
        body: dict[str, Any] = {"api_key": key, "patience": 0}
        base = source
        if from_snapshot and self.kept[source.key]:
            body["snapshot"] = name = next(iter(self.kept[source.key]))
            base = self.kept[source.key][name].book
        reads = None if "snapshot" in body else self.reads(source)
        if self.ask(source, "POST", "/_sim/fork", body, HTTPStatus.CONFLICT) is None:
            return
        book = base.copy(tag, key)
        self.kept[key] = dict(self.kept[source.key])
        wanted = reads or self.kept[source.key][body["snapshot"]].reads
        assert self.reads(book) == wanted
        self.enter(book)

    # -- what accounts do ----------------------------------------------------------------------------------------

    @rule(who=WHO, person=st.sampled_from(PEOPLE))
    def text_in(self, who: int, person: str) -> None:
        book = self.one(who)
        body = {"from": person, "to": book.number, "body": self.word(book)}
        book.owed_texts.append(self.ask(book, "POST", "/_sim/messages", body)["message_id"])

    @rule(who=WHO, person=st.sampled_from(PEOPLE))
    def text_out(self, who: int, person: str) -> None:
        book = self.one(who)
        self.ask(book, "POST", "/v1/messages", {"agent_id": book.agent, "to_number": person, "body": self.word(book)})

    @rule(who=WHO)
    def add_contact(self, who: int) -> None:
        book = self.one(who)
        number = f"+1415555{3000 + self.made % 6000}"
        self.ask(book, "POST", "/v1/contacts", {"name": self.word(book), "phoneNumber": number}, HTTPStatus.CONFLICT)

    @rule(who=WHO, scripted=st.booleans())
    def call_in(self, who: int, *, scripted: bool) -> None:
        book = self.one(who)
        body: dict[str, Any] = {"from": PEOPLE[0], "to": book.number}
        if scripted:
            body["script"] = [{"say": self.word(book)}, {"say": self.word(book)}, {"hang_up": True}]
        book.owed_calls.append(self.ask(book, "POST", "/_sim/calls", body)["call_id"])

    @rule(who=WHO)
    def call_out(self, who: int) -> None:
        book = self.one(who)
        call = self.ask(book, "POST", "/v1/calls", {"agentId": book.agent, "toNumber": PEOPLE[1]})
        book.owed_calls.append(call["id"])

    @rule(who=WHO, hang_up=st.booleans())
    def on_the_phone(self, who: int, *, hang_up: bool) -> None:
        book = self.one(who)
        for call_id in list(self.stage.runner(book.key).world.live_calls)[-1:]:
            what = ("hang_up", None) if hang_up else ("say", {"text": self.word(book)})
            self.ask(book, "POST", f"/_sim/calls/{call_id}/{what[0]}", what[1], HTTPStatus.CONFLICT)

    @rule(who=WHO)
    def test_the_webhook(self, who: int) -> None:
        self.ask(self.one(who), "POST", "/v1/webhooks/test", None, HTTPStatus.CONFLICT)

    @rule(who=WHO)
    def ask_as_the_application(self, who: int) -> None:
        """What an application asks, faults meet. Nothing but what they say may come of it."""
        book = self.one(who)
        self.asked.add(book.key)
        answer = self.stage.ask(book.key, "POST", "/v1/agents", {"name": self.word(book)}, spared=False)
        assert answer is None or answer[0] in (0, 200, 429, 503), answer

    # -- what happens to them ------------------------------------------------------------------------------------

    @rule(mood=MOODS)
    def change_the_handler(self, mood: str | int) -> None:
        if self.stage.patient or mood not in UNHURRIED:
            self.handler.mood = mood

    @rule(who=WHO, fault=FAULTS, times=TIMES)
    def add_fault(self, who: int, fault: dict[str, Any], times: int | None) -> None:
        if self.stage.patient or (fault["on"] != "api" and fault["fault"] not in UNHURRIED):
            self.ask(self.one(who), "POST", "/_sim/faults", {**fault, "times": times})
            self.text_in(who, PEOPLE[0])  # which it may meet

    @rule(who=WHO)
    def drop_faults(self, who: int) -> None:
        self.ask(self.one(who), "DELETE", "/_sim/faults")

    @rule(who=WHO, seconds=SPANS)
    def advance(self, who: int, seconds: int) -> None:
        book = self.one(who)
        before = self.stage.runner(book.key).now()
        self.ask(book, "POST", "/_sim/clock/advance", {"seconds": seconds})
        assert (self.stage.runner(book.key).now() - before).total_seconds() == seconds

    @rule(who=WHO)
    def run_until_idle(self, who: int) -> None:
        book = self.one(who)
        self.ask(book, "POST", "/_sim/clock/run_until_idle")
        self.idle(book)

    @rule(who=WHO)
    def reset(self, who: int) -> None:
        book = self.one(who)
        self.ask(book, "POST", "/_sim/reset")
        self.books.remove(book)
        again = Book(book.tag, book.key, book.secret, frozenset({book.tag}))
        self.enter(again)
        again.agent = self.ask(again, "POST", "/v1/agents", {"name": self.word(again)})["id"]
        again.number = self.ask(again, "POST", "/v1/numbers", {"areaCode": "415", "agentId": again.agent})[
            "phoneNumber"
        ]

    # -- there and back --------------------------------------------------------------------------------------------

    def entries(self, book: Book, last: int) -> bytes:
        found = json.loads(self.read(book, "/_sim/journal?limit=10000"))["entries"]
        return json.dumps([entry for entry in found if entry["seq"] <= last]).encode()

    @rule(who=WHO, name=st.sampled_from(["one", "two"]))
    def take_snapshot(self, who: int, name: str) -> None:
        book = self.one(who)
        taken = self.ask(book, "POST", "/_sim/snapshots", {"name": name, "patience": 0}, HTTPStatus.CONFLICT)
        if taken is None:
            return
        self.look(book)
        self.kept[book.key][name] = Kept(self.reads(book), self.entries(book, taken["next"]), book.copy("", ""))

    @rule(who=WHO, name=st.sampled_from(["one", "two"]))
    def restore(self, who: int, name: str) -> None:
        book = self.one(who)
        kept = self.kept[book.key].get(name)
        if kept is None:
            self.ask(book, "POST", f"/_sim/snapshots/{name}/restore", None, HTTPStatus.NOT_FOUND)
            return
        ids = []
        for _ in range(2):
            last = self.ask(book, "POST", f"/_sim/snapshots/{name}/restore")["next"]
            assert self.entries(book, last) == kept.journal
            assert self.reads(book) == kept.reads
            ids.append(self.ask(book, "POST", "/v1/agents", {"name": "word-of-nobody"})["id"])
        assert ids[0] == ids[1]
        self.ask(book, "POST", f"/_sim/snapshots/{name}/restore")
        self.books.remove(book)
        self.enter(kept.book.copy(book.tag, book.key))

    @rule()
    def restart(self) -> None:
        calls = {b.key: list(self.stage.runner(b.key).world.live_calls) for b in self.books}
        before = {b.key: self.reads(b) for b in self.books}
        for book in self.books:
            self.look(book)
            self.blur(book)
        flying = {b.key for b in self.books if self.stage.runner(b.key).outbox._attempts}
        self.stage.restart()
        for book in self.books:
            self.kept[book.key].clear()  # a file holds no snapshots
            if not calls[book.key] and book.key not in flying:
                assert self.reads(book) == before[book.key]
            else:  # what was under way has gone on; what was not is as it was
                assert self.reads(book)[:3] == before[book.key][:3]

    def blur(self, book: Book) -> None:
        book.blurred.update({name.partition("~")[0] for name in self.stage.runner(book.key).outbox._attempts})

    # -- what is always true ---------------------------------------------------------------------------------------

    def look(self, book: Book) -> None:
        """Read what is new in the journal."""
        journal = self.stage.runner(book.key).world.journal
        book.lossy = book.lossy or journal.dropped > book.seen
        for entry in journal.since(book.seen):
            if entry.kind == "fault.fired" and "delivery_id" in entry.data:
                book.faults.append(dict(entry.data))
        book.seen = journal.last_seq

    @invariant()
    def everything_is_in_order(self) -> None:
        assert not self.handler.strays
        for book in self.books:
            self.look(book)
            runner = self.stage.runner(book.key)
            check_received(book, runner.world.deliveries)
            for delivery in runner.world.deliveries.values():
                check_history(book, delivery)
            check_pending(runner)
            check_words(book, runner.world)
            check_journal(runner.world.journal, self.journal_limit)
        self.whoever_waited_was_answered_properly()
        self.nobody_was_touched_who_was_not_asked()

    def whoever_waited_was_answered_properly(self) -> None:
        for what, status in self.stage.answered():
            assert status in (0, 200, 401, 409, 429, 503), f"{what}: {status}"

    def nobody_was_touched_who_was_not_asked(self) -> None:
        before, self.prints = self.prints, {b.key: fingerprint(self.stage.runner(b.key)) for b in self.books}
        for key in before.keys() & self.prints.keys() - self.asked:
            assert self.prints[key] == before[key], f"{key} has changed while others were asked"
        self.asked.clear()

    # -- the end ---------------------------------------------------------------------------------------------------

    def idle(self, book: Book) -> None:
        """Nothing is left of what was under way, and everything has come of it that had to."""
        self.look(book)
        check_idle(book, self.stage.runner(book.key))

    def teardown(self) -> None:
        self.handler.mood = 200
        try:
            for book in self.books:
                self.run_until_idle_of(book)
            assert not self.stage.waiting()
            for book in tuple(self.books):
                if book is not self.books[0]:
                    self.close_account(self.books.index(book))
            assert not self.handler.strays
        finally:
            left = self.stage.close()
        assert not left, left

    def run_until_idle_of(self, book: Book) -> None:
        self.run_until_idle(self.books.index(book))
        self.whoever_waited_was_answered_properly()


class SmallJournal(ReliabilityMachine):
    """The same with a journal that drops nearly everything."""

    journal_limit = SMALL


class OverSockets(ReliabilityMachine):
    """The same over real sockets, with a real state file."""

    stage_of = SocketStage


@pytest.fixture(autouse=True)
def hushed() -> Iterator[None]:
    """Handlers die here all the time, and servers say so at length."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize(("machine", "examples"), [(ReliabilityMachine, 60), (SmallJournal, 15), (OverSockets, 4)])
def test_nothing_is_lost_doubled_leaked_or_left_behind(machine: type[ReliabilityMachine], examples: int) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=40,
            deadline=None,
            # Over sockets a step takes so long that an example is not made smaller: it is for the others to find.
            phases=[p for p in Phase if p is not Phase.shrink or machine is not OverSockets],
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
