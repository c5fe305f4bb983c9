"""The whole program: a batch of examples, a nudge to check the slopes, and the loop that learns."""

import numpy as np

points = [[0, 0], [0, 1], [1, 0], [1, 1]]
x = np.array(points)  # a row an example
y = np.array([[0], [1], [1], [0]])
rng = np.random.default_rng(0)
W = [rng.normal(size=(3, 2))]
W += [rng.normal(size=(1, 3))]
b = [np.zeros(3), np.zeros(1)]
start = [W[0].copy(), W[1].copy()]
rate = 2


def forward():
    """What every layer says."""
    a = [x]
    for k in range(2):
        z = a[k] @ W[k].T + b[k]
        a.append(1 / (1 + np.exp(-z)))
    return a


def loss_now():
    """The mean over the examples."""
    miss = forward()[2] - y
    return (miss**2).sum() / 2 / len(y)


def backward(a):
    """The slopes of all W and all b."""
    dW, db = [0, 0], [0, 0]
    da = (a[2] - y) / len(y)
    for k in (1, 0):
        out = a[k + 1]
        dz = da * out * (1 - out)
        dW[k] = dz.T @ a[k]
        db[k] = dz.sum(axis=0)
        da = dz @ W[k]
    return dW, db


# check one slope: nudge its weight
slope = backward(forward())[0][0][0, 0]
before = loss_now()
W[0][0, 0] += 1e-6
nudged = (loss_now() - before) / 1e-6
W[0][0, 0] -= 1e-6

losses = [loss_now()]
for _ in range(2000):
    dW, db = backward(forward())
    for k in range(2):
        W[k] = W[k] - rate * dW[k]
        b[k] = b[k] - rate * db[k]
    losses.append(loss_now())

answers = forward()[2]
