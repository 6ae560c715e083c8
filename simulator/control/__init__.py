"""Test-only routes under `/_sim`: dial, text, move time, read the journal. snake_case JSON, the same bearer key."""

from __future__ import annotations

from typing import Final

from simulator.serving.table import Resources

# Which modules serve a path, by its first two segments. They are loaded when first asked for.
RESOURCES: Final[Resources] = {
    "/_sim/health": ("simulator.control.state",),
    "/_sim/reset": ("simulator.control.state",),
    "/_sim/accounts": ("simulator.control.accounts",),
    "/_sim/snapshots": ("simulator.control.worlds",),
    "/_sim/fork": ("simulator.control.worlds",),
    "/_sim/diff": ("simulator.control.worlds",),
    "/_sim/export": ("simulator.control.files",),
    "/_sim/import": ("simulator.control.files",),
    "/_sim/calls": ("simulator.control.calls", "simulator.control.web_calls", "simulator.control.listening"),
    "/_sim/messages": ("simulator.control.texts",),
    "/_sim/threads": ("simulator.control.threads",),
    "/_sim/people": ("simulator.control.people", "simulator.control.devices", "simulator.control.locations"),
    "/_sim/clock": ("simulator.control.clock",),
    "/_sim/journal": ("simulator.control.journal",),
    "/_sim/expect": ("simulator.control.asking",),
    "/_sim/deliveries": ("simulator.control.deliveries",),
    "/_sim/limits": ("simulator.control.limits",),
    "/_sim/balance": ("simulator.control.limits",),
    "/_sim/hosts": ("simulator.control.hosts",),
    "/_sim/inventory": ("simulator.control.inventory",),
    "/_sim/registration": ("simulator.control.registration",),
    "/_sim/whatsapp": ("simulator.control.registration",),
    "/_sim/verifications": ("simulator.control.verification",),
    "/_sim/agents": ("simulator.control.hosted",),
    "/_sim/hosted": ("simulator.control.hosted",),
    "/_sim/faults": ("simulator.control.faults",),
    "/_sim/feedback": ("simulator.control.feedback",),
}
