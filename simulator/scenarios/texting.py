"""Threads of texts on the stage: begun by a request, over when their script is, recorded from the journal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from simulator.domain.text_threads import Author, ThreadStatus
from simulator.errors import NotFound
from simulator.runtime.runner import Runner
from simulator.scenarios.model import TextPart
from simulator.scenarios.record import MessageRecord, TextRecord, Who
from simulator.scenarios.recording import deliveries_of, requests_of
from simulator.scenarios.setting import Setting
from simulator.scenarios.sim_steps import in_seconds
from simulator.scenarios.stage import Customer
from simulator.world import texters
from simulator.world.journal import Entry

# A carrier's own answers are neither end's words, so they are in no record of a thread.
_ENDS: Final = {Author.PERSON.value: Who.CALLER, Author.AGENT.value: Who.AGENT}


async def begin(customer: Customer, setting: Setting, part: TextPart) -> str:
    """Start a thread; returns its id. Raises Refused."""
    script = [in_seconds(step) for step in part.script]
    body = {"from": setting.number(part.from_), "to": setting.number(part.to), "script": script}
    return str((await customer.ask("POST", "/_sim/threads", body))["thread_id"])


def over(runner: Runner, thread_id: str) -> bool:
    """Whether the script of a thread has come to its end, or failed."""
    return texters.get(runner.world, thread_id).status is not ThreadStatus.RUNNING


def record_of_thread(entries: Iterable[Entry], thread_id: str) -> TextRecord:
    """Make the record of one thread. Raises NotFound when the journal does not know (or has forgotten) it."""
    story = list(entries)
    own = [entry for entry in story if entry.data.get("thread_id") == thread_id]
    started = next((entry for entry in own if entry.kind == "thread.started"), None)
    if started is None:
        raise NotFound(f"thread {thread_id!r} is not in the journal")
    texts = [entry for entry in own if entry.kind in ("thread.sent", "thread.reply")]
    written = {entry.data["message_id"] for entry in texts} - {None}
    ended = next((entry for entry in own if entry.kind in ("thread.done", "thread.failed")), own[-1])
    first: dict[int, Entry] = {}
    for entry in own:
        if entry.kind == "thread.step":
            first.setdefault(entry.data["step"][0], entry)
    return TextRecord(
        from_number=started.data["from"],
        to_number=started.data["to"],
        ended=ended.at - started.at,
        messages=tuple(
            MessageRecord(
                by=_ENDS[entry.data["by"]],
                at=entry.at - started.at,
                body=entry.data["body"],
                media=tuple(entry.data["media_urls"]),
            )
            for entry in texts
            if entry.data["by"] in _ENDS
        ),
        steps=tuple((index, entry.at - started.at) for index, entry in first.items()),
        deliveries=tuple(deliveries_of(story, started.at, lambda data: data.get("message_id") in written)),
        api_requests=tuple(requests_of(story, started)),
    )
