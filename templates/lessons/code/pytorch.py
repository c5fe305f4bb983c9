"""The same step in PyTorch: you write the forward pass, autograd walks it backwards."""

import torch

torch.set_default_dtype(torch.float64)
x = torch.tensor([0.05, 0.10])
y = torch.tensor([0.01, 0.99])
W1 = [[0.15, 0.20], [0.25, 0.30]]
W2 = [[0.40, 0.45], [0.50, 0.55]]
hidden = torch.nn.Linear(2, 2)
output = torch.nn.Linear(2, 2)
with torch.no_grad():
    hidden.weight.copy_(torch.tensor(W1))
    output.weight.copy_(torch.tensor(W2))
    hidden.bias.fill_(0.35)
    output.bias.fill_(0.60)
# the biases are left out
weights = [hidden.weight, output.weight]
sgd = torch.optim.SGD(weights, lr=0.5)

h = torch.sigmoid(hidden(x))
a = torch.sigmoid(output(h))
loss = ((a - y) ** 2).sum() / 2

sgd.zero_grad()
loss.backward()  # the whole backward pass
sgd.step()
new_W = [W.tolist() for W in weights]
