"""The address holds everything: whatever a page can show comes back from its link the same."""

from base64 import urlsafe_b64encode
from typing import Any
from urllib.parse import parse_qsl
from zlib import compress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.draw.lens import LENSES
from app.explain.moments import GRAINS
from app.page.forms import PRESETS
from app.page.links import SCALES, Link, View
from app.run.links import fits
from engine import FIELDS, Edit, Spec, SpecError, start

views = st.builds(
    View,
    step=st.none() | st.integers(0, 10**6),
    lens=st.sampled_from(tuple(LENSES)),
    example=st.none() | st.integers(0, 4_999),
    select=st.sampled_from([None, "W2.1.3", "b1.4", "a0.2", "a2.1"]),
    moment=st.none() | st.integers(0, 999),
    grain=st.sampled_from(GRAINS),
    scale=st.sampled_from(SCALES),
    discrete=st.booleans(),
    tests=st.booleans(),
    across=st.none() | st.integers(0, 100),
    up=st.none() | st.integers(0, 100),
    compare=st.lists(st.from_regex(r"[A-Za-z0-9_-]{8,22}", fullmatch=True), max_size=4).map(tuple),
    stop_step=st.none() | st.integers(0, 10**6),
    stop_loss=st.none() | st.floats(0, 10),
    stop_accuracy=st.none() | st.floats(0, 100),
)
EDITS = (
    Edit(3, "learning_rate", 0.1),
    Edit(3, "W2.1.3", -0.25),
    Edit(9, "optimizer", "adam"),
    Edit(9, "optimizer_settings", {"beta1": 0.5}),
    Edit(12, "frozen", ["b1.1", "W1.1.2"]),
)
SPECS: list[dict[str, Any]] = [
    *({"dataset": name, **preset} for name, preset in PRESETS.items()),
    {"features": ["x1", "sin_x2"], "hidden": [3, 2, 1], "activation": ["relu", "tanh", "elu"], "seed": 7},
    {"optimizer": "adam", "optimizer_settings": {"beta1": 0.5}, "schedule": "warmup", "regularization": "l2",
     "regularization_rate": 0.003, "frozen": ["b1.1", "biases"]},
    {"dataset": "custom", "data": {"x": [[-1.5, 3.7], [0.25, -2], [1, 1]], "y": [0, 1, 1]}},
]  # fmt: skip


def there_and_back(link: Link) -> Link:
    return Link.parse(dict(parse_qsl(link.query(), keep_blank_values=True)))


@pytest.mark.parametrize("given", SPECS, ids=lambda given: given.get("dataset", "circle"))
def test_every_spec_comes_back_from_its_link(given: dict[str, Any]) -> None:
    """A spec of every dataset, with settings, frozen parameters or data of one's own, survives its address."""
    link = Link(Spec.make(given), EDITS[:1])
    assert there_and_back(link) == link


def test_starting_parameters_come_back_to_the_last_bit() -> None:
    """Explicit parameters travel exactly, or two people would look at different runs."""
    spec = Spec.make()
    parameters = start(spec).parameters / 3
    explicit = Spec.make(parameters=[{"W": W.tolist(), "b": b.tolist()} for W, b in spec.network.layers(parameters)])
    assert there_and_back(Link(explicit)).spec == explicit


@settings(max_examples=60, deadline=None)
@given(view=views)
def test_every_view_comes_back_from_its_link(view: View) -> None:
    """Lens, example, selection, moment and the rest are all in the address."""
    assert there_and_back(Link(Spec.make(), EDITS, view)) == Link(Spec.make(), EDITS, view)


def test_the_address_names_every_field() -> None:
    """A default that changes tomorrow must not change what a link of today means."""
    fields = Link(Spec.make()).fields()
    left_out = {"layers", "data", "parameters", "frozen", "optimizer_settings", "schedule_settings"}
    assert set(fields) == set(FIELDS) - left_out


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"dataset": "nothing"}, "dataset"),
        ({"hidden": "4,many"}, "hidden.1"),
        ({"learning_rate": "nan"}, "learning_rate"),
        ({"learning_rate": "1e999"}, "learning_rate"),
        ({"seed": "-1"}, "seed"),
        ({"lens": "wishes"}, "lens"),
        ({"step": "-3"}, "step"),
        ({"step": "9" * 40}, "step"),
        ({"example": "²"}, "example"),
        ({"select": "W0.0.0<script>"}, "select"),
        ({"edits": "soon:learning_rate:1"}, "edits.0"),
        ({"edits": "5:learning_rate:1;2:learning_rate:1"}, "edits"),
        ({"parameters": "AAAA"}, "parameters"),
        ({"data": "x" * 20_000, "dataset": "custom"}, "data"),
        ({"stop_loss": "inf"}, "stop_loss"),
    ],
)
def test_what_is_wrong_in_a_link_is_named(query: dict[str, str], field: str) -> None:
    """Whatever stands in an address, the answer is the field, never an exception of another kind."""
    with pytest.raises(SpecError) as caught:
        Link.parse(query)
    assert caught.value.field == field


def test_a_packed_field_cannot_swell() -> None:
    """A short text that unpacks to a huge one is refused, not unpacked."""
    bomb = urlsafe_b64encode(compress(b"[" + b"0," * 1_200_000 + b"0]", 9)).decode()
    assert fits({"parameters": bomb})
    with pytest.raises(SpecError, match="what this page wrote"):
        Link.parse({"parameters": bomb})
    assert not fits({"parameters": "x" * 13_000})
