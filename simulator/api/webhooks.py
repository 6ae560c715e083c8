"""Webhook endpoints of the account and of single agents, their deliveries, and trying them out."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.domain.messages import Channel
from simulator.domain.webhooks import Delivery, WebhookEndpoint
from simulator.errors import BadRequest
from simulator.serving.operation import Context, Operation
from simulator.wire.base import iso
from simulator.wire.pages import SuccessOut, window
from simulator.wire.urls import webhook_url
from simulator.wire.webhooks import (
    AgentDeliveriesQuery,
    AllTimeStatsOut,
    DeliveriesQuery,
    DeliveryOut,
    DeliveryPageOut,
    DeliveryStatsOut,
    StatsQuery,
    WebhookIn,
    WebhookOut,
    WebhookTestIn,
    WebhookTestOut,
    WebhookTestQuery,
    success_rate,
)
from simulator.world import agents, notices, webhooks


def _owner(ctx: Context) -> str | None:
    """Whose endpoint a path is about: an agent's, or the account's (None)."""
    return ctx.path.get("agent_id")


def get(ctx: Context, _query: None, _body: None) -> WebhookOut | None:
    """Show the webhook endpoint, or null when none is set."""
    endpoint = webhooks.get_endpoint(ctx.world, _owner(ctx))
    return None if endpoint is None else WebhookOut.of(endpoint)


def put(ctx: Context, _query: None, body: WebhookIn) -> WebhookOut:
    """Set the webhook endpoint; the secret is new every time."""
    owner = _owner(ctx)
    if owner is not None:
        agents.get(ctx.world, owner)
    endpoint = webhooks.set_endpoint(
        ctx.world,
        owner,
        url=webhook_url(body.url),
        context_limit=body.entries,
        timeout=body.patience,
        now=ctx.now,
    )
    return WebhookOut.of(endpoint)


def delete(ctx: Context, _query: None, _body: None) -> SuccessOut:
    """Remove the webhook endpoint. Removing what is not set succeeds: the documentation names no refusal for it."""
    webhooks.remove_endpoint(ctx.world, _owner(ctx))
    return SuccessOut()


def deliveries(ctx: Context, query: DeliveriesQuery, _body: None) -> DeliveryPageOut:
    """Show every delivery of the account, newest first."""
    return _page(webhooks.listing(ctx.world, hours=query.hours, now=ctx.now), query.limit, query.offset)


def agent_deliveries(ctx: Context, query: AgentDeliveriesQuery, _body: None) -> list[DeliveryOut] | DeliveryPageOut:
    """Show the deliveries to an agent's own endpoint, newest first; bare, or wrapped by policy."""
    found = webhooks.listing(ctx.world, agent_id=ctx.path["agent_id"], hours=query.hours, now=ctx.now)
    if ctx.runner.policies["agent_deliveries_shape"] == "object":
        return _page(found, query.limit, 0)
    return [DeliveryOut.of(delivery) for delivery in found[: query.limit]]


def _page(found: Sequence[Delivery], limit: int, offset: int) -> DeliveryPageOut:
    cut, has_more, total = window(found, limit, offset)
    shown = [DeliveryOut.of(delivery) for delivery in cut]
    return DeliveryPageOut(items=shown, data=shown, total=total, offset=offset, limit=limit, has_more=has_more)


def stats(ctx: Context, query: StatsQuery, _body: None) -> DeliveryStatsOut:
    """Count the deliveries of the last hours."""
    counted = webhooks.stats(ctx.world, hours=query.hours, now=ctx.now)
    unit = ctx.runner.policies["success_rate"]
    return DeliveryStatsOut(
        total=counted.total,
        success=counted.success,
        failed=counted.failed,
        pending=counted.pending,
        success_rate=success_rate(counted.success, counted.total, unit),
        by_event_type={event: dict(tally) for event, tally in counted.by_event_type.items()},
        by_hour=[
            {"hour": iso(hour.start), "total": hour.total, "success": hour.success, "failed": hour.failed}
            for hour in counted.by_hour
        ],
    )


def all_time(ctx: Context, _query: None, _body: None) -> AllTimeStatsOut:
    """Count every delivery there ever was."""
    counted = webhooks.all_time(ctx.world)
    rate = success_rate(counted.success, counted.total, ctx.runner.policies["success_rate"])
    return AllTimeStatsOut(total=counted.total, success=counted.success, failed=counted.failed, success_rate=rate)


async def test_account(ctx: Context, query: WebhookTestQuery, body: WebhookTestIn | None) -> WebhookTestOut:
    """Send a test event where the named agent's events go; without an agent, to the account's endpoint.

    The event then names the account's first agent, as the platform's does.
    """
    agent_id = query.agent_id or None
    if agent_id is not None:
        agents.get(ctx.world, agent_id)
    endpoint = webhooks.endpoint_for(ctx.world, agent_id)
    if endpoint is None:
        raise BadRequest("no webhook is set, so there is nothing to test: set one with POST /v1/webhooks")
    return await _test(ctx, endpoint, agent_id or next(iter(ctx.world.agents), None), body)


