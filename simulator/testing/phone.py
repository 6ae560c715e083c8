"""A telephone in a test's hand: the remote party of a live call, driven word by word."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from simulator.errors import Refused
from simulator.testing.parts import Length, World, seconds
from simulator.testing.results import AGENT, CallResult

if TYPE_CHECKING:
    from simulator.testing.results import Entry

__tracebackhide__ = True  # a failed test should be shown at its own line

PATIENCE: Final = 130.0  # real seconds for one answer: more than the longest webhook timeout


class Phone:
    """A call that a test holds itself. A context manager: leaving the block hangs up.

    While a phone is off the hook the account's clock is manual, whatever it was: time moves exactly as far as the
    conversation takes it, in every run alike. What `say`, `press`, `barge_in` and `wait` return is what the agent
    answered, as far as it was heard.
    """

    def __init__(self, world: World, call_id: str, put_down: Callable[[], None]) -> None:
        self.id = call_id
        self._world = world
        self._put_down: Callable[[], None] | None = put_down
        self._seen = 0  # of the journal
        self.greeting = self.listen()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.hang_up()
        else:
            with contextlib.suppress(Exception):  # the test has failed already, and that is what should be read
                self.hang_up()

    @property
    def ended(self) -> bool:
        """Whether the call is over."""
        return self._put_down is None

    def say(self, text: str, *, over: bool = False, confidence: float = 0.95) -> str:
        """Say something, and listen to the answer. `over`: at once, whoever is speaking.

        Raises Refused when the call is over.
        """
        self._do("say", {"text": text, "over": over, "confidence": confidence})
        return self.listen()

    def ask(self, text: str, *, confidence: float = 0.95) -> None:
        """Say something and do not wait for the answer: to barge in on it, or to hang up in the middle."""
        self._do("say", {"text": text, "confidence": confidence})

    def barge_in(self, text: str, after: Length = 0) -> str:
        """Wait until the agent is heard, `after` seconds more, speak over it, and listen to what it answers."""
        self._listen("speech")
        if seconds(after) > 0:
            self._world.do("POST", "/_sim/clock/advance", {"seconds": seconds(after)})
        return self.say(text, over=True)

    def press(self, digits: str) -> str:
        """Press keys when the agent has finished, and listen."""
        self._do("press", {"digits": digits})
        return self.listen()

    def wait(self, length: Length) -> str:
        """Stay silent for a while."""
        self._world.do("POST", "/_sim/clock/advance", {"seconds": seconds(length)})
        return self._news()

    def listen(self) -> str:
        """Let the agent have its say."""
        self._listen("silence")
        return self._news()

    def hang_up(self) -> CallResult:
        """Put the phone down, unless the call is over already, and return all of it."""
        if not self.ended:
            with contextlib.suppress(Refused):  # it has just ended by itself
                self._do("hang_up", None)
            self._news()
        return self.result()

    def result(self) -> CallResult:
        """The call as far as it has come."""
        return CallResult.of(self._world.read(f"/_sim/calls/{self.id}/timeline"), self._world.entries())

    def _listen(self, until: str) -> None:
        self._world.do("POST", f"/_sim/calls/{self.id}/listen", {"until": until, "timeout": PATIENCE})

    def _do(self, verb: str, body: Any) -> None:
        try:
            self._world.do("POST", f"/_sim/calls/{self.id}/{verb}", body)
        except Refused:
            self._news()
            raise

    def _news(self) -> str:
        """What the agent has said since the last look, and since the last words of ours that it heard."""
        new: list[Entry] = [e for e in self._world.entries(after=self._seen) if e.get("call_id") == self.id]
        self._seen = max((entry["seq"] for entry in new), default=self._seen)
        if self._put_down is not None and any(entry["kind"] == "call.ended" for entry in new):
            put_down, self._put_down = self._put_down, None
            put_down()
        said: list[str] = []
        for entry in new:
            if entry["kind"] == "speech.heard":
                said = [*said, entry["text"]] if entry["party"] == AGENT else []
        return " ".join(said)
