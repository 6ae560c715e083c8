"""Schemathesis on the part of `/_sim` that is about calls."""

from __future__ import annotations

from pathlib import Path

from contract_tests.schemathesis_run import CALLS, UNITS, run
from contract_tests.target import Target
from tests.helpers.webhook_receiver import Receiver


def test_calls_do_what_is_described(ours: Target, receiver: Receiver, tmp_path: Path) -> None:
    selected, tested = run(ours, receiver.url, tmp_path, *UNITS, "--include-path-regex", CALLS)
    assert selected == tested > 0
