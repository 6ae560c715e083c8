"""The zoo: handlers that are broken on purpose, examined in process, where waiting costs nothing.

python -m tests.helpers.zoo [HANDLER …] [--case NUMBER …]    what differs from what each handler declares
python -m tests.helpers.zoo --details HANDLER --case 3.2     everything about one case
"""

from __future__ import annotations

import argparse
import atexit
import importlib
import sys
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from simulator.conformance.cases import ALL
from simulator.conformance.examine import Options, Target, examine
from simulator.conformance.results import Report
from simulator.conformance.verdicts import Verdict
from simulator.testing.account import Account
from simulator.testing.opening import Session
from simulator.testing.options import Options as Words

ZOO = Path(__file__).resolve().parents[2] / "fixtures" / "handlers" / "broken"
TABLE = ZOO / "README.md"
SOUND = "sound"
COMPLIANCE = 8  # the group that is played only when somebody asks for it


@dataclass(frozen=True)
class Animal:
    """One handler of the zoo and what it declares: the cases that it fails, and those it is not strict in.

    `attack` says what only an attack finds; such handlers break no case.
    """

    name: str
    module: ModuleType
    mistake: str
    fails: frozenset[str]
    misses: frozenset[str]
    attack: str

    @property
    def group(self) -> int | None:
        """The group of the first case that it breaks; None when it breaks none."""
        return min((int(number.partition(".")[0]) for number in self.fails | self.misses), default=None)


def names() -> tuple[str, ...]:
    """Every handler of the zoo, the sound one first."""
    found = sorted(path.stem for path in ZOO.glob("*.py"))
    return (SOUND, *(name for name in found if name != SOUND))


def names_of(group: int | None) -> tuple[str, ...]:
    """The broken handlers whose first broken case is in this group; without a group those that break none."""
    animals = [load(name) for name in names() if name != SOUND]
    first = {
        animal.name: min((int(n.partition(".")[0]) for n in animal.fails | animal.misses), default=None)
        for animal in animals
    }
    return tuple(name for name, place in first.items() if place == group)


def load(name: str) -> Animal:
    """Import one; the others' folder goes to the path, as they are used."""
    if str(ZOO) not in sys.path:
        sys.path.insert(0, str(ZOO))
    module = importlib.import_module(name)
    about = (module.__doc__ or "").splitlines()[0]
    fails, misses = getattr(module, "FAILS", ()), getattr(module, "MISSES", ())
    return Animal(name, module, about, frozenset(fails), frozenset(misses), getattr(module, "ATTACK", ""))


def due(animal: Animal) -> tuple[str, ...]:
    """The cases of a test against a handler: all of the groups in which it breaks some, and a third of the others.

    Which third is another one for the next handler.
    """
    groups = {number.partition(".")[0] for number in animal.fails | animal.misses}
    third = names().index(animal.name) % 3
    cases = [case for case in ALL if not case.asked_for or str(case.group) in groups]
    return tuple(case.number for place, case in enumerate(cases) if str(case.group) in groups or place % 3 == third)


def wired(animal: Animal, account: Account, secret_file: Path) -> Any:
    """The handler's application, told of an account."""
    sound = importlib.import_module(SOUND)
    secret_file.write_text(account.secret)
    wiring = sound.Wiring(secret_file=secret_file, base_url=account.base_url, api_key=account.api_key)
    kind = getattr(animal.module, "Broken", sound.Handler)
    return kind(wiring).app


@cache
def _session() -> Session:
    """One server for all of them: starting it takes as long as some examinations."""
    session = Session()
    atexit.register(session.close)
    return session


