from __future__ import annotations

import io
import json
import re
import xml.etree.ElementTree as Xml
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from rich.console import Console

from simulator.scenarios.checks import Check
from simulator.scenarios.record import (
    ChunkRecord,
    DeliveryRecord,
    FindingRecord,
    KeysRecord,
    MessageRecord,
    TextRecord,
    Who,
)
from simulator.scenarios.reports import as_json, junit, page, terminal
from simulator.scenarios.reports.texts import escaped, printable
from simulator.scenarios.results import CallResult, RunResult, ScenarioResult, TextResult
from tests.helpers.records import STARTED, a_call, a_turn, busy_run, s, spoke
from tests.helpers.scenario_strategies import HOSTILE

ALLOWED = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "footer", "section", "nav", "article"),
    *(
        "details",
        "summary",
        "h1",
        "h2",
        "h3",
        "p",
        "span",
        "div",
        "dl",
        "dt",
        "dd",
        "ul",
        "ol",
        "li",
        "a",
        "b",
        "i",
        "s",
    ),
    *("strong", "code", "kbd", "time", "table", "thead", "tbody", "tr", "th", "td"),
    *("svg", "g", "rect", "line", "path", "circle", "text"),
}


def run_with(text: str) -> RunResult:
    """A run in which every text that others have written is `text`."""
    finding = FindingRecord(kind="x" + text, message=text, at=s(7), sample=text)
    turn = a_turn(transcript=text, heard_text=text, said_text=text, chunks=(ChunkRecord(at=s(5), text=text),), how=text)
    speech = (spoke(Who.CALLER, 3, 1, text, confidence=0.5), spoke(Who.AGENT, 6, 2, text + " more", text, turn=1))
    keys = (KeysRecord(who=Who.CALLER, at=s(9), digits=text),)
    delivery = DeliveryRecord(id=text, event=text, status=text, attempts=1, at=s(1))
    call = a_call(
        turn, speech=speech, keys=keys, reason=text, findings=(finding,), from_number=text, deliveries=(delivery,)
    )
    check = Check(name=text, where=text, ok=False, expected=text, observed=text, nearest=text, at=s(6))
    messages = (MessageRecord(by=Who.AGENT, at=s(1), body=text, status=text, media=(text,)),)
    thread = TextRecord(from_number=text, to_number=text, ended=s(2), messages=messages)
    scenario = ScenarioResult(
        file=text, name=text, description=text, tags=(text,), error=text,
        calls=(CallResult(where=text, name=text, record=call, checks=(check, replace(check, ok=True))),),
        texts=(TextResult(where=text, name=text, record=thread, checks=(check,)),),
    )  # fmt: skip
    return RunResult(handler=text, started=STARTED, version="0.1.0", scenarios=(scenario,), not_run=(text,))


