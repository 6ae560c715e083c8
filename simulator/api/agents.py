"""Agents: what they are, their numbers, and what went through them."""

from __future__ import annotations

from typing import Final

from simulator.api.lists import page
from simulator.domain.agents import Agent
from simulator.domain.numbers import PhoneNumber
from simulator.serving.dispatch import Reply
from simulator.serving.memo import Memo
from simulator.serving.operation import Context, Operation
from simulator.wire.agents import (
    AgentDeletedOut,
    AgentIn,
    AgentListOut,
    AgentNumberOut,
    AgentOut,
    AgentPatch,
    AttachNumberIn,
    NumberAttachedOut,
)
from simulator.wire.calls import CallListOut, CallOut
from simulator.wire.conversations import ConversationListOut, ConversationOut
from simulator.wire.pages import PageQuery, SuccessOut
from simulator.wire.voices import VoiceListOut, catalogue
from simulator.world import agents, calls, chats, threads

_REPLIES: Final = Memo[Agent, tuple[PhoneNumber, ...], Reply](1024)


def _shown(ctx: Context, agent: Agent) -> AgentOut:
    return AgentOut.of(agent, agents.numbers_of(ctx.world, agent.id))


def create(ctx: Context, _query: None, body: AgentIn) -> AgentOut:
    """Make an agent."""
    return _shown(ctx, agents.create(ctx.world, body.fields(), ctx.now))


def listing(ctx: Context, query: PageQuery, _body: None) -> AgentListOut:
    """Show the agents, newest first."""
    return page(AgentListOut, agents.listing(ctx.world), query, lambda agent: _shown(ctx, agent))


def get(ctx: Context, _query: None, _body: None) -> Reply:
    """Show one agent. Clients poll this one, so an agent that did not change is not rendered again."""
    agent = agents.get(ctx.world, ctx.path["agent_id"])
    numbers = agents.numbers_of(ctx.world, agent.id)
    reply = _REPLIES.get(agent, numbers)
    return reply or _REPLIES.put(agent, numbers, Reply.of(AgentOut.of(agent, numbers)))


def update(ctx: Context, _query: None, body: AgentPatch) -> AgentOut:
    """Change some fields of an agent."""
    return _shown(ctx, agents.update(ctx.world, ctx.path["agent_id"], body.fields(), ctx.now))


def delete(ctx: Context, _query: None, _body: None) -> AgentDeletedOut:
    """Remove an agent; its numbers stay."""
    agent, numbers = agents.delete(ctx.world, ctx.path["agent_id"], ctx.now)
    return AgentDeletedOut(id=agent.id, name=agent.name, message="Agent deleted", unassigned_numbers=list(numbers))


def attach(ctx: Context, _query: None, body: AttachNumberIn) -> NumberAttachedOut:
    """Give a number to an agent."""
    agent, number = agents.attach(ctx.world, ctx.path["agent_id"], body.number_id)
    return NumberAttachedOut(agent_id=agent.id, number=AgentNumberOut.of(number))


def detach(ctx: Context, _query: None, _body: None) -> SuccessOut:
    """Take a number away from an agent."""
    agents.detach(ctx.world, ctx.path["agent_id"], ctx.path["number_id"])
    return SuccessOut()


def conversations(ctx: Context, query: PageQuery, _body: None) -> ConversationListOut:
    """Show an agent's conversations."""
    found = threads.conversations(ctx.world, ctx.path["agent_id"])
    return page(ConversationListOut, found, query, lambda c: ConversationOut.of(chats.view(ctx.world, c)))


def made_calls(ctx: Context, query: PageQuery, _body: None) -> CallListOut:
    """Show an agent's calls."""
    found = calls.listing(ctx.world, agent_id=ctx.path["agent_id"])
    return page(CallListOut, found, query, lambda call: CallOut.of(call, ctx.base_url))


def voices(_ctx: Context, _query: None, _body: None) -> VoiceListOut:
    """Show the voices an agent can have."""
    return catalogue()


_ONE = "/v1/agents/{agent_id}"

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="listVoices",
        method="GET",
        path="/v1/agents/voices",
        tag="agents",
        summary="List the voices an agent can have",
        handler=voices,
        response=VoiceListOut,
    ),
    Operation(
        id="listAgents",
        method="GET",
        path="/v1/agents",
        tag="agents",
        summary="List agents, newest first",
        handler=listing,
        query=PageQuery,
        response=AgentListOut,
    ),
    Operation(
        id="createAgent",
        method="POST",
        path="/v1/agents",
        tag="agents",
        summary="Create an agent",
        handler=create,
        body=AgentIn,
        response=AgentOut,
        creates=True,
        errors=(400,),
    ),
    Operation(
        id="getAgent",
        method="GET",
        path=_ONE,
        tag="agents",
        summary="Get an agent with its numbers",
        handler=get,
        response=AgentOut,
        errors=(404,),
    ),
    Operation(
        id="updateAgent",
        method="PATCH",
        path=_ONE,
        tag="agents",
        summary="Change the given fields of an agent",
        handler=update,
        body=AgentPatch,
        response=AgentOut,
        errors=(400, 404),
    ),
    Operation(
        id="deleteAgent",
        method="DELETE",
        path=_ONE,
        tag="agents",
        summary="Delete an agent; its numbers, calls and conversations stay",
        handler=delete,
        response=AgentDeletedOut,
        errors=(404,),
    ),
    Operation(
        id="attachNumberToAgent",
        method="POST",
        path=f"{_ONE}/numbers",
        tag="agents",
        summary="Attach a number to an agent",
        handler=attach,
        body=AttachNumberIn,
        response=NumberAttachedOut,
        errors=(400, 404),
    ),
    Operation(
        id="detachNumberFromAgent",
        method="DELETE",
        path=f"{_ONE}/numbers/{{number_id}}",
        tag="agents",
        summary="Detach a number from an agent; the account keeps it",
        handler=detach,
        response=SuccessOut,
        errors=(404,),
    ),
    Operation(
        id="listAgentConversations",
        method="GET",
        path=f"{_ONE}/conversations",
        tag="agents",
        summary="List an agent's conversations, most recent activity first",
        handler=conversations,
        query=PageQuery,
        response=ConversationListOut,
        errors=(404,),
    ),
    Operation(
        id="listAgentCalls",
        method="GET",
        path=f"{_ONE}/calls",
        tag="agents",
        summary="List an agent's calls, newest first",
        handler=made_calls,
        query=PageQuery,
        response=CallListOut,
        errors=(404,),
    ),
)
