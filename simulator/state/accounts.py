"""Accounts as JSON: their worlds, their time, and the timers that belong to records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from simulator.clock import ClockMode, Timers
from simulator.domain.limits import Limits
from simulator.runtime.images import AccountImage, Identity, WorldImage
from simulator.runtime.in_flight import Key
from simulator.settings import Settings
from simulator.state.codec import Unreadable, decode, encode
from simulator.state.layout import fields_of, policies_of, policies_text, seed_of, world_of, written
from simulator.world.world import World

# Timers by kind, with the map that what they are about is in; None: about nothing in particular.
TIMERS: Final[Mapping[str, str | None]] = {
    "retry": "deliveries",
    "handover": "messages",
    "expiry": "numbers",
    "refresh": None,
    "registration": "registrations",
    "template": "message_templates",
}
# Timers of what cannot be written down: it is ended when the file is read (see `runtime.resuming`).
ENDED: Final = ("attempt_timeout", "call", "thread")
SETTINGS: Final[Mapping[str, Any]] = {
    "clock": ClockMode,
    "scale": float,
    "handler_grace": timedelta,
    "start": datetime | None,
    "limits": Limits,
    "webhook_secret": str | None,
}
PARTS: Final = ("settings", "identity", "now", "timers", "world", "sub_accounts")


def account_text(image: AccountImage) -> dict[str, Any]:
    """Give an account as JSON."""
    settings = image.settings
    return {
        "settings": {
            "seed": str(settings.seed),
            "policies": policies_text(settings.policies),
            **{name: encode(kind, getattr(settings, name)) for name, kind in SETTINGS.items()},
        },
        "identity": {"account_id": image.identity.account_id, "seed": str(image.identity.seed)},
        "now": encode(datetime, image.now),
        "timers": [[*map(str, key), encode(datetime, due)] for due, key in image.timers if key[1] in TIMERS],
        "world": written(image.whole.world),
        "sub_accounts": {name: written(part.world) for name, part in image.parts.items()},
    }


def account_of(value: Any, base: Settings) -> AccountImage:
    """Read an account; what its file does not say about how it is run is as in `base`. Raises Unreadable."""
    text = fields_of(value, PARTS)
    settings = _inside("settings", _settings, text["settings"], base)
    whole = _inside("world", world_of, text["world"], base.journal_limit)
    parts = {}
    for name, part in decode(Mapping[str, Any], text["sub_accounts"]).items():
        parts[name] = _inside(f"sub_accounts.{name}", world_of, part, base.journal_limit)
        if name not in whole.sub_accounts or parts[name].account_id != name:
            raise Unreadable("is no sub-account of this account", ("sub_accounts", name))
    now = _inside("now", lambda at: decode(datetime, at), text["now"])
    return AccountImage(
        identity=_inside("identity", _identity, text["identity"], whole.account_id),
        settings=settings,
        now=now,
        timers=_inside("timers", _timers, text["timers"], {whole.account_id: whole, **parts}),
        whole=WorldImage(whole),
        parts={name: WorldImage(part) for name, part in parts.items()},
    )


def _inside(name: str, read: Any, value: Any, *more: Any) -> Any:
    try:
        return read(value, *more)
    except Unreadable as error:
        raise error.inside(name) from None


def _settings(value: Any, base: Settings) -> Settings:
    text = fields_of(value, ("seed", "policies", *SETTINGS))
    found = {
        name: _inside(name, lambda item, kind=kind: decode(kind, item), text[name]) for name, kind in SETTINGS.items()
    }
    if not 0 < found["scale"] <= 1_000_000:
        raise Unreadable("should be a number above 0, at most 1000000", ("scale",))
    policies = _inside("policies", policies_of, text["policies"])
    return replace(base, seed=seed_of(text["seed"]), policies=policies, **found)


def _identity(value: Any, account_id: str) -> Identity:
    text = fields_of(value, ("account_id", "seed"))
    if text["account_id"] != account_id:
        raise Unreadable(f"should be that of the world, {account_id!r}", ("account_id",))
    return Identity(account_id, seed_of(text["seed"]))


def _timers(value: Any, worlds: Mapping[str, World]) -> Timers[Key]:
    timers: Timers[Key] = Timers()
    for owner, kind, record_id, due in decode(tuple[tuple[str, str, str, datetime], ...], value):
        if owner not in worlds:
            raise Unreadable(f"account {owner!r} is not in this file")
        if kind not in TIMERS:
            raise Unreadable(f"a timer {kind!r} is nothing that this version knows")
        records = TIMERS[kind]
        if records is not None and record_id not in getattr(worlds[owner], records):
            raise Unreadable(f"a timer {kind!r} is for {record_id!r}, which is not in {records}")
        timers.start((owner, kind, record_id), due)
    return timers
