"""The flat vector, its addresses and the passes over it."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.network import Network, layers_of, with_ones
from engine.operations.base import Parameter
from engine.workspace import Workspace

NETWORK = Network.chain((2, 4, 2, 1), ("tanh", "relu", "tanh"), "squared_error")
SIZES = st.lists(st.integers(1, 6), min_size=2, max_size=5).map(tuple)


def network_of(sizes: tuple[int, ...]) -> Network:
    return Network.chain(sizes, ("tanh",) * (len(sizes) - 1), "squared_error")


@given(SIZES)
def test_every_parameter_has_one_address(sizes: tuple[int, ...]) -> None:
    """`locate` and `address` are each other's inverse over the whole vector."""
    network = network_of(sizes)
    addresses = list(network.addresses())
    assert len(set(addresses)) == network.size == sum((below + 1) * units for below, units in pairwise(sizes))
    assert [network.locate(address) for address in addresses] == list(range(network.size))


@given(SIZES, st.integers(0, 1000))
def test_layers_and_flatten_are_inverse(sizes: tuple[int, ...], seed: int) -> None:
    """(W, b) of each layer are views of the vector, and make it again."""
    network = network_of(sizes)
    flat = np.random.default_rng(seed).normal(size=network.size)
    layers = network.layers(flat)
    assert (network.flatten(layers) == flat).all()
    assert all(np.shares_memory(W, flat) and np.shares_memory(b, flat) for W, b in layers)


def test_an_address_names_what_the_formulas_name() -> None:
    """W2.1.3 is layer 2, to unit 1, from unit 3; b3.1 the output's bias; weights and biases are told apart."""
    flat = np.zeros(NETWORK.size)
    flat[NETWORK.locate("W2.1.3")] = 1.0
    flat[NETWORK.locate("b3.1")] = 2.0
    layers = NETWORK.layers(flat)
    assert layers[1][0][0, 2] == 1.0
    assert layers[2][1][0] == 2.0
    assert np.count_nonzero(flat) == 2
    assert NETWORK.is_weight[NETWORK.locate("W2.1.3")] == 1
    assert NETWORK.is_weight[NETWORK.locate("b3.1")] == 0
    assert NETWORK.is_weight.sum() == 2 * 4 + 4 * 2 + 2


def test_a_block_of_any_shape_has_places() -> None:
    """Of a kernel (to, from, row, column) with its unit's bias after it: views, places and addresses agree."""
    matrix = np.arange(100.0, 100 + 3 * 19)
    kernel = Parameter("W", (3, 2, 3, 3), 0, (19, 9, 3, 1), is_weight=True).placed(2, 100)
    shift = Parameter("b", (3,), 18, (19,)).placed(2, 100)
    flat = np.append(np.zeros(100), matrix)
    np.testing.assert_array_equal(kernel.of(flat), matrix.reshape(3, 19)[:, :-1].reshape(3, 2, 3, 3))
    np.testing.assert_array_equal(shift.of(flat), matrix.reshape(3, 19)[:, -1])
    for block, other in ((kernel, shift), (shift, kernel)):
        for index in np.ndindex(block.shape):
            address = tuple(i + 1 for i in index)
            place = block.place(address)
            assert place is not None
            assert flat[place] == block.of(flat)[index]
            assert block.index(place) == address
            assert other.index(place) is None
    assert [kernel.place(index) for index in ((0, 1, 1, 1), (4, 1, 1, 1), (1, 1, 1), ())] == [None] * 4
    assert kernel.index(99) is kernel.index(100 + 3 * 19) is None


@pytest.mark.parametrize("address", ["", "W", "W1", "W1.1", "W4.1.1", "W1.5.1", "W1.1.3", "W0.1.1", "W1.0.1", "W1.1.0",
                                     "W01.1.1", "b1.5", "b4.1", "b0.1", "b1", "w1.1.1", "W1.1.1 ", "W1.1.-1",
                                     "W9999999.1.1", "W１.1.1", "b1.1.1", "biases"])  # fmt: skip
def test_no_such_parameter(address: str) -> None:
    """Anything else is refused with the shape of an address and of the network."""
    with pytest.raises(ValueError, match="2 - 4 - 2 - 1"):
        NETWORK.locate(address)


@pytest.mark.parametrize("examples", [1, 2, 30])
def test_both_forward_passes_agree(examples: int) -> None:
    """The one that trains and the one that only looks give z and a alike, with a row of ones at the end."""
    rng = np.random.default_rng(0)
    parameters, x = rng.normal(size=NETWORK.size), with_ones(rng.normal(size=(examples, 2)))
    workspace = Workspace(NETWORK, parameters, np.empty(NETWORK.size), examples)
    outputs = workspace.forward(x)
    layers = list(layers_of(NETWORK, parameters, x))
    for k, (z, a) in enumerate(layers):
        np.testing.assert_allclose(z, workspace.z[k], rtol=1e-13)
        np.testing.assert_allclose(a[:-1], workspace.a[k], rtol=1e-13)
        assert (a[-1] == 1).all()
    assert outputs is workspace.a[-1]


def test_a_pass_leaves_no_trace_in_the_next() -> None:
    """After NaN and infinities have gone through, the same buffers give the same bits as fresh ones."""
    rng = np.random.default_rng(0)
    network = Network.chain((2, 3, 3, 2), ("softmax", "elu", "sigmoid"), "binary_cross_entropy")
    parameters, x, y = rng.normal(size=network.size), with_ones(rng.normal(size=(5, 2))), np.ones((2, 5))
    results = []
    for first in (None, np.inf, np.nan):
        held, gradient = parameters.copy(), np.empty(network.size)
        workspace = Workspace(network, held, gradient, 5)
        if first is not None:
            held[:] = first
            with np.errstate(all="ignore"):
                workspace.forward(x)
                workspace.backward(x, y)
            held[:] = parameters
        workspace.forward(x)
        results.append((workspace.backward(x, y), gradient.tobytes()))
    assert results[0] == results[1] == results[2]


def test_with_ones() -> None:
    """(examples, features) becomes (features + 1, examples) with a last row of ones."""
    assert with_ones(np.array([[1.0, 2.0], [3.0, 4.0]])).tolist() == [[1, 3], [2, 4], [1, 1]]


@pytest.mark.parametrize("activations", [("tanh",) * 3, ("tanh", "relu", "tanh"), ("softmax", "tanh", "sigmoid")])
def test_parameters_in_parameters_out_nothing_else_written(activations: tuple[str, ...]) -> None:
    """The passes read the parameters and x and y, and write the gradient alone."""
    network = Network.chain((2, 4, 2, 1), activations, "squared_error")
    parameters, x, y = np.full(network.size, 0.3), with_ones(np.ones((4, 2))), np.zeros((1, 4))
    for array in (parameters, x, y):
        array.setflags(write=False)
    gradient = np.full(network.size, np.nan)
    workspace = Workspace(network, parameters, gradient, 4)
    workspace.forward(x)
    loss = workspace.backward(x, y)
    assert np.isfinite(gradient).all()
    assert workspace.loss(y) == loss
