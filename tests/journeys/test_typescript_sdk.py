"""The official TypeScript SDK, in Node, through an account's whole life, against a simulator that is a real process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from contract_tests.facts import FACTS
from tests.helpers.processes import KEY, run_simulator

JOURNEY = Path(__file__).resolve().parent / "typescript"
PATIENCE = 120.0  # real seconds until a journey that hangs fails


def require_sdk() -> None:
    """Skip the test when Node or the SDK is missing; in continuous integration that is a failure."""
    if shutil.which("node") is None:
        reason = "node is not installed"
    elif not (JOURNEY / "node_modules" / "agentphone").is_dir():
        reason = f"the TypeScript SDK is not installed: run npm install in {JOURNEY}"
    else:
        return
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def told() -> Any:
    """What the journey says of itself, when it has come to its end."""
    require_sdk()
    with run_simulator("--clock", "manual") as (base_url, _):
        env = {**os.environ, "AGENTPHONE_BASE_URL": base_url, "AGENTPHONE_API_KEY": KEY}
        command = ["node", str(JOURNEY / "lifecycle.mjs")]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_every_method_of_the_client_is_called_and_answered(told: Any) -> None:
    assert len(told["methods"]) > 60
    assert set(told["methods"]) == set(told["called"])


def test_every_method_of_the_client_is_an_operation_that_we_know(told: Any) -> None:
    assert {method.partition(".")[2] for method in told["methods"]} <= FACTS.keys()


def test_the_version_of_the_client_is_the_one_that_the_facts_are_about() -> None:
    asked = json.loads((JOURNEY / "package.json").read_text("utf-8"))["dependencies"]["agentphone"]
    assert asked == "1.0.17"
