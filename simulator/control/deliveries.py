"""What became of the account's deliveries, drawn: every attempt against time, what came late and what was lost."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from simulator.control.models import ControlOut
from simulator.serving.operation import Context, Operation
from simulator.wire.base import Instant

SVG, TEXT = "image/svg+xml", "text/plain"


class ChartQuery(BaseModel):
    """Which deliveries, and what they are to become."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    as_: Literal["json", "svg", "text"] = Field(
        default="json", alias="as", description="Records and figures; a picture; or the same in lines of text."
    )
    since: Instant | None = Field(default=None, description="Deliveries of events from this simulated instant on.")
    columns: int = Field(default=100, ge=80, le=400, description="Of the text.")


class TryOut(ControlOut):
    """One attempt."""

    at: str
    how: str = Field(description="delivered, refused, timed_out, error, final, not_sent or interrupted.")
    http_status: int | None
    error: str | None


class OwedOut(ControlOut):
    """One delivery."""

    id: str
    event: str
    created_at: str
    status: str
    end: str = Field(description="first_try, late, lost or pending.")
    reason: str | None = Field(description="Why it was lost.")
    delay_seconds: float | None = Field(description="From the event to its arrival.")
    retryable: bool
    next_attempt_at: str | None
    attempts: list[TryOut]


class OutageOut(ControlOut):
    """A stretch in which attempts failed and none arrived."""

    begin: str
    end: str
    label: str


class FiguresOut(ControlOut):
    """The deliveries, counted. The gap is the longest time in which nothing arrived."""

    sent: int
    first_try: int
    late: int
    lost: int
    pending: int
    attempts: int
    delay_p50_seconds: float | None
    delay_p90_seconds: float | None
    delay_max_seconds: float | None
    longest_gap_seconds: float | None


class ChartOut(ControlOut):
    """The chart as data."""

    verdict: str
    figures: FiguresOut
    outages: list[OutageOut]
    deliveries: list[OwedOut] = Field(description="In the order of sending.")


def _chart(ctx: Context, query: ChartQuery, _body: Any) -> ChartOut | Response:
    # Loaded when somebody asks, as the exports are: most simulators never draw anything.
    import simulator.scenarios.reports.ladder as ladder
    import simulator.scenarios.reports.ladder_svg as ladder_svg
    import simulator.scenarios.reports.ladder_text as ladder_text
    from simulator.scenarios.reports.ladder_records import observed_outages, owed_of

    found = [d for d in ctx.world.deliveries.values() if query.since is None or d.created_at >= query.since]
    owed = [owed_of(delivery) for delivery in found]
    outages = observed_outages(owed)
    match query.as_:
        case "svg":
            chart = ladder.chart_of(owed, outages, most_rows=ladder_svg.MOST_ROWS)
            return Response(ladder_svg.render(chart), media_type=SVG)
        case "text":
            chart = ladder.chart_of(owed, outages, most_rows=ladder_text.MOST_ROWS)
            return Response(ladder_text.render(chart, query.columns), media_type=TEXT)
        case _:
            return ChartOut.model_validate(
                ladder.chart_as_json(ladder.chart_of(owed, outages, most_rows=len(owed) or 1))
            )


OPERATIONS = (
    Operation(
        id="simDeliveryChart", method="GET", path="/_sim/deliveries/chart", tag="simulator",
        summary="Every attempt of every delivery against time: what came late, what was lost and why.",
        handler=_chart, query=ChartQuery, response=ChartOut, also=(SVG, TEXT),
    ),
)  # fmt: skip