class Reader(HTMLParser):
    """Reads a page strictly: every element closed in order, none but ours."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.attributes: dict[str, list[str]] = {}
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, []).append(value or "")
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader


@settings(max_examples=80)
@given(HOSTILE)
def test_whatever_was_said_the_page_holds_our_elements_only(text: str) -> None:
    html = page.render(run_with(text))
    reader = read(html)
    assert reader.seen <= ALLOWED
    assert not [name for name in reader.attributes if name.startswith("on") or name in ("src", "style", "action")]
    assert all(re.fullmatch(r"#scenario-\d+", link) for link in reader.attributes["href"])
    html.encode("utf-8")


@settings(max_examples=80)
@given(HOSTILE)
def test_whatever_was_said_stands_on_the_page(text: str) -> None:
    assert printable(text) in "".join(read(page.render(run_with(text))).text)


@settings(max_examples=80)
@given(HOSTILE)
def test_whatever_was_said_the_xml_can_be_parsed(text: str) -> None:
    root = Xml.fromstring(junit.render(run_with(text)).encode("utf-8"))
    failure = root.find(".//failure")
    assert failure is not None
    assert failure.get("type") == printable(text)


@settings(max_examples=80)
@given(HOSTILE)
def test_whatever_was_said_comes_back_from_the_json(text: str) -> None:
    report = json.loads(as_json.render(run_with(text)))
    assert report["scenarios"][0]["calls"][0]["record"]["turns"][0]["heard_text"] == text


@settings(max_examples=40)
@given(HOSTILE)
def test_whatever_was_said_the_terminal_prints_it(text: str) -> None:
    out = io.StringIO()
    terminal.show(run_with(text), Console(file=out, width=100), verbose=True)
    assert "\x1b" not in out.getvalue()
    assert "\x00" not in out.getvalue()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x00\x1b[1m", "\\x00\\x1b[1m"),
        ("\ud800", "\\ud800"),
        ("\uffff", "\\uffff"),
        ("a\tb\nc", "a\tb\nc"),
        ("日本 é", "日本 é"),
    ],
)
def test_what_cannot_be_printed_becomes_a_visible_escape(text: str, expected: str) -> None:
    assert printable(text) == expected


def test_markup_in_text_stays_text() -> None:
    assert escaped("<b a='1' c=\"2\">&") == "&lt;b a=&#x27;1&#x27; c=&quot;2&quot;&gt;&amp;"


def test_junit_counts_what_it_holds() -> None:
    root = Xml.fromstring(junit.render(replace(busy_run(), not_run=("later.yaml",))))
    assert (root.get("tests"), root.get("failures"), root.get("errors"), root.get("skipped")) == ("13", "5", "0", "1")
    suites = {suite.get("name"): suite for suite in root}
    assert suites["an impatient caller"].get("failures") == "5"
    assert suites["a quick one"].get("tests") == "1"
    assert suites["later.yaml"].find(".//skipped") is not None


def test_junit_tells_a_failure_in_full() -> None:
    root = Xml.fromstring(junit.render(busy_run()))
    failure = root.find(".//failure[@type='action']")
    assert failure is not None
    assert failure.text == (
        "impatient.yaml: calls[0].script[3].expect.action: expected action transfer, observed none (at 00:24.100)"
    )


def test_a_scenario_that_could_not_run_is_an_error_for_junit() -> None:
    broken = ScenarioResult(file="a.yaml", name="a", error="the handler cannot be reached")
    root = Xml.fromstring(junit.render(replace(busy_run(), scenarios=(broken,))))
    assert root.get("errors") == "1"
    assert root.find(".//error").get("message") == "the handler cannot be reached"  # type: ignore[union-attr]


def test_the_json_report_has_a_version_and_the_headline() -> None:
    report = as_json.report(busy_run())
    assert (report["version"], report["ok"], report["counts"]["failed"]) == (1, False, 1)
    assert report["ear"]["first_word"]["p50"] == 1.0
    assert report["ear"]["unanswered"] == 1
    assert report["scenarios"][0]["calls"][0]["checks"][1]["ok"] is False


def test_the_same_run_gives_the_same_reports() -> None:
    for render in (as_json.render, junit.render, page.render):
        assert render(busy_run()) == render(busy_run())


def test_a_run_of_texts_alone_has_no_ear() -> None:
    scenario = busy_run().scenarios[0]
    html = page.render(replace(busy_run(), scenarios=(replace(scenario, calls=()),)))
    assert "What the callers heard" not in html
    assert "What the callers heard" not in shown(replace(busy_run(), scenarios=(replace(scenario, calls=()),)))


def test_the_page_loads_nothing_and_may_not() -> None:
    html = page.render(busy_run())
    assert "default-src 'none'" in "".join(read(html).attributes["content"])
    assert not re.search(r"https?://(?!127\.0\.0\.1:3000)|@import|url\(", html)


def test_every_picture_has_a_name_and_its_words_are_in_the_transcript_too() -> None:
    html = page.render(busy_run())
    named = re.findall(r'<svg[^>]* role="img" aria-label="[^"]+"', html)
    assert len(named) == html.count('role="img"') == 7
    assert "".join(read(html).text).count("Let me look that up.") >= 3


def test_failures_are_unfolded_and_what_passed_is_not_when_there_is_much() -> None:
    run = busy_run()
    many = replace(run, scenarios=(run.scenarios[0], *([run.scenarios[1]] * 8)))
    assert page.render(many).count('class="scenario" id="scenario-0" open') == 1
    assert len(re.findall(r'<details class="scenario" id="scenario-\d" open', page.render(many))) == 1


def shown(run: RunResult, **how: bool) -> str:
    out = io.StringIO()
    terminal.show(run, Console(file=out, width=120), **how)
    return out.getvalue()


def test_the_terminal_tells_what_failed_and_when() -> None:
    text = shown(busy_run())
    assert "FAIL an impatient caller  6/11 checks" in text
    assert "x calls[0].script[3].expect.action at 00:24.100" in text
    assert re.search(r"expected +action transfer\n +observed +none", text)
    assert "1 failed: 2 scenarios, 11 checks" in text


def test_the_terminal_is_short_about_what_passed_unless_asked() -> None:
    run = replace(busy_run(), scenarios=busy_run().scenarios[1:])
    assert "It has shipped." not in shown(run)
    assert "It has shipped." in shown(run, verbose=True)
    assert "all passed: 1 scenarios" in shown(run)


def test_the_terminal_shows_the_percentiles() -> None:
    assert re.search(r"time to first word +5 +1\.00 s +1\.50 s +1\.50 s +1\.50 s", shown(busy_run()))
