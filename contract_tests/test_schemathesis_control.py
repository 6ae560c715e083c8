"""Schemathesis on `/_sim`, but for calls, threads and people."""

from __future__ import annotations

from pathlib import Path

from contract_tests.schemathesis_run import CONTROL, FAULTS, PARTIES, RESETS, UNITS, UPHEAVAL, run
from contract_tests.target import Target
from tests.helpers.webhook_receiver import Receiver


def test_the_control_api_does_what_is_described(ours: Target, receiver: Receiver, tmp_path: Path) -> None:
    paths = ("--include-path-regex", CONTROL, "--exclude-path-regex", f"{UPHEAVAL}|{PARTIES}")
    selected, tested = run(ours, receiver.url, tmp_path, *UNITS, *paths)
    assert selected == tested > 0


def test_resets_and_changes_of_the_clock_do_what_is_described(ours: Target, receiver: Receiver, tmp_path: Path) -> None:
    selected, tested = run(ours, receiver.url, tmp_path, *UNITS, "--include-path-regex", RESETS)
    assert selected == tested > 0


def test_faults_do_what_is_described(ours: Target, receiver: Receiver, tmp_path: Path) -> None:
    selected, tested = run(ours, receiver.url, tmp_path, *UNITS, "--include-path-regex", FAULTS)
    assert selected == tested == 4
