"""Images: a world as it was at one instant, for snapshots, forks and files. Records are immutable: copying maps is all.

An image is a world that nobody gives commands to. It is copied when it is made and copied when it is put to use, so
that it can be put to use any number of times.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from simulator.domain.limits import Limits
from simulator.domain.policy import Policies
from simulator.world.world import World

_SHARED: Final = (type(None), bool, int, float, str, datetime, Limits, Policies)  # never change, so nobody copies them


def copy_of(world: World) -> World:
    """The same world on its own: what happens in one of them from now on does not happen in the other."""
    made = World.__new__(World)
    for name, value in vars(world).items():
        setattr(made, name, _copied(name, value))
    return made


def _copied(name: str, value: Any) -> Any:
    if isinstance(value, _SHARED):
        return value
    copy = getattr(value, "copy", None)
    if copy is None:  # a copy that shares something changeable would be found out much later, by somebody else
        raise TypeError(f"World.{name} cannot be copied: give {type(value).__name__} a method copy()")
    return copy()
