from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.engine.markup import strip_markup
from tests.helpers.engine import unhurried


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("One <function_call>{}</function_call> two", "One two"),
        ("<function_calls><invoke name='f'><parameter name='x'>1</parameter></invoke></function_calls>Done.", "Done."),
        ("<tool_call>\n{\"name\": \"f\"}\n</tool_call>\n\nIt's on its way.", "It's on its way."),
        ("<tool_calls>[]</tool_calls> Yes", "Yes"),
        ("Sure. <tool_use id=\"1\">f</tool_use>", "Sure."),
        ("<invoke name=\"f\">x</invoke>A<invoke name=\"g\">y</invoke>B", "A B"),
        ("<think>They want a refund.</think> I can refund that.", "I can refund that."),
        ("<thinking>\nhm\n</thinking>Hello", "Hello"),
        ("<function=look_up>{\"id\": 1}</function> One moment", "One moment"),
        ("<x:function_calls>a</x:function_calls>Hi", "Hi"),
        ("<tool_results>ok</tool_results>Hi", "Hi"),
        ("Look: ```tool_code\nprint(1)\n``` there", "Look: there"),
        ("Hi ```tool_call {} ```!", "Hi!"),
        ("A [TOOL_CALL] {x} [/TOOL_CALL] B", "A B"),
        ("A [TOOL_CALLS] [{\"name\": 1}]", "A"),
        ("Bye.<|im_end|>", "Bye."),
        ("<|assistant|>Hello<|eot_id|> you", "Hello you"),
        ("Hello <｜tool▁calls▁begin｜> you", "Hello you"),
        ("Hello <tool_call/> you", "Hello you"),
        ("Hello <invoke name='f' /> you", "Hello you"),
        ("Hello</function_call> you", "Hello you"),
        ("Wait <function_call>{\"name\": \"f\"", "Wait"),
        ("Wait <function_call", "Wait"),
        ("Wait </tool_call", "Wait"),
        ("Wait ```tool_code\nprint(1)", "Wait"),
        ("Wait <tool_call>a<tool_call>b</tool_call> there", "Wait there"),
        ("<FUNCTION_CALL>x</Function_Call >Hi", "Hi"),
        ("Really <think>?</think>? Yes <think>,</think>, so", "Really? Yes, so"),
        ("<tool_call>x</tool_call>", ""),
        ("  two   spaces <think/>  close   up ", "two spaces close up"),
    ],
)  # fmt: skip
def test_markup_is_taken_out(text: str, spoken: str) -> None:
    assert strip_markup(text) == spoken


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  spaces   stay ",
        "3 < 4 and 5 > 4",
        "<b>bold</b>",
        "I <3 you",
        "a functional <functional> test",
        "press [1] or [TOOLS]",
        "```python\nprint(1)\n```",
        "a | b <| c |> d",
        "think about it, invoke it",
    ],
)
def test_other_text_is_left_as_it_is(text: str) -> None:
    assert strip_markup(text) == text


@pytest.mark.parametrize(
    "piece",
    [
        "<",
        "<<",
        "</",
        "<invoke ",
        "<invoke a=",
        "<think>",
        "</think",
        "</think         ",
        "<think></thin",
        "<tool_call",
        "<aaaaaaaaaaaaaaaaaaaaa:",
        "[TOOL_CALL]",
        "[TOOL_CALL",
        "```tool_code",
        "```",
        "<|",
        "<|a",
        "<|a|",
        "a <think/> ",
        "<think>x</think>",
        " ",
    ],
)
def test_two_hundred_kilobytes_take_no_longer_than_they_must(piece: str) -> None:
    text = (piece * (200_000 // len(piece) + 1))[:200_000]
    began = time.process_time()
    strip_markup(text)
    strip_markup(text + "x" * 1000)
    assert time.process_time() - began < 2  # seconds; a quadratic pattern needs minutes


MARKUP_PIECES = [
    "<think>",
    "</think>",
    "<invoke a>",
    "</invoke>",
    "<tool_call/>",
    "```tool_code",
    "```",
    "<|x|>",
    "a",
    " ",
]


@unhurried
@given(st.text() | st.lists(st.sampled_from(MARKUP_PIECES)).map("".join))
def test_what_is_left_is_made_of_what_was_there(text: str) -> None:
    spoken = strip_markup(text)
    assert set(spoken) <= set(text) | {" "}
    assert "<think>" not in spoken
    assert "</think>" not in spoken
    assert len(spoken) <= len(text)
