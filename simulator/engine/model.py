"""An OpenAI-compatible chat API: what is sent for a turn, and what its answer says. Knows nothing of HTTP.

The answer may be one JSON object or a stream of server-sent events. Whole sentences are handed on as they come, so that
the caller hears the first before the last is written.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from simulator.domain.agents import CustomTool
from simulator.domain.calls import Party
from simulator.domain.hosted import HostedAnswer, HostedTurn, ToolUse
from simulator.errors import UsageError

MAX_REPLY: Final = 1_048_576  # characters of one answer
END_CALL, TRANSFER_CALL, PRESS_DIGITS = "end_call", "transfer_call", "press_digits"
_DIGITS: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {"digits": {"type": "string", "pattern": "^[0-9*#]+$"}},
    "required": ["digits"],
}
_OWN: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    END_CALL: ("Hang up, after what you say.", {"type": "object", "properties": {}}),
    TRANSFER_CALL: ("Transfer the caller to a person.", {"type": "object", "properties": {}}),
    PRESS_DIGITS: ("Press keys on the telephone keypad.", _DIGITS),
}
_SENTENCE_END: Final = re.compile(r"[.!?…]['\")\]]*\s+|[。！？]|\n+")
_ROLES: Final[Mapping[Party, str]] = {Party.REMOTE: "user", Party.AGENT: "assistant"}


def request_body(turn: HostedTurn, tools: tuple[CustomTool, ...], model: str) -> bytes:
    """Write the body of a chat request: the prompt, what was heard, what tools answered, and which tools there are."""
    messages: list[dict[str, Any]] = [{"role": "system", "content": turn.prompt}] if turn.prompt else []
    messages += ({"role": _ROLES[party], "content": text} for party, text in turn.history)
    messages.append({"role": "user", "content": turn.heard})
    for number, result in enumerate(turn.results):
        called = {"name": result.use.name, "arguments": json.dumps(dict(result.use.arguments))}
        call = {"id": f"call_{turn.number}_{number}", "type": "function", "function": called}
        messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": call["id"], "content": result.text})
    body = {"model": model, "messages": messages, "tools": _offered(tools), "stream": True}
    return json.dumps(body).encode()


def _offered(tools: tuple[CustomTool, ...]) -> list[dict[str, Any]]:
    """Describe the agent's tools, and what can be done to a call; a custom tool of the same name wins."""
    given = {tool.name: (tool.description, tool.parameters or {"type": "object", "properties": {}}) for tool in tools}
    return [
        {"type": "function", "function": {"name": name, "description": about, "parameters": dict(parameters)}}
        for name, (about, parameters) in {**_OWN, **given}.items()
    ]


class ModelReply:
    """Reads the answer. Feed bytes as they come and speak the sentences it gives; `answer` when the body is complete.

    `feed` and `answer` raise ValueError for what is no chat answer.
    """

    def __init__(self, content_type: str, tools: tuple[CustomTool, ...] = ()) -> None:
        self._streams = content_type.partition(";")[0].strip().lower() == "text/event-stream"
        self._custom = frozenset(tool.name for tool in tools)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._pending = ""  # text that is not yet understood
        self._words = ""  # that are not yet a sentence
        self._tools: dict[int, list[str]] = {}  # name and arguments by index
        self._size = 0
        self._understood = False

    def feed(self, data: bytes) -> list[str]:
        """Take bytes, cut anywhere; give the sentences that are complete now."""
        self._take(self._decoder.decode(data))
        return self._sentences()

    def answer(self) -> tuple[str, HostedAnswer]:
        """Give the words that come before a tool is called, and the answer."""
        self._take(self._decoder.decode(b"", final=True))
        if self._streams:
            self._line(self._pending)
        else:
            self._object(_parsed(self._pending), "message")
        if not self._understood:
            raise ValueError("its answer has no choices: is this an OpenAI-compatible URL?")
        say, tool, digits, action = self._words.strip(), None, "", None
        for _, (name, text) in sorted(self._tools.items()):
            arguments = _parsed(text or "{}")
            if not isinstance(arguments, dict):
                raise ValueError(f"its arguments for {name!r} are no JSON object")  # noqa: TRY004 - bad bytes
            if name in self._custom or name not in _OWN:
                tool = tool or ToolUse(name=name, arguments=arguments)
            elif name == PRESS_DIGITS:
                digits += str(arguments.get("digits", ""))
            else:
                action = "hangup" if name == END_CALL else "transfer"
        try:
            answer = HostedAnswer(say="" if tool else say, tool=tool, digits=digits, action=action)
        except UsageError as error:
            raise ValueError(str(error)) from error
        return (say if tool else ""), answer

    def _take(self, text: str) -> None:
        self._size += len(text)
        if self._size > MAX_REPLY:
            raise ValueError(f"its answer is longer than {MAX_REPLY} characters")
        self._pending += text
        if self._streams:
            *lines, self._pending = self._pending.split("\n")
            for line in lines:
                self._line(line)

    def _line(self, line: str) -> None:
        name, _, value = line.strip().partition(":")
        if name == "data" and value.strip() not in ("", "[DONE]"):
            self._object(_parsed(value), "delta")

    def _object(self, whole: Any, part: str) -> None:
        choices = whole.get("choices") if isinstance(whole, dict) else None
        if not isinstance(choices, list):
            if isinstance(whole, dict) and whole.get("error"):
                raise ValueError(f"it answered an error: {json.dumps(whole['error'])[:200]}")
            return
        self._understood = True
        said = choices[0].get(part) if choices and isinstance(choices[0], dict) else None
        if not isinstance(said, dict):
            return
        if isinstance(said.get("content"), str):
            self._words += said["content"]
        calls = said.get("tool_calls")
        for place, call in enumerate(calls if isinstance(calls, list) else []):
            function = call.get("function") if isinstance(call, dict) else None
            if isinstance(function, dict):
                index = call.get("index")
                known = self._tools.setdefault(index if isinstance(index, int) else place, ["", ""])
                known[0] += _text(function.get("name"))
                known[1] += _text(function.get("arguments"))

    def _sentences(self) -> list[str]:
        """Take whole sentences out of the words; what may still go on is kept."""
        found = []
        while (end := _SENTENCE_END.search(self._words)) is not None:
            sentence, self._words = self._words[: end.end()].strip(), self._words[end.end() :]
            if sentence:
                found.append(sentence)
        return found


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError(f"its answer is not JSON: {text[:80]!r}") from None
