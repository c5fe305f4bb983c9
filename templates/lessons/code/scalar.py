"""One step of backpropagation, every number on its own: loops, lists and nothing else."""

from math import exp

x, y = [0.05, 0.10], [0.01, 0.99]
# W[layer][to unit][from unit]
W = [[[0.15, 0.20], [0.25, 0.30]], [[0.40, 0.45], [0.50, 0.55]]]
b = [[0.35, 0.35], [0.60, 0.60]]
rate = 0.5

# forward: remember what comes out of every layer
a = [x]
for layer in range(2):
    out = []
    for i in range(2):
        z = b[layer][i]
        for j in range(2):
            z += W[layer][i][j] * a[layer][j]
        out.append(1 / (1 + exp(-z)))
    a.append(out)

loss = 0.0
for i in range(2):
    loss += (a[2][i] - y[i]) ** 2 / 2

# backward: da is dL/da of the layer in hand, at first of the output
da = [a[2][i] - y[i] for i in range(2)]
new_W = [[[0.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]]
for layer in (1, 0):
    out = a[layer + 1]
    delta = [da[i] * out[i] * (1 - out[i]) for i in range(2)]
    da = [0.0, 0.0]
    for i in range(2):
        for j in range(2):
            dW = delta[i] * a[layer][j]
            new_W[layer][i][j] = W[layer][i][j] - rate * dW
            da[j] += W[layer][i][j] * delta[i]  # the old weight
