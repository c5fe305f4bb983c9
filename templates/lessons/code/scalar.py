"""One step of backpropagation, every number on its own: loops, lists and nothing else."""

from math import exp

x, y = [0.05, 0.10], [0.01, 0.99]
# W[layer][to unit][from unit]
W = [
    [[0.15, 0.20], [0.25, 0.30]],
    [[0.40, 0.45], [0.50, 0.55]],
]
b = [[0.35, 0.35], [0.60, 0.60]]
rate = 0.5

# forward: remember what every layer says
a = [x]
for k in range(2):
    out = []
    for i in range(2):
        z = b[k][i]
        for j in range(2):
            z += W[k][i][j] * a[k][j]
        out.append(1 / (1 + exp(-z)))
    a.append(out)

loss = 0.0
for i in range(2):
    loss += (a[2][i] - y[i]) ** 2 / 2

# backward: da is dL/da of layer k's units
da = [a[2][i] - y[i] for i in range(2)]
new_W = [[row[:] for row in M] for M in W]
for k in (1, 0):
    dz = []
    for i in range(2):
        out = a[k + 1][i]
        slope = out * (1 - out)
        dz.append(da[i] * slope)
    da = [0.0, 0.0]
    for i in range(2):
        for j in range(2):
            dW = dz[i] * a[k][j]
            new_W[k][i][j] -= rate * dW
            # the weight as it was
            da[j] += W[k][i][j] * dz[i]
