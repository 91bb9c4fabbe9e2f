"""Tags that indicators read: which are traits, and which are refused."""

import pytest

from city.quantities import known_name, quantity_of
from city.traits import number_of, trait_fault, traits_of


def test_tags_that_are_no_traits_are_free_words() -> None:
    tags = ["north", "a=b", "register_modulus=100000", "max_rate=2.5", "max_rate"]
    assert traits_of(tags) == {"register_modulus": "100000", "max_rate": "2.5"}
    assert number_of(traits_of(tags), "max_rate") == 2.5
    assert number_of({}, "max_rate") is None


@pytest.mark.parametrize("text", ["", "much", "-1", "nan", "inf", "1 m3"])
def test_a_trait_that_is_no_number_is_named_and_left_out(text: str) -> None:
    fault = trait_fault(f"register_modulus={text}")
    assert fault is not None
    assert "register_modulus is a number (m3)" in fault
    assert traits_of([f"register_modulus={text}"]) == {}


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("volume", "volume"),
        ("volume_2", "volume"),
        ("volume_used", "volume_used"),
        ("volume_used_2", "volume_used"),
        ("pm2_5_sds", "pm2_5"),
        ("fill_level_after", "fill_level_after"),
        ("something", None),
    ],
)
def test_a_quantity_of_its_own_is_no_channel_of_another(name: str, known: str | None) -> None:
    assert known_name(name) == known
    assert (quantity_of(name) is None) == (known is None)
