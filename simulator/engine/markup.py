"""Tool-call markup that language models leak into their words, and how it is kept out of speech.

Every pattern here is linear: an opening is found by one forward scan, its end by another that starts where the first
stopped, and no stretch of text is looked at by more than one of each. A handler can't make us slow with 200 KB of "<".
"""

from __future__ import annotations

import re
from typing import Final

# An element goes with everything in it. An end tag without its start goes alone.
_ELEMENTS: Final = (
    "function_calls?",
    "function_results?",
    "function",
    "tool_calls?",
    "tool_code",
    "tool_outputs?",
    "tool_responses?",
    "tool_results?",
    "tool_use",
    "invoke",
    "parameter",
    "thinking",
    "think",
)
_NAME: Final = rf"(?:[a-z]{{1,20}}:)?(?P<name>{'|'.join(_ELEMENTS)})"

_OPENING: Final = re.compile(
    rf"""
      <{_NAME}(?P<attributes>(?:[\s=/][^<>]*)?)(?:>|\Z)   # <invoke name="x">, <tool_use/>; may lack its ">"
    | </(?:[a-z]{{1,20}}:)?(?:{"|".join(_ELEMENTS)})\s{{0,8}}(?:>|\Z)
    | (?P<fence>```(?:tool_code|tool_calls?|tool_outputs?|function_calls?)\b)
    | \[(?P<bracket>TOOL_CALLS?|TOOL_RESULTS?)\]
    | <[|｜][^<>|｜\s]{{1,64}}[|｜]>                         # special tokens: they hold nothing, so only they go
    """,
    re.IGNORECASE | re.VERBOSE,
)


def strip_markup(text: str) -> str:
    """Take tool-call markup out of `text` and close the gaps; text without any is returned as it is.

    Something opened and never closed is taken out to the end: better a word too few than an argument list read aloud.
    """
    kept: list[str] = []
    at = 0
    while opening := _OPENING.search(text, at):
        kept.append(text[at : opening.start()])
        at = _end(text, opening)
    if not at:
        return text
    kept.append(text[at:])
    return _joined(kept)


def _end(text: str, opening: re.Match[str]) -> int:
    """Say where the markup that begins with `opening` ends."""
    if opening["fence"]:
        ending = "```"
    elif opening["bracket"]:
        ending = rf"\[/{opening['bracket']}\]"
    elif opening["name"] and not opening["attributes"].endswith("/"):
        ending = rf"</(?:[a-z]{{1,20}}:)?{opening['name']}\s{{0,8}}(?:>|\Z)"
    else:
        return opening.end()
    closing = re.compile(ending, re.IGNORECASE).search(text, opening.end())
    return closing.end() if closing else len(text)


def _joined(parts: list[str]) -> str:
    """Join what is left with single spaces, none before punctuation."""
    words: list[str] = []
    for part in parts:
        tidy = " ".join(part.split())
        if words and tidy and tidy[0] not in ".,;:!?…":
            words.append(" ")
        words.append(tidy)
    return "".join(words).strip()
