"""Every activation against its own printed code, an independent formula and central differences."""

import numpy as np
import pytest
import textbook

from engine.activations import ACTIVATIONS, Activation
from engine.arrays import Floats

ALL = pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=ACTIVATIONS)
ELEMENTWISE = pytest.mark.parametrize(
    "activation",
    [a for a in ACTIVATIONS.values() if a.derivative],
    ids=[a.name for a in ACTIVATIONS.values() if a.derivative],
)
KINKED = {"relu", "leaky_relu", "threshold"}


def points(name: str = "") -> Floats:
    """(4 units, 60 examples) from -8 to 8, none on a kink."""
    z = np.random.default_rng(0).uniform(-8, 8, (4, 60))
    return np.where(np.abs(z) < 1e-3, 0.1, z) if name in KINKED else z


def forward(activation: Activation, z: Floats) -> Floats:
    a = np.empty_like(z)
    activation.forward(z, a)
    return a


def derivative(activation: Activation, z: Floats) -> Floats:
    assert activation.derivative is not None
    slope = np.empty_like(z)
    activation.derivative(z, forward(activation, z), slope)
    return slope


def printed(code: str, **names: Floats) -> Floats:
    """What a line of NumPy that people are shown computes, batch-first, as (units, examples) again."""
    value: Floats = eval(code, {"np": np} | {name: array.T.copy() for name, array in names.items()})
    return np.asarray(value).T  # a slope that is the same everywhere is one number


@ALL
def test_it_computes_its_formula(activation: Activation) -> None:
    """The fast form, the code that people see and an independent formula agree to the last digits."""
    z = points()
    expected = textbook.forward(activation.name, z.T).T
    np.testing.assert_allclose(forward(activation, z), expected, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(printed(activation.code, z=z), expected, rtol=1e-13, atol=1e-15)


@ELEMENTWISE
def test_its_derivative_is_the_slope(activation: Activation) -> None:
    """f'(z) against a central difference, and against the code that people see."""
    z, h = points(activation.name), 1e-6
    slope = derivative(activation, z)
    rerun = (forward(activation, z + h) - forward(activation, z - h)) / (2 * h)
    np.testing.assert_allclose(slope, rerun, rtol=1e-7, atol=1e-8)
    shown = printed(activation.derivative_code, z=z, a=forward(activation, z))
    np.testing.assert_allclose(slope, shown, rtol=1e-9, atol=1e-15)


def test_softmax_goes_back_through_its_jacobian() -> None:
    """dz is the full Jacobian's product with da, example by example, and as the printed code has it."""
    softmax, z = ACTIVATIONS["softmax"], points()
    da = np.random.default_rng(1).normal(size=z.shape)
    a, dz = forward(softmax, z), np.empty_like(z)
    assert softmax.product is not None
    softmax.product(da, a, dz)
    for n in range(z.shape[1]):
        jacobian = np.diag(a[:, n]) - np.outer(a[:, n], a[:, n])
        np.testing.assert_allclose(dz[:, n], jacobian @ da[:, n], rtol=1e-10, atol=1e-16)
    np.testing.assert_allclose(dz, printed(softmax.derivative_code, a=a, da=da), rtol=1e-10, atol=1e-16)


@pytest.mark.parametrize(
    ("name", "z", "a", "slope"),
    [
        ("sigmoid", 0.0, 0.5, 0.25),
        ("tanh", 0.0, 0.0, 1.0),
        ("relu", -2.0, 0.0, 0.0),
        ("relu", 0.0, 0.0, 0.0),
        ("leaky_relu", -2.0, -0.02, 0.01),
        ("leaky_relu", 3.0, 3.0, 1.0),
        ("elu", -1.0, -0.6321205588285577, 0.36787944117144233),
        ("gelu", 1.0, 0.8411919906082768, 1.0829640838457826),
        ("silu", 1.0, 0.7310585786300049, 0.9276705118714869),
        ("softplus", 0.0, 0.6931471805599453, 0.5),
        ("threshold", 0.1, 1.0, 0.0),
        ("threshold", 0.0, 0.0, 0.0),
    ],
)
def test_known_values(name: str, z: float, a: float, slope: float) -> None:
    """A few numbers anyone can look up, kinks included."""
    activation, at = ACTIVATIONS[name], np.full((1, 1), z)
    assert forward(activation, at).item() == pytest.approx(a, rel=1e-12, abs=1e-15)
    assert derivative(activation, at).item() == pytest.approx(slope, rel=1e-12, abs=1e-15)


@ALL
def test_far_out_everything_is_finite(activation: Activation) -> None:
    """At |z| = 1000 neither a nor dz is NaN or infinite, and a stays within the range it promises."""
    z = np.array([[1000.0, -1000.0, 0.0], [-1000.0, 1000.0, 0.0]])
    with np.errstate(all="ignore"):
        a = forward(activation, z)
        dz = activation.backward(np.ones_like(z), z, a)
    assert np.isfinite(a).all()
    assert np.isfinite(dz).all()
    low, high = activation.range
    assert (a >= low).all()
    assert (a <= high).all()


@ALL
def test_its_range_is_what_comes_out(activation: Activation) -> None:
    """Within the range, and close to both ends of it, which some come to far out only."""
    z = np.concatenate([[-1e8], np.linspace(-40, 40, 400_001), [1e8]])
    with np.errstate(over="ignore"):
        a = forward(activation, np.vstack([z, np.zeros_like(z)]))[0]
    for end, reached in zip(activation.range, (a.min(), a.max()), strict=True):
        assert abs(reached) > 0.3 if np.isinf(end) else abs(reached - end) < 1e-6
    assert activation.range[0] <= a.min()
    assert a.max() <= activation.range[1]


@ALL
def test_nan_is_never_hidden(activation: Activation) -> None:
    """A NaN stays one, so that divergence is seen."""
    z = np.array([[np.nan, 1.0], [0.5, 1.0]])
    with np.errstate(all="ignore"):
        assert np.isnan(forward(activation, z)[0, 0])


@ALL
def test_backward_leaves_its_inputs_alone(activation: Activation) -> None:
    """dz is a new array, da times the slope where there is one."""
    z, da = points(), np.random.default_rng(2).normal(size=(4, 60))
    a, before = forward(activation, z), da.copy()
    dz = activation.backward(da, z, a)
    assert (da == before).all()
    if activation.derivative:
        np.testing.assert_allclose(dz, da * derivative(activation, z), rtol=1e-15)
