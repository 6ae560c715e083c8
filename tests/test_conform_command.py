from __future__ import annotations

import json
import os
import shlex
import signal
import stat
import sys
import threading
import xml.etree.ElementTree as Xml
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.cli import main
from simulator.commands.child import Child
from simulator.commands.conform_run import Subject, World, command_line
from simulator.commands.conform_secret import SecretFile
from simulator.conformance.address import read_address
from simulator.conformance.cases import ALL
from simulator.conformance.examine import Options
from simulator.conformance.session import Budgets
from simulator.errors import UsageError
from simulator.testing.hosting import serve
from tests.helpers.processes import KEY
from tests.helpers.zoo import ZOO, load

SECRET = "whsec_of_this_test"
# The application of somebody who examines it with --app: secret and base URL come from the environment.
MY_HANDLER = f"""
import os, sys
sys.path.insert(0, {str(ZOO)!r})
import accepts_anybody, sound

def wiring():
    env = os.environ
    return sound.Wiring(
        secret=env["AGENTPHONE_WEBHOOK_SECRET"], base_url=env["AGENTPHONE_BASE_URL"], api_key=env["AGENTPHONE_API_KEY"]
    )

app = sound.Handler(wiring()).app
broken = accepts_anybody.Broken(wiring()).app
number = 7

class Mute(sound.Handler):
    async def turn(self, event):
        raise sound.Refused(500, "out of words")

mute = Mute(wiring()).app
"""
APP = ("--app", "my_handler:app")
BROKEN = ("--app", "my_handler:broken")
ONE = ("--case", "1.3")  # whatever the rest: no API, no secret, one request


def run(*argv: object) -> Result:
    return CliRunner().invoke(main, ["conform", *map(str, argv)])


def verdicts(result: Result) -> dict[str, str]:
    return {case["number"]: case["verdict"] for case in json.loads(result.stdout)["cases"]}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an application in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_handler.py").write_text(MY_HANDLER)
    (tmp_path / "broken.py").write_text("import nothing_of_this_name\n")
    return tmp_path


@contextmanager
def sound(**wiring: Any) -> Iterator[str]:
    """The sound handler on a socket; its URL."""
    module = load("sound").module
    served = serve(module.Handler(module.Wiring(**wiring)).app)
    try:
        yield f"{served.url}/webhook"
    finally:
        served.stop()


# -- verdicts and exit codes -----------------------------------------------------------------------------------------


def test_a_handler_that_keeps_the_contract_is_exit_code_0() -> None:
    result = run(*APP, "--case", "1", "--case", "5.1", "--case", "3.2")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "Keeps the contract" in result.stdout
    assert "my_handler:app" in result.stdout


def test_a_handler_that_breaks_it_is_exit_code_1_and_told_how_to_mend_it() -> None:
    result = run(*BROKEN, *ONE)
    said = " ".join(result.stdout.split())
    assert result.exit_code == 1
    assert "1.3 A wrong signature is refused" in said
    assert "observed 200" in said
    assert "in constant time" in said


def test_the_json_report_is_all_that_is_printed() -> None:
    result = run(*BROKEN, *ONE, "--case", "5.1", "--json")
    assert (result.exit_code, verdicts(result)) == (1, {"1.3": "fail", "5.1": "pass"})


def test_what_it_only_should_do_is_exit_code_1_when_asked_for() -> None:
    about = (*BROKEN, "--case", min(load("accepts_anybody").misses))
    assert set(verdicts(run(*about, "--json")).values()) == {"non-strict"}
    assert (run(*about).exit_code, run(*about, "--strict").exit_code) == (0, 1)


def test_every_kind_of_report_is_written_to_a_folder_that_need_not_exist(here: Path) -> None:
    assert run(*BROKEN, *ONE, "--report", "out/reports").exit_code == 1
    folder = here / "out" / "reports"
    assert {file.name for file in folder.iterdir()} == {"report.html", "report.json", "junit.xml", "badge.svg"}
    assert not json.loads((folder / "report.json").read_text())["ok"]
    assert Xml.parse(folder / "junit.xml").getroot().get("failures") == "1"
    assert "A wrong signature is refused" in (folder / "report.html").read_text()


