"""The example projects pass their own tests as a user runs them: in their folder, in process and over sockets."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.helpers.readme import README

ROOT = README.parent
EXAMPLES = ROOT / "fixtures" / "examples"
PROJECTS = sorted(file.parent.name for file in EXAMPLES.glob("*/pyproject.toml"))
PATIENCE = 120.0  # real seconds until tests that hang fail


def run(folder: Path, *options: str) -> str:
    # Without plugins that are installed by chance; ours by its module, so that a checkout need not be installed.
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("AGENTPHONE_", "PYTEST_"))}
    env = {**ours, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    plugins = ["-p", "simulator.pytest_plugin", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *plugins, "-rA", *options]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def passed(output: str) -> list[str]:
    return sorted(re.findall(r"^PASSED (\S+)", output, re.MULTILINE))


def test_there_is_an_example_for_each_kind_of_project() -> None:
    assert PROJECTS == ["fastapi", "flask", "reminders"]


@pytest.mark.parametrize("project", PROJECTS)
def test_an_example_passes_in_process_and_over_sockets(project: str) -> None:
    in_process = passed(run(EXAMPLES / project))
    assert len(in_process) > 5
    assert passed(run(EXAMPLES / project, "--agentphone-sockets")) == in_process


@pytest.mark.parametrize("project", PROJECTS)
def test_an_example_needs_nothing_but_what_its_project_names(project: str) -> None:
    described = tomllib.loads((EXAMPLES / project / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = {*described["dependencies"], *described["optional-dependencies"]["test"]}
    own = {file.stem for file in (EXAMPLES / project).glob("*.py")}
    imported = {
        name
        for file in (EXAMPLES / project).glob("*.py")
        for name in re.findall(r"^(?:import|from) (\w+)", file.read_text("utf-8"), re.MULTILINE)
    }
    assert imported - set(sys.stdlib_module_names) - own <= wanted
