from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from click.testing import CliRunner, Result

from simulator import __version__
from simulator.app import operations
from simulator.cli import COMMANDS, main
from simulator.commands.call import Line
from simulator.commands.text import Watch
from simulator.domain.magic import NUMBERS
from simulator.scenarios.loader import load_path
from simulator.settings import DEFAULT_API_KEY
from tests.helpers.processes import KEY, PATIENCE, ROOMY, Api, run_handler, run_simulator

CALLER = "+14155550150"


def run(*argv: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, argv, input=stdin)


@contextmanager
def closed_port() -> Iterator[int]:
    """A port that refuses connections for as long as the block runs: taken, but nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


# -- errors and help -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["bogus"], "No such command 'bogus'"),
        (["serve", "--port", "70000"], "--port"),
        (["serve", "--clock", "sundial"], "'system', 'manual', 'auto'"),
        (["serve", "--contract", "1999"], "2026-03"),
        (["serve", "--scale", "0"], "--scale"),
        (["serve", "--policy", "caller_dtmf"], "NAME=VALUE"),
        (["serve", "--policy", "caller_dtmf=maybe"], "ignored, turn"),
        (["serve", "--policy", "gravity=on"], "'gravity' does not exist"),
        (["serve", "--limit", "numbers"], "NAME=VALUE"),
        (["serve", "--hosted-url", "localhost:11434"], "http://127.0.0.1:11434/v1"),
        (["serve", "--limit", "numbers=many"], "a whole number"),
        (["serve", "--limit", "gravity=1"], "'gravity' does not exist"),
        (["serve", "--fault", "on=api"], "a rule needs 'fault': one of status"),
        (["serve", "--fault", "on=api,fault=reset,match.operation=sendMesage"], "did you mean 'sendMessage'?"),
        (["numbers", "--area-code", "115"], "three digits from 200 to 999"),
        (["serve", "--api-key", ""], "printable ASCII"),
        (["serve", "--api-key", "two words"], "printable ASCII"),
        (["serve", "--host", "192.0.2.1", "--port", "0"], "cannot listen on 192.0.2.1:0"),
        (["call"], "Missing argument 'NUMBER'"),
        (["text", "+14155550100"], "Missing argument 'BODY'"),
        (["advance", "soon"], "'soon' is not a valid float"),
        (["advance", "0"], "0"),
        (["advance", "5", "--base-url", "ftp://127.0.0.1"], "no simulator at ftp://127.0.0.1"),
        (["advance", "5", "--base-url", "nonsense"], "no simulator at nonsense"),
    ],
)
def test_a_mistake_is_one_line_on_stderr_and_exit_code_2(argv: list[str], said: str) -> None:
    result = run(*argv)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert result.stderr.startswith("agentphone-simulator: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("argv", [["call", "+14155550100"], ["text", "+14155550100", "hi"], ["advance", "5"]])
def test_without_a_simulator_the_way_to_start_one_is_named(argv: list[str]) -> None:
    with closed_port() as port:
        result = run(*argv, "--base-url", f"http://127.0.0.1:{port}")
    assert result.exit_code == 2
    assert f"no simulator at http://127.0.0.1:{port}" in result.stderr
    assert "start one with `agentphone-simulator serve`" in result.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0
    assert "agentphone-simulator " + name in " ".join(result.stdout.split()).split("Example:")[1]


def test_without_a_command_the_help_lists_them_all() -> None:
    assert run().stdout == run("--help").stdout
    assert all(re.search(rf"^  {name} ", run().stdout, re.MULTILINE) for name in COMMANDS)


def test_version() -> None:
    assert run("--version").stdout == f"agentphone-simulator, version {__version__}\n"


def test_routes_lists_every_operation() -> None:
    lines = run("routes").stdout.splitlines()
    assert lines[0].split() == ["METHOD", "PATH", "OPERATION"]
    assert [tuple(line.split()) for line in lines[1:]] == [(o.method, o.path, o.id) for o in operations()]


def test_numbers_lists_every_fictional_number_in_the_area_asked_for() -> None:
    table, data = run("numbers", "--area-code", "212").stdout, json.loads(run("numbers", "--json").stdout)
    assert [row["number"][-2:] for row in data] == [magic.digits for magic in NUMBERS]
    assert data[0] == {"number": "+14155550102", "name": "busy", "about": "Calls: busy."}
    for magic in NUMBERS:
        assert f"+121255501{magic.digits}  {magic.name}" in table


# -- serve -----------------------------------------------------------------------------------------------------------


class Answering(ThreadingHTTPServer):
    """A webhook endpoint of the test's own, which answers when `go` is set."""

    daemon_threads = True
    status = 200

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.go = threading.Event()
        super().__init__(("127.0.0.1", 0), _Answer)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/webhook"


