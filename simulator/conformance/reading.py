"""The answer to a voice turn, understood as the platform understands it, with the moment of each chunk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
