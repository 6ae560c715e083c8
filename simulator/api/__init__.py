"""The platform's routes. Each handler parses nothing and decides nothing: one world command, then the runner's port."""

from __future__ import annotations

from typing import Final

from simulator.serving.table import Resources

# Which modules serve a path, by its first two segments. They are loaded when first asked for.
RESOURCES: Final[Resources] = {
    "/v1/agents": ("simulator.api.agents", "simulator.api.webhooks"),
    "/v1/numbers": ("simulator.api.numbers", "simulator.api.lookups", "simulator.api.cards"),
    "/v1/contacts": ("simulator.api.contacts",),
    "/v1/calls": ("simulator.api.calls", "simulator.api.recordings", "simulator.api.streams"),
    "/v1/conversations": ("simulator.api.conversations",),
    "/v1/messages": ("simulator.api.messages",),
    "/v1/webhooks": ("simulator.api.webhooks",),
    "/v1/usage": ("simulator.api.usage",),
    "/v1/sub-accounts": ("simulator.api.accounts",),
    "/v1/register": ("simulator.api.registration",),
    "/v1/verify": ("simulator.api.verification",),
    "/v1/sip-trunks": ("simulator.api.trunks",),
    "/v1/location": ("simulator.api.locations",),
    "/v1/feedback": ("simulator.api.feedback",),
    "/integrations/whatsapp": ("simulator.api.whatsapp",),
    "/credits/recording": ("simulator.api.recordings",),
    "/v0/agent": ("simulator.api.sign_up",),
}
