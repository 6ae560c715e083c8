"""Asking whether something happened; a failure says what was expected, what was seen, and what came nearest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from simulator.errors import UsageError
from simulator.testing.parts import Length, World, seconds
from simulator.testing.results import AGENT, CallResult, Entry

if TYPE_CHECKING:
    from simulator.testing.phone import Phone

__tracebackhide__ = True  # a failed test should be shown at its own line

_REQUEST: Final = re.compile(r"(?P<method>[A-Z]+) (?P<path>/\S*)")
_PARAMETER: Final = re.compile(r"\\\{[^/]*?\\\}")


class Expecting:
    """The questions of an account. Each raises AssertionError with an explanation when the answer is no.

    `where` says what an entry of the journal must be like: `name=value`, with a plain value, or with tests such as
    `{"contains": "shipped"}`, `matches`, `one_of`, `not`, `gt`, `lt`, `exists`. A mapping is met by an entry that has
    those keys; a dotted name reaches into one: `**{"body.to_number": "+14155550150"}`.
    """

    _world: World

    def wait_for(
        self, kind: str, /, within: Length | None = None, *, patience: float | None = None, **where: Any
    ) -> Entry:
        """The first entry of this kind that is as `where` says, once there is one.

        `within` is how much simulated time it may take: on an auto or a manual clock, time moves until it has happened,
        and no further. Without it the entry must be there when the world is at rest. `patience`: real seconds for a
        handler at work that nobody can see, such as a background task after its answer.
        """
        asked = {"within": None if within is None else seconds(within), "patience": patience}
        return self._expect(kind, where, asked)[0]

    def assert_delivered(self, event: str, /, times: int | None = None, **where: Any) -> None:
        """A webhook accepted this event: at least once, or exactly `times`."""
        wanted = {"event": event, "status": "success", **where}
        self._expect("delivery.settled", wanted, {"count": times})

    def assert_requested(self, request: str, /, **body: Any) -> None:
        """The account's API was asked this, as in `"POST /v1/messages"`, with at least these fields in the body.

        A part in braces stands for any one segment: `"GET /v1/calls/{call_id}"`.
        """
        found = _REQUEST.fullmatch(request)
        if found is None:
            raise UsageError(f'{request!r} is no request: write the method and the path, as in "POST /v1/messages"')
        path: Any = found["path"]
        if "{" in path:
            path = {"matches": f"^{_PARAMETER.sub('[^/]+', re.escape(path))}$"}
        self._expect("api.request", {"method": found["method"], "path": path, **({"body": body} if body else {})}, {})

    def assert_said(self, words: str | re.Pattern[str], call: CallResult | Phone | str | None = None) -> None:
        """The agent was heard saying this, a text or a regular expression: in any call, or in one.

        A streamed reply is searched chunk by chunk.
        """
        text = {"contains": words} if isinstance(words, str) else {"matches": words.pattern}
        call_id = call if isinstance(call, str) or call is None else call.id
        about = {} if call_id is None else {"call_id": call_id}
        self._expect("speech.heard", {"party": AGENT, "text": text, **about}, {})

    def assert_no_findings(self) -> None:
        """The handler did nothing badly, in any call."""
        self._expect("finding", {}, {"count": 0})

    def _expect(self, kind: str, where: Mapping[str, Any], asked: Mapping[str, Any]) -> list[Entry]:
        self._world.settle()
        given = {name: value for name, value in asked.items() if value is not None}
        answer = self._world.place.ask("POST", "/_sim/expect", {"kind": kind, "where": where, **given})
        if not answer["found"]:
            raise AssertionError(answer["explanation"])
        self._world.settle()
        entries: list[Entry] = answer["entries"]
        return entries
