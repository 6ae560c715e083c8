"""The sample handlers under examination, as processes on sockets, by the command that users type."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from simulator.cli import main
from simulator.conformance.verdicts import Verdict
from tests.helpers.processes import EXPRESS, KEY, run_handler
from tests.helpers.zoo import examined, load

ACTS = "simple_starlette.py"  # the one that answers texts through the API
NAMES = (ACTS, "streaming_fastapi.py", "tools_flask.py", EXPRESS)
SILENT = "the handler asks the API for nothing when a text comes, so nothing can be counted"


def free_port() -> int:
    """A port for the API: the handler has to know it before the simulator runs."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def conform(name: str, folder: Path, *options: str) -> Result:
    """Start a handler that is told where its secret will be and where the API will be, and examine it."""
    port = free_port()
    env = {"AGENTPHONE_BASE_URL": f"http://127.0.0.1:{port}", "AGENTPHONE_API_KEY": KEY}
    with run_handler(name, folder / "secret", env=env) as handler:
        wiring = ["--secret-file", str(folder / "secret"), "--serve-api", "--port", str(port)]
        return CliRunner().invoke(main, ["conform", handler.url, *wiring, *options])


def having(report: dict[str, Any], *verdicts: Verdict) -> dict[str, str]:
    return {case["number"]: case["reason"] for case in report["cases"] if case["verdict"] in verdicts}


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_handler_keeps_the_contract(name: str, tmp_path: Path) -> None:
    result = conform(name, tmp_path, "--json", "--strict", "--compliance")
    report = json.loads(result.stdout)
    assert having(report, Verdict.FAIL, Verdict.NON_STRICT) == {}
    assert set(having(report, Verdict.NOT_RUN).values()) <= (set() if name == ACTS else {SILENT})
    assert (result.exit_code, report["ok"]) == (0, True)
    assert {"1.1", "1.3", "5.1"} <= having(report, Verdict.PASS).keys()
    assert ("3.2" in having(report, Verdict.PASS)) is (name == ACTS)


def test_a_broken_handler_fails_on_sockets_what_it_fails_in_process(tmp_path: Path) -> None:
    animal = load("accepts_anybody")
    inside = examined(animal, ["1", "5.1"])
    report = json.loads(conform(f"broken/{animal.name}.py", tmp_path, "--json", "--case", "1", "--case", "5.1").stdout)
    assert having(report, Verdict.FAIL).keys() == {result.number for result in inside.failed}
    assert "1.3" in having(report, Verdict.FAIL)


def test_the_page_of_a_handler_that_passes_can_be_published(tmp_path: Path) -> None:
    result = conform(ACTS, tmp_path, "--report", str(tmp_path / "out"))
    secret = (tmp_path / "secret").read_text()
    pages = {file.name: file.read_text() for file in (tmp_path / "out").iterdir()}
    assert result.exit_code == 0, result.stdout
    assert "Keeps the contract" in pages["report.html"]
    assert not any(secret in page or KEY in page for page in pages.values())
