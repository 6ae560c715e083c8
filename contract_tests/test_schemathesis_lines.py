"""Schemathesis on agents and numbers: every case that their description implies."""

from __future__ import annotations

from pathlib import Path

from contract_tests.schemathesis_run import LINES, UNITS, run
from contract_tests.target import Target
from tests.helpers.webhook_receiver import Receiver


def test_agents_and_numbers_do_what_is_described(ours: Target, receiver: Receiver, tmp_path: Path) -> None:
    selected, tested = run(ours, receiver.url, tmp_path, *UNITS, "--include-path-regex", LINES)
    assert selected == tested > 0
