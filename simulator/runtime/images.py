"""An account as it was at one instant: its worlds, its time and timers, its calls and scripts under way."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from simulator.clock import Timers
from simulator.settings import Settings
from simulator.world.world import World

if TYPE_CHECKING:
    from simulator.runtime.in_flight import Key
    from simulator.runtime.live_calls import CallImage
    from simulator.runtime.threads import ThreadImage


class Identity(NamedTuple):
    """What an empty account is made from: all of its ids, secrets and numbers follow from it."""

    account_id: str
    seed: int

    @classmethod
    def of(cls, *scope: object) -> Identity:
        """Two accounts of the same scope are the same, two of different scopes have nothing in common."""
        digest = hashlib.sha256(":".join(map(str, scope)).encode()).hexdigest()
        return cls(f"acct_{digest[:12]}", int(digest[:16], 16))

    def part(self, sub_account_id: str) -> Identity:
        """What an empty sub-account is made from. It follows from the account's, so that it comes along with a copy."""
        return Identity(sub_account_id, Identity.of(self.seed, sub_account_id).seed)


@dataclass(frozen=True, slots=True)
class WorldImage:
    """One world and what is under way in it. Never used itself, only copied, any number of times."""

    world: World
    calls: tuple[CallImage, ...] = ()
    threads: tuple[ThreadImage, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountImage:
    """An account and its sub-accounts by id. Of the settings, who moves time is not part of the image."""

    identity: Identity
    settings: Settings
    now: datetime
    timers: Timers[Key]
    whole: WorldImage
    parts: Mapping[str, WorldImage] = field(default_factory=dict)

    def worlds(self) -> dict[str, World]:
        """Every world by its account id, the account's own first."""
        whole = self.whole.world
        return {whole.account_id: whole, **{name: part.world for name, part in self.parts.items()}}
