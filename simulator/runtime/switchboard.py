"""Live calls: feeds events to their engines and carries out the effects, in order, deciding nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from simulator.domain.calls import Call, Party, Tones, Utterance
from simulator.domain.findings import Finding
from simulator.domain.webhooks import WebhookEndpoint
from simulator.engine import effects as fx
from simulator.engine.call import CallEngine, CallSetup
from simulator.engine.call_states import Timer, TurnEnd
from simulator.engine.events import (
    Answered,
    CallEvent,
    Dialled,
    ReplyBytes,
    ReplyFailed,
    ReplyStarted,
    TimerFired,
)
from simulator.engine.hosted import REPLY_TIMEOUT
from simulator.engine.speech import tones_duration
from simulator.runtime.deliver import Sender
from simulator.runtime.hosted import TIMER as HOSTED_TIMER
from simulator.runtime.hosted import Host, HostedCall
from simulator.runtime.live_calls import CallImage, LiveCall
from simulator.runtime.outbox import Outbox
from simulator.runtime.pacer import CALL_TIMER, Pacer
from simulator.runtime.turns import Turn, outcome_of, post_turn, text_of
from simulator.settings import Settings
from simulator.world import calls, notices, webhooks
from simulator.world.world import World

SAMPLE_LIMIT = 1024  # bytes of a bad reply that a finding keeps: enough to recognise it
BODY_LIMIT = 4096  # bytes of a reply that its delivery record keeps


class Switchboard:
    """Every live call of one account."""

    def __init__(self, world: World, pacer: Pacer, sender: Sender, outbox: Outbox, settings: Settings) -> None:
        self._world = world
        self._pacer = pacer
        self._sender = sender
        self._outbox = outbox
        self._host = Host(
            world=world,
            pacer=pacer,
            sender=sender,
            settings=settings,
            feed=self.feed,
            report=lambda call_id, finding: self._report(self.live[call_id], finding, pacer.clock.now()),
        )
        self.live: dict[str, LiveCall] = {}
        self._perform: dict[type, Callable[[LiveCall, Any, datetime], None]] = {
            fx.StartTimer: self._start_timer,
            fx.StopTimer: self._stop_timer,
            fx.ConnectCall: self._connect,
            fx.StartSpeech: self._start_speech,
            fx.OpenTurn: self._open_turn,
            fx.ResendTurn: self._resend_turn,
            fx.CancelTurn: self._cancel_turn,
            fx.CloseTurn: self._close_turn,
            fx.NoteChunk: self._note_chunk,
            fx.Play: self._play,
            fx.PlayDigits: self._play_digits,
            fx.StopPlayback: self._stop_playback,
            fx.NoteDigits: self._note_digits,
            fx.AppendTranscript: self._append,
            fx.NoteBeep: self._note_beep,
            fx.NoteBargeIn: self._barge_in,
            fx.ReportFinding: self._report,
            fx.NoteStep: self._step,
            fx.NoteScriptFailed: self._script_failed,
            fx.NoteScriptDone: self._script_done,
            fx.EndCall: self._end,
        }

    # -- from outside ------------------------------------------------------------------------------------------

    def start(self, call: Call, setup: CallSetup, *, held: bool) -> None:
        """Ring the callee's phone."""
        live = LiveCall(id=call.id, agent_id=call.agent_id, engine=CallEngine(setup), held=held)
        live.hosted = HostedCall(self._host, call) if call.hosted else None
        self.live[call.id] = live
        if held:
            self._pacer.hold()
        self.feed(call.id, Dialled())

    def join(self, call_id: str, setup: CallSetup, *, held: bool) -> None:
        """Somebody takes a web call that waits for them; who they are was not known when it began to ring."""
        live = self.live[call_id]
        if live.held and not held:
            self._pacer.release()
        elif held and not live.held:
            self._pacer.hold()
        live.engine, live.held = CallEngine(setup), held
        if live.hosted is not None:  # what the agent says may have been settled since
            live.hosted = HostedCall(self._host, self._world.calls[call_id])
        self.feed(call_id, Dialled())
        self.feed(call_id, Answered())

    def feed(self, call_id: str, event: CallEvent) -> bool:
        """Give the call's engine one event; False when the call is over."""
        live = self.live.get(call_id)
        if live is None:
            return False
        live.engine.turn_timeout = self._turn_timeout(live)
        clock = self._pacer.clock
        now = clock.now()
        with clock.at(now):  # what follows from the event takes us time, but none of the call's
            for effect in live.engine.handle(event, now):
                self._perform[type(effect)](live, effect, now)
        self._pacer.arm()
        return True

    def fire(self, call_id: str, name: str) -> None:
        """A timer of this call is due."""
        live = self.live.get(call_id)
        if name == HOSTED_TIMER and live is not None and live.hosted is not None:
            live.hosted.fire()
        else:
            self.feed(call_id, TimerFired(name))

    def image(self) -> tuple[CallImage, ...]:
        """Every live call as it is now. No request of theirs may be in flight."""
        return tuple(map(CallImage.of, self.live.values()))

    def revive(self, images: Iterable[CallImage]) -> None:
        """Go on with calls from where their images were made; their timers are somebody else's."""
        for image in images:
            live = self.live[image.id] = image.revived()
            if image.double is not None:
                live.hosted = HostedCall(self._host, self._world.calls[image.id], image.double.copy())
            if image.held:
                self._pacer.hold()

    def hang_up_all(self) -> None:
        """Forget every live call without ceremony (reset)."""
        for live in tuple(self.live.values()):
            self._forget(live)

    # -- effects: time -----------------------------------------------------------------------------------------

    def _start_timer(self, live: LiveCall, effect: fx.StartTimer, now: datetime) -> None:
        key = (self._world.account_id, CALL_TIMER, live.id, effect.name)
        before = self._pacer.timers.deadline(key)
        due = self._pacer.start_timer(key, effect.delay)
        if due != before:  # a reply that comes in two pieces at one instant is the same as one that comes in one
            self._note("timer.started", now, live, timer=effect.name, due=due.isoformat())

    def _stop_timer(self, live: LiveCall, effect: fx.StopTimer, _now: datetime) -> None:
        self._pacer.timers.stop((self._world.account_id, CALL_TIMER, live.id, effect.name))

    # -- effects: the leg --------------------------------------------------------------------------------------

    def _connect(self, live: LiveCall, _effect: fx.ConnectCall, now: datetime) -> None:
        call = calls.connect(self._world, live.id, now)
        live.ear.entry("call.connected", {}, now)
        self._outbox.notify(notices.for_call_started(self._world, call, now))
        if live.hosted is not None:
            live.hosted.begin()

    def _end(self, live: LiveCall, effect: fx.EndCall, now: datetime) -> None:
        call = calls.finish(self._world, live.id, effect.reason, now, effect.transferred_to)
        live.ear.entry("call.ended", {}, now)
        self._note("call.heard", now, live, **live.ear.timeline().measures)
        self._forget(live)
        self._outbox.notify(notices.for_call_ended(self._world, call, now))

    def _forget(self, live: LiveCall) -> None:
        if self.live.pop(live.id, None) is None:
            return
        for name in Timer:
            self._pacer.timers.stop((self._world.account_id, CALL_TIMER, live.id, name))
        if live.hosted is not None:
            live.hosted.cancel()
        for turn in live.turns.values():
            if turn.task is not None:
                turn.task.cancel()
        if live.held:
            self._pacer.release()
        live.ended.set()
        live.announce()

    # -- effects: turns ----------------------------------------------------------------------------------------

    def _endpoint(self, live: LiveCall) -> WebhookEndpoint | None:
        return webhooks.endpoint_for(self._world, live.agent_id)

    def _turn_timeout(self, live: LiveCall) -> timedelta | None:
        if live.hosted is not None:
            return REPLY_TIMEOUT
        endpoint = self._endpoint(live)
        return endpoint.timeout if endpoint else None

    def _open_turn(self, live: LiveCall, effect: fx.OpenTurn, now: datetime) -> None:
        if live.hosted is not None:
            live.turns[effect.turn_id] = Turn(effect.turn_id, None, opened_at=now, attempted_at=now)
            told = {"turn_id": effect.turn_id, "delivery_id": None, "transcript": effect.transcript}
            self._note("turn.opened", now, live, **told)
            live.hosted.open(effect.turn_id, effect.transcript)
            return
        endpoint = self._endpoint(live)
        if endpoint is None:  # deleted between the engine's look and now: cannot happen on one loop
            raise RuntimeError(f"{live.id}: turn {effect.turn_id} was opened without a webhook endpoint")
        notice = notices.for_turn(
            self._world,
            self._world.calls[live.id],
            transcript=effect.transcript,
            confidence=effect.confidence,
            turn_id=effect.turn_id,
            now=now,
        )
        delivery = self._outbox.owe(notice, endpoint, retryable=False)
        turn = Turn(effect.turn_id, delivery, opened_at=now, attempted_at=now)
        live.turns[turn.id] = turn
        self._note("turn.opened", now, live, turn_id=turn.id, delivery_id=delivery.id, transcript=effect.transcript)
        self._post(live, turn, endpoint, now)

    def _resend_turn(self, live: LiveCall, effect: fx.ResendTurn, now: datetime) -> None:
        turn = live.turns[effect.turn_id]
        if turn.task is not None:
            turn.task.cancel()
        endpoint = self._endpoint(live)
        how = TurnEnd.FAILED if turn.error or turn.http_status else TurnEnd.TIMED_OUT
        outcome = outcome_of(turn, how, self._world.policies)
        if turn.delivery is not None:
            turn.delivery = self._outbox.record(turn.delivery, outcome, turn.attempted_at, again=True)
        turn.http_status, turn.error, turn.attempted_at = None, None, now
        turn.body.clear()
        if endpoint is not None:
            self._post(live, turn, endpoint, now)

    def _post(self, live: LiveCall, turn: Turn, endpoint: WebhookEndpoint, now: datetime) -> None:
        if turn.delivery is None:
            raise RuntimeError(f"{live.id}: turn {turn.id} of a hosted call has nobody to be sent to")
        feed = self._listener(live, turn)
        struck = self._outbox.strike_turn(len(live.turns), turn.delivery, endpoint, now)
        if struck is not None:
            work = self._outbox.post_struck_turn(struck, turn.delivery, endpoint, now, turn.id, feed)
        else:
            headers = self._outbox.headers(turn.delivery, endpoint, now)
            in_turn = self._pacer.order.turn
            work = post_turn(self._sender, endpoint.url, headers, turn.delivery.body, turn.id, feed, in_turn)
        turn.task = self._pacer.track(work, f"{live.id}: {turn.id}, asked of {endpoint.url}")

    def _listener(self, live: LiveCall, turn: Turn) -> Callable[[CallEvent], None]:
        """What the request's reader calls; keeps what the delivery record needs, then tells the engine."""
        attempt = turn.attempted_at

        def heard(event: CallEvent) -> None:
            self._pacer.catch_up()
            if turn.attempted_at is not attempt:
                return  # an earlier try of a turn that was sent again
            match event:
                case ReplyStarted(http_status=status, content_type=kind) if not turn.closed:
                    turn.http_status = status
                    now = self._pacer.clock.now()
                    after = (now - turn.opened_at).total_seconds()
                    self._note(
                        "turn.started", now, live,
                        turn_id=turn.id, http_status=status, content_type=kind, after=after,
                    )  # fmt: skip
                case ReplyBytes(data=data):
                    turn.body += data[: BODY_LIMIT - len(turn.body)] if len(turn.body) < BODY_LIMIT else b""
                case ReplyFailed(error=error):
                    turn.error = error
                case _:
                    pass
            self.feed(live.id, event)

        return heard

    def _cancel_turn(self, live: LiveCall, effect: fx.CancelTurn, _now: datetime) -> None:
        turn = live.turns[effect.turn_id]
        if turn.task is not None:
            turn.task.cancel()
        if live.hosted is not None:
            live.hosted.cancel()

    def _close_turn(self, live: LiveCall, effect: fx.CloseTurn, now: datetime) -> None:
        turn = live.turns[effect.turn_id]
        turn.closed = True
        if turn.delivery is not None:
            outcome = outcome_of(turn, effect.how, self._world.policies)
            turn.delivery = self._outbox.record(turn.delivery, outcome, turn.attempted_at)
        after = (now - turn.opened_at).total_seconds()
        self._note("turn.closed", now, live, turn_id=turn.id, how=str(effect.how), after=after)

    # -- effects: what is heard --------------------------------------------------------------------------------

    def _start_speech(self, live: LiveCall, effect: fx.StartSpeech, now: datetime) -> None:
        more = {"over": effect.over, "backchannel": effect.backchannel}
        self._speech(live, Party.REMOTE, effect.text, effect.duration, now, **more)

    def _play(self, live: LiveCall, effect: fx.Play, now: datetime) -> None:
        self._speech(live, Party.AGENT, effect.text, effect.duration, now, turn_id=effect.turn_id)

    def _speech(self, live: LiveCall, party: Party, text: str, duration: timedelta, now: datetime, **more: Any) -> None:
        seconds = duration.total_seconds()
        self._note("speech.started", now, live, party=party.value, text=text, duration=seconds, **more)

    def _append(self, live: LiveCall, effect: fx.AppendTranscript, now: datetime) -> None:
        utterance = Utterance(
            id=self._world.entropy.new_id("transcript"),
            party=effect.party,
            text=effect.text,
            at=now - effect.ago,
            duration=effect.duration,
            confidence=effect.confidence,
            turn_id=effect.turn_id,
        )
        calls.append_utterance(self._world, live.id, utterance)
        live.announce()
        said = {"party": effect.party.value, "text": effect.text, "turn_id": effect.turn_id}
        self._note("speech.heard", now, live, **said, confidence=effect.confidence)

    def _play_digits(self, live: LiveCall, effect: fx.PlayDigits, now: datetime) -> None:
        self._tones(live, Party.AGENT, effect.digits, now)
        self._note("digits", now, live, party=Party.AGENT.value, digits=effect.digits, turn_id=effect.turn_id)

    def _note_digits(self, live: LiveCall, effect: fx.NoteDigits, now: datetime) -> None:
        self._tones(live, Party.REMOTE, effect.digits, now)
        self._note("digits", now, live, party=Party.REMOTE.value, digits=effect.digits)

    def _tones(self, live: LiveCall, party: Party, digits: str, now: datetime) -> None:
        tones = Tones(party=party, digits=digits, at=now, duration=tones_duration(digits))
        calls.append_tones(self._world, live.id, tones)

    def _stop_playback(self, live: LiveCall, _effect: fx.StopPlayback, now: datetime) -> None:
        self._note("speech.stopped", now, live, party=Party.AGENT.value)

    def _barge_in(self, live: LiveCall, effect: fx.NoteBargeIn, now: datetime) -> None:
        self._note("barge_in", now, live, turn_id=effect.turn_id, overrun=effect.overrun.total_seconds())

    def _note_beep(self, live: LiveCall, effect: fx.NoteBeep, now: datetime) -> None:
        self._note("beep", now, live, duration=effect.duration.total_seconds())

    def _note_chunk(self, live: LiveCall, effect: fx.NoteChunk, now: datetime) -> None:
        turn = live.turns[effect.turn_id]
        self._note(
            "turn.chunk", now, live,
            turn_id=turn.id, text=effect.text, interim=effect.interim, raw=text_of(effect.raw),
            after=(now - turn.opened_at).total_seconds(),
        )  # fmt: skip

    def _report(self, live: LiveCall, effect: fx.ReportFinding, now: datetime) -> None:
        finding = Finding(
            kind=effect.kind,
            message=effect.message,
            at=now,
            call_id=live.id,
            turn_id=effect.turn_id,
            sample=effect.sample[:SAMPLE_LIMIT],
        )
        calls.add_finding(self._world, finding)
        self._note(
            "finding", now, live,
            finding=effect.kind.value, message=effect.message, turn_id=effect.turn_id, sample=text_of(finding.sample),
        )  # fmt: skip

    def _step(self, live: LiveCall, effect: fx.NoteStep, now: datetime) -> None:
        self._note("script.step", now, live, step=list(effect.step))

    def _script_failed(self, live: LiveCall, effect: fx.NoteScriptFailed, now: datetime) -> None:
        self._note(
            "script.failed", now, live, step=list(effect.step), expected=effect.expected, heard=effect.heard
        )  # fmt: skip

    def _script_done(self, live: LiveCall, _effect: fx.NoteScriptDone, now: datetime) -> None:
        self._note("script.done", now, live)

    def _note(self, kind: str, now: datetime, live: LiveCall, **data: Any) -> None:
        self._world.journal.append(kind, now, call_id=live.id, **data)
        live.ear.entry(kind, data, now)
