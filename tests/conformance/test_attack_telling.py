from __future__ import annotations

import ast
import io
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from simulator.conformance.attack.exports import to_curl, to_pytest, to_scenario
from simulator.conformance.attack.laws import AGAIN, ALIVE, ANSWERED, ENDS, STEADY, TAKEN, WHOLE, Breach, Observed
from simulator.conformance.attack.plan import AFTERWARDS, Call, Plan, Say, Text, Thread
from simulator.conformance.attack.report import AttackReport, Ended, Found
from simulator.conformance.attack.strategies import DELIVERY_FAULTS, PLAIN, TURN_FAULTS, plans
from simulator.conformance.attack.telling import show, story, summary, write
from simulator.errors import UsageError
from simulator.scenarios.loader import load
from simulator.scenarios.record import ZERO, MessageRecord, TextRecord, Who
from tests.helpers.records import a_call, a_turn, spoke

ASKED = Plan(calls=(Call(steps=(Say(PLAIN[0], plain=True), Say(PLAIN[1], plain=True))),))
TEXTED = Plan(threads=(Thread(texts=(Text(words="hello"), Text(words="again"))),))
CUT = next(fault for fault in TURN_FAULTS if fault.name == "cut")
RESET = next(fault for fault in DELIVERY_FAULTS if fault.name == "reset")


def breach(**more: Any) -> Breach:
    usual = {"law": WHOLE, "kind": "missing_final", "expected": "a whole reply", "observed": "none", "part": "calls[0]"}
    return Breach(**{**usual, "turn": 2, "step": (1,), **more})


def found(plan: Plan = ASKED, *, observed: Observed | None = None, **more: Any) -> Found:
    return Found(plan=plan, breach=breach(**more), observed=observed or Observed(), seen=2, tries=2)


def report(one: Found | None = None, **more: Any) -> AttackReport:
    return AttackReport(target="http://127.0.0.1:1/", name="mine", seed=7, examples=12, found=one, **more)


def printed(told: AttackReport) -> str:
    out = io.StringIO()
    show(told, Console(file=out, width=80))
    return out.getvalue()


