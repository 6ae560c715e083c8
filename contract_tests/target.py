"""What the contract tests aim at: any server that speaks the platform's API, ours in this process or a foreign one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

PAGE = 100
PATIENCE = 30.0  # real seconds before a hung server fails a test


class Target:
    """One account on one server.

    `fresh` gives an account that no test has touched. A foreign server has one key only, so there `fresh` is the same
    account: tests compare with what was there before, never with an empty world.
    """

    def __init__(self, http: httpx.Client, keys: list[str], *, ours: bool) -> None:
        self._http = http
        self._unused = keys
        self.key = keys.pop(0)
        self.ours = ours

    @property
    def base_url(self) -> str:
        return str(self._http.base_url)

    def fresh(self) -> Target:
        """Another account on the same server, untouched if the server has one to spare."""
        return Target(self._http, self._unused if self._unused else [self.key], ours=self.ours)

    def request(self, method: str, url: str, *, key: str | None = "", **parts: Any) -> httpx.Response:
        """Send one request; `key=None` sends no key at all."""
        headers = dict(parts.pop("headers", None) or {})
        if key is not None:
            headers.setdefault("Authorization", f"Bearer {key or self.key}")
        return self._http.request(method, url, headers=headers, **parts)

    def get(self, url: str, **params: Any) -> Any:
        """The answer to a GET that must succeed."""
        return self._good("GET", url, params=params or None)

    def post(self, url: str, body: Any = None) -> Any:
        """The answer to a POST that must succeed."""
        return self._good("POST", url, json={} if body is None else body)

    def patch(self, url: str, body: Any) -> Any:
        return self._good("PATCH", url, json=body)

    def delete(self, url: str) -> Any:
        return self._good("DELETE", url)

    def _good(self, method: str, url: str, **parts: Any) -> Any:
        answer = self.request(method, url, **parts)
        assert answer.is_success, f"{method} {url} answered {answer.status_code}: {answer.text[:500]}"
        return answer.json()

    def pages(self, url: str, limit: int = PAGE) -> Iterator[list[dict[str, Any]]]:
        """Every page of an offset list, until it says there is no more."""
        offset = 0
        while True:
            page = self.get(url, limit=limit, offset=offset)
            rows = page["data"]
            yield rows
            offset += len(rows)
            assert page["hasMore"] == (offset < page["total"]), (
                f"{url} at {offset} of {page['total']}: {page['hasMore']}"
            )
            if not page["hasMore"]:
                return
            assert rows, f"{url} promises more after {offset} of {page['total']} but gives nothing"

    def all(self, url: str, limit: int = PAGE) -> list[dict[str, Any]]:
        """Every row of an offset list."""
        return [row for page in self.pages(url, limit) for row in page]

    def snapshot(self) -> dict[str, Any]:
        """Everything a request could have changed, as the lists tell it.

        Of deliveries only what stays: attempts that are under way end while we look.
        """
        lists = ("/v1/agents", "/v1/numbers", "/v1/calls", "/v1/conversations", "/v1/contacts")
        deliveries = [(d["id"], d["eventType"], d["createdAt"]) for d in self.all("/v1/webhooks/deliveries")]
        kept = {"deliveries": deliveries, "webhook": self.get("/v1/webhooks")}
        return {url: self.all(url) for url in lists} | kept

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Fails when what is done inside left a trace in any list."""
        before = self.snapshot()
        yield
        assert self.snapshot() == before

    @property
    def control(self) -> bool:
        """Whether the server can be told what people do and when time passes."""
        return self.request("GET", "/_sim/health", key=None).status_code == httpx.codes.OK
