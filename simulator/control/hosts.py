"""Names of this machine that are served elsewhere: a handler keeps its URL, whatever port it got this time."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from simulator.control.models import ControlOut
from simulator.control.steps import ControlIn
from simulator.serving.operation import Context, Operation

Name = Annotated[str, StringConstraints(min_length=1, max_length=253)]


class HostsIn(ControlIn):
    """Where names are served from now on; null: where they say. Names that are left out stay."""

    hosts: dict[Name, Annotated[str, StringConstraints(max_length=2000)] | None] = Field(
        max_length=100,
        description='By name, such as "handler.localhost": the address, such as "http://127.0.0.1:4567".',
    )


class HostsOut(ControlOut):
    """Which names are served elsewhere."""

    hosts: dict[str, str] = Field(description='The address, or "in process".')


def _get(ctx: Context, _query: Any, _body: Any) -> HostsOut:
    return HostsOut(hosts=ctx.runner.sender.hosts)


def _put(ctx: Context, _query: Any, body: HostsIn) -> HostsOut:
    ctx.runner.sender.serve_elsewhere(body.hosts)
    return HostsOut(hosts=ctx.runner.sender.hosts)


OPERATIONS = (
    Operation(
        id="simGetHosts", method="GET", path="/_sim/hosts", tag="simulator", scoped=False,
        summary="Which names of this machine are served elsewhere?", handler=_get, response=HostsOut,
    ),
    Operation(
        id="simPutHosts", method="PUT", path="/_sim/hosts", tag="simulator", scoped=False,
        summary="Say where names of this machine are served, so that URLs need not change with a port.",
        handler=_put, body=HostsIn, response=HostsOut, errors=(400,),
    ),
)  # fmt: skip