def test_the_cases_are_listed_and_nothing_is_sent() -> None:
    result = run("--list")
    assert result.exit_code == 0
    assert all(f"{case.number} " in result.stdout for case in ALL)
    assert "Authenticity" in result.stdout
    assert "5.1" not in run("--list", "--case", "1").stdout


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], "give the URL of a handler that runs, or --app MODULE:APP"),
        (["http://127.0.0.1:1/", *APP], "one of them"),
        (["nonsense"], "is no URL"),
        (["http://me:pass@127.0.0.1:1/"], "a user or a password"),
        (["http://127.0.0.1:1/#top"], "has a fragment"),
        (["http://127.0.0.1:1/webhook", "--secret", "x"], "no handler at http://127.0.0.1:1/webhook"),
        (["http://127.0.0.1:1/webhook", "--secret", " "], "--secret is empty"),
        (["http://127.0.0.1:1/webhook", "--port", "8787"], "say --serve-api as well"),
        ([*APP, "--case", "9.9"], "there is no case '9.9'"),
        (["--list", "--case", "9.9"], "there is no case '9.9'"),
        ([*APP, "--policy", "gravity=on"], "'gravity' does not exist"),
        ([*APP, "--policy", "gravity"], "NAME=VALUE"),
        ([*APP, "--report", "my_handler.py"], "--report"),
        ([*APP, "--secret-file", "no/such/folder"], "--secret-file no/such/folder cannot be written"),
        (["--app", "my_handler"], "names no application"),
        (["--app", "my_handler:number"], "cannot be called"),
        (["--app", "broken:app"], "nothing_of_this_name"),
        (["compare"], "Missing argument"),
        (["compare", "no_such.json"], "no_such.json cannot be read"),
        (["compare", "my_handler.py"], "my_handler.py is no JSON"),
    ],
)
def test_a_mistake_on_the_command_line_is_one_line_and_exit_code_2(argv: list[str], said: str) -> None:
    result = run(*argv)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


# -- what is known about the handler ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("secret", "code"), [(SECRET, 0), ("whsec_wrong", 1)])
def test_a_running_handler_is_examined_with_the_secret_that_it_has(secret: str, code: int) -> None:
    with sound(secret=SECRET) as url:
        result = run(url, "--secret", secret, "--case", "1.1", "--case", "5.1", "--json")
    assert (result.exit_code, result.stderr) == (code, "")
    assert verdicts(result)["1.1"] == ("fail" if code else "pass")


def test_an_unknown_secret_is_said_once_with_the_way_out_and_refusing_everything_is_no_pass() -> None:
    with sound(secret=SECRET) as url:
        result = run(url, *ONE, "--case", "5.1", "--json")
    assert verdicts(result)["5.1"] == "not run"
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "the handler's secret is not known" in result.stderr
    assert "--secret-file" in result.stderr


def test_a_handler_that_reads_its_secret_from_a_file_finds_one_there(here: Path) -> None:
    file = here / "secret.txt"
    with sound(secret_file=file) as url:
        result = run(url, "--secret-file", file, "--case", "1", "--json")
    assert result.exit_code == 0, result.stdout
    assert "not run" not in verdicts(result).values()  # among them is whatever needs another secret
    assert file.read_text().startswith("whsec_")
    assert sys.platform == "win32" or stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_secret_that_was_in_the_file_is_there_again_afterwards(here: Path) -> None:
    file = here / "secret.txt"
    file.write_text("whsec_mine\n")
    with sound(secret_file=file) as url:
        assert run(url, "--secret-file", file, "--case", "1.1").exit_code == 0
    assert file.read_text() == "whsec_mine\n"


def test_an_application_may_read_its_secret_from_a_file_as_well(here: Path) -> None:
    (here / "filed.py").write_text(f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(ZOO)!r})
