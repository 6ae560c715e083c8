"""A platform for tests: `with open_account(seed=1) as agentphone: …`, or the pytest fixture `agentphone`."""

from simulator.errors import Refused
from simulator.testing.account import CALLER, Account
from simulator.testing.conformance import ConformanceReport, cases
from simulator.testing.opening import Session, open_account
from simulator.testing.options import SECRET, Options
from simulator.testing.phone import Phone
from simulator.testing.places import Place
from simulator.testing.results import (
    Agent,
    Attempt,
    CallResult,
    Delivery,
    Finding,
    Line,
    Number,
    Text,
    ThreadResult,
    Webhook,
)

__all__ = [
    "CALLER",
    "SECRET",
    "Account",
    "Agent",
    "Attempt",
    "CallResult",
    "ConformanceReport",
    "Delivery",
    "Finding",
    "Line",
    "Number",
    "Options",
    "Phone",
    "Place",
    "Refused",
    "Session",
    "Text",
    "ThreadResult",
    "Webhook",
    "cases",
    "open_account",
]
