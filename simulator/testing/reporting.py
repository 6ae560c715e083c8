"""What the report of a failed test says about its world."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from simulator.testing.results import Entry

if TYPE_CHECKING:
    from simulator.testing.account import Account

LINES: Final = 30  # of the journal: about what fits on a screen
WIDTH: Final = 180  # characters of a line
PATIENCE: Final = 5.0  # real seconds; the world of a failed test may be stuck
NOISE: Final = ("timer.", "clock.", "script.step")  # true, and never the reason why a test fails

Section = tuple[str, str]


def sections(account: Account, replay: str) -> list[Section]:
    """The sections to add to a report; never raises, and never takes long."""
    found = [("agentphone", f"seed {account.seed}\nrepeat with: {replay}"), ("agentphone journal", _journal(account))]
    if len(account.errors):
        found.append(("agentphone handler errors", "\n\n".join(_counted(account.errors))))
    return found


def _counted(errors: Iterable[str]) -> Iterator[str]:
    """Each of them once: a handler that fails at every retry fails alike."""
    for text, times in Counter(errors).items():
        yield text if times == 1 else f"{text}\n({times} times)"


def _journal(account: Account) -> str:
    answer: list[str] = []

    def read() -> None:
        try:
            answer.append("\n".join(lines(account.recent())))
        except Exception as error:  # a report about a failure must not become one
            answer.append(f"cannot be read: {error}")

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reader.join(PATIENCE)
    return answer[0] if answer else f"cannot be read: the simulator did not answer within {PATIENCE:g} s"


def lines(entries: Iterable[Entry]) -> list[str]:
    """The newest entries, one line each, without timers; a line above says when some are left out."""
    told = [entry for entry in entries if not entry["kind"].startswith(NOISE)]
    left = len(told) - LINES
    head = [f"… {left} before these"] if left > 0 else []
    return head + [_line(entry) for entry in told[-LINES:]] or ["nothing has happened"]


def _line(entry: Entry) -> str:
    names = [name for name in entry if name not in ("seq", "at", "kind")]
    names.sort(key=lambda name: name.endswith("_id"))  # ids are long, and seldom what one looks for
    told = " ".join(f"{name}={_value(entry[name])}" for name in names)
    text = f"{entry['at'].rstrip('Z').replace('T', ' ')}  {entry['kind']:<18} {told}".rstrip()
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 1]}…"


def _value(value: Any) -> str:
    if isinstance(value, str) and value and not set(value) & set(" \n\t\"'="):
        return value
    return json.dumps(value, ensure_ascii=False)
