"""A convolution of one channel, forwards and back, place by place, as the lesson on it runs it."""

import numpy as np

x = np.array(
    [
        [0, 1, 2, 1, 0],
        [0, 2, 2, 1, 0],
        [1, 2, 1, 0, 0],
        [0, 2, 0, 1, 1],
        [0, 1, 0, 2, 1],
    ]
)
W = np.array(
    [
        [0.5, 0.1, -0.4],
        [1.0, 0.2, -0.8],
        [0.6, -0.3, -0.5],
    ]
)
b = 0.2
target = np.array(
    [
        [-1.0, 1.5, 2.0],
        [0.5, 2.5, 1.0],
        [-0.5, 3.0, -1.6],
    ]
)
out = np.zeros((3, 3))
dx = np.zeros((5, 5))
dW = np.zeros((3, 3))
places = list(np.ndindex(3, 3))

for i, j in places:
    seen = x[i : i + 3, j : j + 3]
    out[i, j] = (seen * W).sum() + b

d = out - target

for i, j in places:
    dW += d[i, j] * x[i : i + 3, j : j + 3]
    dx[i : i + 3, j : j + 3] += d[i, j] * W
db = d.sum()
