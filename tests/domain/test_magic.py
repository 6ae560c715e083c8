from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.domain import magic
from simulator.domain.messages import MessageStatus

ORDINARY = ("00", "01", "23", "43", *(str(n) for n in range(50, 100)))
AREA_CODES = st.integers(200, 999).map(str)


def test_every_number_has_its_own_digits_and_its_own_name() -> None:
    assert len({row.digits for row in magic.NUMBERS}) == len(magic.NUMBERS) == len({row.name for row in magic.NUMBERS})
    assert all(len(row.digits) == 2 and row.digits.isdecimal() for row in magic.NUMBERS)


@given(AREA_CODES, st.sampled_from(ORDINARY))
def test_the_digits_kept_for_ordinary_people_stay_ordinary(area_code: str, digits: str) -> None:
    number = f"+1{area_code}55501{digits}"
    assert magic.is_fictional(number)
    assert magic.find(number) is None
    assert (magic.line_type(number), magic.rcs_enabled(number)) == ("mobile", False)


@given(AREA_CODES, st.sampled_from(magic.NUMBERS))
def test_the_behaviour_is_the_same_in_every_area_code(area_code: str, row: magic.Magic) -> None:
    assert magic.find(f"+1{area_code}55501{row.digits}") is row


@pytest.mark.parametrize("number", ["+14155550202", "+14155560102", "+4415550102", "+1415555010", "14155550102", "x"])
def test_nothing_outside_the_fictional_range_is_magic(number: str) -> None:
    assert magic.find(number) is None
    assert not magic.is_fictional(number)


def test_every_failure_of_a_text_has_a_reason_and_a_word_for_programs() -> None:
    failures = [row.text for row in magic.NUMBERS if row.text and row.text.status is MessageStatus.FAILED]
    assert len({outcome.code for outcome in failures}) == len(failures) > 4
    assert all(outcome.code and outcome.failure_reason for outcome in failures)


def test_line_types_and_rcs_are_looked_up_in_the_table() -> None:
    found = [magic.line_type(f"+141555501{digits}") for digits in ("21", "30", "32", "33", "34")]
    assert found == ["landline", "mobile", "voip", "toll_free", None]
    assert magic.rcs_enabled("+14155550131")
