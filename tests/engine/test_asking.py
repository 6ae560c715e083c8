from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.engine.asking import (
    MISSES_COMPARED,
    MISSES_SHOWN,
    MOST_SHOWN,
    Bounds,
    Question,
    Search,
    closest,
    explain,
    question_of,
    surroundings,
)
from simulator.engine.conditions import look_up
from simulator.errors import UsageError

KINDS = ("message.sent", "message.received", "call.ended")


def row(seq: int, kind: str = "message.sent", **data: Any) -> dict[str, Any]:
    return {"seq": seq, "at": "2026-01-05T15:00:00.000Z", "kind": kind, **data}


def ask(
    kind: str = "message.sent", bounds: Bounds | None = None, within: float = 0, after: int = 0, **where: Any
) -> Question:
    return question_of(kind, where, bounds or Bounds(), within=within, after=after)


def searched(question: Question, *rows: dict[str, Any]) -> Search:
    search = Search(question)
    for entry in rows:
        search.see(entry)
    return search


def said(search: Search, *rows: dict[str, Any]) -> str:
    return explain(search, surroundings(rows), "the time was over")


VALUES = st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["shipped", "shiped", "lost", "a shipped b"])
ROWS = st.lists(
    st.fixed_dictionaries(
        {"kind": st.sampled_from(KINDS)},
        optional={"body": VALUES, "to": VALUES, "from": VALUES},
    ),
    max_size=12,
).map(lambda found: [{"seq": seq, "at": "", **entry} for seq, entry in enumerate(found, 1)])
TESTS = VALUES | st.one_of(
    st.fixed_dictionaries({"contains": st.sampled_from(["shipped", "LOST"])}),
    st.fixed_dictionaries({"one_of": st.lists(st.integers(0, 3) | st.sampled_from(["shipped"]), min_size=1)}),
    st.fixed_dictionaries({"gt": st.integers(0, 3)}),
    st.fixed_dictionaries({"exists": st.booleans()}),
    st.fixed_dictionaries({"not": VALUES}),
)
WHERE = st.dictionaries(st.sampled_from(["body", "to", "from"]), TESTS, max_size=3)
BOUNDS = st.tuples(st.integers(0, 3), st.none() | st.integers(0, 3)).map(
    lambda pair: Bounds(pair[0], None if pair[1] is None else pair[0] + pair[1])
)


def plainly(entry: dict[str, Any], field: str, wanted: Any) -> bool:
    """What a condition means, said a second time and as simply as can be."""
    seen = entry.get(field)
    match wanted:
        case {"contains": part}:
            return isinstance(seen, str) and part.lower() in seen.lower()
        case {"one_of": values}:
            if isinstance(seen, str):
                return any(isinstance(value, str) and value.lower() in seen.lower() for value in values)
            return any(value == seen and type(value) is type(seen) for value in values)
        case {"gt": bound}:
            return type(seen) is int and seen > bound
        case {"exists": there}:
            return (seen is not None) == there
        case {"not": value}:
            return not plainly(entry, field, value)
        case _:
            return type(seen) is type(wanted) and seen == wanted


@given(ROWS, WHERE, BOUNDS, st.integers(0, 5), st.sampled_from(["message", "message.sent", "call, message.received"]))
def test_an_entry_is_found_if_a_plain_filter_finds_it(
    rows: list[dict[str, Any]], where: dict[str, Any], bounds: Bounds, after: int, kind: str
) -> None:
    kinds = {"message": KINDS[:2], "message.sent": KINDS[:1], "call, message.received": KINDS[1:]}[kind]
    fit = [r for r in rows if r["kind"] in kinds and all(plainly(r, name, where[name]) for name in where)]
    search = searched(question_of(kind, where, bounds, after=after), *rows)
    assert search.found == [r for r in fit if r["seq"] > after]
    assert search.early == [r for r in fit if r["seq"] <= after]
    assert search.count == len(search.found)
    enough = search.count >= bounds.at_least and (bounds.at_most is None or search.count <= bounds.at_most)
    assert search.holds is enough


@given(ROWS, WHERE, BOUNDS)
def test_what_is_decided_stays_so_whatever_comes(
    rows: list[dict[str, Any]], where: dict[str, Any], bounds: Bounds
) -> None:
    search, known = Search(question_of("message", where, bounds)), None
    for entry in rows:
        search.see(entry)
        if search.decided and known is None:
            known = search.holds
        assert known is None or search.holds is known


@given(ROWS, WHERE)
def test_differences_are_the_conditions_that_fail(rows: list[dict[str, Any]], where: dict[str, Any]) -> None:
    for miss in closest(question_of("message", where, Bounds()).conditions, rows):
        failing = {name for name, wanted in where.items() if not plainly(dict(miss.entry), name, wanted)}
        assert {difference.field for difference in miss.differences} == failing
        for difference in miss.differences:
            assert difference.expected == where[difference.field]
            assert difference.observed == miss.entry.get(difference.field)


@given(ROWS, WHERE)
def test_no_miss_is_nearer_than_the_first(rows: list[dict[str, Any]], where: dict[str, Any]) -> None:
    conditions = question_of("message", where, Bounds()).conditions
    near = closest(conditions, rows)
    assert len(near) == min(len(rows), MISSES_SHOWN)

    def rank(entry: Any) -> tuple[int, float, int]:
        failing = [c for c in conditions if not c.holds(entry)]
        return len(failing), -sum(c.nearness(look_up(entry, c.field)) for c in failing), entry["seq"]

    assert [rank(miss.entry) for miss in near] == sorted(map(rank, rows))[:MISSES_SHOWN]
    assert closest(conditions, list(reversed(rows))) == near


