from __future__ import annotations

import pytest

from simulator.domain.policy import CONTRACTS, POLICIES, Policies
from simulator.errors import UnknownPolicy


def test_every_contract_names_policies_and_values_that_exist() -> None:
    known = {policy.name: policy.values for policy in POLICIES}
    for values in CONTRACTS.values():
        for name, value in values.items():
            assert value in known[name]


def test_the_contract_all_is_every_default() -> None:
    assert dict(Policies().items()) == {policy.name: policy.default for policy in POLICIES}


def test_an_override_beats_the_contract() -> None:
    policies = Policies("2026-07", {"call_ended_event": "on"})
    assert policies.contract == "2026-07"
    assert policies.on("call_ended_event")
    assert policies["call_started_event"] == "off"


@pytest.mark.parametrize(
    ("contract", "overrides", "says"),
    [
        ("1999-01", {}, "contract '1999-01' does not exist: choose one of all"),
        ("all", {"colour": "blue"}, "policy 'colour' does not exist"),
        ("all", {"missing_final": "explode"}, "cannot be 'explode': choose one of reopen, wait_timeout"),
    ],
)
def test_what_does_not_exist_is_refused_with_what_does(contract: str, overrides: dict[str, str], says: str) -> None:
    with pytest.raises(UnknownPolicy, match=says):
        Policies(contract, overrides)
