"""Dropout: one mask a step, drawn from the seed and the step, both ways; nothing is dropped where nobody trains."""

from dataclasses import replace

import numpy as np
import pytest
import textbook
from hypothesis import given, settings
from hypothesis import strategies as st

from app.draw.drawing import draw
from app.draw.marks import Marks
from app.draw.pictures import surfaces
from app.explain.chips import chips_of
from app.explain.receipts import receipt
from app.explain.walkthrough import known, walkthrough
from app.page.links import Link
from app.words.segments import text_of
from engine import Quantity, RunState, Spec, Trace, advance, apply, evaluate, pack, start, trace, unpack
from engine.along import again
from engine.paths import paths
from engine.probes import check_all, nudge
from engine.receipts import unit_receipt
from engine.session import next_batch
from engine.training import step_on

LAYERS = "dense 6 tanh, dropout 0.4, dense 6 relu, dropout 0.25, shortcut 1, dense 6 silu, shortcut 2"


def bits(state: RunState) -> bytes:
    return state.parameters.tobytes() + state.slots.tobytes()


def mask_of(step: Trace, layer: int = 1) -> np.ndarray:
    mask = step.layers[layer - 1].mask
    assert mask is not None
    return mask


def test_a_mask_is_none_or_one_over_what_stays() -> None:
    """As many are out as the rate says, and the sums keep their size on average."""
    spec = Spec.make(layers="dense 64 tanh, dropout 0.4", batch_size=100, samples=500)
    masks = np.array([mask_of(trace(advance(start(spec), n).state)) for n in range(12)])
    assert set(np.unique(masks)) == {0.0, 1 / 0.6}
    assert (masks == 0).mean() == pytest.approx(0.4, abs=0.01)
    assert masks.mean() == pytest.approx(1.0, abs=0.02)
    assert len({mask.tobytes() for mask in masks}) == len(masks)


def test_a_mask_follows_from_seed_and_step() -> None:
    """However a state was reached: at once, in parts, through bytes, or over a link; and after a live change."""
    spec = Spec.make(layers=LAYERS, batch_size=7, optimizer="adam")
    at_once = advance(start(spec), 90).state
    in_parts = start(Link.parse(Link(spec).fields()).spec)
    for count in (1, 20, 43, 26):
        in_parts = unpack(pack(advance(in_parts, count).state))
    assert bits(in_parts) == bits(at_once)
    changed = [advance(apply(advance(start(spec), 30).state, "batch_size", 11), count).state for count in (25, 25)]
    assert bits(changed[0]) == bits(changed[1])
    assert bits(advance(start(replace(spec, seed=1)), 90).state) != bits(at_once)


def test_a_smaller_batch_has_the_first_masks() -> None:
    """So that the last one of an epoch is nothing of its own; one example has that of its place, others the first."""
    state = start(Spec.make(layers=LAYERS, batch_size=16))
    batch, whole = next_batch(state), mask_of(trace(state))
    for place in (0, 5, 15):
        alone = mask_of(trace(state, int(batch[place])))
        np.testing.assert_array_equal(alone[0], whole[place])
    outside = next(n for n in range(300) if n not in batch)
    np.testing.assert_array_equal(mask_of(trace(state, outside))[0], whole[0])
    last = advance(state, 7).state  # of 120 examples
    assert len(mask_of(trace(last))) == len(next_batch(last)) < 16


def test_the_same_mask_goes_both_ways() -> None:
    """What is out gives 0 and gets 0; what stays is scaled alike both ways; a shortcut adds after it."""
    step = trace(advance(start(Spec.make(layers=LAYERS)), 9).state)
    first, second, third, _ = step.layers
    for layer in (first, second):
        assert layer.mask is not None
        assert layer.dh is not None
        np.testing.assert_array_equal(layer.h, layer.mask * layer.a)
        np.testing.assert_array_equal(layer.da, layer.mask * layer.dh)
    assert (first.dz[first.mask == 0] == 0).all()
    np.testing.assert_array_equal(second.o, second.h + first.h)
    np.testing.assert_allclose(first.dh, second.dz @ second.W + second.dh + third.da, rtol=1e-12)


