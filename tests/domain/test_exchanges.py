from __future__ import annotations

from simulator.domain.calls import Call, CallStatus, Direction, Exchange, Party, Utterance, exchanges
from tests.helpers.world import NOW


def call_with(*spoken: tuple[str, str, str | None]) -> Call:
    """A call in which each (who, words, turn id) was heard; "?" after the words halves the confidence."""
    return Call(
        id="call_1",
        agent_id=None,
        agent_name=None,
        number_id="num_1",
        phone_number="+14155550100",
        from_number="+14155550150",
        to_number="+14155550100",
        direction=Direction.INBOUND,
        status=CallStatus.COMPLETED,
        started_at=NOW,
        utterances=tuple(
            Utterance(
                id=f"tr_{number}",
                party=Party(who),
                text=words,
                at=NOW,
                turn_id=turn,
                confidence=0.5 if words.endswith("?") else None,
            )
            for number, (who, words, turn) in enumerate(spoken)
        ),
    )


def rows(call: Call) -> list[tuple[str, str | None, float]]:
    return [(row.transcript, row.response, row.confidence) for row in exchanges(call)]


def test_a_call_without_words_has_no_rows() -> None:
    assert exchanges(call_with()) == ()


def test_a_greeting_is_a_row_of_its_own() -> None:
    assert rows(call_with(("agent", "Hello", None), ("user", "Hi?", None))) == [
        ("Hello", None, 1.0),
        ("Hi?", None, 0.5),
    ]


def test_an_answer_joins_the_row_of_what_it_answers() -> None:
    call = call_with(("user", "Hi", None), ("agent", "One", "1"), ("agent", "moment", "1"), ("user", "ok", None))
    assert rows(call) == [("Hi", "One moment", 1.0), ("ok", None, 1.0)]
    assert exchanges(call)[0] == Exchange(id="tr_0", transcript="Hi", response="One moment", confidence=1.0, at=NOW)


def test_an_answer_to_silence_has_a_row_without_words() -> None:
    assert rows(call_with(("agent", "Anyone there", "1"))) == [("", "Anyone there", 1.0)]
