"""Examines an application in process, where waiting costs nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulator.conformance.examine import Options, Target, examine
from simulator.conformance.results import Report
from simulator.testing import open_account


def judge(
    app: Callable[[str], Any],
    *numbers: str,
    path: str = "/webhook",
    secret_known: bool = True,
    rotate: Callable[[str], None] | None = None,
) -> Report:
    """Play cases against the ASGI application that `app` makes of the secret. `numbers` are cases or groups."""
    with open_account() as account:
        place = account._place
        target = Target(
            url=place.mount(app(account.secret)) + path,
            secret=account.secret,
            secret_known=secret_known,
            rotate=rotate,
        )
        options = Options(numbers=numbers)
        return place.conduct(lambda it: examine(it, account.api_key, target, options))
