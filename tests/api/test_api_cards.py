from __future__ import annotations

from typing import Any

import pytest

from tests.helpers.api import Api

pytestmark = pytest.mark.anyio


async def card_of(api: Api) -> str:
    return f"/v1/numbers/{(await api.post('/v1/numbers'))['id']}/contact-card"


async def test_a_card_is_replaced_as_a_whole_and_deleted(api: Api) -> None:
    path = await card_of(api)
    ada = {"firstName": "Ada", "lastName": "King", "displayName": "Countess", "avatarUrl": "https://example.com/a.png"}
    assert await api.ask("PUT", path, ada) == {
        "firstName": "Ada", "lastName": "King", "displayName": "Countess", "hasAvatar": True,
    }  # fmt: skip
    card = await api.ask("PUT", path, {"lastName": "King", "displayName": None})
    assert card == {"firstName": None, "lastName": "King", "displayName": None, "hasAvatar": False}
    assert await api.get(path) == card
    answer = await api.send("DELETE", path)
    assert (answer.status_code, answer.content) == (204, b"")


async def test_a_number_without_a_card_says_so(api: Api) -> None:
    path = await card_of(api)
    for method in ("GET", "DELETE"):
        assert "has no contact card" in (await api.ask(method, path, expect=404))["detail"]


@pytest.mark.parametrize(
    "body", [{"avatarUrl": "nowhere"}, {"avatarUrl": "ftp://example.com/a"}, {"firstName": 5}, [], None]
)
async def test_what_cannot_stand_on_a_card_is_refused(api: Api, body: Any) -> None:
    path = await card_of(api)
    card = await api.ask("PUT", path, {"firstName": "Ada"})
    answer = await api.send("PUT", path, json=body)
    assert (answer.status_code, await api.get(path)) == (422, card)


async def test_an_unknown_number_has_no_card(api: Api) -> None:
    for method, body in (("GET", None), ("PUT", {}), ("DELETE", None)):
        refused = await api.ask(method, "/v1/numbers/num_none/contact-card", body, expect=404)
        assert "num_none" in refused["detail"]


async def test_a_released_number_keeps_its_card(api: Api) -> None:
    number = await api.post("/v1/numbers")
    path = f"/v1/numbers/{number['id']}/contact-card"
    card = await api.ask("PUT", path, {"firstName": "Ada"})
    await api.delete(f"/v1/numbers/{number['id']}")
    await api.ask("PUT", path, {}, expect=400)
    await api.ask("DELETE", path, expect=400)
    assert await api.get(path) == card
