"""The plugin as its users meet it: whole pytest runs in processes of their own."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# Plugins that whoever runs us leaves out of this run are left out of the inner runs as well.
LEFT_OUT = re.findall(r"-p\s*(no:\S+)", os.environ.get("PYTEST_ADDOPTS", ""))
ENTRY = "[pytest11]\nagentphone = simulator.pytest_plugin\n"

INI = "[pytest]\nfilterwarnings = error\naddopts = --strict-markers --strict-config -p no:cacheprovider"

pytest_plugins = ["pytester"]

APP = """
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

async def webhook(request):
    event = await request.json()
    if event["event"] != "agent.message":
        return JSONResponse(None)
    if event["data"].get("transcript") == "crash":
        raise ZeroDivisionError("of all things")
    return JSONResponse({"text": "Goodbye!", "hangup": True})

app = Starlette(routes=[Route("/webhook", webhook, methods=["POST"])])
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A user's project in an environment where we are installed."""
    installed = {entry.name for entry in importlib.metadata.entry_points(group="pytest11")}
    paths = [str(ROOT), str(pytester.path), os.environ.get("PYTHONPATH", "")]
    if "agentphone" not in installed:  # a checkout that was never installed: its entry point has to be put there
        info = pytester.mkdir("installed") / "agentphone_simulator_entry-0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: agentphone-simulator-entry\nVersion: 0\n")
        (info / "entry_points.txt").write_text(ENTRY)
        paths.append(str(info.parent))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    monkeypatch.setenv("PYTEST_ADDOPTS", " ".join(f"-p {word}" for word in LEFT_OUT))
    pytester.makepyfile(shop=APP)
    pytester.makeini(f"{INI} -p no:asyncio\n")
    return pytester


def seeds(project: pytest.Pytester) -> dict[str, str]:
    """What the tests wrote down about themselves; written anew by every run."""
    return {file.name: file.read_text() for file in sorted(project.path.glob("*.seen"))}


WORLDS = """
import os, pytest
from pathlib import Path

@pytest.mark.parametrize("name", ["a", "b", "c", "d"])
def test_world(agentphone, name):
    assert agentphone.http().get("/v1/agents").json()["data"] == []
    agent = agentphone.agent(name)
    Path(f"{name}.seen").write_text(f"{agentphone.seed} {agent.id}")
    assert len(agentphone.http().get("/v1/agents").json()["data"]) == 1
"""


def test_every_test_has_a_world_of_its_own_the_same_in_every_run_and_every_worker(project: pytest.Pytester) -> None:
    project.makepyfile(test_worlds=WORLDS)
    project.runpytest_subprocess().assert_outcomes(passed=4)
    first = seeds(project)
    assert len(set(first.values())) == 4
    project.runpytest_subprocess("-n2").assert_outcomes(passed=4)
    assert seeds(project) == first


def test_a_seed_given_on_the_command_line_is_every_tests_seed(project: pytest.Pytester) -> None:
    project.makepyfile(test_worlds=WORLDS.replace("@pytest", "@pytest.mark.agentphone(seed=3)\n@pytest", 1))
    project.runpytest_subprocess("--agentphone-seed=7").assert_outcomes(passed=4)
    assert {seen.split()[0] for seen in seeds(project).values()} == {"7"}
    assert len(set(seeds(project).values())) == 1


def test_a_random_seed_is_drawn_once_for_the_run_and_can_be_given_again(project: pytest.Pytester) -> None:
    project.makepyfile(test_worlds=WORLDS)
    result = project.runpytest_subprocess("-n2", "--agentphone-seed=random")
    result.assert_outcomes(passed=4)
    drawn = re.search(r"agentphone: (--agentphone-seed=random:\d+)", result.stdout.str())
    assert drawn is not None
    first = seeds(project)
    assert len(set(first.values())) == 4
    project.runpytest_subprocess(drawn[1]).assert_outcomes(passed=4)
    assert seeds(project) == first


