"""Group: compliance."""

from __future__ import annotations

from typing import Final

from simulator.conformance.case import Case

CASES: Final[tuple[Case, ...]] = ()
