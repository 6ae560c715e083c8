"""Webhook bodies: one notice in, the bytes that are signed, sent and stored out.

Plain dicts and one JSON encoder, not models: nothing comes back in through here, and a busy simulation renders
thousands of these per second.

    envelope    event, channel, timestamp, agentId, data, conversationState, recentHistory; test only when true
    data        agent.message on a text channel and message.*: the message, under the names of both generations of docs
                agent.message on voice: the turn
                agent.reaction: the reaction, and the message it is to
                agent.call_ended: the call, under its newest names; call.*: the call object as `/v1/calls/{id}` shows it
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from operator import attrgetter, is_
from typing import Any, Final

from pydantic_core import to_json

from simulator.domain.calls import Call, CallStatus, exchanges
from simulator.domain.contacts import Contact
from simulator.domain.messages import PAST_TENSE, Channel, Group, HistoryEntry, Message
from simulator.domain.policy import Policies
from simulator.domain.webhooks import EventType, Notice
from simulator.errors import UsageError
from simulator.wire.base import iso, iso_or_none
from simulator.wire.recordings import recording_url

Json = dict[str, Any]

SNIPPET: Final = 100  # characters of `lastTranscriptSnippet`

# What users saw in front of the real entries of a call's history: an agent's line that was never filled in.
RAGGED_ENTRY: Final[Mapping[str, Any]] = {"role": "agent", "content": None}


def render(notice: Notice, policies: Policies, base_url: str | None = None) -> bytes:
    """Serialise a notice: compact JSON in UTF-8. `base_url` is our own address, where recordings are fetched.

    Text that is not UTF-8-able and numbers that are not JSON are refused where they come in; should one get this far,
    it becomes U+FFFD or null. Raises UsageError for a notice that lacks the record its event is about.
    """
    body = _envelope(notice, policies)
    if notice.call is not None and "recordingUrl" in body["data"]:
        body["data"]["recordingUrl"] = recording_url(notice.call, base_url)
    try:
        return to_json(body, inf_nan_mode="null", fallback=_plain)
    except ValueError:  # a lone surrogate
        return to_json(_mended(body), inf_nan_mode="null", fallback=_plain)


def retold(notice: Notice, told: Notice, body: bytes) -> bytes | None:
    """Serialise a notice from the `body` of one that was `told` before; None where they differ in more than their name.

    A text that comes in is two events, and most of the work is the history that both carry.
    """
    if not {notice.event_type, told.event_type} <= _OF_MESSAGE or notice.channel is Channel.VOICE:
        return None
    if not all(map(is_, _BUT_NAME(notice), _BUT_NAME(told))):  # equal is not enough: 1 and true are
        return None
    return _head(notice) + body[len(_head(told)) :]


def _head(notice: Notice) -> bytes:
    return b'{"event":"%s"' % notice.event_type.encode()


def _envelope(notice: Notice, policies: Policies) -> Json:
    ragged = notice.channel is Channel.VOICE and policies["voice_envelope"] == "ragged"
    history: list[Any] = [_entry(entry) for entry in notice.history]
    body: Json = {"event": notice.event_type.value, "channel": notice.channel and notice.channel.value}
    if not ragged:
        body["timestamp"] = iso(notice.at)
    body["agentId"] = notice.agent_id
    body["data"] = _data(notice, policies)
    body["conversationState"] = [] if ragged else notice.state
    body["recentHistory"] = [RAGGED_ENTRY, *history] if ragged and history else history
    if notice.test:
        body["test"] = True
    return body


def _entry(entry: HistoryEntry) -> Json:
    return {
        "content": entry.content,
        "direction": str(entry.direction),  # quicker than its `value`, and a history has many
        "channel": str(entry.channel),
        "at": iso(entry.at),
        "messageId": entry.message_id,
    }


def _data(notice: Notice, policies: Policies) -> Json:
    event = notice.event_type
    if event is EventType.AGENT_MESSAGE and notice.channel is Channel.VOICE:
        return _turn(_call_of(notice), notice)
    if event in _OF_MESSAGE:
        if notice.message is None:
            raise UsageError(f"{event.value} cannot be rendered: the notice has no message")
        return _message(notice.message, notice)
    if event is EventType.AGENT_REACTION:
        return _reaction(notice, policies)
    if event is EventType.AGENT_CALL_ENDED:
        return _agent_call_ended(_call_of(notice), notice.contact)
    return _OF_CALL[event](_call_of(notice))


def _call_of(notice: Notice) -> Call:
    if notice.call is None:
        raise UsageError(f"{notice.event_type.value} cannot be rendered: the notice has no call")
    return notice.call


def _message(message: Message, notice: Notice) -> Json:
    media = list(message.media_urls)
    at = iso(message.at)
    body: Json = {
        "id": message.id,
        "messageId": message.id,
        "conversationId": message.conversation_id,
        "numberId": message.number_id,
        "from": message.from_number,
        "to": message.to_number,
        "from_": message.from_number,
        "fromNumber": message.from_number,
        "toNumber": message.to_number,
        "contact": _contact(notice.contact),
        "message": message.body,
        "body": message.body,
        "mediaUrl": media[0] if media else None,
        "mediaUrls": media,
        "direction": message.direction.value,
        "channel": message.channel.value,
        "status": message.status.value,
        "failureReason": message.failure_reason,
        "receivedAt": at,
        "replyTo": _reply_to(notice.parent),
    }
    if notice.conversation is not None and notice.conversation.group is not None:  # one-to-one texts have neither
        body["senderIdentifier"] = message.sender_identifier
        body["group"] = _group(notice.conversation.group, notice.names)
    return body


def _contact(contact: Contact | None) -> Json | None:
    if contact is None:
        return None
    return {"id": contact.id, "name": contact.name, "email": contact.email, "phoneNumber": contact.phone_number}


def _reply_to(parent: Message | None) -> Json | None:
    if parent is None:
        return None
    return {"messageId": parent.id, "message": parent.body, "mediaUrls": list(parent.media_urls)}


def _group(group: Group, names: Mapping[str, str]) -> Json:
    return {
        "isGroup": True,
        "groupId": group.id,
        "groupName": group.name,
        "groupIconUrl": group.icon_url,
        "participants": [{"identifier": member, "name": names.get(member)} for member in group.members],
    }


def _reaction(notice: Notice, policies: Policies) -> Json:
    message, reaction = notice.message, notice.reaction
    if message is None or reaction is None:
        raise UsageError(f"{notice.event_type.value} cannot be rendered: the notice has no message or no reaction")
    renamed = PAST_TENSE if policies["reaction_names"] == "past" else {}
    media = list(message.media_urls)
    return {
        "conversationId": message.conversation_id,
        "numberId": message.number_id,
        "reactionType": renamed.get(reaction.kind, reaction.kind),
        "fromNumber": reaction.from_number,
        "direction": reaction.direction.value,
        "messageId": message.id,
        "messageBody": message.body or None,
        "messageMediaUrl": media[0] if media else None,
        "messageMediaUrls": media,
        "createdAt": iso(reaction.at),
    }


def _turn(call: Call, notice: Notice) -> Json:
    # No `id` here: it could only be the call's, and handlers that dedupe on it would answer one turn and drop the rest.
    return {
        "callId": call.id,
        "numberId": call.number_id,
        "from": call.from_number,
        "to": call.to_number,
        "status": CallStatus.IN_PROGRESS.value,
        "transcript": notice.transcript or "",
        "confidence": notice.confidence,
        "direction": call.direction.value,
    }


def _agent_call_ended(call: Call, contact: Contact | None) -> Json:
    return {
        "callId": call.id,
        "numberId": call.number_id,
        "from": call.from_number,
        "to": call.to_number,
        "contact": _contact(contact),
        "direction": call.direction.value,
        "status": call.status.value,
        "startedAt": iso(call.started_at),
        "endedAt": iso_or_none(call.ended_at),
        "durationSeconds": _seconds(call),
        "disconnectionReason": call.disconnection_reason and call.disconnection_reason.value,
        "transcript": _lines(call),
        # Made by a language model after the call; there is none here, and an invented verdict would be believed.
        "summary": None,
        "userSentiment": None,
        "callSuccessful": None,
    }


def _call_started(call: Call) -> Json:
    return {
        "id": call.id,
        "callId": call.id,
        "agentId": call.agent_id,
        "agentName": call.agent_name,
        "phoneNumberId": call.number_id,
        "numberId": call.number_id,
        "phoneNumber": call.phone_number,
        "fromNumber": call.from_number,
        "toNumber": call.to_number,
        "from": call.from_number,
        "to": call.to_number,
        "direction": call.direction.value,
        "status": call.status.value,
        "startedAt": iso(call.started_at),
        "endedAt": iso_or_none(call.ended_at),
        "durationSeconds": _seconds(call),
        "disconnectionReason": call.disconnection_reason and call.disconnection_reason.value,
        "lastTranscriptSnippet": call.utterances[-1].text[:SNIPPET] if call.utterances else None,
        "recordingUrl": None,
        "recordingAvailable": call.recording_available,
        "transcripts": [
            {
                "id": row.id,
                "transcript": row.transcript,
                "response": row.response,
                "confidence": row.confidence,
                "createdAt": iso(row.at),
            }
            for row in exchanges(call)
        ],
        "retellCallId": None,
    }


def _call_ended(call: Call) -> Json:
    return {**_call_started(call), "transcript": _lines(call)}


def _lines(call: Call) -> list[Json]:
    return [{"role": spoken.party.value, "content": spoken.text} for spoken in call.utterances]


def _seconds(call: Call) -> int | None:
    return None if call.duration is None else round(call.duration.total_seconds())


_OF_MESSAGE: Final = frozenset({EventType.AGENT_MESSAGE, EventType.MESSAGE_RECEIVED, EventType.MESSAGE_SENT})

_BUT_NAME: Final = attrgetter(*(part.name for part in fields(Notice) if part.name != "event_type"))

_OF_CALL: Final[Mapping[EventType, Callable[[Call], Json]]] = {
    EventType.CALL_STARTED: _call_started,
    EventType.CALL_ENDED: _call_ended,
}


def _plain(value: object) -> Json:
    """Turn a read-only mapping, which the encoder does not know, into a dict."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def _mended(value: Any) -> Any:
    """Copy JSON data without the two things it cannot hold: half a surrogate pair and non-finite numbers."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {_mended(key): _mended(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_mended(item) for item in value]
    return value
