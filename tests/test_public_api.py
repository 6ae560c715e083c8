"""`simulator.__all__` is what users may import from us: sorted, importable, and nothing public is missing from it."""

from __future__ import annotations

import importlib
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

import simulator
import simulator.testing

MODULES = [simulator, simulator.testing]
ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("module", MODULES)
def test_all_is_sorted_and_without_doubles(module: ModuleType) -> None:
    names = sorted(set(module.__all__), key=lambda name: (not name.isupper(), name))  # constants first, as ruff has it
    assert list(module.__all__) == names


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_can_be_imported(module: ModuleType) -> None:
    missing = [name for name in module.__all__ if not hasattr(module, name)]
    assert missing == []


@pytest.mark.parametrize("module", MODULES)
def test_nothing_public_is_left_out(module: ModuleType) -> None:
    public = {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and not isinstance(value, ModuleType) and name != "annotations"
    }
    assert public <= set(module.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    module = importlib.import_module("simulator")
    assert not hasattr(module, "no_such_name")


@pytest.mark.parametrize("module", ["simulator", "simulator.testing"])
def test_importing_the_package_loads_no_web_server(module: str) -> None:
    code = f"import {module}, sys; print({{'uvicorn', 'aiohttp', 'starlette', 'phonenumbers'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_the_version_is_the_packages() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert simulator.__version__ == project["version"]