@given(plans(), st.integers(0, 5))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_plan_breaks_its_scenario_loads_and_its_test_and_lines_can_be_read(plan: Plan, step: int) -> None:
    opening = [i for i, one in enumerate(plan.calls[0].steps) if isinstance(one, Say)] if plan.calls else []
    where = {
        "part": "calls[0]" if plan.calls else "texts[0]",
        "step": (opening[step % len(opening)],) if opening else None,
    }
    one = found(plan, kind="missing_final" if plan.calls else "agent.message", **where)
    load(to_scenario(one, 7))
    ast.parse(to_pytest(one, 7))
    shell = shutil.which("sh")
    assert shell is not None
    checked = subprocess.run([shell, "-n"], input=to_curl(one, 7), capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_a_finding_is_expected_of_nobody_in_the_whole_call() -> None:
    scenario = load(to_scenario(found(), 7))
    expect = scenario.calls[0].expect
    assert expect is not None
    assert expect.findings == "none"
    assert len(scenario.calls) == 1
    assert "seed 7" in (scenario.description or "")


def test_where_connections_are_broken_on_purpose_only_the_turn_in_question_is_looked_at() -> None:
    scenario = load(to_scenario(found(replace(ASKED, faults=(CUT,))), 7))
    assert scenario.calls[0].expect is None
    assert scenario.calls[0].script is not None
    assert scenario.calls[0].script[1].expect.findings == "none"  # type: ignore[union-attr]


@pytest.mark.parametrize("law", [ANSWERED, AGAIN])
def test_silence_is_looked_for_in_the_turn_in_question(law: Any) -> None:
    one = found(law=law, kind="silence")
    script = load(to_scenario(one, 7)).calls[0].script
    assert script is not None
    assert script[1].expect.silent is False  # type: ignore[union-attr]
    assert PLAIN[1] in to_pytest(one, 7)


@pytest.mark.parametrize(("faults", "attempts"), [((), 1), ((RESET,), 2)])
def test_an_event_may_take_one_attempt_and_one_more_if_one_was_broken_off(faults: Any, attempts: int) -> None:
    one = found(replace(TEXTED, faults=faults), law=TAKEN, kind="agent.message", part="texts[0]", step=None)
    expect = load(to_scenario(one, 7)).texts[0].expect
    assert expect is not None
    assert expect.deliveries is not None
    wanted = expect.deliveries[0].attempts
    assert (wanted if isinstance(wanted, int) else wanted.at_most) == attempts  # type: ignore[union-attr]
    assert f'entry["attempts"] <= {attempts}' in to_pytest(one, 7)


@pytest.mark.parametrize(
    ("plan", "kind", "calls", "texts"),
    [(ASKED, "missing_final", 2, 0), (TEXTED, "agent.message", 0, 2), (TEXTED, "missing_final", 1, 1)],
)
def test_the_question_afterwards_is_played_when_it_is_what_failed(
    plan: Plan, kind: str, calls: int, texts: int
) -> None:
    last = TextRecord(from_number="+1", to_number="+2", ended=ZERO) if texts == 2 else a_call(a_turn())
    one = found(plan, law=ALIVE, kind=kind, part=AFTERWARDS, step=None, observed=Observed(afterwards=last))
    scenario = load(to_scenario(one, 7))
    assert (len(scenario.calls), len(scenario.texts)) == (calls, texts)
    played = (*scenario.texts, *scenario.calls)[-1]
    assert played.name == AFTERWARDS
    assert played.expect is not None


def test_what_never_ends_needs_no_expectation() -> None:
    scenario = load(to_scenario(found(law=ENDS, kind="", part="", step=None), 7))
    assert scenario.calls[0].expect is None


def test_a_story_tells_what_was_said_and_what_should_have_been() -> None:
    call = a_call(a_turn(), speech=(spoke(Who.CALLER, 1, 1, "Hello?"), spoke(Who.AGENT, 3, 1, "x" * 300)))
    lines = "\n".join(story(found(observed=Observed(calls={"calls[0]": call}))))
    for part in ("caller: Hello?", "(300 characters)", "expected: a whole reply", "turn 2", "mend: ", "2 of 2"):
        assert part in lines


def test_what_people_write_stays_text_on_a_terminal() -> None:
    texts = (MessageRecord(by=Who.CALLER, at=ZERO, body="[/red] \x1b[31m again"),)
    record = TextRecord(from_number="+1", to_number="+2", ended=ZERO, messages=texts)
    out = printed(report(found(TEXTED, observed=Observed(threads={"texts[0]": record}), part="texts[0]")))
    assert "[/red] \\x1b[31m again" in out


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (report(), "12 conversations, no law broken (seed 7)"),
        (report(ended=Ended.TIME), "the time was over"),
        (report(ended=Ended.STOPPED), "it was stopped"),
        (report(found()), "found after 12 conversations (seed 7)"),
        (report(sightings=(replace(found(), seen=0, tries=1),)), "1 seen once and not again"),
    ],
)
def test_the_first_line_says_how_it_went(told: AttackReport, words: str) -> None:
    assert words in summary(told)
    assert words in printed(told)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"seen": 0, "tries": 1}, "seen once, and not again"),
        ({"seen": 1, "tries": 2}, "only 1 of 2"),
        ({"seen": 0, "tries": 0}, "not played again"),
        ({"seen": 0, "tries": 0, "spoils": True}, "start the handler anew"),
    ],
)
def test_a_story_says_how_sure_it_is(more: dict[str, Any], words: str) -> None:
    assert words in story(replace(found(), **more))[-1]


def test_everything_is_written_to_a_folder(tmp_path: Path) -> None:
    told = report(found(law=STEADY, kind="reply_http_error"), replay="conform --attack --seed 7")
    files = write(told, tmp_path / "new")
    assert [file.name for file in files] == ["attack.json", "attack.yaml", "test_attack.py", "attack.sh"]
    written = json.loads(files[0].read_text())
    assert (written["seed"], written["ok"], written["found"]["law"]) == (7, False, "no-errors")
    assert written["found"]["scenario"]["calls"]
    assert "conform --attack --seed 7" in printed(told)


def test_where_nothing_was_found_only_the_figures_are_written(tmp_path: Path) -> None:
    assert [file.name for file in write(report(), tmp_path)] == ["attack.json"]
    assert json.loads((tmp_path / "attack.json").read_text())["ok"] is True


def test_a_folder_that_cannot_be_written_to_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be written to"):
        write(report(), tmp_path / "file")
