from __future__ import annotations

import json
import sys
import xml.etree.ElementTree as Xml
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from simulator.cli import main
from tests.helpers.processes import HANDLERS, run_handler

GOOD = """
name: a good call
calls:
  - script:
      - {say: "Where is my order 4521?", expect: {text: {contains: shipped}, findings: none}}
      - {say: "Goodbye.", expect: {action: hangup}}
    expect: {reason: agent_hangup}
"""
BAD = GOOD.replace("a good call", "a bad call").replace("contains: shipped", "contains: delivered")
TEXT = """
name: a text
texts: [{script: [{text: "Where is 1180?"}, {expect_reply: {within: 10s, text: {contains: packed}}}]}]
"""
# The application of somebody who runs their scenarios with --app: secret and base URL come from the environment.
MY_HANDLER = f"""
import sys
sys.path.insert(0, {str(HANDLERS)!r})
from receiving import Receiver
from simple_starlette import build_app
app = build_app(Receiver(None))
number = 7
"""


def run(*argv: object) -> Result:
    return CliRunner().invoke(main, ["run", *map(str, argv)])


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with scenarios, and an application beside them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.yaml").write_text(GOOD)
    (tmp_path / "bad.yaml").write_text(BAD)
    (tmp_path / "text.yaml").write_text(TEXT)
    (tmp_path / "my_handler.py").write_text(MY_HANDLER)
    (tmp_path / "broken.py").write_text("import nothing_of_this_name\n")
    return tmp_path


APP = ("--app", "my_handler:app")


@pytest.mark.usefixtures("here")
class TestWithAnApplication:
    def test_all_passed_is_exit_code_0_and_a_line_each(self) -> None:
        result = run("good.yaml", "text.yaml", *APP)
        assert (result.exit_code, result.stderr) == (0, "")
        assert " ok  a good call" in result.stdout
        assert " ok  a text" in result.stdout
        assert "all passed: 2 scenarios" in result.stdout

    def test_a_failed_expectation_is_exit_code_1_and_told_in_full(self) -> None:
        result = run("bad.yaml", *APP, "--seed", 77)
        said = " ".join(result.stdout.split())
        assert result.exit_code == 1
        assert "expected speech that contains 'delivered'" in said
        assert "bad.yaml, seed 77" in said
        assert "1 failed" in said

    def test_the_json_report_is_all_that_is_printed(self) -> None:
        report = json.loads(run("bad.yaml", "good.yaml", *APP, "--json").stdout)
        assert [(s["name"], s["ok"]) for s in report["scenarios"]] == [("a bad call", False), ("a good call", True)]
        assert (report["ok"], report["handler"]) == (False, "my_handler:app")

    def test_reports_are_written_to_a_folder_that_need_not_exist(self, here: Path) -> None:
        assert run(".", *APP, "--report", "out/reports").exit_code == 1
        folder = here / "out" / "reports"
        assert not json.loads((folder / "report.json").read_text())["ok"]
        assert Xml.parse(folder / "junit.xml").getroot().get("failures") == "1"
        assert "a bad call" in (folder / "report.html").read_text()

    def test_each_of_several_at_once_has_an_application_that_finds_its_way_back(self) -> None:
        result = run("text.yaml", "good.yaml", *APP, "--parallel", 2, "--repeat", 3, "--json")
        report = json.loads(result.stdout)
        assert (result.exit_code, report["counts"]["scenarios"]) == (0, 6)
        assert len({scenario["seed"] for scenario in report["scenarios"]}) == 6

    def test_after_the_first_failure_the_rest_is_not_run(self) -> None:
        report = json.loads(run("bad.yaml", "good.yaml", *APP, "--fail-fast", "--json").stdout)
        assert (len(report["scenarios"]), report["not_run"]) == (1, ["good.yaml"])

    def test_variables_go_before_those_of_the_file(self, here: Path) -> None:
        (here / "var.yaml").write_text("variables: {word: nonsense}" + BAD.replace("delivered", "'{{word}}'"))
        assert run("var.yaml", *APP).exit_code == 1
        assert run("var.yaml", *APP, "--var", "word=shipped").exit_code == 0

    def test_contract_and_policies_go_before_those_of_the_file(self, here: Path) -> None:
        expect = "deliveries: [{event: call.ended, times: 1}]"
        (here / "events.yaml").write_text(GOOD.replace("reason: agent_hangup", expect))
        assert run("events.yaml", *APP).exit_code == 0
        assert run("events.yaml", *APP, "--policy", "call_ended_event=off").exit_code == 1


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["good.yaml"], "give --handler URL or --app MODULE:APP"),
        (["good.yaml", *APP, "--handler", "http://127.0.0.1:1/"], "one of them"),
        (["nowhere.yaml", *APP], "nowhere.yaml cannot be read"),
        (["good.yaml", "--handler", "http://127.0.0.1:1/webhook"], "no handler at http://127.0.0.1:1/webhook"),
        (["good.yaml", "--handler", "nonsense"], "is no URL"),
        (["good.yaml", "--handler", "http://[::1/"], "is no URL"),
        (["good.yaml", *APP, "--var", "word"], "NAME=VALUE"),
        (["good.yaml", *APP, "--policy", "gravity=on"], "'gravity' does not exist"),
        (["good.yaml", *APP, "--report", "good.yaml"], "--report"),
        (["good.yaml", *APP, "--secret-file", "no/such/folder"], "--secret-file no/such/folder cannot be written"),
        (["good.yaml", "--app", "my_handler"], "names no application"),
        (["good.yaml", "--app", "my_handler:nothing"], "has no 'nothing'"),
        (["good.yaml", "--app", "my_handler:number"], "cannot be called"),
        (["good.yaml", "--app", "nobody.knows:app"], "there is no module 'nobody'"),
        (["good.yaml", "--app", "broken:app"], "nothing_of_this_name"),
    ],
)
@pytest.mark.usefixtures("here")
def test_a_mistake_on_the_command_line_is_one_line_and_exit_code_2(argv: list[str], said: str) -> None:
    result = run(*argv)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


def test_mistakes_in_files_are_all_printed_with_their_places(here: Path) -> None:
    (here / "one.yaml").write_text("name: x\ncals: []\n")
    (here / "two.yaml").write_text("name: y\ncalls: [{script: [{sy: hi}]}]\n")
    result = run(here / "one.yaml", here / "two.yaml", here / "good.yaml", *APP)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"{here / 'one.yaml'}:2:1: " in result.stderr
    assert "did you mean 'calls'" in result.stderr
    assert f"{here / 'two.yaml'}:2:" in result.stderr


def test_a_running_handler_is_told_the_secret_by_a_file(here: Path) -> None:
    with run_handler("tools_flask.py", here / "secret") as handler:
        result = run("good.yaml", "--handler", handler.url, "--secret-file", "secret")
    assert result.exit_code == 0, result.stdout
    assert (here / "secret").read_text().startswith("whsec_")
    assert sys.platform == "win32" or (here / "secret").stat().st_mode & 0o077 == 0


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(("secret", "code"), [("whsec_known", 0), ("whsec_wrong", 1)])
def test_a_running_handler_may_know_its_secret_already(secret: str, code: int) -> None:
    with run_handler("tools_flask.py", None, env={"AGENTPHONE_WEBHOOK_SECRET": "whsec_known"}) as handler:
        assert run("good.yaml", "--handler", handler.url, "--secret", secret).exit_code == code
