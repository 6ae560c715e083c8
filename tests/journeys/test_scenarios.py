from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner

from simulator.cli import main
from simulator.scenarios.batch import Batch, Job, Lane, jobs_of
from simulator.scenarios.loader import find, load, load_path
from simulator.scenarios.results import RunResult, ScenarioResult
from simulator.scenarios.runner import Conditions
from tests.helpers.processes import EXPRESS, KEY, run_handler

FIXTURES: Final = Path(__file__).resolve().parents[2] / "fixtures" / "scenarios"
# Which handler plays the scenarios of which folder. The Express one says the same as the streaming one.
FOLDERS: Final = {
    "simple_starlette.py": "simple_starlette",
    "streaming_fastapi.py": "streaming_fastapi",
    "tools_flask.py": "tools_flask",
    EXPRESS: "streaming_fastapi",
}
FILES: Final = [(handler, file) for handler, folder in FOLDERS.items() for file in find([FIXTURES / folder])]
Place = tuple[Lane, Conditions]


class Places:
    """A lane for each handler, started when it is first needed."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self._stack = stack
        self._folder = folder
        self._places: dict[str, Place] = {}

    def of(self, handler: str) -> Place:
        """The lane on which scenarios for this handler are played, and how they reach it."""
        if handler not in self._places:
            self._places[handler] = self._open(handler)
        return self._places[handler]

    def _open(self, handler: str) -> Place:
        secret, file = f"whsec_{secrets.token_hex(16)}", self._folder / handler.replace("/", "_")
        file.write_text(secret)
        lane = self._stack.enter_context(Lane())
        env = {"AGENTPHONE_BASE_URL": lane.base_url, "AGENTPHONE_API_KEY": KEY}
        url = self._stack.enter_context(run_handler(handler, file, env=env)).url
        return lane, Conditions(handler=url, base_url=lane.base_url, api_key=KEY, secret=secret)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    with ExitStack() as stack:
        yield Places(stack, tmp_path_factory.mktemp("secrets"))


def play(jobs: list[Job], *lanes: Place, fail_fast: bool = False) -> RunResult:
    batch = Batch(jobs, fail_fast=fail_fast)
    return batch.run(lanes, handler="a sample", version="0", done=lambda result: None)


def one(text: str, place: Place, seed: int) -> ScenarioResult:
    [result] = play([Job(file="a.yaml", scenario=load(text), seed=seed)], place).scenarios
    return result


@pytest.mark.parametrize(("handler", "file"), FILES, ids=[f"{handler}-{file.stem}" for handler, file in FILES])
def test_every_fixture_passes_against_its_handler(handler: str, file: Path, places: Places) -> None:
    seed = FILES.index((handler, file)) * 100  # a handler ignores a text whose delivery id it has seen
    [result] = play([Job(file=file.name, scenario=load_path(file), seed=seed)], places.of(handler)).scenarios
    assert result.error is None
    assert [str(check) for check in result.checks if not check.ok] == []
    assert result.checks


ORDER = """
name: order
variables: {order: "4521"}
calls:
  - script:
      - {say: "Where is my order {{order}}?", expect: {text: {contains: %s}}}
      - hang_up
"""


def test_an_expectation_that_is_not_met_says_what_was_heard_instead(places: Places) -> None:
    result = one(ORDER % "delivered", places.of("simple_starlette.py"), 9_001)
    [check] = [check for check in result.checks if not check.ok]
    assert (check.name, check.where) == ("text", "calls[0].script[0].expect.text")
    assert "shipped yesterday" in check.observed
    assert result.error is None


def test_the_same_seed_gives_the_same_ids_and_another_one_others(places: Places) -> None:
    ids = [one(ORDER % "shipped", places.of("tools_flask.py"), seed).calls[0].record.id for seed in (1, 1, 2)]
    assert ids[0] == ids[1] != ids[2]


def test_a_call_with_a_time_begins_then_and_not_before(places: Places) -> None:
    late = ORDER % "shipped" + "  - {at: 90s, script: [{say: 'Where is 1180?'}, hang_up]}\n"
    first, second = one(late, places.of("simple_starlette.py"), 9_002).calls
    assert first.record.ended.total_seconds() < 30
    assert second.record.turns[0].heard_text.endswith("leaves tomorrow.")


def test_a_scenario_that_takes_too_long_is_an_error_and_keeps_what_was_heard(places: Places) -> None:
    slow = ORDER.replace("name: order", "name: order\ntimeout: 10s") % "shipped"
    result = one(slow.replace("- hang_up", "- wait: 60s"), places.of("simple_starlette.py"), 9_003)
    assert result.error == "not over after 10s of simulated time (timeout)"
    assert not result.ok
    assert "shipped" in result.calls[0].record.turns[0].heard_text


def test_calls_that_the_scenario_places_are_no_requests_of_the_handler(places: Places) -> None:
    placed = """
