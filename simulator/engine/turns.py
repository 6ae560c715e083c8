"""The handler's side of a call: turns opened, replies read, and what to make of those that go wrong.

A turn's `CloseTurn` is emitted once, at the moment no more words can come: at the final chunk, at the end of a reply
without one (policy `missing_final`), at the failure, or when the call ends. What came until then is still spoken; the
turn is DRAINING meanwhile, and the floor becomes free after the last of it. A request may outlive its turn's
`CloseTurn`, when the handler goes on after its final chunk: it is left to end by itself, but cancelled when the next
turn opens or the call ends.

A turn that the remote party interrupts is CLOSED at once, and nothing more of its reply is spoken. Its request is
cancelled with it; or it becomes the former request (policy `overlapping_turns`), which runs beside the next turn's. Its
`CloseTurn` comes when that request ends, which is after the webhook's timeout at the latest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from simulator.domain.findings import FindingKind
from simulator.domain.policy import Policies
from simulator.engine.board import Board
from simulator.engine.call_states import Timer, TurnEnd, TurnInput, TurnState
from simulator.engine.chunks import MAX_SAMPLE, Chunk, Problem
from simulator.engine.effects import CancelTurn, CloseTurn, NoteChunk, OpenTurn, ReportFinding, ResendTurn
from simulator.engine.events import ReplyBytes, ReplyEnded, ReplyFailed, ReplyStarted
from simulator.engine.replies import JsonDecoder, RefusalDecoder, ReplyDecoder, decoder_for
from simulator.engine.voice import AgentVoice

ReplyEvent = ReplyStarted | ReplyBytes | ReplyEnded | ReplyFailed

# A megabyte of bad lines is one mistake, not half a million findings.
MAX_FINDINGS_OF_A_KIND: Final = 20

# The states in which words may still come, or the request may still be answered.
_OPEN: Final = frozenset({TurnState.AWAITING, TurnState.STARTED, TurnState.STREAMING, TurnState.READ})

# Problems of a whole reply: no words come after them.
_ENDS: Final[Mapping[FindingKind, TurnEnd]] = {
    FindingKind.MISSING_FINAL: TurnEnd.MISSING_FINAL,
    FindingKind.REPLY_TOO_LONG: TurnEnd.EMPTY,
    FindingKind.REPLY_EMPTY: TurnEnd.EMPTY,
    FindingKind.REPLY_NOT_JSON: TurnEnd.EMPTY,
    FindingKind.REPLY_NOT_OBJECT: TurnEnd.EMPTY,
}
_BAD_LINES: Final = frozenset({FindingKind.CHUNK_NOT_JSON, FindingKind.CHUNK_NOT_OBJECT})


@dataclass(slots=True)
class _Turn:
    """The latest turn. `requesting`: its request is in flight; `reading`: its reply is still being decoded."""

    id: str
    timeout: timedelta
    resends_left: int
    requesting: bool = True
    reading: bool = True
    http_status: int = 0
    decoder: ReplyDecoder = field(default_factory=lambda: JsonDecoder(""))
    findings: Counter[FindingKind] = field(default_factory=Counter)

    def answered(self, event: ReplyStarted) -> None:
        """Take note of the status and the headers, which say how to read what follows."""
        self.http_status = event.http_status
        self.decoder = decoder_for(event.http_status, event.content_type)
        self.reading = True

    @property
    def refused(self) -> bool:
        """Whether the answer's status is outside 2xx, so that its body is no reply."""
        return isinstance(self.decoder, RefusalDecoder)


