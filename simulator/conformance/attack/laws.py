"""What must hold whatever is said, sent or lost on the way. Pure: a plan and what came of it in, breaches out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from simulator.conformance.attack.plan import AFTERWARDS, Plan, Say
from simulator.domain.findings import FindingKind
from simulator.domain.webhooks import DeliveryStatus
from simulator.scenarios.record import CallRecord, DeliveryRecord, FindingRecord, TextRecord, TurnRecord

# What a connection that is broken on purpose looks like to whoever broke it.
PROVOKED: Final = frozenset({FindingKind.REPLY_UNREACHABLE, FindingKind.REPLY_BROKEN})
LATE: Final = frozenset({FindingKind.REPLY_TIMED_OUT, FindingKind.REPLY_STALLED})
FAILED: Final = frozenset({FindingKind.REPLY_HTTP_ERROR, *PROVOKED})
SILENT: Final = frozenset({FindingKind.REPLY_EMPTY, FindingKind.NOTHING_TO_SAY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """One rule that no conversation may break. `name` is stable; `title` is true of a handler that keeps it."""

    name: str
    title: str
    source: str
    mend: str


WHOLE: Final = Law(
    name="whole-replies",
    title="Every reply is one that the platform understands, and is closed",
    source="webhook documentation, voice replies",
    mend="Answer every turn with one JSON object, or with NDJSON whose last line has no `interim`; also when there is "
    "nothing to say, and also when something fails in mid-stream.",
)
STEADY: Final = Law(
    name="no-errors",
    title="No turn is answered with an error, whatever came before it",
    source="webhook documentation, voice replies",
    mend="Look at the traceback in your log: the state that a call leaves behind must not break the next turn.",
)
TIMELY: Final = Law(
    name="in-time",
    title="Every reply comes within the webhook's timeout",
    source="webhook documentation, timeouts",
    mend="Answer with an interim chunk at once, and give what takes long a limit of its own.",
)
ANSWERED: Final = Law(
    name="answered",
    title="A plain question is answered with words or an action, whenever it is asked",
    source="good sense: to the caller, silence is a dead line",
    mend="Say something to every turn that you understand; `{}` or an empty text is silence.",
)
AGAIN: Final = Law(
    name="asked-again",
    title="A turn that comes again with the same id is answered again",
    source="webhook documentation, at least once; field reports of handlers that fall silent",
    mend="Do not leave a voice turn out because you have seen its id: say the same again.",
)
TAKEN: Final = Law(
    name="acknowledged",
    title="Every event is acknowledged at once, whatever is going on besides",
    source="webhook documentation, retries",
    mend="Answer 2xx to every event that is signed well, unknown ones included, before you work on it.",
)
ALIVE: Final = Law(
    name="alive",
    title="When everything is over, a plain question is answered as at the beginning",
    source="good sense: one caller must not spoil it for the next",
    mend="Keep what belongs to a call with that call, and drop it when the call ends; however it ends.",
)
ENDS: Final = Law(
    name="comes-to-an-end",
    title="Every conversation comes to its end",
    source="good sense",
    mend="Answer or refuse every request, and close it.",
)
LAWS: Final = (WHOLE, STEADY, TIMELY, ANSWERED, AGAIN, TAKEN, ALIVE, ENDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What came of a plan: records by the place of their part ("calls[0]").

    `struck` says for a delivery's id how many of its attempts a fault prevented.
    """

    calls: Mapping[str, CallRecord] = field(default_factory=dict)
    threads: Mapping[str, TextRecord] = field(default_factory=dict)
    afterwards: CallRecord | TextRecord | None = None
    struck: Mapping[str, int] = field(default_factory=dict)
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One law broken once. It holds no ids and no moments: the same seed finds an equal one.

    `kind` is what of the law was broken: the finding, or the event. `part` is the place in the scenario, or
    AFTERWARDS; `turn` and `step` say where in a call.
    """

    law: Law
    kind: str
    expected: str
    observed: str
    part: str = ""
    turn: int | None = None
    step: tuple[int, ...] | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What two breaches have in common that are of one mistake."""
        return self.law.name, self.kind


