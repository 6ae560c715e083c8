"""What the developer's handler did badly, in words that help to mend it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class FindingKind(StrEnum):
    """One kind per mistake; the value is the stable name in the journal and in reports."""

    REPLY_TIMED_OUT = "reply_timed_out"  # no byte within the webhook timeout
    REPLY_STALLED = "reply_stalled"  # bytes came, then none for as long as the timeout
    REPLY_HTTP_ERROR = "reply_http_error"  # a status outside 2xx
    REPLY_UNREACHABLE = "reply_unreachable"  # no connection
    REPLY_BROKEN = "reply_broken"  # the connection broke in mid-reply
    REPLY_EMPTY = "reply_empty"  # 2xx without a body
    REPLY_NOT_JSON = "reply_not_json"
    REPLY_NOT_OBJECT = "reply_not_object"  # a string, number, array, true, false or null
    REPLY_TOO_LONG = "reply_too_long"  # a line or a body over the limit
    REPLY_WRONG_TYPE = "reply_wrong_content_type"  # NDJSON sent as something else
    CHUNK_NOT_JSON = "chunk_not_json"
    CHUNK_NOT_OBJECT = "chunk_not_object"
    MISSING_FINAL = "missing_final"  # the stream ended with interim chunks only
    TEXT_AFTER_FINAL = "text_after_final"
    WORDS_AFTER_INTERRUPTION = "words_after_interruption"  # by policy: the old request goes on after a barge-in
    INTERIM_IN_JSON = "interim_in_json"  # `interim: true` outside NDJSON means nothing
    FIELD_WRONG_TYPE = "field_wrong_type"  # a known field with a value of the wrong type
    NOTHING_TO_SAY = "nothing_to_say"  # an object without any field that does something
    MARKUP_STRIPPED = "markup_stripped"  # tool-call markup in speech
    DIGITS_INVALID = "digits_invalid"
    DIGITS_CONFLICT = "digits_conflict"  # digits and an alias, with different values
    ACTION_UNKNOWN = "action_unknown"
    TRANSFER_WITHOUT_NUMBER = "transfer_without_number"
    NO_WEBHOOK = "no_webhook"
    TOOL_UNKNOWN = "tool_unknown"  # the agent has no custom tool of that name
    TOOL_ARGUMENTS = "tool_arguments"  # not as the tool's parameters say; nothing was sent
    TOOL_FAILED = "tool_failed"  # not reached, broken off, or a status outside 2xx
    TOOL_TIMED_OUT = "tool_timed_out"  # no whole answer within the tool's timeout
    TOOL_LOOP = "tool_loop"  # one tool after another without a word
    VARIABLE_UNKNOWN = "variable_unknown"  # `{{name}}` without a value, spoken as it is written
    HOSTED_FAILED = "hosted_failed"  # the function or the model that answers for the agent did not


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One mistake, where it happened, and the bytes that show it (cut to 1 KiB)."""

    kind: FindingKind
    message: str  # what was wrong, and the way out
    at: datetime
    call_id: str
    turn_id: str | None = None
    sample: bytes = b""