def examined(animal: Animal, numbers: Collection[str] = ()) -> Report:
    """Examine one in process, in an account of its own.

    Compliance is played only where somebody asks for it: for the sound handler, and for those that break some of it.
    """
    asked = animal.name == SOUND or any(number.startswith(f"{COMPLIANCE}.") for number in animal.fails | animal.misses)
    with tempfile.TemporaryDirectory() as folder, _session().open(Words.of({"contract": "2026-07"})) as account:
        secret_file = Path(folder) / "secret.txt"
        place = account._place
        url = place.mount(wired(animal, account, secret_file)) + "/webhook"
        target = Target(url=url, name=animal.name, secret=account.secret, rotate=secret_file.write_text)
        options = Options(numbers=tuple(numbers), compliance=asked)
        return place.conduct(lambda app: examine(app, account.api_key, target, options))


def differences(animal: Animal, report: Report) -> list[str]:
    """Where a report is not as its handler declares."""
    found = []
    for result in report.results:
        wanted = (
            Verdict.FAIL
            if result.number in animal.fails
            else Verdict.NON_STRICT
            if result.number in animal.misses
            else None
        )
        got = result.verdict if result.verdict in (Verdict.FAIL, Verdict.NON_STRICT) else None
        if got is not wanted:
            broken = "; ".join(f"expected {c.expected}, observed {c.observed}" for c in result.broken) or result.reason
            found.append(f"{animal.name} {result.number}: declared {wanted}, is {result.verdict} ({broken})")
    return found


ABOUT = """# The zoo

Handlers that are broken on purpose, one mistake each, and [one that is not](sound.py). They prove the conformance
cases: every case catches at least one of them, and each breaks exactly the cases that are written here.
`python -m tests.helpers.zoo` plays every case against every handler (those of compliance, which are played only when
somebody asks for them, against the handlers that break one). `contract_tests/zoo` does so with the groups in which a
handler breaks something, and with a third of the others: every case meets a third of the handlers that should pass it.
This table is made from what they declare, by `python -m tests.helpers.zoo --publish`.

Each runs by itself: `python NAME.py --port 3000 --secret-file secret.txt`.

"""


def table() -> str:
    """What the zoo's visitors read: every handler with what it breaks, and every case with whom it catches."""
    animals = [load(name) for name in names() if name != SOUND]
    lines = ["| handler | its mistake | fails | not strict |", "| --- | --- | --- | --- |"]
    for animal in animals:
        fails = _in_order(animal.fails) or (f"an attack: {animal.attack}" if animal.attack else "")
        lines.append(f"| [{animal.name}]({animal.name}.py) | {animal.mistake} | {fails} | {_in_order(animal.misses)} |")
    lines += ["", "| case | | who breaks it |", "| --- | --- | --- |"]
    for case in ALL:
        caught = [animal.name for animal in animals if case.number in animal.fails | animal.misses]
        lines.append(f"| {case.number} | {case.title} ({case.level}) | {', '.join(caught)} |")
    return ABOUT + "\n".join(lines) + "\n"


def _in_order(numbers: Collection[str]) -> str:
    return ", ".join(sorted(numbers, key=lambda number: [int(part) for part in number.split(".")]))


def _show(report: Report) -> None:
    for result in report.results:
        print(f"{result.number} {result.verdict} {result.reason} ({result.seconds:.3f} s)")
        for check in result.checks:
            print(f"    {'ok ' if check.holds else 'NOT'} {check.level} {check.expected} | {check.observed}")
        for exchange in result.exchanges:
            print(f"    {exchange.request.note or exchange.request.method} → {exchange}")
        for note in result.notes:
            print(f"    note: {note}")


def main() -> int:
    """See above."""
    parser = argparse.ArgumentParser()
    parser.add_argument("handlers", nargs="*")
    parser.add_argument("--case", action="append", default=[], help="a case (2.3) or a group (2); may be repeated")
    parser.add_argument("--details", action="store_true")
    parser.add_argument("--publish", action="store_true")
    chosen = parser.parse_args()
    if chosen.publish:
        TABLE.write_text(table(), "utf-8")
        return 0
    wrong = []
    for name in chosen.handlers or names():
        animal = load(name)
        report = examined(animal, chosen.case)
        if chosen.details:
            _show(report)
        wrong += differences(animal, report)
    print("\n".join(wrong) or "all as declared")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
