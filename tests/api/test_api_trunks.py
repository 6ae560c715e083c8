from __future__ import annotations

from typing import Any

import pytest

from tests.helpers.api import Api

pytestmark = pytest.mark.anyio


async def test_a_trunk_shows_its_password_when_it_is_made_and_never_again(api: Api) -> None:
    made = await api.post("/v1/sip-trunks")
    secret = made["credentials"][0]["password"]
    assert made["credentials"][0]["passwordLast4"] == secret[-4:]
    for later in (await api.get(f"/v1/sip-trunks/{made['id']}"), (await api.get("/v1/sip-trunks"))["data"][0]):
        assert later["credentials"][0]["password"] is None
        assert {**later, "credentials": None} == {**made, "credentials": None}
        assert later["credentials"][0]["passwordLast4"] == secret[-4:]


async def test_a_trunk_has_every_field_in_camel_case(api: Api) -> None:
    made = await api.post("/v1/sip-trunks", {})
    assert set(made) == {
        *("id", "name", "provider", "encrypted", "transport", "mediaEncryption", "transfers", "transferCallerId"),
        *("terminationSipUri", "createdAt", "originationUris", "allowedIps", "proxyIps", "credentials"),
    }
    assert set(made["credentials"][0]) == {"username", "password", "passwordLast4", "credentialListName"}
    assert (made["transfers"], made["transferCallerId"]) == ("all", "transferee")


@pytest.mark.parametrize("options", [{}, {"content": b""}, {"json": {}}, {"json": {"name": None}}])
async def test_a_patch_without_fields_rotates_the_credentials(api: Api, options: dict[str, Any]) -> None:
    made = await api.post("/v1/sip-trunks")
    rotated = (await api.send("PATCH", f"/v1/sip-trunks/{made['id']}", **options)).json()
    assert rotated["credentials"][0]["password"] not in (None, made["credentials"][0]["password"])
    assert rotated["credentials"][0]["username"] != made["credentials"][0]["username"]
    assert {**rotated, "credentials": None} == {**made, "credentials": None}


async def test_a_patch_with_a_field_keeps_the_credentials(api: Api) -> None:
    made = await api.post("/v1/sip-trunks")
    changed = await api.patch(
        f"/v1/sip-trunks/{made['id']}",
        {"name": "Office", "transfers": "sip", "transfer_caller_id": "transferor"},
    )
    assert (changed["name"], changed["transfers"], changed["transferCallerId"]) == ("Office", "sip", "transferor")
    assert changed["credentials"][0]["username"] == made["credentials"][0]["username"]
    assert changed["credentials"][0]["password"] is None


async def test_origination_is_snake_case_inside(api: Api) -> None:
    made = await api.post("/v1/sip-trunks")
    origination = {
        "uris": [{"sip_uri": "sip:pbx.example.com", "priority": 1}],
        "allowed_ips": [{"cidr": "203.0.113.0/24"}],
    }
    changed = await api.patch(f"/v1/sip-trunks/{made['id']}", {"origination": origination})
    assert changed["originationUris"] == [{"sip_uri": "sip:pbx.example.com", "name": None, "priority": 1, "weight": 10}]
    assert changed["allowedIps"] == [{"cidr": "203.0.113.0/24", "name": None}]
    emptied = await api.patch(f"/v1/sip-trunks/{made['id']}", {"origination": {"uris": []}})
    assert (emptied["originationUris"], emptied["allowedIps"]) == ([], changed["allowedIps"])


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"transfers": "some"}, 422),
        ({"transfer_caller_id": "me"}, 422),
        ({"origination": {}}, 422),
        ({"origination": {"uris": [{}]}}, 422),
        ({"origination": {"uris": [{"sip_uri": "sip:a.example", "weight": 70_000}]}}, 422),
        ({"origination": {"uris": [{"sip_uri": "pbx"}]}}, 400),
        ({"origination": {"allowed_ips": [{"cidr": "all"}]}}, 400),
        ({"name": ""}, 400),
    ],
)
async def test_a_bad_change_is_refused_and_rotates_nothing(api: Api, body: dict[str, Any], status: int) -> None:
    made = await api.post("/v1/sip-trunks")
    before = api.world.trunks[made["id"]]
    await api.patch(f"/v1/sip-trunks/{made['id']}", body, expect=status)
    assert api.world.trunks[made["id"]] == before


async def test_a_deleted_trunk_is_gone(api: Api) -> None:
    made = await api.post("/v1/sip-trunks")
    assert await api.delete(f"/v1/sip-trunks/{made['id']}") == {"success": True}
    assert (await api.get("/v1/sip-trunks"))["data"] == []
    for method in ("GET", "PATCH", "DELETE"):
        refused = await api.ask(method, f"/v1/sip-trunks/{made['id']}", expect=404)
        assert made["id"] in refused["detail"]
