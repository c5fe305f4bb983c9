"""The same step in PyTorch: you write the forward pass, autograd walks it backwards."""

import torch

torch.set_default_dtype(torch.float64)
x, y = torch.tensor([0.05, 0.10]), torch.tensor([0.01, 0.99])
hidden, output = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
with torch.no_grad():
    hidden.weight.copy_(torch.tensor([[0.15, 0.20], [0.25, 0.30]]))
    output.weight.copy_(torch.tensor([[0.40, 0.45], [0.50, 0.55]]))
    hidden.bias.fill_(0.35)
    output.bias.fill_(0.60)
weights = [hidden.weight, output.weight]  # the biases are left out
optimizer = torch.optim.SGD(weights, lr=0.5)

a = torch.sigmoid(output(torch.sigmoid(hidden(x))))
loss = ((a - y) ** 2).sum() / 2

optimizer.zero_grad()
loss.backward()  # the whole backward pass
optimizer.step()
new_W = [W.tolist() for W in weights]
