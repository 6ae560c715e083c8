"""Holds what a scenario expects of a call against the record of it. Pure: the same record, the same verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from simulator.scenarios.checks import Check, Piece, count, enough, found_at, join, nearest, quote, speech_that, words
from simulator.scenarios.durations import short
from simulator.scenarios.model import CallPart
from simulator.scenarios.record import CallRecord, FindingRecord, TurnRecord, Who
from simulator.scenarios.script import Address, expectations_of, fits
from simulator.scenarios.traffic import api_checks, delivery_checks
from simulator.scenarios.wanted import CallExpect, Match, Spoken, TurnExpect


def check_call(part: CallPart, record: CallRecord, where: str) -> tuple[Check, ...]:
    """Every check of one call, in the order of the file; `where` is the way to the call in it ("calls[0]")."""
    checks = list(_script(record, f"{where}.script"))
    for address, way, expect in expectations_of(part.script or []):
        checks += _step(expect, record, address, f"{where}.{way}.expect")
    if part.expect is not None:
        checks += _call(part.expect, record, f"{where}.expect")
    return tuple(checks)


def _script(record: CallRecord, where: str) -> Iterator[Check]:
    failure = record.failure
    if failure is None:
        yield Check(name="script", where=where, ok=True, expected="the script is played", observed="it was")
        return
    place = f"{where}{''.join(f'[{index}]' for index in failure.step)}"
    wanted, heard = f"to hear {speech_that(failure.expected)}", quote(failure.heard) if failure.heard else "nothing"
    yield Check(name="hear", where=place, ok=False, expected=wanted, observed=heard, at=failure.at)


def _step(expect: TurnExpect, record: CallRecord, address: Address, where: str) -> Iterator[Check]:
    """The checks of one step: once for each turn that it opened, which in a repeat may be several."""
    turns = [turn for turn in record.turns if turn.step is not None and fits(turn.step, address)]
    if not turns and not _passed_by(record, address):
        taken = next((at for step, at in record.steps if fits(step, address)), None)
        reason = f"none: the call ended first ({record.reason})" if taken is None else "none: the step opened no turn"
        at = record.ended if taken is None else taken
        yield Check(name="turn", where=where, ok=False, expected="an answer to this step", observed=reason, at=at)
    for turn in turns:
        place = where if len(turns) == 1 else f"{where} (turn {turn.number})"
        yield from check_turn(expect, turn, record, place)


def _passed_by(record: CallRecord, address: Address) -> bool:
    """Whether another case of a `when` was chosen, so that the step at `address` was never to be taken."""
    for length in range(1, len(address) - 1, 2):
        outer = address[:length]
        inside = [step for step, _ in record.steps if len(step) > length and fits(step[:length], outer)]
        if address[length] >= 0 and not any(step[length] == address[length] for step in inside):
            return bool(inside) or any(_behind(step, outer, record) for step, _ in record.steps)
    return False


def _behind(step: Address, outer: Address, record: CallRecord) -> bool:
    """Whether `step` comes after `outer` in the same list; or is `outer`, and the script was played to its end."""
    length = len(outer)
    if len(step) < length or not fits(step[: length - 1], outer[:-1]):
        return False
    return step[length - 1] > outer[-1] or (step == outer and record.reason == "user_hangup")


def check_turn(expect: Spoken, turn: TurnRecord, record: CallRecord, where: str) -> Iterator[Check]:
    """The checks of one turn."""
    pieces = _pieces(record, turn.number)
    yield from _said(expect, pieces, where, turn.opened, turn.said_text)
    yield from _done(expect, [turn], turn.digits, where, turn.opened)
    yield from _timed(expect, [turn], where, of_call=False)
    yield from _found(expect, turn.findings, where, turn.opened)


def _call(expect: CallExpect, record: CallRecord, where: str) -> Iterator[Check]:
    meant = " ".join([record.greeting, *(turn.said_text for turn in record.turns)])
    yield from _said(expect, _pieces(record, None), where, record.ended, meant)
    digits = "".join(keys.digits for keys in record.keys if keys.who is Who.AGENT)
    yield from _done(expect, record.turns, digits, where, record.ended)
    yield from _timed(expect, record.turns, where, of_call=True)
    yield from _found(expect, record.findings, where, record.ended)
    if expect.reason is not None:
        yield _equal("reason", where, expect.reason, record.reason, record.ended)
    if expect.turns is not None:
        ok, number = enough(expect.turns, len(record.turns)), len(record.turns)
        wanted = f"the number of turns to be {count(expect.turns)}"
        last = record.turns[-1].opened if record.turns else record.ended
        yield Check(name="turns", where=f"{where}.turns", ok=ok, expected=wanted, observed=str(number), at=last)
    if expect.duration_within is not None:
        ok = record.duration <= expect.duration_within
        wanted = f"the call to last {short(expect.duration_within)} at most"
        seen = short(record.duration)
        yield Check(
            name="duration_within",
            where=f"{where}.duration_within",
            ok=ok,
            expected=wanted,
            observed=seen,
            at=record.ended,
        )
    yield from api_checks(expect.api_calls or [], record.api_requests, where)
    yield from delivery_checks(expect.deliveries or [], record.deliveries, where)


def _pieces(record: CallRecord, turn: int | None) -> list[Piece]:
    """What was heard of the agent, piece by piece; of one turn, or (None) of the whole call."""
    spoken = [part for part in record.speech if part.who is Who.AGENT and turn in (None, part.turn)]
    return [(part.at, part.heard) for part in spoken if part.heard]


def _said(expect: Spoken, pieces: Sequence[Piece], where: str, at: timedelta, meant: str) -> Iterator[Check]:
    heard = join(pieces)
    seen = quote(heard) if heard else "silence"
    first = pieces[0][0] if pieces else at
    if expect.text is not None:
        moment = found_at(expect.text, pieces)
        near, near_at = ("", None) if moment is not None else _near(expect.text, pieces, meant)
        yield Check(
            name="text", where=f"{where}.text", ok=moment is not None, expected=speech_that(words(expect.text)),
            observed=seen, nearest=near, at=next(known for known in (moment, near_at, first) if known is not None),
        )  # fmt: skip
    if expect.never_says is not None:
        moment = found_at(expect.never_says, pieces)
        wanted = f"no {speech_that(words(expect.never_says))}"
        said = next((quote(text) for piece_at, text in pieces if piece_at == moment), seen)
        yield Check(
            name="never_says", where=f"{where}.never_says", ok=moment is None, expected=wanted,
            observed=said if moment is not None else seen, at=moment if moment is not None else first,
        )  # fmt: skip
    if expect.silent is not None:
        wanted = "the agent to be silent" if expect.silent else "the agent to be heard"
        yield Check(
            name="silent",
            where=f"{where}.silent",
            ok=expect.silent is (not heard),
            expected=wanted,
            observed=seen,
            at=first,
        )


def _near(match: Match, pieces: Sequence[Piece], meant: str) -> tuple[str, timedelta | None]:
    """The nearest miss: words that were sent but cut off before they were heard, or words that are alike."""
    if found_at(match, [(timedelta(), meant)]) is not None:
        return "the handler sent it, but it was cut off before it was heard", pieces[-1][0] if pieces else None
    return nearest(match, pieces)


def _done(expect: Spoken, turns: Sequence[TurnRecord], digits: str, where: str, at: timedelta) -> Iterator[Check]:
    if expect.action is not None:
        actor = next((turn for turn in turns if turn.action), None)
        yield _equal("action", where, expect.action, (actor and actor.action) or "none", actor.opened if actor else at)
    if expect.digits is not None:
        yield _equal("digits", where, expect.digits, digits or "no keys", at)
    if expect.interim is not None:
        chunky = next((turn for turn in turns if turn.interim), None)
        wanted = "an interim chunk" if expect.interim else "no interim chunk"
        seen = f"an interim chunk, in turn {chunky.number}" if chunky else "no interim chunk"
        ok, moment = (chunky is not None) is expect.interim, chunky.opened if chunky else at
        yield Check(name="interim", where=f"{where}.interim", ok=ok, expected=wanted, observed=seen, at=moment)


def _timed(expect: Spoken, turns: Sequence[TurnRecord], where: str, *, of_call: bool) -> Iterator[Check]:
    if expect.first_word_within is not None:
        yield _first_word(expect.first_word_within, turns, where, of_call=of_call)
    if expect.no_gap_over is not None:
        gaps = [(gap.length, gap.at) for turn in turns for gap in turn.gaps]
        yield _longest("no_gap_over", where, f"no silence over {short(expect.no_gap_over)}", expect.no_gap_over, gaps)
    if expect.overrun_within is not None:
        runs = [(turn.overrun, turn.opened) for turn in turns if turn.overrun is not None]
        wanted = f"the agent to stop within {short(expect.overrun_within)} when spoken over"
        yield _longest("overrun_within", where, wanted, expect.overrun_within, runs)


def _first_word(limit: timedelta, turns: Sequence[TurnRecord], where: str, *, of_call: bool) -> Check:
    """The slowest first word. Of a whole call, turns that were not meant to be heard, or could not be, don't count."""
    wanted = f"the first word within {short(limit)}"
    place = f"{where}.first_word_within"
    meant = [turn for turn in turns if turn.first_word is not None or turn.unanswered or not of_call]
    silent = next((turn for turn in meant if turn.first_word is None), None)
    if silent is not None:
        seen = f"silence ({silent.how})"
        return Check(name="first_word_within", where=place, ok=False, expected=wanted, observed=seen, at=silent.opened)
    waits = [(turn.first_word, turn.opened) for turn in meant if turn.first_word is not None]
    return _longest("first_word_within", where, wanted, limit, waits)


