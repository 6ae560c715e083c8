"""What is on the other end of a number: the kind of line, and what the phone there can do."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from simulator.control.models import ControlOut
from simulator.control.steps import ControlIn
from simulator.domain.devices import Device
from simulator.serving.operation import Context, Operation
from simulator.world import devices


class DeviceIn(ControlIn):
    """A line, by default a mobile that is an iPhone."""

    line_type: str | None = Field(default="mobile", description="Null: the number is not in service.")
    imessage: bool | None = Field(default=None, description="Absent: an iPhone, if the line is a mobile.")
    rcs: bool = False


class DeviceOut(ControlOut):
    """What look-ups and capabilities say of the number."""

    number: str
    line_type: str | None
    country: str | None
    imessage: bool
    sms: bool
    rcs: bool


def _shown(device: Device) -> DeviceOut:
    return DeviceOut(
        number=device.number,
        line_type=device.line_type,
        country=device.country,
        imessage=device.imessage,
        sms=device.sms,
        rcs=device.rcs,
    )


def _put(ctx: Context, _query: Any, body: DeviceIn | None) -> DeviceOut:
    wanted = body or DeviceIn()
    return _shown(
        devices.put(ctx.world, ctx.path["number"], line_type=wanted.line_type, imessage=wanted.imessage, rcs=wanted.rcs)
    )


OPERATIONS = (
    Operation(
        id="simPutDevice", method="PUT", path="/_sim/people/{number}/device", tag="simulator",
        summary="Say what kind of line a number is, and whether iMessage and RCS reach it.",
        handler=_put, body=DeviceIn, body_required=False, response=DeviceOut, errors=(400,),
    ),
)  # fmt: skip
