"""Schemathesis on the part of `/_sim` that is about people and what they text."""

from __future__ import annotations

from pathlib import Path

from contract_tests.schemathesis_run import TEXTERS, UNITS, run
from contract_tests.target import Target
from tests.helpers.webhook_receiver import Receiver


def test_threads_and_people_do_what_is_described(ours: Target, receiver: Receiver, tmp_path: Path) -> None:
    selected, tested = run(ours, receiver.url, tmp_path, *UNITS, "--include-path-regex", TEXTERS)
    assert selected == tested > 0
