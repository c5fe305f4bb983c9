"""The same step on one flat vector: however deep the network, the update is a single line."""

from itertools import pairwise

import numpy as np

x = np.array([0.05, 0.10])
y = np.array([0.01, 0.99])
sizes = [2, 2, 2]
rows = [  # one a unit: weights, then bias
    [0.15, 0.20, 0.35],
    [0.25, 0.30, 0.35],
    [0.40, 0.45, 0.60],
    [0.50, 0.55, 0.60],
]
p = np.ravel(rows)
# the biases stay
frozen = np.array([False, False, True] * 4)
rate = 0.5


def layers(flat):
    """Views of it: a matrix a layer."""
    views, start = [], 0
    for below, units in pairwise(sizes):
        shape = (units, below + 1)
        end = start + units * (below + 1)
        view = flat[start:end]
        views.append(view.reshape(shape))
        start = end
    return views


# forward: below, a 1 takes the bias in
W, a = layers(p), [np.append(x, 1)]
for k in range(2):
    z = W[k] @ a[k]
    out = 1 / (1 + np.exp(-z))
    a.append(np.append(out, 1))

loss = ((a[2][:-1] - y) ** 2).sum() / 2

# backward: fill g through views like these
g = np.zeros_like(p)
dW, da = layers(g), a[2][:-1] - y
for k in (1, 0):
    out = a[k + 1][:-1]
    dz = da * out * (1 - out)
    dW[k][:] = np.outer(dz, a[k])
    da = W[k][:, :-1].T @ dz

new_p = p - rate * np.where(frozen, 0, g)
new_W = [M[:, :-1] for M in layers(new_p)]
