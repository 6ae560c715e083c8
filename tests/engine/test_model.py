from __future__ import annotations

import contextlib
import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.domain.agents import CustomTool
from simulator.domain.calls import Party
from simulator.domain.hosted import HostedAnswer, HostedTurn, ToolResult, ToolUse
from simulator.engine.model import MAX_REPLY, ModelReply, request_body

BOOK = CustomTool(name="book", description="Books a day", url="http://127.0.0.1/", parameters={"type": "object"})
SSE, JSON = "text/event-stream; charset=utf-8", "application/json"
SAID = "Grüezi! That is 3.50 a kilo. Anything else"


def turn(**more: Any) -> HostedTurn:
    return HostedTurn(call_id="c", agent_name="Ann", prompt="Be kind", variables={}, number=2, heard="Hi", **more)


def calling(name: str, arguments: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "arguments": arguments}}


def whole(content: str | None = None, *calls: dict[str, Any]) -> bytes:
    return json.dumps({"choices": [{"message": {"content": content, "tool_calls": list(calls)}}]}).encode()


def stream(*deltas: dict[str, Any], end: str = "\n\n") -> bytes:
    lines = [f"data: {json.dumps({'choices': [{'delta': delta}]}, ensure_ascii=False)}{end}" for delta in deltas]
    return "".join([": hello", end, *lines, "data: [DONE]", end]).encode()


def read(body: bytes, kind: str = JSON, cuts: tuple[int, ...] = ()) -> tuple[list[str], str, HostedAnswer]:
    reply, said, places = ModelReply(kind, (BOOK,)), list[str](), [0, *sorted(cuts), len(body)]
    for begin, end in itertools.pairwise(places):
        said += reply.feed(body[begin:end])
    first, answer = reply.answer()
    return said, first, answer


def test_a_request_has_the_prompt_the_history_the_words_and_the_results() -> None:
    use = ToolUse(name="book", arguments={"day": "Monday"})
    told = turn(
        history=((Party.AGENT, "Hello"), (Party.REMOTE, "Yes")),
        results=(ToolResult(use=use, worked=True, text="ten"),),
    )
    sent = json.loads(request_body(told, (BOOK,), "m"))
    *before, asked, answered = sent["messages"]
    assert [(m["role"], m["content"]) for m in before] == [
        ("system", "Be kind"), ("assistant", "Hello"), ("user", "Yes"), ("user", "Hi"),
    ]  # fmt: skip
    assert asked["tool_calls"][0]["function"] == {"name": "book", "arguments": '{"day": "Monday"}'}
    assert (answered["content"], answered["tool_call_id"]) == ("ten", asked["tool_calls"][0]["id"])
    names = [tool["function"]["name"] for tool in sent["tools"]]
    assert names == ["end_call", "transfer_call", "press_digits", "book"]


def test_a_custom_tool_may_have_the_name_of_one_of_ours() -> None:
    own = CustomTool(name="end_call", description="Mine", url="http://127.0.0.1/")
    sent = json.loads(request_body(turn(), (own,), "m"))
    assert [t["function"]["description"] for t in sent["tools"] if t["function"]["name"] == "end_call"] == ["Mine"]
    reply = ModelReply(JSON, (own,))
    reply.feed(whole(None, calling("end_call", "{}")))
    assert reply.answer()[1].tool == ToolUse(name="end_call")


@given(st.lists(st.integers(0, 400), max_size=8), st.sampled_from(["\n\n", "\r\n\r\n"]))
def test_a_stream_says_the_same_wherever_it_is_cut(cuts: list[int], end: str) -> None:
    pieces = [{"content": SAID[i : i + 5]} for i in range(0, len(SAID), 5)]
    body = stream({"role": "assistant"}, *pieces, end=end)
    said, first, answer = read(body, SSE, tuple(min(cut, len(body)) for cut in cuts))
    assert (said, first) == (["Grüezi!", "That is 3.50 a kilo."], "")
    assert answer == HostedAnswer(say="Anything else")


def test_a_plain_answer_is_said_at_its_end() -> None:
    assert read(whole("Hello. You")) == ([], "", HostedAnswer(say="Hello. You"))


def test_a_tool_call_comes_in_pieces() -> None:
    pieces = [
        {"content": "Let me see"},
        {"tool_calls": [{"index": 0, "function": {"name": "book", "arguments": '{"day":'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '"Monday"}'}}]},
    ]
    said, first, answer = read(stream(*pieces), SSE)
    assert (said, first, answer) == (
        [],
        "Let me see",
        HostedAnswer(tool=ToolUse(name="book", arguments={"day": "Monday"})),
    )


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        (calling("end_call", ""), HostedAnswer(say="Bye", action="hangup")),
        (calling("transfer_call", "{}"), HostedAnswer(say="Bye", action="transfer")),
        (calling("press_digits", '{"digits": "12#"}'), HostedAnswer(say="Bye", digits="12#")),
    ],
)
def test_what_can_be_done_to_a_call_is_done_after_the_words(call: dict[str, Any], answer: HostedAnswer) -> None:
    assert read(whole("Bye", call)) == ([], "", answer)


@pytest.mark.parametrize(
    ("body", "kind", "about"),
    [
        (b"", JSON, "not JSON"),
        (b"<html>", JSON, "not JSON"),
        (b"[" * 100_000, JSON, "not JSON"),
        (b"{}", JSON, "OpenAI-compatible"),
        (b"[]", JSON, "OpenAI-compatible"),
        (b'{"error": {"message": "busy"}}', JSON, "busy"),
        (b"data: {oops\n\n", SSE, "not JSON"),
        (b"", SSE, "OpenAI-compatible"),
        (whole(None, calling("book", "[1]")), JSON, "no JSON object"),
        (whole(None, calling("book", "{")), JSON, "not JSON"),
        (b"x" * (MAX_REPLY + 1), JSON, "longer than"),
    ],
)
def test_what_is_no_answer_is_refused_in_words(body: bytes, kind: str, about: str) -> None:
    with pytest.raises(ValueError, match=about):
        read(body, kind)


ANYTHING = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda x: (
        st.lists(x, max_size=2)
        | st.dictionaries(
            st.sampled_from(["choices", "message", "delta", "content", "tool_calls", "function", "name", "index"]), x
        )
    ),
    max_leaves=10,
)


@given(ANYTHING, st.booleans())
def test_no_json_does_more_harm_than_a_refusal(value: Any, streams: bool) -> None:
    text = json.dumps({"choices": [value, {"message": value, "delta": value}]})
    with contextlib.suppress(ValueError):
        read(f"data: {text}\n".encode() if streams else text.encode(), SSE if streams else JSON)
