"""The demonstration: one call and one text between a real handler and a real simulator, over real sockets.

`play` returns a report of plain data; how it is shown is the command's business. Nothing here is canned: the handler is
a child process that could just as well be yours, and every line of the report is read from the simulator afterwards.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from simulator.app import build_app, build_simulator
from simulator.clock import ClockMode
from simulator.commands.child import Child
from simulator.commands.control import Control
from simulator.errors import UsageError
from simulator.files import fixture
from simulator.runtime.server import ServerThread
from simulator.settings import DEFAULT_API_KEY, Settings

CALLER: Final = "+14155550150"
GREETING: Final = "Acme orders, hello. What can I do for you?"
SCRIPT: Final = ("Hi, where is my order?", "It is number 4521.", {"press": "1#"}, "Thank you, goodbye.")
TEXT: Final = "And order 1180?"
PATIENCE: Final = 20.0  # real seconds for anything that takes milliseconds unless the machine is in trouble
DELIVERY_LIMIT: Final = 100  # far more than this story produces


@dataclass(frozen=True, slots=True)
class Heard:
    """One thing that was heard on the line, `at` simulated seconds after the call was answered."""

    at: float
    who: str  # "caller" or "agent"
    what: str
    interim: bool = False


@dataclass(frozen=True, slots=True)
class TurnTiming:
    """How long the caller waited, in simulated seconds after their last word; None: nothing was heard."""

    said: str
    first_word: float | None
    reply_complete: float | None  # after the turn was sent: when the handler had given its whole answer


@dataclass(frozen=True, slots=True)
class DeliveryLine:
    """What one webhook delivery came to. The handler accepts nothing whose signature is wrong."""

    id: str
    event: str
    attempts: int
    status: str
    http_status: int | None
    signature_ok: bool


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation, and what was seen."""

    name: str
    ok: bool
    seen: str


@dataclass(frozen=True, slots=True)
class Report:
    """Everything the demonstration found out."""

    number: str
    reason: str
    heard: tuple[Heard, ...]
    turns: tuple[TurnTiming, ...]
    texts: tuple[Heard, ...]
    deliveries: tuple[DeliveryLine, ...]
    findings: tuple[str, ...]
    forged_status: int  # the handler's answer to an event that nobody signed

    @property
    def checks(self) -> tuple[Check, ...]:
        """What was expected, and whether it came."""
        return tuple(_checks(self))

    @property
    def ok(self) -> bool:
        """Whether everything went as expected."""
        return all(check.ok for check in self.checks)


def play() -> Report:
    """Set the stage, play the call and the text, and look at what happened."""
    settings = Settings(clock=ClockMode.AUTO, api_keys=(DEFAULT_API_KEY,))
    with (
        tempfile.TemporaryDirectory(prefix="agentphone-") as folder,
        ServerThread(build_app(build_simulator(settings))) as server,
        Control(server.url, DEFAULT_API_KEY) as control,
        sample_handler("simple_starlette.py", Path(folder, "secret"), server.url) as url,
    ):
        number = _prepare(control, url, Path(folder, "secret"))
        call = control.post("/_sim/calls", {"from": CALLER, "to": number, "script": list(SCRIPT), "wait": True})
        _text(control, number)
        control.post("/_sim/clock/run_until_idle")
        return _report(control, number, call, _forge(url))


@contextmanager
def sample_handler(name: str, secret_file: Path, base_url: str) -> Iterator[str]:
    """Run one of the bundled sample handlers as a child process; its webhook URL."""
    try:
        script = fixture("handlers", name)
    except FileNotFoundError as error:
        raise UsageError(str(error)) from error
    env = {
        "AGENTPHONE_BASE_URL": base_url,
        "AGENTPHONE_API_KEY": DEFAULT_API_KEY,
        "NO_PROXY": "127.0.0.1",
        "PYTHONDONTWRITEBYTECODE": "1",  # the samples may lie in a directory that is not ours to write in
    }
    with Child([sys.executable, str(script), "--port", "0", "--secret-file", str(secret_file)], env=env) as child:
        yield child.wait_for_line(r"listening on (\S+)", PATIENCE)[1]


def _prepare(control: Control, url: str, secret_file: Path) -> str:
    """Create an agent with a number and a webhook, as a customer does; returns the number."""
    agent = control.post("/v1/agents", {"name": "Acme orders", "voiceMode": "webhook", "beginMessage": GREETING})
    number = control.post("/v1/numbers", {"country": "US", "areaCode": "415", "agentId": agent["id"]})
    secret_file.write_text(control.post("/v1/webhooks", {"url": url})["secret"])
    return str(number["phoneNumber"])


def _text(control: Control, number: str) -> None:
    """Text the number and wait until the handler has answered through the API, or PATIENCE is over."""
    sent = control.post("/_sim/messages", {"from": CALLER, "to": number, "body": TEXT})
    for entry in control.follow(0, "message.sent", PATIENCE):
        if entry["conversation_id"] == sent["conversation_id"]:
            return


