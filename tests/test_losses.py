"""Every loss against its printed code, an independent formula and central differences; which outputs it takes."""

from decimal import Decimal, localcontext
from itertools import product

import numpy as np
import pytest
import textbook
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.activations import ACTIVATIONS
from engine.arrays import Floats
from engine.equation import whole
from engine.losses import LOSSES, FromLogits, Loss

ALL = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
JOINED = [(loss, name) for loss in LOSSES.values() for name in loss.from_logits]
EVERYTHING = set(ACTIVATIONS)


def far_out(name: str, z: float) -> float:
    a = np.empty((1, 1))
    ACTIVATIONS[name].forward(np.full((1, 1), z), a)
    return a.item()


with np.errstate(over="ignore"):
    BOTH_SIGNS = {name for name in EVERYTHING if far_out(name, -1e8) < -0.99 and far_out(name, 1e8) > 0.99}
TAKES = {name: {each for each in EVERYTHING if not loss.refuses(ACTIVATIONS[each])} for name, loss in LOSSES.items()}
TAKES |= {
    "squared_error": EVERYTHING,
    "mean_squared_error": EVERYTHING,
    "mean_absolute_error": EVERYTHING,
    "huber": EVERYTHING,
    "binary_cross_entropy": {"sigmoid"},
    "cross_entropy": {"softmax"},
    "hinge": BOTH_SIGNS,
}


def example(name: str, seed: int = 0) -> tuple[Floats, Floats]:
    """Outputs and targets (3, 7) that this loss takes, away from its kinks."""
    rng = np.random.default_rng(seed)
    if name in ("binary_cross_entropy", "cross_entropy"):
        a = rng.uniform(0.05, 0.95, (3, 7))
        y = np.eye(3)[rng.integers(3, size=7)].T if name == "cross_entropy" else rng.integers(0, 2, (3, 7)) * 1.0
        return (a / a.sum(axis=0) if name == "cross_entropy" else a), y
    if name == "hinge":
        return rng.choice([-2.0, -0.4, 0.3, 1.7], (3, 7)), rng.choice([-1.0, 1.0], (3, 7))
    y = rng.normal(size=(3, 7))
    return y + rng.choice([-3.0, -0.5, 0.2, 0.7, 2.0], (3, 7)), y


def value_and_gradient(loss: Loss, a: Floats, y: Floats) -> tuple[float, Floats]:
    da = np.empty_like(a)
    return loss.value_and_gradient(a, y, loss.scale(*a.shape), da), da


def value_and_dz(loss: Loss, output: str, z: Floats, y: Floats) -> tuple[float, Floats]:
    a, dz = np.empty_like(z), np.empty_like(z)
    with np.errstate(all="ignore"):
        ACTIVATIONS[output].forward(z, a)
        value = loss.from_logits[output].value_and_dz(z, a, y, loss.scale(*z.shape), dz)
    return value, dz


@ALL
def test_it_computes_its_formula(loss: Loss) -> None:
    """The fast form, the code that people see and an independent formula agree."""
    a, y = example(loss.name)
    value, da = value_and_gradient(loss, a, y)
    names = {"np": np, "a": a.T, "y": y.T, "n": a.shape[1], "outputs": a.shape[0]}
    assert isinstance(value, float)
    assert value == pytest.approx(textbook.mean_loss(loss.name, a.T, y.T), rel=1e-13)
    assert value == pytest.approx(float(eval(loss.code, names)), rel=1e-13)
    np.testing.assert_allclose(da.T, eval(loss.gradient_code, names), rtol=1e-12)


@ALL
def test_its_gradient_is_the_slope(loss: Loss) -> None:
    """dL/da of every output against a central difference."""
    a, y = example(loss.name)
    _, da = value_and_gradient(loss, a, y)
    for place in product(range(3), range(7)):
        up, down, h = a.copy(), a.copy(), 1e-6
        up[place] += h
        down[place] -= h
        rerun = (value_and_gradient(loss, up, y)[0] - value_and_gradient(loss, down, y)[0]) / (2 * h)
        assert da[place] == pytest.approx(rerun, rel=1e-6, abs=1e-9)


@ALL
def test_it_is_a_mean_over_examples(loss: Loss) -> None:
    """The same examples twice: the same loss, and half the gradient each."""
    a, y = example(loss.name)
    once, da = value_and_gradient(loss, a, y)
    twice, da_twice = value_and_gradient(loss, np.hstack([a, a]), np.hstack([y, y]))
    assert twice == pytest.approx(once, rel=1e-13)
    np.testing.assert_allclose(da_twice, np.hstack([da, da]) / 2, rtol=1e-13)