class Turns:
    """Opens a call's turns and reads their replies.

    At most one turn is open. At most one request is in flight, and beside it, by policy, that of a former turn.
    """

    __slots__ = ("_board", "_count", "_former", "_latest", "_policies", "_voice")

    def __init__(self, board: Board, voice: AgentVoice, policies: Policies) -> None:
        self._board = board
        self._voice = voice
        self._policies = policies
        self._count = 0
        self._latest = _Turn("", timedelta(), 0, requesting=False)
        self._former: _Turn | None = None

    @property
    def next_id(self) -> str:
        """The id that the next turn will have."""
        return str(self._count + 1)

    def open(self, transcript: str, confidence: float, timeout: timedelta) -> None:
        """Open a turn. A request that outlived its turn is cancelled first, so that replies never overlap."""
        self._leave_request()
        self._board.states.move(TurnInput.OPENED)
        resends = 1 if self._policies["voice_turn_retry"] == "once" else 0
        self._latest = _Turn(self.next_id, timeout, resends)
        self._count += 1
        self._board.emit(OpenTurn(self._latest.id, transcript, confidence))
        self._board.start(Timer.REPLY, timeout)

    @property
    def open_id(self) -> str | None:
        """The turn of which words may still come; None when there is none."""
        return self._latest.id if self._open else None

    def interrupt(self) -> None:
        """Close the turn because the remote party takes the floor. What it still has to say won't be heard."""
        if self._board.states.turn is TurnState.CLOSED:
            return
        was_open = self._open
        self._board.states.move(TurnInput.CANCELLED)
        self._board.stop(Timer.REPLY)
        if was_open and self._latest.requesting and self._policies["overlapping_turns"] == "overlap":
            self.give_up_former()
            self._former, self._latest = self._latest, _Turn("", timedelta(), 0, requesting=False)
            self._board.start(Timer.FORMER, self._former.timeout)
        elif was_open:
            self._cancel_request(self._latest)
            self._board.emit(CloseTurn(self._latest.id, TurnEnd.INTERRUPTED))

    def give_up_former(self) -> None:
        """End the request of an interrupted turn, if one still runs, and close its turn."""
        turn, self._former = self._former, None
        if turn is not None:
            self._board.stop(Timer.FORMER)
            self._cancel_request(turn)
            self._board.emit(CloseTurn(turn.id, TurnEnd.INTERRUPTED))

    def cancel(self) -> None:
        """Close the turn because the call ends, and its request with it."""
        self.give_up_former()
        still_open = self._open
        self._leave_request()
        if still_open:
            self._board.emit(CloseTurn(self._latest.id, TurnEnd.CANCELLED))

    def handle(self, event: ReplyEvent) -> None:
        """Take in a piece of a reply. A piece for a request that is not in flight came too late, and is ignored."""
        if self._former is not None and event.turn_id == self._former.id:
            self._handle_former(self._former, event)
            return
        if event.turn_id != self._latest.id or not self._latest.requesting:
            return
        match event:
            case ReplyStarted():
                self._started(event)
            case ReplyBytes():
                self._bytes(event.data)
            case ReplyEnded():
                self._ended()
            case _:  # ReplyFailed
                self._failed(event.error)

    def late(self) -> None:
        """Take note that the timer `reply` fired: the first byte, the next byte or the final chunk is overdue."""
        turn = self._latest
        seconds = f"{turn.timeout.total_seconds():g} s"
        if self._board.states.turn is TurnState.READ:
            self._complete(TurnEnd.MISSING_FINAL)
        elif turn.refused:
            self._flush()
        elif self._board.states.turn is TurnState.STREAMING:
            about = f"the reply stopped for {seconds} without a final chunk: send something while the work goes on"
            self._fail(TurnEnd.STALLED, Problem(FindingKind.REPLY_STALLED, about, turn.decoder.pending))
        else:
            about = f"no byte of the reply came within {seconds}: send an interim chunk at once, before the work"
            self._fail(TurnEnd.TIMED_OUT, Problem(FindingKind.REPLY_TIMED_OUT, about), again=True)

    def report(self, problem: Problem) -> None:
        """Report a finding about the latest turn; of one kind, no more than `MAX_FINDINGS_OF_A_KIND`."""
        self._report(self._latest, problem)

    def _report(self, turn: _Turn, problem: Problem) -> None:
        turn.findings[problem.kind] += 1
        count = turn.findings[problem.kind]
        if count <= MAX_FINDINGS_OF_A_KIND:
            more = " (more of these in this turn are left out)" if count == MAX_FINDINGS_OF_A_KIND else ""
            self._board.emit(ReportFinding(problem.kind, problem.message + more, turn.id, problem.sample))

    @property
    def _open(self) -> bool:
        return self._board.states.turn in _OPEN

    def _started(self, event: ReplyStarted) -> None:
        self._board.states.move(TurnInput.HEADERS)
        self._latest.answered(event)

    def _bytes(self, data: bytes) -> None:
        if not data:
            return
        if self._open:
            self._board.states.move(TurnInput.BYTES)
        self._latest.decoder.feed(data)
        self._read()
        if self._board.states.turn is TurnState.STREAMING:
            self._board.start(Timer.REPLY, self._latest.timeout)

    def _ended(self) -> None:
        was_open = self._open
        if was_open:
            self._board.states.move(TurnInput.BODY_ENDED)
            self._board.stop(Timer.REPLY)
        self._latest.requesting = False
        self._flush()
        # Whatever ended the turn has done so by now. The timer runs again when the policy holds the turn open or the
        # turn was sent again; otherwise the reply was nothing but refused lines.
        if self._open and not self._board.runs(Timer.REPLY):
            self._complete(TurnEnd.EMPTY)

    def _failed(self, error: str) -> None:
        turn = self._latest
        turn.requesting = False
        if turn.refused or not self._open:
            self._flush()
        elif self._board.states.turn is TurnState.STREAMING:
            about = f"the reply broke off before its end ({error}): only what had come as whole chunks is spoken"
            self._fail(TurnEnd.FAILED, Problem(FindingKind.REPLY_BROKEN, about, turn.decoder.pending))
        else:
            about = f"no reply could be had ({error}): is the handler running, and is its URL right?"
            self._fail(TurnEnd.FAILED, Problem(FindingKind.REPLY_UNREACHABLE, about), again=True)

    def _flush(self) -> None:
        self._latest.decoder.end()
        self._read()

    def _read(self) -> None:
        turn = self._latest
        while turn.reading and (item := turn.decoder.next_chunk()) is not None:
            if isinstance(item, Chunk):
                self._take_chunk(item)
            else:
                self._take_problem(item)

    def _take_chunk(self, chunk: Chunk) -> None:
        turn_id = self._latest.id
        self._board.emit(NoteChunk(turn_id, chunk.text, chunk.interim, chunk.raw))
        for problem in chunk.problems:
            self.report(problem)
        self._voice.follow(chunk, turn_id)
        if not chunk.interim:
            self._complete(TurnEnd.FINAL)

    def _take_problem(self, problem: Problem) -> None:
        if problem.kind is FindingKind.REPLY_HTTP_ERROR:
            self._fail(TurnEnd.FAILED, problem, again=self._latest.http_status >= 500)
            return
        self.report(problem)
        if problem.kind is FindingKind.MISSING_FINAL and self._policies["missing_final"] == "wait_timeout":
            self._board.start(Timer.REPLY, self._latest.timeout)
        elif problem.kind in _ENDS:
            self._complete(_ENDS[problem.kind])
        elif problem.kind in _BAD_LINES and self._policies["malformed_line"] == "end_turn":
            self._complete(TurnEnd.EMPTY)

    def _fail(self, how: TurnEnd, problem: Problem, *, again: bool = False) -> None:
        """Give the turn up, or send it again where the policy allows it (`again`: the failure is one of that kind)."""
        turn = self._latest
        self.report(problem)
        if not (again and turn.resends_left):
            self._complete(how)
            return
        self._board.states.move(TurnInput.RESENT)
        self._cancel_request(self._latest)
        turn.resends_left -= 1
        turn.decoder = JsonDecoder("")
        turn.requesting = True
        self._board.emit(ResendTurn(turn.id))
        self._board.start(Timer.REPLY, turn.timeout)

    def _complete(self, how: TurnEnd) -> None:
        """No more words will come. Only after a final chunk may the request live on, to see what it still sends."""
        self._board.states.move(TurnInput.COMPLETED)
        self._board.stop(Timer.REPLY)
        if how is not TurnEnd.FINAL:
            self._cancel_request(self._latest)
        self._board.emit(CloseTurn(self._latest.id, how))

    def _leave_request(self) -> None:
        """Cancel the request if it is in flight. What came after its final chunk is reported even if half a line."""
        if self._latest.requesting and not self._open:
            self._flush()
        self._cancel_request(self._latest)

    def _cancel_request(self, turn: _Turn) -> None:
        turn.reading = False
        if turn.requesting:
            turn.requesting = False
            self._board.emit(CancelTurn(turn.id))

    # --- the former turn ---

    def _handle_former(self, turn: _Turn, event: ReplyEvent) -> None:
        """Read on, so that what the handler does is seen; nothing of it is spoken or done."""
        match event:
            case ReplyStarted():
                turn.answered(event)
            case ReplyBytes():
                turn.decoder.feed(event.data)
                self._read_former(turn)
            case _:  # ReplyEnded, ReplyFailed
                turn.decoder.end()
                self._read_former(turn)
                turn.requesting = False
                self.give_up_former()

    def _read_former(self, turn: _Turn) -> None:
        while (item := turn.decoder.next_chunk()) is not None:
            if isinstance(item, Problem):
                if item.kind is not FindingKind.MISSING_FINAL:  # to stop in mid-stream is the right thing to do here
                    self._report(turn, item)
                continue
            self._board.emit(NoteChunk(turn.id, item.text, item.interim, item.raw))
            if item.text and not turn.findings[FindingKind.WORDS_AFTER_INTERRUPTION]:
                about = "the reply goes on although the caller interrupted it: stop when a newer turn of the call comes"
                self._report(turn, Problem(FindingKind.WORDS_AFTER_INTERRUPTION, about, item.raw[:MAX_SAMPLE]))
