"""Convolutions, pools and what lies between them: numbers, gradients, equations and the program, whatever is drawn."""

import json
from itertools import product
from typing import Any

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.page.links import Link
from engine import OPERATIONS, Spec, SpecError, Trace, advance, apply, evaluate, pack, predict, start, trace, unpack
from engine.equation import Equation, solved
from engine.equations import Equations
from engine.health import health
from engine.layers import image_for
from engine.lookup import Numbers
from engine.network import layers_of, with_ones
from engine.operations.base import Node, Place
from engine.probes import check_all, nudge, slice_, wishes
from engine.program import program
from engine.receipts import channel_receipt, parameter_receipt
from engine.spec import LIMITS

NETS = (
    "conv2d 2 3x3 tanh, max_pool 2, conv2d 3 3x3 relu valid, batch_norm, avg_pool 2, dropout 0.2, dense 8 tanh",
    "conv2d 2 5x5 silu same 2, layer_norm, dropout 0.2, conv2d 2 3x3 tanh, shortcut 1, global_pool",
    "conv2d 2 1x1 relu, batch_norm, max_pool 3, conv2d 2 3x3 tanh, shortcut 1, max_pool 2, flatten, dense 16 tanh, "
    "dropout 0.2, conv2d 2 3x3 tanh valid 2",
)


def ready(layers: str, steps: int = 3, **fields: Any) -> Any:
    given = {"dataset": "digits16", "samples": 60, "batch_size": 2} | fields
    return advance(start(Spec.make(layers=layers, **given)), steps).state


def worked(node: Node, inputs: int, x: np.ndarray, dout: np.ndarray, matrix: np.ndarray) -> tuple[np.ndarray, ...]:
    """Out, dx and the gradient of one operation's calls; x and dout are (rows, examples)."""
    operation, examples = OPERATIONS[node.operation], x.shape[1]
    block, out, back, into = (np.ones((len(rows) + 1, examples)) for rows in (x, dout, dout, x))
    block[:-1], back[:-1] = x, dout
    saved = [np.full((count, examples), np.nan) for count in operation.saves(node, [inputs]).values()]
    gradient = np.empty_like(matrix)
    for function, *arguments in operation.forward(node, [block], out, matrix, saved):
        function(*arguments)
    into[:] = np.nan
    place = Place([block], out, matrix, gradient, back, [into], np.empty(0), saved)
    for function, *arguments in operation.backward(node, place):
        function(*arguments)
    return out[:-1], into[:-1], gradient


