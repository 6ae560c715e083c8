"""Snapshots of the account, going back to them, copies that go on by themselves, and what differs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from simulator.control.accounts import platform_of, shown
from simulator.control.worlds_models import (
    NOW,
    AccountOut,
    ChangedOut,
    ChangeOut,
    DiffOut,
    DiffQuery,
    ForkIn,
    KindOut,
    SnapshotIn,
    SnapshotOut,
    SnapshotsOut,
)
from simulator.errors import BadRequest, Conflict, NotFound
from simulator.runtime.images import AccountImage
from simulator.runtime.runner import Runner
from simulator.serving.operation import Context, Operation
from simulator.wire.base import iso
from simulator.world import diffs
from simulator.world.world import World


async def settled(runner: Runner, patience: float | None) -> AccountImage:
    """The account as it is once no request is in flight. Raises Conflict naming those that still are."""
    usual = runner.settings.real_patience
    busy = await runner.pacer.let_land(usual if patience is None else timedelta(seconds=patience))
    if busy:
        more = f", and {len(busy) - 3} more" if len(busy) > 3 else ""
        raise Conflict(
            f"requests are in flight ({'; '.join(busy[:3])}{more}): let them end, or give them more `patience`; "
            "POST /_sim/clock/advance makes them time out"
        )
    return runner.image()


def found(ctx: Context, name: str) -> AccountImage:
    """The snapshot of that name. Raises NotFound naming those that there are."""
    snapshot = ctx.runner.snapshots.get(name)
    if snapshot is None:
        there = ", ".join(ctx.runner.snapshots) or "none; POST /_sim/snapshots makes one"
        raise NotFound(f"snapshot {name!r} does not exist in this account: there are {there}")
    return snapshot


async def _take(ctx: Context, _query: Any, body: SnapshotIn) -> SnapshotOut:
    runner, most = ctx.runner, ctx.runner.settings.max_snapshots
    if body.name == NOW:
        raise BadRequest(f"a snapshot cannot be called {NOW!r}, which stands for the account as it is: choose another")
    _check_room(runner, body.name, most)
    image = await settled(runner, body.patience)
    _check_room(runner, body.name, most)  # others may have been made while this one waited
    runner.snapshots.pop(body.name, None)
    runner.snapshots[body.name] = image
    return _shown(body.name, image)


def _check_room(runner: Runner, name: str, most: int) -> None:
    if name not in runner.snapshots and len(runner.snapshots) >= most:
        raise Conflict(
            f"{most} snapshots are kept and no more may be (Settings.max_snapshots): "
            "drop one with DELETE /_sim/snapshots/{name}"
        )


def _shown(name: str, image: AccountImage) -> SnapshotOut:
    worlds = image.worlds().values()
    return SnapshotOut(
        name=name,
        now=iso(image.now),
        records=sum(map(_records, worlds)),
        live_calls=sum(len(world.live_calls) for world in worlds),
        timers=len(image.timers),
        next=image.whole.world.journal.last_seq,
    )


def _records(world: World) -> int:
    return sum(len(records) for name, records in vars(world).items() if name not in diffs.FOLLOWS and _is_map(records))


def _is_map(value: Any) -> bool:
    return isinstance(value, dict)


def _list(ctx: Context, _query: Any, _body: Any) -> SnapshotsOut:
    return SnapshotsOut(snapshots=[_shown(name, image) for name, image in ctx.runner.snapshots.items()])


def _drop(ctx: Context, _query: Any, _body: Any) -> SnapshotOut:
    name = ctx.path["name"]
    image = found(ctx, name)
    del ctx.runner.snapshots[name]
    return _shown(name, image)


async def _restore(ctx: Context, _query: Any, _body: Any) -> SnapshotOut:
    name = ctx.path["name"]
    image = found(ctx, name)
    await ctx.runner.restore(image)
    return _shown(name, image)


async def _fork(ctx: Context, _query: Any, body: ForkIn | None) -> AccountOut:
    platform, body = platform_of(ctx), body or ForkIn()
    platform.check_new(body.api_key)
    if body.snapshot is not None:
        image = found(ctx, body.snapshot)
    else:
        image = await settled(ctx.runner, body.patience)
    return shown(platform.open_copy(ctx.runner, image, body.api_key))


def _diff(ctx: Context, query: DiffQuery, _body: Any) -> DiffOut:
    before, after = (
        ctx.runner.image(records_only=True) if name == NOW else found(ctx, name) for name in (query.from_, query.to)
    )
    kinds = diffs.compare(before.whole.world, after.whole.world)
    parts = {}
    for name in dict.fromkeys((*before.parts, *after.parts)):
        # A sub-account that was not there, or that nobody had used, is as good as an empty one.
        sides = (before.parts.get(name), after.parts.get(name))
        old, new = (side.world if side else ctx.runner.empty_part(name) for side in sides)
        if part := diffs.compare(old, new):
            parts[name] = part
    passed = (after.now - before.now).total_seconds()
    text = [f"{query.from_} -> {query.to}: {passed:g} s of simulated time", diffs.text_of(kinds)]
    text += [f"sub-account {name}\n{diffs.text_of(part)}" for name, part in parts.items()]
    return DiffOut(
        from_=query.from_,
        to=query.to,
        seconds=passed,
        kinds=_kinds(kinds),
        sub_accounts={name: _kinds(part) for name, part in parts.items()},
        text="\n".join(filter(None, text)) if kinds or parts else f"{text[0]}, and nothing else",
    )


def _kinds(kinds: Iterable[diffs.KindDiff]) -> dict[str, KindOut]:
    return {
        kind.kind: KindOut(
            added=list(kind.added),
            removed=list(kind.removed),
            changed=[
                ChangedOut(id=name, fields=[ChangeOut(field=c.field, before=c.before, after=c.after) for c in changes])
                for name, changes in (kind.changed or {}).items()
            ],
        )
        for kind in kinds
    }


OPERATIONS = (
    Operation(
        id="simTakeSnapshot", method="POST", path="/_sim/snapshots", tag="simulator", scoped=False,
        summary="Keep the account as it is under a name: records, ids to come, time, timers, live calls, journal.",
        handler=_take, body=SnapshotIn, response=SnapshotOut, errors=(400, 409),
    ),
    Operation(
        id="simListSnapshots", method="GET", path="/_sim/snapshots", tag="simulator", scoped=False,
        summary="The account's snapshots.", handler=_list, response=SnapshotsOut,
    ),
    Operation(
        id="simDropSnapshot", method="DELETE", path="/_sim/snapshots/{name}", tag="simulator", scoped=False,
        summary="Forget a snapshot.", handler=_drop, response=SnapshotOut, errors=(404,),
    ),
    Operation(
        id="simRestore", method="POST", path="/_sim/snapshots/{name}/restore", tag="simulator", scoped=False,
        summary="Make the account what it was; what happened after the snapshot has not happened.",
        handler=_restore, response=SnapshotOut, errors=(404,),
    ),
    Operation(
        id="simFork", method="POST", path="/_sim/fork", tag="simulator", scoped=False,
        summary="Open another account that is a copy of this one, or of a snapshot; each goes on by itself.",
        handler=_fork, body=ForkIn, body_required=False, response=AccountOut, errors=(404, 409),
    ),
    Operation(
        id="simDiff", method="GET", path="/_sim/diff", tag="simulator", scoped=False,
        summary="What differs between two snapshots, or between one and now.",
        handler=_diff, query=DiffQuery, response=DiffOut, errors=(404,),
    ),
)  # fmt: skip
