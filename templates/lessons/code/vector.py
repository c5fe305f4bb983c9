"""The same step, a layer at a time: the two inner loops become one product of a matrix and a vector."""

import numpy as np

x, y = np.array([0.05, 0.10]), np.array([0.01, 0.99])
W = [  # (to, from)
    np.array([[0.15, 0.20], [0.25, 0.30]]),
    np.array([[0.40, 0.45], [0.50, 0.55]]),
]
b = [np.array([0.35, 0.35]), np.array([0.60, 0.60])]
rate = 0.5

# forward
a = [x]
for layer in range(2):
    z = W[layer] @ a[layer] + b[layer]
    a.append(1 / (1 + np.exp(-z)))

loss = ((a[2] - y) ** 2).sum() / 2

# backward
da = a[2] - y
new_W = [W[0], W[1]]
for layer in (1, 0):
    out = a[layer + 1]
    delta = da * out * (1 - out)
    da = W[layer].T @ delta  # the same weights, walked the other way
    new_W[layer] = W[layer] - rate * np.outer(delta, a[layer])
