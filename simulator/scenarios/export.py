"""A recorded call as a scenario file, which replays to the same transcript.

The caller's pauses are part of it: a step that didn't come as soon as people do comes after a `wait` as long as theirs
was. Where the handler is as fast as it was, so is the whole call.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import yaml

from simulator.domain.phone import is_e164
from simulator.engine.speech import REACTION_DELAY
from simulator.scenarios.derive import Plain, of_call, of_turn
from simulator.scenarios.durations import render
from simulator.scenarios.model import DEFAULT_AGENT, DEFAULT_CALLER
from simulator.scenarios.record import ZERO, CallRecord, KeysRecord, SpeechRecord, Who
from simulator.scenarios.source import Dumper

WIDTH: Final = 120
BRACES: Final = "braces"  # the variable that stands for what would otherwise begin a variable
PATIENCE: Final = timedelta(seconds=1)  # how much longer than it took to wait for an end that others brought about
USUAL_CONFIDENCE: Final = 0.95
# After these the caller need not do anything: the end came with the agent's last words.
_AGENTS_ENDS: Final = frozenset({"agent_hangup", "call_transfer"})
_PLATFORMS: Final = frozenset({"world", "request"})  # in these, two braces are the platform's own
_MACHINES: Final = frozenset({"voicemail", "screened", "screened_out"})  # where something else speaks first


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a call was held with that its record doesn't tell."""

    agent: Mapping[str, Any] = field(default_factory=dict)  # settings that a new agent doesn't have, in the API's words
    request: Mapping[str, Any] = field(default_factory=dict)  # more fields of the request that placed the call
    answer: str = "answered"  # how the person whom the agent called answered
    ring: timedelta | None = None  # for how long their phone rang; None: as usual
    greeting: str | None = None  # what the machine said that answered for them; None: what machines usually say


USUAL: Final = Setup()


def script_of(record: CallRecord, *, expect: bool = True, answer: str = "answered") -> list[Plain]:
    """The remote party's side of a call as the steps of a file; with what each was answered, if `expect`.

    `answer`: how the phone was answered. What a machine or the phone itself says is no step: it is said again anyway.
    """
    acts = sorted((sound for sound in _sounds(record) if sound.who is Who.CALLER), key=lambda act: act.at)
    if answer in _MACHINES and acts and isinstance(acts[0], SpeechRecord):
        acts = acts[1:]
    steps: list[Plain] = []
    for act in acts:
        taken = list(_act(act, record))
        turn = next((turn for turn in record.turns if turn.number == act.turn), None)
        if expect and turn is not None:
            taken[-1]["expect"] = of_turn(turn)
        steps += taken
    return steps + list(_leaving(record))


def scenario_of(record: CallRecord, name: str, setup: Setup = USUAL) -> Plain:
    """A recorded call as a scenario, in plain data."""
    agent: Plain = {"name": DEFAULT_AGENT, "voiceMode": "webhook", **setup.agent}
    if record.greeting:
        agent["beginMessage"] = record.greeting
    outbound = record.direction == "outbound"
    caller, callee = (DEFAULT_AGENT, record.to_number) if outbound else (caller_of(record), DEFAULT_AGENT)
    script = script_of(record, answer=setup.answer)
    request = {"request": dict(setup.request)} if setup.request else {}
    call = {"from": caller, "to": callee, **request, "script": script, "expect": of_call(record)}
    if outbound and setup != Setup(agent=setup.agent, request=setup.request):
        return {"name": name, "world": {"agents": [agent], "people": [_person(callee, setup)]}, "calls": [call]}
    return {"name": name, "world": {"agents": [agent]}, "calls": [call]}


def caller_of(record: CallRecord) -> str:
    """Who calls in. A browser has no number, and is heard like any caller: somebody takes its place."""
    return record.from_number if is_e164(record.from_number) else DEFAULT_CALLER


def _person(number: str, setup: Setup) -> Plain:
    person: Plain = {"number": number, "answer": setup.answer}
    if setup.ring is not None:
        person["ring"] = render(setup.ring)
    if setup.greeting is not None:
        person["greeting"] = setup.greeting
    return person


def to_yaml(scenario: Mapping[str, Any]) -> str:
    """Write a scenario as a file that loads back to the same; what looks like a variable in it stays what it is."""
    safe = _braced(scenario)
    if safe != dict(scenario):
        safe = {"name": safe.pop("name"), "variables": {BRACES: "{{"}, **safe}
    return yaml.dump(safe, Dumper=Dumper, allow_unicode=True, sort_keys=False, width=WIDTH)


def _act(act: SpeechRecord | KeysRecord, record: CallRecord) -> Iterator[Plain]:
    if isinstance(act, SpeechRecord) and act.over:
        verb = "backchannel" if act.backchannel else "barge_in"
        yield {verb: {"after": render(act.at - _answer_began(record, act.at)), "say": act.said}}
        return
    pause = act.at - _floor_free(record, act)
    if pause != REACTION_DELAY:
        yield {"wait": render(max(pause, ZERO))}
    if isinstance(act, KeysRecord):
        yield {"press": act.digits}
    elif act.confidence in (None, USUAL_CONFIDENCE):
        yield {"say": act.said}
    else:
        yield {"say": act.said, "confidence": act.confidence}


def _sounds(record: CallRecord) -> tuple[SpeechRecord | KeysRecord, ...]:
    return (*record.speech, *record.keys)


def _leaving(record: CallRecord) -> Iterator[Plain]:
    """How the remote party left, or waited for an end that others brought about."""
    if record.reason in _AGENTS_ENDS:
        return
    if record.reason != "user_hangup":
        last = max((act.at for act in _sounds(record) if act.who is Who.CALLER), default=ZERO)
        yield {"wait": render(max(record.ended - last, ZERO) + PATIENCE)}
        return
    speaking = any(s.who is Who.AGENT and s.cut and s.at + s.length >= record.ended for s in record.speech)
    if speaking:
        yield {"hang_up": {"after": render(record.ended - _answer_began(record, record.ended))}}
        return
    pause = record.ended - _floor_free(record, None)
    if pause != REACTION_DELAY:
        yield {"wait": render(max(pause, ZERO))}
    yield {"hang_up": True}


def _floor_free(record: CallRecord, act: SpeechRecord | KeysRecord | None) -> timedelta:
    """When the floor became free before `act`; before the end of the call if None."""
    until = record.ended if act is None else act.at
    others = [part for part in _sounds(record) if part is not act]
    ends = [part.at + part.length for part in others] + [turn.closed for turn in record.turns]
    return max((end for end in ends if end <= until), default=record.answered or ZERO)


def _answer_began(record: CallRecord, moment: timedelta) -> timedelta:
    """When the agent's answer that is heard at `moment` began: since the caller last spoke; else `moment` itself."""
    acts = [sound.at for sound in _sounds(record) if sound.who is Who.CALLER and not _listening(sound)]
    last = max((at for at in acts if at < moment), default=ZERO)
    heard = (part.at for part in record.speech if part.who is Who.AGENT and last <= part.at <= moment)
    return min(heard, default=moment)


def _listening(sound: SpeechRecord | KeysRecord) -> bool:
    return isinstance(sound, SpeechRecord) and sound.backchannel


def _braced(value: Any) -> Any:
    """Put a variable where two braces stand in a text, so that they are not taken for one."""
    if isinstance(value, str):
        return value.replace("{{", "{{" + BRACES + "}}")
    if isinstance(value, list):
        return [_braced(item) for item in value]
    if isinstance(value, Mapping):
        return {key: item if key in _PLATFORMS else _braced(item) for key, item in value.items()}
    return value