def test_nothing_is_dropped_where_nobody_trains() -> None:
    """Metrics are those of the network without it."""
    state = advance(start(Spec.make(layers="dense 8 tanh, dropout 0.5, dense 4 relu, dropout 0.1")), 40).state
    plain = replace(state, spec=Spec.make(layers="dense 8 tanh, dense 4 relu"))
    assert evaluate(state) == evaluate(plain)


@pytest.mark.parametrize("rate", [0, 0.3])
def test_a_rate_of_nothing_is_the_network_without_it(rate: float) -> None:
    """Bit for bit."""
    state = advance(start(Spec.make(layers=f"dense 8 tanh, dropout {rate}")), 50).state
    plain = advance(start(Spec.make(hidden=[8], activation="tanh")), 50).state
    assert (bits(state) == bits(plain)) == (rate == 0)


def test_reruns_share_the_mask() -> None:
    """Nudges, checks, trial and error and the network run again lose by what changed, not by what was dropped."""
    state = advance(start(Spec.make(layers=LAYERS, batch_size=9)), 12).state
    assert check_all(state).passed
    assert check_all(state, int(next_batch(state)[4])).passed
    assert nudge(state, "W1.1.1").agrees
    step = trace(state)
    np.testing.assert_array_equal(mask_of(again(step)), mask_of(step))
    searched = Spec.make(layers="dense 3 tanh, dropout 0.5", optimizer="trial_and_error")
    found = trace(start(searched))
    assert again(found).loss <= found.loss


def test_a_step_on_one_example_has_the_mask_of_its_place() -> None:
    """A deed on an example of the batch drops what the batch would have dropped there."""
    state = start(Spec.make(layers=LAYERS))
    example = int(next_batch(state)[3])
    stepped = step_on(state, np.array([example])).state
    np.testing.assert_array_equal(stepped.parameters, trace(state, example).parameters_next)


@st.composite
def cases(draw: st.DrawFn) -> Trace:
    """1 to 4 layers of 2 or 3 units with rates of their own, and shortcuts between them."""
    items, widths = list[str](), [2]
    for k in range(1, draw(st.integers(1, 4)) + 1):
        widths.append(draw(st.integers(2, 3)))
        items.append(f"dense {widths[k]} {draw(st.sampled_from(['tanh', 'silu', 'softmax', 'identity']))}")
        items += draw(st.sampled_from([[], ["dropout 0.5"], ["dropout 0.2"], ["dropout 0"]]))
        over = draw(st.sampled_from([0, *(n for n in range(1, k + 1) if widths[k - n] == widths[k])]))
        items += [f"shortcut {over}"] * (over > 0)
    spec = Spec.make(layers=", ".join(items), seed=draw(st.integers(0, 999)), batch_size=draw(st.integers(1, 9)))
    return trace(advance(start(spec), draw(st.integers(0, 3))).state)


@settings(max_examples=60, deadline=None)
@given(cases())
def test_gradients_are_those_of_autograd(step: Trace) -> None:
    """Of any network of it, written a second time."""
    network = step.spec.network
    masks = {k: layer.mask for k, layer in enumerate(step.layers, 1) if layer.mask is not None}
    layers = [(W.copy(), b.copy()) for W, b in network.layers(step.parameters)]

    def lost(layers: textbook.Layers) -> float:
        made = textbook.outputs(layers, network.activation_names, step.x, network.shortcuts, masks)
        return textbook.mean_loss(network.loss_name, made, step.y)

    assert lost(layers) == pytest.approx(step.loss, rel=1e-12)
    for (dW, db), layer in zip(textbook.grad(lost)(layers), step.layers, strict=True):
        np.testing.assert_allclose(layer.dW, dW, rtol=1e-9, atol=1e-13)
        np.testing.assert_allclose(layer.db, db, rtol=1e-9, atol=1e-13)


