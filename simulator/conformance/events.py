"""Events as the platform sends them, and what a case makes of them. Values; no I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """A payload with its delivery id and its name; `body` is the JSON, `raw` its bytes as they are sent and signed."""

    id: str  # X-Webhook-ID
    name: str  # X-Webhook-Event
    body: Mapping[str, Any]
    raw: bytes

    @property
    def data(self) -> Mapping[str, Any]:
        """The event's `data`."""
        data = self.body.get("data")
        return data if isinstance(data, dict) else {}

    @property
    def channel(self) -> str:
        """voice, sms, mms, imessage …"""
        return str(self.body.get("channel"))

    def but(self, *, data: Mapping[str, Any] | None = None, without: tuple[str, ...] = (), **top: Any) -> Event:
        """The same event with other fields: `data` is merged into its data, the other words into its top level.

        `without` names what is left out, as "timestamp" or "data.messageId". An `event` given is its name as well.
        """
        body = deepcopy(dict(self.body)) | top
        if data is not None:
            body["data"] = {**self.data, **data}
        for name in without:
            inside, _, field = name.rpartition(".")
            (body["data"] if inside else body).pop(field, None)
        return replace(self, name=str(top.get("event", self.name)), body=body, raw=compact(body))

    def renamed(self, delivery_id: str) -> Event:
        """The same payload as another delivery."""
        return replace(self, id=delivery_id)

    def written(self, raw: bytes) -> Event:
        """The same delivery with other bytes, whatever they are."""
        return replace(self, raw=raw)


def compact(value: Any) -> bytes:
    """JSON as the platform writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
