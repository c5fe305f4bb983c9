"""A quantity has one spelling, and one place in what is computed and in what is drawn."""

import pytest
from drawn import specs
from hypothesis import given
from hypothesis import strategies as st

from engine import Quantity, Spec
from engine.quantity import bias, unit, weight

KINDS = ("x", "z", "a", "da", "dz", "W", "b", "dW", "db", "p", "q", "s", "slope", "dR", "W_next", "b_next", "gamma")
PLACES = st.lists(st.integers(1, 9999), max_size=4).map(tuple)


@given(st.sampled_from(KINDS), st.integers(0, 9999), PLACES)
def test_a_text_is_read_as_what_was_written(kind: str, layer: int, index: tuple[int, ...]) -> None:
    """parse is the inverse of str; a quantity covers what is in it, and is in what covers it."""
    quantity = Quantity(kind, layer, index)
    assert Quantity.parse(str(quantity)) == quantity or (not layer and kind not in ("a", "x") and not index)
    for length in range(len(index) + 1):
        wider = Quantity(kind, layer, index[:length])
        assert wider.covers(quantity)
        assert quantity.is_in({wider})
        assert quantity.covers(wider) == (length == len(index))
        assert not Quantity(kind, layer + 1, index[:length]).covers(quantity)


def test_the_old_name_of_a_delta_is_read() -> None:
    """And written as dz, the only spelling."""
    assert str(Quantity.parse("delta2.1")) == "dz2.1"
    assert Quantity.parse("delta2") == Quantity("dz", 2)


@pytest.mark.parametrize("text", ["", "W2.", "2.1", "W2.0.1", "W02.1.1", "W2.1.1 ", "a١.1", "W2..1", "W2.12345.1", "/"])
def test_what_is_no_address_is_refused(text: str) -> None:
    """With the text, and what would be one."""
    with pytest.raises(ValueError, match=r"must be one such as W2\.1\.3"):
        Quantity.parse(text)


@given(specs())
def test_places_are_those_of_the_flat_vector(spec: Spec) -> None:
    """Every parameter, its gradient and its next value have one place, in order; nothing else has any."""
    network = spec.network
    for index, address in enumerate(network.addresses()):
        quantity = Quantity.parse(address)
        assert network.locate(address) == network.place(quantity) == index
        letter = quantity.letter
        assert network.place(quantity.like(f"d{letter}")) == network.place(quantity.like(f"{letter}_next")) == index
        assert network.has(quantity)
    last = len(network.shapes)
    missing = (weight(last + 1, 1, 1), weight(1, network.sizes[1] + 1, 1), weight(1, 1, network.sizes[0] + 1))
    assert not any(
        network.has(quantity) for quantity in (*missing, bias(last, network.sizes[-1] + 1), unit(last + 1, 1))
    )
    assert network.place(unit(1, 1)) is None


def test_ids_of_what_is_drawn() -> None:
    """A link, a bias, a node and a layer, as the page's script spells them."""
    drawn = (
        weight(2, 1, 3),
        weight(2, 1, 3).like("dW"),
        bias(2, 1).like("db"),
        unit(2, 1).like("dz"),
        Quantity("z", 2),
    )
    assert [quantity.svg_id for quantity in drawn] == ["link-2-1-3", "link-2-1-3", "bias-2-1", "node-2-1", "layer-2"]
