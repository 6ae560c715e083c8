"""The example for other languages: Node's own test runner, on the simulator that it starts and on one that runs."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.helpers.processes import run_simulator
from tests.helpers.readme import README

EXAMPLE = README.parent / "fixtures" / "examples" / "node"
NAMES = re.findall(r"^test\('(.+)',", (EXAMPLE / "handler.test.mjs").read_text("utf-8"), re.MULTILINE)
PATIENCE = 120.0  # real seconds until tests that hang fail


@pytest.fixture(scope="module", autouse=True)
def node() -> None:
    """Skip where Node or Express is missing; in continuous integration that is a failure."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        reason = "node and npm are not installed"
    elif not (EXAMPLE / "node_modules" / "express").is_dir():
        reason = f"express is not installed: run npm install in {EXAMPLE}"
    else:
        return
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def environment(**more: str) -> dict[str, str]:
    """Ours, with our command on the path, and nobody else's simulator in it."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("AGENTPHONE_")}
    return {**ours, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", **more}


def passed(output: str) -> list[str]:
    return re.findall(r"^ok \d+ - (.+)$", output, re.MULTILINE)


def run(**env: str) -> str:
    done = subprocess.run(
        ["node", "--test", "--test-reporter=tap"],
        cwd=EXAMPLE,
        env=environment(**env),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_tests_in_node_start_a_simulator_and_pass() -> None:
    assert passed(run()) == NAMES


def test_the_tests_in_node_use_a_simulator_that_runs_and_leave_nothing_in_it() -> None:
    with run_simulator() as (base_url, child):
        assert passed(run(AGENTPHONE_BASE_URL=base_url)) == NAMES
        child.stop()
        assert list(child.stderr) == []  # no call and no delivery was left


@contextmanager
def steps(folder: Path, port: int) -> Iterator[list[dict[str, Any]]]:
    """The README's steps, on a free port; whatever they started is ended afterwards, by its process group."""
    section = README.read_text("utf-8").partition("### From any language")[2]
    text = section.partition("```yaml\n")[2].partition("```")[0]
    groups: list[int] = []
    done = []
    try:
        for step in yaml.safe_load(text)["steps"]:
            line = step["run"].replace(" serve ", f" serve --port {port} ")
            env = {name: value.replace("8787", str(port)) for name, value in step.get("env", {}).items()}
            done.append({"run": line, "code": None, "said": ""})
            if line == "pip install agentphone-simulator":
                continue  # it is: our own checkout
            with (folder / "step.log").open("w+", encoding="utf-8") as log:
                child = subprocess.Popen(
                    ["bash", "-eo", "pipefail", "-c", line],
                    cwd=folder,
                    env=environment(**env),
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
                groups.append(child.pid)
                done[-1]["code"] = child.wait(PATIENCE)
                log.seek(0)
                done[-1]["said"] = log.read()
        yield done
    finally:
        for group in groups:
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGTERM)


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_the_steps_for_continuous_integration_work_as_written(tmp_path: Path) -> None:
    for file in EXAMPLE.glob("*.*"):
        shutil.copy(file, tmp_path)
    (tmp_path / "node_modules").symlink_to(EXAMPLE / "node_modules")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with steps(tmp_path, port) as (install, serve, tests):
        assert install["run"] == "pip install agentphone-simulator"
        assert serve["code"] == 0, serve["said"]
        assert tests["code"] == 0, tests["said"]
        assert f"ready http://127.0.0.1:{port}" in (tmp_path / "simulator.log").read_text("utf-8")
