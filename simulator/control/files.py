"""The account as one JSON document, out and in."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field
from starlette.responses import Response

from simulator.control.accounts import shown
from simulator.control.models import ControlOut
from simulator.control.steps import ControlIn
from simulator.control.worlds import settled
from simulator.control.worlds_models import AccountOut, ExportQuery
from simulator.errors import BadRequest
from simulator.serving.operation import Context, Operation
from simulator.state.accounts import account_of, account_text
from simulator.state.codec import Unreadable
from simulator.state.document import WORLD, read, write

LARGEST = 268_435_456  # bytes; a world of a hundred thousand objects takes about a quarter of it


class WorldOut(ControlOut):
    """A world, whole: records, ids to come, time, timers. Secrets are in it; its journal is not."""

    format: str
    version: int
    made_by: str
    checksum: str = Field(description="Of `world`; what was changed by hand is refused.")
    world: dict[str, Any]


class WorldIn(ControlIn):
    """What `GET /_sim/export` gave, as it was."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    format: str
    version: int
    made_by: str
    checksum: str
    world: dict[str, Any]


async def _export(ctx: Context, query: ExportQuery, _body: Any) -> Response:
    image = await settled(ctx.runner, query.patience)
    return Response(write(WORLD, account_text(image)), media_type="application/json")


async def _import(ctx: Context, _query: Any, body: bytes) -> AccountOut:
    try:
        image = account_of(read(WORLD, body), ctx.runner.settings)
    except Unreadable as error:
        raise BadRequest(f"this world cannot be imported: {error}") from error
    await ctx.runner.load(image)
    return shown(ctx.runner)


OPERATIONS = (
    Operation(
        id="simExport", method="GET", path="/_sim/export", tag="simulator", scoped=False,
        summary="The account as one JSON document, sub-accounts included.",
        handler=_export, query=ExportQuery, response=WorldOut, errors=(409,),
    ),
    Operation(
        id="simImport", method="POST", path="/_sim/import", tag="simulator", scoped=False,
        summary="Make the account what a document says: it replaces everything but the key and who moves time.",
        handler=_import, body=WorldIn, raw_limit=LARGEST, response=AccountOut, errors=(400, 413),
    ),
)  # fmt: skip
