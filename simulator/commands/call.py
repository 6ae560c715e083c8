"""`call`: a telephone in the terminal. What you type is said, what the agent says is printed as it is heard."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Iterable, Iterator
from datetime import datetime
from io import FileIO, UnsupportedOperation
from pathlib import Path
from typing import Any, Final

import click

from simulator.commands.control import DEFAULT_FROM, Control, Refusal, connection_options, instant
from simulator.commands.export import form_of, write
from simulator.commands.output import say

HEARD: Final = "call.,speech.,digits,turn.,finding,timer.started,barge_in"
KEYS: Final = re.compile(r"[0-9*#]+")


@click.command()
@click.argument("number")
@click.option("--from", "from_number", default=DEFAULT_FROM, show_default=True, help="Who calls.")
@click.option(
    "--export",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the call down when it has ended: a scenario, for .py a pytest test, for .sh curl commands.",
)
@connection_options
def command(number: str, from_number: str, file: Path | None, base_url: str, api_key: str) -> int:
    """Phone NUMBER and talk by typing.

    A line is said when the agent has finished, and !stop at once, over its words; #12 presses the keys 1 and 2, Ctrl-D
    hangs up. Behind each answer stands how long after your last word it was heard. With a pipe as input each line is
    said when the agent has finished, and the end of the input hangs up when everything has been answered. The last line
    sums up what was heard.

    Example: echo "where is order 4521?" | agentphone-simulator call +14155550123
    """
    with Control(base_url, api_key) as control:
        call_id = control.post("/_sim/calls", {"from": from_number, "to": number})["call_id"]
        interactive = sys.stdin.isatty()
        click.echo(
            f"calling {number}" + (" (!stop barges in, #12 presses keys, Ctrl-D hangs up)" if interactive else "")
        )
        if control.get("/_sim/clock")["mode"] == "manual":
            click.echo("the clock is manual: `agentphone-simulator advance` lets the call go on", err=True)
        line = Line(call_id, echo=not interactive)
        try:
            code = _listen(control, line, interactive)
        finally:
            if line.connected and file is not None:
                write(control, call_id, form_of(file), file)
        if line.connected:
            click.echo(summary(control.get(f"/_sim/calls/{call_id}/timeline")))
        return code


def summary(timeline: dict[str, Any]) -> str:
    """What was heard of a call, in one line."""
    turns, words, ratio = timeline["turns"], timeline["first_word_seconds"], timeline["talk_ratio"]
    parts = [f"{len(turns)} turn{'' if len(turns) == 1 else 's'}"]
    if words is not None:
        slowest = f" (p90 {words['p90']:.2f} s)" if len(turns) > 1 else ""
        parts.append(f"first word after {words['p50']:.2f} s{slowest}")
        parts.append(f"longest gap {timeline['longest_gap_seconds']:.2f} s")
    if (overrun := timeline["overrun_seconds"]) is not None:
        parts.append(f"overrun {overrun['p99']:.2f} s at most")
    if ratio is not None:
        parts.append(f"talk ratio {ratio:.0%}")
    return "heard: " + ", ".join(parts)


def _listen(control: Control, line: Line, interactive: bool) -> int:
    """Print what is heard until the call has ended, while another thread says what is typed; the exit code."""
    start = control.position("call.placed", call_id=line.call_id)
    threading.Thread(target=_talk, args=(control, line, _typed(), interactive), daemon=True).start()
    try:
        for entry in control.follow(start, HEARD):
            for text in line.hear(entry):
                say(text)
            if line.ended:
                break
    except KeyboardInterrupt:
        _tell(control, line, "hang_up", {})
        raise
    return 0 if line.completed else 1


class Line:
    """What is heard on the line, told by journal entries, and whether it is quiet."""

    def __init__(self, call_id: str, *, echo: bool) -> None:
        self.call_id = call_id
        self.ended = False
        self.completed = False
        self.connected = False
        self._echo = echo  # print what the remote party says, too: nobody has typed it on this screen
        self._changed = threading.Condition()
        self._connected_at: datetime | None = None
        self._asked = 0  # what we asked to be said or pressed, and has not been begun
        self._floor_free = False
        self._stopped_talking: datetime | None = None

    def ask(self, count: int = 1) -> None:
        """Something is about to be said or pressed; -1 takes it back."""
        with self._changed:
            self._asked += count
            self._changed.notify_all()

    def wait_until_quiet(self) -> None:
        """Wait until everything asked for was said and answered, and the answer was heard, or the call has ended."""
        with self._changed:
            self._changed.wait_for(lambda: self.quiet)

    @property
    def quiet(self) -> bool:
        """Whether nothing is being said, or about to be."""
        return self.ended or (self._floor_free and self._asked == 0)

    def hear(self, entry: dict[str, Any]) -> list[str]:
        """Take in one journal entry; returns the lines to print about it."""
        if entry.get("call_id") != self.call_id:
            return []
        with self._changed:
            lines = list(self._hear(entry))
            self._changed.notify_all()
        return lines

    def _hear(self, entry: dict[str, Any]) -> Iterator[str]:
        match entry:
            case {"kind": "timer.started", "timer": "silence"}:
                self._floor_free = True  # the silence that is measured is that of a free floor
            case {"kind": "timer.started", "timer": "speech", "due": due}:
                self._stopped_talking = datetime.fromisoformat(due)
            case {"kind": "turn.opened"}:
                self._floor_free = False
            case {"kind": "speech.started" | "digits", "party": party}:
                self._floor_free = False
                yield from self._sound(entry, party)
            case {"kind": "call.connected"}:
                self._connected_at = instant(entry)
                self.connected = True
                yield "connected"
            case {"kind": "barge_in"}:
                yield f"{'agent':<6} {'':>7}  (interrupted)"
            case {"kind": "finding", "message": message}:
                yield f"finding: {message}"
            case {"kind": "call.ended", "reason": reason, "status": status}:
                self.ended = True
                self.completed = status == "completed"
                yield f"call ended: {reason}{self._length(entry)}"

    def _sound(self, entry: dict[str, Any], party: str) -> Iterator[str]:
        """Words or keys, of either party."""
        text = f"[presses {entry['digits']}]" if entry["kind"] == "digits" else entry["text"]
        if party == "agent":
            yield f"{'agent':<6} {self._delay(entry):>7}  {text}"
            return
        self._asked -= 1
        if self._echo:
            yield f"{'you':<6} {'':>7}  {text}"

    def _delay(self, entry: dict[str, Any]) -> str:
        if self._stopped_talking is None:
            return ""
        return f"+{(instant(entry) - self._stopped_talking).total_seconds():.2f}s"

    def _length(self, entry: dict[str, Any]) -> str:
        if self._connected_at is None:
            return ""
        return f" after {(instant(entry) - self._connected_at).total_seconds():.1f} s"


def _typed() -> Iterator[str]:
    """Yield lines from standard input, read without Python's lock on it: a thread may still wait here at exit."""
    try:
        raw: Iterable[bytes] = FileIO(sys.stdin.fileno(), closefd=False)
    except UnsupportedOperation:
        raw = (line.encode() for line in sys.stdin)
    for line in raw:
        yield line.decode("utf-8", "replace").strip()


def _talk(control: Control, line: Line, typed: Iterable[str], interactive: bool) -> None:
    """Say and press what is typed; at the end of the input hang up."""
    for text in typed:
        if text.startswith("#") and not KEYS.fullmatch(text[1:]):
            say(f"{text[1:]!r} are not keys: use 0-9, * and # behind the first #", err=True)
        elif text.startswith("#"):
            _tell(control, line, "press", {"digits": text[1:]})
        elif text.startswith("!") and text[1:].strip():
            _tell(control, line, "say", {"text": text[1:].strip(), "over": True})
        elif text:
            _tell(control, line, "say", {"text": text})
        if line.ended:
            return
    if not interactive:
        line.wait_until_quiet()
    _tell(control, line, "hang_up", {})


def _tell(control: Control, line: Line, verb: str, body: dict[str, Any]) -> None:
    """Ask the simulator for one thing. That the call is over, or the simulator gone, the journal's reader finds out."""
    asks = 0 if verb == "hang_up" else 1
    line.ask(asks)
    try:
        control.post(f"/_sim/calls/{line.call_id}/{verb}", body or None)
    except click.ClickException as error:
        line.ask(-asks)
        if isinstance(error, Refusal) and error.status not in (404, 409):
            say(error.format_message(), err=True)
