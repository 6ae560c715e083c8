from __future__ import annotations

from typing import Any

import pytest

from tests.helpers.api import Api

pytestmark = pytest.mark.anyio
ROOT = "/integrations/whatsapp"
TEMPLATE: dict[str, Any] = {
    "name": "welcome",
    "category": "UTILITY",
    "language": "en_US",
    "components": [{"type": "BODY", "text": "Hi {{1}}"}],
}


async def connected(api: Api, **fields: Any) -> str:
    made: str = (await api.post(f"{ROOT}/connect", {"code": "AQD", **fields}))["id"]
    return made


async def test_an_account_is_connected_shown_and_disconnected(api: Api) -> None:
    assert await api.get(f"{ROOT}/status") == {"connected": False, "connections": []}
    made = await api.post(f"{ROOT}/connect", {"code": "AQD", "waba_id": "104", "business_id": "9"})
    assert made.items() >= {"status": "connected", "waba_id": "104", "business_id": "9", "numbers": []}.items()
    assert await api.get(f"{ROOT}/status") == {"connected": True, "connections": [made]}
    assert await api.delete(f"{ROOT}/{made['id']}") == {"success": True, "connection_id": made["id"]}
    assert (await api.get(f"{ROOT}/status"))["connected"] is False
    await api.delete(f"{ROOT}/{made['id']}", expect=404)


async def test_a_number_is_found_and_connected_to_an_agent(api: Api) -> None:
    agent, _ = await api.line()
    number = await api.post("/v1/numbers")
    connection = await connected(api)
    available = (await api.get(f"{ROOT}/{connection}/available-numbers"))["data"]
    row = next(n for n in available if n["number_id"] == number["id"])
    body = {"phone_number_id": row["phone_number_id"], "agent_id": agent}
    enabled = await api.post(f"{ROOT}/{connection}/numbers", body)
    assert enabled == {**row, "agent_id": agent, "whatsapp_enabled": True}
    assert row["display_phone_number"] == number["phoneNumber"]
    await api.post(f"{ROOT}/{connection}/numbers", body, expect=409)
    left = (await api.get(f"{ROOT}/{connection}/available-numbers"))["data"]
    assert number["id"] not in [n["number_id"] for n in left]
    assert (await api.get(f"{ROOT}/status"))["connections"][0]["numbers"] == [enabled]


async def test_a_template_is_proposed_found_and_deleted(api: Api) -> None:
    connection = await connected(api)
    made = await api.post(f"{ROOT}/{connection}/templates", TEMPLATE)
    assert made.items() >= {**TEMPLATE, "status": "PENDING", "parameter_format": "POSITIONAL"}.items()
    assert api.runner.reviewed == [api.world.message_templates[made["id"]]]
    assert (await api.get(f"{ROOT}/{connection}/templates", status="PENDING", name=""))["data"] == [made]
    assert (await api.get(f"{ROOT}/{connection}/templates", status="APPROVED"))["data"] == []
    await api.post(f"{ROOT}/{connection}/templates", TEMPLATE, expect=409)
    gone = await api.ask("DELETE", f"{ROOT}/{connection}/templates?name=welcome&hsm_id={made['id']}")
    assert gone == {"success": True, "name": "welcome", "deleted": [made["id"]]}
    await api.ask("DELETE", f"{ROOT}/{connection}/templates?name=welcome", expect=404)


async def test_a_library_template_keeps_its_inputs(api: Api) -> None:
    connection = await connected(api)
    library = {
        "library_template_name": "delivery_update_1",
        "library_template_button_inputs": [{"type": "URL"}],
        "library_template_body_inputs": {"add_contact_number": True},
    }
    made = await api.post(f"{ROOT}/{connection}/templates", {**TEMPLATE, **library})
    assert made.items() >= library.items()


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", f"{ROOT}/connect", {}, 422),
        ("POST", f"{ROOT}/connect", {"code": " "}, 400),
        ("POST", f"{ROOT}/connect", {"code": "AQD", "agent_id": "agt_nope"}, 404),
        ("GET", f"{ROOT}/wac_nope/available-numbers", None, 404),
        ("POST", f"{ROOT}/wac_nope/numbers", {"phone_number_id": "1"}, 404),
        ("GET", f"{ROOT}/wac_nope/templates", None, 404),
        ("POST", f"{ROOT}/wac_nope/templates", TEMPLATE, 404),
        ("DELETE", f"{ROOT}/wac_nope/templates?name=welcome", None, 404),
        ("DELETE", f"{ROOT}/wac_nope/templates", None, 422),
        ("POST", f"{ROOT}/wac_nope/templates", {"name": "welcome", "category": "UTILITY"}, 422),
    ],
)
async def test_what_is_refused(api: Api, method: str, path: str, body: Any, status: int) -> None:
    assert (await api.ask(method, path, body, expect=status))["detail"]
