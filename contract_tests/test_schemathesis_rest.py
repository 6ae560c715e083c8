"""Schemathesis on whatever is neither about agents and numbers nor about the simulator itself."""

from __future__ import annotations

from pathlib import Path

from contract_tests.schemathesis_run import CONTROL, LINES, UNITS, run
from contract_tests.target import Target
from tests.helpers.webhook_receiver import Receiver


def test_everything_else_does_what_is_described(ours: Target, receiver: Receiver, tmp_path: Path) -> None:
    selected, tested = run(ours, receiver.url, tmp_path, *UNITS, "--exclude-path-regex", f"{LINES}|{CONTROL}")
    assert selected == tested > 0
