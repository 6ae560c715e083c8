from __future__ import annotations

import pytest

from simulator.world import verification
from tests.helpers.api import PERSON, START, Api

pytestmark = pytest.mark.anyio


async def test_a_code_is_sent_and_checked(api: Api) -> None:
    sent = await api.post("/v1/verify/send", {"phone_number": PERSON})
    assert (set(sent), sent["status"]) == ({"verification_id", "status"}, "pending")
    code = verification.get(api.world, sent["verification_id"]).code
    wrong = {"verification_id": sent["verification_id"], "code": "nonsense"}
    assert await api.post("/v1/verify/check", wrong) == {"result": "incorrect", "attempts_remaining": 2}
    right = {"verification_id": sent["verification_id"], "code": code}
    assert await api.post("/v1/verify/check", right) == {"result": "ok", "attempts_remaining": 2}
    assert await api.post("/v1/verify/check", wrong) == {"result": "already_verified", "attempts_remaining": 2}


async def test_a_code_for_the_accounts_own_number_is_told_to_its_handler(api: Api) -> None:
    _, number_id = await api.line()
    await api.post("/v1/verify/send", {"phone_number": (await api.get(f"/v1/numbers/{number_id}"))["phoneNumber"]})
    texts = (await api.get(f"/v1/numbers/{number_id}/messages"))["data"]
    assert [(t["from"], t["direction"]) for t in texts] == [("28762", "inbound")]
    told = [notice.message.id for notice in api.runner.notices if notice.message is not None]
    assert set(told) == {texts[0]["id"]}


async def test_an_old_code_is_a_result_and_not_an_error(api: Api) -> None:
    sent = await api.post("/v1/verify/send", {"phone_number": PERSON})
    record = verification.get(api.world, sent["verification_id"])
    api.runner.instant = record.expires_at
    answer = await api.post("/v1/verify/check", {"verification_id": record.id, "code": record.code})
    assert answer == {"result": "expired", "attempts_remaining": 3}
    assert record.created_at == START


async def test_what_is_refused(api: Api) -> None:
    unknown = await api.post("/v1/verify/check", {"verification_id": "ver_nope", "code": "123456"}, expect=404)
    assert "ver_nope" in unknown["detail"]
    await api.post("/v1/verify/send", {"phone_number": "12"}, expect=400)
    await api.post("/v1/verify/send", {"phone_number": "911"}, expect=403)
    await api.post("/v1/verify/send", {}, expect=422)
    await api.post("/v1/verify/check", {"verification_id": "ver_nope", "code": 123456}, expect=422)