@pytest.mark.parametrize(("loss", "output"), JOINED, ids=[f"{loss.name}-{name}" for loss, name in JOINED])
def test_joined_with_its_output_it_says_the_same(loss: Loss, output: str) -> None:
    """From z: the value and dz of loss after activation, as the printed code has them too."""
    rng = np.random.default_rng(3)
    z, y = rng.normal(size=(3, 7)), example(loss.name)[1]
    value, dz = value_and_dz(loss, output, z, y)
    a = np.empty_like(z)
    ACTIVATIONS[output].forward(z, a)
    apart, da = value_and_gradient(loss, a, y)
    assert value == pytest.approx(apart, rel=1e-12)
    np.testing.assert_allclose(dz, ACTIVATIONS[output].backward(da, z, a), rtol=1e-10, atol=1e-15)
    joined: FromLogits = loss.from_logits[output]
    names = {"np": np, "z": z.T, "a": a.T, "y": y.T, "n": z.shape[1], "outputs": z.shape[0]}
    assert value == pytest.approx(float(eval(joined.code, names)), rel=1e-12)
    for tree in filter(None, (joined.dz, joined.dz_of_classes)):
        np.testing.assert_allclose(dz.T, eval(whole(tree), names), rtol=1e-12, atol=1e-15)


def test_softmax_cross_entropy_takes_any_targets() -> None:
    """dz is that of the formula even where a row of y does not add up to 1."""
    rng = np.random.default_rng(4)
    loss, z, y = LOSSES["cross_entropy"], rng.normal(size=(3, 5)), rng.uniform(size=(3, 5))
    _, dz = value_and_dz(loss, "softmax", z, y)
    for place in product(range(3), range(5)):
        up, down = z.copy(), z.copy()
        up[place] += 1e-6
        down[place] -= 1e-6
        rerun = (value_and_dz(loss, "softmax", up, y)[0] - value_and_dz(loss, "softmax", down, y)[0]) / 2e-6
        assert dz[place] == pytest.approx(rerun, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("output", ["sigmoid", "softmax"])
@pytest.mark.parametrize("sure", [1000.0, -1000.0])
def test_sure_and_wrong_at_a_thousand_costs_a_thousand(output: str, sure: float) -> None:
    """No overflow and no clipping: the loss is |z|, the gradient -1 or 1; sure and right costs nothing."""
    if output == "sigmoid":
        loss, z, y = LOSSES["binary_cross_entropy"], np.array([[sure]]), np.array([[float(sure < 0)]])
        expected = abs(sure)
    else:
        loss, z, y = (
            LOSSES["cross_entropy"],
            np.array([[sure], [0.0]]),
            np.array([[float(sure < 0)], [float(sure > 0)]]),
        )
        expected = abs(sure)
    value, dz = value_and_dz(loss, output, z, y)
    assert value == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(np.abs(dz), 1.0)
    right, dz = value_and_dz(loss, output, z, 1.0 - y)
    assert right == 0.0
    assert (dz == 0).all()


@ALL
def test_far_out_everything_is_finite(loss: Loss) -> None:
    """With outputs of any allowed activation at |z| = 1000, value and gradient are finite."""
    z = np.array([[1000.0, -1000.0], [-1000.0, 1000.0]])
    y = np.array([[1.0, 1.0], [0.0, 0.0]])
    for name in TAKES[loss.name]:
        a, da = np.empty_like(z), np.empty_like(z)
        with np.errstate(all="ignore"):
            ACTIVATIONS[name].forward(z, a)
            value = loss.value_and_gradient(a, y, loss.scale(2, 2), da)
        assert np.isfinite(value)
        assert np.isfinite(da).all()


@ALL
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_it_takes_the_outputs_that_make_sense_and_says_why_not_others(loss: Loss, name: str) -> None:
    """The whole table of pairs; a refusal is a sentence that names what to use instead."""
    reason = loss.refuses(ACTIVATIONS[name])
    assert (reason == "") == (name in TAKES[loss.name])
    if reason:
        assert len(reason) > 20
        assert any(word in reason for word in ("use sigmoid", "use softmax", "use tanh", "use cross_entropy"))


@ALL
def test_nan_is_never_hidden(loss: Loss) -> None:
    """A NaN output makes the loss NaN."""
    a, y = example(loss.name)
    a[0, 0] = np.nan
    with np.errstate(all="ignore"):
        assert np.isnan(value_and_gradient(loss, a, y)[0])


def exactly(z: float) -> tuple[Decimal, Decimal]:
    """The sigmoid of z and what is left to 1, to forty digits."""
    with localcontext() as context:
        context.prec = 400
        growth = Decimal(z).exp()
        return growth / (1 + growth), 1 / (1 + growth)


FAR = (-700.0, -300.0, -40.0, -30.0, -28.0, -5.0, 0.0, 0.3, 20.0, 28.0, 30.0, 33.0, 36.0, 40.0, 300.0, 700.0)


@pytest.mark.parametrize("z", FAR)
def test_a_sure_output_costs_and_asks_to_the_last_digits(z: float) -> None:
    """Binary cross-entropy and its dL/da against forty digits, on both sides, and da times the slope is dz."""
    share, rest = exactly(z)
    joined = LOSSES["binary_cross_entropy"].from_logits["sigmoid"]
    for y, told in ((1.0, share), (0.0, rest)):
        z_, y_, a, da, dz = (np.full((1, 1), value) for value in (z, y, 0.0, 0.0, 0.0))
        with np.errstate(all="ignore"):
            ACTIVATIONS["sigmoid"].forward(z_, a)
            loss = joined.value_and_dz(z_, a, y_, 1.0, dz)
            joined.da(z_, a, y_, 1.0, da)
            assert joined.slope is not None
            slope = joined.slope(z_, a, y_)
        with localcontext() as context:
            context.prec = 400
            assert loss == pytest.approx(float(-told.ln()), rel=1e-14)
        assert da.item() == pytest.approx(float((-1 if y else 1) / told), rel=1e-13)
        assert da.item() * slope.item() == pytest.approx(dz.item(), rel=1e-14, abs=0.0)
        assert slope.item() == pytest.approx(float(share * rest), abs=2e-16)


@settings(deadline=None)
@given(st.floats(-20, 20), st.floats(0, 1))
def test_in_range_a_sure_output_costs_what_it_did(z: float, y: float) -> None:
    """The loss from each side's softplus is that of one softplus and y z, but for the last digit."""
    value, _ = value_and_dz(LOSSES["binary_cross_entropy"], "sigmoid", np.full((1, 1), z), np.full((1, 1), y))
    assert value == pytest.approx(float(np.logaddexp(0.0, z) - y * z), rel=1e-15, abs=8e-15)


@settings(deadline=None)
@given(st.floats(-700, 700), st.one_of(st.sampled_from([0.0, 1.0]), st.floats(0.001, 0.999)))
def test_dl_da_times_the_slope_is_delta(z: float, y: float) -> None:
    """Whatever the target, as near to the ends as floats go."""
    joined = LOSSES["binary_cross_entropy"].from_logits["sigmoid"]
    z_, y_, a, da, dz = (np.full((1, 1), value) for value in (z, y, 0.0, 0.0, 0.0))
    with np.errstate(all="ignore"):
        ACTIVATIONS["sigmoid"].forward(z_, a)
        joined.value_and_dz(z_, a, y_, 1.0, dz)
        joined.da(z_, a, y_, 1.0, da)
        assert joined.slope is not None
        product = da * joined.slope(z_, a, y_)
    assert np.isfinite(da).all()
    np.testing.assert_allclose(product, dz, rtol=1e-13, atol=0.0)


def test_softmax_asks_without_a_bound() -> None:
    """dL/da of the true class is -1 / a however small a is, and through the Jacobian it comes to dz."""
    joined = LOSSES["cross_entropy"].from_logits["softmax"]
    z, y = np.array([[-80.0, -600.0, 3.0], [0.0, 0.0, 1.0]]), np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    a, da, dz = np.empty_like(z), np.empty_like(z), np.empty_like(z)
    ACTIVATIONS["softmax"].forward(z, a)
    joined.value_and_dz(z, a, y, 1 / 3, dz)
    joined.da(z, a, y, 1 / 3, da)
    np.testing.assert_allclose(da[0, :2], [-np.exp(80.0) / 3, -np.exp(600.0) / 3], rtol=1e-12)
    assert not np.signbit(da[1, 0])
    np.testing.assert_allclose(ACTIVATIONS["softmax"].backward(da, z, a), dz, rtol=1e-12, atol=1e-300)


def test_what_costs_nothing_has_no_sign() -> None:
    """Sure and right is 0.0 and not -0.0, as softmax's logarithms would have it."""
    for loss, output in JOINED:
        z, y = np.array([[800.0], [0.0]]), np.array([[1.0], [0.0]])
        z[1] = -800.0 if output == "sigmoid" else 0.0
        value, _ = value_and_dz(loss, output, z, y)
        assert value == 0.0
        assert not np.signbit(value)


@pytest.mark.parametrize("name", ["squared_error", "mean_squared_error", "mean_absolute_error", "huber", "hinge"])
def test_a_loss_is_beyond_any_number_only_where_it_is(name: str) -> None:
    """A mean of a hundred is finite where their sum is not, and infinite where it is not finite itself."""
    loss, square = LOSSES[name], name.endswith("squared_error")
    for size in (1.2e154, 3e154) if square else (1e307, 1.7e308):
        a, y, da = np.full((1, 100), -size), np.ones((1, 100)), np.empty((1, 100))
        with np.errstate(all="ignore"):
            value = loss.value_and_gradient(a, y, loss.scale(1, 100), da)
        right = (0.5 if name == "squared_error" else 1.0) * size * (size if square else 1.0)
        assert value == pytest.approx(right, rel=1e-12)
        assert np.isfinite(value) == np.isfinite(right)
