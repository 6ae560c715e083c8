"""Every kind of entry that a journal may have, with its fields: what there is to ask for, and what the README lists.

`seq`, `at` and `kind` belong to every entry. A field that an entry has nothing to say in may be null or left out.
"""

from __future__ import annotations

from typing import Final, NamedTuple

COMMON: Final = ("seq", "at", "kind")


class Kind(NamedTuple):
    """One kind of entry. `objects` are those of its fields that may hold objects, with keys that anybody may choose."""

    name: str
    about: str
    fields: tuple[str, ...]
    objects: frozenset[str] = frozenset()


def _kind(name: str, about: str, fields: str = "", objects: str = "") -> Kind:
    return Kind(name, about, tuple(fields.split()), frozenset(objects.split()))


_TIMED_TEXT: Final = "thread_id message_id conversation_id by body media_urls channel sent_at delay_seconds"
_MESSAGE: Final = "message_id conversation_id from to body send_style"
_DELIVERY: Final = "delivery_id event url call_id message_id"
_TEMPLATE: Final = "template_id name language reason"
_REGISTRATION: Final = "registration_id registration_type stage reason"

KINDS: Final = (
    _kind("account.opened", "A sign-up was completed.", "verification_id account_id human_email source"),
    _kind(
        "api.request",
        "A request to `/v1` was answered.",
        "method path operation_id status body body_bytes",
        objects="body",
    ),
    _kind("background.removed", "A conversation lost its background.", "conversation_id"),
    _kind("background.set", "A conversation got a background.", "conversation_id image_url"),
    _kind("barge_in", "The caller spoke over the agent, who stopped.", "call_id turn_id overrun"),
    _kind("beep", "A machine's tone was heard.", "call_id duration"),
    _kind("call.connected", "Somebody picked up.", "call_id"),
    _kind("call.ended", "A call is over.", "call_id reason status"),
    _kind("call.heard", "What was heard of it.", "call_id turns greeting first_words gaps overruns talk_ratio"),
    _kind(
        "call.placed",
        "A call rings.",
        "call_id direction from to metadata variables",
        objects="metadata variables",
    ),
    _kind("carrier.answered", "The carrier answered HELP by itself.", "number_id recipient body"),
    _kind("clock.jumped", "Time moved.", "to"),
    _kind(
        "delivery.attempt",
        "A payload was sent, or could not be.",
        f"{_DELIVERY} attempt outcome http_status error",
    ),
    _kind("delivery.created", "A payload is owed to a webhook.", _DELIVERY),
    _kind("delivery.settled", "It arrived, or was given up.", f"{_DELIVERY} status attempts"),
    _kind("delivery.unrouted", "An event had no webhook to go to.", "event"),
    _kind("digits", "Keys were pressed.", "call_id party digits turn_id"),
    _kind(
        "fault.copy",
        "A fault sent a delivery once more.",
        "delivery_id copy sent_at outcome http_status error",
    ),
    _kind("fault.expired", "A fault rule is over.", "rule_id on fault expires_at fired"),
    _kind(
        "fault.fired",
        "Something was made to go wrong, and what it hit.",
        "rule_id on fault parameters fired delivery_id event attempt call_id turn message_id method path operation_id",
        objects="parameters",
    ),
    _kind("feedback.submitted", "Feedback was sent.", "feedback_id category"),
    _kind("finding", "The handler did something badly.", "call_id finding message turn_id sample"),
    _kind("hosted.script", "The double of the built-in model got its lines.", "agent_id lines"),
    _kind(
        "limits.changed",
        "Limits were set.",
        "numbers balance_cents rate_limits concurrent_calls daily_new_contacts",
    ),
    _kind("location.refreshed", "The account asked where people are.", "people"),
    _kind("message.delivered", "A text of the account arrived.", "message_id"),
    _kind("message.failed", "A text of the account did not arrive.", "message_id failure_reason error_code"),
    _kind("message.read", "A text of the account was read.", "message_id"),
    _kind("message.received", "Somebody texted the account.", _MESSAGE),
    _kind("message.sent", "The account texted somebody.", _MESSAGE),
    _kind("money.balance_set", "The balance was set.", "item amount_cents balance_cents about"),
    _kind("money.charged", "Something was paid for.", "item amount_cents balance_cents about"),
    _kind("number.expired", "A number's time was up.", "number_id phone_number"),
    _kind("reaction.received", "Somebody reacted to a text.", "message_id reaction from"),
    _kind("reaction.sent", "The account reacted to a text.", "message_id reaction from"),
    _kind("recipient.opted_in", "Somebody wants texts again.", "number_id recipient"),
    _kind("recipient.opted_out", "Somebody wants no more texts.", "number_id recipient"),
    _kind("recording.enabled", "The recording add-on was switched on."),
    _kind("registration.advanced", "A 10DLC registration reached its next stage.", _REGISTRATION),
    _kind("registration.approved", "It was approved.", _REGISTRATION),
    _kind("registration.rejected", "It was rejected.", _REGISTRATION),
    _kind("registration.submitted", "It was sent in.", _REGISTRATION),
    _kind("script.done", "A caller's script was played to its end.", "call_id"),
    _kind("script.failed", "A caller did not hear what the script says.", "call_id step expected heard"),
    _kind("script.step", "A caller's script went on.", "call_id step"),
    _kind("sign_up.code_sent", "A sign-up code was sent.", "verification_id to body"),
    _kind("sip_trunk.created", "A SIP trunk was made.", "trunk_id uri"),
    _kind("sip_trunk.deleted", "A SIP trunk was deleted.", "trunk_id"),
    _kind("sip_trunk.rotated", "A SIP trunk got new credentials.", "trunk_id"),
    _kind("speech.heard", "Words, as far as they were heard.", "call_id party text turn_id confidence"),
    _kind(
        "speech.started",
        "Somebody begins to speak.",
        "call_id party text duration turn_id over backchannel",
    ),
    _kind("speech.stopped", "The agent was cut off.", "call_id party"),
    _kind("sub_account.closed", "A sub-account was deleted.", "sub_account_id"),
    _kind("sub_account.opened", "A sub-account was made.", "sub_account_id name"),
    _kind("thread.done", "A scripted thread of texts came to its end.", "thread_id"),
    _kind("thread.failed", "A scripted thread got no fitting reply.", "thread_id step expected heard"),
    _kind("thread.reacted", "Its person reacted to a text.", "thread_id message_id reaction"),
    _kind("thread.reply", "A reply reached its person.", _TIMED_TEXT),
    _kind("thread.sent", "Its person sent a text.", _TIMED_TEXT),
    _kind(
        "thread.started",
        "Somebody texts by a script.",
        "thread_id from to number_id participants opener_message_id",
    ),
    _kind("thread.step", "The script of a thread went on.", "thread_id step verb"),
    _kind("timer.fired", "A timer was due.", "timer"),
    _kind("timer.started", "A call waits for something.", "call_id timer due"),
    _kind("tool.answered", "A custom tool answered.", "call_id turn_id tool after http_status answer error"),
    _kind("tool.called", "A custom tool was asked.", "call_id turn_id tool method url body"),
    _kind("turn.chunk", "A chunk of a reply came in.", "call_id turn_id text interim raw after"),
    _kind("turn.closed", "A turn is over.", "call_id turn_id how after"),
    _kind("turn.opened", "The handler is asked.", "call_id turn_id delivery_id transcript"),
    _kind("turn.started", "The handler begins to answer.", "call_id turn_id http_status content_type after"),
    _kind("typing.shown", "The account showed that it types.", "conversation_id"),
    _kind("verification.checked", "A code was checked.", "verification_id result attempts_remaining"),
    _kind("verification.sent", "A code was sent.", "verification_id from to body"),
    _kind("whatsapp.connected", "WhatsApp was connected.", "connection_id waba_id"),
    _kind("whatsapp.disconnected", "WhatsApp was disconnected.", "connection_id"),
    _kind("whatsapp.number_connected", "A number was connected to WhatsApp.", "connection_id number_id number"),
    _kind("whatsapp.template_approved", "A template was approved.", _TEMPLATE),
    _kind("whatsapp.template_deleted", "A template was deleted.", "template_id name"),
    _kind("whatsapp.template_proposed", "A template was sent in.", _TEMPLATE),
    _kind("whatsapp.template_rejected", "A template was rejected.", _TEMPLATE),
)


def kinds_of(word: str) -> tuple[Kind, ...]:
    """The kinds that a word stands for: one by its name, or all whose name begins with it ("delivery", "turn.")."""
    word = word.strip().rstrip(".")
    return tuple(kind for kind in KINDS if kind.name == word or kind.name.startswith(f"{word}."))
