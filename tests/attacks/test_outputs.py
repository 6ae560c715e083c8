"""What others wrote, shown in a terminal, a report or a page, stays text: it runs nothing and hides nothing."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as Xml
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml
from click.testing import CliRunner, Result

from simulator.cli import main
from simulator.scenarios.loader import load_path
from tests.helpers.live_server import Live, Outside
from tests.helpers.webhook_receiver import Received, Receiver, Reply

CALLER = "+14155550150"
# Clears the screen, retitles the window, asks for the clipboard; ends CDATA and tags; hides what follows.
EVIL = "\x1b[2J\x1b]0;owned\x07\x1b]52;c;?\x07\x9b31m\x08\x00]]><script>alert(1)</script><!-- ' \" & [bold]x[/] \u2028"
SAID = EVIL.replace("\x00", "")  # U+0000 is refused by the API itself
COMMANDS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")  # tab and line ends are text


@pytest.fixture
def handler() -> Iterator[Receiver]:
    with Receiver(lambda _: Reply(json.dumps({"text": EVIL}).encode())) as receiver:
        yield receiver


def run(live: Live, key: str, *argv: str, stdin: str = "") -> Result:
    connection = ["--base-url", live.url, "--api-key", key]
    return CliRunner().invoke(main, [*argv, *connection], input=stdin)


def printed(result: Result) -> str:
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.stdout + result.stderr


def line(live: Live, key: str, handler: Receiver) -> tuple[str, str]:
    with Outside(live.url, key) as outside:
        agent = outside.send("POST", "/v1/agents", {"name": SAID[:200], "beginMessage": SAID})
        outside.send("POST", "/v1/webhooks", {"url": handler.url})
        number = outside.send("POST", "/v1/numbers", {"agentId": agent["id"]})["phoneNumber"]
    return agent["id"], number


def test_a_call_in_the_terminal_obeys_nobody(victim: Live, handler: Receiver, tmp_path: Path) -> None:
    key = victim.new_key()
    _, number = line(victim, key, handler)
    with Outside(victim.url, key) as outside:
        outside.send("PUT", "/_sim/clock", {"scale": 20})  # a live phone follows real time
    result = run(victim, key, "call", number, "--export", str(tmp_path / "call.yaml"), stdin=f"{SAID}\nbye\n")
    text = printed(result)
    assert "\\x1b[2J" in text
    assert not COMMANDS.search(text)
    assert load_path(tmp_path / "call.yaml").calls  # what was exported says the same words again


@pytest.mark.parametrize("form", ["scenario", "pytest", "curl"])
def test_an_export_to_the_terminal_obeys_nobody(victim: Live, handler: Receiver, form: str) -> None:
    key = victim.new_key()
    _, number = line(victim, key, handler)
    with Outside(victim.url, key) as outside:
        call_id = outside.call(CALLER, number, SAID)["call_id"]
    text = printed(run(victim, key, "export", call_id, "--as", form))
    assert not COMMANDS.search(text)
    if form == "pytest":
        compile(text, "test_exported.py", "exec")


def test_a_text_in_the_terminal_obeys_nobody(victim: Live) -> None:
    key = victim.new_key()

    def answer(request: Received) -> Reply:
        if request.event == "agent.message":
            with Outside(victim.url, key) as outside:
                outside.send("POST", "/v1/messages", {"agent_id": agent, "to_number": CALLER, "body": SAID})
        return Reply()

    with Receiver(answer) as handler:
        agent, number = line(victim, key, handler)
        text = printed(run(victim, key, "text", number, SAID, "--from", CALLER))
    assert "\\x1b[2J" in text
    assert not COMMANDS.search(text)


@pytest.mark.parametrize("argv", [["text", EVIL, EVIL], ["call", EVIL], ["export", EVIL], [EVIL], ["call", "--", EVIL]])
def test_a_refusal_in_the_terminal_obeys_nobody(victim: Live, argv: list[str]) -> None:
    result = run(victim, victim.new_key(), *argv)
    assert result.exit_code == 2
    assert not COMMANDS.search(printed(result))


@pytest.fixture
def application(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An ASGI application that answers whatever it is asked with EVIL."""
    (tmp_path / "evil_app.py").write_text(
        f"""
import json

async def app(scope, receive, send):
    while scope["type"] == "lifespan":
        kind = (await receive())["type"]
        await send({{"type": kind + ".complete"}})
        if kind == "lifespan.shutdown":
            return
    while (await receive()).get("more_body"):
        pass
    await send({{"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]}})
    await send({{"type": "http.response.body", "body": json.dumps({{"text": {EVIL!r}, "action": {EVIL!r}}}).encode()}})
""",
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    return "evil_app:app"


def test_a_run_and_its_reports_obey_nobody(application: str, tmp_path: Path) -> None:
    scenario = {
        "name": f"evil {SAID}",
        "description": SAID,
        "world": {"agents": [{"name": "A", "voiceMode": "webhook", "beginMessage": SAID}]},
        "calls": [
            {
                "name": SAID,
                "to": "A",
                "script": [{"say": SAID, "expect": {"text": {"contains": SAID + "?"}}}],
                "expect": {"findings": "none"},
            }
        ],
    }
    (tmp_path / "evil.yaml").write_text(yaml.safe_dump(scenario), encoding="utf-8")
    argv = ["run", "evil.yaml", "--app", application, "--report", "reports", "--verbose"]
    result = CliRunner().invoke(main, argv)
    assert result.exit_code == 1, printed(result)
    assert not COMMANDS.search(printed(result))
    suites = Xml.parse(tmp_path / "reports" / "junit.xml")
    assert not [element for element in suites.iter() if element.tag == "script"]
    page = (tmp_path / "reports" / "report.html").read_text("utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert not COMMANDS.search(page)
    assert not COMMANDS.search((tmp_path / "reports" / "report.json").read_text("utf-8"))


def test_a_mistake_in_a_file_is_told_without_obeying_it(tmp_path: Path) -> None:
    file = tmp_path / "evil.yaml"
    file.write_text(yaml.safe_dump({EVIL: EVIL, "calls": [{EVIL: 1, "to": [EVIL], "script": [{EVIL: EVIL}]}]}), "utf-8")
    result = CliRunner().invoke(main, ["run", str(file), "--handler", "http://127.0.0.1:1/"])
    assert result.exit_code == 2
    assert not COMMANDS.search(printed(result))


def test_the_page_of_the_api_holds_nothing_that_was_asked(victim: Live) -> None:
    with Outside(victim.url, victim.new_key()) as outside:
        outside.send("POST", "/v1/agents", {"name": "<script>alert(1)</script>"})
    page = httpx.get(f"{victim.url}/docs?q=<script>alert(1)</script>", trust_env=False)
    assert page.status_code == 200
    assert "alert(1)" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
