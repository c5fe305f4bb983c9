"""The same step on one flat vector: however deep the network, the update is a single line."""

from itertools import pairwise

import numpy as np

x, y = np.array([0.05, 0.10]), np.array([0.01, 0.99])
sizes = [2, 2, 2]
# a row a unit: its weights, then its bias
first = [0.15, 0.20, 0.35, 0.25, 0.30, 0.35]
second = [0.40, 0.45, 0.60, 0.50, 0.55, 0.60]
p = np.array(first + second)
frozen = np.array([False, False, True] * 4)  # the biases stay
rate = 0.5


def layers(flat):
    """A matrix (units, inputs + 1) a layer, made of views of `flat`."""
    views, start = [], 0
    for below, units in pairwise(sizes):
        end = start + units * (below + 1)
        views.append(flat[start:end].reshape(units, below + 1))
        start = end
    return views


# forward: a 1 below the inputs takes the bias into the product
W, a = layers(p), [np.append(x, 1)]
for layer in range(2):
    z = W[layer] @ a[layer]
    a.append(np.append(1 / (1 + np.exp(-z)), 1))

loss = ((a[2][:-1] - y) ** 2).sum() / 2

# backward: the gradient is written through views like these
g = np.zeros_like(p)
dW, da = layers(g), a[2][:-1] - y
for layer in (1, 0):
    out = a[layer + 1][:-1]
    delta = da * out * (1 - out)
    dW[layer][:] = np.outer(delta, a[layer])
    da = W[layer][:, :-1].T @ delta

new_p = p - rate * np.where(frozen, 0, g)
new_W = [M[:, :-1] for M in layers(new_p)]