@pytest.mark.parametrize("seed", ["seven", "1.5", "random:", "random:x", "-"])
def test_what_is_no_seed_is_refused_before_anything_runs(project: pytest.Pytester, seed: str) -> None:
    project.makepyfile(test_worlds=WORLDS)
    result = project.runpytest_subprocess(f"--agentphone-seed={seed}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*--agentphone-seed '{seed}' is no seed: give a whole number, or 'random'*"])


def test_the_nearest_marker_wins_word_by_word(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import pytest
        pytestmark = pytest.mark.agentphone(seed=1, clock="manual", policies={"create_status": "201"})

        def test_module(agentphone):
            assert (agentphone.seed, agentphone.clock.mode) == (1, "manual")
            assert agentphone.http().post("/v1/agents", json={"name": "A"}).status_code == 201

        @pytest.mark.agentphone(seed=2)
        class TestClass:
            def test_class(self, agentphone):
                assert (agentphone.seed, agentphone.clock.mode) == (2, "manual")

            @pytest.mark.agentphone(seed=3, clock="auto", limits={"numbers": 1}, contract="2026-07")
            def test_method(self, agentphone):
                assert (agentphone.seed, agentphone.clock.mode) == (3, "auto")
                health = agentphone.http().get("/_sim/health").json()
                assert health["contract"] == "2026-07"
                agentphone.number()
                assert agentphone.http().post("/v1/numbers", json={}).status_code == 409
        """
    )
    project.runpytest_subprocess().assert_outcomes(passed=3)


def test_words_that_do_not_exist_are_refused_with_a_hint(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import pytest

        @pytest.mark.agentphone(polices={})
        def test_word(agentphone): ...

        @pytest.mark.agentphone(clock="fast")
        def test_value(agentphone): ...

        @pytest.mark.agentphone(policies={"create_staus": "201"})
        def test_policy(agentphone): ...

        @pytest.mark.agentphone(7)
        def test_position(agentphone): ...

        def test_fine(agentphone): ...
        """
    )
    result = project.runpytest_subprocess()
    result.assert_outcomes(passed=1, errors=4)
    result.stdout.fnmatch_lines_random(
        [
            "*@pytest.mark.agentphone: option 'polices' does not exist: did you mean 'policies'?",
            "*@pytest.mark.agentphone: clock cannot be 'fast': choose one of system, manual, auto",
            "*@pytest.mark.agentphone: policy 'create_staus' does not exist: choose one of *",
            "*@pytest.mark.agentphone takes words only, as in seed=7; got 7",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")


def test_the_run_chooses_contract_and_sockets_and_a_marker_wins(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import pytest

        def contract(agentphone):
            return agentphone.http().get("/_sim/health").json()["contract"], agentphone.options.sockets

        def test_run(agentphone):
            assert contract(agentphone) == ("observed", True)

        @pytest.mark.agentphone(contract="all", sockets=False)
        def test_marked(agentphone):
            assert contract(agentphone) == ("all", False)
        """
    )
    project.runpytest_subprocess("--agentphone-contract=observed", "--agentphone-sockets").assert_outcomes(passed=2)
    with (project.path / "tox.ini").open("a") as ini:
        ini.write("\nagentphone_contract = observed\nagentphone_sockets = true\nagentphone_seed = 5\n")
    project.runpytest_subprocess().assert_outcomes(passed=2)


FAILING = """
from shop import app

def test_order(agentphone):
    agentphone.webhook(app)
    call = agentphone.call(["crash"])
    assert call.said == ("never",), agentphone.agent().id
"""


@pytest.mark.parametrize("workers", [(), ("-n1",)], ids=["alone", "xdist"])
def test_a_failed_test_says_how_to_repeat_it_and_what_happened(
    project: pytest.Pytester, workers: tuple[str, ...]
) -> None:
    project.makepyfile(test_failing=FAILING)
    result = project.runpytest_subprocess(*workers)
    result.assert_outcomes(failed=1)
    out = result.stdout.str()
    result.stdout.fnmatch_lines(
        [
            "*- agentphone -*",
            "seed *",
            "repeat with: pytest test_failing.py::test_order --agentphone-seed=*",
            "*- agentphone journal -*",
            "2026-01-05 * turn.opened *transcript=crash*",
            "2026-01-05 * finding *reply_http_error*",
            "*- agentphone handler errors -*",
            "ZeroDivisionError: of all things",
        ]
    )
    assert "error at teardown" not in out.lower()
    repeat = re.search(r"repeat with: pytest (.+)", out)
    ids = re.findall(r"AssertionError: (agt_\w+)", out)
    assert repeat is not None
    again = project.runpytest_subprocess(*shlex.split(repeat[1]))
    again.assert_outcomes(failed=1)
    assert re.findall(r"AssertionError: (agt_\w+)", again.stdout.str()) == ids


def test_a_failed_setup_has_a_report_too_and_a_passed_test_says_nothing(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import pytest
        from shop import app

        @pytest.fixture
        def line(agentphone):
            agentphone.agent("Made")
            raise RuntimeError("no line")

        def test_broken(line): ...

        def test_quiet(agentphone):
            agentphone.webhook("http://127.0.0.1:9/nobody")
            agentphone.clock.set("manual")
            agentphone.text("pending for ever")
            agentphone.dial()

        @pytest.mark.xfail
        def test_known(agentphone):
            assert agentphone.agent().name == "unknown"
        """
    )
    result = project.runpytest_subprocess("-rA")
    result.assert_outcomes(passed=1, errors=1, xfailed=1)
    assert result.stdout.str().count("repeat with:") == 1
    result.stdout.fnmatch_lines(["*- agentphone -*", "repeat with: pytest test_a_failed_setup*::test_broken *"])


def test_an_application_that_does_not_shut_down_is_an_error_of_a_passed_test_only(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import contextlib, pytest
        from starlette.applications import Starlette

        @contextlib.asynccontextmanager
        async def lifespan(app):
            yield
            raise RuntimeError("cannot stop")

        @pytest.mark.parametrize("passes", [True, False])
        def test_order(agentphone, passes):
            agentphone.webhook(Starlette(lifespan=lifespan))
            assert passes
        """
    )
    result = project.runpytest_subprocess()
    result.assert_outcomes(passed=1, failed=1, errors=1)
    result.stdout.fnmatch_lines_random(["ERROR *test_order[[]True[]]*", "FAILED *test_order[[]False[]]*"])


def test_an_exception_that_flask_turns_into_an_answer_is_shown(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        from flask import Flask
        app = Flask(__name__)

        @app.post("/webhook")
        def webhook():
            raise KeyError("nobody told me")

        def test_order(agentphone):
            agentphone.webhook(app)
            assert agentphone.call(["hello"]).findings == ()
        """
    )
    result = project.runpytest_subprocess("-p", "no:logging")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*- agentphone handler errors -*", "Traceback *", "*KeyError: 'nobody told me'"])


LOADED = """
import sys

def pytest_unconfigure():
    print("LOADED", sorted(name for name in sys.modules if name.partition(".")[0] in NAMES and name != "__main__"))

NAMES = {"simulator", "starlette", "uvicorn", "aiohttp", "pydantic", "httpx", "phonenumbers"}
"""


def test_a_project_that_asks_for_no_world_loads_nothing_of_ours(project: pytest.Pytester) -> None:
    project.makeconftest(LOADED)
    project.makepyfile(test_other="def test_other(): ...")
    result = project.runpytest_subprocess("-s", "-p", "no:schemathesis")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*LOADED [[]'simulator', 'simulator.pytest_plugin'[]]"])


def test_the_plugin_can_be_left_out(project: pytest.Pytester) -> None:
    project.makepyfile(test_other="def test_other(): ...", test_worlds="def test_world(agentphone): ...")
    result = project.runpytest_subprocess("-p", "no:agentphone")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*fixture 'agentphone' not found*"])


def test_options_and_marker_are_described(project: pytest.Pytester) -> None:
    shown = project.runpytest_subprocess("--help").stdout.str()
    for word in ("--agentphone-seed=N", "--agentphone-sockets", "--agentphone-contract=NAME", "agentphone_seed"):
        assert word in shown
    project.runpytest_subprocess("--markers").stdout.fnmatch_lines(["@pytest.mark.agentphone(contract=*"])


BACKENDS = ["asyncio", *(["trio"] if importlib.util.find_spec("trio") else [])]


@pytest.mark.parametrize("backend", BACKENDS)
def test_async_tests_call_it_directly_or_await_it(project: pytest.Pytester, backend: str) -> None:
    project.makepyfile(
        f"""
        import anyio, pytest
        from shop import app

        @pytest.fixture
        def anyio_backend():
            return "{backend}"

        @pytest.mark.anyio
        async def test_call(agentphone):
            agentphone.webhook(app)
            assert agentphone.call(["hello"]).said == ("Goodbye!",)
            ticks = []
            async def tick():
                while True:
                    ticks.append(1)
                    await anyio.sleep(0)
            async with anyio.create_task_group() as group:
                group.start_soon(tick)
                call = await agentphone.aio.call(["hello again"])
                group.cancel_scope.cancel()
            assert call.said == ("Goodbye!",)
            assert len(ticks) > 1
        """
    )
    project.runpytest_subprocess().assert_outcomes(passed=1)


def test_pytest_asyncio_gets_along(project: pytest.Pytester) -> None:
    project.makeini(f"{INI}\nasyncio_default_fixture_loop_scope = function\n")
    project.makepyfile(
        """
        import pytest
        from shop import app

        @pytest.mark.asyncio
        async def test_call(agentphone):
            agentphone.webhook(app)
            assert (await agentphone.aio.call(["hello"])).said == ("Goodbye!",)
        """
    )
    project.runpytest_subprocess().assert_outcomes(passed=1)


def test_a_hypothesis_test_resets_the_world_for_each_example(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        from hypothesis import HealthCheck, given, settings, strategies as st
        from shop import app

        @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20, deadline=None)
        @given(said=st.text("abc", min_size=1))
        def test_call(agentphone, said):
            agentphone.reset()
            agentphone.webhook(app)
            assert agentphone.call([said]).heard == (said,)
            assert len(agentphone.journal.entries("call.placed")) == 1
        """
    )
    project.runpytest_subprocess().assert_outcomes(passed=1)


def test_a_test_that_is_over_leaves_nothing_of_its_world(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import gc, weakref
        from shop import app

        worlds = []

        def test_world(agentphone):
            agentphone.webhook(app)
            agentphone.call(["hello"])
            worlds.append(weakref.ref(agentphone))

        def test_afterwards():
            gc.collect()
            assert worlds[0]() is None
        """
    )
    project.runpytest_subprocess().assert_outcomes(passed=2)


def test_groups_of_xdist_leave_a_tests_seed_and_its_command_alone(project: pytest.Pytester) -> None:
    grouped = WORLDS.replace("@pytest", "@pytest.mark.xdist_group('one')\n@pytest", 1)
    project.makepyfile(test_worlds=grouped + "    assert name != 'd'\n")
    project.runpytest_subprocess().assert_outcomes(passed=3, failed=1)
    first = seeds(project)
    result = project.runpytest_subprocess("-n2", "--dist=loadgroup")
    result.assert_outcomes(passed=3, failed=1)
    assert seeds(project) == first
    result.stdout.fnmatch_lines(["repeat with: pytest 'test_worlds.py::test_world[[]d[]]' --agentphone-seed=* -n0"])