def test_near_texts_come_first_among_equals() -> None:
    search = searched(
        ask(to="+1", body={"contains": "shipped"}),
        row(1, to="+1", body="It was lost"),
        row(2, to="+2", body="It has shipped"),
        row(3, to="+1", body="It has shiped"),
        row(4, to="+2", body="no"),
    )
    assert [miss.entry["seq"] for miss in search.closest()] == [3, 2, 1, 4]


def test_of_very_many_misses_the_newest_are_compared() -> None:
    rows = [row(seq, body="shippe" if seq == 1 else "x") for seq in range(1, MISSES_COMPARED + 50)]
    near = searched(ask(body="shipped"), *rows).closest()
    assert min(miss.entry["seq"] for miss in near) == 50


def test_an_answer_shows_so_many_and_counts_all() -> None:
    search = searched(ask(), *(row(seq) for seq in range(1, MOST_SHOWN + 11)))
    assert (len(search.found), search.count) == (MOST_SHOWN, MOST_SHOWN + 10)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("mesage.sent", "'mesage.sent': did you mean message.sent"),
        ("delivry", "did you mean delivery or"),
        ("message.sent, nothing.like.it", "'nothing.like.it'"),
        ("zzzz", "there are account.opened"),
        (" , ", "kind is empty"),
    ],
)
def test_kinds_that_do_not_exist_are_refused(kind: str, told: str) -> None:
    with pytest.raises(UsageError) as refused:
        ask(kind)
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        (Bounds(), "at least 1"),
        (Bounds(0, 0), "no"),
        (Bounds(2, 2), "exactly 2"),
        (Bounds(0, 3), "at most 3"),
        (Bounds(1, 3), "at least 1 and at most 3"),
        (Bounds(0), "at least 0"),
    ],
)
def test_bounds_in_words(bounds: Bounds, words: str) -> None:
    assert str(bounds) == words


def test_the_explanation_says_what_was_expected_and_what_came_nearest() -> None:
    rows = [row(1, body="It has shiped", to="+1"), row(2, "call.ended", reason="busy")]
    search = searched(ask(within=10, to="+1", body={"contains": "shipped"}), *rows)
    lines = said(search, *rows).splitlines()
    assert lines == [
        "expected at least 1 message.sent where to is '+1' and body contains 'shipped', within 10 s",
        "observed 0 (of 1 of that kind); the time was over",
        "nearest misses:",
        "  #1 message.sent at 2026-01-05T15:00:00.000Z: 1 of 2 conditions hold",
        "    body: expected contains 'shipped', observed 'It has shiped'",
    ]


def test_the_explanation_shows_what_should_not_have_happened() -> None:
    rows = [row(1, body="a"), row(2, body="b")]
    search = searched(ask(bounds=Bounds(0, 0), after=0), *rows)
    assert search.decided and not search.holds
    lines = said(search, *rows).splitlines()
    assert lines[0] == "expected no message.sent"
    assert lines[-1] == "  #2 message.sent at 2026-01-05T15:00:00.000Z: body 'b'"


def test_hints_say_which_kinds_there_were() -> None:
    rows = [row(1, "call.ended"), row(2, "call.placed"), row(3, "call.ended")]
    assert "hint: no entry of that kind was ever written; the journal has call.ended (2), call.placed (1)" in said(
        searched(ask(), *rows), *rows
    )
    assert "the journal has nothing at all" in said(searched(ask()))


def test_hints_say_what_came_too_late_or_too_early() -> None:
    search = searched(ask(within=5, after=3), row(2))
    search.see(row(9), late=True)
    told = said(search, row(2), row(9))
    assert "hint: it came when the time was over: #9" in told
    assert "hint: it came before: #2 at 2026-01-05T15:00:00.000Z, and after is 3" in told


def test_hints_name_fields_that_the_kind_does_not_have() -> None:
    assert "hint: no message.sent has a field bodi: did you mean body?" in said(searched(ask(bodi="x")))
    assert "hint: no call.ended has a field zz: there are call_id, reason, status" in said(
        searched(ask("call.ended", zz=1))
    )


def test_hints_name_failing_deliveries_with_their_last_error() -> None:
    about = {"delivery_id": "del_1", "event": "agent.message"}
    failed = {**about, "outcome": "rejected", "http_status": 503, "error": "the webhook answered 503"}
    rows = [row(1, "delivery.attempt", **failed, attempt=1), row(2, "delivery.attempt", **failed, attempt=2)]
    told = "hint: the delivery del_1 (agent.message) failed, attempt 2: the webhook answered 503"
    assert said(searched(ask()), *rows).splitlines()[-1] == told
    rows.append(row(3, "delivery.settled", **about, status="failed", attempts=2))
    assert said(searched(ask()), *rows).splitlines()[-1] == f"{told}; given up after 2"
    fine = row(4, "delivery.attempt", **about, outcome="accepted", http_status=200, error=None, attempt=3)
    assert "hint: the delivery" not in said(searched(ask()), *rows[:2], fine)


def test_hints_name_findings_and_events_without_a_webhook() -> None:
    told = said(
        searched(ask()),
        row(1, "finding", finding="reply_empty", message="no body"),
        row(2, "delivery.unrouted", event="agent.message"),
    )
    assert "hint: the handler: reply_empty, no body" in told
    assert "hint: no webhook was set for agent.message (1): POST /v1/webhooks sets one" in told
