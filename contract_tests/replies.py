"""The voice replies of `fixtures/ndjson`: bodies a handler may send, and what is to be made of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parent.parent / "fixtures" / "ndjson"
TRUST: Final = frozenset({"doc", "off", "usr-live", "usr", "inf"})


@dataclass(frozen=True, slots=True)
class Reply:
    """One fixture. `chunks` have the fields that are set, `findings` are kinds in their order."""

    name: str
    status: int
    content_type: str
    body: bytes
    chunks: tuple[Mapping[str, Any], ...]
    findings: tuple[str, ...]
    end: str
    source: str
    trust: str

    def __str__(self) -> str:
        return self.name


def load() -> list[Reply]:
    """Every reply of every file, in their order."""
    return [_reply(row) for path in sorted(FOLDER.glob("*.json")) for row in _rows(path)]


def cut(body: bytes, places: Iterable[int]) -> list[bytes]:
    """Cut a body at these places."""
    edges = [0, *sorted(places), len(body)]
    return [body[start:end] for start, end in pairwise(edges)]


def per_line(body: bytes) -> list[bytes]:
    """Cut a body after every newline."""
    return body.splitlines(keepends=True)


def per_byte(body: bytes) -> list[bytes]:
    """Cut a body at every byte."""
    return [body[at : at + 1] for at in range(len(body))]


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    yield from json.loads(path.read_text(encoding="utf-8"))["replies"]


def _reply(row: dict[str, Any]) -> Reply:
    row["body"] = b"".join(map(_piece, row["body"]))
    return Reply(**row | {"chunks": tuple(row["chunks"]), "findings": tuple(row["findings"])})


def _piece(piece: str | Mapping[str, Any]) -> bytes:
    if isinstance(piece, str):
        return piece.encode()
    if "hex" in piece:
        return bytes.fromhex(piece["hex"])
    return str(piece["repeat"]).encode() * int(piece["times"])
