from __future__ import annotations

import re

import pytest

from simulator import api as table
from simulator.api.unsimulated import NOT_SIMULATED
from tests.helpers.api import Api

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("row", NOT_SIMULATED, ids=lambda row: row[0])
async def test_a_documented_operation_that_is_not_simulated_says_so(api: Api, row: tuple[str, str, str, str]) -> None:
    operation_id, method, path, _ = row
    answer = await api.send(method, re.sub(r"\{\w+\}", "x", path))
    assert answer.status_code == 501
    assert operation_id in answer.json()["detail"]
    assert f"{method} {path}" in answer.json()["detail"]


async def test_a_refusal_needs_a_key_where_the_platform_does(api: Api) -> None:
    assert (await api.send("GET", "/v1/contacts", headers={})).status_code == 401
    assert (await api.send("GET", "/v1/calls/x/recording", headers={})).status_code == 501
    assert (await api.send("POST", "/v0/agent/sign-up", headers={})).status_code == 501


async def test_a_phone_number_may_stand_in_a_path_with_either_plus(api: Api) -> None:
    for path in ("/v1/location/+14155550150", "/v1/location/%2B14155550150"):
        assert (await api.send("GET", path)).status_code == 501


async def test_no_operation_id_is_used_twice() -> None:
    ids = [operation.id for operation in table.OPERATIONS]
    assert len(set(ids)) == len(ids)
