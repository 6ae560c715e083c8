"""Schemathesis follows our links: what one operation made is what the next one is asked about."""

from __future__ import annotations

from pathlib import Path

from contract_tests.schemathesis_run import SUB_ACCOUNTS, UPHEAVAL, WORLDS, run
from contract_tests.target import Target
from tests.helpers.webhook_receiver import Receiver

STATEFUL = ("--phases", "stateful", "--exclude-operation-id", "streamCallTranscript")


def test_chains_of_operations_do_what_is_described(ours: Target, receiver: Receiver, tmp_path: Path) -> None:
    paths = ("--exclude-path-regex", f"{UPHEAVAL}|{WORLDS}|{SUB_ACCOUNTS}")
    _, reached = run(ours, receiver.url, tmp_path, *STATEFUL, *paths, examples=40, seed=1)
    assert reached > 25


def test_sub_accounts_come_and_go_as_described(ours: Target, receiver: Receiver, tmp_path: Path) -> None:
    paths = ("--include-path-regex", SUB_ACCOUNTS)
    _, reached = run(ours, receiver.url, tmp_path, *STATEFUL, *paths, examples=10, seed=1)
    assert reached >= 3
