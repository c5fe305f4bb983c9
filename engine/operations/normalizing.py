"""What the normalizations share: numbers are brought to mean 0 and spread 1, and then scaled and shifted anew.

They differ in what they take the mean over. On the way back a number has three ways to the loss: its own, and through
the mean and the spread, which it shares with all the others; what comes back over the three adds up.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from engine.arrays import Floats
from engine.operations.base import Call, Cost, Node, Parameter, Place

EPSILON = 1e-5  # keeps the division from blowing up where all numbers are alike

Seen = Callable[[Floats], tuple[Floats, Floats]]
Average = Callable[[Floats], tuple[Callable[[Floats], Call], Floats]]
# Of numbers like these: what makes the call that averages some, and where it leaves that, ready to meet them all.


def over_units(like: Floats) -> tuple[Callable[[Floats], Call], Floats]:
    """The mean of each example's numbers."""
    units, examples = like.shape
    share, mean = np.full(units, 1.0 / units, like.dtype), np.empty(examples, like.dtype)
    return lambda values: (np.dot, share, values, mean), mean


def rows(node: Node, inputs: Sequence[int]) -> int:
    """As many as it takes."""
    return inputs[0]


def units_of(node: Node, inputs: Sequence[int]) -> int:
    """How many gains and shifts there are: one a unit, or a channel of an image."""
    return node.takes[0] if node.takes else inputs[0]


def by_unit(node: Node, block: Floats) -> Floats:
    """A row a unit; of an image a row a channel, with all its places on all examples."""
    return block.reshape(node.takes[0], -1) if node.takes else block


def matrix(node: Node, inputs: Sequence[int]) -> tuple[int, int]:
    """Gains above, shifts below."""
    return 2, units_of(node, inputs)


def parameters(node: Node, inputs: Sequence[int]) -> tuple[Parameter, ...]:
    """gamma, by which what is normalized is multiplied, and beta, which is added: at first they change nothing."""
    units = units_of(node, inputs)
    return Parameter("gamma", (units,), 0, (1,), first=1.0), Parameter("beta", (units,), units, (1,))


def cost(node: Node, inputs: Sequence[int]) -> Cost:
    """Two means, and of each number what is normalized, given on, comes back, and over which ways."""
    return Cost(2 * inputs[0], 8 * inputs[0])


def forward(
    average: Average, seen: Seen, inputs: Sequence[Floats], out: Floats, matrix: Floats, saved: Sequence[Floats]
) -> Iterator[Call]:
    """The mean, the spread, what is normalized by both, and what is given on. `seen` lays a block out as the average
    takes it, and as gains and shifts meet it."""
    (z, _), (n, given), (xhat, bare) = map(seen, (inputs[0][:-1], out[:-1], saved[0]))
    told_mean, told_spread = saved[1:]
    gamma, beta = matrix[:, :, None]
    (mean_of, mean), (spread_of, spread) = average(z), average(z)
    yield mean_of(z)
    yield np.copyto, told_mean, mean
    yield np.subtract, z, mean, xhat
    yield np.multiply, xhat, xhat, n
    yield spread_of(n)
    yield np.add, spread, EPSILON, spread
    yield np.sqrt, spread, spread
    yield np.copyto, told_spread, spread
    yield np.divide, xhat, spread, xhat
    yield np.multiply, bare, gamma, given
    yield np.add, given, beta, given


def backward(average: Average, seen: Seen, at: Place) -> Iterator[Call]:
    """The gradients of gains and shifts; and dz: dn × gamma less its mean and less what goes along with xhat."""
    (xhat, bare), (into,), all_work = seen(at.saved[0]), at.into, np.empty(at.d_out[:-1].shape)
    (_, dn), (tilted, work) = seen(at.d_out[:-1]), seen(all_work)
    ones = np.ones(dn.shape[1])
    yield np.multiply, dn, bare, work
    yield np.dot, work, ones, at.gradient[0]
    yield np.dot, dn, ones, at.gradient[1]
    if into is None:
        return
    (dz, dgained), gamma = seen(into[:-1]), at.matrix[0][:, None]
    spread = at.saved[2] if average is over_units else at.saved[2][:, :1]  # of a unit it is one
    (level_of, level), (tilt_of, tilt) = average(dz), average(dz)
    yield np.multiply, work, gamma, work
    yield tilt_of(tilted)
    yield np.multiply, dn, gamma, dgained
    yield level_of(dz)
    yield np.multiply, xhat, tilt, tilted
    yield np.subtract, dz, level, dz
    yield np.subtract, dz, tilted, dz
    yield np.divide, dz, spread, dz
