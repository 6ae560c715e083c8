from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from simulator.errors import UsageError
from simulator.testing import SECRET, Options


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"clok": "auto"}, "option 'clok' does not exist: did you mean 'clock'?"),
        ({"frobnicate": 1}, "option 'frobnicate' does not exist: choose one of clock, contract, "),
        ({"clock": "fast"}, "clock cannot be 'fast': choose one of system, manual, auto"),
        ({"contract": "2027"}, "contract '2027' does not exist: choose one of all, "),
        ({"policies": {"create_status": "204"}}, "policy create_status cannot be '204': choose one of 200, 201"),
        ({"limits": {"number": 1}}, "limit 'number' does not exist: did you mean 'numbers'?"),
        ({"limits": {"numbers": -1}}, "limit numbers cannot be -1"),
        ({"seed": "7"}, "seed cannot be '7': give a whole number"),
        ({"seed": 2**53 + 1}, "seed cannot be 9007199254740993: give a whole number from"),
        ({"seed": True}, "seed cannot be True: give a whole number"),
        ({"sockets": "yes"}, "sockets cannot be 'yes': give True or False"),
    ],
)
def test_what_no_world_can_begin_with_is_refused(words: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as refused:
        Options.of(words)
    assert str(refused.value).startswith(message)


def test_an_account_is_asked_for_in_the_words_of_the_control_api() -> None:
    options = Options.of({"seed": 7, "limits": {"numbers": 3}, "start": datetime(2026, 3, 1, tzinfo=UTC)})
    assert options.account() == {
        "clock": "auto",
        "contract": "all",
        "handler_grace": 5.0,
        "limits": {"numbers": 3},
        "scale": 1.0,
        "seed": 7,
        "start": "2026-03-01T00:00:00+00:00",
        "webhook_secret": SECRET,
    }


def test_a_secret_may_be_left_to_the_platform() -> None:
    assert "webhook_secret" not in Options(webhook_secret=None).account()
