from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.helpers.api import Api

pytestmark = pytest.mark.anyio
ANN = {"phoneNumber": "415 555 2671", "name": "Ann"}


async def known(api: Api, **fields: Any) -> dict[str, Any]:
    contact: dict[str, Any] = await api.post("/v1/contacts", ANN | fields, expect=201)
    return contact


async def test_a_contact_is_created_with_201_and_shown_in_full(api: Api) -> None:
    contact = await known(api, email="ann@example.com")
    assert contact == {
        "id": contact["id"],
        "phoneNumber": "+14155552671",
        "name": "Ann",
        "email": "ann@example.com",
        "notes": None,
        "createdAt": "2026-01-05T15:00:00.000Z",
        "updatedAt": "2026-01-05T15:00:00.000Z",
    }
    assert await api.get(f"/v1/contacts/{contact['id']}") == contact


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"name": "Ann"}, 422),
        ({"phoneNumber": 4155552671, "name": "Ann"}, 422),
        ({"phoneNumber": "+14155552672", "name": None}, 422),
        ({"phoneNumber": "ann", "name": "Ann"}, 400),
        ({"phoneNumber": "+14155552672", "name": " "}, 400),
        ({"phoneNumber": "+1 (415) 555-2671", "name": "Twin"}, 409),
    ],
)
async def test_what_cannot_be_a_contact_is_refused(api: Api, body: dict[str, Any], status: int) -> None:
    contact = await known(api)
    detail = (await api.post("/v1/contacts", body, expect=status))["detail"]
    assert status != 409 or contact["id"] in detail
    assert (await api.get("/v1/contacts"))["data"] == [contact]


async def test_a_patch_changes_what_is_sent_and_null_takes_the_extras_away(api: Api) -> None:
    contact = await known(api, email="ann@example.com", notes="old")
    api.runner.instant += timedelta(hours=1)
    body = {"name": None, "phoneNumber": None, "email": None}
    changed = await api.patch(f"/v1/contacts/{contact['id']}", body)
    assert changed == contact | {"email": None, "updatedAt": "2026-01-05T16:00:00.000Z"}
    moved = await api.patch(f"/v1/contacts/{contact['id']}", {"phoneNumber": "+442079460000"})
    assert (moved["phoneNumber"], moved["notes"]) == ("+442079460000", "old")


async def test_a_contact_cannot_move_onto_anothers_number(api: Api) -> None:
    ann = await known(api)
    bob = await known(api, phoneNumber="+14155552672", name="Bob")
    await api.patch(f"/v1/contacts/{bob['id']}", {"phoneNumber": "415-555-2671", "name": "B"}, expect=409)
    assert (await api.get("/v1/contacts"))["data"] == [bob, ann]


async def test_a_deleted_contact_answers_204_and_is_gone(api: Api) -> None:
    contact = await known(api)
    answer = await api.send("DELETE", f"/v1/contacts/{contact['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    for method in ("GET", "DELETE"):
        assert contact["id"] in (await api.ask(method, f"/v1/contacts/{contact['id']}", expect=404))["detail"]


async def test_contacts_are_searched_and_paged(api: Api) -> None:
    for at in range(3):
        await known(api, phoneNumber=f"+1415555267{at}", name=f"Ann {at}")
    await known(api, phoneNumber="+14155552690", name="Bob")
    listed = await api.get("/v1/contacts", search="ANN", limit=2)
    assert ([c["name"] for c in listed["data"]], listed["hasMore"], listed["total"]) == (["Ann 2", "Ann 1"], True, 3)
    listed = await api.get("/v1/contacts", search="+1415555269")
    assert [c["name"] for c in listed["data"]] == ["Bob"]
    await api.get("/v1/contacts", limit=200)
    await api.get("/v1/contacts", limit=201, expect=422)


async def test_a_list_shows_fifty_contacts_by_default(api: Api) -> None:
    for at in range(51):
        await known(api, phoneNumber=f"+141555526{at:02d}")
    listed = await api.get("/v1/contacts")
    assert (len(listed["data"]), listed["hasMore"], listed["total"]) == (50, True, 51)


@pytest.mark.parametrize("query", ["%2B14155552671", "+14155552671", "415-555-2671"])
async def test_capabilities_are_told_once_there_is_an_imessage_line(api: Api, query: str) -> None:
    path = f"/v1/contacts/capabilities?phone_number={query}"
    refused = await api.ask("GET", path, expect=400)
    assert 'type "imessage"' in refused["detail"]
    await api.post("/v1/numbers", {"type": "imessage"})
    assert await api.ask("GET", path) == {
        "phoneNumber": "+14155552671",
        "capabilities": {"imessage": True, "sms": True},
        "checkedAt": "2026-01-05T15:00:00.000Z",
    }


async def test_a_raw_plus_of_another_country_is_understood(api: Api) -> None:
    await api.post("/v1/numbers", {"type": "imessage"})
    told = await api.ask("GET", "/v1/contacts/capabilities?phone_number=+4792123456")
    assert told["phoneNumber"] == "+4792123456"


async def test_a_landline_has_no_capabilities(api: Api) -> None:
    await api.post("/v1/numbers", {"type": "imessage"})
    told = await api.get("/v1/contacts/capabilities", phone_number="+14155550121")
    assert told["capabilities"] == {"imessage": False, "sms": False}
    await api.get("/v1/contacts/capabilities", phone_number="ann", expect=400)
    await api.get("/v1/contacts/capabilities", expect=422)
