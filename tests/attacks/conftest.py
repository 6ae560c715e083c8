"""One simulator on a real loopback socket for every attack of a file; whatever it has to stand, it stands together."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.helpers.live_server import Live, live_server


@pytest.fixture(scope="module")
def victim() -> Iterator[Live]:
    with live_server() as live:
        yield live
