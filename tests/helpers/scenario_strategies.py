"""Hypothesis strategies for scenario files, as plain data, and for records of calls."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from simulator.domain.findings import FindingKind
from simulator.scenarios.durations import LONGEST, render
from simulator.scenarios.record import CallRecord, ChunkRecord, FindingRecord, Gap, KeysRecord, TurnRecord, Who
from tests.helpers.records import a_call, s, spoke

# Everything that can stand in JSON, and so be said: no lone surrogates, but all the rest.
ANYTHING = st.text(st.characters(exclude_categories=("Cs",)), max_size=60)
WORDS = ANYTHING.filter(str.strip)
HOSTILE = st.sampled_from(
    [
        "<script>alert(1)</script>",
        "]]>",
        '"><img src=x onerror=alert(1)>',
        "&amp;",
        "\x00\x1b[31m",
        "\ud800",
        "</title>",
    ]
) | st.text(max_size=30)
SHORT = st.sampled_from(["uh-huh", "mm", "ja", "はい", "right"])
LENGTHS = st.timedeltas(timedelta(), timedelta(hours=2))
ANY_LENGTH = st.timedeltas(timedelta(), LONGEST)
DIGITS = st.text("0123456789*#", min_size=1, max_size=8)
MATCHES = st.one_of(
    WORDS.map(lambda text: {"contains": text}),
    st.lists(WORDS, min_size=1, max_size=3).map(lambda texts: {"one_of": texts}),
    st.sampled_from(["a+b", r"\bhello\b", "^x|y$", "{{"]).map(lambda pattern: {"matches": pattern}),
)


def _over(words: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, str]]:
    return st.fixed_dictionaries({"after": LENGTHS.map(render), "say": words})


EXPECTS = st.fixed_dictionaries(
    {},
    optional={
        "text": MATCHES,
        "never_says": MATCHES,
        "silent": st.booleans(),
        "action": st.sampled_from(["transfer", "hangup", "none"]),
        "digits": DIGITS,
        "interim": st.booleans(),
        "first_word_within": LENGTHS.map(render),
        "no_gap_over": LENGTHS.map(render),
        "overrun_within": LENGTHS.map(render),
        "findings": st.just("none") | st.lists(st.sampled_from([k.value for k in FindingKind]), min_size=1, max_size=3),
    },
).filter(bool)
SAID = st.fixed_dictionaries({"say": WORDS}, optional={"confidence": st.floats(0, 1), "expect": EXPECTS})
SIMPLE = st.one_of(
    SAID,
    st.just("hang_up"),
    st.fixed_dictionaries({"wait": LENGTHS.map(render)}),
    st.fixed_dictionaries({"silence": LENGTHS.map(render)}),
    st.fixed_dictionaries({"press": DIGITS}, optional={"expect": EXPECTS}),
    st.fixed_dictionaries({"hang_up": st.just(True) | st.fixed_dictionaries({"after": LENGTHS.map(render)})}),
    MATCHES.map(lambda match: {"hear": match}),
    st.tuples(MATCHES, LENGTHS).map(lambda pair: {"hear": {**pair[0], "within": render(pair[1])}}),
    st.fixed_dictionaries({"barge_in": _over(WORDS)}, optional={"expect": EXPECTS}),
    st.fixed_dictionaries({"backchannel": _over(SHORT)}),
)


def _nested(steps: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    scripts = st.lists(steps, min_size=1, max_size=3)
    case = st.tuples(MATCHES, scripts).map(lambda pair: {"hears": pair[0], "then": pair[1]})
    rest = st.lists(scripts.map(lambda steps: {"else": steps}), max_size=1)
    whens = st.tuples(st.lists(case, min_size=1, max_size=2), rest).map(lambda pair: {"when": pair[0] + pair[1]})
    loops = st.tuples(st.integers(1, 5), scripts).map(lambda pair: {"repeat": {"times": pair[0], "steps": pair[1]}})
    return whens | loops


SCRIPTS = st.lists(st.recursive(SIMPLE, _nested, max_leaves=6), min_size=1, max_size=5)


@st.composite
def turns(draw: st.DrawFn, number: int) -> TurnRecord:
    """A turn of a call; `number` says when it was, and which step opened it."""
    opened = s(number * 100 + 3)
    heard = draw(WORDS | st.just(""))
    kinds = draw(st.lists(st.sampled_from(list(FindingKind)), max_size=2))
    return TurnRecord(
        number=number,
        opened=opened,
        closed=opened + draw(st.timedeltas(timedelta(), s(40))),
        transcript=draw(ANYTHING),
        step=(number - 1,),
        said_text=heard,
        heard_text=heard,
        chunks=tuple(
            ChunkRecord(at=opened, text=heard, interim=draw(st.booleans())) for _ in range(draw(st.integers(0, 2)))
        ),
        first_word=draw(st.timedeltas(s(0.001), s(30))) if heard else None,
        gaps=tuple(Gap(at=opened, length=draw(st.timedeltas(s(0.001), s(30)))) for _ in range(draw(st.integers(0, 2)))),
        overrun=draw(st.none() | st.timedeltas(s(0.001), s(2))),
        first_byte=draw(st.none() | st.timedeltas(timedelta(), s(30))),
        how=draw(st.sampled_from(["final", "timed_out", "interrupted", "missing_final"])),
        action=draw(st.sampled_from([None, "transfer", "hangup"])),
        digits=draw(st.just("") | DIGITS),
        findings=tuple(FindingRecord(kind=kind.value, message="no", at=opened) for kind in kinds),
    )


@st.composite
def calls(draw: st.DrawFn) -> CallRecord:
    """A call whose turns were each opened by a step, in order."""
    made = [draw(turns(number)) for number in range(1, draw(st.integers(0, 4)) + 1)]
    speech = []
    keys = []
    for turn in made:
        at, over = turn.opened.total_seconds() - 2, draw(st.booleans())
        if draw(st.integers(0, 4)):
            speech.append(
                spoke(
                    Who.CALLER,
                    at,
                    1.2,
                    draw(WORDS),
                    turn=turn.number,
                    over=over,
                    confidence=draw(st.sampled_from([None, 0.95, 0.3])),
                )
            )
        else:
            keys.append(KeysRecord(who=Who.CALLER, at=s(at), digits=draw(DIGITS), length=s(0.2), turn=turn.number))
        if turn.heard_text:
            speech.append(spoke(Who.AGENT, turn.opened.total_seconds() + 1, 2, turn.heard_text, turn=turn.number))
    reason = draw(st.sampled_from(["user_hangup", "agent_hangup", "inactivity", "api_hangup"]))
    outbound = draw(st.booleans())
    return a_call(
        *made, speech=tuple(speech), keys=tuple(keys), reason=reason, ended=s(100 * len(made) + 99),
        greeting=draw(ANYTHING), direction="outbound" if outbound else "inbound",
    )  # fmt: skip
