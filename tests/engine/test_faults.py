from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.domain.fault_rules import FaultRule, FaultSpec
from simulator.engine.faults import Count, Faults, Path, could_be_on_route, fits, on_route, segments_of
from simulator.world.entropy import Entropy

START = datetime(2026, 1, 5, 15, tzinfo=UTC)


def rule(rule_id: str, expires: float | None = None, **more: Any) -> FaultRule:
    spec = FaultSpec.of({"on": "delivery", "fault": "refuse", **more})
    return FaultRule(id=rule_id, spec=spec, expires_at=None if expires is None else START + timedelta(seconds=expires))


def board(*rules: FaultRule) -> Faults:
    made = Faults()
    for one in rules:
        made.add(one)
    return made


def lucky(_rule_id: str) -> float:
    return 0.0


def hit(
    faults: Faults, subject: dict[str, Any] | None = None, after: float = 0, roll: Callable[[str], float] = lucky
) -> str | None:
    struck = faults.strike("delivery", subject or {}, START + timedelta(seconds=after), roll)
    return None if struck is None else struck.rule.id


def test_without_rules_nothing_can_go_wrong() -> None:
    assert not Faults() and hit(Faults()) is None


def test_the_first_rule_that_fires_is_the_only_one() -> None:
    faults = board(rule("a", times=1), rule("b"))
    assert [hit(faults) for _ in range(3)] == ["a", "b", "b"]
    assert faults.counts == {"a": Count(3, 1), "b": Count(2, 2)}


def test_what_is_skipped_is_left_to_the_rules_after_it() -> None:
    faults = board(rule("a", skip=1, times=1), rule("b", skip=1))
    assert [hit(faults) for _ in range(4)] == [None, "a", "b", "b"]


def test_a_rule_on_something_else_never_looks() -> None:
    faults = board(rule("a"))
    assert faults.strike("api", {}, START, lucky) is None
    assert faults.counts["a"] == Count()


def test_a_rule_about_what_cannot_happen_to_a_subject_never_looks() -> None:
    faults = board(rule("a"))
    assert faults.strike("delivery", {}, START, lucky, ("duplicate",)) is None
    assert faults.strike("delivery", {}, START, lucky, ("duplicate", "refuse")) is not None
    assert faults.counts["a"] == Count(1, 1)


def test_a_rule_ends_at_its_instant_and_is_told_once() -> None:
    faults = board(rule("a", expires=60), rule("b", expires=90))
    assert [hit(faults, after=s) for s in (59.999, 60, 89, 90)] == ["a", "b", "b", None]
    told = [[r.id for r in faults.lapsed(START + timedelta(seconds=s))] for s in (59, 60, 61, 3600)]
    assert told == [[], ["a"], [], ["b"]]


def test_luck_is_drawn_by_each_rule_alone_and_only_when_it_matters() -> None:
    drawn: list[str] = []

    def roll(rule_id: str) -> float:
        drawn.append(rule_id)
        return 0.5

    faults = board(rule("a", probability=0.5, skip=1), rule("b", probability=0.51), rule("c"))
    assert [hit(faults, roll=roll) for _ in range(2)] == ["b", "b"]
    assert drawn == ["b", "a", "b"]


def test_a_rule_that_is_taken_off_is_gone() -> None:
    faults = board(rule("a"), rule("b"))
    taken = faults.remove("a")
    assert taken is not None and taken.id == "a" and faults.remove("a") is None
    assert (hit(faults), list(faults.counts)) == ("b", ["b"])


def test_a_copy_goes_its_own_way() -> None:
    faults = board(rule("a", times=2, expires=60))
    hit(faults)
    twin = faults.copy()
    hit(twin)
    twin.add(rule("b"))
    twin.held["del_1"] = None
    twin.lapsed(START + timedelta(seconds=61))
    assert (faults.counts, list(faults.rules), faults.held) == ({"a": Count(1, 1)}, ["a"], {})
    assert faults.lapsed(START + timedelta(seconds=61)) != []
    assert twin.counts["a"] == Count(2, 2, lapsed=True)


def test_what_is_held_back_is_something_to_look_at() -> None:
    faults = Faults()
    faults.held["del_1"] = "wh_1"
    assert faults


SUBJECT = {
    "event": "agent.message", "channel": "sms", "agent": ("agt_1", "Support"), "url": "http://127.0.0.1:3000/webhook",
    "number": ("+14155550150", "+14155550100"), "attempt": 2,
}  # fmt: skip