def _forge(url: str) -> int:
    """Send the handler an event that nobody signed; returns the status of its answer."""
    import httpx

    event = {"event": "agent.message", "channel": "voice", "data": {"callId": "call_0", "transcript": "hello"}}
    headers = {
        "X-Webhook-Signature": "sha256=" + "0" * 64,
        "X-Webhook-Timestamp": str(int(time.time())),
        "X-Webhook-ID": "voice_forged",
    }
    return httpx.post(url, json=event, headers=headers, timeout=PATIENCE, trust_env=False).status_code


def _report(control: Control, number: str, call: Mapping[str, Any], forged_status: int) -> Report:
    entries = control.get("/_sim/journal", limit=10_000)["entries"]
    story = [e for e in entries if e.get("call_id") == call["call_id"]]
    deliveries = control.get("/v1/webhooks/deliveries", limit=DELIVERY_LIMIT)["items"]
    return Report(
        number=number,
        reason=str(call["disconnection_reason"]),
        heard=tuple(_heard(story)),
        turns=tuple(_timings(story)),
        texts=tuple(_texts(entries)),
        deliveries=tuple(_delivery(item) for item in reversed(deliveries)),
        findings=tuple(finding["message"] for finding in call["findings"]),
        forged_status=forged_status,
    )


def _delivery(item: Mapping[str, Any]) -> DeliveryLine:
    return DeliveryLine(
        id=item["id"],
        event=item["eventType"],
        attempts=item["attemptCount"],
        status=item["status"],
        http_status=item["httpStatus"],
        signature_ok=item["httpStatus"] == 200,
    )


def _heard(story: list[dict[str, Any]]) -> Iterator[Heard]:
    """The call as both parties heard it, in order."""
    interim = {(e["turn_id"], e["text"]): e["interim"] for e in story if e["kind"] == "turn.chunk"}
    answered = next((_at(e) for e in story if e["kind"] == "call.connected"), None)
    for entry in story:
        if answered is None or entry["kind"] not in ("speech.started", "digits"):
            continue
        what = entry["text"] if entry["kind"] == "speech.started" else f"[presses {entry['digits']}]"
        who = "agent" if entry["party"] == "agent" else "caller"
        at = (_at(entry) - answered).total_seconds()
        yield Heard(at, who, what, interim.get((entry.get("turn_id"), entry.get("text")), False))


def _timings(story: list[dict[str, Any]]) -> Iterator[TurnTiming]:
    """Measure each turn: from the caller's last word to the first that they heard."""
    last_word: datetime | None = None
    ends = {e["turn_id"]: e["after"] for e in story if e["kind"] == "turn.chunk"}
    first: dict[str | None, datetime] = {}
    for entry in story:
        if entry["kind"] == "speech.started" and entry["party"] == "agent":
            first.setdefault(entry.get("turn_id"), _at(entry))
    for entry in story:
        if entry["kind"] == "speech.started" and entry["party"] != "agent":
            last_word = _at(entry) + timedelta(seconds=entry["duration"])
        elif entry["kind"] == "turn.opened" and last_word is not None:
            spoken = first.get(entry["turn_id"])
            wait = None if spoken is None else (spoken - last_word).total_seconds()
            yield TurnTiming(entry["transcript"], wait, ends.get(entry["turn_id"]))


def _texts(entries: list[dict[str, Any]]) -> Iterator[Heard]:
    started: datetime | None = None
    for entry in entries:
        if entry["kind"] in ("message.received", "message.sent"):
            started = started or _at(entry)
            who = "caller" if entry["kind"] == "message.received" else "agent"
            yield Heard((_at(entry) - started).total_seconds(), who, entry["body"])


def _checks(report: Report) -> Iterator[Check]:
    heard, turns, deliveries = report.heard, report.turns, report.deliveries
    opening = heard[0].what if heard else "nothing"
    yield Check("the greeting is heard first", opening == GREETING, opening)
    spoken = [h for h in heard if h.who == "agent"]
    bridge = next((h.what for h in spoken if h.interim), None)
    yield Check("an interim chunk bridges the look-up", bridge is not None, bridge or "none")
    answer = next((h.what for h in spoken if "4521" in h.what), "none")
    yield Check("the question is answered", "shipped" in answer, answer)
    answered = [t for t in turns if t.first_word is not None]
    yield Check("no turn stays silent", 0 < len(turns) == len(answered), f"{len(answered)} of {len(turns)} answered")
    yield Check("goodbye ends the call", report.reason == "agent_hangup", report.reason)
    reply = next((t.what for t in report.texts if t.who == "agent"), "none")
    yield Check("the text is answered by a text", "1180" in reply, reply)
    accepted = [d for d in deliveries if d.status == "success"]
    seen = f"{len(accepted)} of {len(deliveries)} accepted"
    yield Check("every delivery is accepted with its signature", 0 < len(deliveries) == len(accepted), seen)
    yield Check("a forged request is refused", report.forged_status == 401, f"status {report.forged_status}")
    yield Check("the handler kept the contract", not report.findings, "; ".join(report.findings) or "no findings")


def _at(entry: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(entry["at"])
