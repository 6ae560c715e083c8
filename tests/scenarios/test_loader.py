# ruff: noqa: E501 - a table of mistakes reads best with one to a line
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.errors import ScenarioInvalid, UsageError
from simulator.scenarios.export import to_yaml
from simulator.scenarios.loader import MAX_PROBLEMS, find, load, load_path, path_of
from simulator.scenarios.model import Scenario
from tests.helpers.scenario_strategies import HOSTILE, SCRIPTS

EXAMPLE = """
name: order status
world: {agents: [{name: Support, voiceMode: webhook, beginMessage: "Acme, hello!"}], numbers: [{areaCode: "415", agent: Support}]}
calls:
  - from: "+14155550150"
    to: Support
    script:
      - hear: {matches: "hello"}                     # the greeting
      - say: "Where is my order 4521?"
        expect: {first_word_within: 1s, text: {contains: shipped}, interim: true}
      - wait: 4s                                     # says nothing
      - barge_in: {after: 600ms, say: "actually, cancel it"}
        expect: {overrun_within: 300ms}
      - press: "1#"
      - hang_up
    expect: {reason: user_hangup, no_gap_over: 3s, findings: none}
texts:
  - {from: "+14155550151", to: Support, script: [{text: "hi"}, {expect_reply: {within: 10s}}, {after: 2d}, {text: "STOP"}]}
"""


def problems(text: str, **variables: str) -> list[str]:
    with pytest.raises(ScenarioInvalid) as refused:
        load(text, "x.yaml", variables)
    return [str(problem) for problem in refused.value.problems]


def in_script(step: str) -> list[str]:
    return problems(f"name: x\ncalls:\n  - script:\n      - {step}\n")


def in_expect(expect: str) -> list[str]:
    return problems(f"name: x\ncalls:\n  - script: [hi]\n    expect: {expect}\n")


def test_the_example_of_the_handbook_loads_as_it_stands() -> None:
    scenario = load(EXAMPLE)
    assert scenario.calls[0].to == "Support"
    assert scenario.world.agents[0].begin_message == "Acme, hello!"
    assert len(scenario.calls[0].script or []) == 6
    assert len(scenario.texts[0].script) == 4


