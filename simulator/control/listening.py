"""A call listened to again: its timeline, and its export as a scenario, a test or commands.

The export is made in `simulator.scenarios`, by modules that turn a record into text and run nothing. They are loaded
when somebody asks: a simulator that never exports never pays for them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from simulator.control.timeline import TimelineOut
from simulator.domain.agents import Agent
from simulator.domain.calls import Call, Direction
from simulator.domain.masking import masked_tools
from simulator.errors import Conflict
from simulator.serving.operation import Context, Operation
from simulator.wire.agents import AgentOut
from simulator.world import calls, people
from simulator.world.world import World

# Of an agent: what the platform gave it, and what the record of the call says itself.
_NOT_SET: Final = frozenset({"id", "createdAt", "numbers", "phoneNumbers", "name", "beginMessage"})


class ExportQuery(BaseModel):
    """What a call is to become."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    as_: Literal["scenario", "pytest", "curl"] = Field(
        default="scenario", alias="as", description="A scenario file (YAML), a pytest test, or shell commands."
    )


def _timeline(ctx: Context, _query: Any, _body: Any) -> TimelineOut:
    return TimelineOut.of(calls.get(ctx.world, ctx.path["call_id"]), ctx.world.journal)


def _export(ctx: Context, query: ExportQuery, _body: Any) -> Response:
    from simulator.scenarios.export import Setup, scenario_of, to_yaml
    from simulator.scenarios.export_code import to_curl, to_pytest
    from simulator.scenarios.recording import record_of_call

    call = calls.get(ctx.world, ctx.path["call_id"])
    placed = ctx.world.journal.newest("call.placed", call_id=call.id)
    if placed is None:
        raise Conflict(f"the journal has forgotten how {call.id} began: export it sooner, or keep a longer journal")
    record = record_of_call(ctx.world.journal.since(placed.seq - 1), call.id)
    setup = Setup(agent=_agent(ctx.world, call))
    if call.direction is Direction.OUTBOUND:
        person = people.find(ctx.world, call.to_number)
        ring = None if person.ring == people.DEFAULT_RING else person.ring
        setup = replace(setup, request=_request(call), answer=person.answer, ring=ring, greeting=person.greeting)
    name = f"{call.direction.value} call {call.id}"
    match query.as_:
        case "pytest":
            text = to_pytest(record, name, setup)
        case "curl":
            text = to_curl(record, name, setup)
        case _:
            text = to_yaml(scenario_of(record, name, setup))
    return Response(text, media_type="text/plain")


def _agent(world: World, call: Call) -> dict[str, Any]:
    """How the call's agent differs from a new one, in the API's words: without it the call would sound different."""
    agent = world.agents.get(call.agent_id) if call.agent_id else None
    if agent is None:
        return {}
    plain = _shown(Agent(id=agent.id, name=agent.name, created_at=agent.created_at))
    differs = {key: value for key, value in _shown(agent).items() if key not in _NOT_SET and plain[key] != value}
    return {key: masked_tools(value) for key, value in differs.items()}


def _request(call: Call) -> dict[str, Any]:
    given = {
        "systemPrompt": call.system_prompt,
        "modelTier": call.model_tier,
        "variables": None if call.variables is None else dict(call.variables),
        "callScreeningIdentity": call.call_screening_identity,
        "callScreeningPurpose": call.call_screening_purpose,
    }
    return {key: value for key, value in given.items() if value is not None}


def _shown(agent: Agent) -> dict[str, Any]:
    return AgentOut.of(agent, ()).model_dump(mode="json", by_alias=True)


OPERATIONS = (
    Operation(
        id="simCallTimeline", method="GET", path="/_sim/calls/{call_id}/timeline", tag="simulator",
        summary="What the caller heard, and when: first words, gaps, overruns, talk ratio, the handler's times.",
        handler=_timeline, response=TimelineOut, errors=(404,),
    ),
    Operation(
        id="simExportCall", method="GET", path="/_sim/calls/{call_id}/export", tag="simulator",
        summary="A live or finished call as a scenario file, a pytest test or curl commands.",
        handler=_export, query=ExportQuery, media="text/plain", errors=(404, 409),
    ),
)  # fmt: skip
