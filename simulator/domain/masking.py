"""Credentials of others, made unreadable wherever they would be shown or kept without need.

A developer's real keys get here by accident: in the path of a mistyped request, in the headers of a custom tool, in the
query of a webhook's address. Journals and exported files are shown to colleagues and committed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

HIDDEN: Final = "***"

# What looks like a credential: keys with their usual prefixes, bearer tokens, passwords in addresses, and parameters
# that are called like one. Each shows its beginning, so that its owner can tell which one it is.
_CREDENTIAL: Final = re.compile(
    r"(?P<key>\b(?:sk|pk|rk|whsec)[_-](?:(?:live|test|proj)[_-])?+[A-Za-z0-9]{0,4}+)[A-Za-z0-9_-]{4,}"
    r"|(?P<bearer>\bBearer +[A-Za-z0-9._~+/-]{0,4}+)[A-Za-z0-9._~+/-]{4,}=*"
    r"|(?P<login>://[^/?#@\s\"\\]{1,64}?:)[^/?#@\s\"\\]{1,512}(?=@)"
    r"|(?P<parameter>[?&](?:[a-z0-9_.-]{0,40}[_.-])?(?:api)?(?:key|token|secret|password)=)[^&#\s\"{\\]{1,2048}",
    re.IGNORECASE,
)
_TELLING: Final = re.compile(r"auth|cookie|key|token|secret|password", re.IGNORECASE)


# One of these is in each of them, whatever its case: looking for a few letters is ten times as fast.
_HINTS: Final = ("k_", "k-", "c_", "c-", "bearer", "://", "=")


def masked(text: str) -> str:
    """`text` without the rest of anything in it that looks like a credential."""
    lower = text.lower()
    if not any(hint in lower for hint in _HINTS):
        return text
    return _CREDENTIAL.sub(lambda found: f"{found[found.lastgroup or 0]}{HIDDEN}", text)


def masked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers without the values of those that carry credentials; a value with a `{{variable}}` in it holds none."""
    return {
        name: HIDDEN if _TELLING.search(name) and "{{" not in value else masked(value)
        for name, value in headers.items()
    }


def masked_tools(value: Any) -> Any:
    """JSON with what is inside every `headers` masked, and every address called `url`; the rest is as it was."""
    if isinstance(value, list):
        return [masked_tools(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: _member(name, item) for name, item in value.items()}


def _member(name: str, item: Any) -> Any:
    if name == "headers" and isinstance(item, dict):
        texts = {key: text for key, text in item.items() if isinstance(text, str)}
        return {**item, **masked_headers(texts)}
    if name == "url" and isinstance(item, str):
        return masked(item)
    return masked_tools(item)
