"""WhatsApp under `/integrations/whatsapp`: Business accounts, their numbers, message templates."""

from __future__ import annotations

from typing import Final

from simulator.domain.numbers import PhoneNumber
from simulator.domain.whatsapp import WhatsAppConnection
from simulator.serving.operation import Context, Operation
from simulator.wire.whatsapp import (
    ConnectIn,
    ConnectionOut,
    ConnectNumberIn,
    DisconnectedOut,
    TemplateDeletedOut,
    TemplateDeleteQuery,
    TemplateIn,
    TemplateListOut,
    TemplateOut,
    TemplatesQuery,
    WhatsAppNumberOut,
    WhatsAppNumbersOut,
    WhatsAppStatusOut,
)
from simulator.world import templates, whatsapp


def connect(ctx: Context, _query: None, body: ConnectIn) -> ConnectionOut:
    """Connect a WhatsApp Business account."""
    connection = whatsapp.connect(
        ctx.world,
        code=body.code,
        waba_id=body.waba_id,
        phone_number_id=body.phone_number_id,
        business_id=body.business_id,
        agent_id=body.agent_id,
        now=ctx.now,
    )
    return _connection(ctx, connection)


def status(ctx: Context, _query: None, _body: None) -> WhatsAppStatusOut:
    """Show what is connected."""
    connections = [_connection(ctx, connection) for connection in whatsapp.listing(ctx.world)]
    return WhatsAppStatusOut(connected=bool(connections), connections=connections)


def disconnect(ctx: Context, _query: None, _body: None) -> DisconnectedOut:
    """Take a connection away."""
    gone = whatsapp.disconnect(ctx.world, ctx.path["connection_id"], ctx.now)
    return DisconnectedOut(connection_id=gone.id)


def available_numbers(ctx: Context, _query: None, _body: None) -> WhatsAppNumbersOut:
    """Show the numbers that could be connected."""
    found = whatsapp.available_numbers(ctx.world, ctx.path["connection_id"])
    return WhatsAppNumbersOut(data=[_number(number) for number in found])


def connect_number(ctx: Context, _query: None, body: ConnectNumberIn) -> WhatsAppNumberOut:
    """Connect a number."""
    return _number(
        whatsapp.connect_number(ctx.world, ctx.path["connection_id"], body.phone_number_id, body.agent_id, ctx.now)
    )


def list_templates(ctx: Context, query: TemplatesQuery, _body: None) -> TemplateListOut:
    """Show templates."""
    found = templates.listing(ctx.world, ctx.path["connection_id"], query.filters())
    return TemplateListOut(data=[TemplateOut.of(template) for template in found])


def create_template(ctx: Context, _query: None, body: TemplateIn) -> TemplateOut:
    """Propose a template; Meta's review takes its time."""
    template = templates.create(ctx.world, ctx.path["connection_id"], body.fields(), ctx.now)
    ctx.runner.chores.await_template(template)
    return TemplateOut.of(template)


def delete_template(ctx: Context, query: TemplateDeleteQuery, _body: None) -> TemplateDeletedOut:
    """Delete a template by its name."""
    gone = templates.delete(ctx.world, ctx.path["connection_id"], query.name, query.hsm_id, ctx.now)
    return TemplateDeletedOut(name=query.name, deleted=[template.id for template in gone])


def _number(number: PhoneNumber) -> WhatsAppNumberOut:
    return WhatsAppNumberOut.of(number, whatsapp.phone_number_id(number))


def _connection(ctx: Context, connection: WhatsAppConnection) -> ConnectionOut:
    return ConnectionOut.of(connection, [_number(n) for n in whatsapp.connected_numbers(ctx.world, connection)])


_ROOT: Final = "/integrations/whatsapp"
_ONE: Final = "/integrations/whatsapp/{connection_id}"

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="whatsappConnect",
        method="POST",
        path=f"{_ROOT}/connect",
        tag="whatsapp",
        summary="Connect a WhatsApp Business account",
        handler=connect,
        body=ConnectIn,
        response=ConnectionOut,
        errors=(400, 404, 409),
    ),
    Operation(
        id="whatsappStatus",
        method="GET",
        path=f"{_ROOT}/status",
        tag="whatsapp",
        summary="What is connected to WhatsApp",
        handler=status,
        response=WhatsAppStatusOut,
    ),
    Operation(
        id="whatsappDisconnect",
        method="DELETE",
        path=_ONE,
        tag="whatsapp",
        summary="Disconnect a WhatsApp Business account",
        handler=disconnect,
        response=DisconnectedOut,
        errors=(404,),
    ),
    Operation(
        id="whatsappAvailableNumbers",
        method="GET",
        path=f"{_ONE}/available-numbers",
        tag="whatsapp",
        summary="List the numbers that could be connected",
        handler=available_numbers,
        response=WhatsAppNumbersOut,
        errors=(404,),
    ),
    Operation(
        id="whatsappConnectNumber",
        method="POST",
        path=f"{_ONE}/numbers",
        tag="whatsapp",
        summary="Connect a number, optionally to an agent",
        handler=connect_number,
        body=ConnectNumberIn,
        response=WhatsAppNumberOut,
        errors=(404, 409),
    ),
    Operation(
        id="whatsappListTemplates",
        method="GET",
        path=f"{_ONE}/templates",
        tag="whatsapp",
        summary="List message templates, newest first",
        handler=list_templates,
        query=TemplatesQuery,
        response=TemplateListOut,
        errors=(404,),
    ),
    Operation(
        id="whatsappCreateTemplate",
        method="POST",
        path=f"{_ONE}/templates",
        tag="whatsapp",
        summary="Propose a message template",
        handler=create_template,
        body=TemplateIn,
        response=TemplateOut,
        errors=(400, 404, 409),
    ),
    Operation(
        id="whatsappDeleteTemplate",
        method="DELETE",
        path=f"{_ONE}/templates",
        tag="whatsapp",
        summary="Delete a message template by name",
        handler=delete_template,
        query=TemplateDeleteQuery,
        response=TemplateDeletedOut,
        errors=(404,),
    ),
)
