from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.cli import COMMANDS
from simulator.domain.policy import POLICIES
from simulator.testing import SECRET
from tests.helpers.processes import run_handler, run_simulator
from tests.helpers.readme import README, rendered

ROOT = README.parent
TEXT = README.read_text("utf-8")
SECTIONS = dict(re.findall(r"^#{2,3} (.+?)\n(.*?)(?=^#{2,3} |\Z)", TEXT, re.DOTALL | re.MULTILINE))


def block(section: str, language: str, index: int = 0) -> str:
    """A code block of the README, exactly as a reader copies it."""
    found: list[str] = re.findall(rf"```{language}\n(.*?)```", SECTIONS[section], re.DOTALL)
    return found[index]


@pytest.fixture(scope="module")
def addresses() -> Iterator[tuple[str, str]]:
    """A simulator and the sample handler, as the README starts them but on free ports."""
    with run_simulator() as (base_url, _), run_handler("simple_starlette.py", None) as handler:
        yield base_url, handler.url


def run(command: list[str], source: str, addresses: tuple[str, str]) -> str:
    base_url, webhook = addresses
    source = source.replace("http://127.0.0.1:8787", base_url).replace("http://127.0.0.1:3000/webhook", webhook)
    scripts = str(Path(sys.executable).parent)
    env = {**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}", "AGENTPHONE_BASE_URL": base_url}
    done = subprocess.run(
        [*command, source], cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_generated_tables_are_up_to_date() -> None:
    assert rendered(TEXT) == TEXT, "run: python -m tests.helpers.readme"


def test_the_two_commands_set_everything_up_and_end_in_the_demo_and_in_pytest() -> None:
    demo, tests = block("Two commands", "sh"), block("Two commands", "sh", 1)
    setup = "python3 -m venv .venv && .venv/bin/pip install --quiet"
    assert setup in demo and demo.strip().endswith(".venv/bin/agentphone-simulator demo")
    assert setup in tests and tests.strip().endswith(".venv/bin/pytest")


def test_the_sandbox_example_works_as_written(addresses: tuple[str, str]) -> None:
    if shutil.which("curl") is None or shutil.which("bash") is None:
        reason = "curl or bash is not installed"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    out = run(["bash", "-euo", "pipefail", "-c"], block("Sandbox: curl and a terminal telephone", "sh"), addresses)
    assert "shipped" in out
    assert '"secret":"whsec_' in out
    assert '"status":"success"' in out


def test_the_sdk_example_works_as_written(addresses: tuple[str, str]) -> None:
    out = run([sys.executable, "-c"], block("The official SDK, unmodified", "python"), addresses)
    assert out.strip() == "True in-progress"


def test_the_scripted_caller_works_as_written(addresses: tuple[str, str]) -> None:
    out = run([sys.executable, "-c"], block("A scripted caller", "python"), addresses)
    assert out.startswith("agent_hangup [None, ")
    assert "shipped" in out
    assert out.strip().endswith("[]")


def test_the_question_works_as_written(addresses: tuple[str, str]) -> None:
    out = run([sys.executable, "-c"], block("Asking whether something happened", "python"), addresses)
    assert out.splitlines() == ["True", "None"]


def test_the_scenario_example_works_as_written(tmp_path: Path) -> None:
    scenario, secret, reports = tmp_path / "order.yaml", tmp_path / "secret.txt", tmp_path / "reports"
    scenario.write_text(block("Scenario files", "yaml"), "utf-8")
    with run_handler("simple_starlette.py", secret) as handler:
        options = ["--handler", handler.url, "--secret-file", str(secret), "--report", str(reports)]
        command = [sys.executable, "-m", "simulator", "run", str(scenario), *options]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {file.name for file in reports.iterdir()} == {"report.html", "report.json", "junit.xml"}


def test_the_test_suite_examples_pass_as_written(tmp_path: Path) -> None:
    handlers = ROOT / "fixtures" / "handlers"
    for name, module in (("my_app", "simple_starlette"), ("my_flask_app", "tools_flask")):
        build = f"from receiving import Receiver\nfrom {module} import build_app\napp = build_app(Receiver(None))\n"
        (tmp_path / f"{name}.py").write_text(build, "utf-8")
    part = TEXT.partition("## In your test suite\n")[2].partition("### From any language\n")[0]
    examples = re.findall(r"```python\n(.*?)```", part, re.DOTALL)
    tests = [example for example in examples if "def test_" in example]
    for index, example in enumerate(tests):
        (tmp_path / f"test_{index}.py").write_text(example, "utf-8")
    (conftest,) = (example for example in examples if example not in tests)
    (tmp_path / "conftest.py").write_text(conftest, "utf-8")
    # Without plugins that are installed by chance; ours by its module, so that a checkout need not be installed.
    env = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "-p anyio -p simulator.pytest_plugin"}
    env["PYTHONPATH"] = os.pathsep.join((str(ROOT), str(handlers), str(tmp_path)))
    command = [sys.executable, "-m", "pytest", "-q", "--strict-markers", "-W", "error", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(tests)} passed" in done.stdout and len(tests) == 6


