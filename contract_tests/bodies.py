"""Bodies of the right shape for operations whose path names a record: the least that gets as far as looking it up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from contract_tests.facts import Fact

WELL_SHAPED: Final[Mapping[str, dict[str, Any]]] = {
    "createOrUpdateAgentWebhook": {"url": "http://127.0.0.1:9/"},
    "attachNumberToAgent": {"numberId": "n"},
    "updateSubAccount": {"name": "n"},
    "sendReaction": {"reaction": "love"},
    "setChatBackground": {"image_url": "https://files.example.com/sea.png"},
    "whatsappConnectNumber": {"phone_number_id": "1"},
    "whatsappCreateTemplate": {"name": "n", "category": "UTILITY", "language": "en_US"},
}


def well_shaped(fact: Fact) -> dict[str, Any]:
    """The parts of a request that has the right shape, whether or not the record in its path exists."""
    parts: dict[str, Any] = {} if fact.method in {"GET", "DELETE"} else {"json": WELL_SHAPED.get(fact.id, {})}
    return parts | {"params": {p.name: "n" for p in fact.query() if p.required}}
