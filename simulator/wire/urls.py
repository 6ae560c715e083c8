"""Which addresses we accept from users. Plain http is fine: handlers under development run on loopback."""

from __future__ import annotations

import re
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from simulator.errors import BadRequest

LONGEST: Final = 2048  # what proxies and browsers agree on
_BLANK: Final = re.compile(r"[\x00-\x20\x7f-\xa0\\]")
_LABEL: Final = re.compile(r"[\w-]{1,63}")


def problem(url: str) -> str | None:
    """Say what is wrong with `url` as an address to send requests to, or None."""
    if len(url) > LONGEST:
        return f"it is longer than {LONGEST} characters"
    if _BLANK.search(url):
        return "it holds white space, a backslash or a control character"
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError as error:
        return str(error)
    if parts.scheme not in ("http", "https"):
        return "it should start with https:// or http://"
    if not host or port == 0 or not _is_host(host):
        return "it names no host"
    if parts.username is not None or parts.password is not None:
        return "it holds a user name or a password"
    if "#" in url:
        return "it holds a fragment (#…), which is never sent"
    return None


def _is_host(host: str) -> bool:
    if ":" in host:
        return True  # an IPv6 address, which urlsplit has checked
    labels = host.removesuffix(".").split(".")
    return len(host) <= 253 and all(_LABEL.fullmatch(label) for label in labels)


def webhook_url(url: str) -> str:
    """Return `url`, or refuse it the way the platform refuses webhook addresses."""
    wrong = problem(url)
    if wrong is not None:
        shown = url if len(url) <= 200 else f"{url[:200]}…"
        raise BadRequest(
            f"webhook url {shown!r} cannot be used: {wrong}; give one like https://example.com/webhook",
            code="VALIDATION_ERROR_URL",
            type="validation_error",
        )
    return url


def _http_url(url: str) -> str:
    wrong = problem(url)
    if wrong is not None:
        raise PydanticCustomError("url_invalid", "Input should be an http or https URL: {wrong}", {"wrong": wrong})
    return url


# What `problem` takes, as far as a pattern can say it: host names and `[::1]`; other IPv6 addresses are taken too.
_PORT: Final = "6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3}"
PATTERN: Final = (
    rf"^https?://(\[::1\]|[A-Za-z0-9_-]{{1,63}}(\.[A-Za-z0-9_-]{{1,63}})*)(:({_PORT}))?"
    r"([/?][^\x00-\x20\x7f-\xa0\\#]*)?$"
)
HttpUrl = Annotated[str, AfterValidator(_http_url), Field(json_schema_extra={"pattern": PATTERN, "maxLength": LONGEST})]
