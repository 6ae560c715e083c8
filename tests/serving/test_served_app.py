"""The table in front of real runners: one story that goes through most of it."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.helpers.platform import platform

pytestmark = pytest.mark.anyio


async def test_the_journal_never_goes_back_in_time() -> None:
    async with platform() as p:
        agent_id, _ = await p.line(None)
        await p.post("/v1/webhooks", {"url": "http://127.0.0.1:1/"})
        body = {"agentId": agent_id, "toNumber": "+14155550150", "waitForCompletion": True, "maxWaitSeconds": 10}
        await p.post("/v1/calls", body)
        await p.post("/v1/messages", {"agent_id": agent_id, "to_number": "+14155550150", "body": "hi"})
        entries = await p.journal("")
        instants = [datetime.fromisoformat(entry["at"]) for entry in entries]
        assert instants == sorted(instants)
        assert [e["operation_id"] for e in entries if e["kind"] == "api.request"] == [
            "createAgent",
            "createNumber",
            "createOrUpdateWebhook",
            "createOutboundCall",
            "sendMessage",
        ]