def test_a_name_and_a_script_are_enough() -> None:
    scenario = load("name: x\ncalls: [{script: [hello]}]")
    assert scenario.world.agents[0].name == "Agent"
    assert scenario.calls[0].from_ == "+14155550150"


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("sya: hi", "x.yaml:4:9: calls[0].script[0].sya: unknown step 'sya': did you mean 'say'?"),
        ("say: hi\n        expct: {}", "x.yaml:5:9: calls[0].script[0].expct: unknown key 'expct': did you mean 'expect'?"),
        ("{say: hi, wait: 1s}", "x.yaml:4:9: calls[0].script[0]: a step does one thing; this one wants say and wait: make it 2 steps"),
        ("{expect: {silent: true}}", "x.yaml:4:9: calls[0].script[0]: a step needs one of say, wait,"),
        ("hangup", "x.yaml:4:9: calls[0].script[0]: 'hangup' would be said aloud; did you mean 'hang_up'?"),
        ("[hi]", "x.yaml:4:9: calls[0].script[0]: a step is a mapping such as {say: hello}; got ['hi']"),
        ("wait: 4", "x.yaml:4:9: calls[0].script[0].wait: 4 has no unit: write 600ms, 1.5s or 2m"),
        ("wait: 4 s", "x.yaml:4:9: calls[0].script[0].wait: '4 s' is no length of time"),
        ("press: 12", "x.yaml:4:9: calls[0].script[0].press: 12 is not text: put it in quotes"),
        ('press: "12a"', "x.yaml:4:9: calls[0].script[0].press: '12a': string should match pattern"),
        ('say: "  "', "x.yaml:4:9: calls[0].script[0].say: blank text cannot be said"),
        ("{say: hi, confidence: 1.2}", "x.yaml:4:19: calls[0].script[0].confidence: 1.2: input should be less than or equal to 1"),
        ("{say: hi, confidence: high}", "x.yaml:4:19: calls[0].script[0].confidence: 'high' is not a number"),
        ("hang_up: false", "x.yaml:4:9: calls[0].script[0].hang_up: False cannot stand here: write true"),
        ("hear: {}", "x.yaml:4:9: calls[0].script[0].hear: exactly one of contains, matches, one_of is needed; got none"),
        ("hear: {contains: a, matches: b}", "exactly one of contains, matches, one_of is needed; got contains, matches"),
        ("hear: {matches: '('}", "x.yaml:4:16: calls[0].script[0].hear.matches: '(' is not a regular expression"),
        ("hear: {matchs: a}", "x.yaml:4:16: calls[0].script[0].hear.matchs: unknown key 'matchs': did you mean 'matches'?"),
        ("hear: hello", "x.yaml:4:9: calls[0].script[0].hear: 'hello' is not a mapping: write key: value"),
        ("barge_in: {say: hi}", "x.yaml:4:9: calls[0].script[0].barge_in: 'after' is missing here"),
        ("backchannel: {after: 1s, say: this is far too long to be a mere sound of listening}", "too long for a backchannel"),
        ("repeat: {times: 0, steps: [hi]}", "x.yaml:4:18: calls[0].script[0].repeat.times: 0: input should be greater"),
        ("repeat: {times: 2, steps: []}", "x.yaml:4:28: calls[0].script[0].repeat.steps"),
        ("repeat: {times: 2, steps: [{prss: '1'}]}", "calls[0].script[0].repeat.steps[0].prss: unknown step 'prss': did you mean 'press'?"),
        ("when: [{hears: {contains: a}, thn: []}]", "calls[0].script[0].when[0].thn: unknown key 'thn': did you mean 'then'?"),
        ("when: [{else: []}]", "x.yaml:4:9: calls[0].script[0]: a branch needs at least one case"),
        ("when: [{else: []}, {hears: {contains: a}, then: []}]", "calls[0].script[0]: else must be the last case"),
        ("say:", "x.yaml:4:9: calls[0].script[0].say: nothing follows: give a value (is it indented?), or leave it out"),
        ("say: hi {{nmae}}", "x.yaml:4:14: calls[0].script[0].say: there is no variable 'nmae': give it a value"),
        ("wait: '{{lenght}}'", "x.yaml:4:15: calls[0].script[0].wait: there is no variable 'lenght'"),
        ("say: hi {{na me}}", "x.yaml:4:14: calls[0].script[0].say: 'na me' is no name of a variable"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_step_is_told_with_its_place_and_the_way_out(step: str, expected: str) -> None:
    found = in_script(step)
    assert len(found) == 1, found
    assert expected in found[0]


@pytest.mark.parametrize(
    ("expect", "expected"),
    [
        ("{reasn: user_hangup}", "x.yaml:4:14: calls[0].expect.reasn: unknown key 'reasn': did you mean 'reason'?"),
        ("{reason: user_hang_up}", "'user_hang_up' is not one of the words for this: did you mean 'user_hangup'?"),
        ("{findings: [mising_final]}", "x.yaml:4:25: calls[0].expect.findings[0]: 'mising_final' is not one of the words for this: did you mean 'missing_final'?"),
        ("{}", "x.yaml:4:5: calls[0].expect: nothing is expected: give one of text, never_says"),
        ("{turns: {}}", "calls[0].expect.turns: one of at_least, at_most is needed"),
        ("{turns: {at_least: 3, at_most: 2}}", "at_least 3 and at_most 2 leave nothing between them"),
        ("{api_calls: [{method: GET, path: v1}]}", "calls[0].expect.api_calls[0].path: 'v1': string should match pattern"),
        ("{deliveries: [{event: call_ended}]}", "'call_ended' is not one of the words for this: did you mean 'call.ended'?"),
        ("{text: hello}", "calls[0].expect.text: 'hello' is not a mapping: write key: value"),
    ],
)  # fmt: skip
def test_a_mistake_in_an_expectation_is_told_with_its_place_and_the_way_out(expect: str, expected: str) -> None:
    assert any(expected in problem for problem in in_expect(expect)), in_expect(expect)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("calls: [{script: [hi]}]", "x.yaml:1:1: 'name' is missing here"),
        ("name: x", "x.yaml:1:1: nothing happens: give at least one entry in calls or texts"),
        ("name: x\ncall: [{script: [hi]}]", "x.yaml:2:1: call: unknown key 'call': did you mean 'calls'?"),
        ("name: x\ncalls: [{to: Suport, script: [hi]}]\nworld: {agents: [{name: Support}]}", "x.yaml:2:14: calls[0].to: there is no agent or number 'Suport': did you mean 'Support'?"),
        ("name: x\ncalls: [{script: [hi]}]\nworld: {agents: [{name: A}, {name: B}]}", "'to' is missing here: there are 2 agents, A, B"),
        ("name: x\ncalls: [{script: [hi]}]\nworld: {numbers: [{agent: Agnt}]}", "world.numbers[0].agent: there is no agent 'Agnt': did you mean 'Agent'?"),
        ("name: x\ncalls: [{script: [hi]}]\nworld: {agents: [{name: A}, {name: A}]}", "world.agents[1].name: 'A' is the name of something else already"),
        ("name: x\ncalls: [{script: [hi], from: Ann}]", "calls[0].from: 'Ann' is no number and no person or agent"),
        ("name: x\ncalls: [{from: Agent, script: [hi]}]", "'to' is missing here: whom does the agent call?"),
        ("name: x\ncalls: [{script: [hi], request: {initialGreeting: hi}}]", "request goes with calls that an agent places"),
        ("name: x\ncalls: [{script: [hi], answer: busy}]", "answer goes with calls that an agent places"),
        ("name: x\ncalls: [{to: Agent}]", "'script' is missing here: what does the caller say?"),
        ("name: x\ncalls: [{script: [hi]}]\ncontract: 2026-08", "contract: there is no contract '2026-08': did you mean '2026-0"),
        ("name: x\ncalls: [{script: [hi]}]\npolicies: {mising_final: reopen}", "policies.mising_final: there is no policy 'mising_final': did you mean 'missing_final'?"),
        ("name: x\ncalls: [{script: [hi]}]\npolicies: {missing_final: reopn}", "missing_final cannot be 'reopn': did you mean 'reopen'?"),
        ("name: x\ncalls: [{script: [hi]}]\nvariables: {a-b: 1}", "variables.a-b: 'a-b' is no name"),
        ("name: x\ncalls: [{script: [hi]}]\nworld: {agents: [{name: A, voiceMode: webhok}]}", "'webhok' is not one of the words for this: did you mean 'webhook'?"),
        ("name: x\ncalls: [{script: [hi]}]\nworld: {agents: [{name: A, customTools: [{name: t, description: d, url: 'http://x', tmeoutMs: 1}]}]}", "unknown key 'tmeoutMs': did you mean 'timeoutMs'?"),
        ("name: x\ncalls: [{script: [hi]}]\nworld: {people: [{number: 14155550161}]}", "world.people[0].number: 14155550161 is not text: put it in quotes"),
        ("name: x\ntexts: [{script: [{txt: hi}]}]", "texts[0].script[0].txt: unknown step 'txt': did you mean 'text'?"),
        ("name: x\ntexts: [{script: [{text: ''}]}]", "an empty text needs media"),
        ("- a\n- b", "x.yaml:1:1: this is not a mapping: write key: value"),
    ],
)  # fmt: skip
def test_a_mistake_anywhere_else_is_told_too(text: str, expected: str) -> None:
    assert any(expected in problem for problem in problems(text)), problems(text)


