"""The benchmarks' own parts; what they measure is nobody's test."""

from __future__ import annotations

from importlib import import_module

import pytest

from tests.benchmarks import registry
from tests.benchmarks.figures import Figure, Skipped


@pytest.mark.parametrize("name", registry.BENCHMARKS)
def test_every_registered_benchmark_yields_figures(name: str) -> None:
    assert callable(import_module(registry.BENCHMARKS[name]).figures)


def test_a_benchmark_that_cannot_run_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def figures() -> list[Figure]:
        raise Skipped("no Node here")

    monkeypatch.setattr(import_module(registry.BENCHMARKS["ladder"]), "figures", figures)
    assert registry.measure("ladder") == "no Node here"


@pytest.mark.parametrize(
    ("figure", "share", "within"),
    [
        (Figure("slower than a bare loop", 60, "/s", yardstick=80, at_least=0.75), 0.75, True),
        (Figure("much slower than one", 59, "/s", yardstick=80, at_least=0.75), 59 / 80, False),
        (Figure("takes longer than one route", 100, "us", yardstick=80, at_least=0.75), 0.8, True),
        (Figure("in its time", 10, "ms", at_most=20), 2, True),
        (Figure("not in its time, however fast beside others", 21, "ms", at_most=20, yardstick=42), 2, False),
        (Figure("no budget", 10, "ms"), None, None),
    ],
    ids=lambda value: value.what if isinstance(value, Figure) else "",
)
def test_a_figure_is_held_against_its_budget(figure: Figure, share: float | None, within: bool | None) -> None:
    assert figure.share == (share if share is None else pytest.approx(share))
    assert figure.within is within
