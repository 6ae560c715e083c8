"""The platform's routes. Each handler parses nothing and decides nothing: one world command, then the runner's port."""

from __future__ import annotations

from simulator.api import accounts, agents, calls, conversations, messages, numbers, unsimulated, usage, webhooks
from simulator.serving.operation import Operation

SERVED: tuple[Operation, ...] = (
    *agents.OPERATIONS,
    *numbers.OPERATIONS,
    *calls.OPERATIONS,
    *conversations.OPERATIONS,
    *messages.OPERATIONS,
    *webhooks.OPERATIONS,
    *usage.OPERATIONS,
    *accounts.OPERATIONS,
)
OPERATIONS: tuple[Operation, ...] = (*SERVED, *unsimulated.OPERATIONS)
