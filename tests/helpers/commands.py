"""Commands to a world as data, so that a list of them can be played again anywhere."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from simulator.domain.calls import DisconnectionReason, Party
from simulator.domain.fault_rules import FaultSpec
from simulator.domain.findings import Finding, FindingKind
from simulator.domain.hosted import HostedAnswer, ToolUse
from simulator.domain.locations import Position
from simulator.domain.webhooks import DeliveryStatus
from simulator.engine.hosted_events import Line
from simulator.engine.script import Branch, Case, Hear, Match, Repeat, Say, Wait
from simulator.engine.thread_script import ExpectReply, SendText
from simulator.errors import ApiError
from simulator.world import (
    accounts,
    agents,
    calls,
    carrier,
    contacts,
    faults,
    feedback,
    limits,
    locations,
    money,
    numbers,
    people,
    reactions,
    registration,
    sign_up,
    templates,
    texters,
    threads,
    trunks,
    verification,
    webhooks,
    whatsapp,
)
from simulator.world.world import World
from tests.helpers.registration import APPLICATION
from tests.helpers.world import (
    after,
    attempt,
    dial_in,
    new_agent,
    new_endpoint,
    new_number,
    owe,
    speak,
    text_group,
    text_in,
    text_out,
)

Command = tuple[str, int, int]  # what to do, to which one, and how
PARTIES = ("+14155550150", "+14155550151", "ada@example.com")
VERBS = (
    *("agent", "forget agent", "number", "release", "attach", "detach", "endpoint", "text in", "text out", "group"),
    *("react", "carriers", "ring", "connect", "speak", "finding", "hang up", "contact", "forget contact", "person"),
    *("script", "thread", "owe", "settle", "sub-account", "verify", "trunk", "feedback", "limits", "pay", "metadata"),
    *("lines", "locate", "sell out", "sign up", "whatsapp", "register", "stop", "fault", "strike"),
)
OFTEN = ("agent", "number", "attach", "text in", "text out", "ring", "hang up")  # what most others need
COMMANDS: st.SearchStrategy[Command] = st.tuples(
    st.sampled_from((*VERBS, *(OFTEN * 4))), st.integers(0, 5), st.integers(0, 5)
)
FAULTS: tuple[dict[str, Any], ...] = (
    {"on": "delivery", "fault": "duplicate", "times": 2, "skip": 1},
    {"on": "delivery", "fault": "late", "seconds": 3.5, "probability": 0.5, "expires_in": 7.25},
    {"on": "carrier", "fault": "undelivered", "match": {"to": "+14155550150"}},
)
STEPS = (Say("hi"), Repeat(2, (Wait(timedelta(seconds=1)), Hear(Match(contains="x"), timedelta(seconds=2)))))


def play(world: World, commands: Iterable[Command], since: int = 0) -> None:
    """Give the commands one after the other, a second apart. What is refused is refused every time."""
    for second, (verb, which, how) in enumerate(commands, since):
        with suppress(ApiError, IndexError):
            _give(world, verb, which, how, second)


def _pick(records: Any, which: int) -> Any:
    found = list(records)
    return found[which % len(found)] if found else found[0]


def _give(world: World, verb: str, which: int, how: int, second: int) -> None:
    now, party = after(seconds=second), PARTIES[how % 3]
    phone = PARTIES[how % 2]
    match verb:
        case "agent":
            new_agent(world, f"Agent {how}", now=now)
        case "forget agent":
            agents.delete(world, _pick(world.agents, which), now)
        case "number":
            new_number(world, type=("sms", "imessage")[how % 2], now=now)
        case "release":
            numbers.release(world, _pick(world.numbers, which), now)
        case "attach":
            agents.attach(world, _pick(world.agents, which), _pick(world.numbers, how))
        case "detach":
            agents.detach(world, _pick(world.agents, which), _pick(world.numbers, how))
        case "endpoint":
            new_endpoint(world, _pick(world.agents.values(), which) if how % 2 else None, now=now)
        case "text in":
            text_in(world, _pick(world.numbers.values(), which), f"text {how}", party, now=now)
        case "text out":
            text_out(world, _pick(world.numbers.values(), which), f"text {how}", phone, now=now)
        case "group":
            text_group(world, _pick(world.numbers.values(), which), *PARTIES[: 2 + how % 2], now=now)
        case "react":
            reactions.receive(world, _pick(world.messages, which), "love", now, from_number=party)
        case "carriers":
            carrier.settle(world, _pick(world.messages, which), now)
        case "ring":
            dial_in(world, _pick(world.numbers.values(), which), phone, now=now)
        case "connect":
            calls.connect(world, _pick(world.live_calls, which), now)
        case "speak":
            speak(world, world.calls[_pick(world.live_calls, which)], f"word {how}", list(Party)[how % 2], now=now)
        case "finding":
            kind, sample = FindingKind.REPLY_EMPTY, bytes([how, 255])
            call_id = _pick(world.calls, which)
            calls.add_finding(world, Finding(kind=kind, message="m", at=now, call_id=call_id, sample=sample))
        case "hang up":
            calls.finish(world, _pick(world.live_calls, which), DisconnectionReason.USER_HANGUP, now)
        case "contact":
            contacts.create(world, phone_number=phone, name=f"Ada {which}", now=now)
        case "forget contact":
            contacts.delete(world, _pick(world.contacts, which))
        case "person":
            branch = Branch((Case(Match(one_of=("a", "b")), (Say("a"),)),), (Wait(timedelta(milliseconds=1500)),))
            people.put(world, phone, steps=(*STEPS, branch), patience=timedelta(seconds=how))
        case "script":
            people.put(world, phone, text_steps=(SendText("hi"), ExpectReply(timedelta(hours=1), Match(matches="x"))))
            number = _pick(world.numbers, which)
            world.begun[(number, frozenset({phone})), phone] = world.people[phone].text_steps or ()
        case "thread":
            line = _pick(world.numbers.values(), which).phone_number
            made = texters.begin(world, from_number=phone, to_number=line, participants=None, now=now)
            texters.note_step(world, made.id, (0, how), "text", now)
            texters.send(world, made.id, SendText("hello"), now)
        case "owe":
            owe(world, _pick(world.messages.values(), which), _pick(world.endpoints.values(), how), now=now)
        case "settle":
            pending = (d.id for d in world.deliveries.values() if d.status is DeliveryStatus.PENDING)
            tried = attempt(number=1, at=now, http_status=200, response_body="\0 ok \ud800"[:how])
            webhooks.record_attempt(world, _pick(pending, which), tried, DeliveryStatus.SUCCESS, None)
        case "sub-account":
            accounts.create(world, f"Branch {how}", now)
        case "verify":
            verification.send(world, phone, now)
        case "trunk":
            trunks.create(world, now)
        case "feedback":
            feedback.submit(world, "idea", "n", tags=("a", "b")[:which], now=now)
        case "limits":
            limits.change(world, now, numbers=20 + how, rate_limits="documented")
            limits.take(world, "createNumber", now)
        case "pay":
            money.fill(world, how * 100, now)
        case "metadata":
            threads.set_metadata(world, _pick(world.conversations, which), {"a": [1.0, {"b": None}], "how": how})
        case "lines":
            world.hosted_lines[_pick([*world.agents, None], which)] = _lines(how)
        case "locate":
            locations.share(world, phone, Position(latitude=1.5, longitude=-how) if how else None, now)
        case "sign up":
            sign_up.start(world, f"ada{how}@example.com", None, now)
        case "whatsapp":
            connection = whatsapp.connect(world, code="c", phone_number_id=_pick(world.numbers, which), now=now)
            components = [{"type": "BODY", "text": "hello"}]
            fields = {"name": "hi", "language": "en_US", "category": "UTILITY", "parameter_format": "NAMED"}
            templates.create(world, connection.id, {**fields, "components": components}, now)
        case "register":
            registration.submit(world, "sole_proprietor", {**APPLICATION, "country": "US"}, now)
        case "stop":
            text_in(world, _pick(world.numbers.values(), which), ("STOP", "START")[how % 2], phone, now=now)
        case "fault":
            faults.add(world, FaultSpec.of(FAULTS[how % len(FAULTS)]), now)
        case "strike":
            faults.strike(world, "delivery", {"event": "agent.message"}, now)
            held = _pick(world.deliveries.values(), which)
            world.faults.held[held.id] = (held.endpoint_id, None)[how % 2]
        case "sell out":
            world.sold_out["CA"] = None


def _lines(how: int) -> tuple[Line, ...]:
    tool = ToolUse(name="look", arguments={"id": how})
    return (Line(answer=HostedAnswer(say="Hi", tool=tool), when=Match(contains="hi")), Line(answer=HostedAnswer()))
