"""Who may import what, and what the rooms that decide things may never do. An `ast` walk: nothing is imported."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

PACKAGE: Final = Path(__file__).resolve().parent.parent / "simulator"
TREES: Final = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}
LONGEST: Final = 400  # lines; a module that grows past it wants to be two

PURE: Final = ("domain", "engine", "world")
BEHIND: Final = ("serving", "world", "wire", "runtime", "domain", "errors")
FRONT: Final = ("app", "settings", "errors", "files", "__version__")
WIRE_SHARED: Final = ("wire.agents", "wire.base", "wire.faults")  # written in a scenario as the API takes them
LADDERS: Final = tuple(f"scenarios.reports.ladder{part}" for part in ("", "_records", "_svg", "_text"))
# Records in, text out.
EXPORTS: Final = ("scenarios.export", "scenarios.export_code", "scenarios.recording", *LADDERS)
# room -> what it may import from us, itself aside. `a.b` allows that module only.
OURS: Final[dict[str, tuple[str, ...]]] = {
    "errors": (),
    "clock": (),
    "files": (),
    "domain": ("errors",),
    "engine": ("domain", "errors"),
    "world": ("domain", "engine", "errors"),
    "wire": ("domain", "errors"),
    "settings": ("clock", "domain", "errors"),
    "runtime": ("engine", "world", "wire", "domain", "clock", "errors", "settings"),
    "state": ("runtime", "world", "engine", "domain", "clock", "errors", "settings", "__version__"),
    "serving": ("wire", "runtime", "world", "domain", "errors", "settings", "__version__"),
    "api": BEHIND,
    "control": (
        *BEHIND,
        "clock",
        "settings",
        "state",
        "engine.asking",
        "engine.script",
        "engine.hosted_events",
        "engine.thread_script",
        "engine.timeline",
        "__version__",
        *EXPORTS,
    ),
    "app": ("api", "control", "serving", "runtime", "settings", "errors", "clock", "domain"),
    "scenarios": (
        *("app", "world", "runtime", "settings", "clock", "domain", "errors", "__version__", *WIRE_SHARED),
        *("engine.patterns", "engine.script", "engine.speech", "engine.chunks", "engine.timeline"),
    ),
    "conformance": (
        *("app", "scenarios", "world", "runtime", "settings", "clock", "domain", "errors", "__version__"),
        *("engine.chunks", "engine.patterns", "engine.replies", "engine.signing"),
    ),
    # The command line: `serve` builds a Settings, which is made of these, and owns the socket.
    "commands": (
        *FRONT,
        "clock",
        "domain.policy",
        "domain.magic",
        "domain.limits",
        "domain.fault_rules",
        "runtime.server",
        "state",
        "demo",
        "scenarios",
        "conformance",
    ),
    "testing": ("app", "runtime", "conformance", "scenarios", "serving", "settings", "clock", "domain", "errors"),
    "demo": (*FRONT, "clock", "commands", "runtime.server"),
    "pytest_plugin": ("testing", "errors"),
    "cli": (*FRONT, "commands"),
    "__main__": ("cli",),
    "__init__": (*FRONT, "clock", "domain", "runtime"),
}
# What is installed with us; fastapi, flask and requests are not.
ANYWHERE: Final = frozenset(
    {
        "a2wsgi",
        "aiohttp",
        "anyio",
        "click",
        "httptools",
        "httpx",
        "multidict",
        "pydantic",
        "pydantic_core",
        "rich",
        "starlette",
        "uvicorn",
        "uvloop",
        "yaml",
        "yarl",
    }
)
# room -> what it may import from others; a room that is not named may import all that is installed with us.
THIRD_PARTIES: Final[dict[str, frozenset[str]]] = {
    "errors": frozenset(),
    "clock": frozenset(),
    "domain": frozenset({"phonenumbers"}),
    "engine": frozenset(),
    "world": frozenset({"phonenumbers"}),
    "wire": frozenset({"pydantic", "pydantic_core"}),
    "scenarios": frozenset({"pydantic", "pydantic_core", "rich", "yaml"}),
    "conformance": frozenset({"hypothesis", "pydantic", "rich", "yaml"}),  # hypothesis only for attacks, see there
    "runtime": ANYWHERE - {"starlette", "click", "rich"},
    "state": frozenset(),
    "testing": ANYWHERE | {"anyio", "agentphone"},  # anyio comes with starlette; the SDK only for those who have it
    "pytest_plugin": frozenset({"pytest"}),
}
IMPURE: Final = frozenset({"asyncio", "threading", "socket", "random", "secrets", "uuid", "time", "logging", "os"})
UNSAFE: Final = frozenset({"pickle", "marshal", "shelve"})  # reading somebody's file would run somebody's code
CLOCKS: Final = ("datetime.now", "datetime.utcnow", "datetime.today", "date.today")
HEAVY: Final = frozenset({"aiohttp", "phonenumbers", "rich", "httpx", "yarl"})  # start-up can't afford them


def room_of(module: Path) -> str:
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


def place(module: Path, line: int, what: str) -> str:
    return f"{module.relative_to(PACKAGE)}:{line}: {what}"


def imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every imported module with its line; `from simulator import x` counts as `simulator.x`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            names = [base] if base != "simulator" else [f"simulator.{alias.name}" for alias in node.names]
            yield from ((name, node.lineno) for name in names)


def foreign(room: str, name: str) -> bool:
    """Whether `room` may not import the module `name`."""
    top, _, rest = name.partition(".")
    if top == "simulator":
        return not any(f"{rest}.".startswith(f"{allowed}.") for allowed in (room, *OURS[room]))
    if top in sys.stdlib_module_names:
        return top in UNSAFE or (room in PURE and top in IMPURE)
    return top not in THIRD_PARTIES.get(room, ANYWHERE)


def test_every_module_belongs_to_a_room() -> None:
    assert [str(module) for module in TREES if room_of(module) not in OURS] == []


def test_a_module_imports_only_what_its_room_may() -> None:
    bad = [
        place(m, line, name) for m, tree in TREES.items() for name, line in imports(tree) if foreign(room_of(m), name)
    ]
    assert bad == []


def test_heavy_packages_are_imported_inside_functions() -> None:
    heads = (
        (m, node) for m, tree in TREES.items() for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)
    )
    bad = [place(m, line, name) for m, node in heads for name, line in imports(node) if name.partition(".")[0] in HEAVY]
    assert bad == []


def deciding() -> Iterator[tuple[Path, ast.AST]]:
    """Every node of the rooms that decide and do nothing."""
    return ((m, node) for m, tree in TREES.items() if room_of(m) in PURE for node in ast.walk(tree))


def test_deciding_rooms_never_ask_what_time_it_is() -> None:
    asked = ((m, n.lineno, ast.unparse(n)) for m, n in deciding() if isinstance(n, ast.Attribute))
    assert [place(m, line, name) for m, line, name in asked if name.endswith(CLOCKS)] == []


def test_deciding_rooms_never_wait() -> None:
    assert [place(m, n.lineno, "async") for m, n in deciding() if isinstance(n, ast.AsyncFunctionDef | ast.Await)] == []


def mutable(value: ast.expr | None) -> bool:
    if isinstance(value, ast.Call):
        return ast.unparse(value.func).rpartition(".")[2] in {"list", "dict", "set", "defaultdict", "deque", "Counter"}
    return isinstance(value, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp)


def state(tree: ast.Module) -> Iterator[int]:
    """The lines that make a module remember something: mutable values that are not declared constant, and `global`."""
    for node in tree.body:
        if not isinstance(node, ast.Assign | ast.AnnAssign) or not mutable(node.value):
            continue
        said = node.annotation if isinstance(node, ast.AnnAssign) else node.targets[0]
        if not ast.unparse(said).startswith(("Final", "Mapping", "__all__")):
            yield node.lineno
    yield from (node.lineno for node in ast.walk(tree) if isinstance(node, ast.Global))


def test_no_module_keeps_state() -> None:
    assert [place(m, line, "say Final or Mapping") for m, tree in TREES.items() for line in state(tree)] == []


def test_no_module_is_too_long() -> None:
    lengths = {str(m.relative_to(PACKAGE)): len(m.read_text(encoding="utf-8").splitlines()) for m in TREES}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST} == {}


@pytest.mark.parametrize(
    ("room", "name", "refused"),
    [
        ("engine", "simulator.world.world", True),
        ("engine", "asyncio", True),
        ("engine", "pydantic", True),
        ("engine", "simulator.domain.calls", False),
        ("world", "secrets", True),
        ("wire", "simulator.engine.script", True),
        ("runtime", "starlette.applications", True),
        ("api", "simulator.engine.script", True),
        ("control", "simulator.engine.script", False),
        ("control", "simulator.engine.call", True),
        ("control", "simulator.scenarios.export", False),
        ("control", "simulator.scenarios.loader", True),
        ("control", "simulator.api.agents", True),
        ("cli", "simulator.runtime.runner", True),
        ("serving", "fastapi", True),
        ("domain", "simulator.domains", True),
        ("state", "pickle", True),
        ("state", "simulator.control.worlds", True),
        ("scenarios", "simulator.engine.script", False),
        ("scenarios", "simulator.engine.call", True),
        ("scenarios", "simulator.api.calls", True),
    ],
)
def test_the_table_refuses_what_it_should(room: str, name: str, refused: bool) -> None:
    assert foreign(room, name) is refused
