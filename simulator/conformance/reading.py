"""The answer to a voice turn, understood as the platform understands it, with the moment of each chunk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from simulator.domain.findings import FindingKind
from simulator.engine.chunks import Chunk, Problem
from simulator.engine.replies import decoder_for


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply in the order in which it came; times are seconds since the request was begun."""

    chunks: tuple[tuple[float, Chunk], ...]
    problems: tuple[Problem, ...]  # of the whole reply and of its chunks

    @property
    def text(self) -> str:
        """Everything that is spoken."""
        return " ".join(chunk.text for _, chunk in self.chunks if chunk.text)

    @property
    def kinds(self) -> frozenset[FindingKind]:
        """What is wrong with it."""
        return frozenset(problem.kind for problem in self.problems)

    @property
    def understood(self) -> bool:
        """Whether there is an object in it with a field that means something, `{"text": ""}` included."""
        return any(_means_something(chunk) for _, chunk in self.chunks)

    @property
    def first_word_at(self) -> float | None:
        """When there is something to speak."""
        return next((at for at, chunk in self.chunks if chunk.text), None)

    @property
    def final(self) -> Chunk | None:
        """The chunk that closes the turn."""
        return next((chunk for _, chunk in self.chunks if not chunk.interim), None)

    @property
    def acts(self) -> bool:
        """Whether it speaks, presses keys, transfers or hangs up."""
        return any(chunk.text or chunk.digits or chunk.transfer or chunk.hangup for _, chunk in self.chunks)

    @property
    def longest_gap(self) -> float:
        """The longest time between two chunks; 0.0 when there are not two."""
        times = [at for at, _ in self.chunks]
        return max((later - sooner for sooner, later in pairwise(times)), default=0.0)


def _means_something(chunk: Chunk) -> bool:
    return all(problem.kind is not FindingKind.NOTHING_TO_SAY for problem in chunk.problems)


def read_reply(status: int, content_type: str, pieces: Sequence[tuple[float, bytes]], *, complete: bool) -> Reply:
    """Read an answer; `complete` says whether its end has come. Whatever it holds, nothing raises."""
    decoder = decoder_for(status, content_type)
    chunks: list[tuple[float, Chunk]] = []
    problems: list[Problem] = []

    def take(at: float) -> None:
        while (item := decoder.next_chunk()) is not None:
            if isinstance(item, Problem):
                problems.append(item)
            else:
                chunks.append((at, item))
                problems.extend(item.problems)

    at = 0.0
    for at, piece in pieces:
        decoder.feed(piece)
        take(at)
    if complete:
        decoder.end()
        take(at)
    return Reply(tuple(chunks), tuple(problems))