def breaches(plan: Plan, observed: Observed) -> Iterator[Breach]:
    """Every law that was broken, in the order in which things happened in each part."""
    for part, call in observed.calls.items():
        yield from _call(plan, observed, call, part)
    for part, thread in observed.threads.items():
        yield from _deliveries(observed, thread.deliveries, part)
    yield from _afterwards(plan, observed)
    if observed.error is not None:
        yield Breach(law=ENDS, kind="", expected="the conversation comes to its end", observed=observed.error)


def _afterwards(plan: Plan, observed: Observed) -> Iterator[Breach]:
    last = observed.afterwards
    if isinstance(last, CallRecord):
        found = list(_call(plan, observed, last, AFTERWARDS))
    else:
        found = list(_deliveries(observed, last.deliveries, AFTERWARDS)) if last is not None else []
    yield from (replace(breach, law=ALIVE) for breach in found)


def _call(plan: Plan, observed: Observed, call: CallRecord, part: str) -> Iterator[Breach]:
    for turn in call.turns:
        provoked = {finding.kind for finding in turn.findings if plan.loses and finding.kind in PROVOKED}
        for finding in turn.findings:
            if finding.kind not in provoked and FindingKind.REPLY_BROKEN not in provoked:
                yield _finding(finding, turn, part, again=bool(provoked))
        told = len(turn.findings) > len(provoked)  # something was found already
        if turn.unanswered and turn.how == "final" and not told and _plain(plan, part, turn):
            yield _silence(turn, AGAIN if provoked else ANSWERED, part)
    for finding in call.findings:
        if not any(finding in turn.findings for turn in call.turns):
            yield _finding(finding, None, part, again=False)
    yield from _deliveries(observed, call.deliveries, part)


def _plain(plan: Plan, part: str, turn: TurnRecord) -> bool:
    """Whether a turn was opened by words that any handler has something to answer to."""
    if part == AFTERWARDS:
        return True
    call = plan.calls[int(part.removeprefix("calls[").removesuffix("]"))]
    step = call.steps[turn.step[0]] if turn.step else None
    return isinstance(step, Say) and step.plain and turn.transcript == step.words


def _finding(finding: FindingRecord, turn: TurnRecord | None, part: str, *, again: bool) -> Breach:
    """`again`: what is wrong is the answer to a turn that was lost before, and sent once more."""
    kind = FindingKind(finding.kind)
    if again and kind in SILENT:
        law = AGAIN
    elif kind in LATE:
        law = TIMELY
    else:
        law = STEADY if kind in FAILED else WHOLE
    message = finding.message.partition(" (")[0] if kind in PROVOKED else finding.message  # a port is in brackets
    return Breach(
        law=law,
        kind=kind.value,
        expected="a whole reply",
        observed=f"{kind.value}: {message}",
        part=part,
        turn=turn.number if turn else None,
        step=turn.step if turn else None,
    )


def _silence(turn: TurnRecord, law: Law, part: str) -> Breach:
    return Breach(
        law=law,
        kind="silence",
        expected="an answer to a plain question",
        observed=f"silence (the reply ended: {turn.how})",
        part=part,
        turn=turn.number,
        step=turn.step,
    )


def _deliveries(observed: Observed, deliveries: tuple[DeliveryRecord, ...], part: str) -> Iterator[Breach]:
    for delivery in deliveries:
        allowed = 1 + observed.struck.get(delivery.id, 0)
        settled = delivery.status == DeliveryStatus.SUCCESS.value
        if settled and delivery.attempts <= allowed:
            continue
        answer = "no answer" if delivery.http_status is None else f"at last {delivery.http_status}"
        tries = f"{delivery.attempts} attempt{'s' if delivery.attempts != 1 else ''}"
        yield Breach(
            law=TAKEN,
            kind=delivery.event,
            expected=f"{delivery.event} is acknowledged with 2xx when it first arrives",
            observed=f"{delivery.status} after {tries}, {answer}",
            part=part,
        )
