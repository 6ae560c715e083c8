from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import accumulate, pairwise
from typing import Final
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.domain.webhooks import Delivery, Outcome, OutcomeKind
from simulator.scenarios.reports import ladder, ladder_svg, ladder_text
from simulator.scenarios.reports.ladder import Chart, chart_of
from simulator.scenarios.reports.ladder_records import (
    End,
    How,
    Outage,
    as_json,
    figures_of,
    from_json,
    observed_outages,
    order_of_arrival,
    owed_of,
)
from tests.helpers.ladders import HOUR, REFUSED, START, climbed, owing, rejected

RUNGS: Final = list(accumulate(timedelta(minutes=m) for m in (0, 5, 30, 120, 360, 720)))
SVG: Final = "{http://www.w3.org/2000/svg}"
DAY: Final = Outage(START + 2 * HOUR, START + 26 * HOUR)


def a_day(failing: Outcome = REFUSED) -> Chart:
    """A text every hour, and a handler that is away from the third on, for a day."""
    texts = [climbed(owing(n, START + n * HOUR), [(DAY.begin, DAY.end)], failing) for n in range(29)]
    return chart_of(map(owed_of, texts), [DAY], most_rows=48)


def svg_of(chart: Chart) -> ElementTree.Element:
    return ElementTree.fromstring(ladder_svg.render(chart, "A day"))


MINUTES: Final = st.integers(0, 60 * 60).map(lambda n: timedelta(minutes=n))