def convolved(x: Any, W: Any, b: Any, padding: int, stride: int) -> Any:
    """Slowly and plainly, for autograd: images (examples, channels, height, width)."""
    side = W.shape[2]
    x = anp.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)), mode="constant")
    high, wide = ((length - side) // stride + 1 for length in x.shape[2:])
    rows = [
        [
            anp.tensordot(
                x[:, :, y * stride : y * stride + side, z * stride : z * stride + side], W, ((1, 2, 3), (1, 2, 3))
            )
            for z in range(wide)
        ]
        for y in range(high)
    ]
    stacked = anp.stack([anp.stack(row, axis=-1) for row in rows], axis=-2)
    return stacked + b[:, None, None]


@settings(max_examples=40)
@given(
    st.sampled_from(["1x1", "3x3", "5x5"]), st.sampled_from(["same", "valid"]), st.integers(1, 2), st.integers(1, 3),
    st.integers(1, 3), st.integers(1, 8), st.integers(1, 8), st.integers(1, 4), st.integers(0, 999),
)  # fmt: skip
def test_a_convolution_is_autograds(
    kernel: str, padding: str, stride: int, channels: int, filters: int, high: int, wide: int, n: int, seed: int
) -> None:
    """Forwards, to the image, to the kernels and the bias, with what comes back uneven."""
    rng, side = np.random.default_rng(seed), int(kernel[0])
    options = (("channels", filters), ("kernel", kernel), ("padding", padding), ("stride", stride))
    node = Node("conv2d", 1, (0,), options, (channels, high, wide))
    assume(padding == "same" or side <= min(high, wide))
    shape = OPERATIONS["conv2d"].image(node)
    x, matrix = rng.normal(size=(n, channels, high, wide)), rng.normal(size=(filters, channels * side**2 + 1))
    W, b, dout = matrix[:, :-1].reshape(filters, channels, side, side), matrix[:, -1], rng.normal(size=(n, *shape))
    out, dx, dmatrix = worked(node, x[0].size, x.reshape(n, -1).T, dout.reshape(n, -1).T, matrix)
    pad = side // 2 if padding == "same" else 0

    def weighed(x: Any, W: Any, b: Any) -> Any:
        return anp.sum(convolved(x, W, b, pad, stride) * dout)

    np.testing.assert_allclose(out.T.reshape(dout.shape), convolved(x, W, b, pad, stride), rtol=1e-11, atol=1e-12)
    theirs = [grad(weighed, place)(x, W, b) for place in range(3)]
    np.testing.assert_allclose(dx.T.reshape(x.shape), theirs[0], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(dmatrix[:, :-1].reshape(W.shape), theirs[1], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(dmatrix[:, -1], theirs[2], rtol=1e-10, atol=1e-12)


@settings(max_examples=40)
@given(
    st.sampled_from(["max_pool", "avg_pool", "global_pool"]), st.integers(2, 4), st.integers(1, 3), st.integers(4, 9),
    st.integers(4, 9), st.integers(1, 4), st.integers(0, 999), st.booleans(),
)  # fmt: skip
def test_a_pool_goes_back_to_whom_it_came_from(
    kind: str, side: int, channels: int, high: int, wide: int, n: int, seed: int, ties: bool
) -> None:
    """Only the winner gets it, of equals the first; all share it; and what no window has gets nothing."""
    rng = np.random.default_rng(seed)
    node = Node(kind, 1, (0,), () if kind == "global_pool" else (("size", side),), (channels, high, wide))
    shape = OPERATIONS[kind].image(node) or (channels,)
    x = (
        rng.integers(0, 3, (n, channels, high, wide)).astype(float)
        if ties
        else rng.normal(size=(n, channels, high, wide))
    )
    dout = rng.normal(size=(n, *shape))
    out, dx, _ = worked(node, x[0].size, x.reshape(n, -1).T, dout.reshape(n, -1).T, np.empty((0, 0)))
    expected, back = np.empty_like(dout), np.zeros_like(x)
    for at in np.ndindex(*dout.shape):
        spot = (slice(None), slice(None)) if len(at) == 2 else tuple(slice(i * side, i * side + side) for i in at[2:])
        window = x[at[0], at[1]][spot]
        expected[at] = window.max() if kind == "max_pool" else window.mean()
        own = back[at[0], at[1]][spot]
        if kind == "max_pool":
            own[np.unravel_index(int(window.argmax()), window.shape)] += dout[at]
        else:
            own += dout[at] / window.size
    np.testing.assert_allclose(out.T.reshape(dout.shape), expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(dx.T.reshape(x.shape), back, rtol=1e-12, atol=1e-15)


@st.composite
def nets(draw: st.DrawFn) -> str:
    """One to three convolutions with whatever may stand between them, and perhaps a dense layer above."""
    items, size, channels = list[str](), 16, 0
    for _ in range(draw(st.integers(1, 3))):
        stride = draw(st.sampled_from([1, 1, 2]))
        padding = draw(st.sampled_from(["same", "valid"])) if size >= 5 else "same"
        kernel = draw(st.sampled_from(["1x1", "3x3", "5x5"]))
        before, own = (channels, size), draw(st.integers(1, 3))
        size = (size + (0 if padding == "valid" else int(kernel[0]) // 2 * 2) - int(kernel[0])) // stride + 1
        channels = own
        items.append(f"conv2d {own} {kernel} {draw(st.sampled_from(['tanh', 'silu', 'softplus']))} {padding} {stride}")
        items += draw(st.sampled_from([[], ["batch_norm"], ["layer_norm"]])) if own * size > 2 else []
        attached = draw(st.sampled_from([[], ["dropout 0.3"]]))
        attached += ["shortcut 1"] if before == (channels, size) and draw(st.booleans()) else []
        pools = [[], [], *([["max_pool 2"], ["avg_pool 2"]] if size >= 4 else [])]
        pool = draw(st.sampled_from(pools))
        items += [*pool, *attached] if draw(st.booleans()) and "shortcut 1" not in attached else [*attached, *pool]
        size = size // 2 if pool else size
    ends = [["global_pool"]] if not pool else []
    items += draw(st.sampled_from([[], ["flatten"], *ends]))
    items += draw(st.sampled_from([[], ["dense 5 tanh"], ["dense 4 tanh, layer_norm, dropout 0.2"]]))
    return ", ".join(items)


@settings(max_examples=15, derandomize=True)
@given(nets(), st.integers(0, 99))
def test_every_gradient_of_a_drawn_network_holds(layers: str, seed: int) -> None:
    """Against reruns, and against autograd's whole backward pass written from the program."""
    state = ready(layers, seed % 3, seed=seed)
    assert check_all(state).passed
    step = trace(state)
    names = program(step).run()
    assert names["loss"] == pytest.approx(step.loss, rel=1e-12)
    for k, layer in enumerate(step.layers, 1):
        for kind in ("z", "a", "h", "v", "o", "dv", "dh", "dz", "dW", "db"):
            values, own = getattr(layer, kind), names.get(f"{kind}{k}")
            if values is not None:
                assert own is not None, kind
                np.testing.assert_allclose(own, values, rtol=1e-8, atol=1e-11 * max(1.0, float(np.abs(layer.dz).max())))


def equations_of(step: Trace) -> list[Equation]:
    """Equations at some places of every layer's maps, of all that is made there and all that comes back."""
    of, look, found = Equations.of(step), Numbers(step), list[Equation]()
    maps = of.maps
    network = step.spec.network
    for k in range(1, len(step.layers) + 1):
        if not maps.has(k):
            continue
        stages = network.stages[k - 1]
        for n, spot in enumerate(list(maps.pixels(k))[::31]):
            example = n % len(step.examples)
            places: dict[str, tuple[int, ...]] = {}
            for letter in stages:
                own = spot if letter in "zna" else places[network.before(k, letter)]
                places[letter] = (maps.read_by(k, own) or ()) if letter == "v" and own else own
                if places[letter] and (letter != "v" or len(places[letter]) in (1, 3)):
                    found.append(of.stage(letter, k, places[letter], example))
                if letter in "ahv" and places[letter]:
                    found.append(of.came(letter, k, places[letter], example, look))
            found.append(of.bent(k, spot, example))
            normed = (of.mean, of.spread, of.xhat, of.dxhat, of.dz) if k in network.norms else ()
            found += [made(k, spot, example) for made in normed]
            found += of.ways(k, spot, example) if normed else ()
        found += [
            maps.dW(k, (j, c, y, x)) for j, c, y, x in product(*(range(1, n + 1) for n in step.layers[k - 1].W.shape))
        ]
        for channel in range(1, network.sizes[k] + 1):
            found += [of.db(k, channel), *(of.gains(k, channel) if k in network.norms else ())]
    return found


@settings(max_examples=5, derandomize=True)
@given(nets(), st.integers(0, 99))
def test_every_equation_of_a_drawn_network_is_the_traces(layers: str, seed: int) -> None:
    """What a place is made of, what comes back to it, and what a shared weight's gradient adds up."""
    step = trace(ready(layers, seed % 3, seed=seed))
    look = Numbers(step)
    for equation in equations_of(step):
        value = float(look(equation.target, {}))
        assert float(solved(equation, look)) == pytest.approx(value, rel=1e-9, abs=1e-10), str(equation.target)


def test_who_won_is_seen_where_the_pool_looks() -> None:
    """Over a shortcut that is what was added up, and not the activation."""
    step = trace(ready("conv2d 2 3x3 tanh, conv2d 2 3x3 tanh, shortcut 1, max_pool 2", 0))
    look = Numbers(step)
    for equation in equations_of(step):
        value = float(look(equation.target, {}))
        assert float(solved(equation, look)) == pytest.approx(value, rel=1e-9, abs=1e-10), str(equation.target)


@pytest.mark.parametrize("layers", NETS)
def test_it_travels(layers: str) -> None:
    """Through JSON, links and bytes, and on from there to the same bits; what is read as conv is written as conv2d."""
    spec = Spec.make(dataset="digits16", samples=60, batch_size=7, layers=layers.replace("conv2d", "conv"))
    assert ", ".join(item.text for item in spec.layers) == layers
    assert Spec.make(json.loads(json.dumps(spec.to_dict()))) == spec
    assert Link.parse(Link(spec).fields()).spec == spec
    state = advance(start(spec), 9).state
    again = unpack(pack(state))
    assert again == state
    one, other = (advance(each, 11).state for each in (state, again))
    assert one.parameters.tobytes() == other.parameters.tobytes()
    assert one.running.tobytes() == other.running.tobytes()
    at_once = advance(start(spec), 20).state
    assert at_once.parameters.tobytes() == one.parameters.tobytes()


@pytest.mark.parametrize("layers", NETS)
def test_questions_are_answered(layers: str) -> None:
    """Nudge, slice, wishes, health and receipts, and the parameters that an address names."""
    state = ready(layers)
    step, network = trace(state), state.spec.network
    assert nudge(state, "W1.1.1.1.1").agrees
    assert slice_(state, "b1.1").address == "b1.1"
    found = wishes(state)
    np.testing.assert_allclose(found.gradients.mean(axis=0), found.mean, rtol=1e-9, atol=1e-12)
    assert len(health(step)) == len(step.layers)
    for address in list(network.addresses())[::5]:
        assert network.address(network.locate(address)) == address
        told = parameter_receipt(step, address)
        assert float((told.deltas * told.carried).sum()) == pytest.approx(told.gradient, rel=1e-9, abs=1e-13)
    channel = channel_receipt(step, "a1.2")
    np.testing.assert_array_equal(channel.z, step.layers[0].z[:, 1])
    moved = apply(state, "W1.2.1.1.1", 0.5)
    assert trace(moved).layers[0].W[1, 0, 0, 0] == 0.5


def test_a_dead_channel_is_dead_everywhere() -> None:
    """On all examples, at all places: its share is of channels."""
    state = ready("conv2d 4 3x3 relu", 0)
    for address in ("b1.1", "b1.3"):
        state = apply(state, address, -1e3)
    assert health(trace(state))[0].dead_share == 0.5


def test_evaluation_takes_a_few_at_a_time() -> None:
    """And says what all at once would say."""
    state = ready(NETS[0], 5, samples=200)
    x = np.random.default_rng(0).random((150, 256))
    *_, (_, a) = layers_of(state.spec.network, state.parameters, with_ones(x), state.running)
    np.testing.assert_allclose(predict(state, x), a[:-1].T, rtol=1e-12)
    assert evaluate(state)["train"].loss is not None


@pytest.mark.parametrize(
    ("layers", "field", "reason"),
    [
        ("max_pool 2", "layers.0", "right after the layer"),
        ("dense 8, max_pool 2", "layers.1", "after an image: it would take the 8 numbers of hidden 1"),
        ("dense 8, conv2d 4", "layers.1", "8 numbers are no square image"),
        ("dense 9, conv2d 4 5x5 relu valid", "layers.1", "a kernel of 5 x 5 does not fit into an image of 3 x 3"),
        ("conv2d 4 3x3 relu, max_pool 2, avg_pool 2", "layers.2", "; max_pool comes before it"),
        ("conv2d 4 3x3 relu, max_pool 2, batch_norm", "layers.2", "; max_pool comes before it"),
        ("conv2d 4 3x3 relu, flatten, max_pool 2", "layers.2", "; flatten comes before it"),
        ("conv2d 3 3x3 relu, global_pool, conv2d 4", "layers.2", "3 numbers are no square image"),
        ("conv2d 4 3x3 relu, conv2d 5 3x3 relu, shortcut 1", "layers.2", "the 4 x 16 x 16 of hidden 1 to the 5 x"),
        ("conv2d 4 3x3 relu, dense 1024, shortcut 1", "layers.1.units", "from 1 to 256"),
        ("conv2d 4 2x2", "layers.0.kernel", "one of 1x1, 3x3, 5x5"),
        ("conv2d 4 3x3 softmax", "layers.0.activation", "one of"),
        ("conv2d 4 3x3 relu around", "layers.0.padding", "one of same, valid"),
        ("conv2d 4 3x3 relu same 3", "layers.0.stride", "a whole number from 1 to 2"),
        ("conv2d 4 3x3 relu, max_pool 5", "layers.1.size", "a whole number from 2 to 4"),
        ("conv2d 4 3x3 relu, max_pool 4, conv2d 2 3x3 relu same 2, max_pool 4", "layers.3", "a window of 4 x 4"),
        ("conv2d 256 3x3 relu, conv2d 8 1x1 relu", "layers", "a smaller batch"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(layers: str, field: str, reason: str) -> None:
    """With the reason and the shapes."""
    with pytest.raises(SpecError) as caught:
        Spec.make(limits=LIMITS, dataset="digits16", samples=2000, batch_size=100, layers=layers)
    assert caught.value.field == field, caught.value
    assert reason in str(caught.value)


def test_plain_numbers_are_read_as_a_square() -> None:
    """A convolution takes 16 numbers as 1 x 4 x 4, an image as it is."""
    assert image_for("conv2d", (16,)) == (1, 4, 4)
    assert image_for("conv2d", (3, 5, 4)) == (3, 5, 4)
    assert image_for("dense", (16,)) == ()


@pytest.mark.parametrize("layers", NETS)
def test_flatten_costs_nothing(layers: str) -> None:
    """With it or without it the network is the same."""
    spec = Spec.make(dataset="digits16", layers=layers)
    without = Spec.make(dataset="digits16", layers=layers.replace("flatten, ", ""))
    assert spec.network == without.network


def test_a_small_step_on_the_digits_learns() -> None:
    """A small network of convolutions is better after a few epochs than at its start."""
    spec = Spec.make(dataset="digits16", samples=300, test_share=0.2, layers="conv2d 4 3x3 relu, max_pool 2",
                     initializer="he_uniform", learning_rate=0.1)  # fmt: skip
    before = evaluate(start(spec))["test"].accuracy or 0.0
    after = evaluate(advance(start(spec), 120).state)["test"].accuracy or 0.0
    assert after > before + 0.4
