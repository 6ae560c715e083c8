from __future__ import annotations

import threading
from typing import Any

import pytest

from simulator.testing import reporting
from simulator.testing.reporting import LINES, WIDTH, lines, sections


def entry(seq: int, kind: str = "speech.heard", **data: Any) -> dict[str, Any]:
    return {"seq": seq, "at": "2026-01-05T15:00:02.350Z", "kind": kind, **data}


def test_an_entry_is_one_line_with_what_belongs_to_it() -> None:
    (line,) = lines([entry(1, call_id="call_1", text="Where is\nmy order?", confidence=0.95, body={"a": [1]})])
    assert line == (
        '2026-01-05 15:00:02.350  speech.heard       text="Where is\\nmy order?" confidence=0.95 '
        'body={"a": [1]} call_id=call_1'
    )


def test_long_entries_are_cut_and_old_ones_counted() -> None:
    shown = lines([entry(seq, text="x" * 1000) for seq in range(LINES + 5)])
    assert shown[0] == "… 5 before these"
    assert [len(line) for line in shown[1:]] == [WIDTH] * LINES


def test_timers_are_left_out() -> None:
    assert lines([entry(1, "timer.fired"), entry(2, "clock.jumped"), entry(3, "script.step")]) == [
        "nothing has happened"
    ]


class Account:
    """As much of one as a report reads."""

    seed = 7
    errors = ("Traceback: of all things",)

    def recent(self) -> list[dict[str, Any]]:
        return [entry(1, text="hello")]


def test_a_report_has_the_command_the_journal_and_the_handlers_errors() -> None:
    told: Any = Account()
    found = dict(sections(told, "pytest 'a::b' --agentphone-seed=7"))
    assert found["agentphone"] == "seed 7\nrepeat with: pytest 'a::b' --agentphone-seed=7"
    assert found["agentphone journal"].endswith("text=hello")
    assert found["agentphone handler errors"] == "Traceback: of all things"


def test_what_a_handler_fails_with_again_and_again_is_shown_once() -> None:
    class Failing(Account):
        errors = ("Traceback: of all things", "Traceback: this too", "Traceback: of all things")

    told: Any = Failing()
    shown = dict(sections(told, ""))["agentphone handler errors"]
    assert shown == "Traceback: of all things\n(2 times)\n\nTraceback: this too"


def test_a_journal_that_cannot_be_read_is_said_so() -> None:
    class Broken(Account):
        def recent(self) -> list[dict[str, Any]]:
            raise RuntimeError("no world")

    told: Any = Broken()
    assert dict(sections(told, ""))["agentphone journal"] == "cannot be read: no world"


def test_a_world_that_is_stuck_holds_no_report_up(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    class Stuck(Account):
        def recent(self) -> list[dict[str, Any]]:
            release.wait()
            return []

    monkeypatch.setattr(reporting, "PATIENCE", 0.01)
    told: Any = Stuck()
    assert dict(sections(told, ""))["agentphone journal"].startswith("cannot be read: the simulator did not answer")
    release.set()