name: we call
world: {people: [{name: Ann, number: "+14155550191", script: [hang_up]}]}
calls: [{from: Agent, to: Ann, expect: {api_calls: [{method: POST, path: /v1/calls, times: 0}]}}]
"""
    result = one(placed, places.of("simple_starlette.py"), 9_006)
    assert (result.ok, result.calls[0].record.api_requests) == (True, ())


def test_an_answer_of_its_own_goes_before_the_persons(places: Places) -> None:
    people = "world: {people: [{name: Ann, number: '+14155550191', answer: busy}, {name: Bob, number: '+14155550192'}]}"
    ann, bob = "{from: Agent, to: Ann", "{from: Agent, to: Bob"
    calls = f"calls: [{ann}}}, {ann}, answer: no_answer}}, {bob}, answer: busy}}]"
    result = one(f"name: x\n{people}\n{calls}", places.of("simple_starlette.py"), 9_007)
    assert [call.record.reason for call in result.calls] == ["dial_busy", "dial_no_answer", "dial_busy"]


LATE = """
import asyncio, os
import httpx

async def work():
    await asyncio.sleep(0.3)
    key = {"Authorization": f"Bearer {os.environ['AGENTPHONE_API_KEY']}"}
    async with httpx.AsyncClient(base_url=os.environ["AGENTPHONE_BASE_URL"], headers=key, trust_env=False) as api:
        await api.get("/v1/agents")

async def app(scope, receive, send):
    if scope["type"] == "http" and b"agent.call_ended" in (await receive())["body"]:
        app.task = asyncio.create_task(work())
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})
"""


def test_a_handler_that_works_on_after_the_end_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "late.py").write_text(LATE)
    expected = "expect: {api_calls: [{method: GET, path: /v1/agents, times: 1}]}"
    (tmp_path / "a.yaml").write_text(f"name: x\ncalls: [{{script: [hang_up], {expected}}}]")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["run", "a.yaml", "--app", "late:app"])
    assert result.exit_code == 0, result.stdout


def test_what_the_platform_refuses_is_an_error_that_names_the_call(places: Places) -> None:
    refused = "name: x\nworld: {numbers: [{areaCode: '999', agent: Agent}]}\ncalls: [{script: [hello]}]"
    assert "POST /v1/numbers answered 4" in str(one(refused, places.of("simple_starlette.py"), 9_004).error)


def test_a_handler_that_refuses_the_secret_is_no_success(places: Places) -> None:
    lane, conditions = places.of("simple_starlette.py")
    other = Conditions(handler=conditions.handler, base_url=lane.base_url, api_key=KEY, secret="whsec_other")
    result = one(ORDER % "shipped", (lane, other), 9_005)
    assert {finding.kind for finding in result.calls[0].record.findings} == {"reply_http_error"}
    assert not result.ok


def test_several_lanes_play_at_once_and_tell_results_in_the_order_of_the_files(places: Places) -> None:
    with Lane(connected=False) as second:
        lane, known = places.of("streaming_fastapi.py")
        elsewhere = Conditions(handler=known.handler, base_url=second.base_url, api_key=KEY, secret=known.secret)
        jobs = jobs_of([("a.yaml", load(ORDER % "shipped")), ("b.yaml", load(ORDER % "anything"))], 5, seed=9_100)
        run = play(jobs, (lane, known), (second, elsewhere))
    assert run.ok
    assert [(r.file, r.round, r.seed) for r in run.scenarios] == [(job.file, job.round, job.seed) for job in jobs]


def test_after_the_first_failure_nothing_more_is_started(places: Places) -> None:
    scenarios = [("a.yaml", load(ORDER % "delivered")), ("b.yaml", load(ORDER % "shipped"))]
    run = play(jobs_of(scenarios, 2, seed=9_200), places.of("simple_starlette.py"), fail_fast=True)
    assert [result.file for result in run.scenarios] == ["a.yaml"]
    assert run.not_run == ("b.yaml", "a.yaml (round 2)", "b.yaml (round 2)")
    assert not run.ok


def test_what_needs_the_api_is_not_played_where_the_handler_does_not_find_it(places: Places) -> None:
    _, known = places.of("simple_starlette.py")
    text = load_path(FIXTURES / "simple_starlette" / "text-support.yaml")
    jobs = jobs_of([("text.yaml", text), ("order.yaml", load(ORDER % "shipped"))], seed=9_300)
    with Lane(connected=False) as lane:
        elsewhere = Conditions(handler=known.handler, base_url=lane.base_url, api_key=KEY, secret=known.secret)
        run = play(jobs, (lane, elsewhere))
    assert [result.file for result in run.scenarios] == ["order.yaml"]
    assert (run.not_run, run.ok) == (("text.yaml",), False)


def test_every_round_has_a_seed_of_its_own() -> None:
    own, other = load("seed: 50\n" + ORDER.lstrip() % "x"), load(ORDER % "x")
    listed = [("own", own), ("other", other)]
    assert [job.seed for job in jobs_of(listed, 2, usual=7)] == [50, 8, 51, 10]
    assert [job.seed for job in jobs_of(listed, 2, seed=3)] == [3, 4, 5, 6]
