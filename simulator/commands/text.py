"""`text`: send a text to one of the account's numbers and watch what comes of it."""

from __future__ import annotations

from typing import Any

import click

from simulator.commands.control import DEFAULT_FROM, Control, connection_options
from simulator.commands.output import say

WATCHED = "delivery.,message.sent"
CHANNELS = ("sms", "mms", "imessage", "whatsapp", "rcs")


@click.command()
@click.argument("number")
@click.argument("body")
@click.option("--from", "from_number", default=DEFAULT_FROM, show_default=True, help="Who texts.")
@click.option("--media", multiple=True, metavar="URL", help="A picture to send along; can be given several times.")
@click.option("--channel", type=click.Choice(CHANNELS), help="How it comes in.  [default: what the number speaks]")
@click.option(
    "--wait",
    "patience",
    type=click.FloatRange(0, 600),
    default=10.0,
    show_default=True,
    help="Real seconds to wait for the delivery and the reply.",
)
@connection_options
def command(
    number: str,
    body: str,
    from_number: str,
    media: tuple[str, ...],
    channel: str | None,
    patience: float,
    base_url: str,
    api_key: str,
) -> int:
    """Text BODY to NUMBER and watch what follows.

    Prints the deliveries and the reply. Exit code 1 when the event did not reach the handler.

    Example: agentphone-simulator text +14155550123 "where is order 4521?"
    """
    with Control(base_url, api_key) as control:
        text = {"from": from_number, "to": number, "body": body, "media_urls": list(media), "channel": channel}
        sent = control.post("/_sim/messages", text)
        say(f"{sent['message_id']} in {sent['conversation_id']}")
        watch = Watch(sent["message_id"], sent["conversation_id"])
        start = control.position("message.received", message_id=sent["message_id"])
        for entry in control.follow(start, WATCHED, patience):
            if line := watch.see(entry):
                say(line)
            if watch.done:
                break
    if watch.waiting_for:
        click.echo(f"no {watch.waiting_for} within {patience:g} s", err=True)
    return 0 if watch.delivered else 1


class Watch:
    """What became of one text, from journal entries."""

    def __init__(self, message_id: str, conversation_id: str) -> None:
        self._message_id = message_id
        self._conversation_id = conversation_id
        self._events: dict[str, str] = {}  # delivery id -> event, while unsettled
        self.delivered = False
        self.replied = False
        self._unrouted = False

    @property
    def done(self) -> bool:
        """Whether nothing more is to be expected: nobody to tell, or told and answered."""
        return self._unrouted or (self.replied and self.delivered and not self._events)

    @property
    def waiting_for(self) -> str | None:
        """What did not come in time, in a word."""
        if self.done:
            return None
        return "reply" if self.delivered else "delivery"

    def see(self, entry: dict[str, Any]) -> str | None:
        """Take one entry in; returns the line to print about it, if any."""
        if entry["kind"] == "message.sent" and entry["conversation_id"] == self._conversation_id:
            self.replied = True
            return f"reply {entry['message_id']}: {entry['body']}"
        if entry["kind"] == "delivery.unrouted":
            self._unrouted = True
            return f"{entry['event']}: no webhook is set, so nobody is told"
        if self._message_id not in entry.get("delivery_id", ""):
            return None
        return self._delivery(entry)

    def _delivery(self, entry: dict[str, Any]) -> str | None:
        delivery_id = entry["delivery_id"]
        if entry["kind"] == "delivery.created":
            self._events[delivery_id] = entry["event"]
            return None
        event = self._events.get(delivery_id, "")
        if entry["kind"] == "delivery.attempt":
            answer = entry["http_status"] or entry["error"] or entry["outcome"]
            return f"{event} attempt {entry['attempt']}: {answer}"
        self._events.pop(delivery_id, None)
        if event == "agent.message":
            self.delivered = entry["status"] == "success"
        return None if entry["status"] == "success" else f"{event} has failed for good"
