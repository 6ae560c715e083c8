from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from simulator.clock import ClockMode, Timers
from simulator.domain.limits import Limits
from simulator.domain.policy import Policies
from simulator.runtime import chores, outbox, pacer
from simulator.runtime.images import AccountImage, Identity, WorldImage
from simulator.settings import Settings
from simulator.state.accounts import ENDED, TIMERS, account_of, account_text
from simulator.state.codec import Unreadable
from simulator.world import accounts
from tests.helpers.world import NOW, after, make_world, new_line, text_in
from tests.world.test_image_machine import kept

SETTINGS = Settings(
    seed=2**70,
    clock=ClockMode.MANUAL,
    scale=2.5,
    start=NOW,
    policies=Policies("observed", {"voice_turn_retry": "once"}),
    limits=Limits(numbers=3),
    webhook_secret="whsec_x",
)


def image() -> AccountImage:
    world, part = make_world(), make_world(seed=8)
    _, number = new_line(world)
    message, _ = text_in(world, number)
    part.account_id = accounts.create(world, "Branch", NOW).id
    timers: Timers[Any] = Timers()
    for key in (("handover", message.id), ("call", "call_1", "ring"), ("expiry", number.id), ("refresh", "locations")):
        timers.start((world.account_id, *key), after(seconds=5))
    return AccountImage(
        identity=Identity(world.account_id, 7),
        settings=SETTINGS,
        now=after(seconds=1, microseconds=1),
        timers=timers,
        whole=WorldImage(world),
        parts={part.account_id: WorldImage(part)},
    )


def text() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(account_text(image())))
    return found


def test_an_account_is_read_as_it_was_written() -> None:
    before, read = image(), account_of(text(), Settings(max_live_calls=7))
    for name in ("seed", "clock", "scale", "start", "limits", "webhook_secret"):
        assert getattr(read.settings, name) == getattr(SETTINGS, name)
    assert dict(read.settings.policies.items()) == dict(SETTINGS.policies.items())
    assert read.settings.policies.contract == "observed"
    assert read.settings.max_live_calls == 7
    assert (read.identity, read.now) == (before.identity, before.now)
    assert kept(read.whole.world) == kept(before.whole.world)
    assert {name: kept(part.world) for name, part in read.parts.items()} == {
        name: kept(part.world) for name, part in before.parts.items()
    }


def test_timers_of_records_come_back_in_order() -> None:
    kinds = [key[1] for _, key in account_of(text(), Settings()).timers]
    assert kinds == ["handover", "expiry", "refresh"]


def test_every_kind_of_timer_is_written_or_ended() -> None:
    known = {outbox.RETRY, outbox.TIMEOUT, pacer.CALL_TIMER, pacer.THREAD_TIMER}
    known |= {chores.HANDOVER, chores.EXPIRY, chores.REFRESH, chores.REGISTRATION, chores.TEMPLATE}
    assert {*TIMERS, *ENDED} == known


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        (("now",), "then", "^now: should be an instant"),
        (("settings", "scale"), 0, r"^settings\.scale: should be a number above 0"),
        (("settings", "clock"), "sundial", r"^settings\.clock: should be one of"),
        (("settings", "seed"), 5, r"^settings\.seed: "),
        (("settings", "more"), 5, "^settings: 'more' is nothing that this version knows"),
        (("identity", "account_id"), "acct_x", r"^identity\.account_id: should be that of the world"),
        (("world",), [], "^world: should be an object"),
        (("timers",), [["acct_x", "expiry", "x", "2026-01-05T15:00:00Z"]], "^timers: account 'acct_x' is not in"),
        (("timers",), [["acct_test", "tea", "x", "2026-01-05T15:00:00Z"]], "^timers: a timer 'tea' is nothing"),
        (("timers",), [["acct_test", "expiry", "x", "2026-01-05T15:00:00Z"]], "^timers: .* 'x', which is not in num"),
        (("sub_accounts",), {"sub_x": {}}, r"^sub_accounts\.sub_x: "),
    ],
)
def test_what_is_wrong_with_an_account_is_said(path: tuple[str, ...], value: Any, why: str) -> None:
    wrong: Any = text()
    place = wrong
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(Unreadable, match=why):
        account_of(wrong, Settings())


def test_a_sub_account_that_the_account_does_not_have_is_refused() -> None:
    wrong = text()
    (name,) = wrong["sub_accounts"]
    wrong["sub_accounts"]["sub_x"] = wrong["sub_accounts"].pop(name)
    with pytest.raises(Unreadable, match=r"^sub_accounts\.sub_x: is no sub-account of this account"):
        account_of(wrong, Settings())


def test_instants_are_exact() -> None:
    assert account_of(text(), Settings()).now - NOW == timedelta(seconds=1, microseconds=1)
