"""How every value shows itself, of every kind of network: in a line as text, in short in a notebook."""

from __future__ import annotations

import re
from itertools import chain
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from app.page.forms import DEEP, PRESETS
from engine import OPERATIONS, Spec, advance, gradient_check, layer_health, nudge, receipt, slice_, start, trace

IMAGE, PLAIN = {"dataset": "digits16", "samples": 40}, {"dataset": "spiral"}
SMALL = {"samples": 40}
KINDS: dict[str, dict[str, Any]] = {
    **{name: {"dataset": name, **given, **SMALL} for name, given in PRESETS.items()},
    **{name: {**given, **SMALL} for name, given in DEEP.items()},
    "conv2d": {**IMAGE, "layers": "conv2d 4 3x3 relu"},
    "max_pool": {**IMAGE, "layers": "conv2d 4 3x3 relu, max_pool 2, dense 5 tanh"},
    "avg_pool": {**IMAGE, "layers": "conv2d 2 3x3 tanh, batch_norm, avg_pool 2, conv2d 2 3x3 tanh"},
    "global_pool": {**IMAGE, "layers": "conv2d 2 3x3 tanh, dropout 0.2, conv2d 2 3x3 tanh, shortcut 1, global_pool"},
    "flatten": {**IMAGE, "layers": "conv2d 12 5x5 relu valid 2, flatten, dense 12 tanh"},
    "layer_norm": {**PLAIN, "layers": "dense 4 tanh, layer_norm, dropout 0.2"},
    "batch_norm": {**PLAIN, "layers": "dense 4 tanh, batch_norm, dense 4 tanh, shortcut 1"},
    "none hidden": {"dataset": "line", "hidden": []},
}


def test_every_operation_is_among_them() -> None:
    """A new one shows itself, too."""
    met = {item.kind for given in KINDS.values() for item in Spec.make(given).layers}
    assert met | {"activation"} == set(OPERATIONS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_value_shows_itself(kind: str) -> None:
    """As one short line of text, and as HTML that is well formed and not long, whatever the network is made of."""
    spec = Spec.make(KINDS[kind])
    done = advance(start(spec), 2)
    step, last = trace(done.state), len(spec.network.shapes)
    receipts = [receipt(step, address) for address in ("W1.1.1", "b1.1", f"W{last}.1.1", "a1.1", f"a{last}.1")]
    probed = [nudge(start(spec), "W1.1.1"), slice_(start(spec), "W1.1.1"), layer_health(step)]
    for each in (spec, spec.network, start(spec), done, done.state, step, *receipts, *probed):
        picture = each._repr_html_ if hasattr(each, "_repr_html_") else each._repr_svg_
        assert len(html := picture()) < 40_000
        assert len(repr(each)) < (240 if each is spec else 400) or each is probed[-1]
        assert ElementTree.fromstring(f"<div>{html}</div>") is not None


def test_what_a_probe_answers_shows_its_numbers() -> None:
    """The slope by rerunning beside the gradient with its two parts; a check's verdict; a layer a row."""
    state = start(Spec.make(dataset="xor", hidden=[3], regularization="l2", regularization_rate=0.1))
    told = nudge(state, "W1.1.1")._repr_html_()
    assert re.search(
        r"slope = −0\.\d+ / 0\.001 = −0\.1438\ngradient = −0\.05\d+ \(.*\) − 0\.09\d+ \(.*\) = −0\.1438", told
    )
    assert "Check(passed: 13 of 13" in gradient_check(state)._repr_html_()
    assert layer_health(trace(state))._repr_html_().count("<tr>") == 3


@pytest.mark.parametrize("kind", KINDS)
def test_a_spec_prints_as_what_makes_it(kind: str) -> None:
    """In one line, with nothing in it that follows from the rest."""
    spec = Spec.make(KINDS[kind])
    assert eval(repr(spec), {"Spec": Spec}) == spec
    assert repr(Spec.make(samples=40)) == "Spec.make(samples=40)"


def test_a_spec_tells_of_what_is_long() -> None:
    """Its own data, and parameters that are given."""
    own = Spec.make(data={"x": [[i, 1.0] for i in range(300)], "y": list(range(300))}, hidden=[3], activation="relu")
    assert repr(own) == f"Spec.make(data={own.data!r}, hidden=[3], activation='relu')"
    given = Spec.make(hidden=[9], optimizer="adam", optimizer_settings={"beta1": 0.5}).to_dict()
    given["parameters"] = [{"W": [[0.5] * 2] * 9, "b": [0] * 9}, {"W": [[0.5] * 9], "b": [0]}]
    assert repr(Spec.make(given)) == (
        "Spec.make(hidden=[9], parameters=list(…), optimizer='adam', "
        "optimizer_settings={'beta1': 0.5, 'beta2': 0.999, 'epsilon': 1e-08})"
    )


def test_a_link_between_maps_is_the_strongest_of_its_weights() -> None:
    """Of a kernel and of all places of a map: in the drawing one link each, as wide as the largest weight in size."""
    spec = Spec.make(KINDS["max_pool"])
    state = start(spec)
    (K, _), (W, _), (top, _) = spec.network.layers(state.parameters)
    expected = [K.reshape(4, 1, 9), W.reshape(5, 4, -1), top[..., np.newaxis]]
    weights = [[row[np.abs(row).argmax()] for row in of.reshape(-1, of.shape[2])] for of in expected]
    links = re.findall(r'<line [^>]*stroke="(#\w+)" stroke-width="([\d.]+)"', state._repr_html_())
    widths = [0.3 + 3.7 * abs(w) / max(map(abs, of)) for of in weights for w in of]
    drawn = spec.network.sizes[-1]
    assert drawn == 10  # of which eight are drawn
    assert [float(wide) for _, wide in links] == pytest.approx([*widths[:24], *widths[24:64]], abs=0.01)
    colours = {(colour, w > 0) for (colour, _), w in zip(links, chain(*weights), strict=False)}
    assert len(colours) == 2
