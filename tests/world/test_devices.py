from __future__ import annotations

import pytest

from simulator.errors import BadRequest
from simulator.world import devices, numbers
from tests.helpers.world import NOW, make_world, new_number, snapshot

PERSON = "+14155552671"


@pytest.mark.parametrize(
    ("number", "line_type", "country"),
    [
        (PERSON, "mobile", "US"),
        ("+18005550150", "toll_free", None),
        ("+442079460000", "landline", "GB"),
        ("+447400123456", "mobile", "GB"),
        ("+14155550121", "landline", "US"),
        ("+14155550132", "voip", "US"),
        ("+14155550133", "toll_free", "US"),
        ("+14155550134", None, "US"),
        ("+14155550150", "mobile", "US"),
        ("+19995552671", None, None),
    ],
)
def test_a_line_type_follows_fictional_numbers_and_the_numbering_plan(
    number: str, line_type: str | None, country: str | None
) -> None:
    device = devices.find(make_world(), number)
    assert (device.number, device.line_type) == (number, line_type)
    assert device.country == country or line_type == "toll_free"


@pytest.mark.parametrize(
    ("line_type", "imessage", "sms"),
    [
        ("mobile", True, True),
        ("voip", False, True),
        ("toll_free", False, True),
        ("landline", False, False),
        ("pager", False, False),
        (None, False, False),
    ],
)
def test_what_reaches_a_phone_follows_its_line(line_type: str | None, imessage: bool, sms: bool) -> None:
    device = devices.put(make_world(), PERSON, line_type=line_type)
    assert (device.imessage, device.sms, device.rcs) == (imessage, sms, False)


def test_only_some_fictional_mobiles_have_rcs() -> None:
    world = make_world()
    assert devices.find(world, "+14155550131").rcs is True
    assert devices.find(world, "+14155550130").rcs is False


def test_what_a_test_says_wins() -> None:
    world = make_world()
    said = devices.put(world, "(415) 555-0121", imessage=False, rcs=True)
    assert devices.find(world, "+14155550121") == said
    assert (said.line_type, said.imessage, said.sms, said.rcs) == ("mobile", False, True, True)


def test_the_accounts_own_numbers_are_what_they_were_bought_as() -> None:
    world = make_world()
    texts, bubbles = new_number(world), new_number(world, type="imessage")
    assert devices.find(world, texts.phone_number).line_type == "voip"
    assert devices.find(world, bubbles.phone_number).imessage is True
    numbers.release(world, texts.id, NOW)
    assert devices.find(world, texts.phone_number).line_type == "mobile"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"line_type": "pigeon"}, "'pigeon': choose one of mobile, landline"),
        ({"line_type": "landline", "imessage": True}, "only a mobile"),
        ({"line_type": None, "rcs": True}, "only a mobile"),
    ],
)
def test_a_line_that_cannot_be_is_refused(fields: dict[str, object], why: str) -> None:
    world = make_world()
    with pytest.raises(BadRequest, match=why):
        devices.put(world, PERSON, **fields)  # type: ignore[arg-type]
    assert world.devices == {}


def test_numbers_are_looked_up_in_the_order_of_the_question() -> None:
    wanted = ["415-555-2671", "+447400123456", "+14155552671"]
    assert [d.number for d in devices.look_up(make_world(), wanted)] == [PERSON, "+447400123456", PERSON]


@pytest.mark.parametrize(("count", "taken"), [(0, False), (1, True), (25, True), (26, False)])
def test_one_to_twenty_five_numbers_are_looked_up_at_once(count: int, taken: bool) -> None:
    wanted = [f"+141555526{at:02d}" for at in range(count)]
    if taken:
        assert len(devices.look_up(make_world(), wanted)) == count
    else:
        with pytest.raises(BadRequest, match=f"{count} numbers cannot"):
            devices.look_up(make_world(), wanted)


@pytest.mark.parametrize("kind", ["imessage", "shared-imessage"])
def test_only_an_active_imessage_line_can_find_out_capabilities(kind: str) -> None:
    world = make_world()
    new_number(world)
    number = new_number(world, type=kind)
    assert devices.capabilities(world, "415 555 2671").imessage is True
    numbers.release(world, number.id, NOW)
    before = snapshot(world)
    with pytest.raises(BadRequest, match="no active iMessage number"):
        devices.capabilities(world, PERSON)
    assert snapshot(world) == before
