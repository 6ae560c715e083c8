"""The account's clock, faults and journal, as a test uses them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from simulator.errors import UsageError
from simulator.scenarios.durations import parse
from simulator.testing.results import Entry, instant

if TYPE_CHECKING:
    from simulator.testing.places import Place

__tracebackhide__ = True  # a failed test should be shown at its own line

Length = float | timedelta | str  # seconds, or "600ms", "1.5s", "2m", "20h", "2d"

_PAGE: Final = 10_000  # entries that `GET /_sim/journal` shows at most


def seconds(length: Length) -> float:
    """Read a length of time. Raises UsageError for what is none."""
    if isinstance(length, timedelta):
        return length.total_seconds()
    if isinstance(length, str):
        try:
            return parse(length).total_seconds()
        except ValueError as error:
            raise UsageError(str(error)) from error
    return float(length)


class World:
    """A place that is asked when it is at rest.

    On an auto clock everything that happens by itself has then happened, so that no test races the clock's jumps. On a
    manual clock what was set in motion at this instant has settled.
    """

    def __init__(self, place: Place) -> None:
        self.place = place

    def settle(self) -> None:
        """Wait until the world is at rest."""
        self.place.ask("POST", "/_sim/clock/settle")

    def do(self, method: str, path: str, body: Any = None) -> Any:
        """Change something, and wait for what follows from it."""
        answer = self.place.ask(method, path, body)
        self.settle()
        return answer

    def see(self, path: str, **query: Any) -> Any:
        """Read something once everything has happened."""
        self.settle()
        return self.read(path, **query)

    def read(self, path: str, **query: Any) -> Any:
        """Read something as it is."""
        given = urlencode({name: value for name, value in query.items() if value is not None})
        return self.place.ask("GET", f"{path}?{given}" if given else path)

    def entries(self, kind: str | None = None, after: int = 0) -> list[Entry]:
        """The journal from `after` on, as it is: all of it, however long."""
        found: list[Entry] = []
        while True:
            page = self.read("/_sim/journal", kind=kind, after=after, limit=_PAGE)
            found += page["entries"]
            if len(page["entries"]) < _PAGE:
                return found
            after = page["next"]


class Clock:
    """Simulated time."""

    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def now(self) -> datetime:
        """The simulated instant, aware UTC."""
        return instant(self._world.see("/_sim/clock")["now"])

    @property
    def mode(self) -> str:
        """Who moves time: auto, manual or system."""
        return str(self._world.read("/_sim/clock")["mode"])

    def set(self, mode: str, scale: float = 1.0) -> None:
        """Change who moves time; `scale` is how many simulated seconds a real one has while time flows."""
        self._world.do("PUT", "/_sim/clock", {"mode": mode, "scale": scale})

    def advance(self, length: Length) -> datetime:
        """Move time forward, firing every timer on the way; returns the instant it is then.

        Takes seconds, a timedelta, or text such as "90s", "20h". Raises UsageError for what is no length of time.
        """
        self._world.do("POST", "/_sim/clock/advance", {"seconds": seconds(length)})
        return self.now

    def run_until_idle(self) -> datetime:
        """Jump from timer to timer until none is left; returns the instant it is then."""
        self._world.do("POST", "/_sim/clock/run_until_idle")
        return self.now


class Faults:
    """What is to go wrong: rules of `/_sim/faults`."""

    def __init__(self, world: World) -> None:
        self._world = world

    def add(self, on: str, fault: str, **rule: Any) -> Mapping[str, Any]:
        """Add a rule: `fault` happens `on` api, delivery, turn, carrier or stream; returns the rule with its id.

        `match` says where, `times` and `skip` how often, `probability` and `expires_in` (seconds) when; the rest are
        the fault's own parameters. Raises Refused for what no rule can be. What the account itself is asked to do here
        meets no fault: they are for the application, and for `client()` and `http()`.
        """
        added: Mapping[str, Any] = self._world.do("POST", "/_sim/faults", {"on": on, "fault": fault, **rule})
        return added

    def list(self) -> list[Mapping[str, Any]]:
        """The rules there are, with how often each has fired."""
        answer = self._world.see("/_sim/faults")
        return list(answer["faults"])

    def clear(self) -> None:
        """Take every rule away."""
        self._world.do("DELETE", "/_sim/faults")


class Journal:
    """Everything that happened, oldest first."""

    def __init__(self, world: World) -> None:
        self._world = world

    def entries(self, kind: str | None = None, **where: Any) -> list[Entry]:
        """Entries of a kind ("turn" finds "turn.opened" too; several by comma) in which `where` is so.

        A value may be a mapping: then those keys of the entry's own mapping must be so, others may be there as well.
        """
        self._world.settle()
        return [entry for entry in self._world.entries(kind) if within(where, entry)]

    def last(self, kind: str | None = None, **where: Any) -> Entry | None:
        """The newest of them, or None."""
        found = self.entries(kind, **where)
        return found[-1] if found else None

    def tail(self, count: int = 20) -> list[Entry]:
        """The newest `count` entries."""
        return self.entries()[-count:] if count > 0 else []


def within(wanted: Any, found: Any) -> bool:
    """Whether everything wanted is found: mappings by their keys, everything else by equality."""
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(
            name in found and within(value, found[name]) for name, value in wanted.items()
        )
    return bool(wanted == found)
