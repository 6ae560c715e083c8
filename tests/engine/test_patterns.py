from __future__ import annotations

import re
import warnings

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from simulator.engine import patterns
from simulator.engine.patterns import SHORT, Pattern, pattern
from simulator.errors import UsageError


def followed(source: str, text: str) -> bool:
    """What the states say, whatever Python's engine would have been asked."""
    found = Pattern(source)
    return any(found._automaton.ends(text))


def python(source: str, text: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return re.search(source, text, re.IGNORECASE) is not None


ATOMS = [
    "a",
    "b",
    "B",
    ".",
    r"\d",
    r"\w",
    r"\b",
    r"\B",
    "^",
    "$",
    r"\A",
    r"\Z",
    "[ab]",
    "[^a]",
    r"[^\W1]",
    " ",
    "",
    "ß",
]
BITS = st.sampled_from([*ATOMS, "(?=a)", "(?!b)", "(?<=a)", "(?<!b)", "(?s:.)", "(?-i:a)", "(?m:^)", "(?m:$)", "ſ"])
SOURCES = st.recursive(
    BITS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=1, max_size=3).map(lambda ways: f"({'|'.join(ways)})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{,2}", "{2,}"])).map(
            lambda pair: f"(?:{pair[0]}){pair[1]}"
        ),
        inner.map(lambda some: f"(?={some})"),
        inner.map(lambda some: f"(?!{some})"),
    ),
    max_leaves=6,
)


@given(SOURCES, st.text(alphabet="abB1 \nßſs", max_size=8))
@example("(?=(?:a|b)*1)a", "ab1")
@example("(?!(?:a|b)*1)a", "ab1")
@example("(?<=ab)(?=1$)", "ab1")
@example("(a|b)+$", "ab\n")
@example("s", "ſ")
@example("", "")
def test_following_finds_what_python_finds(source: str, text: str) -> None:
    assert followed(source, text) == python(source, text)
    assert pattern(source).found_in(text) == python(source, text)


BOMBS = [
    "(a+)+$",
    "(a.|.a)*$x",
    "(a|aa)+$",
    "(.*)*x",
    "(.*a){20}$",
    r"(\w+\s?)*$x",
    "a?" * 200 + "a" * 200 + "$",
    ".*.*.*.*.*=",
    "(?=(a+)+$x)",
    "(([a-z])+.)+[A-Z]([a-z])+$1",
    "^(a?){100}a{100}$",
]


@pytest.mark.parametrize("source", BOMBS)
@pytest.mark.parametrize("length", [100, 3 * SHORT])
def test_no_pattern_takes_longer_than_its_text(source: str, length: int) -> None:
    # Python's own engine would need more steps than there are atoms; here the steps are counted, not timed.
    found = Pattern(source)
    if length < SHORT and found._few:
        pytest.fail("left to Python's engine")
    text = "a" * length + "!"
    assert len(list(found._automaton.ends(text))) == len(text) + 1
    assert found.found_in(text) is False


@pytest.mark.parametrize(
    ("source", "few"),
    [
        ("hello", True),
        ("yes|yeah|yep", True),
        (r"order \d+", True),
        ("shipped.*today", True),
        (r"\b(mon|tues|wednes)day\b", True),
        ("(abc)+", True),
        ("a{1000}", True),
        (".*.*", False),
        ("(a*)*", False),
        ("(ab|cd)*", False),
        ("a?" * 20, False),
    ],
)
def test_pythons_engine_is_asked_where_the_ways_are_few(source: str, few: bool) -> None:
    assert Pattern(source)._few is few


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("(", "not a regular expression"),
        ("a{99999999999}", "not a regular expression"),
        (r"(a)\1", "groupref"),
        ("(a)?(?(1)b|c)", "groupref exists"),
        ("(?>a+)b", "atomic group"),
        ("a++b", "possessive repeat"),
        ("(a{1000}){1000}", "more than 5000 parts"),
        ("((a{100}){100}){100}", "more than 5000 parts"),
        ("(" * 5000 + ")" * 5000, "recursion"),
    ],
)
def test_what_cannot_be_followed_is_refused_with_the_reason(source: str, why: str) -> None:
    with pytest.raises(UsageError, match=re.escape(why)):
        Pattern(source)


def test_a_warning_about_the_pattern_is_no_failure() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Pattern("[[a]").found_in("a") is True


def test_what_is_remembered_is_bounded() -> None:
    found = Pattern("(.|x)*y")
    list(found._automaton.ends("".join(map(chr, range(0x4E00, 0x4E00 + 50_000)))))
    assert len(found._automaton._steps) * len(found._automaton._next) <= patterns.MAX_KEPT
