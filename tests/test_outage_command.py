from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from tests.helpers.processes import HANDLERS, run_handler

ROOT: Final = Path(__file__).resolve().parents[1]
PICTURE: Final = ROOT / "fixtures" / "pictures" / "outage.svg"
APP: Final = """
import hmac, os, json

SECRET = os.environ["AGENTPHONE_WEBHOOK_SECRET"].encode()

async def app(scope, receive, send):
    assert scope["type"] == "http"
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message["body"], message.get("more_body", False)
    headers = dict(scope["headers"])
    stamp = headers[b"x-webhook-timestamp"]
    right = "sha256=" + hmac.new(SECRET, stamp + b"." + body, "sha256").hexdigest()
    status = 204 if headers[b"x-webhook-signature"].decode() == right else 401
    with open("seen.jsonl", "a") as seen:
        print(json.dumps([headers[b"x-webhook-id"].decode(), status]), file=seen)
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b""})
"""

ANSWERING: Final = f"""
import sys
sys.path.insert(0, {str(HANDLERS)!r})
from receiving import Receiver
from simple_starlette import build_app
app = build_app(Receiver(None))
"""


def run(cwd: Path, *options: str, **env: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "simulator", "outage", *options]
    surroundings = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100", **env}
    return subprocess.run(argv, cwd=cwd, env=surroundings, capture_output=True, text=True, timeout=120, check=False)


def report(cwd: Path, *options: str) -> Any:
    done = run(cwd, "--json", *options)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_the_picture_of_the_readme_is_the_one_that_the_command_draws(tmp_path: Path) -> None:
    done = run(tmp_path, "--svg", "outage.svg")
    assert (done.returncode, done.stderr) == (0, "")
    drawn = (tmp_path / "outage.svg").read_text("utf-8")
    assert drawn == PICTURE.read_text("utf-8"), "run: agentphone-simulator outage --svg fixtures/pictures/outage.svg"
    assert "58 sent, handler down for 24 h: 10 at first try, 40 late (by up to 20 h 35 m), 8 lost." in done.stdout
    assert "lost: 4 × agent.message, sent Mon 17:00 to Mon 20:00: all 6 attempts failed" in done.stdout
    assert "40 of 50 arrived after something that was sent later" in done.stdout
    assert "\x1b" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_an_application_gets_what_comes_after_the_outage(tmp_path: Path) -> None:
    (tmp_path / "my_handler.py").write_text(APP)
    told = report(tmp_path, "--app", "my_handler:app", "--down", "21h", "--texts-every", "3h", "--status", "503")
    seen = [json.loads(line) for line in (tmp_path / "seen.jsonl").read_text().splitlines()]
    assert {status for _, status in seen} == {204}
    arrived = [delivery["id"] for delivery in told["deliveries"] if delivery["end"] != "lost"]
    assert sorted(name for name, _ in seen) == sorted(arrived) == sorted(told["order_of_arrival"])
    assert told["figures"]["lost"] == 2
    assert told["overtaken"]


def test_a_handler_that_runs_already_gets_it_too(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("whsec_known")
    with run_handler("simple_starlette.py", secret) as handler:
        told = report(
            tmp_path, "--handler", handler.url, "--secret", "whsec_known", "--down", "2h", "--status", "timeout"
        )
    assert told["figures"]["lost"] == 0
    assert {d["status"] for d in told["deliveries"]} == {"success"}


def test_answers_through_the_api_are_waited_for_and_are_events_too(tmp_path: Path) -> None:
    (tmp_path / "answering.py").write_text(ANSWERING)
    told = report(tmp_path, "--app", "answering:app", "--down", "2h")
    assert "message.sent" in {d["event"] for d in told["deliveries"]}
    assert told["figures"]["pending"] == 0


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--handler", "http://127.0.0.1:1/", "--app", "a:b"], "not both"),
        (["--down", "long"], "--down 'long' is no length of time"),
        (["--status", "gone"], "give refused, timeout, or an HTTP status"),
        (["--status", "200"], "from 300 to 599"),
        (["--texts-every", "0s"], "nothing is sent"),
        (["--texts-every", "1s"], "2,000 at most"),
        (["--calls-every", "0s", "--texts-every", "0s"], "nothing is sent"),
        (["--handler", "http://127.0.0.1:1/"], "no handler at http://127.0.0.1:1/"),
        (["--app", "nobody.knows:app"], "there is no module 'nobody'"),
        (["--down", "5m", "--texts-every", "1m", "--svg", "no/such/folder.svg"], "cannot be written"),
    ],
)
def test_mistakes_are_one_line_with_the_way_out(tmp_path: Path, options: list[str], told: str) -> None:
    done = run(tmp_path, *options)
    assert done.returncode == 2
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_it_fits_a_terminal_of_eighty_columns(tmp_path: Path) -> None:
    done = run(tmp_path, "--down", "2h", COLUMNS="80")
    assert max(map(len, done.stdout.splitlines())) <= 80