import sound
app = sound.Handler(sound.Wiring(secret_file=Path("secret.txt"))).app
""")
    result = run("--app", "filed:app", "--secret-file", "secret.txt", "--case", "1", "--json")
    assert result.exit_code == 0, result.stdout
    assert "not run" not in verdicts(result).values()


def test_what_a_running_handler_does_is_seen_where_it_was_told_the_address_of_the_api() -> None:
    with sound(secret=SECRET) as url:
        assert verdicts(run(url, "--secret", SECRET, "--case", "3.2", "--json")) == {"3.2": "not run"}
    port = free_port()
    with sound(secret=SECRET, base_url=f"http://127.0.0.1:{port}", api_key=KEY) as url:
        wiring = ("--secret", SECRET, "--serve-api", "--port", port)
        results = [run(url, *wiring, "--case", "3.2", "--json") for _ in range(2)]
    assert f"API http://127.0.0.1:{port} with the key {KEY}" in results[0].stderr
    assert [verdicts(result) for result in results] == [{"3.2": "pass"}] * 2  # it remembers ids, so they are other ones


def test_whoever_names_a_handler_anywhere_lets_events_be_sent_there() -> None:
    words: dict[str, Any] = {"app": None, "path": "", "secret": None, "secret_file": None, "port": 0, "api_key": KEY}
    subject = Subject(address=read_address("https://acme.example/hook"), serve_api=False, **words)
    world = World(contract=None, policies={}, allow_hosts=("other.example",))
    assert world.settings(subject, "http://127.0.0.1:1").allow_hosts == ("other.example", "acme.example")


def test_proxies_of_the_environment_are_for_the_internet(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert run(*APP, "--case", "5.1").exit_code == 0


def test_localhost_is_found_by_its_name() -> None:
    with sound(secret=SECRET) as url:
        assert run(url.replace("127.0.0.1", "localhost"), "--secret", SECRET, "--case", "5.1").exit_code == 0


def test_neither_secret_nor_query_is_in_any_report(here: Path) -> None:
    with sound(secret=SECRET) as url:
        result = run(f"{url}?token=hunter2", "--secret", SECRET, "--case", "1.1", "--report", "out")
    written = result.stdout + "".join(file.read_text() for file in (here / "out").iterdir())
    assert result.exit_code == 0
    assert SECRET not in written
    assert "hunter2" not in written


def test_a_handler_that_is_not_there_is_named_without_its_query() -> None:
    said = run("http://127.0.0.1:1/webhook?token=hunter2", "--secret", SECRET).stderr
    assert "no handler at http://127.0.0.1:1/webhook?" in said
    assert "hunter2" not in said


def test_the_command_that_repeats_a_run_has_no_secret_in_it(here: Path) -> None:
    subject = Subject(
        address=read_address("http://127.0.0.1:3000/hook?token=hunter2"),
        app=None,
        path="/webhook",
        secret=SECRET,
        secret_file=here / "my secret",
        serve_api=True,
        port=8787,
        api_key=KEY,
    )
    world = World(contract="2026-03", policies={"caller_dtmf": "turn"}, allow_hosts=())
    said = shlex.split(command_line(subject, Options(compliance=True, budgets=Budgets(timeout=5)), world))
    assert said[:5] == ["agentphone-simulator", "conform", "$HANDLER_URL", "--secret", "$AGENTPHONE_WEBHOOK_SECRET"]
    assert said[5:10] == ["--secret-file", str(here / "my secret"), "--serve-api", "--port", "8787"]
    assert said[10:] == ["--compliance", "--contract", "2026-03", "--policy=caller_dtmf=turn", "--timeout=5"]


def test_a_report_names_the_command_that_repeats_it() -> None:
    replay = json.loads(run(*APP, *ONE, "--profile", "voice", "--first-word", "1.5", "--json").stdout)["replay"]
    assert replay == "agentphone-simulator conform --app my_handler:app --profile voice --first-word=1.5"


# -- the end of a run ------------------------------------------------------------------------------------------------


def test_whoever_interrupts_a_run_is_told_what_is_known_so_far() -> None:
    asked = threading.Event()
    module = load("sound").module
    handler = module.Handler(module.Wiring(secret=SECRET))

    async def webhook(request: Request) -> Response:
        if b'"channel":"voice"' in await request.body():
            asked.set()
            while (await request.receive())["type"] != "http.disconnect":
                """Never answer."""
        answer: Response = await handler.webhook(request)
        return answer

    served = serve(Starlette(routes=[Route("/webhook", webhook, methods=["POST"])]))
    argv = ["conform", f"{served.url}/webhook", "--secret", SECRET, "--case", "1.1", "--case", "5.1", "--json"]
    try:
        with Child([sys.executable, "-m", "simulator", *argv]) as child:
            assert asked.wait(30)
            os.kill(child.pid, signal.SIGINT)
            assert child.wait(30) == 130
            report = json.loads("\n".join(child.stdout))
    finally:
        served.stop()
    assert [(case["number"], case["verdict"]) for case in report["cases"]] == [("1.1", "pass"), ("5.1", "not run")]
    assert "ended before its turn" in report["cases"][1]["reason"]


# -- comparisons -----------------------------------------------------------------------------------------------------


def test_reports_of_several_handlers_are_put_side_by_side(here: Path) -> None:
    run(*APP, "--case", "1", "--report", "good")
    run(*BROKEN, "--case", "1", "--report", "bad")
    result = run("compare", "good/report.json", "bad/report.json", "--report", "comparison.html")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "my_handler:app" in result.stdout
    assert "my_handler:broken" in result.stdout
    assert "1.3" in result.stdout
    assert "my_handler:broken" in (here / "comparison.html").read_text()


def test_comparing_has_a_help_of_its_own() -> None:
    result = run("compare", "--help")
    assert result.exit_code == 0
    assert "agentphone-simulator conform compare" in " ".join(result.stdout.split()).split("Example:")[1]


# -- attacks ---------------------------------------------------------------------------------------------------------


def test_after_the_cases_a_search_may_follow_that_can_be_repeated(here: Path) -> None:
    pytest.importorskip("simulator.conformance.attack.telling")
    result = run(*APP, *ONE, "--attack", "--examples", 3, "--seed", 77, "--report", "out")
    assert result.exit_code == 0, result.stdout
    assert "Keeps the contract" in result.stdout
    assert "seed 77" in " ".join(result.stdout.split())
    assert len(list((here / "out").iterdir())) > 4


def test_what_a_search_finds_is_exit_code_1_though_the_cases_passed() -> None:
    pytest.importorskip("simulator.conformance.attack.telling")
    result = run("--app", "my_handler:mute", *ONE, "--attack", "--examples", 3, "--json")
    assert json.loads(result.stdout)["ok"]  # what was found is told on stderr, where it is in nobody's way
    assert result.exit_code == 1
    assert result.stderr


def test_a_handler_that_refuses_everything_is_not_attacked_as_well() -> None:
    with sound(secret=SECRET) as url:
        result = run(url, "--secret", "whsec_wrong", *ONE, "--attack", "--attack-time", 1, "--json")
    assert (result.exit_code, result.stderr) == (1, "")


# -- the secret's file -----------------------------------------------------------------------------------------------


def test_a_secret_is_replaced_in_one_step_and_a_link_stays_a_link(here: Path) -> None:
    (here / "link").symlink_to(here / "real")
    with SecretFile(here / "link") as file:
        file.write("one")
        with (here / "real").open() as opened:
            file.write("two")
            assert opened.read() == "one"  # whoever has begun to read reads a whole one
        assert (here / "link").is_symlink()
        assert (here / "link").read_text() == "two"
    assert sorted(path.name for path in here.iterdir() if "real" in path.name) == ["real"]


def test_a_folder_that_is_no_place_for_a_secret_is_a_usage_error(here: Path) -> None:
    with SecretFile(here / "missing" / "secret") as file, pytest.raises(UsageError, match="cannot be written"):
        file.write("one")


def free_port() -> int:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port