def one_out() -> Trace:
    """A step on one example, with a unit of hidden 1 that is out and one that is not."""
    spec = Spec.make(layers="dense 4 tanh, dropout 0.5, dense 4 tanh, shortcut 1")
    state = start(spec)
    return next(t for n in range(20) if 0 < (mask_of(t := trace(state, n))[0] == 0).sum() < 4)


def test_dropout_is_walked() -> None:
    """A moment for each unit; the way back names the mask again, and what is out brings nothing back."""
    step = one_out()
    for grain in ("operation", "unit"):
        walk = walkthrough(step, grain)
        told = {str(m.targets[0]): text_of(m.words) for m in walk if m.kind == "dropout"}
        back = {
            m.units[0]: text_of(m.words) for m in walk if m.layer == 1 and m.kind == ("da", "delta")[grain == "unit"]
        }
        for j, kept in enumerate(mask_of(step)[0].tolist(), 1):
            assert ("is out in this step" in told[f"h1.{j}"]) == (kept == 0)
            assert ("stays in this time" in told[f"h1.{j}"]) == (kept > 0)
            assert ("was out, so nothing comes back" in back[j]) == (kept == 0)
        moment = next(m for m in walk if m.kind == "dropout")
        assert walk.program.lines[moment.code_line - 1] == "h1 = mask1 * a1"
    for grain in ("operation", "unit", "layer", "pass"):
        walk = walkthrough(step, grain)
        assert {Quantity("h", 1, (2,)), Quantity("dh", 1, (2,))} <= {
            q for q in (Quantity("h", 1, (2,)), Quantity("dh", 1, (2,))) if q.is_in(known(walk, len(walk) - 1))
        }


def test_its_receipt_adds_up() -> None:
    """a × mask is h, what comes back × mask is da, and both stand in the receipt."""
    step = one_out()
    for j in range(1, 5):
        told = unit_receipt(step, f"a1.{j}")
        assert told.outgoing is not None
        assert told.arcs is not None
        assert told.mask is not None
        back = told.outgoing.sum(axis=1) + told.arcs.sum(axis=1)
        np.testing.assert_allclose(back, told.dh, rtol=1e-12)
        np.testing.assert_allclose(told.da, told.mask * back, rtol=1e-12)
        labels = [line.label for line in receipt(step, f"a1.{j}").lines]
        assert labels[2:5] == ["h = mask × a", "dh = ∂L/∂h", "da = mask × dh"]


def test_ways_go_through_the_mask() -> None:
    """Their products are the gradient still."""
    step = one_out()
    for j in range(1, 5):
        found = paths(step, f"W1.{j}.1")
        assert sum(way.product for way in found.ways) == pytest.approx(found.gradient, rel=1e-12, abs=1e-15)
        assert all("mask" in {factor.of.kind for factor in way.factors} for way in found.ways)


def test_what_is_out_is_crossed() -> None:
    """In the drawing of a step on one example, as soon as a walkthrough knows it; its links are dotted."""
    step = one_out()
    out = int((mask_of(step)[0] == 0).sum())
    seen = surfaces(start(step.spec))
    svg = str(draw(step.spec, step, seen, "weights", False, Marks()).svg)
    assert svg.count('class="cross"') == 4
    assert svg.count("out: dropped in this step") == out
    assert svg.count(' out"') == out + 4 * out
    unknown = str(draw(step.spec, step, seen, "weights", False, Marks(known=frozenset())).svg)
    assert "dropped in this step" not in unknown


def test_chips_add_up_to_what_comes_back_before_the_mask() -> None:
    """The stack of a way back through dropout is the sum over the links and shortcuts: dL/dh."""
    step = one_out()
    for grain, kind in (("operation", "dh"), ("unit", "delta")):
        walk = walkthrough(step, grain)
        for moment in (m for m in walk if m.layer == 1 and m.kind == kind):
            told = chips_of(walk.scene, moment)
            assert told is not None
            assert told.lines[-1].cell.part == f"dh1.{moment.units[0]}"
            assert told.lines[-1].cell.value == pytest.approx(step.layers[0].back[0, moment.units[0] - 1])
