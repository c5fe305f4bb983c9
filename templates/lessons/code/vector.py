"""The same step, a layer at a time: the two inner loops become one product of a matrix and a vector."""

import numpy as np

x = np.array([0.05, 0.10])
y = np.array([0.01, 0.99])
W = [  # (to, from)
    np.array([[0.15, 0.20], [0.25, 0.30]]),
    np.array([[0.40, 0.45], [0.50, 0.55]]),
]
b = [np.full(2, 0.35), np.full(2, 0.60)]
rate = 0.5

# forward
a = [x]
for k in range(2):
    z = W[k] @ a[k] + b[k]
    a.append(1 / (1 + np.exp(-z)))

loss = ((a[2] - y) ** 2).sum() / 2

# backward
da = a[2] - y
new_W = [W[0], W[1]]
for k in (1, 0):
    out = a[k + 1]
    dz = da * out * (1 - out)
    dW = np.outer(dz, a[k])
    new_W[k] = W[k] - rate * dW
    da = W[k].T @ dz