class _Answer(BaseHTTPRequestHandler):
    server: Answering

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.reached.set()
        self.server.go.wait(PATIENCE)
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's own word
        pass


@pytest.fixture
def endpoint() -> Iterator[Answering]:
    with Answering() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.go.set()
        server.shutdown()
        thread.join()


def test_serve_says_ready_last_and_answers_from_then_on() -> None:
    with run_simulator("--api-key", "sk_one", "--api-key", "sk_two") as (url, child):
        health = httpx.get(f"{url}/_sim/health", trust_env=False).json()
        printed = list(child.stdout)
    assert health["status"] == "ok"
    assert printed[-1] == f"ready {url}"
    assert [line.split()[-1] for line in printed if line.startswith("API key")] == ["sk_one", "sk_two"]
    assert f"{url}/_sim" in "\n".join(printed)


def test_serve_lets_things_go_wrong_from_the_start_and_again_after_a_reset() -> None:
    with run_simulator("--fault", "on=api,fault=status,status=503,times=1,match.operation=createAgent") as (url, _):
        headers = {"Authorization": f"Bearer {KEY}"}
        with httpx.Client(base_url=url, headers=headers, timeout=PATIENCE, trust_env=False) as client:
            answers = [client.post("/v1/agents", json={"name": "A"}).status_code for _ in range(2)]
            client.post("/_sim/reset")
            again = client.post("/v1/agents", json={"name": "A"}).status_code
    assert (answers, again) == ([503, 200], 503)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_stops_cleanly_when_told_to(number: signal.Signals) -> None:
    with run_simulator() as (_, child):
        os.kill(child.pid, number)
        assert child.wait(PATIENCE) == 0
        assert list(child.stderr) == []


def test_requests_in_flight_are_finished_before_the_stop(endpoint: Answering) -> None:
    with run_simulator() as (url, child):
        api = Api(url)
        api.number()
        api.post("/v1/webhooks", {"url": endpoint.url, **ROOMY})
        answers: list[Any] = []
        asking = threading.Thread(target=lambda: answers.append(api.post("/v1/webhooks/test", None)))
        asking.start()
        assert endpoint.reached.wait(PATIENCE)
        os.kill(child.pid, signal.SIGTERM)
        endpoint.go.set()
        asking.join(PATIENCE)
        assert child.wait(PATIENCE) == 0
    assert answers[0]["success"] is True


def test_serve_lets_handlers_take_no_time_for_as_long_as_it_is_told() -> None:
    with run_simulator("--clock", "auto", "--handler-grace", "2.5") as (url, _):
        headers = {"Authorization": f"Bearer {DEFAULT_API_KEY}"}
        clock = httpx.get(f"{url}/_sim/clock", headers=headers, trust_env=False).json()
    assert (clock["mode"], clock["handler_grace"]) == ("auto", 2.5)


def test_serve_asks_the_model_that_it_is_told_of() -> None:
    with run_simulator("--clock", "auto", "--hosted-url", "http://10.1.2.3/v1") as (url, _):
        api = Api(url)
        agent = api.post("/v1/agents", {"name": "A", "voiceMode": "hosted"})
        number = api.post("/v1/numbers", {"agentId": agent["id"]})["phoneNumber"]
        call = api.post("/_sim/calls", {"from": CALLER, "to": number, "script": ["Hi"], "wait": True})
        assert "--allow-host 10.1.2.3" in call["findings"][0]["message"]