@pytest.mark.parametrize(
    ("match", "fit"),
    [
        ({}, True),
        ({"event": "agent.message", "channel": "sms"}, True),
        ({"event": "agent.message", "channel": "mms"}, False),
        ({"agent": "agt_1"}, True),
        ({"agent": "Support"}, True),
        ({"agent": "support"}, False),
        ({"number": "+14155550100"}, True),
        ({"number": "+14155550101"}, False),
        ({"attempt": 2}, True),
        ({"attempt": 1}, False),
        ({"url": "http://127.0.0.1:3000/webhook"}, True),
        ({"url": "http://127.0.0.1:3000/"}, False),
        ({"url": "*/webhook"}, True),
        ({"url": "http://*:3000/*"}, True),
        ({"url": "http://*:3001/*"}, False),
        ({"url": "*"}, True),
        ({"url": "*webhook*webhook"}, False),
        ({"turn": 1}, False),
    ],
)
def test_a_subject_fits_when_it_is_everything_that_is_matched(match: dict[str, Any], fit: bool) -> None:
    assert fits(match, SUBJECT) is fit


@pytest.mark.parametrize("key", ["event", "channel", "agent", "url", "number", "attempt"])
def test_what_a_subject_does_not_have_matches_nothing(key: str) -> None:
    assert not fits({key: "x"}, {key: None}) and not fits({key: "x"}, {}) and not fits({key: "x"}, {key: ()})


@given(st.text("ab*", max_size=6), st.text("ab", max_size=6))
def test_a_star_stands_for_any_characters(pattern: str, text: str) -> None:
    import re

    wanted = re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text) is not None
    assert fits({"url": pattern}, {"url": text}) is wanted


ONE = Path("GET", segments_of("/v1/agents/agt_1"), segments_of("/v1/agents/{agent_id}"))
VOICES = Path("GET", segments_of("/v1/agents/voices"), segments_of("/v1/agents/voices"))


@pytest.mark.parametrize(
    ("route", "one", "voices"),
    [
        ("GET /v1/agents/{agent_id}", True, False),
        ("get /v1/agents/{whatever}", True, False),
        ("/v1/agents/*", True, True),
        ("* /v1/agents/*", True, True),
        ("/v1/agents/agt_1", True, False),
        ("/v1/agents/voices", False, True),
        ("POST /v1/agents/*", False, False),
        ("/v1/**", True, True),
        ("/**", True, True),
        ("GET /v1/agents/**", True, True),
        ("/v1/agents/agt_1/**", False, False),
        ("/v1/agents", False, False),
        ("/v1/*", False, False),
    ],
)
def test_a_route_is_a_method_and_a_path_with_room_in_it(route: str, one: bool, voices: bool) -> None:
    assert (on_route(route, ONE), on_route(route, VOICES)) == (one, voices)


@pytest.mark.parametrize(
    ("route", "possible"),
    [
        ("GET /v1/agents/{agent_id}", True),
        ("GET /v1/agents/agt_1", True),
        ("/v1/**", True),
        ("DELETE /v1/agents/{agent_id}", False),
        ("GET /v1/agent/{agent_id}", False),
        ("GET /{version}/agents/{agent_id}", False),
        ("GET /v1/agents", False),
    ],
)
def test_a_route_that_no_request_can_be_on_is_told_from_one_that_some_can(route: str, possible: bool) -> None:
    assert could_be_on_route(route, "GET", "/v1/agents/{agent_id}") is possible


# -- against a plain model -----------------------------------------------------------------------------------------

SPECS = st.fixed_dictionaries(
    {},
    optional={
        "times": st.integers(1, 3),
        "skip": st.integers(0, 3),
        "probability": st.sampled_from([0.25, 0.5, 0.75]),
        "expires_in": st.integers(1, 20),
        "match": st.fixed_dictionaries(
            {}, optional={"channel": st.sampled_from(["sms", "mms"]), "attempt": st.integers(1, 2)}
        ),
    },
)
SUBJECTS = st.tuples(st.sampled_from(["sms", "mms"]), st.integers(1, 2), st.integers(0, 3))


@given(st.lists(SPECS, max_size=4), st.lists(SUBJECTS, max_size=20), st.integers(0, 5))
def test_rules_agree_with_a_plain_model(specs: list[dict[str, Any]], subjects: list[Any], seed: int) -> None:
    rules = [rule(f"flt_{n}", expires=s.get("expires_in"), **s) for n, s in enumerate(specs)]
    faults, ours, theirs = board(*rules), Entropy(seed), Entropy(seed)
    seen, fired, clock = [0] * len(specs), [0] * len(specs), 0
    for channel, attempt, wait in subjects:
        clock += wait
        expected = None
        for number, spec in enumerate(specs):
            match = spec.get("match", {})
            if clock >= spec.get("expires_in", 1000) or match.get("channel", channel) != channel:
                continue
            if match.get("attempt", attempt) != attempt:
                continue
            seen[number] += 1
            if seen[number] <= spec.get("skip", 0) or fired[number] >= spec.get("times", 1000):
                continue
            if "probability" in spec and theirs.roll(f"flt_{number}") >= spec["probability"]:
                continue
            fired[number] += 1
            expected = f"flt_{number}"
            break
        assert hit(faults, {"channel": channel, "attempt": attempt}, clock, ours.roll) == expected
    assert list(faults.counts.values()) == [Count(s, f) for s, f in zip(seen, fired, strict=True)]
