from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from starlette.background import BackgroundTask
from starlette.responses import Response

from simulator.conformance.bench import Bench
from simulator.conformance.verdicts import Verdict
from tests.helpers.examining import examine_one, played, sound

Handler: Any = sound().Handler


class Deliberate(Handler):  # type: ignore[misc]
    """Takes two seconds for every text, once it is acknowledged."""

    async def send(self, *words: Any) -> None:
        await asyncio.sleep(2)
        await super().send(*words)


class Forgetful(Deliberate):
    """The same, and it deduplicates nothing."""

    def first_time(self, delivery_id: str) -> bool:
        return True


class TwoSteps(Handler):  # type: ignore[misc]
    """Says "one moment, please" at once, and has an answer three seconds later."""

    async def send(self, delivery_id: str, number_id: str | None, to: str, body: str) -> None:
        await super().send(delivery_id, number_id, to, "One moment, please.")
        await asyncio.sleep(3)
        await super().send(delivery_id, number_id, to, body)


class Notifying(Handler):  # type: ignore[misc]
    """Tells its owner of every text, in words that name nobody."""

    async def send(self, *words: Any) -> None:
        await self.post("/v1/messages", {"to_number": "+14155550199", "body": "There is a new text."})
        await super().send(*words)


class Deaf(Handler):  # type: ignore[misc]
    """Acknowledges texts and does nothing."""

    async def text(self, event: dict[str, Any], delivery_id: str) -> Response:
        return Response()


def test_what_one_text_leads_to_is_learnt_once() -> None:
    async def play(bench: Bench) -> None:
        bench.must(await bench.session.acts(), "it acts", "")
        asked = bench.now
        bench.must(await bench.session.acts(), "it acts", "")
        bench.must(asked == bench.now, "nothing is sent the second time", "")
        bench.must(bench.session.usual == Counter(sendMessage=1), "one text", bench.session.usual)

    assert played(Handler, play).verdict is Verdict.PASS


def test_who_does_nothing_is_waited_for_once_and_then_known() -> None:
    async def play(bench: Bench) -> None:
        begun = asyncio.get_running_loop().time()
        for _ in range(2):
            bench.must(not await bench.session.acts(), "it does not act", "")
        took = asyncio.get_running_loop().time() - begun
        bench.must(5 <= took < 6, "five seconds and not ten", took)
        bench.must(not await bench.session.be_sure(), "there is nothing to be sure of", "")

    assert played(Deaf, play).broken == ()


def test_whoever_is_slow_is_waited_for_as_long_as_they_take() -> None:
    async def play(bench: Bench) -> None:
        await bench.needs_effects()
        event, after = await bench.text(), bench.now
        request = bench.signed(event)
        await bench.send(request)
        bench.must(len(await bench.effects(after, event)) == 1, "the first is acted on", "")
        again = bench.now
        await bench.send(request)
        bench.must(len(await bench.quiet(again, event)) == 1, "and the second, two seconds later", "")

    assert played(Forgetful, play).broken == ()


def test_texts_of_ours_are_nobody_elses_effects() -> None:
    async def play(bench: Bench) -> None:
        await bench.needs_effects()
        after = bench.now
        bench.must(await bench.quiet(after) == [], "nothing has happened", "")
        bench.must(len(bench.platform.api_calls(after)) >= 1, "although texts of ours were answered", "")

    assert played(Handler, play).broken == ()
    assert played(Notifying, play).broken == ()


def test_what_names_nobody_counts_when_it_is_more_than_our_texts_lead_to() -> None:
    async def play(bench: Bench) -> None:
        await bench.needs_effects()
        after = bench.now
        await bench.deliver(await bench.text())
        found = Counter(call.body["body"] for call in await bench.quiet(after))
        wanted = Counter({"There is a new text.": 1, "We are open from nine to six.": 1})
        bench.must(found == wanted, "the notice and the answer", found)

    assert played(Notifying, play).broken == ()


def test_only_what_is_about_an_event_is_its_effect() -> None:
    async def play(bench: Bench) -> None:
        await bench.needs_effects()
        after = bench.now
        one, other = await bench.text(), await bench.text()
        await bench.deliver(one)
        await bench.deliver(other)
        found = await bench.effects(after, other)
        to = [call.body["to_number"] for call in found]
        bench.must(to == [other.data["from"]], "the other's", to)

    assert played(Handler, play).broken == ()


def test_a_second_step_is_known_once_it_matters() -> None:
    async def play(bench: Bench) -> None:
        await bench.needs_effects()
        bench.must(bench.session.usual.total() == 1, "at first sight, one text", bench.session.usual)
        bench.must(await bench.session.be_sure(), "it is looked at once more", "")
        bench.must(bench.session.usual.total() == 2, "in truth, two", bench.session.usual)
        bench.must(not await bench.session.be_sure(), "and never again", "")

    assert played(TwoSteps, play).broken == ()


def test_a_handler_of_two_steps_is_not_said_to_act_twice() -> None:
    report = examine_one(TwoSteps, "3.2", "3.3", "3.4", "3.6", "8.1")
    assert {result.number: result.verdict for result in report.results if result.verdict is not Verdict.PASS} == {}