def test_a_long_poll_is_answered_at_once_when_serve_stops() -> None:
    poll = f"GET /_sim/journal?after=99&wait=60 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {KEY}\r\n\r\n"
    with (
        run_simulator() as (url, child),
        socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as polling,
    ):
        polling.sendall(poll.encode())
        httpx.get(f"{url}/_sim/health", trust_env=False)  # came after the poll, so that the poll is in flight
        os.kill(child.pid, signal.SIGTERM)
        polling.settimeout(PATIENCE)
        assert polling.recv(4096).startswith(b"HTTP/1.1 200 ")
        assert child.wait(PATIENCE) == 0


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


def test_what_is_left_undone_is_reported_when_serve_stops(endpoint: Answering) -> None:
    endpoint.status = 503
    endpoint.go.set()
    with run_simulator("--contract", "2026-07") as (url, child):
        api = Api(url)
        number = api.number()
        api.post("/v1/webhooks", {"url": endpoint.url, **ROOMY})
        api.post("/_sim/messages", {"from": CALLER, "to": number, "body": "hi"})
        api.post("/_sim/calls", {"from": CALLER, "to": number})
        assert api.get(f"/_sim/journal?kind=delivery.attempt&wait={PATIENCE}")["entries"]
        os.kill(child.pid, signal.SIGTERM)
        assert child.wait(PATIENCE) == 0
        assert list(child.stderr) == ["stopped with calls still live: 1, deliveries still pending: 1"]


def test_a_port_that_is_taken_is_an_error_that_names_the_way_out() -> None:
    with closed_port() as port:
        result = run("serve", "--port", str(port))
    assert result.exit_code == 2
    assert f"cannot listen on 127.0.0.1:{port}" in result.stderr
    assert "--port 0" in result.stderr


def test_serving_does_not_import_what_it_does_not_need() -> None:
    # Up to the first request of an account, which is when its runner is made.
    probe = (
        "import simulator.commands.serve, simulator.runtime.server, simulator.runtime.runner, sys;"
        "from simulator.app import build_app, build_simulator; build_app(build_simulator());"
        "print(*sys.modules)"
    )
    listed = subprocess.run([sys.executable, "-c", probe], capture_output=True, check=True, text=True)
    loaded = set(listed.stdout.split())
    assert not loaded & {"rich", "aiohttp", "yarl", "httpx", "phonenumbers", "requests", "fastapi", "flask"}
    late = (
        "engine.call",
        "engine.script",
        "runtime.telephone",
        "runtime.faults",
        "state",
        "scenarios",
    )
    assert not loaded & {f"simulator.{name}" for name in late}


# -- a running simulator ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def quick() -> Iterator[str]:
    """A simulator whose time flows twenty times as fast as ours: a call takes a second."""
    with run_simulator("--scale", "20") as (url, _):
        yield url


