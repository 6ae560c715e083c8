"""Attacks on real handlers, over sockets: what is found, how small it becomes, and that it fails again elsewhere."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from simulator.conformance.attack import telling
from simulator.conformance.attack.hunt import AttackOptions, attack
from simulator.conformance.attack.report import AttackReport, Ended
from simulator.conformance.examine import Target
from simulator.conformance.verdicts import Profile
from simulator.runtime.server import ServerThread
from simulator.scenarios.batch import Job, Lane
from simulator.scenarios.loader import load_path
from simulator.scenarios.results import ScenarioResult
from simulator.scenarios.runner import Conditions
from tests.helpers import zoo
from tests.helpers.live_server import live_server

SECRET = "whsec_of_the_tests"
SEED = 7
# The handlers whose mistake only a conversation shows, and how short the shortest is.
DEEP = {
    "deep_fourth_turn": 4,
    "deep_interrupted": 2,
    "deep_same_words": 3,
    "deep_digits_then_words": 2,
    "deep_after_hangup": 3,
    "deep_long_then_short": 2,
    "deep_text_during_call": 2,
}
RUN_TESTS = "import test_attack; [run() for name, run in vars(test_attack).items() if name.startswith('test_')]"
THINKING = {"deep_after_hangup": 0.02}  # whoever hangs up in the middle of a reply needs one that takes a moment


@pytest.fixture(autouse=True)
def _no_tracebacks() -> Iterator[None]:
    """What these handlers raise is meant to be; uvicorn would write a page about each."""
    logging.disable(logging.ERROR)
    yield
    logging.disable(logging.NOTSET)


def kind_of(name: str) -> Any:
    """The class of a handler of the zoo, which thinks no longer than it has to here."""
    module = zoo.load(name).module
    sound = zoo.load(zoo.SOUND).module
    thinking = THINKING.get(name, 0.0)
    return type("Quick", (getattr(module, "Broken", sound.Handler),), {"thinking": lambda _: thinking})


@contextmanager
def served(kind: Any) -> Iterator[str]:
    """A handler on a socket; gives the URL of its webhook."""
    sound = zoo.load(zoo.SOUND).module
    with ServerThread(kind(sound.Wiring(secret=SECRET)).app) as running:
        yield f"{running.url}/webhook"


def attacked(url: str, **options: Any) -> AttackReport:
    wanted = {"examples": 60, "shrinks": 60, "seed": SEED, "compliance": True, **options}
    return attack(Target(url=url, name="handler", shown="handler", secret=SECRET), AttackOptions(**wanted))


def played(file: Path, url: str, seed: int) -> ScenarioResult:
    """Play a file as the command `run` does."""
    with Lane() as lane:
        conditions = Conditions(handler=url, base_url=lane.base_url, secret=SECRET)
        return lane.play(Job(file=str(file), scenario=load_path(file), seed=seed), conditions)


@pytest.mark.parametrize("name", DEEP)
def test_a_deep_mistake_is_found_made_small_and_fails_as_a_scenario(name: str, tmp_path: Path) -> None:
    with served(kind_of(name)) as url, served(kind_of(zoo.SOUND)) as sound:
        report = attacked(url)
        found = report.found
        assert found is not None
        assert found.steady
        assert (found.breach.kind, not report.ok) == (zoo.load(name).module.ATTACK, True)
        assert found.plan.steps <= DEEP[name] + 1  # a step more where another way to it is found first
        telling.write(report, tmp_path)
        assert not played(tmp_path / "attack.yaml", url, 1001).ok
        passed = played(tmp_path / "attack.yaml", sound, 1001)
        assert passed.ok, [check for check in passed.checks if not check.ok]


def test_every_deep_handler_of_the_zoo_is_attacked_here() -> None:
    assert {name for name in zoo.names() if name.startswith("deep_")} == set(DEEP)


def test_a_sound_handler_survives_a_hundred_conversations_and_every_one_can_be_played() -> None:
    with served(kind_of(zoo.SOUND)) as url:
        report = attacked(url, examples=110)
    assert report.ok, report.shown
    assert report.examples >= 100


@pytest.mark.parametrize("profile", [Profile.SMS, Profile.VOICE])
def test_a_sound_handler_survives_what_its_profile_is_about(profile: Profile) -> None:
    with served(kind_of(zoo.SOUND)) as url:
        assert attacked(url, examples=15, profile=profile).ok


def test_the_same_seed_gives_the_same_report_whatever_happened_before() -> None:
    kind = kind_of("deep_same_words")
    with served(kind) as url:
        first = attacked(url)
        assert attacked(url) == first
    with served(kind) as url:
        assert attacked(url) == first


def test_a_handler_that_fails_now_and_then_is_said_to() -> None:
    sound = zoo.load(zoo.SOUND).module

    class Moody(sound.Handler):  # type: ignore[misc, name-defined]
        turns = 0

        async def turn(self, event: dict[str, Any]) -> Any:
            self.turns += 1
            return sound.JSONResponse({}, 503) if self.turns == 12 else sound.JSONResponse({"text": "Yes."})

    with served(Moody) as url:
        report = attacked(url, examples=12)
    assert report.found is None
    assert not report.ok
    (seen,) = report.sightings
    assert (seen.breach.kind, seen.seen, seen.tries) == ("reply_http_error", 0, 1)
    assert "seen once, and not again" in "\n".join(telling.story(seen))


def test_a_handler_that_a_conversation_spoils_for_good_is_said_to_need_a_new_start() -> None:
    sound = zoo.load(zoo.SOUND).module

    class Spoilt(sound.Handler):  # type: ignore[misc, name-defined]
        poisoned = False

        async def turn(self, event: dict[str, Any]) -> Any:
            self.poisoned = self.poisoned or event["data"]["transcript"] == "4521"
            return sound.JSONResponse({}, 500) if self.poisoned else sound.JSONResponse({"text": "Yes."})

    with served(Spoilt) as url:
        report = attacked(url)
    assert report.found is not None
    assert report.found.spoils
    assert report.shrinks == 0  # nothing that it answers now says anything about another conversation


def test_a_handler_that_takes_too_long_does_not_hold_an_attack_up() -> None:
    sound = zoo.load(zoo.SOUND).module

    class Slow(sound.Handler):  # type: ignore[misc, name-defined]
        async def turn(self, event: dict[str, Any]) -> Any:
            await asyncio.sleep(0.6)
            return sound.JSONResponse({"text": "Yes."})

    with served(Slow) as url:
        report = attacked(url, real_seconds=0.2)
    assert (report.ended, report.examples, report.found, report.ok) == (Ended.TIME, 0, None, False)


def test_a_handler_that_answers_nobody_needs_no_conversation() -> None:
    sound = zoo.load(zoo.SOUND).module

    class Deaf(sound.Handler):  # type: ignore[misc, name-defined]
        async def turn(self, event: dict[str, Any]) -> Any:
            return sound.JSONResponse({"text": ""})

    with served(Deaf) as url:
        report = attacked(url)
    assert report.examples == 1
    assert report.found is not None
    assert (report.found.plan.steps, report.found.breach.kind) == (1, "silence")


def test_the_test_and_the_curl_lines_fail_on_the_handler_and_not_on_a_sound_one(tmp_path: Path) -> None:
    name = "deep_same_words"
    with served(kind_of(name)) as url, served(kind_of(zoo.SOUND)) as sound, live_server(accounts=1) as live:
        telling.write(attacked(url, examples=30), tmp_path)
        outcomes = []
        for handler in (url, sound):
            env = {
                **os.environ,
                "AGENTPHONE_BASE_URL": live.url,
                "AGENTPHONE_API_KEY": live.first_key,
                "AGENTPHONE_WEBHOOK_SECRET": SECRET,
                "HANDLER_URL": handler,
            }
            test = subprocess.run(
                [sys.executable, "-c", RUN_TESTS],
                cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=60,
            )  # fmt: skip
            lines = subprocess.run(
                ["sh", "attack.sh"], cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=60
            )
            outcomes.append(("AssertionError" in test.stderr, test.returncode, '"reply_empty"' in lines.stdout))
    assert outcomes == [(True, 1, True), (False, 0, False)]
