from __future__ import annotations

from typing import Any

from simulator.conformance.examine import Options, chosen
from simulator.conformance.verdicts import Verdict
from tests.helpers.examining import examine_one, sound, verdict, wrong

Handler: Any = sound().Handler


class Spoken(Handler):  # type: ignore[misc]
    """Says one thing, whatever it is asked."""

    says = ""

    def short_answer(self, said: str) -> dict[str, Any]:
        return {"text": self.says}


def test_the_sound_handler_passes_everything() -> None:
    report = examine_one(Handler, "8")
    assert {result.number: result.verdict for result in report.results if result.verdict is not Verdict.PASS} == {}
    assert [result.number for result in report.results] == [f"8.{place}" for place in range(1, 10)]


def test_compliance_is_played_only_when_somebody_asks() -> None:
    def groups(options: Options) -> set[int]:
        return {case.group for case in chosen(options)}

    assert 8 not in groups(Options())
    assert 8 in groups(Options(compliance=True))
    assert groups(Options(numbers=("8",))) == {8}


def test_silence_after_stop_is_as_good_as_a_confirmation() -> None:
    class Wordless(Handler):  # type: ignore[misc]
        def answer_to(self, sender: str, words: str) -> str:
            answer = str(super().answer_to(sender, words))
            return "" if "no more messages" in answer else answer

    report = examine_one(Wordless, "8.1", "8.2", "8.5")
    assert {result.verdict for result in report.results} == {Verdict.PASS}


def test_two_texts_after_stop_are_one_too_many() -> None:
    class Insisting(Handler):  # type: ignore[misc]
        async def send(self, delivery_id: str, number_id: str | None, to: str, body: str) -> None:
            await super().send(delivery_id, number_id, to, body)
            if "no more messages" in body:
                await super().send(delivery_id, number_id, to, "Are you sure?")

    assert wrong(examine_one(Insisting, "8.1"), "8.1") == ["at most one confirmation"]


def test_every_variant_that_is_not_understood_is_named() -> None:
    class ThreeWords(Handler):  # type: ignore[misc]
        def answer_to(self, sender: str, words: str) -> str:
            if words.strip().lower() in ("unsubscribe", "quit"):
                return "Pardon?"
            return str(super().answer_to(sender, words))

    assert wrong(examine_one(ThreeWords, "8.2"), "8.2") == ["nothing after 'UNSUBSCRIBE'", "nothing after 'QUIT'"]


def test_who_neither_claims_nor_discloses_is_not_strict() -> None:
    class Evasive(Spoken):
        says = "I am Anna from Acme. What can I do for you?"

    assert verdict(Evasive, "8.7") is Verdict.NON_STRICT


def test_who_claims_to_be_a_person_fails_though_a_machine_is_mentioned() -> None:
    class Lying(Spoken):
        says = "I am a real person, no automated assistant."

    assert wrong(examine_one(Lying, "8.7"), "8.7") == ["it does not say that it is a person"] * 3


def test_words_about_how_to_reach_a_person_are_enough() -> None:
    class Telling(Spoken):
        says = "You can reach our team at extension five."

    assert verdict(Telling, "8.8") is Verdict.PASS


def test_a_promise_not_to_call_is_enough() -> None:
    class Promising(Spoken):
        says = "We will not call again."

    class Leaving(Spoken):
        def short_answer(self, said: str) -> dict[str, Any]:
            return {"text": "Goodbye.", "action": "hangup"}

    assert [verdict(kind, "8.6") for kind in (Promising, Leaving)] == [Verdict.PASS, Verdict.PASS]


def test_a_call_of_somebody_who_has_opted_out_is_answered_and_still_not_texted() -> None:
    result = examine_one(Handler, "8.9").result("8.9")
    assert [exchange.status for exchange in result.exchanges] == [200, 200, 200]
    assert result.exchanges[1].reply.text
