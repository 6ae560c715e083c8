"""What joining a web call looks like on `/_sim`."""

from __future__ import annotations

from typing import Self

from pydantic import ConfigDict, Field, model_validator

from simulator.control.steps import ControlIn, Script
from simulator.wire.rules import any_of, has


class JoinIn(ControlIn):
    """A browser joins a web call, as the platform's web client does."""

    model_config = ConfigDict(
        json_schema_extra=any_of({"properties": {"wait": {"const": False}}}, has("script", type="array"))
    )

    access_token: str = Field(min_length=1, max_length=200, description="From the answer of POST /v1/calls/web.")
    script: Script | None = Field(default=None, description="Absent: a live browser, driven by say, press, hang_up.")
    wait: bool = Field(default=False, description="Answer when the call has ended; needs a script.")
    timeout: float = Field(default=300, gt=0, le=3600, description="Real seconds that `wait` waits at most.")

    @model_validator(mode="after")
    def _wait_needs_script(self) -> Self:
        if self.wait and self.script is None:
            raise ValueError("wait needs a script: a live call has no end of its own")
        return self