def _longest(
    name: str, where: str, wanted: str, limit: timedelta, seen: Sequence[tuple[timedelta, timedelta]]
) -> Check:
    """A check that the longest of some lengths (each with its moment) keeps to a limit."""
    length, at = max(seen, default=(None, None), key=lambda item: item[0])
    ok = length is None or length <= limit
    observed = "none" if length is None else _exactly(length, limit)
    return Check(name=name, where=f"{where}.{name}", ok=ok, expected=wanted, observed=observed, at=at)


def _exactly(length: timedelta, limit: timedelta) -> str:
    """Write a length so that it does not look like the limit that it is over."""
    return f"{length.total_seconds():g} s" if length > limit and short(length) == short(limit) else short(length)


def _found(expect: Spoken, findings: Sequence[FindingRecord], where: str, at: timedelta) -> Iterator[Check]:
    if expect.findings is None:
        return
    kinds = sorted({finding.kind for finding in findings})
    wanted = [] if expect.findings == "none" else sorted(set(expect.findings))
    unwanted = next((finding for finding in findings if finding.kind not in wanted), None)
    seen = ", ".join(kinds) or "no findings"
    if unwanted is not None:
        seen = f"{seen} ({unwanted.kind}: {unwanted.message})"
    yield Check(
        name="findings", where=f"{where}.findings", ok=kinds == wanted, at=unwanted.at if unwanted else at,
        expected=f"findings {', '.join(wanted)}" if wanted else "no findings", observed=seen,
    )  # fmt: skip


def _equal(name: str, where: str, wanted: str, seen: str, at: timedelta) -> Check:
    return Check(
        name=name, where=f"{where}.{name}", ok=wanted == seen, expected=f"{name} {wanted}", observed=seen, at=at
    )