@pytest.fixture(scope="module")
def answered(quick: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A number whose agent is the simple sample handler."""
    secret_file = tmp_path_factory.mktemp("cli") / "secret"
    env = {"AGENTPHONE_BASE_URL": quick, "AGENTPHONE_API_KEY": KEY}
    with run_handler("simple_starlette.py", secret_file, env=env) as handler:
        api = Api(quick)
        number = api.number(beginMessage="Acme, hello!")
        secret_file.write_text(api.post("/v1/webhooks", {"url": handler.url, **ROOMY})["secret"])
        yield number


def phone(url: str, number: str, typed: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run `call` as a user does who pipes a script into it."""
    argv = [sys.executable, "-m", "simulator", "call", number, "--base-url", url, *options]
    return subprocess.run(argv, input=typed, capture_output=True, text=True, timeout=2 * PATIENCE, check=False)


def heard(output: str) -> list[str]:
    return [re.sub(r"\+\d+\.\d\ds", "", line).split(None, 1)[1] for line in output.splitlines() if line[:5] == "agent"]


def test_a_piped_call_says_every_line_after_the_agent_has_finished(quick: str, answered: str) -> None:
    call = phone(quick, answered, "Where is my order?\nIt is 4521.\nThanks, bye.\n")
    assert (call.returncode, call.stderr) == (0, "")
    assert heard(call.stdout) == [
        "Acme, hello!",
        "I can look up an order for you. What is its number?",
        "Let me look that up.",
        "Order 4521 shipped yesterday and arrives on Thursday.",
        "Thanks for calling. Goodbye!",
    ]
    assert re.fullmatch(r"call ended: agent_hangup after \d+\.\d s", call.stdout.splitlines()[-2])


def test_the_last_line_of_a_call_sums_up_what_was_heard(quick: str, answered: str) -> None:
    times = r"first word after \d\.\d\d s, longest gap \d\.\d\d s"
    said = phone(quick, answered, "Where is my order?\n").stdout.splitlines()[-1]
    assert re.fullmatch(rf"heard: 1 turn, {times}, talk ratio \d\d%", said)


def test_a_call_is_written_down_when_it_has_ended(quick: str, answered: str, tmp_path: Path) -> None:
    file = tmp_path / "order.yaml"
    call = phone(quick, answered, "Where is my order?\n", "--export", str(file))
    assert call.stderr == f"{file}: scenario of {Api(quick).get('/v1/calls')['data'][0]['id']}\n"
    assert load_path(file).calls[0].script is not None


def test_a_call_is_exported_by_its_id(quick: str, answered: str, tmp_path: Path) -> None:
    phone(quick, answered, "Where is my order?\n")
    call = Api(quick).get("/v1/calls")["data"][0]["id"]
    shown = run("export", call, "--base-url", quick)
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert yaml.safe_load(shown.stdout)["calls"][0]["from"] == CALLER
    assert "curl" in run("export", call, "--as", "curl", "--base-url", quick).stdout
    run("export", call, "--output", str(tmp_path / "test_call.py"), "--base-url", quick)
    compile((tmp_path / "test_call.py").read_text(), "test_call.py", "exec")


def test_an_export_that_cannot_be_made_says_why(quick: str, tmp_path: Path) -> None:
    missing = run("export", "call_nope", "--base-url", quick)
    assert missing.exit_code == 2
    assert "call_nope" in missing.stderr


def test_every_answer_says_how_long_after_the_last_word_it_was_heard(quick: str, answered: str) -> None:
    lines = phone(quick, answered, "Where is my order?\n").stdout.splitlines()
    delays = [re.search(r"\+(\d+\.\d\d)s", line) for line in lines if line.startswith("agent")]
    assert delays[0] is None
    assert delays[1] is not None


def test_the_end_of_the_input_hangs_up_when_everything_is_answered(quick: str, answered: str) -> None:
    call = phone(quick, answered, "\n#12*\nWhere is order 1180?")
    assert heard(call.stdout)[-1] == "Order 1180 is being packed and leaves tomorrow."
    assert re.search(r"^you +\[presses 12\*\]$", call.stdout, re.MULTILINE)
    assert call.stdout.splitlines()[-2].startswith("call ended: user_hangup")


def test_a_line_with_an_exclamation_mark_is_said_over_the_agent(quick: str, answered: str) -> None:
    call = phone(quick, answered, "!Where is order 1180?\n")
    assert heard(call.stdout)[:2] == ["Acme, hello!", "(interrupted)"]
    assert heard(call.stdout)[-1] == "Order 1180 is being packed and leaves tomorrow."


def test_keys_that_do_not_exist_are_not_pressed(quick: str, answered: str) -> None:
    call = phone(quick, answered, "#12a\n#\n")
    assert call.returncode == 0
    assert call.stderr.splitlines() == [
        "'12a' are not keys: use 0-9, * and # behind the first #",
        "'' are not keys: use 0-9, * and # behind the first #",
    ]


def test_a_call_to_a_number_that_nobody_has_says_so(quick: str) -> None:
    call = phone(quick, "+14155550199", "hello")
    assert (call.returncode, call.stdout) == (2, "")
    assert "+14155550199" in call.stderr


def test_a_call_that_fails_is_exit_code_1(quick: str, answered: str) -> None:
    with run_simulator() as (url, _):
        call = phone(url, Api(url).number(), "hello")
    assert call.returncode == 1
    assert "call ended: error_no_webhook" in call.stdout


def test_a_text_is_delivered_and_its_reply_printed(quick: str, answered: str) -> None:
    result = run("text", answered, "Where is order 7003?", "--base-url", quick)
    assert result.exit_code == 0
    first, *rest = result.stdout.splitlines()
    assert re.fullmatch(r"msg_\w+ in conv_\w+", first)
    assert "agent.message attempt 1: 200" in rest
    assert any(re.fullmatch(r"reply msg_\w+: Order 7003 was delivered on Monday\.", line) for line in rest)


def test_a_text_comes_with_pictures_and_on_a_channel() -> None:
    with run_simulator() as (url, _):
        api = Api(url)
        number = api.number()
        picture = "https://files.example.com/a.png"
        sent = ("text", number, "", "--media", picture, "--media", f"{picture}?2", "--channel", "rcs")
        assert run(*sent, "--wait", "5", "--base-url", url).exit_code == 1
        (thread,) = api.get("/v1/conversations")["data"]
        (shown,) = api.get(f"/v1/conversations/{thread['id']}")["messages"]
    assert (shown["channel"], shown["mediaUrls"]) == ("rcs", [picture, f"{picture}?2"])


def test_a_text_that_nobody_is_told_of_is_exit_code_1() -> None:
    with run_simulator() as (url, _):
        result = run("text", Api(url).number(), "hi", "--base-url", url)
    assert result.exit_code == 1
    assert "no webhook is set" in result.stdout


def test_time_is_advanced() -> None:
    with run_simulator("--clock", "manual") as (url, _):
        first, second = (run("advance", "90", "--base-url", url).stdout for _ in range(2))
    assert first == "it is 2026-01-05T15:01:30.000Z; no timers\n"
    assert second == "it is 2026-01-05T15:03:00.000Z; no timers\n"


def test_a_wrong_key_is_told_which_one_to_pass(quick: str) -> None:
    result = run("advance", "1", "--base-url", quick, "--api-key", "sk_live_other")
    assert result.exit_code == 2
    assert "--api-key" in result.stderr


def test_something_else_at_the_address_is_recognised(tmp_path: Path) -> None:
    with run_handler("simple_starlette.py", tmp_path / "secret") as handler:
        result = run("advance", "1", "--base-url", handler.url.removesuffix("/webhook"))
    assert result.exit_code == 2
    assert "is it a simulator?" in result.stderr


class Terminal:
    """A terminal with `call` in it, for typing into."""

    def __init__(self, url: str, number: str) -> None:
        self.screen = b""
        self._master, slave = pty.openpty()
        argv = [sys.executable, "-m", "simulator", "call", number, "--base-url", url]
        # A session of its own, so that a Ctrl-C in it would not reach the tests.
        self.process = subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
        os.close(slave)

    def type(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def read_until(self, words: bytes) -> None:
        while words not in self.screen:
            assert select.select([self._master], [], [], PATIENCE)[0], self.screen
            self.screen += os.read(self._master, 4096)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)


@pytest.fixture
def terminal(quick: str, answered: str) -> Iterator[Terminal]:
    screen = Terminal(quick, answered)
    yield screen
    screen.close()


def test_in_a_terminal_ctrl_d_hangs_up(terminal: Terminal) -> None:
    terminal.read_until(b"Acme, hello!")
    terminal.type(b"Where is order 4521?\n")
    terminal.read_until(b"shipped yesterday")
    terminal.type(b"\x04")
    terminal.read_until(b"call ended: user_hangup")
    assert terminal.process.wait(PATIENCE) == 0
    assert b"you  " not in terminal.screen  # it is on the screen already, where it was typed


def test_in_a_terminal_ctrl_d_does_not_wait_for_the_agent_to_finish() -> None:
    greeting = " ".join(["blah"] * 150)  # a minute of it, at least
    with run_simulator("--policy", "no_webhook_call=silence") as (url, _):
        api = Api(url)
        terminal = Terminal(url, api.number(beginMessage=greeting))
        terminal.read_until(b"blah")
        terminal.type(b"\x04")
        terminal.read_until(b"call ended: user_hangup")
        assert terminal.process.wait(PATIENCE) == 0
        terminal.close()
        [call] = api.get("/v1/calls")["data"]
        rows = api.get(f"/v1/calls/{call['id']}")["transcripts"]
    assert sum(len(row["transcript"].split()) for row in rows) < 150


def test_in_a_terminal_the_end_of_the_call_is_the_end_of_the_command(terminal: Terminal) -> None:
    terminal.read_until(b"Acme, hello!")
    terminal.type(b"goodbye\n")
    terminal.read_until(b"call ended: agent_hangup")
    assert terminal.process.wait(PATIENCE) == 0


def test_an_interrupted_call_is_hung_up(quick: str, terminal: Terminal) -> None:
    terminal.read_until(b"connected")
    os.kill(terminal.process.pid, signal.SIGINT)
    assert terminal.process.wait(PATIENCE) == 130
    newest = httpx.get(f"{quick}/v1/calls", headers={"Authorization": f"Bearer {KEY}"}, trust_env=False).json()["data"][
        0
    ]
    assert newest["status"] == "completed"


# -- what is printed, from journal entries -----------------------------------------------------------------------------


def entry(kind: str, second: float = 0, **data: Any) -> dict[str, Any]:
    return {"seq": 1, "at": f"2026-01-05T15:00:{second:06.3f}Z", "kind": kind, "call_id": "call_1", **data}


def test_other_calls_are_not_heard() -> None:
    line = Line("call_2", echo=True)
    assert line.hear(entry("call.ended", reason="user_hangup", status="completed")) == []
    assert not line.ended


def test_findings_are_printed_where_they_happen() -> None:
    line = Line("call_1", echo=False)
    assert line.hear(entry("finding", message="no byte came")) == ["finding: no byte came"]


def test_the_delay_counts_from_the_last_word() -> None:
    line = Line("call_1", echo=False)
    assert line.hear(entry("speech.started", 1, party="user", text="hello", duration=0.5)) == []
    assert line.hear(entry("timer.started", 1, timer="speech", due="2026-01-05T15:00:01.500Z")) == []
    spoken = line.hear(entry("speech.started", 2.25, party="agent", text="hi", duration=0.5))
    assert spoken == ["agent   +0.75s  hi"]


def test_the_line_is_quiet_when_what_was_asked_for_is_over_and_the_floor_is_free() -> None:
    line = Line("call_1", echo=False)
    line.ask(2)
    for kind, data, quiet in (
        ("timer.started", {"timer": "silence"}, False),
        ("digits", {"party": "user", "digits": "1"}, False),
        ("speech.heard", {"party": "user", "text": "1"}, False),  # keys may count as words (policy `caller_dtmf`)
        ("timer.started", {"timer": "silence"}, False),
        ("speech.started", {"party": "user", "text": "hello", "duration": 0.5}, False),
        ("turn.opened", {"turn_id": "1"}, False),
        ("speech.started", {"party": "agent", "text": "hi", "duration": 0.5}, False),
        ("turn.closed", {"turn_id": "1"}, False),
        ("timer.started", {"timer": "silence"}, True),
    ):
        line.hear(entry(kind, **data))
        assert line.quiet is quiet, kind


def test_a_delivery_that_fails_for_good_is_not_a_success() -> None:
    watch = Watch("msg_1", "conv_1")
    delivery = {"delivery_id": "del_msg_1_num_1"}
    assert watch.see(entry("delivery.created", event="agent.message", **delivery)) is None
    refused = entry("delivery.attempt", attempt=1, outcome="rejected", http_status=404, error=None, **delivery)
    assert watch.see(refused) == "agent.message attempt 1: 404"
    assert watch.see(entry("delivery.settled", status="failed", **delivery)) == "agent.message has failed for good"
    assert not watch.delivered
