"""Makes a plan that breaks a law small. It knows what a plan is made of, so a few dozen conversations are enough.

Hypothesis could do this as well, but without that knowledge, and a conversation with somebody's handler is not cheap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

from simulator.conformance.attack.plan import BargeIn, Call, Plan, Say, Step, Text, Thread
from simulator.conformance.attack.strategies import BETWEEN, MOMENTS, OVER, PLAIN

QUESTION: Final = Say(PLAIN[0], plain=True)
OVER_THEM: Final = BargeIn(MOMENTS[0], OVER[0])


def shrink(plan: Plan, breaks: Callable[[Plan], bool]) -> Plan:
    """The smallest plan that can be reached by leaving out and simplifying, one thing at a time, and still breaks."""
    best, looking = plan, True
    while looking:
        looking = False
        for candidate in smaller(best):
            if breaks(candidate):
                best, looking = candidate, True
                break
    return best


def smaller(plan: Plan) -> Iterator[Plan]:
    """Every plan one thing simpler than this, those with the most left out first. Each weighs less: see `weight`."""
    yield from _without_parts(plan)
    yield from _without_circumstances(plan)
    yield from _without_steps(plan)
    yield from _simpler(plan)


def weight(plan: Plan) -> tuple[int, ...]:
    """What makes one plan simpler than another, the most important first."""
    circumstances = (plan.contract != "all") + len(plan.policies) + (plan.context_limit is not None)
    parts: list[Call | Thread] = [*plan.calls, *plan.threads]
    kinds = sum(_rank(step) for call in plan.calls for step in call.steps)
    kinds += sum(_rank_of_text(text) for thread in plan.threads for text in thread.texts)
    rounds = sum(part.round for part in parts)
    named = sum(call.caller for call in plan.calls) + sum(thread.sender for thread in plan.threads)
    return (plan.steps, len(plan.faults), circumstances, len(parts), rounds, named, kinds)


def _rank(step: Step) -> int:
    if step == QUESTION:
        return 0
    if isinstance(step, Say):
        return 1 if step.plain else 2
    return 2 if step == OVER_THEM or not isinstance(step, BargeIn) else 3


def _rank_of_text(text: Text) -> int:
    return 2 * (text.words != PLAIN[0]) + 2 * len(text.media) + BETWEEN.index(text.after)


def _without_parts(plan: Plan) -> Iterator[Plan]:
    if len(plan.calls) + len(plan.threads) < 2:
        return
    if plan.calls and plan.threads:
        yield _packed(replace(plan, threads=()))
        yield _packed(replace(plan, calls=()))
    for calls in _without_one(plan.calls):
        yield _packed(replace(plan, calls=calls))
    for threads in _without_one(plan.threads):
        yield _packed(replace(plan, threads=threads))


def _without_circumstances(plan: Plan) -> Iterator[Plan]:
    bare = replace(plan, faults=(), policies=(), contract="all", context_limit=None)
    if bare != plan:
        yield bare
    for faults in _without_one(plan.faults):
        yield replace(plan, faults=faults)
    for policies in _without_one(plan.policies):
        yield replace(plan, policies=policies)
    if plan.contract != "all":
        yield replace(plan, contract="all")
    if plan.context_limit is not None:
        yield replace(plan, context_limit=None)


def _without_steps(plan: Plan) -> Iterator[Plan]:
    for index, call in enumerate(plan.calls):
        for steps in _shorter(call.steps):
            yield _with_call(plan, index, replace(call, steps=steps))
    for index, thread in enumerate(plan.threads):
        for texts in _shorter(thread.texts):
            yield _with_thread(plan, index, replace(thread, texts=texts))


def _simpler(plan: Plan) -> Iterator[Plan]:
    """The same number of everything, but plainer. Nobody is made to be in two places at once."""
    packed = _packed(plan)
    if weight(packed) < weight(plan):
        yield packed
    for said in {step: None for call in plan.calls for step in call.steps if isinstance(step, Say) and _rank(step)}:
        calls = [replace(call, steps=tuple(QUESTION if s == said else s for s in call.steps)) for call in plan.calls]
        yield replace(plan, calls=tuple(calls))  # where the same is said twice, it stays the same
    for index, call in enumerate(plan.calls):
        if call.caller and not any(c.caller == 0 and c.round == call.round for c in plan.calls):
            yield _with_call(plan, index, replace(call, caller=0))
        for place, step in enumerate(call.steps):
            for plain in (QUESTION, OVER_THEM):
                if _rank(plain) < _rank(step):
                    yield _with_call(plan, index, replace(call, steps=_put(call.steps, place, plain)))
    for index, thread in enumerate(plan.threads):
        if thread.sender and not any(t.sender == 0 and t.round == thread.round for t in plan.threads):
            yield _with_thread(plan, index, replace(thread, sender=0))
        for place, text in enumerate(thread.texts):
            for plainer in _plainer(text):
                yield _with_thread(plan, index, replace(thread, texts=_put(thread.texts, place, plainer)))


def _plainer(text: Text) -> Iterator[Text]:
    if text.words != PLAIN[0] or text.media:
        yield replace(text, words=PLAIN[0], media=())
    for after in BETWEEN[: BETWEEN.index(text.after)]:
        yield replace(text, after=after)


def _packed(plan: Plan) -> Plan:
    """The plan without rounds in which nothing happens."""
    used = sorted({call.round for call in plan.calls} | {thread.round for thread in plan.threads})
    return replace(
        plan,
        calls=tuple(replace(call, round=used.index(call.round)) for call in plan.calls),
        threads=tuple(replace(thread, round=used.index(thread.round)) for thread in plan.threads),
    )


def _shorter(items: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """Leave out ever shorter stretches, but never everything."""
    size = len(items) - 1
    while size > 0:
        for start in range(0, len(items) - size + 1, size):
            yield items[:start] + items[start + size :]
        size //= 2


def _without_one(items: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    for index in range(len(items)):
        yield items[:index] + items[index + 1 :]


def _put(items: tuple[Any, ...], index: int, item: Any) -> tuple[Any, ...]:
    return (*items[:index], item, *items[index + 1 :])


def _with_call(plan: Plan, index: int, call: Call) -> Plan:
    return replace(plan, calls=_put(plan.calls, index, call))


def _with_thread(plan: Plan, index: int, thread: Thread) -> Plan:
    return replace(plan, threads=_put(plan.threads, index, thread))
