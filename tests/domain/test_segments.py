from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.domain.segments import is_gsm7, segments


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("a", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("Ω" * 160, 1),
        ("€" * 80, 1),  # an escape and a septet each
        ("€" * 80 + "a", 2),
        ("a" * 159 + "€", 2),
        ("a" * 152 + "€" + "a" * 152, 3),  # the escape does not fit where it falls, and a whole segment shifts
        ("a" * 151 + "€" + "a" * 153, 2),
        ("ж" * 70, 1),
        ("ж" * 71, 2),
        ("ж" * 134, 2),
        ("ж" * 135, 3),
        ("😀" * 35, 1),  # two units each
        ("😀" * 36, 2),
        ("ж" * 66 + "😀" + "ж" * 66, 3),
        ("a" * 160 + "ж", 3),  # one letter makes the whole text UCS-2
        ("`", 1),
    ],
)
def test_segments_of_known_texts(text: str, count: int) -> None:
    assert segments(text) == count


@pytest.mark.parametrize(
    ("text", "fits"), [("Hello @£$ {€}\n", True), ("naïve", False), ("`", False), ("Ç", True), ("ç", False)]
)
def test_which_texts_fit_the_gsm_alphabet(text: str, fits: bool) -> None:
    assert is_gsm7(text) is fits


@given(st.text(), st.characters())
def test_more_text_never_takes_fewer_segments(text: str, more: str) -> None:
    assert segments(text) <= segments(text + more)


@given(st.text())
def test_no_text_takes_more_room_than_all_its_units_in_ucs2_could(text: str) -> None:
    units = len(text.encode("utf-16-le", "surrogatepass")) // 2
    assert (units + 152) // 153 <= segments(text) <= max(1, (units + 65) // 66)