@given(st.lists(MINUTES, min_size=1, max_size=10), MINUTES, MINUTES)
def test_a_delivery_is_lost_if_no_rung_of_the_ladder_falls_outside_the_outage(
    sent: list[timedelta], begins: timedelta, lasts: timedelta
) -> None:
    outage = Outage(START + begins, START + begins + lasts)
    deliveries = [climbed(owing(n, START + after), [(outage.begin, outage.end)]) for n, after in enumerate(sent)]
    owed = [owed_of(delivery) for delivery in deliveries]
    gaps = []
    for after, delivery in zip(sent, owed, strict=True):
        climb = [START + after + rung for rung in RUNGS]
        reached = next((at for at in climb if not outage.begin <= at < outage.end), None)
        assert delivery.arrived == reached
        assert delivery.end is (End.LOST if reached is None else End.FIRST_TRY if reached == climb[0] else End.LATE)
        assert len(delivery.tries) == (6 if reached is None else climb.index(reached) + 1)
        gaps.append(reached)
    figures = figures_of(owed)
    assert (figures.sent, figures.pending) == (len(sent), 0)
    assert figures.first_try + figures.late + figures.lost == len(sent)
    assert figures.lost == gaps.count(None)
    assert figures.attempts == sum(len(delivery.attempts) for delivery in deliveries)
    delays = sorted(d.arrived - d.created for d in owed if d.end is End.LATE and d.arrived is not None)
    assert figures.delay_max == (delays[-1] if delays else None)
    assert figures.delay_p50 == (delays[(len(delays) - 1) // 2] if delays else None)


@given(st.lists(MINUTES, max_size=40), MINUTES, MINUTES, st.integers(1, 12))
def test_every_delivery_is_in_one_row_and_there_are_not_too_many(
    sent: list[timedelta], begins: timedelta, lasts: timedelta, most: int
) -> None:
    down = [(START + begins, START + begins + lasts)]
    owed = [owed_of(climbed(owing(n, START + after), down)) for n, after in enumerate(sent)]
    chart = chart_of(owed, [Outage(*down[0])], most_rows=most)
    assert sorted(d.id for row in chart.rows for d in row.owed) == sorted(d.id for d in owed)
    assert len(chart.rows) <= most
    firsts = [row.owed[0].created for row in chart.rows]
    assert firsts == sorted(firsts)
    for text in (ladder_text.render(chart, 80), ladder_text.render(chart, 120)):
        assert max(map(len, text.splitlines())) <= (80 if text == ladder_text.render(chart, 80) else 120)
    assert len(svg_of(chart).findall(f"{SVG}g[@class='delivery']")) == len(chart.rows)


@given(st.lists(MINUTES, max_size=8), MINUTES)
def test_records_survive_as_json(sent: list[timedelta], lasts: timedelta) -> None:
    for number, after in enumerate(sent):
        owed = owed_of(climbed(owing(number, START + after), [(START, START + lasts)]))
        assert from_json(json.loads(json.dumps(as_json(owed)))) == owed


def test_a_day_without_a_handler_in_figures() -> None:
    figures = a_day().figures
    assert (figures.sent, figures.first_try, figures.late, figures.lost) == (29, 5, 20, 4)
    assert figures.attempts == 5 + 4 * 6 + 12 * 6 + 6 * 5 + 2 * 4
    assert figures.delay_max == RUNGS[-1]
    assert figures.longest_gap == 25 * HOUR
    assert ladder.verdict(a_day()) == (
        "29 sent, handler down for 24 h: 5 at first try, 20 late (by up to 20 h 35 m), 4 lost."
    )


def test_what_arrived_is_listed_as_it_arrived() -> None:
    chart = a_day()
    came = order_of_arrival([d for row in chart.rows for d in row.owed])
    assert [d.arrived for d in came] == sorted(d.arrived for d in came if d.arrived)
    sent = [int(d.id.removeprefix("del_")) for d in came]
    assert len(sent) == 25
    assert sent[:4] == [0, 1, 26, 6]  # what was sent after the outage overtakes what was sent before


def test_outages_are_seen_in_the_records() -> None:
    chart = a_day()
    [seen] = observed_outages(d for row in chart.rows for d in row.owed)
    assert DAY.begin == seen.begin
    assert DAY.end - HOUR < seen.end < DAY.end
    assert observed_outages([owed_of(climbed(owing(1, START), []))]) == ()
    assert observed_outages([]) == ()


@pytest.mark.parametrize(
    ("failing", "retryable", "how", "reason"),
    [
        (REFUSED, True, How.REFUSED, "all 6 attempts failed: connection refused"),
        (rejected(503), True, How.ERROR, "all 6 attempts failed: the webhook answered 503"),
        (rejected(429), True, How.ERROR, "all 6 attempts failed: the webhook answered 429"),
        (rejected(404), True, How.FINAL, "the webhook answered 404, which is final"),
        (rejected(503), False, How.ERROR, "it is sent only once: the webhook answered 503"),
        (Outcome(kind=OutcomeKind.TIMED_OUT), True, How.TIMED_OUT, "all 6 attempts failed: timed out"),
        (Outcome(kind=OutcomeKind.REFUSED, error="not sent: gone"), True, How.NOT_SENT, "not sent: gone"),
        (Outcome(kind=OutcomeKind.INTERRUPTED), False, How.INTERRUPTED, "it is sent only once: interrupted"),
    ],
)
def test_what_is_lost_has_its_reason(failing: Outcome, retryable: bool, how: How, reason: str) -> None:
    delivery = climbed(owing(1, START, retryable=retryable), [(START, START + 30 * HOUR)], failing)
    owed = owed_of(delivery)
    assert (owed.end, owed.tries[-1].how, owed.reason) == (End.LOST, how, reason)
    chart = chart_of([owed], most_rows=5)
    assert reason in ladder_svg.render(chart)
    assert "lost" in ladder_text.render(chart)
    assert ladder_text.MARKS[how] in ladder_text.render(chart)


def test_what_is_not_settled_is_pending_until_its_next_attempt() -> None:
    delivery = replace(owing(1, START), next_attempt_at=START + HOUR)
    chart = chart_of([owed_of(delivery)], most_rows=5)
    assert (chart.figures.pending, chart.end) == (1, START + HOUR)
    assert "pending" in ladder_text.render(chart)
    assert len(svg_of(chart).findall(f".//{SVG}line[@class='climb wait']")) == 1
    assert "1 still pending" in ladder.verdict(chart)


def test_without_deliveries_there_is_still_a_picture() -> None:
    chart = chart_of([], most_rows=5)
    assert ladder.verdict(chart) == "Nothing was sent."
    assert svg_of(chart).tag == f"{SVG}svg"
    assert ladder_text.render(chart).startswith("Nothing was sent.")


def test_the_picture_has_its_story_in_words() -> None:
    root = svg_of(a_day())
    assert root.get("role") == "img"
    ids = {element.get("id"): element.text or "" for element in root.iter()}
    labels = (root.get("aria-labelledby") or "").split()
    assert ids[labels[0]] == "A day"
    assert "29 sent, handler down for 24 h" in ids[labels[1]]
    assert "agent.message of Mon 17:00: all 6 attempts failed: connection refused" in ids[labels[1]]


def test_the_picture_shows_each_attempt_the_outage_and_what_was_lost() -> None:
    chart = a_day()
    root = svg_of(chart)
    marks = root.findall(f".//{SVG}g[@class='delivery']/{SVG}path")
    assert len(marks) == chart.figures.attempts
    assert [m.get("class") for m in marks].count("mark delivered") == 25
    assert all(mark.find(f"{SVG}title") is not None for mark in marks)
    [away] = root.findall(f"{SVG}g[@class='outage']/{SVG}rect")
    left, width = float(away.get("x") or 0), float(away.get("width") or 0)
    refused = [m for m in marks if m.get("class") == "mark refused"]
    assert all(left <= x_of(mark) <= left + width for mark in refused)
    assert not any(left <= x_of(m) < left + width - 0.02 for m in marks if m not in refused)
    assert len(root.findall(f".//{SVG}rect[@class='lost-row']")) == 4
    assert [t.text for t in root.iter(f"{SVG}text")].count("✕ lost: 6 of 6 failed") == 4


def x_of(mark: ElementTree.Element) -> float:
    return float((mark.get("d") or "").removeprefix("M").split()[0])


def test_the_picture_needs_nothing_else_and_stays_inside_its_frame() -> None:
    text = ladder_svg.render(a_day(rejected(503)))
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    root = ElementTree.fromstring(text)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg", "title", "desc", "style", "g", "rect", "line", "path", "text",
    }  # fmt: skip
    for element in root.iter():
        for name in ("x", "x1", "x2"):
            assert 0 <= float(element.get(name, "0")) <= ladder_svg.WIDTH


def test_hostile_words_stay_words() -> None:
    nasty = replace(rejected(404), error="<script>\x00alert(1)</script>")
    owed = owed_of(climbed(owing(1, START), [(START, START + HOUR)], nasty))
    chart = chart_of([owed], [Outage(START, START + HOUR, "<b>")], most_rows=5)
    assert "<script" not in ladder_svg.render(chart, "<i>")
    assert ElementTree.fromstring(ladder_svg.render(chart, "<i>")) is not None


def test_the_terminal_shows_a_row_per_text_and_the_outage_behind() -> None:
    text = ladder_text.render(a_day(), 100)
    rows = [line for line in text.splitlines() if line.startswith(("Mon", "Tue"))]
    assert len(rows) == 29
    assert rows[2].startswith("Mon 17:00") and rows[2].endswith("lost: 6 of 6 failed")
    assert rows[6].count("x") == 4 and rows[6].count("●") == 1 and "░" in rows[6]
    assert "● delivered" in text and "░ handler down for 24 h" in text
    assert "sent 29, at first try 5, late 20, lost 4, pending 0" in text


def test_the_terminal_is_never_narrower_than_eighty_columns() -> None:
    assert ladder_text.render(a_day(), 20) == ladder_text.render(a_day(), 80)


def test_neighbours_share_a_row_when_there_are_too_many() -> None:
    texts: list[Delivery] = [climbed(owing(n, START + n * HOUR / 4), [(DAY.begin, DAY.end)]) for n in range(200)]
    chart = chart_of(map(owed_of, texts), [DAY], most_rows=40)
    assert len(chart.rows) <= 40
    assert f"a row is up to {chart.bundled} deliveries" in " ".join(ladder_text.render(chart).split())
    assert f"a row is up to {chart.bundled} deliveries" in ladder_svg.render(chart)
    assert all(len(row.ends) == 1 for row in chart.rows)  # those that were lost keep rows of their own


@given(MINUTES, st.integers(0, 2_400_000).map(lambda s: timedelta(seconds=s)), st.integers(2, 12))
def test_ticks_are_round_and_in_the_picture(begins: timedelta, lasts: timedelta, most: int) -> None:
    begin = START + begins
    found = ladder.ticks(begin, begin + lasts, most)
    assert len(found) <= most
    assert all(begin <= tick <= begin + lasts for tick in found)
    steps = {later - earlier for earlier, later in pairwise(found)}
    assert len(steps) <= 1 and steps <= set(ladder.TICKS)


@pytest.mark.parametrize(
    ("at", "before", "label"),
    [
        (START, None, "Mon 15:00"),
        (START, START - HOUR, "15:00"),
        (START + 9 * HOUR, START, "Tue 06 Jan"),
        (START + 10 * HOUR, START, "Tue 01:00"),
        (START + timedelta(seconds=5), START, "15:00:05"),
    ],
)
def test_ticks_say_the_day_when_it_is_new(at: datetime, before: datetime | None, label: str) -> None:
    assert ladder.tick_label(at, before) == label


@pytest.mark.parametrize(
    ("seconds", "spelt"),
    [(0, "0 s"), (45, "45 s"), (305, "5 m 5 s"), (74_100, "20 h 35 m"), (86_400, "24 h"), (190_000, "2 d 4 h")],
)
def test_lengths_are_spelt_by_their_two_largest_units(seconds: int, spelt: str) -> None:
    assert ladder.spell(timedelta(seconds=seconds)) == spelt
