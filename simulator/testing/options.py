"""How a test's world begins: the command line's words, checked where they are written."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Final

from simulator.clock import ClockMode
from simulator.domain.limits import Limits
from simulator.domain.policy import Policies
from simulator.errors import UsageError

# One secret for every test, known before any test runs: an application that reads its secret when it is imported can
# be given it then. It signs nothing outside a test.
SECRET: Final = "whsec_0agentphone0tests0only0000"

# Real seconds for which time stands still while the application is at work, so that runs are alike in process and over
# sockets: longer than a busy machine needs for anything that is not meant to be slow. 0 makes its latency count.
GRACE: Final = 5.0
LARGEST_SEED: Final = 2**53  # exact as a JSON number


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The words of `serve` that concern one account, and `sockets`. Raises UsageError for a value no word can have.

    `handler_grace` (real seconds) and `start` (when time begins) are as in `Settings`. `webhook_secret` None mints a
    secret for each webhook, as the platform does. `sockets`: the application under test is served on a
    real socket instead of in process.
    """

    clock: str = ClockMode.AUTO.value
    contract: str = "all"
    handler_grace: float = GRACE
    limits: Mapping[str, Any] = field(default_factory=dict)
    policies: Mapping[str, str] = field(default_factory=dict)
    scale: float = 1.0
    seed: int = 0
    sockets: bool = False
    start: datetime | str | None = None
    webhook_secret: str | None = SECRET

    def __post_init__(self) -> None:
        if self.clock not in list(ClockMode):
            raise UsageError(f"clock cannot be {self.clock!r}: choose one of {', '.join(ClockMode)}")
        Policies(self.contract, self.policies)
        unknown = [name for name in self.limits if name not in _names(Limits)]
        if unknown:
            raise UsageError(f"limit {_suggested(unknown[0], _names(Limits))}")
        Limits(**self.limits)
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or abs(self.seed) > LARGEST_SEED:
            raise UsageError(
                f"seed cannot be {self.seed!r}: give a whole number from {-LARGEST_SEED} to {LARGEST_SEED}"
            )
        if not isinstance(self.sockets, bool):
            raise UsageError(f"sockets cannot be {self.sockets!r}: give True or False")

    @classmethod
    def of(cls, words: Mapping[str, Any]) -> Options:
        """Read words, as a marker or `open_account` has them. Raises UsageError naming the nearest word there is."""
        known = _names(cls)
        for word in words:
            if word not in known:
                raise UsageError(f"option {_suggested(word, known)}")
        return cls(**words)

    def account(self) -> dict[str, Any]:
        """The body of `POST /_sim/accounts`; what was left as it is by default is left out."""
        said = {
            "clock": self.clock,
            "contract": self.contract,
            "handler_grace": self.handler_grace,
            "limits": dict(self.limits) or None,
            "policies": dict(self.policies) or None,
            "scale": self.scale,
            "seed": self.seed,
            "start": self.start.isoformat() if isinstance(self.start, datetime) else self.start,
            "webhook_secret": self.webhook_secret,
        }
        return {name: value for name, value in said.items() if value is not None}


def _names(kind: type) -> list[str]:
    return sorted(spot.name for spot in fields(kind))


def _suggested(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"choose one of {', '.join(known)}"
    return f"{word!r} does not exist: {hint}"