def test_null_is_a_value_in_the_schema_of_a_tool_and_nowhere_else() -> None:
    tool = "{name: t, description: d, url: 'http://x', parameters: {properties: {a: {default: null}}}}"
    world = f"world: {{agents: [{{name: A, customTools: [{tool}]}}]}}"
    assert load(f"name: x\ncalls: [{{script: [hi]}}]\n{world}").world.agents[0].custom_tools
    assert "nothing follows" in problems("name: x\ncalls: [{script: [hi]}]\ndescription:\n")[0]


def test_all_mistakes_of_a_file_are_told_at_once_in_its_order() -> None:
    found = problems("name: x\nwrld: {}\ncalls:\n  - {script: [{sya: hi}, {wait: 4}, {press: 1}], expct: {}}\n")
    assert [problem.split(":")[1] for problem in found] == ["2", "4", "4", "4", "4"]
    assert [word in problem for word, problem in zip(("wrld", "sya", "wait", "press", "expct"), found, strict=True)]


def test_no_more_mistakes_are_told_than_anybody_reads() -> None:
    found = problems("name: x\ncalls:\n  - script:\n" + "      - wait: 4\n" * 80)
    assert len(found) == MAX_PROBLEMS + 1
    assert found[-1].endswith("and 30 more mistakes")


