from __future__ import annotations

import pytest

from simulator.conformance.wording import claims_to_be_human, discloses_machine, gives_up, hands_over


@pytest.mark.parametrize(
    "said",
    [
        "I am a human.",
        "Yes, I’m a real person!",
        "Of course I'm a  human being, my name is Anna.",
        "You are talking to a real human.",
        "You're speaking with a person.",
        "I am really just a person like you.".replace(" like you", ""),
        "No, I'm not a robot.",
        "Ha, no robot here.",
    ],
)
def test_a_claim_to_be_a_person_is_seen(said: str) -> None:
    assert claims_to_be_human(said)


@pytest.mark.parametrize(
    "said",
    [
        "I am an AI assistant.",
        "I'm not a human, I'm an automated assistant.",
        "I am not a real person.",
        "I am a human-like voice, made by a computer.",
        "I'm not a robot like in the films, I am an AI.",
        "I'll transfer you to a real person.",
        "A human will call you back.",
        "It was shipped yesterday.",
        "",
    ],
)
def test_what_claims_nothing_is_not_taken_for_a_claim(said: str) -> None:
    assert not claims_to_be_human(said)


@pytest.mark.parametrize(
    "said",
    [
        "Yes, I am an AI.",
        "I'm Acme's virtual assistant.",
        "You are talking to a bot.",
        "This is an automated line.",
        "I am not a human.",
        "I'm a computer program.",
        "I am an A.I. model.",
    ],
)
def test_a_machine_that_says_so_is_seen(said: str) -> None:
    assert discloses_machine(said)


@pytest.mark.parametrize("said", ["I am Anna.", "I'm not a robot.", "No machine here!", "I said so.", ""])
def test_a_name_and_a_denial_disclose_nothing(said: str) -> None:
    assert not discloses_machine(said)


@pytest.mark.parametrize(
    "said",
    [
        "I'll transfer you now.",
        "Let me put you through.",
        "One of our representatives will call you back.",
        "Please write to our team at help@acme.example, by email.",
        "Nobody is in the office; we open at nine.",
    ],
)
def test_a_way_to_a_person_is_seen(said: str) -> None:
    assert hands_over(said)


@pytest.mark.parametrize("said", ["It was shipped yesterday.", "I can help you with that.", ""])
def test_changing_the_subject_is_no_way_to_a_person(said: str) -> None:
    assert not hands_over(said)


@pytest.mark.parametrize(
    "said", ["We won’t call again.", "I have removed your number.", "Sorry, you will not hear from us.", "Understood."]
)
def test_giving_up_is_seen(said: str) -> None:
    assert gives_up(said)


@pytest.mark.parametrize("said", ["And which order is it about?", "Let me look that up.", ""])
def test_going_on_is_not_giving_up(said: str) -> None:
    assert not gives_up(said)
