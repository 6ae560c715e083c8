from __future__ import annotations

import pytest

from tests.helpers import zoo


@pytest.mark.parametrize("name", zoo.names_of(7))
def test_a_handler_breaks_exactly_the_cases_that_it_declares(name: str) -> None:
    animal = zoo.load(name)
    assert zoo.differences(animal, zoo.examined(animal, zoo.due(animal))) == []