def test_variables_are_filled_in_and_the_command_line_goes_first() -> None:
    text = "name: x\nvariables: {who: Ann, n: 4521}\ncalls: [{script: ['{{ who }}, {{n}}{{who}}']}]"
    assert load(text).calls[0].script == ["Ann, 4521Ann"]
    assert load(text, variables={"who": "Bob"}).calls[0].script == ["Bob, 4521Bob"]


def test_a_variable_that_is_true_or_false_reads_as_in_the_file() -> None:
    assert load("name: x\nvariables: {yes: true}\ncalls: [{script: ['{{yes}}']}]").calls[0].script == ["true"]


def test_a_variable_from_outside_needs_a_name_too() -> None:
    assert problems("name: x\ncalls: [{script: [hi]}]", **{"a-b": "1"}) == [
        "x.yaml:1:1: the variable 'a-b' has no usable name: letters, digits and _"
    ]


def test_what_a_variable_holds_is_not_looked_at_again() -> None:
    scenario = load("name: x\nvariables: {a: '{{b}}', b: c}\ncalls: [{script: ['{{a}}']}]")
    assert scenario.calls[0].script == ["{{b}}"]


def test_the_platforms_own_variables_are_left_alone() -> None:
    text = "name: x\nworld: {agents: [{name: A, systemPrompt: 'Hi {{name}}'}]}\ncalls: [{script: [hi]}]"
    assert load(text).world.agents[0].system_prompt == "Hi {{name}}"


@settings(max_examples=60)
@given(SCRIPTS)
def test_what_is_written_loads_back_to_the_same(script: list[Any]) -> None:
    data = {"name": "x", "calls": [{"script": script}]}
    assert load(to_yaml(data)).calls == Scenario.model_validate(data).calls


KEYS = st.sampled_from(
    ["name", "calls", "script", "say", "expect", "world", "agents", "texts", "when", "repeat", "hear"]
)
NONSENSE = st.recursive(
    HOSTILE | st.none() | st.integers() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
)


@settings(max_examples=60)
@given(NONSENSE)
def test_nothing_else_than_a_refusal_comes_of_nonsense(value: Any) -> None:
    try:
        load(json.dumps({"name": "x", "calls": value, "texts": [value], "world": value}))
    except ScenarioInvalid as refused:
        assert refused.problems


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.yaml cannot be read: No such file"):
        load_path(tmp_path / "nowhere.yaml")


def test_files_are_found_in_folders_once_and_in_order(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.yml", "sub/c.yaml", "note.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    found = find([tmp_path / "b.yaml", tmp_path])
    assert [path.name for path in found] == ["b.yaml", "a.yml", "c.yaml"]


def test_a_folder_without_scenarios_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no scenario"):
        find([tmp_path])


def test_the_way_to_a_value_is_written_as_in_code() -> None:
    assert path_of(("calls", 0, "script", 2, "say")) == "calls[0].script[2].say"
