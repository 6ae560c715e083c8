"""Where the data that travels with the package lies."""

from __future__ import annotations

from pathlib import Path


def fixture(*parts: str) -> Path:
    """The path of a bundled file, `fixture("handlers", "simple_starlette.py")`, from a wheel or from a checkout.

    Raises FileNotFoundError naming the path when the installation is incomplete.
    """
    here = Path(__file__).resolve().parent
    installed = here / "fixtures"
    root = installed if installed.is_dir() else here.parent / "fixtures"
    path = root.joinpath(*parts)
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: reinstall agentphone-simulator")
    return path