def test_the_conformance_command_passes_the_sample_handler_as_written(tmp_path: Path) -> None:
    line, secret = block("Conformance: does your handler keep the contract?", "sh").strip(), tmp_path / "secret.txt"
    secret.write_text("whsec_of_the_readers", "utf-8")
    with run_handler("simple_starlette.py", secret) as handler:
        command = line.replace("agentphone-simulator", f"{sys.executable} -m simulator").replace(
            "http://127.0.0.1:3000/webhook", handler.url
        )
        env = {**os.environ, "AGENTPHONE_WEBHOOK_SECRET": "whsec_of_the_readers", "PYTHONPATH": str(ROOT)}
        argv = ["sh", "-euc", command]
        done = subprocess.run(argv, cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Keeps the contract: all" in done.stdout
    written = {file.name for file in (tmp_path / "conformance").iterdir()}
    assert written == {"report.html", "report.json", "junit.xml", "badge.svg"}


def test_the_conformance_test_passes_as_written(tmp_path: Path) -> None:
    app = "from receiving import Receiver\nfrom simple_starlette import build_app\napp = build_app(Receiver(None))\n"
    (tmp_path / "my_app.py").write_text(app, "utf-8")
    example = block("Conformance: does your handler keep the contract?", "python")
    (tmp_path / "test_contract.py").write_text(example, "utf-8")
    env = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "-p anyio -p simulator.pytest_plugin"}
    env["PYTHONPATH"] = os.pathsep.join((str(ROOT), str(ROOT / "fixtures" / "handlers"), str(tmp_path)))
    env["AGENTPHONE_WEBHOOK_SECRET"] = SECRET
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None and int(passed[1]) > 70


def test_the_readme_counts_the_zoo_rightly() -> None:
    handlers = len(list((ROOT / "fixtures" / "handlers" / "broken").glob("*.py"))) - 1
    told = re.search(r"has (\d+) handlers with one mistake each", TEXT)
    assert told is not None and int(told[1]) == handlers // 10 * 10


def test_every_command_and_policy_is_described() -> None:
    for command in COMMANDS:
        assert f"| `{command}" in SECTIONS["The command line"]
    for policy in POLICIES:
        assert f"| `{policy.name}` |" in SECTIONS["Contracts and policies"]


def test_every_control_route_is_described() -> None:
    from simulator.control import RESOURCES
    from simulator.serving.table import Table

    described = SECTIONS["The control API, `/_sim`"]
    for operation in Table(RESOURCES).operations():
        last = operation.path.removeprefix("/_sim/").split("/")[-1]
        assert last in described or "{number}" in operation.path, operation.path


def test_every_dependency_has_its_reason() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    described = SECTIONS["Dependencies"]
    names = [re.split(r"[\[><=;]", d)[0] for d in project["dependencies"]]
    names += [re.split(r"[\[><=;]", d)[0] for d in project["optional-dependencies"]["test"]]
    assert [name for name in names if name.lower() not in described.lower()] == []


def test_every_link_to_a_file_leads_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?://)([^)#]+)\)", TEXT):
        assert (ROOT / target).exists(), target
