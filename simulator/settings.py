"""One frozen Settings. Each default has its reason; this is the only file that reads the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from simulator.clock import ClockMode
from simulator.domain.fault_rules import FaultSpec
from simulator.domain.limits import Limits
from simulator.domain.policy import Policies

if TYPE_CHECKING:
    from simulator.domain.hosted import HostedFunction

DEFAULT_API_KEY = "sk_live_simulator"  # shaped like a real key, so code that checks the prefix is content
DEFAULT_HOST = "127.0.0.1"  # nobody else's machine should reach a sandbox
DEFAULT_PORT = 8787  # free of the usual 3000, 5000, 8000 and 8080 where handlers live
DEFAULT_MODEL = "default"  # many local servers have one model and ignore its name
DEFAULT_START = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)  # a Monday; fixed, so that runs repeat


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a simulator behaves. Times are simulated unless the name says `real`."""

    api_keys: tuple[str, ...] = field(default=(DEFAULT_API_KEY,), repr=False)
    clock: ClockMode = ClockMode.SYSTEM
    scale: float = 1.0  # simulated seconds per real second while time flows
    start: datetime | None = None  # None: wall time for `system`, DEFAULT_START otherwise
    seed: int = 0
    policies: Policies = field(default_factory=Policies)
    faults: tuple[FaultSpec, ...] = ()  # what goes wrong in every account from its beginning, and again after a reset
    limits: Limits = field(default_factory=Limits)  # all off: a test that never asked for them should not meet them
    allow_hosts: tuple[str, ...] = ()  # webhook hosts outside loopback that may be contacted
    allow_origins: tuple[str, ...] = ()  # Host and Origin values that are not loopback
    # Of every webhook, for handlers that know theirs already; None: minted each time.
    webhook_secret: str | None = field(default=None, repr=False)
    max_body: int = 1_048_576  # bytes; far above any documented body
    journal_limit: int = 100_000  # entries; older ones are dropped and counted
    max_accounts: int = 1_000  # open at once; a test that closes its own never gets there
    max_snapshots: int = 100  # kept per account; each holds all that has changed since
    max_live_calls: int = 5_000  # more is a mistake in a loop
    max_open_requests: int = 10_000  # long polls, streams and slow uploads too; twice the live calls, each waited for
    max_call_duration: timedelta = timedelta(hours=2)  # twice the longest maxSilenceMs
    real_patience: timedelta = timedelta(seconds=30)  # how long advance() waits for a handler in flight
    handler_grace: timedelta = timedelta()  # real time that requests in flight may take without time passing; auto only
    hosted: HostedFunction | None = None  # answers for hosted agents where no scripted line does
    hosted_url: str | None = None  # base URL of an OpenAI-compatible API that does so after it; None: no model is asked
    hosted_model: str = DEFAULT_MODEL  # its name there
    public_url: str | None = None  # set by the server once its port is known


def from_environment(env: Mapping[str, str] | None = None) -> dict[str, str]:
    """The command line's defaults from AGENTPHONE_API_KEY and AGENTPHONE_BASE_URL."""
    source = os.environ if env is None else env
    return {
        "api_key": source.get("AGENTPHONE_API_KEY", DEFAULT_API_KEY),
        "base_url": source.get("AGENTPHONE_BASE_URL", f"http://{DEFAULT_HOST}:{DEFAULT_PORT}").rstrip("/"),
    }
