from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from simulator import api, control
from simulator.serving.table import Resources, Table, prefix_of
from tests.helpers.api import platform_operations

EVERYTHING: Resources = {**api.RESOURCES, **control.RESOURCES}


def test_a_prefix_is_the_first_two_segments() -> None:
    assert [prefix_of(p) for p in ("/v1/agents/{agent_id}/webhook", "/v1/agents", "/v1", "", "//x/y")] == [
        "/v1/agents", "/v1/agents", "/v1", "", "//x",
    ]  # fmt: skip


def test_every_operation_is_found_by_its_own_template() -> None:
    table = Table(EVERYTHING)
    for operation in table.operations():
        found = Table(EVERYTHING).match(operation.method, operation.path.replace("{", "").replace("}", ""))
        assert found is not None
        assert found.route is not None
        assert found.route.operation is operation


@pytest.mark.parametrize("room", [api, control], ids=["api", "control"])
def test_every_module_with_operations_is_in_the_table(room: ModuleType) -> None:
    named = {module.rpartition(".")[2] for modules in room.RESOURCES.values() for module in modules}
    folder = Path(str(room.__file__)).parent
    served = {p.stem for p in folder.glob("*.py") if "\nOPERATIONS" in p.read_text(encoding="utf-8")}
    assert served == named


@pytest.mark.parametrize("prefix", EVERYTHING)
def test_a_prefix_names_modules_that_serve_it_and_no_others(prefix: str) -> None:
    for module in EVERYTHING[prefix]:
        assert prefix in {prefix_of(o.path) for o in import_module(module).OPERATIONS}


def test_no_operation_id_is_used_twice() -> None:
    ids = [operation.id for operation in Table(EVERYTHING).operations()]
    assert sorted(set(ids)) == sorted(ids)


def test_nobody_serves_an_unknown_prefix() -> None:
    table = Table(EVERYTHING)
    for path in ("/v1/nothing", "/v1", "/", "", "/v2/agents", "/v1/agents/", "//v1/agents", "/v1//agents"):
        assert table.match("GET", path) is None


def test_an_escaped_prefix_is_the_same_prefix() -> None:
    found = Table(EVERYTHING).match("GET", "/%761/%61gents/agt_1")
    assert found is not None
    assert found.route is not None
    assert found.route.operation.id == "getAgent"
    assert found.path == {"agent_id": "agt_1"}


def test_operations_that_are_loaded_already_make_a_table() -> None:
    rows = platform_operations()
    assert Table.of(rows).operations() == rows
    found = Table.of(rows).match("GET", "/v1/calls")
    assert found is not None
    assert found.route is not None
    assert found.route.operation.id == "listCalls"


def test_starting_loads_no_resource_and_no_call_engine() -> None:
    # What is imported before the first request is what every start of the command waits for.
    code = (
        "import sys; from simulator.app import build_app, build_simulator; build_app(build_simulator());"
        "late = ('simulator.api.', 'simulator.control.', 'simulator.engine.call', 'simulator.runtime.telephone');"
        "print([m for m in sys.modules if m.startswith(late)])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
