from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from simulator.domain.agents import LANGUAGES, Agent, CustomTool, VoiceMode
from simulator.domain.numbers import PhoneNumber
from simulator.wire.agents import AgentIn, AgentOut, AgentPatch

AT = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
TOOL = {"name": "find_order", "description": "d", "url": "http://127.0.0.1/x"}


def create(**fields: Any) -> dict[str, Any]:
    return AgentIn.model_validate({"name": "A", **fields}).fields()


def test_only_what_was_sent_is_passed_on() -> None:
    assert create() == {"name": "A"}
    assert create(description=None, voice=None, customTools=None) == {"name": "A"}


def test_words_and_milliseconds_become_domain_values() -> None:
    assert create(voiceMode="hosted", maxSilenceMs=10_000, voiceSpeed=2) == {
        "name": "A",
        "voice_mode": VoiceMode.HOSTED,
        "max_silence": timedelta(seconds=10),
        "voice_speed": 2,
    }


def test_an_empty_update_changes_nothing_and_an_empty_list_of_tools_is_a_change() -> None:
    assert AgentPatch.model_validate({}).fields() == {}
    assert AgentPatch.model_validate({"name": None, "beginMessage": None}).fields() == {}
    assert AgentPatch.model_validate({"customTools": [], "transferNumber": ""}).fields() == {
        "custom_tools": (),
        "transfer_number": "",
    }


def test_a_tool_becomes_a_record_and_headers_without_a_value_are_dropped() -> None:
    tools = create(customTools=[{**TOOL, "headers": {"a": "b", "c": None}, "timeoutMs": 1000}])["custom_tools"]
    assert tools == (
        CustomTool(
            name="find_order",
            description="d",
            url="http://127.0.0.1/x",
            headers={"a": "b"},
            timeout=timedelta(seconds=1),
        ),
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"name": " \t"},
        {"name": "x" * 256},
        {"name": 5},
        {"name": None},
        {"voiceMode": "webhoook"},
        {"voiceMode": None},
        {"voiceMode": ["webhook"]},
        {"modelTier": "huge"},
        {"language": "en"},
        {"sttMode": "slow"},
        {"ambientSound": "sea"},
        {"denoisingMode": ""},
        {"voice": ""},
        {"maxSilenceMs": 9_999},
        {"maxSilenceMs": 3_600_001},
        {"maxSilenceMs": 10**400},
        {"maxSilenceMs": 10_000.5},
        {"maxSilenceMs": True},
        {"voiceSpeed": 0.49},
        {"voiceSpeed": 2.01},
        {"voiceSpeed": "1"},
        {"voiceSpeed": True},
        {"voiceSpeed": float("inf")},
        {"interruptionSensitivity": -0.1},
        {"interruptionSensitivity": 1.1},
        {"enableMessaging": "yes"},
        {"enableBackchannel": 1},
        {"voicemailMessage": "x" * 1001},
        {"customTools": [TOOL] * 21},
        {"customTools": [{**TOOL, "name": "a b"}]},
        {"customTools": [{**TOOL, "name": ""}]},
        {"customTools": [{**TOOL, "name": "é"}]},
        {"customTools": [{**TOOL, "name": "x" * 65}]},
        {"customTools": [{**TOOL, "url": "nowhere"}]},
        {"customTools": [{**TOOL, "method": "PUT"}]},
        {"customTools": [{**TOOL, "timeoutMs": 999}]},
        {"customTools": [{**TOOL, "headers": {"a": 1}}]},
        {"customTools": [{**TOOL, "parameters": {"a": float("inf")}}]},
        {"customTools": {"a": 1}},
        {"customTools": [None]},
    ],
)
def test_values_outside_the_documented_ones_are_refused(fields: dict[str, Any]) -> None:
    for model in (AgentIn, AgentPatch):
        if model is AgentPatch and fields == {"name": None}:
            continue
        with pytest.raises(ValidationError):
            model.model_validate({"name": "A", **fields})


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("maxSilenceMs", (10_000, 3_600_000)),
        ("voiceSpeed", (0.5, 2.0)),
        ("interruptionSensitivity", (0.0, 1.0)),
        ("language", LANGUAGES),
        ("name", ("x" * 255, "é", " x ")),
    ],
)
def test_the_bounds_themselves_are_fine(field: str, values: tuple[Any, ...]) -> None:
    for value in values:
        assert AgentIn.model_validate({"name": "A", field: value})


def agent(**fields: Any) -> Agent:
    return Agent(id="agt_1", name="A", created_at=AT, **fields)


def test_an_agent_is_shown_with_the_platforms_defaults() -> None:
    shown = AgentOut.of(agent(), ()).model_dump(by_alias=True)
    assert shown == {
        "id": "agt_1",
        "name": "A",
        "description": None,
        "voiceMode": "webhook",
        "enableMessaging": True,
        "modelTier": "balanced",
        "systemPrompt": None,
        "beginMessage": None,
        "voice": "11labs-Brian",
        "transferNumber": None,
        "customTools": None,
        "voicemailMessage": None,
        "callScreeningIdentity": None,
        "callScreeningPurpose": None,
        "sttMode": "fast",
        "ambientSound": "none",
        "denoisingMode": "noise-cancellation",
        "maxSilenceMs": 600_000,
        "voiceSpeed": 1.0,
        "interruptionSensitivity": 0.8,
        "enableBackchannel": True,
        "language": "en-US",
        "createdAt": "2026-01-05T15:00:00.000Z",
        "numbers": [],
        "phoneNumbers": [],
    }


def test_numbers_stand_under_both_names() -> None:
    number = PhoneNumber(id="num_1", phone_number="+14155550100", country="US", created_at=AT)
    shown = AgentOut.of(agent(), (number,)).model_dump(by_alias=True)
    assert shown["numbers"] == [{"id": "num_1", "phoneNumber": "+14155550100", "status": "active", "type": "sms"}]
    assert shown["phoneNumbers"] == shown["numbers"]


def test_a_tool_is_shown_as_it_was_sent() -> None:
    sent = {
        **TOOL,
        "method": "GET",
        "headers": {"a": "b"},
        "parameters": {"type": "object"},
        "timeoutMs": 1500,
        "speakDuringExecution": True,
        "executionMessage": "One moment.",
    }
    shown = AgentOut.of(agent(**{k: v for k, v in create(customTools=[sent]).items() if k != "name"}), ())
    assert shown.model_dump(by_alias=True)["customTools"] == [sent]
