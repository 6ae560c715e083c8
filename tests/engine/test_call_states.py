from __future__ import annotations

from itertools import product

import pytest

from simulator.engine.call_states import (
    CallStates,
    Input,
    LegInput,
    LegState,
    PlaybackInput,
    PlaybackState,
    SpeechInput,
    SpeechState,
    State,
    TurnInput,
    TurnState,
    transition,
)
from simulator.errors import IllegalTransition

# Written out a second time on purpose: a test that read the tables could not find a wrong row.
LEGAL = """
    leg new             dialled     ringing
    leg new             ended       ended
    leg ringing         answered    connected
    leg ringing         declined    ended
    leg ringing         ended       ended
    leg connected       ended       ended
    turn closed         opened      awaiting
    turn awaiting       headers     started
    turn awaiting       resent      awaiting
    turn awaiting       completed   draining
    turn awaiting       cancelled   closed
    turn started        bytes       streaming
    turn started        body_ended  read
    turn started        resent      awaiting
    turn started        completed   draining
    turn started        cancelled   closed
    turn streaming      bytes       streaming
    turn streaming      body_ended  read
    turn streaming      resent      awaiting
    turn streaming      completed   draining
    turn streaming      cancelled   closed
    turn read           resent      awaiting
    turn read           completed   draining
    turn read           cancelled   closed
    turn draining       drained     closed
    turn draining       cancelled   closed
    speech quiet        spoke       speaking
    speech quiet        spoke_over  overlapping
    speech quiet        pressed     pressing
    speech quiet        sounded     sounding
    speech speaking     spoken      endpointing
    speech speaking     cut         quiet
    speech endpointing  spoke       speaking
    speech endpointing  endpointed  quiet
    speech endpointing  cut         quiet
    speech overlapping  took_floor  speaking
    speech overlapping  spoken      held
    speech overlapping  cut         quiet
    speech held         spoke_over  overlapping
    speech held         took_floor  endpointing
    speech held         cut         quiet
    speech pressing     released    quiet
    speech pressing     cut         quiet
    speech sounding     faded       quiet
    speech sounding     cut         quiet
    playback silent     played      playing
    playback playing    heard       silent
    playback playing    cut         silent
"""
MACHINES: dict[str, tuple[type[State], type[Input]]] = {
    "leg": (LegState, LegInput),
    "turn": (TurnState, TurnInput),
    "speech": (SpeechState, SpeechInput),
    "playback": (PlaybackState, PlaybackInput),
}
STATES: list[State] = [state for states, _ in MACHINES.values() for state in states]
EVERYTHING = list(product(LegState, TurnState, SpeechState, PlaybackState))
INPUTS: list[Input] = [fed for _, inputs in MACHINES.values() for fed in inputs]


def legal_cells() -> dict[tuple[State, Input], State]:
    cells: dict[tuple[State, Input], State] = {}
    for row in LEGAL.strip().splitlines():
        machine, before, fed, after = row.split()
        states, inputs = MACHINES[machine]
        cells[states[before.upper()], inputs[fed.upper()]] = states[after.upper()]
    return cells


LEGAL_CELLS = legal_cells()


def name(value: object) -> str:
    return str(value)


def put(*states: State) -> CallStates:
    """A connected call at rest, except for the states given."""
    call = CallStates()
    call.leg = LegState.CONNECTED
    for state in states:
        setattr(call, type(state).__name__.removesuffix("State").lower(), state)
    return call


@pytest.mark.parametrize(("cell", "after"), list(LEGAL_CELLS.items()), ids=name)
def test_a_legal_cell_leads_to_its_state(cell: tuple[State, Input], after: State) -> None:
    assert transition(*cell) is after


@pytest.mark.parametrize(
    ("state", "fed"), [cell for cell in product(STATES, INPUTS) if cell not in LEGAL_CELLS], ids=name
)
def test_every_other_cell_is_illegal(state: State, fed: Input) -> None:
    with pytest.raises(IllegalTransition, match=f"cannot take '{fed.value}' while it is '{state.value}'"):
        transition(state, fed)


# What an input needs of the other machines: of each that is named, one of these states. An input that is not here needs
# nothing.
NEEDS: dict[Input, set[State]] = {
    TurnInput.OPENED: {LegState.CONNECTED, SpeechState.QUIET, PlaybackState.SILENT},
    TurnInput.DRAINED: {LegState.CONNECTED, PlaybackState.SILENT},
    SpeechInput.SPOKE: {LegState.CONNECTED, TurnState.CLOSED, PlaybackState.SILENT},
    SpeechInput.SPOKE_OVER: {LegState.CONNECTED},
    SpeechInput.TOOK_FLOOR: {LegState.CONNECTED, TurnState.CLOSED, PlaybackState.SILENT},
    SpeechInput.PRESSED: {LegState.CONNECTED, TurnState.CLOSED, PlaybackState.SILENT},
    SpeechInput.SOUNDED: {LegState.CONNECTED},
    PlaybackInput.PLAYED: {
        LegState.CONNECTED,
        SpeechState.QUIET,
        SpeechState.OVERLAPPING,
        SpeechState.HELD,
        SpeechState.SOUNDING,
    },
}


@pytest.mark.parametrize("fed", INPUTS, ids=name)
def test_an_input_is_legal_with_exactly_the_other_states_it_needs(fed: Input) -> None:
    needed = NEEDS.get(fed, set())
    for everything in EVERYTHING:
        call = put(*everything)
        own = next(state for state in everything if type(state).__name__[:3] == type(fed).__name__[:3])
        met = all(state in needed for state in everything if any(type(state) is type(need) for need in needed))
        if met and (own, fed) in LEGAL_CELLS:
            call.move(fed)
            assert LEGAL_CELLS[own, fed] in call.now
        else:
            with pytest.raises(IllegalTransition):
                call.move(fed)
            assert call.now == frozenset(everything)


@pytest.mark.parametrize("others", list(product(TurnState, SpeechState, PlaybackState)), ids=name)
def test_an_ended_leg_brings_everything_to_rest(others: tuple[State, ...]) -> None:
    call = put(*others)
    call.move(LegInput.ENDED)
    assert call.now == {LegState.ENDED, TurnState.CLOSED, SpeechState.QUIET, PlaybackState.SILENT}


@pytest.mark.parametrize("everything", EVERYTHING, ids=name)
def test_the_floor_is_free_only_when_connected_and_at_rest(everything: tuple[State, ...]) -> None:
    rest = (LegState.CONNECTED, TurnState.CLOSED, SpeechState.QUIET, PlaybackState.SILENT)
    assert put(*everything).floor_free is (everything == rest)


def test_an_unmet_need_is_named() -> None:
    with pytest.raises(IllegalTransition, match="'spoke' is only legal with playback silent, turn closed"):
        put(TurnState.AWAITING, PlaybackState.PLAYING).move(SpeechInput.SPOKE)


def test_a_need_that_several_states_meet_names_them_all() -> None:
    wanted = "'played' is only legal with speech held or overlapping or quiet or sounding$"
    with pytest.raises(IllegalTransition, match=wanted):
        put(SpeechState.SPEAKING).move(PlaybackInput.PLAYED)
