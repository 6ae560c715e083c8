"""From the journal to the record of a call: what expectations, reports and exports look at.

Give it the whole journal, or any part of it with everything about the call. A call that goes on is recorded as far as
it has come.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from simulator.domain.calls import Party
from simulator.engine.chunks import parse_json, understand
from simulator.engine.speech import heard, tones_duration
from simulator.engine.timeline import CallTimeline, Listener, Sound, TurnTimeline
from simulator.errors import NotFound
from simulator.scenarios.record import (
    ZERO,
    ApiRecord,
    CallRecord,
    ChunkRecord,
    DeliveryRecord,
    FindingRecord,
    Gap,
    KeysRecord,
    ScriptFailure,
    SpeechRecord,
    TurnRecord,
    Who,
)
from simulator.world.journal import Entry

LIVE: Final = "live"  # the reason of a call that has not ended
CUT_SHORT: Final = "cancelled"  # how a turn ended that nobody has closed
Step = tuple[int, ...]


def record_of_call(entries: Iterable[Entry], call_id: str) -> CallRecord:
    """Make the record of one call. Raises NotFound when the journal does not know (or has forgotten) the call."""
    story = list(entries)
    own = [entry for entry in story if entry.data.get("call_id") == call_id]
    placed = next((entry for entry in own if entry.kind == "call.placed"), None)
    if placed is None:
        raise NotFound(f"call {call_id!r} is not in the journal")
    return _Reader(own, placed).record(story)


def calls_in(entries: Iterable[Entry]) -> list[str]:
    """The ids of the calls in a journal, in the order in which they were placed."""
    return [entry.data["call_id"] for entry in entries if entry.kind == "call.placed"]


@dataclass(slots=True)
class _Act:
    """Something that the remote party said or pressed, and what came of it."""

    at: datetime
    words: str
    step: Step | None
    turn: str | None = None
    confidence: float | None = None


@dataclass(slots=True)
class _Turn:
    """What the journal says about a turn besides what is heard."""

    number: int
    opened: datetime
    transcript: str
    act: _Act | None
    overrun: timedelta | None
    closed: datetime | None = None
    how: str = CUT_SHORT
    chunks: list[ChunkRecord] = field(default_factory=list)
    action: str | None = None
    findings: list[FindingRecord] = field(default_factory=list)


class _Reader:
    """Reads the entries of one call in order; `record` puts together what they came to."""

    def __init__(self, own: list[Entry], placed: Entry) -> None:
        self._placed = placed
        self._listener = Listener()
        self._answered: datetime | None = None
        self._ended: datetime | None = None
        self._reason = LIVE
        self._last = placed.at
        self._step: Step | None = None
        self._steps: list[tuple[Step, timedelta]] = []
        self._failure: ScriptFailure | None = None
        self._findings: list[FindingRecord] = []
        self._turns: dict[str, _Turn] = {}
        self._speech: list[_Act] = []  # of the remote party
        self._pressed: list[_Act] = []
        self._keys: list[tuple[Who, datetime, str, str | None]] = []
        self._lengths: dict[tuple[str, datetime], timedelta] = {}  # of what is said, by text and moment
        self._overrun: timedelta | None = None  # of the last barge-in, until its words open a turn
        taken: dict[str, Callable[[Entry], None]] = {
            "call.connected": self._connected,
            "call.ended": self._end,
            "script.step": self._take_step,
            "script.failed": self._fail,
            "speech.started": self._start,
            "speech.heard": self._hear,
            "digits": self._press,
            "barge_in": self._barge_in,
            "turn.opened": self._open,
            "turn.chunk": self._chunk,
            "turn.closed": self._close,
            "finding": self._find,
        }
        for entry in own:
            self._last = max(self._last, entry.at)
            self._listener.entry(entry.kind, entry.data, entry.at)
            if entry.kind in taken:
                taken[entry.kind](entry)

    def _since(self, at: datetime) -> timedelta:
        return at - self._placed.at

    # --- what happens ---

    def _connected(self, entry: Entry) -> None:
        self._answered = entry.at

    def _end(self, entry: Entry) -> None:
        self._ended, self._reason = entry.at, entry.data["reason"]

    def _take_step(self, entry: Entry) -> None:
        self._step = tuple(entry.data["step"])
        self._steps.append((self._step, self._since(entry.at)))

    def _fail(self, entry: Entry) -> None:
        step, said = tuple(entry.data["step"]), entry.data
        self._failure = ScriptFailure(
            step=step, at=self._since(entry.at), expected=said["expected"], heard=said["heard"]
        )

    def _start(self, entry: Entry) -> None:
        text = entry.data["text"]
        self._lengths[text, entry.at] = timedelta(seconds=entry.data["duration"])
        if entry.data["party"] == Party.REMOTE.value and not entry.data.get("backchannel"):
            self._speech.append(_Act(entry.at, text, self._step))

    def _hear(self, entry: Entry) -> None:
        if entry.data["party"] != Party.REMOTE.value:
            return
        for act in self._speech:
            if act.turn is None and act.words in entry.data["text"]:
                act.turn, act.confidence = entry.data["turn_id"], entry.data.get("confidence")

    def _press(self, entry: Entry) -> None:
        who = Who.AGENT if entry.data["party"] == Party.AGENT.value else Who.CALLER
        self._keys.append((who, entry.at, entry.data["digits"], entry.data.get("turn_id")))
        if who is Who.CALLER:
            self._pressed.append(_Act(entry.at, entry.data["digits"], self._step))

    def _barge_in(self, entry: Entry) -> None:
        self._overrun = timedelta(seconds=entry.data["overrun"])

    def _open(self, entry: Entry) -> None:
        turn_id, transcript = entry.data["turn_id"], entry.data["transcript"]
        opened_by = [act for act in self._speech if act.turn == turn_id] or [
            act for act in self._pressed if act.turn is None and act.words in transcript
        ]
        for act in opened_by:
            act.turn = turn_id
        last = opened_by[-1] if opened_by and transcript else None
        self._turns[turn_id] = _Turn(len(self._turns) + 1, entry.at, transcript, last, self._overrun)
        self._overrun = None

    def _chunk(self, entry: Entry) -> None:
        turn = self._turns.get(entry.data["turn_id"])
        if turn is None:
            return
        text, interim = entry.data["text"], entry.data["interim"]
        turn.chunks.append(ChunkRecord(at=self._since(entry.at), text=text, interim=interim))
        turn.action = turn.action or action_of(entry.data.get("raw", ""))

    def _close(self, entry: Entry) -> None:
        if turn := self._turns.get(entry.data["turn_id"]):
            turn.closed, turn.how = entry.at, entry.data["how"]

    def _find(self, entry: Entry) -> None:
        said = entry.data
        finding = FindingRecord(
            kind=said["finding"], message=said["message"], at=self._since(entry.at), sample=said.get("sample") or ""
        )
        self._findings.append(finding)
        if turn := self._turns.get(said.get("turn_id") or ""):
            turn.findings.append(finding)

    # --- what it came to ---

    def record(self, story: list[Entry]) -> CallRecord:
        """Put the record together; `story` is the journal with what went over the wire meanwhile."""
        timeline = self._listener.timeline()
        speech = tuple(self._spoken(sound) for sound in timeline.sounds if sound.text)
        keys = tuple(self._all_keys())
        told = self._placed.data
        return CallRecord(
            id=told["call_id"],
            from_number=told["from"] or "",
            to_number=told["to"] or "",
            direction=told["direction"],
            answered=None if self._answered is None else self._since(self._answered),
            ended=self._since(self._ended or self._last),
            reason=self._reason,
            greeting=_greeting(timeline, speech),
            speech=speech,
            keys=keys,
            turns=tuple(self._turn(turn, speech, keys) for turn in timeline.turns),
            findings=tuple(self._findings),
            deliveries=tuple(
                deliveries_of(story, self._placed.at, lambda data: data.get("call_id") == told["call_id"])
            ),
            api_requests=tuple(requests_of(story, self._placed)),
            steps=tuple(self._steps),
            failure=self._failure,
        )

    def _number(self, turn_id: str | None) -> int | None:
        turn = self._turns.get(turn_id) if turn_id is not None else None
        return None if turn is None else turn.number

    def _spoken(self, sound: Sound) -> SpeechRecord:
        whole = self._lengths[sound.text, sound.span.begin]
        text = heard(sound.text, sound.span.length, whole)
        agent = sound.party is Party.AGENT
        said = (sound.span.begin, sound.text)
        act = None if agent else next((act for act in self._speech if (act.at, act.words) == said), None)
        return SpeechRecord(
            who=Who.AGENT if agent else Who.CALLER,
            at=self._since(sound.span.begin),
            length=sound.span.length,
            said=sound.text,
            heard=text,
            turn=self._number(sound.turn_id if act is None else act.turn),
            over=sound.over,
            backchannel=sound.backchannel,
            cut=sound.span.length < whole,
            confidence=act.confidence if act else None,
        )

    def _all_keys(self) -> Iterator[KeysRecord]:
        opened = {act.at: act.turn for act in self._pressed}
        for who, at, digits, turn_id in self._keys:
            turn = self._number(opened.get(at) if who is Who.CALLER else turn_id)
            yield KeysRecord(who=who, at=self._since(at), digits=digits, length=tones_duration(digits), turn=turn)

    def _turn(self, timed: TurnTimeline, speech: tuple[SpeechRecord, ...], keys: tuple[KeysRecord, ...]) -> TurnRecord:
        turn = self._turns[timed.turn_id]
        answer = [part.heard for part in speech if part.who is Who.AGENT and part.turn == turn.number and part.heard]
        pressed = [part.digits for part in keys if part.who is Who.AGENT and part.turn == turn.number]
        return TurnRecord(
            number=turn.number,
            opened=self._since(turn.opened),
            closed=self._since(turn.closed or self._ended or self._last),
            transcript=turn.transcript,
            step=turn.act.step if turn.act else None,
            confidence=turn.act.confidence if turn.act else None,
            said_text=" ".join(chunk.text for chunk in turn.chunks if chunk.text),
            heard_text=" ".join(answer),
            chunks=tuple(turn.chunks),
            first_word=timed.first_word,
            gaps=tuple(Gap(at=self._since(gap.begin), length=gap.length) for gap in timed.gaps),
            overrun=turn.overrun,
            first_byte=timed.answered,
            final_chunk=timed.final_chunk,
            how=turn.how,
            action=turn.action,
            digits="".join(pressed),
            findings=tuple(turn.findings),
        )


def _greeting(timeline: CallTimeline, speech: tuple[SpeechRecord, ...]) -> str:
    if timeline.greeting is None:
        return ""
    return next((part.said for part in speech if part.who is Who.AGENT), "")


def action_of(raw: str) -> str | None:
    """What a chunk does to the call ("transfer", "hangup"), from its bytes as text; None when it does nothing."""
    try:
        value = parse_json(raw.encode())
    except ValueError:
        return None
    if not isinstance(value, Mapping):
        return None
    chunk = understand(value, b"")
    return "transfer" if chunk.transfer else "hangup" if chunk.hangup else None


def deliveries_of(
    story: Iterable[Entry], start: datetime, mine: Callable[[Mapping[str, Any]], bool]
) -> Iterator[DeliveryRecord]:
    """The events owed because of a call or a message, as far as they have come; turns are not among them.

    `mine` says of what an entry tells whether it belongs to that call or message.
    """
    entries = list(story)
    turns = {entry.data["delivery_id"] for entry in entries if entry.kind == "turn.opened"}
    tried = {entry.data["delivery_id"]: entry.data for entry in entries if entry.kind == "delivery.attempt"}
    settled = {entry.data["delivery_id"]: entry.data["status"] for entry in entries if entry.kind == "delivery.settled"}
    for entry in entries:
        delivery_id = entry.data.get("delivery_id")
        if entry.kind != "delivery.created" or delivery_id in turns or not mine(entry.data):
            continue
        last = tried.get(delivery_id, {})
        yield DeliveryRecord(
            id=str(delivery_id),
            event=entry.data["event"],
            status=settled.get(delivery_id, "pending"),
            attempts=last.get("attempt", 0),
            at=entry.at - start,
            http_status=last.get("http_status"),
        )


def requests_of(story: Iterable[Entry], begin: Entry) -> Iterator[ApiRecord]:
    """The requests to `/v1` that were made after `begin`; moments count from it, too."""
    for entry in story:
        if entry.kind == "api.request" and entry.seq > begin.seq:
            body = entry.data.get("body")
            yield ApiRecord(
                at=max(entry.at - begin.at, ZERO),
                method=entry.data["method"],
                path=entry.data["path"],
                status=entry.data["status"],
                body=body if isinstance(body, str) else "" if body is None else json.dumps(body, ensure_ascii=False),
            )
