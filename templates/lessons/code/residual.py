"""A block with a shortcut past it and dropout in it, forwards and back, as the lesson on them runs it."""

import numpy as np

x = np.array([0.5, -1.0])
y = 1.0
W1 = np.array(
    [[0.9, 0.4], [-0.6, 0.5], [0.3, -0.8]],
)
b1 = np.array([0.1, -0.2, 0.1])
W2 = np.array(
    [
        [0.5, -0.7, 0.6],
        [0.8, 0.4, -0.5],
        [-0.6, 0.9, 0.7],
    ]
)
b2 = np.array([0.1, 0.2, -0.1])
W3, b3 = np.array([0.7, -0.5, 0.4]), 0.1
kept = np.array([1, 0, 1])
rate = 0.25

# forward
a1 = np.tanh(W1 @ x + b1)
a2 = np.tanh(W2 @ a1 + b2)
h2 = a2 * kept / (1 - rate)
o2 = a1 + h2  # a1 is used twice
out = W3 @ o2 + b3
loss = (out - y) ** 2 / 2

# backward
do2 = (out - y) * W3
da2 = do2 * kept / (1 - rate)
dz2 = da2 * (1 - a2**2)
da1 = do2 + W2.T @ dz2  # two ways add
dz1 = da1 * (1 - a1**2)
