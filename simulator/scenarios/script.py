"""From the steps of a file to the steps of the engine, and to the expectations that hang on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import simulator.engine.script as engine
from simulator.errors import UsageError
from simulator.scenarios.source import Loc
from simulator.scenarios.steps import (
    BackchannelStep,
    BargeInStep,
    Case,
    HangUpStep,
    HearStep,
    Leaving,
    Otherwise,
    PressStep,
    RepeatStep,
    SayStep,
    SilenceStep,
    Step,
    WaitStep,
    WhenStep,
)
from simulator.scenarios.wanted import Match, TurnExpect

# The place of a step, as the journal tells it: its index; inside a `repeat` followed by the round and the index there,
# inside a `when` by the case (the one behind the last is `else`) and the index there.
Address = tuple[int, ...]
ANY_ROUND: Final = -1


def steps_of(script: Sequence[Step] | None) -> tuple[engine.Step, ...] | None:
    """The engine's steps; None stays None (the person listens). Raises UsageError for what no party can do."""
    return None if script is None else tuple(step_of(step) for step in script)


def step_of(step: Step) -> engine.Step:
    """The engine's step for one of a file. Raises UsageError for what no party can do."""
    match step:
        case str():
            return engine.HangUp() if step == "hang_up" else engine.Say(step)
        case SayStep():
            return engine.Say(step.say) if step.confidence is None else engine.Say(step.say, step.confidence)
        case WaitStep():
            return engine.Wait(step.wait)
        case SilenceStep():
            return engine.Wait(step.silence)
        case PressStep():
            return engine.Press(step.press)
        case HangUpStep():
            return engine.HangUp(step.hang_up.after if isinstance(step.hang_up, Leaving) else None)
        case HearStep():
            return engine.Hear(match_of(step.hear), step.hear.within)
        case BargeInStep():
            return engine.BargeIn(step.barge_in.say, step.barge_in.after)
        case BackchannelStep():
            return engine.Backchannel(step.backchannel.say, step.backchannel.after)
        case WhenStep():
            return _branch(step)
        case _:
            return engine.Repeat(step.repeat.times, steps_of(step.repeat.steps) or ())


def match_of(match: Match) -> engine.Match:
    """The engine's match, so that what a script hears and what is expected are told alike."""
    one_of = None if match.one_of is None else tuple(match.one_of)
    return engine.Match(contains=match.contains, matches=match.matches, one_of=one_of)


def _branch(step: WhenStep) -> engine.Branch:
    cases = tuple(
        engine.Case(match_of(case.hears), steps_of(case.then) or ()) for case in step.when if isinstance(case, Case)
    )
    last = step.when[-1]
    return engine.Branch(cases, (steps_of(last.else_) or ()) if isinstance(last, Otherwise) else ())


def impossible(script: Sequence[Step], loc: Loc) -> Iterator[tuple[Loc, str]]:
    """Find the steps no party can take; yields where, and why not. Steps inside others are looked at first."""
    for index, step in enumerate(script):
        place = (*loc, index)
        inside = [problem for inner, at in _inside(step, place) for problem in impossible(inner, at)]
        yield from inside
        if not inside:
            try:
                step_of(step)
            except UsageError as error:
                yield place, str(error)


def _inside(step: Step, loc: Loc) -> Iterator[tuple[Sequence[Step], Loc]]:
    if isinstance(step, RepeatStep):
        yield step.repeat.steps, (*loc, "repeat", "steps")
    elif isinstance(step, WhenStep):
        for index, case in enumerate(step.when):
            inner, key = (case.then, "then") if isinstance(case, Case) else (case.else_, "else")
            yield inner, (*loc, "when", index, key)


def expectations_of(script: Sequence[Step]) -> Iterator[tuple[Address, str, TurnExpect]]:
    """Every expectation that hangs on a step: where the step is, the way to it in the file, and what is expected.

    The rounds of a repeat share their expectation: its address has -1 where the round stands.
    """
    yield from _expected(script, (), "script")


def _expected(script: Sequence[Step], address: Address, path: str) -> Iterator[tuple[Address, str, TurnExpect]]:
    for index, step in enumerate(script):
        here, way = (*address, index), f"{path}[{index}]"
        if isinstance(step, SayStep | PressStep | BargeInStep | BackchannelStep):
            if step.expect is not None:
                yield here, way, step.expect
        elif isinstance(step, RepeatStep):
            yield from _expected(step.repeat.steps, (*here, ANY_ROUND), f"{way}.repeat.steps")
        elif isinstance(step, WhenStep):
            for number, case in enumerate(step.when):
                inner, key = (case.then, "then") if isinstance(case, Case) else (case.else_, "else")
                yield from _expected(inner, (*here, number), f"{way}.when[{number}].{key}")


def fits(address: Address, pattern: Address) -> bool:
    """Whether the step at `address` is the one that `pattern` names, in whatever round."""
    return len(address) == len(pattern) and all(p in (a, ANY_ROUND) for a, p in zip(address, pattern, strict=True))
