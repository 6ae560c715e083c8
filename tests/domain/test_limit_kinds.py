from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from simulator.app import operations
from simulator.domain.limits import KINDS, LARGEST, RATES, Limits
from simulator.errors import UsageError


def test_every_limit_is_off_until_it_is_set() -> None:
    assert {getattr(Limits(), field.name) for field in fields(Limits)} == {None}


def test_every_limit_is_described_under_its_own_name() -> None:
    assert [kind.name for kind in KINDS] == [field.name for field in fields(Limits)]


def test_limits_are_read_as_they_are_written_on_a_command_line() -> None:
    read = Limits.of([("numbers", "5"), ("rate_limits", "documented"), ("balance_cents", "off")])
    assert read == Limits(numbers=5, rate_limits="documented")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("gravity", "1"),
        ("numbers", ""),
        ("numbers", "-1"),
        ("numbers", "1.5"),
        ("numbers", "٣"),
        ("numbers", "9" * 5000),
        ("numbers", str(LARGEST + 1)),
        ("concurrent_calls", "documented"),
    ],
)
def test_a_limit_that_cannot_be_is_refused_by_name(name: str, text: str) -> None:
    with pytest.raises(UsageError, match=name):
        Limits.of([(name, text)])


@pytest.mark.parametrize("value", [True, -1, 1.0, "5", "on", LARGEST + 1])
def test_a_value_of_the_wrong_kind_is_refused(value: Any) -> None:
    with pytest.raises(UsageError, match="numbers cannot be"):
        Limits(numbers=value)


@pytest.mark.parametrize("era", RATES)
def test_every_rate_is_of_an_operation_that_exists(era: str) -> None:
    known = {operation.id for operation in operations()} | {"*"}
    assert RATES[era].keys() <= known
    assert all(rate.limit > 0 and rate.seconds > 0 for rates in RATES[era].values() for rate in rates)