async def test_agent(ctx: Context, _query: None, body: WebhookTestIn | None) -> WebhookTestOut:
    """Send a test event to the agent's own endpoint."""
    agent_id = ctx.path["agent_id"]
    endpoint = webhooks.get_endpoint(ctx.world, agent_id)
    if endpoint is None:
        raise BadRequest(
            f"agent {agent_id!r} has no webhook of its own: set one with POST /v1/agents/{agent_id}/webhook, "
            "or test the account's with POST /v1/webhooks/test"
        )
    return await _test(ctx, endpoint, agent_id, body)


async def _test(
    ctx: Context, endpoint: WebhookEndpoint, agent_id: str | None, body: WebhookTestIn | None
) -> WebhookTestOut:
    wanted = body or WebhookTestIn()
    notice = notices.for_test(
        ctx.world,
        endpoint,
        agent_id=agent_id,
        from_=wanted.from_number or None,
        to=wanted.to_number or None,
        message=wanted.message,
        channel=None if wanted.channel is None else Channel(wanted.channel),
        now=ctx.now,
    )
    return WebhookTestOut.of(await ctx.runner.send_test(notice, endpoint))


_OF_AGENT = "/v1/agents/{agent_id}/webhook"

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="getWebhook",
        method="GET",
        path="/v1/webhooks",
        tag="webhooks",
        summary="Get the account's webhook endpoint, null when none is set",
        handler=get,
        response=WebhookOut,
        nullable=True,
    ),
    Operation(
        id="createOrUpdateWebhook",
        method="POST",
        path="/v1/webhooks",
        tag="webhooks",
        summary="Set the account's webhook endpoint; every time makes a new secret",
        handler=put,
        body=WebhookIn,
        response=WebhookOut,
        errors=(400,),
    ),
    Operation(
        id="deleteWebhook",
        method="DELETE",
        path="/v1/webhooks",
        tag="webhooks",
        summary="Remove the account's webhook endpoint",
        handler=delete,
        response=SuccessOut,
    ),
    Operation(
        id="listDeliveries",
        method="GET",
        path="/v1/webhooks/deliveries",
        tag="webhooks",
        summary="List webhook deliveries, newest first",
        handler=deliveries,
        query=DeliveriesQuery,
        response=DeliveryPageOut,
    ),
    Operation(
        id="deliveryStats",
        method="GET",
        path="/v1/webhooks/deliveries/stats",
        tag="webhooks",
        summary="Count webhook deliveries of the last hours",
        handler=stats,
        query=StatsQuery,
        response=DeliveryStatsOut,
    ),
    Operation(
        id="allTimeStats",
        method="GET",
        path="/v1/webhooks/deliveries/all-time",
        tag="webhooks",
        summary="Count all webhook deliveries",
        handler=all_time,
        response=AllTimeStatsOut,
    ),
    Operation(
        id="testWebhook",
        method="POST",
        path="/v1/webhooks/test",
        tag="webhooks",
        summary="Send a test event to the account's (or the named agent's) webhook endpoint",
        handler=test_account,
        query=WebhookTestQuery,
        body=WebhookTestIn,
        body_required=False,
        response=WebhookTestOut,
        errors=(400, 404),
    ),
    Operation(
        id="getAgentWebhook",
        method="GET",
        path=_OF_AGENT,
        tag="agent-webhooks",
        summary="Get an agent's own webhook endpoint, null when none is set",
        handler=get,
        response=WebhookOut,
        nullable=True,
        errors=(404,),
    ),
    Operation(
        id="createOrUpdateAgentWebhook",
        method="POST",
        path=_OF_AGENT,
        tag="agent-webhooks",
        summary="Set an agent's own webhook endpoint; every time makes a new secret",
        handler=put,
        body=WebhookIn,
        response=WebhookOut,
        errors=(400, 404),
    ),
    Operation(
        id="deleteAgentWebhook",
        method="DELETE",
        path=_OF_AGENT,
        tag="agent-webhooks",
        summary="Remove an agent's own webhook endpoint; the account's gets its events again",
        handler=delete,
        response=SuccessOut,
        errors=(404,),
    ),
    Operation(
        id="listAgentDeliveries",
        method="GET",
        path=f"{_OF_AGENT}/deliveries",
        tag="agent-webhooks",
        summary="List the deliveries to an agent's own webhook endpoint, newest first",
        handler=agent_deliveries,
        query=AgentDeliveriesQuery,
        response=DeliveryOut,
        many=True,
        errors=(404,),
    ),
    Operation(
        id="testAgentWebhook",
        method="POST",
        path=f"{_OF_AGENT}/test",
        tag="agent-webhooks",
        summary="Send a test event to an agent's own webhook endpoint",
        handler=test_agent,
        body=WebhookTestIn,
        body_required=False,
        response=WebhookTestOut,
        errors=(400, 404),
    ),
)
