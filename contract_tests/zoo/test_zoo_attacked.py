from __future__ import annotations

import pytest

from tests.helpers import zoo


@pytest.mark.parametrize("name", zoo.names_of(None))
def test_a_handler_that_only_an_attack_finds_breaks_no_case(name: str) -> None:
    animal = zoo.load(name)
    assert animal.attack
    assert zoo.differences(animal, zoo.examined(animal, zoo.due(animal))) == []
