"""A running simulator, as the commands see it: the control API over HTTP, and errors that say what to do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import click

from simulator.settings import from_environment

F = TypeVar("F", bound=Callable[..., Any])

LONG_POLL: Final = 30.0  # real seconds; under the 60 the control API allows
DEFAULT_FROM: Final = "+14155550150"  # a number of the range kept for fiction: it is nobody's


class Refusal(click.ClickException):
    """The simulator answered with an error status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Control:
    """A client of one simulator. Safe to use from several threads."""

    def __init__(self, base_url: str, api_key: str) -> None:
        import httpx  # a tenth of a second that `serve` can do without

        self.base_url = base_url.rstrip("/")
        self._not_there = (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL)
        self._broken = (httpx.HTTPError, RuntimeError)  # RuntimeError: another thread has closed the client
        # Proxies of the environment are for the internet; a simulator is next door.
        self._http = httpx.Client(
            base_url=self.base_url,
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=httpx.Timeout(10, read=None),  # moving time takes as long as the handlers on the way
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def get(self, path: str, **query: Any) -> Any:
        """GET JSON; None values in the query are left out."""
        return self._send("GET", path, params={k: v for k, v in query.items() if v is not None})

    def text(self, path: str, **query: Any) -> str:
        """GET text; None values in the query are left out."""
        return str(self._ask("GET", path, params={k: v for k, v in query.items() if v is not None}).text)

    def post(self, path: str, body: Any = None) -> Any:
        """POST JSON and return the answer."""
        return self._send("POST", path, json=body)

    def follow(self, after: int, kind: str, patience: float | None = None) -> Iterator[dict[str, Any]]:
        """Journal entries after `after` as they come, for `patience` real seconds or for ever."""
        deadline = None if patience is None else time.monotonic() + patience
        while True:
            left = LONG_POLL if deadline is None else max(0.0, deadline - time.monotonic())
            page = self.get("/_sim/journal", after=after, kind=kind, wait=min(left, LONG_POLL))
            yield from page["entries"]
            after = page["next"]
            if deadline is not None and time.monotonic() >= deadline:
                return

    def position(self, kind: str, **data: Any) -> int:
        """The `seq` of the journal's entry of this kind and data, which must have been written already."""
        after = 0
        while page := self.get("/_sim/journal", after=after, kind=kind, limit=10_000)["entries"]:
            for entry in page:
                if data.items() <= entry.items():
                    return int(entry["seq"])
            after = page[-1]["seq"]
        return after

    def _send(self, method: str, path: str, **what: Any) -> Any:
        response = self._ask(method, path, **what)
        try:
            return response.json()
        except ValueError as error:
            raise click.ClickException(f"{self.base_url}{path} does not answer JSON: is it a simulator?") from error

    def _ask(self, method: str, path: str, **what: Any) -> Any:
        try:
            response = self._http.request(method, path, **what)
        except self._not_there as error:
            raise click.ClickException(
                f"no simulator at {self.base_url} ({error}): start one with `agentphone-simulator serve`, "
                "or name another with --base-url"
            ) from error
        except self._broken as error:
            raise click.ClickException(
                f"the simulator at {self.base_url} stopped in mid-answer ({error}): look at what `serve` printed"
            ) from error
        if response.status_code == 401:
            raise Refusal(401, f"{self.base_url} does not know this API key: pass the one `serve` printed as --api-key")
        if response.is_error:
            raise Refusal(response.status_code, _reason(response))
        return response


def _reason(response: Any) -> str:
    """What an error answer says, whichever of the two documented forms it has."""
    try:
        detail = response.json()["detail"]
    except (ValueError, KeyError, TypeError):
        return f"{response.request.method} {response.request.url} answered {response.status_code}: is it a simulator?"
    if isinstance(detail, list):
        return "; ".join(f"{'.'.join(str(part) for part in e['loc'][1:])}: {e['msg']}" for e in detail)
    return str(detail)


def connection_options(command: F) -> F:
    """Add --base-url and --api-key, which default to the environment that the SDKs read as well."""
    for option in (
        click.option(
            "--api-key",
            default=lambda: from_environment()["api_key"],
            help="Its key (default: $AGENTPHONE_API_KEY, or the simulator's usual key).",
        ),
        click.option(
            "--base-url",
            default=lambda: from_environment()["base_url"],
            help="Where the simulator is (default: $AGENTPHONE_BASE_URL, or http://127.0.0.1:8787).",
        ),
    ):
        command = option(command)
    return command


def instant(entry: dict[str, Any]) -> datetime:
    """When a journal entry was written, in simulated time."""
    return datetime.fromisoformat(entry["at"])
