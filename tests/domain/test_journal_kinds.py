"""The table of kinds against the code that writes them: an `ast` walk, so that no kind is forgotten."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from simulator.domain.journal_kinds import COMMON, KINDS, kinds_of

PACKAGE: Final = Path(__file__).resolve().parents[2] / "simulator"
NAMES: Final = [kind.name for kind in KINDS]
PASSED_ON: Final = re.compile(r"_note|_note_text")  # functions that hand the kind they are given to the journal
OTHER_NOTES: Final = {"engine/player.py"}  # `_note` of the player is about speech
# Kinds whose last part is a value of something.
MADE: Final = {
    "registration.": {"submitted", "advanced", "approved", "rejected"},
    "whatsapp.template_": {"proposed", "approved", "rejected"},
}


def texts(node: ast.expr, tree: ast.Module) -> Iterator[str]:
    """The kinds that an argument may be; a name stands for what is assigned to it anywhere in the module."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=first, orelse=second):
            yield from (*texts(first, tree), *texts(second, tree))
        case ast.JoinedStr(values=[ast.Constant(value=str(beginning)), *_]):
            yield from (beginning + end for end in MADE[beginning])
        case ast.Name(id=name):
            for found in ast.walk(tree):
                if isinstance(found, ast.Assign) and ast.unparse(found.targets[0]) == name:
                    yield from texts(found.value, tree)


def written() -> Iterator[tuple[str, str, set[str]]]:
    """Every kind that is written, where, and the fields that are named there."""
    for path in sorted(PACKAGE.rglob("*.py")):
        tree, where = ast.parse(path.read_text("utf-8")), str(path.relative_to(PACKAGE))
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            function = ast.unparse(call.func)
            last = function.rpartition(".")[2]
            if not (function.endswith("journal.append") or PASSED_ON.fullmatch(last)) or where in OTHER_NOTES:
                continue
            named = {word.arg for word in call.keywords if word.arg}
            for argument in call.args[:2]:
                yield from ((where, kind, named) for kind in texts(argument, tree))


def test_every_kind_that_is_written_is_in_the_table() -> None:
    seen = list(written())
    assert len(seen) > 60
    assert [(where, kind) for where, kind, _ in seen if kind not in NAMES] == []


def test_every_kind_of_the_table_is_written() -> None:
    assert set(NAMES) - {kind for _, kind, _ in written()} == set()


def test_every_field_that_is_named_where_a_kind_is_written_is_in_the_table() -> None:
    fields = {kind.name: set(kind.fields) for kind in KINDS}
    assert [(where, kind, named - fields[kind]) for where, kind, named in written() if named - fields[kind]] == []


def test_the_table_is_in_order_and_says_everything_once() -> None:
    assert sorted(set(NAMES)) == NAMES
    for kind in KINDS:
        assert len(kind.fields) == len(set(kind.fields))
        assert kind.objects <= set(kind.fields)
        assert not set(COMMON) & set(kind.fields)


@pytest.mark.parametrize(
    ("word", "first", "number"),
    [
        ("call.ended", "call.ended", 1),
        ("delivery", "delivery.attempt", 4),
        ("delivery.", "delivery.attempt", 4),
        (" barge_in ", "barge_in", 1),
        ("del", None, 0),
        ("delivery.att", None, 0),
        ("", None, 0),
    ],
)
def test_a_word_stands_for_a_kind_or_for_all_that_begin_with_it(word: str, first: str | None, number: int) -> None:
    found = kinds_of(word)
    assert (found[0].name if found else None, len(found)) == (first, number)