def test_a_handler_that_does_act_twice_is_caught_however_slow_it_is() -> None:
    report = examine_one(Forgetful, "3.2", "3.3", "3.6", "3.9")
    assert {result.verdict for result in report.results} == {Verdict.FAIL}
    report = examine_one(Deliberate, "3.2", "3.3", "3.6", "3.9")
    assert {result.verdict for result in report.results} == {Verdict.PASS}


def test_a_finding_that_is_not_found_again_counts_for_nothing() -> None:
    findings = [False, True]

    async def play(bench: Bench) -> None:
        bench.must(True, "before", "")

        async def trial() -> None:
            bench.must(findings.pop(0), "the trial", "")

        await bench.surely(trial)

    result = played(Handler, play)
    assert [(check.expected, check.holds) for check in result.checks] == [("before", True), ("the trial", True)]
    assert findings == []


def test_a_finding_that_is_found_again_counts_and_the_next_one_at_once() -> None:
    findings = [False, False, False]

    async def play(bench: Bench) -> None:
        async def trial() -> None:
            bench.must(findings.pop(0), "the trial", "")

        await bench.surely(trial)
        await bench.surely(trial)

    assert len(played(Handler, play).broken) == 2
    assert findings == []


def test_the_api_fails_inside_the_block_and_nowhere_else() -> None:
    async def play(bench: Bench) -> None:
        await bench.needs_effects()
        after = bench.now
        async with bench.failing_api():
            inside = await bench.text()
            await bench.deliver(inside)
            await bench.session.first_of(after, inside)
        outside = await bench.text()
        await bench.deliver(outside)
        await bench.session.first_of(after, outside)
        seen = [bench.session.calls(after, event)[0].status for event in (inside, outside)]
        bench.must(seen == [503, 200], "503 inside, 200 outside", seen)
        rules = (await bench.platform.ask("GET", "/_sim/faults"))["faults"]
        bench.must(rules == [], "no rule is left", rules)

    assert played(Handler, play).broken == ()


class Waiting(Handler):  # type: ignore[misc]
    """Acknowledges texts when they are answered."""

    async def text(self, event: dict[str, Any], delivery_id: str) -> Response:
        response: Response = await super().text(event, delivery_id)
        if isinstance(response.background, BackgroundTask):
            await response.background()
            response.background = None
        return response


def test_a_slow_api_is_slow_on_the_handlers_clock_and_nobody_waits_afterwards() -> None:
    async def play(bench: Bench) -> None:
        loop = asyncio.get_running_loop()
        await bench.needs_effects()
        event, after = await bench.text(), bench.now
        async with bench.slow_api(2.0):
            exchange = await bench.deliver(event)
            bench.must(2.0 <= exchange.ended_at < 2.5, "it takes two seconds", exchange.ended_at)
        bench.must(len(bench.session.calls(after, event)) == 1, "the API was asked", "")
        mode = (await bench.platform.ask("GET", "/_sim/clock"))["mode"]
        bench.must(mode == "auto", "the clock is as it was", mode)
        begun = loop.time()
        await bench.deliver(await bench.text())
        bench.must(loop.time() - begun < 1, "the next text is not slow", loop.time() - begun)

    assert played(Waiting, play).broken == ()


def test_a_slow_api_is_slow_for_a_handler_on_a_socket_as_well() -> None:
    async def play(bench: Bench) -> None:
        await bench.needs_effects()
        event = await bench.text()
        async with bench.slow_api(0.3):
            exchange = await bench.deliver(event)
        bench.must(exchange.ended_at >= 0.3, "no clock jumps over it", exchange.ended_at)

    assert played(Waiting, play, sockets=True).broken == ()


def test_what_is_still_done_for_a_case_that_is_over_is_no_concern_of_the_next() -> None:
    async def play(bench: Bench) -> None:
        await bench.needs_effects()
        late = await bench.text()
        await bench.deliver(late)
        bench.session.begin()
        after = bench.now
        bench.must(await bench.quiet(after) == [], "nothing has happened", "")
        bench.must(len(bench.session.calls(after, late)) == 1, "although the text was answered meanwhile", "")

    assert played(Deliberate, play).broken == ()


def test_an_event_may_take_as_long_as_any_before_though_the_next_one_is_done_sooner() -> None:
    class Uneven(Handler):  # type: ignore[misc]
        texts = 0

        def first_time(self, delivery_id: str) -> bool:
            return True

        async def send(self, *words: Any) -> None:
            self.texts += 1
            await asyncio.sleep(2.0 if self.texts % 2 else 1.1)
            await super().send(*words)

    async def play(bench: Bench) -> None:
        await bench.needs_effects()  # the second text: the first one showed that the handler is there
        request, after = bench.signed(event := await bench.text()), bench.now
        await bench.send(request)  # two seconds, and then one of ours that takes less
        bench.must(len(await bench.effects(after, event)) == 1, "the first is acted on", "")
        again = bench.now
        await bench.send(request)  # two seconds again
        bench.must(len(await bench.quiet(again, event)) == 1, "and so is the second", "")

    assert played(Uneven, play).broken == ()
