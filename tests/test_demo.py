from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from simulator.demo import GREETING, SCRIPT, Report, play


@pytest.fixture(scope="module")
def report() -> Report:
    return play()


def run_demo(cwd: Path, *options: str, **env: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "simulator", "demo", *options]
    surroundings = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1]), **env}
    return subprocess.run(argv, cwd=cwd, env=surroundings, capture_output=True, text=True, timeout=60, check=False)


def test_the_demo_goes_as_expected_from_any_directory(tmp_path: Path) -> None:
    demo = run_demo(tmp_path)
    assert (demo.returncode, demo.stderr) == (0, "")
    assert "all as expected: 9 of 9 checks" in demo.stdout
    assert GREETING in demo.stdout
    assert "Let me look that up. (interim)" in demo.stdout
    assert "the call ends: agent_hangup" in demo.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_demo_is_plain_text_when_it_is_piped_and_fits_narrow_terminals(tmp_path: Path) -> None:
    demo = run_demo(tmp_path, COLUMNS="44")
    assert "\x1b" not in demo.stdout
    assert max(map(len, demo.stdout.splitlines())) <= 44


def test_the_demo_as_json_has_everything_that_is_shown(tmp_path: Path) -> None:
    demo = json.loads(run_demo(tmp_path, "--json").stdout)
    assert demo["ok"] is True
    assert [line["who"] for line in demo["texts"]] == ["caller", "agent"]
    assert {d["status"] for d in demo["deliveries"]} == {"success"}
    assert all(check["ok"] for check in demo["checks"])


def test_every_turn_has_a_first_word_and_the_journal_knows_when(report: Report) -> None:
    assert [turn.said for turn in report.turns] == [line for line in SCRIPT if isinstance(line, str)]
    assert all(turn.first_word is not None and turn.first_word > 0 for turn in report.turns)


def test_the_call_is_heard_in_order(report: Report) -> None:
    assert [line.who for line in report.heard] == [
        "agent", "caller", "agent", "caller", "agent", "agent", "caller", "caller", "agent",
    ]  # fmt: skip
    assert [line.at for line in report.heard] == sorted(line.at for line in report.heard)
    assert "[presses 1#]" in [line.what for line in report.heard]


@pytest.mark.parametrize(
    "change",
    [
        {"reason": "user_hangup"},
        {"findings": ("no final chunk",)},
        {"forged_status": 200},
        {"heard": ()},
        {"turns": ()},
        {"texts": ()},
        {"deliveries": ()},
    ],
)
def test_whatever_goes_wrong_is_noticed(report: Report, change: dict[str, object]) -> None:
    assert report.ok
    assert not replace(report, **change).ok
